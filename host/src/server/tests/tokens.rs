//! Access tokens over HTTP: how callers learn where to get one, and what is theirs once they have.

use std::sync::Arc;

use axum::http::StatusCode;
use reqwest::Response;
use serde_json::{Value, json};

use super::http::{Shop, json_of, key, modern};
use super::lines::{INITIALIZE, call, modern_meta};
use crate::jwks::KeySet;
use crate::server::http::oauth::KeySource;
use crate::server::http::oauth::testing::{TestKey, claims, resource, unsigned};
use crate::server::http::{Anonymous, Settings};

const ISSUER: &str = "https://auth.example";
const METADATA: &str = "https://tools.example/.well-known/oauth-protected-resource/mcp";
const API_KEY: (&str, &str) = ("authorization", "Bearer key-of-ada");

fn issuers_key() -> TestKey {
    TestKey::ed("a", 1)
}

/// A shop that takes tokens, and Ada's API key.
async fn shop(anonymous: Anonymous) -> Shop {
    let keys = json!({"keys": [issuers_key().jwk()]}).to_string();
    let keys = KeySource::Given(KeySet::parse(keys.as_bytes()).unwrap());
    let (tokens, _clock) = resource(ISSUER, keys);
    Shop::open(Settings {
        api_keys: vec![key("ada")],
        anonymous,
        tokens: Some(Arc::clone(&tokens)),
        ..Settings::default()
    })
    .await
}

fn bearer(subject: &str) -> String {
    format!("Bearer {}", issuers_key().sign(&claims(ISSUER, subject)))
}

fn challenge(response: &Response) -> &str {
    response.headers()["www-authenticate"].to_str().unwrap()
}

#[tokio::test]
async fn a_caller_without_a_token_is_told_where_to_get_one() {
    let shop = shop(Anonymous::Refused).await;
    let refused = shop.post(&[], INITIALIZE).await;
    assert_eq!(refused.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(
        challenge(&refused),
        format!(r#"Bearer realm="coinop", scope="tools:call", resource_metadata="{METADATA}""#)
    );
    for path in ["", "/mcp"] {
        let path = format!("/.well-known/oauth-protected-resource{path}");
        let page = shop.get(&path).await;
        let expected = json!({
            "resource": "https://tools.example/mcp",
            "authorization_servers": [ISSUER],
            "bearer_methods_supported": ["header"],
            "scopes_supported": ["tools:call"],
        });
        assert_eq!(json_of(page).await, expected);
    }
    let good = bearer("ada");
    let (_, token) = good.split_once(' ').unwrap();
    let in_query = shop.get(&format!("/mcp?access_token={token}")).await;
    assert_eq!(in_query.status(), StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_token_that_is_not_taken_is_answered_by_the_book() {
    let shop = shop(Anonymous::Allowed).await;
    let mut weak = claims(ISSUER, "ada");
    weak["scope"] = json!("other");
    let weak = format!("Bearer {}", issuers_key().sign(&weak));
    let refused = shop.post(&[("authorization", &weak)], INITIALIZE).await;
    assert_eq!(refused.status(), StatusCode::FORBIDDEN);
    assert!(challenge(&refused).contains(r#"error="insufficient_scope""#));
    assert!(challenge(&refused).contains(r#"scope="tools:call""#));

    let none = unsigned(&json!({"alg": "none"}), &claims(ISSUER, "ada"), b"");
    let huge = bearer(&"a".repeat(20_000));
    let good = bearer("ada");
    let (_, token) = good.split_once(' ').unwrap();
    for (what, header, value) in [
        ("unsigned", "authorization", format!("Bearer {none}")),
        ("huge", "authorization", huge),
        (
            "no key and no token",
            "authorization",
            "Bearer guess".to_owned(),
        ),
        ("a token in a key's place", "x-api-key", token.to_owned()),
        ("another scheme", "authorization", format!("DPoP {token}")),
    ] {
        let refused = shop.post(&[(header, &value)], INITIALIZE).await;
        assert_eq!(refused.status(), StatusCode::UNAUTHORIZED, "{what}");
        assert!(
            challenge(&refused).contains(r#"error="invalid_token""#),
            "{what}"
        );
        assert!(challenge(&refused).contains(METADATA), "{what}");
    }
}

#[tokio::test]
async fn identity_comes_from_the_token_and_from_nothing_that_is_said_beside_it() {
    let shop = shop(Anonymous::Allowed).await;
    let mut meta = modern_meta();
    meta["authInfo"] = json!({"sub": "ada", "iss": ISSUER, "token": bearer("ada")});
    meta["io.modelcontextprotocol/authInfo"] = meta["authInfo"].clone();
    let body = call(1, "echo", json!({ "_meta": meta }));
    let said = async |headers: &[(&str, &str)]| -> Value {
        let headers = [&modern("echo")[..], headers].concat();
        let answer = json_of(shop.post(&headers, body.clone()).await).await;
        answer["result"]["content"][0]["text"].clone()
    };
    assert_eq!(said(&[]).await, "anonymous {}");
    assert_eq!(
        said(&[("authorization", &bearer("bob"))]).await,
        "token:https://auth.example:bob {}"
    );
    assert_eq!(said(&[API_KEY]).await, "api_key:ada {}");
}

#[tokio::test]
async fn a_session_is_its_subjects_whatever_token_they_bring() {
    let shop = shop(Anonymous::Allowed).await;
    let (ada, bob) = (bearer("ada"), bearer("bob"));
    let session = shop.session(&[("authorization", &ada)]).await;
    let mut later = claims(ISSUER, "ada");
    later["jti"] = json!("another token");
    let later = format!("Bearer {}", issuers_key().sign(&later));
    let status = async |headers: &[(&str, &str)]| {
        let headers = [headers, &[("mcp-session-id", &*session)]].concat();
        let body = call(1, "echo", json!({}));
        shop.post(&headers, body).await.status()
    };
    assert_eq!(status(&[("authorization", &ada)]).await, StatusCode::OK);
    assert_eq!(status(&[("authorization", &later)]).await, StatusCode::OK);
    for stranger in [&[("authorization", &*bob)][..], &[API_KEY], &[]] {
        assert_eq!(
            status(stranger).await,
            StatusCode::NOT_FOUND,
            "{stranger:?}"
        );
    }
    let of_a_key = shop.session(&[API_KEY]).await;
    let headers = [("authorization", &*ada), ("mcp-session-id", &*of_a_key)];
    let taken = shop.post(&headers, call(1, "echo", json!({}))).await;
    assert_eq!(taken.status(), StatusCode::NOT_FOUND);
}
