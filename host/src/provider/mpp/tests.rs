//! The account through its two boundaries, with a pretended Lightning node.

mod binding;
mod evm;
mod lightning;

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use axum::extract::State;
use axum::http::HeaderMap;
use axum::routing::post;
use coinop_core::Millis;
use coinop_core::digest::Digest;
use coinop_core::money::Money;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::challenge::{Heading, Terms, sealed};
use super::method::lightning::bolt11::encoded;
use super::{Mpp, Settings};
use crate::clock::Clock;
use crate::provider::rail::{
    Challenge, Credential, Offer, Protocol, Rail as _, Rejected, Verified,
};

pub(super) const NOW: Millis = 1_795_170_725_000;

/// A clock that stands where it is put.
pub(super) struct Standing(pub(super) Mutex<Millis>);

impl Clock for Standing {
    fn now(&self) -> Millis {
        *self.0.lock().unwrap()
    }
}

/// A node that pays its own invoices.
#[derive(Default)]
pub(super) struct FakeNode {
    pub(super) made: AtomicU32,
    /// What it writes instead of the amount asked for.
    pub(super) amount: Mutex<Option<String>>,
    pub(super) memos: Mutex<Vec<String>>,
}

/// The preimage of a fake node's invoice, by its payment hash.
pub(super) fn preimage_of(payment_hash: &str) -> String {
    let known = (0..1000_u32).map(|n| <[u8; 32]>::from(Sha256::digest(n.to_be_bytes())));
    let hex = data_encoding::HEXLOWER;
    let mut matching =
        known.filter(|preimage| hex.encode(&Sha256::digest(preimage)) == payment_hash);
    hex.encode(&matching.next().unwrap())
}

async fn make(State(node): State<Arc<FakeNode>>, headers: HeaderMap, body: String) -> String {
    let asked: Value = serde_json::from_str(&body).unwrap();
    assert_eq!(headers["x-api-key"], "invoice-key");
    assert_eq!(
        (&asked["out"], &asked["unit"]),
        (&json!(false), &json!("sat"))
    );
    node.memos
        .lock()
        .unwrap()
        .push(asked["memo"].as_str().unwrap().to_owned());
    let preimage = Sha256::digest(node.made.fetch_add(1, Ordering::SeqCst).to_be_bytes());
    let hash: [u8; 32] = Sha256::digest(preimage).into();
    let amount = node.amount.lock().unwrap().clone();
    let amount =
        amount.unwrap_or_else(|| format!("bcrt{}n", asked["amount"].as_u64().unwrap() * 10));
    let expiry_s = asked["expiry"].as_u64().unwrap();
    let invoice = encoded(&amount, &hash, (NOW / 1000) as u64, expiry_s);
    json!({ "payment_hash": "not looked at", "bolt11": invoice }).to_string()
}

/// Serves `app` on a port of this machine until dropped with the runtime.
pub(super) async fn serve(app: axum::Router) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, app).await });
    format!("http://{addr}")
}

/// An account that is paid by Lightning, and its node.
pub(super) async fn by_lightning(more: &str) -> (Mpp, Arc<FakeNode>) {
    let node = Arc::new(FakeNode::default());
    let app = axum::Router::new()
        .route("/api/v1/payments", post(make))
        .with_state(Arc::clone(&node));
    let url = serve(app).await;
    let settings = format!(
        "realm = \"tools.example.com\"\n[lightning]\nnetwork = \"regtest\"\ncurrency = \"USD\"\nsats_per_unit = \"1000\"\n\
         invoices = {{ url = \"{url}/\", key = \"invoice-key\" }}\n{more}"
    );
    (account(&settings).unwrap(), node)
}

pub(super) fn account(settings: &str) -> Result<Mpp, String> {
    let settings: Settings = toml::from_str(settings).map_err(|e| e.message().to_owned())?;
    Mpp::new("machines", settings, Arc::new(Standing(Mutex::new(NOW))))
}

pub(super) fn offer() -> Offer {
    Offer {
        tool: "add".into(),
        description: "Adds numbers.".into(),
        component: Digest::of(b"component"),
        arguments: Digest::of(b"{\"a\":1}"),
        price: Money::parse("0.50", "USD").unwrap(),
        account: "machines".into(),
        resource: "https://tools.example.com/mcp".into(),
        now: NOW,
        expires_at: NOW + 900_000,
        secrets: vec![b"latest".to_vec(), b"before".to_vec()],
    }
}

/// The challenges for an offer.
pub(super) async fn challenges(account: &Mpp, offer: &Offer) -> Vec<Value> {
    match account.challenge(offer).await.unwrap() {
        Challenge::Mpp(challenges) => challenges,
        Challenge::X402 { .. } => panic!("another protocol"),
    }
}

pub(super) fn credential(challenge: &Value, payload: Value) -> Credential {
    Credential {
        protocol: Protocol::Mpp,
        json: json!({ "challenge": challenge, "payload": payload }),
    }
}

/// The code of a refusal.
pub(super) fn code(result: Result<Verified, Rejected>) -> String {
    match result {
        Err(Rejected::Invalid { code, .. }) => code,
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_id_is_that_of_the_official_clients_and_servers() {
    let vector: Value = serde_json::from_str(include_str!("tests/challenge-id.json")).unwrap();
    let ours = &vector["challenge"];
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let expires: jiff::Timestamp = text(&ours["expires"]).parse().unwrap();
    let terms = Terms {
        request: ours["request"].clone(),
        expires_at: expires.as_millisecond(),
    };
    let opaque = super::challenge::canonical(&json!({ "call": "sha256:abc" }));
    for (opaque, expected) in [("", &ours["id"]), (&opaque, &vector["with_opaque"]["id"])] {
        let heading = Heading {
            realm: "tools.example.com",
            method: "tempo",
            description: "",
            opaque,
        };
        let made = sealed(&heading, &terms, text(&vector["secret"]).as_bytes());
        assert_eq!(&made["id"], expected);
        assert_eq!(made["expires"], ours["expires"]);
    }
}

#[test]
fn settings_say_what_is_missing() {
    let cases = [
        ("realm = \"a\"", "no way to pay"),
        ("realm = \"a|b\"", "realm"),
        ("realm = \"\"", "realm"),
        ("", "realm"),
        (
            "realm = \"a\"\n[lightning]\nnetwork = \"mainnet\"\ncurrency = \"USD\"\ninvoices = { url = \"http://127.0.0.1:1\", key = \"k\" }",
            "lightning.sats_per_unit",
        ),
        (
            "realm = \"a\"\n[evm]\nnetwork = \"solana\"\npay_to = \"209693Bc6afc5328bA36FaF3C514EF312287C\"\nfacilitator = \"http://127.0.0.1:1\"",
            "evm.",
        ),
        (
            "realm = \"a\"\n[evm]\nnetwork = \"base\"\npay_to = \"0x2\"\nfacilitator = \"http://127.0.0.1:1\"",
            "evm.pay_to",
        ),
        (
            "realm = \"a\"\n[stripe]\nsecret_key = \"k\"\nnetwork_id = \"p\"\ncurrency = \"KWD\"",
            "stripe.currency: KWD",
        ),
    ];
    for (settings, expected) in cases {
        let error = account(settings).err().unwrap();
        assert!(error.contains(expected), "{settings}: {error}");
    }
}
