//! The Machine Payments Protocol with clients nobody here wrote, against the real host on stdio: pympp and mppx pay a tool
//! by a signed transfer, which published facilitators settle on a chain.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::State;
use axum::routing::post;
use coinop::provider::x402::evm::Address;
use coinop_tests::answer::Answer;
use coinop_tests::chain::{Chain, Facilitator, Fault, Kind, PRICE, check_taken, story};
use coinop_tests::era::Era;
use coinop_tests::home::Home;
use coinop_tests::mpp::{TOOL, arguments, call, home, mppx, pympp, served, wallet};
use coinop_tests::wait::until;
use serde_json::{Value, json};
use tokio::process::Command;

const PAYEE: &str = "0x209693Bc6afc0C5328bA36FaF03C514EF312287C";
/// How much later a host starts, milliseconds: what was left undone is due then.
const LATER_MS: &str = "180000";

/// A pretended facilitator, and what it was asked.
#[derive(Default)]
struct World {
    asked: Mutex<Vec<(String, Value)>>,
    /// What `/settle` answers instead of success.
    settles: Mutex<Option<Value>>,
}

impl World {
    async fn serve(self: &Arc<Self>) -> String {
        let app = Router::new()
            .route("/verify", post(verify))
            .route("/settle", post(settle))
            .with_state(Arc::clone(self));
        served(app).await
    }

    fn settlements(&self) -> Vec<Value> {
        let asked = self.asked.lock().unwrap();
        let settled = asked.iter().filter(|(path, _)| path == "settle");
        settled.map(|(_, body)| body.clone()).collect()
    }

    fn note(&self, path: &str, body: &str) {
        let body = serde_json::from_str(body).unwrap();
        self.asked.lock().unwrap().push((path.to_owned(), body));
    }
}

async fn verify(State(world): State<Arc<World>>, body: String) -> String {
    world.note("verify", &body);
    json!({ "isValid": true }).to_string()
}

async fn settle(State(world): State<Arc<World>>, body: String) -> String {
    world.note("settle", &body);
    let success = json!({ "success": true, "transaction": "0xabc", "network": "eip155:84532" });
    let said = world.settles.lock().unwrap().clone();
    said.unwrap_or(success).to_string()
}

fn by_transfer(url: &str, settings: &str) -> Home {
    home(&format!(
        "[accounts.machines.evm]\nnetwork = \"base-sepolia\"\npay_to = \"{PAYEE}\"\nfacilitator = \"{url}\"\n{settings}"
    ))
}

/// A host, and the chain on which it is paid.
struct Shop {
    chain: Chain,
    facilitator: Facilitator,
    home: Home,
    payer: Address,
    payee: Address,
}

impl Shop {
    async fn open(kind: Kind) -> Self {
        let chain = Chain::start().await;
        let facilitator = chain.facilitator(kind).await;
        let payer = wallet().address();
        chain.mint(&payer, 3 * PRICE).await;
        let settings = format!("rpc = \"{}\"\nsettle_timeout_s = 3\n", chain.rpc_url());
        Self {
            home: by_transfer(&facilitator.url(), &settings),
            chain,
            facilitator,
            payer,
            payee: PAYEE.parse().unwrap(),
        }
    }

    async fn moved(&self) -> usize {
        self.chain.transfers(&self.payer, &self.payee).await
    }

    /// What a client paid with is presented again, to a host that a sweeper may have helped: the text and the transaction.
    async fn present(&self, credential: &Value) -> (String, Value) {
        let host = self.home.stdio(Era::Legacy).await;
        let call = json!({
            "name": TOOL, "arguments": arguments(), "_meta": { "org.paymentauth/credential": credential },
        });
        let answer = Answer(host.request("tools/call", call).await);
        let receipt = &answer.result()["_meta"]["org.paymentauth/receipt"];
        (answer.text(), receipt["reference"].clone())
    }

    /// The price moved once, by this transaction, and the ledger has it once.
    async fn check_sold(&self, transaction: &Value) {
        let hash = transaction.as_str().expect("a hash");
        let moved = self.chain.moved_by(hash, &self.payer, &self.payee).await;
        assert_eq!(moved, [PRICE]);
        assert_eq!(self.moved().await, 1);
        assert_eq!(self.chain.balance(&self.payer).await, 2 * PRICE);
        assert_eq!(self.chain.balance(&self.payee).await, PRICE);
        check_taken(&self.home, &self.payer.to_string()).await;
    }
}

