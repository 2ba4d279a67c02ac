//! A facilitator on loopback that settles whatever it is given, once, and remembers it: what the wallets of the table
//! have signed. It looks at no signature: the host does.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use super::wallets::CHAIN;

/// What was settled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Settled {
    /// Who paid, in lower case.
    pub(super) payer: String,
    /// How much, in the token's base units.
    pub(super) value: String,
    /// The transaction it was told to be.
    pub(super) transaction: String,
}

type Settlements = Arc<Mutex<Vec<Settled>>>;

/// Serves until it is dropped.
pub(super) struct Facilitator {
    pub(super) url: String,
    settlements: Settlements,
    serving: JoinHandle<()>,
}

impl Facilitator {
    pub(super) async fn start() -> Self {
        let settlements = Settlements::default();
        let router = Router::new()
            .route("/supported", get(supported))
            .route("/verify", post(verify))
            .route("/settle", post(settle))
            .with_state(settlements.clone());
        let listener = TcpListener::bind("127.0.0.1:0")
            .await
            .expect("a port is free");
        let url = format!("http://{}", listener.local_addr().expect("it is bound"));
        let serving = tokio::spawn(async move {
            axum::serve(listener, router).await.expect("it serves");
        });
        Self {
            url,
            settlements,
            serving,
        }
    }

    /// What this payer paid.
    pub(super) fn of(&self, payer: &str) -> Vec<Settled> {
        let payer = payer.to_lowercase();
        let settlements = self.settlements.lock().expect("no panic holds it");
        settlements
            .iter()
            .filter(|it| it.payer == payer)
            .cloned()
            .collect()
    }
}

impl Drop for Facilitator {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn supported() -> Response {
    json_of(&json!({
        "kinds": [{ "x402Version": 2, "scheme": "exact", "network": CHAIN }],
        "extensions": [],
        "signers": {},
    }))
}

async fn verify() -> Response {
    json_of(&json!({ "isValid": true }))
}

async fn settle(State(settlements): State<Settlements>, body: String) -> Response {
    let asked: Value = serde_json::from_str(&body).unwrap_or_default();
    let signed = &asked["paymentPayload"]["payload"]["authorization"];
    let text = |key: &str| signed[key].as_str().unwrap_or_default().to_owned();
    let settled = Settled {
        payer: text("from").to_lowercase(),
        value: text("value"),
        // A nonce is as long as a hash, and as different from any other.
        transaction: text("nonce"),
    };
    let answer = json!({
        "success": true,
        "transaction": settled.transaction,
        "network": CHAIN,
        "payer": text("from"),
    });
    settlements.lock().expect("no panic holds it").push(settled);
    json_of(&answer)
}

fn json_of(value: &Value) -> Response {
    ([(CONTENT_TYPE, "application/json")], value.to_string()).into_response()
}
