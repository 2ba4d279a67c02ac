//! A payment buys one run of one call, for the one who asked, and nothing else.

use std::sync::Arc;

use coinop_tests::books::Books;
use coinop_tests::client::Client;
use coinop_tests::era::Era;
use coinop_tests::home::Home;
use coinop_tests::pay::{decline, page, pay};
use futures::future::join_all;
use serde_json::{Value, json};

/// Confirms of one payment at a time.
const CONFIRMS: usize = 1000;

#[tokio::test]
async fn a_thousand_confirms_on_stdio_are_one_run() {
    let home = Home::new().plugin("echo").mode("two_step");
    let client = home.stdio(Era::Legacy).await;
    confirm_all(&home, client).await;
}

#[tokio::test]
async fn a_thousand_confirms_over_http_are_one_run() {
    let home = Home::new().plugin("echo").mode("two_step");
    let host = home.http().await;
    confirm_all(&home, host.client(Era::Modern).await).await;
}

async fn confirm_all(home: &Home, client: Client) {
    let payment = client
        .call("echo_paid", json!({ "text": "once" }))
        .await
        .payment();
    pay(&payment.url).await;
    let client = Arc::new(client);
    let confirms = (0..CONFIRMS).map(|_| {
        let client = Arc::clone(&client);
        let id = payment.id.clone();
        tokio::spawn(async move { delivered(&client, &id).await })
    });
    let results: Vec<Value> = join_all(confirms)
        .await
        .into_iter()
        .map(Result::unwrap)
        .collect();
    assert_eq!(results.len(), CONFIRMS);
    assert!(results[0]["content"][0]["text"] == "once", "{}", results[0]);
    assert!(
        results.iter().all(|result| *result == results[0]),
        "results differ"
    );
    assert_eq!(Books::of(home).runs(&payment.id), 1);
}

/// Confirms until the outcome comes: a caller may be told that the run has not ended.
async fn delivered(client: &Client, id: &str) -> Value {
    loop {
        let answer = client
            .call("confirm_echo_paid", json!({ "payment_id": id }))
            .await;
        match answer.asked() {
            Some(asked) => assert_eq!(asked.status, "running", "{}", answer.0),
            None => return answer.result().clone(),
        }
    }
}

#[tokio::test]
async fn another_tools_payment_is_refused_and_not_consumed() {
    let home = Home::new().plugin("echo").mode("two_step");
    let client = home.stdio(Era::Legacy).await;
    let payment = client
        .call("echo_paid", json!({ "text": "x" }))
        .await
        .payment();
    pay(&payment.url).await;
    let confirm = json!({ "payment_id": payment.id });
    let refused = client.call("confirm_slow_paid", confirm.clone()).await;
    assert!(
        refused.is_refused() && refused.text().contains("echo_paid"),
        "{}",
        refused.0
    );
    assert_eq!(Books::of(&home).runs(&payment.id), 0);
    assert_eq!(client.call("confirm_echo_paid", confirm).await.text(), "x");
}

#[tokio::test]
async fn other_arguments_are_refused_and_nothing_is_consumed() {
    let home = Home::new().plugin("echo").mode("resubmit");
    let client = home.stdio(Era::Modern).await;
    let payment = client
        .call("echo_paid", json!({ "text": "a" }))
        .await
        .payment();
    pay(&payment.url).await;
    let refused = client
        .call(
            "echo_paid",
            json!({ "text": "b", "payment_id": payment.id }),
        )
        .await;
    assert!(
        refused.is_refused() && refused.text().contains("text"),
        "{}",
        refused.0
    );
    assert_eq!(Books::of(&home).runs(&payment.id), 0);
    let paid = client
        .call(
            "echo_paid",
            json!({ "text": "a", "payment_id": payment.id }),
        )
        .await;
    assert_eq!(paid.text(), "a");
}

#[tokio::test]
async fn another_principals_payment_looks_unknown_and_is_not_consumed() {
    let keys = [
        ("alice", "key-of-alice-0123456789"),
        ("bob", "key-of-bob-0123456789"),
    ];
    let mut home = Home::new().plugin("echo").mode("two_step").config(
        "[http.keys.alice]\nkey = { env = \"ALICE\" }\n[http.keys.bob]\nkey = { env = \"BOB\" }\n",
    );
    home.env("ALICE", keys[0].1);
    home.env("BOB", keys[1].1);
    let host = home.http().await;
    let alice = host.client_with_key(Era::Modern, keys[0].1).await;
    let bob = host.client_with_key(Era::Legacy, keys[1].1).await;
    let payment = alice
        .call("echo_paid", json!({ "text": "for alice" }))
        .await
        .payment();
    pay(&payment.url).await;

    let confirm = json!({ "payment_id": payment.id });
    let foreign = bob.call("confirm_echo_paid", confirm.clone()).await;
    assert!(foreign.is_refused(), "{}", foreign.0);
    let mut invented = payment.id.clone().into_bytes();
    let last = invented.len() - 3;
    invented[last] = if invented[last] == b'a' { b'b' } else { b'a' };
    let invented = json!({ "payment_id": String::from_utf8(invented).unwrap() });
    let unknown = bob.call("confirm_echo_paid", invented).await;
    assert_eq!(
        foreign.text(),
        unknown.text(),
        "foreign and unknown ids get the same answer"
    );
    assert_eq!(Books::of(&home).runs(&payment.id), 0);
    assert_eq!(
        alice.call("confirm_echo_paid", confirm).await.text(),
        "for alice"
    );
}

#[tokio::test]
async fn a_declined_payment_is_told_and_nothing_runs() {
    let home = Home::new().plugin("echo").mode("two_step");
    let client = home.stdio(Era::Legacy).await;
    let payment = client
        .call("echo_paid", json!({ "text": "x" }))
        .await
        .payment();
    decline(&payment.url).await;
    let refused = client
        .call("confirm_echo_paid", json!({ "payment_id": payment.id }))
        .await;
    assert!(
        refused.is_refused() && refused.text().contains("declined"),
        "{}",
        refused.0
    );
    assert_eq!(Books::of(&home).runs(&payment.id), 0);
}

#[tokio::test]
async fn the_page_never_shows_what_redeems() {
    let home = Home::new().plugin("echo").mode("two_step");
    let client = home.stdio(Era::Legacy).await;
    let payment = client
        .call("echo_paid", json!({ "text": "x" }))
        .await
        .payment();
    let page = page(&payment.url).await;
    assert_eq!(page.status, 200);
    assert!(!page.text().contains(&payment.id) && !page.head.contains(&payment.id));
    for shown in ["echo_paid", "0.01", "USD", "TEST"] {
        assert!(
            page.text().contains(shown),
            "the page lacks {shown}:\n{}",
            page.text()
        );
    }
}

#[tokio::test]
async fn wrong_arguments_are_told_before_any_payment() {
    let home = Home::new().plugin("echo").mode("two_step");
    let client = home.stdio(Era::Modern).await;
    let refused = client.call("echo_paid", json!({ "text": 5 })).await;
    assert!(
        refused.is_error() && refused.text().contains("text"),
        "{}",
        refused.0
    );
    assert_eq!(Books::of(&home).calls(), 0);
    let unknown = client.call("ecco", json!({})).await;
    assert_eq!(unknown.error_code(), Some(-32602), "{}", unknown.0);
    assert_eq!(unknown.0["error"]["data"]["requested_tool"], "ecco");
}