/// A client pays, and what it paid with is presented again.
async fn pays_by_transfer(client: Command, kind: Kind, fault: Option<Fault>) {
    let shop = Shop::open(kind).await;
    if let Some(fault) = fault {
        shop.facilitator.fault(fault).await;
    }
    let said = call(client, &shop.home, json!({ "method": "evm" })).await;
    assert_eq!(said["text"], "worth a cent", "{said}");
    assert_eq!(said["is_error"], false);
    let receipt = &said["receipt"];
    assert_eq!(
        (&receipt["method"], &receipt["status"]),
        (&json!("evm"), &json!("success")),
        "{said}"
    );
    assert!(receipt["challengeId"].is_string() && receipt["timestamp"].is_string());
    shop.check_sold(&receipt["reference"]).await;
    let again = shop.present(&said["credential"]).await;
    assert_eq!(
        again,
        ("worth a cent".to_owned(), receipt["reference"].clone())
    );
    shop.check_sold(&receipt["reference"]).await;
}

#[tokio::test]
async fn pympp_pays_by_a_signed_transfer() {
    pays_by_transfer(pympp(), Kind::Ts, None).await;
    pays_by_transfer(pympp(), Kind::Py, None).await;
}

#[tokio::test]
async fn mppx_pays_by_a_signed_transfer() {
    pays_by_transfer(mppx(), Kind::Ts, None).await;
    pays_by_transfer(mppx(), Kind::Py, None).await;
}

/// The facilitator's answer is lost, and the money has moved.
#[tokio::test]
async fn a_lost_answer_costs_nothing() {
    pays_by_transfer(pympp(), Kind::Py, Some(Fault::CutAfter)).await;
    pays_by_transfer(mppx(), Kind::Ts, Some(Fault::BadGatewayAfter)).await;
}

/// The facilitator hangs: the client is told to wait and not to pay again, the sweeper has the payment settled, and what it
/// paid with gives the answer.
async fn waits_for_its_transfer(client: Command) {
    let mut shop = Shop::open(Kind::Ts).await;
    shop.facilitator.fault(Fault::HangBefore).await;
    let said = call(client, &shop.home, json!({ "method": "evm" })).await;
    let text = said["text"].as_str().expect("an answer");
    assert!(
        text != "worth a cent" && said["receipt"].is_null(),
        "{said}"
    );
    assert_eq!(shop.moved().await, 0);
    shop.home.env("COINOP_CLOCK_SHIFT_MS", LATER_MS);
    let _sweeping = shop.home.http().await;
    until("the sweeper to have it settled", async || {
        let story = story(&shop.home, &shop.payer.to_string()).await?;
        (story["state"] == "deliverable").then_some(())
    })
    .await;
    let (text, transaction) = shop.present(&said["credential"]).await;
    assert_eq!(text, "worth a cent");
    shop.check_sold(&transaction).await;
}

#[tokio::test]
async fn a_transfer_that_hangs_is_settled_later() {
    waits_for_its_transfer(pympp()).await;
    waits_for_its_transfer(mppx()).await;
}

/// A facilitator's refusal is not believed, and a client that paid is never asked to pay again.
#[tokio::test]
async fn a_settlement_in_doubt_is_no_second_request_for_payment() {
    let world = Arc::new(World::default());
    *world.settles.lock().unwrap() = Some(json!({
        "success": false, "errorReason": "invalid_exact_evm_transaction_failed", "transaction": "", "network": "eip155:84532",
    }));
    let home = by_transfer(&world.serve().await, "");
    let said = call(mppx(), &home, json!({ "method": "evm" })).await;
    assert_ne!(said["text"], "worth a cent", "{said}");
    let settlements = world.settlements();
    let nonce = |body: &Value| body["paymentPayload"]["payload"]["authorization"]["nonce"].clone();
    assert!(!settlements.is_empty());
    assert!(
        settlements
            .iter()
            .all(|body| nonce(body) == nonce(&settlements[0])),
        "it was signed once"
    );
}
