//! The Machine Payments Protocol with clients nobody here wrote, against the real host on stdio: pympp and mppx pay a tool
//! by a signed transfer.
//!
//! The facilitator is pretended; the signature is checked by the host itself.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::State;
use axum::routing::post;
use coinop_tests::home::Home;
use coinop_tests::mpp::{call, home, mppx, pympp, served};
use serde_json::{Value, json};
use tokio::process::Command;

const PAYEE: &str = "0x209693Bc6afc0C5328bA36FaF03C514EF312287C";

/// Whom the host asks, and what it asked.
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

fn by_transfer(url: &str) -> Home {
    home(&format!(
        "[accounts.machines.evm]\nnetwork = \"base-sepolia\"\npay_to = \"{PAYEE}\"\nfacilitator = \"{url}\"\n"
    ))
}

async fn pays_by_transfer(client: Command) {
    let world = Arc::new(World::default());
    let home = by_transfer(&world.serve().await);
    let said = call(client, &home, json!({ "method": "evm" })).await;
    assert_eq!(said["text"], "worth a cent", "{said}");
    assert_eq!(said["is_error"], false);
    let receipt = &said["receipt"];
    assert_eq!(
        (
            &receipt["method"],
            &receipt["reference"],
            &receipt["status"]
        ),
        (&json!("evm"), &json!("0xabc"), &json!("success")),
        "{said}"
    );
    assert!(receipt["challengeId"].is_string() && receipt["timestamp"].is_string());
    let settlements = world.settlements();
    assert_eq!(settlements.len(), 1);
    let authorization = &settlements[0]["paymentPayload"]["payload"]["authorization"];
    assert_eq!(
        (&authorization["to"], &authorization["value"]),
        (&json!(PAYEE), &json!("10000"))
    );
    assert_eq!(settlements[0]["paymentRequirements"]["amount"], "10000");
}

#[tokio::test]
async fn pympp_pays_by_a_signed_transfer() {
    pays_by_transfer(pympp()).await;
}

#[tokio::test]
async fn mppx_pays_by_a_signed_transfer() {
    pays_by_transfer(mppx()).await;
}

/// A facilitator's refusal is not believed, and a client that paid is never asked to pay again.
#[tokio::test]
async fn a_settlement_in_doubt_is_no_second_request_for_payment() {
    let world = Arc::new(World::default());
    *world.settles.lock().unwrap() = Some(json!({
        "success": false, "errorReason": "invalid_exact_evm_transaction_failed", "transaction": "", "network": "eip155:84532",
    }));
    let home = by_transfer(&world.serve().await);
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
