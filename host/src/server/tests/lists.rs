//! Lists that depend on their reader, and modes that depend on the client's name.

use std::sync::Arc;

use coinop_core::mode::{Surface, by_name};
use serde_json::{Value, json};

use super::lines::{Client, INITIALIZE, INITIALIZED, call, modern_meta};
use crate::catalog::{Entry, Snapshot};
use crate::config::Clients;
use crate::server::testing::{Fixture, TOOLS, listing, snapshot};

fn list(id: u32, params: Value) -> String {
    json!({"jsonrpc": "2.0", "id": id, "method": "tools/list", "params": params}).to_string()
}

/// The fixture's tools, of which `paid` takes turns.
fn turning() -> Snapshot {
    let mut snapshot = snapshot(0, TOOLS);
    let mut paid = listing("paid", Some("0.50"));
    paid.surface = Surface::TakesTurns;
    let paid = Arc::new(paid);
    let tools = &mut snapshot.tools;
    tools.insert("paid".to_owned(), Entry::Tool(paid.clone()));
    tools.insert("confirm_paid".to_owned(), Entry::Confirm(paid));
    snapshot
}

#[tokio::test]
async fn a_list_that_depends_on_its_reader_says_so_to_modern_clients() {
    let mut client = Client::connect();
    client.fixture.catalog.publish(turning(), true);
    let answer = client.ask(list(1, json!({"_meta": modern_meta()}))).await;
    let result = &answer["result"];
    assert_eq!(
        (&result["cacheScope"], &result["ttlMs"]),
        (&json!("private"), &json!(0))
    );
    let tools = result["tools"].as_array().unwrap();
    let names: Vec<_> = tools
        .iter()
        .map(|tool| tool["name"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["echo", "paid", "steps", "wait"]);
}

#[tokio::test]
async fn a_client_has_the_mode_that_the_operator_gives_its_name() {
    let clients = || Clients::of("test", by_name("two_step").unwrap());
    let text = |answer: Value| answer["result"]["content"][0]["text"].clone();

    let mut modern = Client::connect_to(Fixture::with_clients(clients()));
    modern.fixture.add_tool();
    let ask = |name: &str| {
        let mut meta = modern_meta();
        meta["io.modelcontextprotocol/clientInfo"]["name"] = json!(name);
        call(1, "new_tool", json!({"_meta": meta}))
    };
    assert_eq!(text(modern.ask(ask("Test")).await), "two_step");
    assert_eq!(text(modern.ask(ask("another")).await), "");

    let mut legacy = Client::connect_to(Fixture::with_clients(clients()));
    legacy.fixture.add_tool();
    legacy.ask(INITIALIZE).await;
    legacy.send(INITIALIZED).await;
    assert_eq!(
        text(legacy.ask(call(1, "new_tool", json!({}))).await),
        "two_step"
    );
}
