//! The public keys of receipts at a well-known address, for whoever verifies one.
//!
//! The path is our own, and not the customary `/.well-known/jwks.json`: on an origin that also issues access tokens that
//! file is the token keys', and a verifier of tokens must never come to trust a key that signs receipts.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use coinop_core::digest::Digest;

use crate::ledger::{Ledger, LedgerError};

/// Where the key set is. Old keys stay in it: receipts are verified long after a rotation.
pub const PATH: &str = "/.well-known/coinop-receipts.json";
/// RFC 7517, section 8.5.
const JWK_SET: &str = "application/jwk-set+json";
/// A verifier that meets a key it does not know asks again; until then it need not.
const CACHED: &str = "public, max-age=300";
/// When to try again while the ledger is away, seconds.
const RETRY_AFTER_S: &str = "5";

/// The key set of this ledger, for everybody: pages of any origin may read it.
pub fn router(ledger: Arc<dyn Ledger>) -> Router {
    Router::new().route(PATH, get(keys)).with_state(ledger)
}

async fn keys(State(ledger): State<Arc<dyn Ledger>>, headers: HeaderMap) -> Response {
    match ledger.receipt_keys().await {
        Ok(keys) => answer(keys.to_jwks().to_string(), &headers),
        Err(error) => unavailable(&error),
    }
}

fn answer(body: String, asked: &HeaderMap) -> Response {
    let tag = format!("\"{}\"", Digest::of(body.as_bytes()).short());
    let known = asked.get(header::IF_NONE_MATCH);
    let is_known = known
        .and_then(|tags| tags.to_str().ok())
        .is_some_and(|tags| tags.split(',').any(|known| known.trim() == tag));
    let headers = [
        (header::CACHE_CONTROL, CACHED),
        (header::ETAG, tag.as_str()),
        (header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    match is_known {
        true => (StatusCode::NOT_MODIFIED, headers).into_response(),
        false => (headers, [(header::CONTENT_TYPE, JWK_SET)], body).into_response(),
    }
}

fn unavailable(error: &LedgerError) -> Response {
    tracing::error!(%error, "the keys of receipts could not be read");
    let headers = [
        (header::RETRY_AFTER, RETRY_AFTER_S),
        (header::CACHE_CONTROL, "no-store"),
    ];
    (StatusCode::SERVICE_UNAVAILABLE, headers).into_response()
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use axum::http::Request;
    use coinop_core::receipt::KeySet;
    use tower::ServiceExt as _;

    use super::*;
    use crate::ledger::sqlite::SqliteLedger;

    async fn ask(ledger: &Arc<dyn Ledger>, known: &str) -> (StatusCode, HeaderMap, KeySet) {
        let request = Request::get(PATH).header(header::IF_NONE_MATCH, known);
        let request = request.body(Body::empty()).unwrap();
        let response = router(ledger.clone()).oneshot(request).await.unwrap();
        let (head, body) = response.into_parts();
        let body = axum::body::to_bytes(body, 1 << 16).await.unwrap();
        let jwks = serde_json::from_slice(&body).unwrap_or_default();
        let keys = KeySet::from_jwks(&jwks).unwrap_or_default();
        (head.status, head.headers, keys)
    }

    #[tokio::test]
    async fn everybody_reads_every_key_and_may_keep_them_for_a_while() {
        let folder = tempfile::tempdir().unwrap();
        let ledger = SqliteLedger::open(&folder.path().join("ledger"), 0).unwrap();
        let ledger: Arc<dyn Ledger> = Arc::new(ledger);
        let (status, head, keys) = ask(&ledger, "\"else\"").await;
        assert_eq!((status, keys.len()), (StatusCode::OK, 1));
        assert_eq!(head[header::CONTENT_TYPE], JWK_SET);
        assert_eq!(head[header::CACHE_CONTROL], CACHED);
        assert_eq!(head[header::ACCESS_CONTROL_ALLOW_ORIGIN], "*");

        let known = format!("\"else\", {}", head[header::ETAG].to_str().unwrap());
        let (status, head, keys) = ask(&ledger, &known).await;
        assert_eq!((status, keys.len()), (StatusCode::NOT_MODIFIED, 0));
        assert_eq!(head[header::CACHE_CONTROL], CACHED);

        ledger.rotate_receipt_key(1).await.unwrap();
        let (status, _, keys) = ask(&ledger, &known).await;
        assert_eq!((status, keys.len()), (StatusCode::OK, 2));
    }
}
