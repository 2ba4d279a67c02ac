//! The real host with a provider that is a component: a sale, its webhook, its refund, and what operators are told.

use std::process::Output;

use axum::http::Method;
use coinop::clock::{Clock as _, SystemClock};
use coinop_core::digest::Digest;
use coinop_tests::acme::{self, Acme, Fault};
use coinop_tests::books::Books;
use coinop_tests::era::Era;
use coinop_tests::home::Home;
use coinop_tests::host::HttpHost;
use coinop_tests::http::Connection;
use coinop_tests::paths;
use coinop_tests::wait::{until, within};
use serde_json::json;

/// What the account needs to say, besides its file.
fn rest(acme: &Acme) -> String {
    let url = &acme.url;
    format!(
        "[accounts.shop.settings]\napi = \"{url}\"\nkey = {{ env = \"ACME_KEY\" }}\n\
         webhook_secret = {{ env = \"ACME_WEBHOOK\" }}\n[accounts.shop.grants]\nhttp = [\"{url}\"]\n"
    )
}

/// A home whose tools are paid through the component in `providers/acme.wasm`.
fn home(acme: &Acme) -> Home {
    home_with("", &rest(acme))
}

fn home_with(pinned: &str, rest: &str) -> Home {
    let mut home = Home::new().plugin("sales").mode("two_step");
    std::fs::create_dir(home.path("providers")).unwrap();
    std::fs::copy(paths::guest("acme"), home.path("providers/acme.wasm")).unwrap();
    home.configure(&account(pinned, rest));
    home.env("ACME_KEY", acme::KEY);
    home.env("ACME_WEBHOOK", acme::WEBHOOK_SECRET);
    home
}

fn account(pinned: &str, rest: &str) -> String {
    format!(
        "[accounts.shop]\nkind = \"component\"\ncomponent = \"providers/acme.wasm\"\n{pinned}\n{rest}"
    )
}

/// Tells the host as Acme does; the status.
async fn tell(host: &HttpHost, event: &str, reference: &str) -> u16 {
    let (signed, body) = Acme::webhook(event, reference, SystemClock.now());
    post(host, &signed, &body).await
}

async fn post(host: &HttpHost, signed: &str, body: &[u8]) -> u16 {
    let header = format!("Acme-Signature: {signed}\r\n");
    let mut connection = Connection::open(host.address).await.unwrap();
    let sent = connection.send("POST", "/webhooks/shop", &header, body);
    sent.await.unwrap().status
}

/// How often Acme was asked how a payment stands.
fn looks(acme: &Acme, id: &str) -> usize {
    let asked = format!("GET /v1/payments/{id}");
    acme.requests().iter().filter(|it| **it == asked).count()
}

#[tokio::test]
async fn a_call_is_sold_told_of_and_delivered_through_a_component() {
    let acme = Acme::start().await;
    let home = home(&acme);
    let host = home.http().await;
    let client = host.client(Era::Modern).await;
    let answer = client.call("tell", json!({})).await;
    let asked = answer.payment();
    let made = acme.payment_of(&asked.id).unwrap();
    assert_eq!((made.amount, made.currency.as_str()), (1, "USD"));
    assert_eq!(asked.url, format!("{}/pay/{}", acme.url, made.id));
    assert!(answer.text().contains("TEST"), "{}", answer.text());

    // A forged one is refused, and nobody is asked.
    let before = looks(&acme, &made.id);
    let (signed, mut body) = Acme::webhook("evt_1", &made.id, SystemClock.now());
    body.push(b' ');
    assert_eq!(post(&host, &signed, &body).await, 400);
    assert_eq!(looks(&acme, &made.id), before);

    acme.pay(&made.id, 1);
    assert_eq!(tell(&host, "evt_1", &made.id).await, 200);
    assert_eq!(Books::of(&home).states(), ["ready"]);
    let looked = looks(&acme, &made.id);
    assert_eq!(tell(&host, "evt_1", &made.id).await, 200);
    assert_eq!(looks(&acme, &made.id), looked, "it was told before");

    let confirm = json!({ "payment_id": asked.id });
    let delivered = client.call("confirm_tell", confirm).await;
    assert!(
        !delivered.is_error() && delivered.asked().is_none(),
        "{}",
        delivered.0
    );
    assert_eq!(Books::of(&home).states(), ["deliverable"]);
    assert_eq!(Books::of(&home).imbalances(), 0);
    let log = host.log.text();
    assert!(!log.contains("hunter"), "{log}");
}

#[tokio::test]
async fn what_failed_is_refunded_through_a_component_and_reconciled() {
    let acme = Acme::start().await;
    let home = home(&acme);
    let host = home.http().await;
    let client = host.client(Era::Legacy).await;
    let asked = client.call("fail", json!({})).await.payment();
    let made = acme.payment_of(&asked.id).unwrap();
    acme.pay(&made.id, 1);
    let confirm = json!({ "payment_id": asked.id });
    let failed = client.call("confirm_fail", confirm).await;
    assert!(failed.is_refused(), "{}", failed.0);
    until("the refund", async || {
        (Books::of(&home).states() == ["refunded"]).then_some(())
    })
    .await;
    assert_eq!(acme.books().sent_back(&made.id), 1);
    assert_eq!(acme.books().refunds.len(), 1);
    let reconcile = ["reconcile", "--account", "shop"];
    let told = coinop(&home, &[&reconcile[..], &["--record-fees"]].concat()).await;
    assert!(
        told.contains("0.01 USD received, 0.01 USD refunded"),
        "{told}"
    );
    let told = coinop(&home, &reconcile).await;
    assert!(told.contains("Equal."), "{told}");
}

