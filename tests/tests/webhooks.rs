//! The sandbox tells of payments by webhook, as a real provider does: over HTTP, signed, to whoever has the door.

use std::net::SocketAddr;
use std::sync::Arc;

use coinop::clock::{Clock, SystemClock};
use coinop::ledger::sqlite::SqliteLedger;
use coinop::ledger::{CallKey, Ledger, Record};
use coinop::provider::sandbox::desk::{Desk, WEBHOOK_SECRET};
use coinop::provider::sandbox::{Flow, Sandbox, Settings, signature};
use coinop::provider::{Decision, PaymentRef, Provider};
use coinop_tests::books::Books;
use coinop_tests::client::Client;
use coinop_tests::era::Era;
use coinop_tests::home::Home;
use coinop_tests::host::HttpHost;
use coinop_tests::http::Connection;
use coinop_tests::pay::pay_by_command;
use coinop_tests::wait::until;
use futures::future::join_all;
use serde_json::json;

/// When polling would look at a new payment for the first time, milliseconds: what is known before was told.
const FIRST_POLL_MS: i64 = 15_000;

/// The ledger's file and the sandbox's books in it, opened beside the hosts.
struct Bank {
    ledger: Arc<SqliteLedger>,
    sandbox: Sandbox,
}

impl Bank {
    fn of(home: &Home) -> Self {
        let ledger = SqliteLedger::open(&home.ledger(), SystemClock.now()).unwrap();
        let ledger = Arc::new(ledger);
        let desk = Arc::new(Desk::new(ledger.clone(), Arc::new(SystemClock)));
        let sandbox = Sandbox::new(Flow::Pay, Settings::default(), ledger.clone());
        Self {
            ledger,
            sandbox: sandbox.sending("sandbox", desk),
        }
    }

    async fn record(&self, payment: &str) -> Record {
        let key = CallKey::Payment(payment.parse().unwrap());
        self.ledger.find(key).await.unwrap().unwrap()
    }

    async fn reference(&self, payment: &str) -> String {
        self.record(payment).await.call.payment.reference.unwrap()
    }

    /// Pays at the provider: the ledger hears nothing of it but by webhook.
    async fn pay(&self, payment: &str) {
        let call = self.record(payment).await.call;
        let at_provider = PaymentRef {
            price: call.due(),
            reference: call.payment.reference.unwrap(),
            key: call.payment.id,
            credential: None,
        };
        let decided = self.sandbox.decide(&at_provider, Decision::Pay);
        decided.await.unwrap();
    }

    async fn until_ready(&self, payment: &str) -> Record {
        until("the call to be ready", async || {
            let record = self.record(payment).await;
            (record.call.state.name() == "ready").then_some(record)
        })
        .await
    }

    /// Waits until every webhook was sent, and says how many were dealt with.
    async fn webhooks_sent(&self, home: &Home) -> u64 {
        let books = Books::of(home);
        until("the outbox to be empty", async || {
            (books.webhooks_waiting() == 0).then_some(())
        })
        .await;
        books.webhooks()
    }

    async fn secret(&self) -> Vec<u8> {
        let secrets = self
            .ledger
            .secrets(WEBHOOK_SECRET.into(), SystemClock.now());
        secrets.await.unwrap().remove(0)
    }
}

async fn quoted(client: &Client, text: &str) -> String {
    let answer = client.call("echo_paid", json!({ "text": text })).await;
    answer.payment().id
}

/// Posts a webhook about `reference`, signed now with `secret`; returns the status.
async fn post(to: SocketAddr, account: &str, event: &str, reference: &str, secret: &[u8]) -> u16 {
    let body = json!({"id": event, "type": "payment.paid", "reference": reference}).to_string();
    let now = SystemClock.now() / 1_000;
    let header = signature::sign(&[secret.to_vec()], now, body.as_bytes());
    let header = format!("Coinop-Signature: {header}\r\n");
    let path = format!("/webhooks/{account}");
    let mut connection = Connection::open(to).await.unwrap();
    let sent = connection.send("POST", &path, &header, body.as_bytes());
    sent.await.unwrap().status
}

async fn counted(host: &HttpHost, result: &str) -> u64 {
    let text = host.get("/metrics").await.text();
    let line = format!("coinop_webhooks_total{{result=\"{result}\"}} ");
    let count = text.lines().find_map(|found| found.strip_prefix(&line));
    count
        .unwrap_or_else(|| panic!("{line}: {text}"))
        .parse()
        .unwrap()
}

async fn told_before_any_poll(home: &Home, client: &Client) {
    let id = quoted(client, "told").await;
    let bank = Bank::of(home);
    assert_eq!(bank.record(&id).await.call.state.name(), "awaiting");
    bank.pay(&id).await;
    let ready = bank.until_ready(&id).await;
    let took_ms = ready.updated_at - ready.call.created_at;
    assert!(
        took_ms < FIRST_POLL_MS,
        "after {took_ms} ms it may have been polled"
    );
    assert_eq!(bank.webhooks_sent(home).await, 1);
    assert_eq!(Books::of(home).runs(&id), 0, "a webhook runs nothing");
    let confirm = json!({ "payment_id": id });
    let delivered = client.call("confirm_echo_paid", confirm).await;
    assert_eq!(delivered.text(), "told");
}

#[tokio::test]
async fn the_webhook_alone_tells_a_host_on_http() {
    let home = Home::new().plugin("echo").mode("two_step");
    let host = home.http().await;
    told_before_any_poll(&home, &host.client(Era::Modern).await).await;
    assert_eq!(counted(&host, "looked").await, 1);
}

