//! What users of two published clients see: every scenario, in both languages and eras, on both transports.

use coinop_tests::books::Books;
use coinop_tests::era::Era;
use coinop_tests::home::Home;
use coinop_tests::host::HttpHost;
use coinop_tests::pay::{pay, pay_by_command};
use coinop_tests::script::{Language, Script, Target};
use serde_json::json;

/// How the client reaches the host.
#[derive(Clone, Copy)]
enum Transport {
    Stdio,
    Http,
}

/// A client with its host.
struct Side {
    client: Script,
    /// On stdio the client owns the host.
    host: Option<HttpHost>,
}

impl Side {
    async fn start(language: Language, era: Era, transport: Transport, home: &Home) -> Self {
        match transport {
            Transport::Stdio => Self {
                client: Script::on_stdio(language, era, home).await,
                host: None,
            },
            Transport::Http => {
                let host = home.http().await;
                Self {
                    client: Script::start(language, era, Target::Http(&host)).await,
                    host: Some(host),
                }
            }
        }
    }

    async fn end(self) {
        self.client.quit().await;
        if let Some(host) = self.host {
            host.kill().await;
        }
    }
}

/// A free call, progress, a cancellation, a paid call, a reload: all with one connection.
async fn two_step(language: Language, era: Era, transport: Transport) {
    let home = Home::new().plugin("echo").mode("two_step");
    let mut side = Side::start(language, era, transport, &home).await;
    let client = &mut side.client;

    let tools = client.tools().await;
    let mut sorted = tools.clone();
    sorted.sort();
    assert_eq!(tools, sorted, "the order is stable");
    assert!(
        tools.contains(&"echo".to_owned()) && tools.contains(&"confirm_echo_paid".to_owned()),
        "{tools:?}"
    );
    assert_eq!(
        client.call("echo", json!({ "text": "héllo" })).await.text(),
        "héllo"
    );

    hears_progress(client).await;
    client.cancel("slow", json!({ "ms": 20_000 })).await;

    let text = json!({ "text": "worth a cent" });
    let asked = client.call("echo_paid", text).await;
    let payment = asked.payment();
    for part in [
        payment.id.as_str(),
        &payment.url,
        "0.01 USD",
        "confirm_echo_paid",
    ] {
        assert!(
            asked.text().contains(part),
            "the text lacks {part}: {}",
            asked.text()
        );
    }
    let confirm = json!({ "payment_id": payment.id });
    assert_eq!(
        client
            .call("confirm_echo_paid", confirm.clone())
            .await
            .payment()
            .status,
        "pending"
    );
    pay(&payment.url).await;
    let paid = client.call("confirm_echo_paid", confirm.clone()).await;
    assert_eq!(paid.text(), "worth a cent", "{}", paid.0);
    assert_eq!(
        client.call("confirm_echo_paid", confirm).await.text(),
        "worth a cent"
    );

    assert!(!tools.contains(&"shout".to_owned()));
    home.put_plugin("echo-v2", "echo");
    let tools = client.tools_after_change().await;
    assert!(tools.contains(&"shout".to_owned()), "{tools:?}");
    assert_eq!(
        client.call("shout", json!({ "text": "new" })).await.text(),
        "NEW"
    );
    side.end().await;
}

async fn hears_progress(client: &mut Script) {
    let (answer, progress) = client.call_hearing("slow", json!({ "ms": 1200 })).await;
    assert_eq!(answer.text(), "waited 1200 ms");
    let steps: Vec<f64> = progress
        .iter()
        .filter_map(|word| word["progress"].as_f64())
        .collect();
    assert!(steps.len() > 1, "heard {progress:?}");
    assert!(
        steps.is_sorted_by(|a, b| a < b),
        "progress must grow: {progress:?}"
    );
    assert_eq!(progress[0]["total"].as_f64(), Some(10.0));
}

