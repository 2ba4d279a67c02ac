//! An issuer of access tokens: a key, its metadata on a port, and tokens for whoever is named.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::{SystemTime, UNIX_EPOCH};

use axum::Router;
use axum::routing::get;
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};
use tokio::net::TcpListener;

/// Before the 32 bytes of an Ed25519 private key: what PKCS #8 says of it.
const ED25519: &[u8] = b"\x30\x2e\x02\x01\x00\x30\x05\x06\x03\x2b\x65\x70\x04\x22\x04\x20";

/// An issuer on a port of its own, for as long as the test runs.
pub struct Issuer {
    name: String,
    key: EncodingKey,
}

impl Issuer {
    /// Listens; RFC 8414's metadata names its keys.
    pub async fn start() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
            .await
            .expect("a port is free");
        let address: SocketAddr = listener.local_addr().expect("it is bound");
        let name = format!("http://{address}");
        let key = EncodingKey::from_ed_der(&[ED25519, &[42; 32]].concat());
        let mut public = Jwk::from_encoding_key(&key, Algorithm::EdDSA).expect("it is a key");
        public.common.key_id = Some("k1".to_owned());
        let metadata = json!({"issuer": name, "jwks_uri": format!("{name}/keys")}).to_string();
        let keys = json!({ "keys": [public] }).to_string();
        let page = |text: String| get(async move || text);
        let app = Router::new()
            .route("/.well-known/oauth-authorization-server", page(metadata))
            .route("/keys", page(keys));
        tokio::spawn(async move { axum::serve(listener, app).await });
        Self { name, key }
    }

    /// Its identifier, a URL.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// A token for `subject`, good for an hour at the server whose URL is `audience`.
    pub fn token(&self, subject: &str, audience: &str, scope: &str) -> String {
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        let expires = now.expect("it is after 1970").as_secs() + 3_600;
        self.sign(&json!({
            "iss": self.name, "sub": subject, "aud": audience, "scope": scope, "exp": expires,
        }))
    }

    fn sign(&self, claims: &Value) -> String {
        let mut header = Header::new(Algorithm::EdDSA);
        header.typ = Some("at+jwt".to_owned());
        header.kid = Some("k1".to_owned());
        jsonwebtoken::encode(&header, claims, &self.key).expect("it can be signed")
    }
}