#[tokio::test]
async fn the_webhook_alone_tells_a_host_on_stdio_through_its_pages_door() {
    let home = Home::new().plugin("echo").mode("two_step");
    let client = home.stdio(Era::Legacy).await;
    told_before_any_poll(&home, &client).await;
}

#[tokio::test]
async fn a_payment_by_the_command_is_told_by_a_host_that_runs() {
    let home = Home::new().plugin("echo").mode("two_step");
    let host = home.http().await;
    let client = host.client(Era::Modern).await;
    let id = quoted(&client, "x").await;
    pay_by_command(&home, &id).await;
    let bank = Bank::of(&home);
    assert_eq!(bank.webhooks_sent(&home).await, 1);
    assert_eq!(bank.record(&id).await.call.state.name(), "ready");
}

#[tokio::test]
async fn hosts_that_share_the_outbox_take_turns() {
    let home = Home::new().plugin("echo").mode("two_step");
    let hosts = [home.http().await, home.http().await];
    let client = hosts[0].client(Era::Modern).await;
    let bank = Bank::of(&home);
    let texts: Vec<String> = (0..24).map(|number| number.to_string()).collect();
    let ids = join_all(texts.iter().map(|text| quoted(&client, text))).await;
    join_all(ids.iter().map(|id| bank.pay(id))).await;
    for id in &ids {
        bank.until_ready(id).await;
    }
    assert_eq!(bank.webhooks_sent(&home).await, 24);
    let looked = counted(&hosts[0], "looked").await + counted(&hosts[1], "looked").await;
    assert_eq!(looked, 24, "none came twice");
}

#[tokio::test]
async fn a_forged_webhook_is_refused_and_a_repeated_one_changes_nothing() {
    let home = Home::new().plugin("echo").mode("two_step");
    let host = home.http().await;
    let client = host.client(Era::Legacy).await;
    let id = quoted(&client, "x").await;
    let bank = Bank::of(&home);
    let reference = bank.reference(&id).await;
    let secret = bank.secret().await;
    let send = async |account, event, secret: &[u8]| {
        post(host.address, account, event, &reference, secret).await
    };
    assert_eq!(send("sandbox", "evt_f", b"guessed").await, 400);
    assert_eq!(send("nobody", "evt_f", &secret).await, 404);
    assert_eq!(host.get("/webhooks/sandbox").await.status, 405);
    assert_eq!(counted(&host, "refused").await, 1);
    assert_eq!(Books::of(&home).webhooks(), 0);
    // A genuine one is no proof either: nobody has paid.
    for _ in 0..2 {
        assert_eq!(send("sandbox", "evt_g", &secret).await, 200);
    }
    let results = ["looked", "seen_before"].map(|result| counted(&host, result));
    assert_eq!(join_all(results).await, [1, 1]);
    assert_eq!(bank.record(&id).await.call.state.name(), "awaiting");
    assert!(!host.log.text().contains("evt_f"), "{}", host.log.text());
}

#[tokio::test]
async fn a_secret_is_replaced_while_hosts_run() {
    let home = Home::new().plugin("echo").mode("two_step");
    let host = home.http().await;
    let client = host.client(Era::Modern).await;
    let bank = Bank::of(&home);
    let first = bank.secret().await;
    let rotate = async || {
        let mut command = home.coinop(&["payments", "rotate-webhook-secret", "--state"]);
        let output = command.arg(home.ledger()).output().await.unwrap();
        assert!(output.status.success(), "{output:?}");
    };
    rotate().await;
    assert_ne!(bank.secret().await, first);
    let send = async |event: &str, secret: &[u8]| {
        post(host.address, "sandbox", event, "sbx_theirs", secret).await
    };
    until("the new secret to count", async || {
        (send("evt_1", &bank.secret().await).await == 200).then_some(())
    })
    .await;
    assert_eq!(
        send("evt_2", &first).await,
        200,
        "the one before is still good"
    );
    rotate().await;
    until("the first secret to end", async || {
        (send("evt_3", &first).await == 400).then_some(())
    })
    .await;
    let id = quoted(&client, "x").await;
    bank.pay(&id).await;
    bank.until_ready(&id).await;
}

#[cfg(debug_assertions)]
#[tokio::test]
async fn a_host_that_dies_before_it_notes_a_webhook_is_told_again() {
    let mut home = Home::new().plugin("echo").mode("two_step");
    home.env("COINOP_FAILPOINT", "before-webhook-note");
    let mut host = home.http().await;
    let id = quoted(&host.client(Era::Modern).await, "x").await;
    let bank = Bank::of(&home);
    bank.pay(&id).await;
    assert!(!host.ended().await.success());
    assert_eq!(Books::of(&home).webhooks(), 0);
    assert_eq!(bank.record(&id).await.call.state.name(), "ready");
    home.clear_env();
    let heir = home.http().await;
    assert_eq!(bank.webhooks_sent(&home).await, 1);
    assert_eq!(counted(&heir, "looked").await, 1);
    let client = heir.client(Era::Legacy).await;
    let confirm = json!({ "payment_id": id });
    // An anonymous caller's payment is redeemed by whoever has its id.
    assert_eq!(client.call("confirm_echo_paid", confirm).await.text(), "x");
    assert_eq!(Books::of(&home).runs(&id), 1);
}