/// The same tool again with the payment's id; a changed argument is refused and costs nothing.
async fn resubmit(language: Language, era: Era, transport: Transport) {
    let home = Home::new().plugin("echo").mode("resubmit");
    let mut side = Side::start(language, era, transport, &home).await;
    let client = &mut side.client;

    assert!(
        !client
            .tools()
            .await
            .contains(&"confirm_echo_paid".to_owned())
    );
    let payment = client
        .call("echo_paid", json!({ "text": "mine" }))
        .await
        .payment();
    let again = json!({ "text": "mine", "payment_id": payment.id });
    let unpaid = client.call("echo_paid", again.clone()).await.payment();
    assert_eq!(
        (unpaid.status.as_str(), &unpaid.url),
        ("pending", &payment.url)
    );

    pay_by_command(&home, &payment.id).await;
    let changed = json!({ "text": "theirs", "payment_id": payment.id });
    let refused = client.call("echo_paid", changed).await;
    assert!(
        refused.is_refused() && refused.text().contains("text"),
        "{}",
        refused.0
    );
    assert_eq!(client.call("echo_paid", again).await.text(), "mine");
    side.end().await;
}

/// The payment is made while no host runs; another host of the same ledger delivers.
async fn restart(language: Language, era: Era, transport: Transport) {
    let home = Home::new().plugin("echo").mode("two_step");
    let mut side = Side::start(language, era, transport, &home).await;
    side.client.tools().await;
    let payment = side
        .client
        .call("echo_paid", json!({ "text": "kept" }))
        .await
        .payment();
    side.end().await;

    pay_by_command(&home, &payment.id).await;
    let mut side = Side::start(language, era, transport, &home).await;
    side.client.tools().await;
    let paid = side
        .client
        .call("confirm_echo_paid", json!({ "payment_id": payment.id }))
        .await;
    assert_eq!(paid.text(), "kept", "{}", paid.0);
    side.end().await;
}

/// Two clients, each with a host of its own on one ledger: what one was asked to pay, the other is given.
async fn two_hosts(language: Language, era: Era, transport: Transport) {
    let home = Home::new().plugin("echo").mode("two_step");
    let mut one = Side::start(language, era, transport, &home).await;
    let mut other = Side::start(language, era, transport, &home).await;
    one.client.tools().await;
    other.client.tools().await;
    let payment = one
        .client
        .call("echo_paid", json!({ "text": "shared" }))
        .await
        .payment();
    pay(&payment.url).await;
    for side in [&mut other, &mut one] {
        let confirm = json!({ "payment_id": payment.id });
        let paid = side.client.call("confirm_echo_paid", confirm).await;
        assert_eq!(paid.text(), "shared", "{}", paid.0);
    }
    assert_eq!(Books::of(&home).runs(&payment.id), 1);
    one.end().await;
    other.end().await;
}

macro_rules! with_every_client {
    ($($name:ident: $language:ident, $era:ident, $transport:ident;)*) => {
        $(mod $name {
            use super::*;

            #[tokio::test]
            async fn two_step() {
                super::two_step(Language::$language, Era::$era, Transport::$transport).await;
            }

            #[tokio::test]
            async fn resubmit() {
                super::resubmit(Language::$language, Era::$era, Transport::$transport).await;
            }

            #[tokio::test]
            async fn restart() {
                super::restart(Language::$language, Era::$era, Transport::$transport).await;
            }

            #[tokio::test]
            async fn two_hosts() {
                super::two_hosts(Language::$language, Era::$era, Transport::$transport).await;
            }
        })*
    };
}

with_every_client! {
    python_legacy_stdio: Python, Legacy, Stdio;
    python_legacy_http: Python, Legacy, Http;
    python_modern_stdio: Python, Modern, Stdio;
    python_modern_http: Python, Modern, Http;
    node_legacy_stdio: Node, Legacy, Stdio;
    node_legacy_http: Node, Legacy, Http;
    node_modern_stdio: Node, Modern, Stdio;
    node_modern_http: Node, Modern, Http;
}
