//! An issuer made up for tests: keys of every kind, tokens good and bad, and a port that serves the keys.

#![allow(clippy::unwrap_used)]

use std::sync::atomic::{AtomicBool, AtomicI64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use coinop_core::Millis;
use data_encoding::{BASE64, BASE64URL_NOPAD};
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio_util::sync::{CancellationToken, DropGuard};

use super::{Issuer, KeySource, ResourceServer, Rules, Settings};
use crate::clock::Clock;

/// When every test begins, seconds.
pub(crate) const NOW_S: i64 = 1_800_000_000;
/// Whom tokens of tests are for.
pub(crate) const AUDIENCE: &str = "https://tools.example/mcp";

/// Before the 32 bytes of a private key: what PKCS #8 says of an Ed25519 key, and of one on P-256.
const ED25519: &[u8] = b"\x30\x2e\x02\x01\x00\x30\x05\x06\x03\x2b\x65\x70\x04\x22\x04\x20";
const P256: &[u8] = b"\x30\x41\x02\x01\x00\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07\x04\x27\x30\x25\x02\x01\x01\x04\x20";
/// A key that guards nothing but tests.
const RSA: &str = include_str!("testing/rsa-key.txt");

/// A key pair.
pub(crate) struct TestKey {
    id: String,
    algorithm: Algorithm,
    key: EncodingKey,
}

impl TestKey {
    /// An Ed25519 key; the same seed is the same key.
    pub(crate) fn ed(id: &str, seed: u8) -> Self {
        let key = EncodingKey::from_ed_der(&[ED25519, &[seed; 32]].concat());
        Self::new(id, Algorithm::EdDSA, key)
    }

    pub(crate) fn p256(id: &str) -> Self {
        let key = EncodingKey::from_ec_der(&[P256, &[7; 32]].concat());
        Self::new(id, Algorithm::ES256, key)
    }

    pub(crate) fn rsa(id: &str, algorithm: Algorithm) -> Self {
        let der = BASE64.decode(RSA.replace('\n', "").as_bytes()).unwrap();
        Self::new(id, algorithm, EncodingKey::from_rsa_der(&der))
    }

    fn new(id: &str, algorithm: Algorithm, key: EncodingKey) -> Self {
        let id = id.to_owned();
        Self { id, algorithm, key }
    }

    /// The public half.
    pub(crate) fn jwk(&self) -> Value {
        let mut jwk = Jwk::from_encoding_key(&self.key, self.algorithm).unwrap();
        jwk.common.key_id = Some(self.id.clone());
        serde_json::to_value(jwk).unwrap()
    }

    pub(crate) fn header(&self) -> Header {
        let mut header = Header::new(self.algorithm);
        header.kid = Some(self.id.clone());
        header
    }

    /// A token with these claims.
    pub(crate) fn sign(&self, claims: &Value) -> String {
        self.sign_as(&self.header(), claims)
    }

    pub(crate) fn sign_as(&self, header: &Header, claims: &Value) -> String {
        jsonwebtoken::encode(header, claims, &self.key).unwrap()
    }
}

/// The claims of a good token of `issuer` for `subject`.
pub(crate) fn claims(issuer: &str, subject: &str) -> Value {
    json!({"iss": issuer, "sub": subject, "aud": AUDIENCE, "exp": NOW_S + 600, "scope": "tools:call other"})
}

/// A token that nobody signed, by any header.
pub(crate) fn unsigned(header: &Value, claims: &Value, signature: &[u8]) -> String {
    let part = |text: &[u8]| BASE64URL_NOPAD.encode(text);
    let (header, claims) = (header.to_string(), claims.to_string());
    [header.as_bytes(), claims.as_bytes(), signature]
        .map(part)
        .join(".")
}

/// A clock that a test moves.
pub(crate) struct TestClock(AtomicI64);

impl TestClock {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self(AtomicI64::new(NOW_S * 1_000)))
    }

    pub(crate) fn advance_s(&self, seconds: i64) {
        self.0.fetch_add(seconds * 1_000, Ordering::SeqCst);
    }
}

impl Clock for TestClock {
    fn now(&self) -> Millis {
        self.0.load(Ordering::SeqCst)
    }
}

/// What every test asks of tokens.
pub(crate) fn rules() -> Rules {
    Rules {
        audiences: vec![AUDIENCE.to_owned()],
        algorithms: vec![Algorithm::RS256, Algorithm::ES256, Algorithm::EdDSA],
        scopes: vec!["tools:call".to_owned()],
        clock_skew_s: 60,
    }
}

/// A resource server of one issuer, and its clock.
pub(crate) fn resource(issuer: &str, keys: KeySource) -> (Arc<ResourceServer>, Arc<TestClock>) {
    let clock = TestClock::new();
    let settings = Settings {
        base: "https://tools.example".to_owned(),
        issuers: vec![Issuer {
            name: issuer.to_owned(),
            keys,
        }],
        rules: rules(),
    };
    let server = ResourceServer::new(settings, clock.clone()).unwrap();
    (Arc::new(server), clock)
}

/// An issuer that listens.
pub(crate) struct FakeIssuer {
    state: Arc<Behaviour>,
    _stop: DropGuard,
}

#[derive(Default)]
struct Behaviour {
    name: String,
    keys: Mutex<Vec<Value>>,
    down: AtomicBool,
    hangs: AtomicBool,
    fetches: AtomicUsize,
}

impl FakeIssuer {
    /// Listens with these keys.
    pub(crate) async fn start(keys: &[&TestKey]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let state = Arc::new(Behaviour {
            name: format!("http://{address}"),
            ..Behaviour::default()
        });
        let app = Router::new()
            .route("/.well-known/openid-configuration", get(metadata))
            .route("/keys", get(key_set))
            .with_state(state.clone());
        let stop = CancellationToken::new();
        let stopped = stop.clone().cancelled_owned();
        tokio::spawn(async move {
            tokio::select! {
                served = axum::serve(listener, app) => served,
                () = stopped => Ok(()),
            }
        });
        let issuer = Self {
            state,
            _stop: stop.drop_guard(),
        };
        issuer.set_keys(keys);
        issuer
    }

    pub(crate) fn name(&self) -> String {
        self.state.name.clone()
    }

    pub(crate) fn set_keys(&self, keys: &[&TestKey]) {
        let keys = keys.iter().map(|key| key.jwk()).collect();
        *self.state.keys.lock().unwrap() = keys;
    }

    /// Whether it answers with errors from now on.
    pub(crate) fn set_down(&self, down: bool) {
        self.state.down.store(down, Ordering::SeqCst);
    }

    /// It takes questions from now on, and does not answer.
    pub(crate) fn hang(&self) {
        self.state.hangs.store(true, Ordering::SeqCst);
    }

    /// How often it was asked for its keys.
    pub(crate) fn fetches(&self) -> usize {
        self.state.fetches.load(Ordering::SeqCst)
    }
}

async fn metadata(State(state): State<Arc<Behaviour>>) -> Response {
    let name = &state.name;
    json!({"issuer": name, "jwks_uri": format!("{name}/keys")})
        .to_string()
        .into_response()
}

async fn key_set(State(state): State<Arc<Behaviour>>) -> Response {
    state.fetches.fetch_add(1, Ordering::SeqCst);
    if state.hangs.load(Ordering::SeqCst) {
        std::future::pending::<()>().await;
    }
    if state.down.load(Ordering::SeqCst) {
        return StatusCode::BAD_GATEWAY.into_response();
    }
    let keys = state.keys.lock().unwrap().clone();
    json!({ "keys": keys }).to_string().into_response()
}