#[tokio::test]
async fn a_creation_whose_answer_was_lost_is_one_payment() {
    let acme = Acme::start().await;
    let home = home(&acme);
    let client = home.stdio(Era::Modern).await;
    acme.fail(Method::POST, Fault::After);
    client.call("tell", json!({})).await;
    // This machine's user is known: asking again means the same call.
    let asked = until("the payment", async || {
        client.call("tell", json!({})).await.asked()
    })
    .await;
    assert_eq!(acme.books().payments.len(), 1);
    assert_eq!(acme.books().payments[0].reference, asked.id);
}

/// Acme knows the key with the old address, and refuses it with the new one.
#[tokio::test]
async fn a_payment_is_found_when_the_host_moved_while_it_was_asked_for() {
    let acme = Acme::start().await;
    let home = home(&acme).argument("--allow-test-payments");
    let move_to = |url: &str| {
        let account = account("", &rest(&acme));
        home.configure(&format!("public_url = \"{url}\"\n{account}"));
    };
    move_to("https://old.example.com");
    acme.fail(Method::POST, Fault::After);
    let client = home.stdio(Era::Modern).await;
    client.call("tell", json!({})).await;
    drop(client);
    move_to("https://new.example.com");
    let client = home.stdio(Era::Modern).await;
    let asked = client.call("tell", json!({})).await.payment();
    let books = acme.books();
    let [made] = &books.payments[..] else {
        panic!("{:?}", books.payments);
    };
    assert_eq!(made.reference, asked.id);
    let back = made.return_url.as_deref().unwrap();
    assert!(back.starts_with("https://old.example.com/"), "{back}");
}

async fn run(home: &Home, arguments: &[&str]) -> Output {
    let mut command = home.coinop(arguments);
    command.arg("--config").arg(home.path("coinop.toml"));
    command.arg("--state").arg(home.ledger());
    command.arg("--plugins").arg(home.path("plugins"));
    command.output().await.unwrap()
}

/// What `coinop` says, on either stream.
async fn coinop(home: &Home, arguments: &[&str]) -> String {
    let Output { stdout, stderr, .. } = run(home, arguments).await;
    String::from_utf8_lossy(&[stdout, stderr].concat()).into_owned()
}

#[tokio::test]
async fn check_names_the_component_its_digest_and_its_reach() {
    let acme = Acme::start().await;
    let home = home(&acme);
    let told = coinop(&home, &["check"]).await;
    let digest = Digest::of(&std::fs::read(paths::guest("acme")).unwrap());
    for part in [
        "account shop: acme, pretended money, by ",
        "providers/acme.wasm",
        &format!("sha256 = \"{digest}\""),
        &format!("granted: to send requests to {}", acme.url),
    ] {
        assert!(told.contains(part), "{part:?} is not in:\n{told}");
    }
    assert!(!told.contains("hunter"), "{told}");
}

#[tokio::test]
async fn what_keeps_a_component_from_serving_is_told_with_its_remedy() {
    let acme = Acme::start().await;
    let other = Digest::of(b"another file");
    let rest = rest(&acme);
    let no_key = rest.replace("key = { env = \"ACME_KEY\" }", "");
    let gone = "component = \"providers/gone.wasm\"";
    let cases = [
        (
            format!("sha256 = \"{other}\""),
            rest.clone(),
            "is pinned: put the file back",
        ),
        (String::new(), no_key, "key is missing: Acme's secret key"),
        (
            String::new(),
            format!("{rest}\n[trust]\nlocked = true"),
            "add sha256 = ",
        ),
    ];
    for (pinned, rest, part) in cases {
        let home = home_with(&pinned, &rest);
        refused(&home, &["\"shop\"", "acme.wasm", part]).await;
    }
    let home = home(&acme);
    let config = home.path("coinop.toml");
    let text = std::fs::read_to_string(&config).unwrap();
    std::fs::write(
        &config,
        text.replace("component = \"providers/acme.wasm\"", gone),
    )
    .unwrap();
    refused(&home, &["\"shop\"", "gone.wasm", "cannot be read"]).await;
    std::fs::copy(paths::guest("echo"), home.path("providers/gone.wasm")).unwrap();
    let no_provider = "no payment provider: it does not export `coinop:provider/payments@0.1`";
    refused(&home, &["\"shop\"", "gone.wasm", no_provider]).await;
}

/// The host does not start, and says all of this.
async fn refused(home: &Home, parts: &[&str]) {
    let mut host = home.serve(&["--http", "127.0.0.1:0"]);
    let ended = host.kill_on_drop(true).output();
    let output = within("the host's refusal", ended).await.unwrap();
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success(), "{told}");
    for part in parts {
        assert!(told.contains(part), "{part:?} is not in:\n{told}");
    }
}
