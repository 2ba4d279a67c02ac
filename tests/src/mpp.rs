//! Published clients of the Machine Payments Protocol, each of which makes one paid call against the real host on stdio.

use std::process::Stdio;

use axum::Router;
use serde_json::{Value, json};
use tokio::process::Command;

use crate::chain::Wallet;
use crate::home::Home;
use crate::paths;

/// The number of the clients' wallet.
const WALLET: u8 = 7;
/// What they buy.
pub const TOOL: &str = "echo_paid";

/// The clients' wallet.
pub fn wallet() -> Wallet {
    Wallet::of(WALLET)
}

/// The arguments with which they call it.
pub fn arguments() -> Value {
    json!({ "text": "worth a cent" })
}

/// A host whose tools are paid into an MPP account with these tables.
pub fn home(methods: &str) -> Home {
    Home::new().plugin("echo").config(&format!(
        "provider = \"machines\"\n[accounts.machines]\nkind = \"mpp\"\nrealm = \"tools.example.com\"\n{methods}"
    ))
}

/// pip pympp.
pub fn pympp() -> Command {
    let mut command = Command::new(paths::mpp_python());
    command.arg(paths::client_script("mpp/pay.py"));
    command
}

/// npm mppx.
pub fn mppx() -> Command {
    paths::mpp_node_packages();
    let mut command = Command::new("node");
    command.arg(paths::client_script("mpp/pay.mjs"));
    command
}

/// What a client's user gets from a call of [`TOOL`] by `plan`, which says how to pay.
pub async fn call(mut client: Command, home: &Home, mut plan: Value) -> Value {
    plan["command"] = json!(home.command_line());
    plan["tool"] = json!(TOOL);
    plan["arguments"] = arguments();
    plan["key"] = json!(wallet().key());
    let client = client.arg(plan.to_string()).stdin(Stdio::null());
    let done = client.kill_on_drop(true).output().await;
    let done = done.expect("the client can be started");
    let said = String::from_utf8_lossy(&done.stdout);
    serde_json::from_str(&said)
        .unwrap_or_else(|_| panic!("{said}{}", String::from_utf8_lossy(&done.stderr)))
}

/// Serves `app` on a port of this machine for as long as the test runs.
pub async fn served(app: Router) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await;
    let listener = listener.expect("there is a free port");
    let addr = listener.local_addr().expect("it is bound");
    tokio::spawn(async move { axum::serve(listener, app).await });
    format!("http://{addr}")
}
