//! Instances that stay for their caller's next calls, through the host: whose state a call finds, free or paid.

use coinop_tests::answer::Answer;
use coinop_tests::client::Client;
use coinop_tests::era::Era;
use coinop_tests::home::Home;
use coinop_tests::pay::pay;
use coinop_tests::wait::until;
use serde_json::json;

const WARM: &str = "[plugins.warm]\nwarm = { calls = 4 }\n";
const KEYS: [(&str, &str); 2] = [
    ("ADA", "key-of-ada-0123456789"),
    ("EVE", "key-of-eve-0123456789"),
];

async fn count(client: &Client) -> String {
    client.call("count", json!({})).await.text()
}

#[tokio::test]
async fn the_local_user_finds_its_own_state_until_the_operator_says_otherwise() {
    let home = Home::new().plugin("warm").config(WARM);
    let client = home.stdio(Era::Legacy).await;
    for expected in ["1", "2", "3", "4", "1"] {
        assert_eq!(count(&client).await, expected);
    }
    assert_eq!(client.call("silent", json!({})).await.text(), "1");
    assert!(client.call("trap", json!({})).await.is_error());
    for expected in ["1", "2"] {
        assert_eq!(count(&client).await, expected);
    }
    home.configure("[plugins.warm]\nenabled = true\n");
    until("fresh instances again", async || {
        let counts = (count(&client).await, count(&client).await);
        (counts == ("1".to_owned(), "1".to_owned())).then_some(())
    })
    .await;
}

#[tokio::test]
async fn callers_share_nothing_and_those_without_a_name_not_even_with_themselves() {
    let keys = "[http]\nanonymous = true\n[http.keys.ada]\nkey = { env = \"ADA\" }\n[http.keys.eve]\nkey = { env = \"EVE\" }\n";
    let mut home = Home::new().plugin("warm").config(&format!("{keys}{WARM}"));
    for (name, key) in KEYS {
        home.env(name, key);
    }
    let host = home.http().await;
    let [ada, eve] = KEYS.map(|(_, key)| host.client_with_key(Era::Modern, key));
    let (ada, eve, nobody) = (ada.await, eve.await, host.client(Era::Modern).await);
    for expected in ["1", "2", "3"] {
        assert_eq!(count(&ada).await, expected);
        assert_eq!(count(&eve).await, expected);
        assert_eq!(count(&nobody).await, "1");
    }
}

#[tokio::test]
async fn a_paid_call_is_paid_and_made_good_as_ever() {
    let paid = ["count", "trap"]
        .map(|tool| format!("[plugins.warm.tools.{tool}]\nprice = \"0.50 USD\"\n"));
    let home = Home::new()
        .plugin("warm")
        .mode("two_step")
        .config(&format!("{WARM}{}", paid.concat()));
    let client = home.stdio(Era::Legacy).await;
    let buy = async |tool: &str| -> (Answer, String) {
        let asked = client.call(tool, json!({})).await;
        pay(&asked.payment().url).await;
        let confirm = format!("confirm_{tool}");
        let redeem = json!({ "payment_id": asked.payment().id });
        let answer = client.call(&confirm, redeem.clone()).await;
        let again = client.call(&confirm, redeem).await.text();
        (answer, again)
    };
    for expected in ["1", "2"] {
        let (answer, again) = buy("count").await;
        assert_eq!(answer.text(), expected);
        // Delivered again, not run again.
        assert_eq!(answer.text(), again);
    }
    let (failed, _) = buy("trap").await;
    assert!(
        failed.is_error() && failed.text().contains("0.50 USD"),
        "{}",
        failed.0
    );
    let (answer, _) = buy("count").await;
    assert_eq!(answer.text(), "1");
}
