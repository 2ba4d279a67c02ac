//! Paid tools by plain HTTP with x402's own headers, of the real host: crowds, failures, and clients that hang up.

use coinop_tests::books::Books;
use coinop_tests::chain::Wallet;
use coinop_tests::credential::{Credential, Rail};
use coinop_tests::facilitator::Facilitator;
use coinop_tests::home::Home;
use coinop_tests::host::HttpHost;
use coinop_tests::http::{Connection, Response};
use coinop_tests::wait::until;
use data_encoding::BASE64;
use futures::future::join_all;
use serde_json::{Value, json};

/// A host whose tools are paid by wallets.
struct Stall {
    home: Home,
    host: HttpHost,
    facilitator: Facilitator,
}

impl Stall {
    async fn open() -> Self {
        let facilitator = Facilitator::start().await;
        let account = Rail::X402.account(&facilitator.url);
        let config = format!("provider = \"till\"\n{account}");
        let mut home = Home::new().plugin("sales").mode("x402").config(&config);
        let trace = home.path("trace");
        home.env("COINOP_FAILPOINT_TRACE", trace.to_str().unwrap());
        let host = home.http().await;
        Self {
            home,
            host,
            facilitator,
        }
    }

    async fn post(&self, tool: &str, headers: &str, arguments: &Value) -> Response {
        let connection = Connection::open(self.host.address).await;
        post(connection.unwrap(), tool, headers, arguments).await
    }

    /// Asks for a call, and signs what the header of the answer requires: the header that pays.
    async fn paid(&self, tool: &str, arguments: &Value, wallet: u8) -> String {
        let asked = self.post(tool, "", arguments).await;
        assert_eq!(asked.status, 402, "{}", asked.text());
        let required = decoded(&asked, "payment-required");
        let Credential { meta, .. } = Rail::X402.sign(&required["accepts"][0], &Wallet::of(wallet));
        let payment = BASE64.encode(meta["x402/payment"].to_string().as_bytes());
        format!("PAYMENT-SIGNATURE: {payment}\r\n")
    }

    fn runs(&self) -> usize {
        let trace = std::fs::read_to_string(self.home.path("trace")).unwrap_or_default();
        let runs = trace.lines().filter(|line| line.contains(" before-run "));
        runs.count()
    }
}

async fn post(mut by: Connection, tool: &str, headers: &str, arguments: &Value) -> Response {
    let (path, body) = (format!("/tools/{tool}"), arguments.to_string());
    let headers = format!("Content-Type: application/json\r\n{headers}");
    let answer = by.send("POST", &path, &headers, body.as_bytes());
    answer.await.unwrap()
}

/// A header of x402: JSON in base64.
fn decoded(response: &Response, header: &str) -> Value {
    let text = response.header(header);
    let text = text.unwrap_or_else(|| panic!("no {header}: {}", response.head));
    serde_json::from_slice(&BASE64.decode(text.as_bytes()).unwrap()).unwrap()
}

#[tokio::test]
async fn eight_posts_of_one_payment_are_one_run() {
    let stall = Stall::open().await;
    let arguments = json!({ "ms": 200 });
    let payment = stall.paid("send", &arguments, 1).await;
    let answers = join_all((0..8).map(async |_| {
        until("the outcome", async || {
            let answer = stall.post("send", &payment, &arguments).await;
            // It is running, by another's request.
            (answer.status != 202).then_some(answer)
        })
        .await
    }));
    let answers = answers.await;
    for answer in &answers {
        assert_eq!(answer.status, 200, "{}", answer.text());
        assert_eq!(answer.text(), answers[0].text());
        assert_eq!(decoded(answer, "payment-response")["success"], true);
    }
    assert_eq!(stall.runs(), 1);
    assert_eq!(stall.facilitator.settled().len(), 1);
}

#[tokio::test]
async fn who_hangs_up_during_the_run_finds_its_outcome() {
    let stall = Stall::open().await;
    let arguments = json!({ "ms": 1_000 });
    let payment = stall.paid("send", &arguments, 1).await;
    let connection = Connection::open(stall.host.address).await.unwrap();
    let answer = post(connection, "send", &payment, &arguments);
    let running = until("the run", async || (stall.runs() > 0).then_some(()));
    tokio::select! {
        answer = answer => panic!("answered before it ran: {}", answer.text()),
        () = running => {}
    }
    // Both are dropped, the connection with its request.
    let found = until("the outcome", async || {
        let answer = stall.post("send", &payment, &arguments).await;
        (answer.status != 202).then_some(answer)
    })
    .await;
    assert_eq!(found.status, 200, "{}", found.text());
    assert_eq!(stall.runs(), 1);
    assert_eq!(stall.facilitator.settled().len(), 1);
    assert_eq!(Books::of(&stall.home).states(), ["deliverable"]);
}

#[tokio::test]
async fn a_run_that_fails_takes_nothing_and_is_not_asked_for_again() {
    let stall = Stall::open().await;
    for (wallet, tool) in [(1, "fail"), (2, "trap")] {
        let payment = stall.paid(tool, &json!({}), wallet).await;
        for _ in 0..2 {
            let answer = stall.post(tool, &payment, &json!({})).await;
            assert_eq!(answer.status, 502, "{tool}: {}", answer.text());
            assert!(answer.header("payment-required").is_none());
        }
    }
    assert_eq!(stall.runs(), 2);
    assert!(stall.facilitator.settled().is_empty());
    let books = Books::of(&stall.home);
    assert_eq!(books.states(), ["withheld", "withheld"]);
    assert_eq!(books.imbalances(), 0);
}
