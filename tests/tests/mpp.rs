//! The Machine Payments Protocol with clients nobody here wrote, against the real host on stdio: pympp and mppx pay a tool
//! by a signed transfer, which published facilitators settle on a chain.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::State;
use axum::routing::post;
use coinop_tests::answer::Answer;
use coinop_tests::chain::{Chain, Fault, Kind, PRICE, check_taken};
use coinop_tests::era::Era;
use coinop_tests::home::Home;
use coinop_tests::mpp::{TOOL, arguments, call, home, mppx, pympp, served, wallet};
use serde_json::{Value, json};
use tokio::process::Command;

const PAYEE: &str = "0x209693Bc6afc0C5328bA36FaF03C514EF312287C";

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

/// A client pays, and what it paid with is presented again: the price moves once.
async fn pays_by_transfer(client: Command, kind: Kind, fault: Option<Fault>) {
    let chain = Chain::start().await;
    let facilitator = chain.facilitator(kind).await;
    let (payer, payee) = (wallet().address(), PAYEE.parse().unwrap());
    chain.mint(&payer, 3 * PRICE).await;
    if let Some(fault) = fault {
        facilitator.fault(fault).await;
    }
    let rpc = format!("rpc = \"{}\"\n", chain.rpc_url());
    let home = by_transfer(&facilitator.url(), &rpc);
    let said = call(client, &home, json!({ "method": "evm" })).await;
    assert_eq!(said["text"], "worth a cent", "{said}");
    assert_eq!(said["is_error"], false);
    let receipt = &said["receipt"];
    assert_eq!(
        (&receipt["method"], &receipt["status"]),
        (&json!("evm"), &json!("success")),
        "{said}"
    );
    assert!(receipt["challengeId"].is_string() && receipt["timestamp"].is_string());

    let host = home.stdio(Era::Legacy).await;
    let again = json!({
        "name": TOOL, "arguments": arguments(),
        "_meta": { "org.paymentauth/credential": said["credential"] },
    });
    let answer = Answer(host.request("tools/call", again).await);
    assert_eq!(answer.text(), "worth a cent", "{}", answer.0);
    let told = &answer.result()["_meta"]["org.paymentauth/receipt"];
    assert_eq!(told["reference"], receipt["reference"]);

    let transaction = receipt["reference"].as_str().expect("a hash");
    let moved = chain.moved_by(transaction, &payer, &payee).await;
    assert_eq!(moved, [PRICE], "{said}");
    assert_eq!(chain.transfers(&payer, &payee).await, 1);
    assert_eq!(chain.balance(&payer).await, 2 * PRICE);
    assert_eq!(chain.balance(&payee).await, PRICE);
    check_taken(&home, &payer.to_string()).await;
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
