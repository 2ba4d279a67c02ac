//! What a caller over HTTP sees of caps and of credit: in the text that models read and in the object for programs.

use coinop_tests::answer::Answer;
use coinop_tests::client::Client;
use coinop_tests::era::Era;
use coinop_tests::home::Home;
use coinop_tests::host::HttpHost;
use coinop_tests::pay::{decline, page, pay};
use serde_json::{Value, json};

const KEY: &str = "key-of-alice-0123456789";

struct Shop {
    _home: Home,
    _host: HttpHost,
    alice: Client,
}

impl Shop {
    /// A host whose one caller has an API key, with `config` beside it.
    async fn open(config: &str) -> Self {
        let key = "[http.keys.alice]\nkey = { env = \"ALICE\" }\n";
        let mut home = Home::new()
            .plugin("echo")
            .plugin("misbehave")
            .mode("two_step")
            .config(&format!("{config}{key}"));
        home.env("ALICE", KEY);
        let host = home.http().await;
        let alice = host.client_with_key(Era::Modern, KEY).await;
        Self {
            _home: home,
            _host: host,
            alice,
        }
    }

    async fn echo(&self, text: &str) -> Answer {
        self.alice.call("echo_paid", json!({ "text": text })).await
    }

    async fn confirm(&self, tool: &str, answer: &Answer) -> Answer {
        let id = answer.payment().id;
        let confirm = format!("confirm_{tool}");
        self.alice.call(&confirm, json!({ "payment_id": id })).await
    }
}

fn refusal(answer: &Answer) -> &Value {
    assert!(answer.is_refused(), "{}", answer.0);
    &answer.result()["_meta"]["coinop/refusal"]
}

fn says(answer: &Answer, parts: &[&str]) {
    let text = answer.text();
    for part in parts {
        assert!(text.contains(part), "lacks {part:?}: {text}");
    }
}

#[tokio::test]
async fn links_within_a_minute_are_capped() {
    let shop = Shop::open("[callers]\nlinks_per_minute = 2\n").await;
    let first = shop.echo("a").await.payment();
    shop.echo("b").await.payment();
    let refused = shop.echo("c").await;
    let object = refusal(&refused);
    assert_eq!(
        (&object["kind"], &object["limit"], &object["max"]),
        (&json!("limit"), &json!("links_per_minute"), &json!(2))
    );
    let frees_at = object["frees_at"].as_str().unwrap();
    says(
        &refused,
        &[
            "Limit reached (links_per_minute): 2 payments of this caller",
            "Nothing was charged",
            &format!("Try again after {frees_at}"),
        ],
    );
    assert_eq!(shop.echo("a").await.payment().id, first.id);
    pay(&first.url).await;
    assert_eq!(shop.echo("a").await.text(), "a");
}

#[tokio::test]
async fn a_call_that_costs_too_much_is_refused_and_others_are_not() {
    let shop = Shop::open(
        "[callers]\nper_call = \"0.01 USD\"\n[plugins.echo.tools.slow_paid]\nprice = \"0.02 USD\"\n",
    )
    .await;
    let refused = shop.alice.call("slow_paid", json!({ "ms": 0 })).await;
    assert_eq!(
        refusal(&refused),
        &json!({ "kind": "limit", "limit": "per_call", "scope": "caller", "amount": "0.02",
                 "max_amount": "0.01", "currency": "USD", "frees_at": null })
    );
    says(
        &refused,
        &[
            "this call costs 0.02 USD, and one call may cost 0.01 USD at most",
            "Waiting does not change that",
        ],
    );
    shop.echo("a").await.payment();
}

#[tokio::test]
async fn a_days_spending_is_capped_until_something_ends_unpaid() {
    let shop = Shop::open("[callers]\nper_day = [\"0.02 USD\", \"1 EUR\"]\n").await;
    let delivered = shop.echo("a").await;
    pay(&delivered.payment().url).await;
    assert_eq!(shop.confirm("echo_paid", &delivered).await.text(), "a");
    let open = shop.echo("b").await;
    let refused = shop.echo("c").await;
    let object = refusal(&refused);
    assert_eq!(
        (
            &object["limit"],
            &object["spent_amount"],
            &object["max_amount"]
        ),
        (&json!("per_day"), &json!("0.02"), &json!("0.02"))
    );
    let midnight = object["frees_at"].as_str().unwrap();
    assert!(midnight.ends_with("T00:00:00Z"), "{midnight}");
    says(
        &refused,
        &["0.02 of 0.02 USD a day (UTC)", "Try again after", midnight],
    );
    decline(&open.payment().url).await;
    shop.confirm("echo_paid", &open).await;
    shop.echo("c").await.payment();
}

#[tokio::test]
async fn what_failed_is_credited_and_spent_first() {
    let shop = Shop::open(
        "on_failure = \"credit\"\n[plugins.misbehave.tools.trap]\nprice = \"0.02 USD\"\n\
         [plugins.echo.tools.slow_paid]\nprice = \"0.05 USD\"\n",
    )
    .await;
    let asked = shop.alice.call("trap", json!({})).await;
    let text = page(&asked.payment().url).await.text();
    assert!(
        text.contains("becomes a balance that the next calls are paid from"),
        "{text}"
    );
    pay(&asked.payment().url).await;
    let failed = shop.confirm("trap", &asked).await;
    assert_eq!(
        refusal(&failed),
        &json!({ "kind": "credited", "amount": "0.02", "currency": "USD" })
    );
    says(&failed, &["0.02 USD was credited to your balance"]);
    let text = page(&asked.payment().url).await.text();
    assert!(text.contains("<h1>Credited</h1>"), "{text}");

    let covered = shop.echo("paid from the balance").await;
    assert_eq!(covered.text(), "paid from the balance");
    assert!(covered.asked().is_none() && !covered.is_error());

    let rest = shop.alice.call("slow_paid", json!({ "ms": 0 })).await;
    let object = &rest.result()["structuredContent"];
    assert_eq!(
        (&object["amount"], &object["price"], &object["from_balance"]),
        (&json!("0.04"), &json!("0.05"), &json!("0.01"))
    );
    says(
        &rest,
        &[
            "Payment required: 0.04 USD for slow_paid",
            "0.01 of 0.05 USD comes from your balance.",
        ],
    );
    let text = page(&rest.payment().url).await.text();
    assert!(
        text.contains("Pay 0.04 USD</button>")
            && text.contains("0.05 USD, 0.01 USD of it from the balance"),
        "{text}"
    );
    pay(&rest.payment().url).await;
    let delivered = shop.confirm("slow_paid", &rest).await;
    assert!(!delivered.is_error() && delivered.asked().is_none());
    assert_eq!(
        shop.echo("again").await.result()["structuredContent"]["amount"],
        "0.01"
    );
}
