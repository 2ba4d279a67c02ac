//! The plugins that ship, in Rust, as they are sold: with their sidecars, through the real host, paid and made good.

mod open_meteo;
mod png;
mod super_resolution;
mod weather;

use coinop_tests::answer::Answer;
use coinop_tests::books::Books;
use coinop_tests::client::Client;
use coinop_tests::home::Home;
use coinop_tests::paths;
use coinop_tests::pay::pay;
use serde_json::{Value, json};

/// A host's folder with a plugin and the sidecar it ships with.
fn shop(plugin: &str, config: &str) -> Home {
    let sidecar = format!("{plugin}.toml");
    let home = Home::new().plugin(plugin).mode("two_step").config(config);
    let shipped = paths::root().join("plugins").join(plugin).join(&sidecar);
    std::fs::copy(shipped, home.path("plugins").join(sidecar)).unwrap();
    home
}

/// Calls a paid tool, pays what it asks, and redeems it.
async fn bought(client: &Client, tool: &str, price: &str, arguments: Value) -> Answer {
    let asked = client.call(tool, arguments).await;
    assert!(asked.text().contains(price), "{}", asked.0);
    let payment = asked.payment();
    pay(&payment.url).await;
    let confirm = json!({ "payment_id": payment.id });
    client
        .call_settled(&format!("confirm_{tool}"), confirm)
        .await
}

/// That a paid call failed with `words`, and the money went back.
fn made_good(answer: &Answer, words: &str) {
    let text = answer.text();
    assert!(answer.is_refused(), "{}", answer.0);
    for part in [words, "went back"] {
        assert!(text.contains(part), "lacks {part:?}: {text}");
    }
}

/// That nothing is left open, and what was taken in, in billionths of a dollar.
fn balanced(home: &Home, takings: i64) {
    let books = Books::of(home);
    assert_eq!(books.imbalances(), 0);
    assert_eq!(books.takings("USD"), takings);
}
