//! Which tokens are taken, and what their issuer is asked.

use std::sync::Arc;

use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};
use tokio_util::sync::{CancellationToken, DropGuard};

use super::testing::{FakeIssuer, NOW_S, TestClock, TestKey, claims, resource, unsigned};
use super::{KeySource, Place, Refused, ResourceServer};
use crate::jwks::KeySet;

const ISSUER: &str = "https://auth.example/";

fn given(keys: &[&TestKey]) -> Arc<ResourceServer> {
    let keys: Vec<Value> = keys.iter().map(|key| key.jwk()).collect();
    let keys = KeySet::parse(json!({ "keys": keys }).to_string().as_bytes()).unwrap();
    resource(ISSUER, KeySource::Given(keys)).0
}

fn with(mut claims: Value, name: &str, value: Value) -> Value {
    match value {
        Value::Null => drop(claims.as_object_mut().unwrap().remove(name)),
        value => claims[name] = value,
    }
    claims
}

async fn admit(server: &ResourceServer, token: &str) -> Result<String, Refused> {
    let principal = server.admit(token).await?;
    Ok(principal.to_string())
}

#[tokio::test]
async fn a_token_of_each_algorithm_names_its_subject() {
    let keys = [
        TestKey::ed("a", 1),
        TestKey::p256("b"),
        TestKey::rsa("c", Algorithm::RS256),
    ];
    let server = given(&keys.each_ref());
    for key in &keys {
        let token = key.sign(&claims(ISSUER, "ada"));
        let later = key.sign(&with(claims(ISSUER, "ada"), "exp", json!(NOW_S + 9_999)));
        let named = server.admit(&token).await.unwrap();
        assert_eq!(named.to_string(), "token:https://auth.example/:ada");
        assert_eq!(
            server.admit(&later).await.unwrap(),
            named,
            "one subject, one principal"
        );
    }
}

#[tokio::test]
async fn claims_are_read_in_every_form_issuers_write() {
    let key = TestKey::ed("a", 1);
    let server = given(&[&key]);
    let good = claims(ISSUER, "ada");
    for claims in [
        with(
            good.clone(),
            "aud",
            json!(["x", "https://tools.example/mcp"]),
        ),
        with(
            with(good.clone(), "scope", Value::Null),
            "scp",
            json!(["tools:call"]),
        ),
        with(
            with(good.clone(), "scope", Value::Null),
            "scp",
            json!("a tools:call"),
        ),
        with(good.clone(), "exp", json!(NOW_S as f64 + 0.5)),
        with(good.clone(), "exp", json!(NOW_S - 59)),
        with(good.clone(), "nbf", json!(NOW_S + 60)),
    ] {
        let admitted = admit(&server, &key.sign(&claims)).await;
        assert!(admitted.is_ok(), "{admitted:?}: {claims}");
    }
    let mut header = key.header();
    for typ in [None, Some("at+jwt"), Some("application/AT+JWT")] {
        header.typ = typ.map(str::to_owned);
        assert!(admit(&server, &key.sign_as(&header, &good)).await.is_ok());
    }
}

#[tokio::test]
async fn what_is_claimed_must_be_right() {
    let key = TestKey::ed("a", 1);
    let server = given(&[&key]);
    let cases = [
        ("iss", json!("https://evil.example/"), Refused::Issuer),
        ("iss", json!("https://auth.example"), Refused::Issuer),
        ("iss", json!([ISSUER]), Refused::Malformed),
        ("iss", Value::Null, Refused::Malformed),
        ("aud", json!("https://other.example/mcp"), Refused::Audience),
        ("aud", json!([]), Refused::Audience),
        ("aud", Value::Null, Refused::Malformed),
        ("exp", json!(NOW_S - 60), Refused::Expired),
        ("exp", json!(-1), Refused::Expired),
        ("exp", json!("9999999999"), Refused::Malformed),
        ("exp", Value::Null, Refused::Malformed),
        ("nbf", json!(NOW_S + 61), Refused::Early),
        ("sub", Value::Null, Refused::Subject),
        ("sub", json!(""), Refused::Subject),
        ("sub", json!("a\nb"), Refused::Subject),
        ("sub", json!("a".repeat(256)), Refused::Subject),
        ("cnf", json!({"jkt": "x"}), Refused::Bound),
        ("scope", json!("tools:call-not other"), Refused::Scope),
        ("scope", Value::Null, Refused::Scope),
    ];
    for (name, value, expected) in cases {
        let claims = with(claims(ISSUER, "ada"), name, value);
        let refused = admit(&server, &key.sign(&claims)).await;
        assert_eq!(refused, Err(expected), "{claims}");
    }
}

#[tokio::test]
async fn nobody_but_the_issuer_makes_tokens() {
    let (key, rsa) = (TestKey::ed("a", 1), TestKey::rsa("r", Algorithm::RS256));
    let server = given(&[&key, &rsa]);
    let good = claims(ISSUER, "ada");
    let token = key.sign(&good);
    let (signed, signature) = token.rsplit_once('.').unwrap();
    let other = key.sign(&claims(ISSUER, "bob"));
    let (other, _) = other.rsplit_once('.').unwrap();

    let none = |alg: &str| unsigned(&json!({"alg": alg, "kid": "a"}), &good, b"");
    let public = rsa.jwk()["n"].as_str().unwrap().to_owned();
    let shared = |secret: &[u8], id: &str| {
        let mut header = Header::new(Algorithm::HS256);
        header.kid = Some(id.to_owned());
        jsonwebtoken::encode(&header, &good, &EncodingKey::from_secret(secret)).unwrap()
    };
    let mut own_key = TestKey::ed("a", 9).header();
    own_key.jwk = serde_json::from_value(TestKey::ed("a", 9).jwk()).unwrap();
    let mut critical = key.header();
    critical.crit = Some(vec!["b64".to_owned()]);
    let mut logout = key.header();
    logout.typ = Some("logout+jwt".to_owned());
    let mut unnamed = TestKey::ed("a", 9).header();
    unnamed.kid = None;

    for (what, token, expected) in [
        ("alg none", none("none"), Refused::Malformed),
        ("alg NONE", none("NONE"), Refused::Malformed),
        ("no signature", format!("{signed}."), Refused::Signature),
        (
            "others' claims",
            format!("{other}.{signature}"),
            Refused::Signature,
        ),
        (
            "signed with the public key as a secret",
            shared(public.as_bytes(), "r"),
            Refused::Algorithm,
        ),
        (
            "signed with the set's text as a secret",
            shared(rsa.jwk().to_string().as_bytes(), "r"),
            Refused::Algorithm,
        ),
        (
            "an algorithm that is not configured",
            TestKey::rsa("r", Algorithm::RS512).sign(&good),
            Refused::Algorithm,
        ),
        (
            "an unknown key",
            TestKey::ed("b", 1).sign(&good),
            Refused::Signature,
        ),
        (
            "another's key",
            TestKey::ed("a", 9).sign(&good),
            Refused::Signature,
        ),
        (
            "a key that it brings itself",
            TestKey::ed("a", 9).sign_as(&own_key, &good),
            Refused::Signature,
        ),
        (
            "another's key without a name",
            TestKey::ed("a", 9).sign_as(&unnamed, &good),
            Refused::Signature,
        ),
        (
            "a key of another kind",
            TestKey::ed("r", 1).sign(&good),
            Refused::Signature,
        ),
        (
            "something critical",
            key.sign_as(&critical, &good),
            Refused::Kind,
        ),
        (
            "no access token",
            key.sign_as(&logout, &good),
            Refused::Kind,
        ),
        ("not JSON", "eyJ.eyJ.x".to_owned(), Refused::Malformed),
    ] {
        assert_eq!(admit(&server, &token).await, Err(expected), "{what}");
    }
    assert!(admit(&server, &token).await.is_ok(), "and the good one is");
}

/// A server that fetches the keys of `issuer` by its metadata, until the guard is dropped.
fn fetching(issuer: &FakeIssuer) -> (Arc<ResourceServer>, Arc<TestClock>, DropGuard) {
    let name = issuer.name();
    let place = Place::Metadata(name.parse().unwrap());
    let (server, clock) = resource(&name, KeySource::At(place));
    let closing = CancellationToken::new();
    let (keeper, closed) = (server.clone(), closing.clone());
    tokio::spawn(async move { keeper.keep_keys(&closed).await });
    (server, clock, closing.drop_guard())
}

#[tokio::test]
async fn keys_that_are_changed_are_fetched_again_and_a_flood_of_unknown_ones_asks_once_a_minute() {
    let (first, second) = (TestKey::ed("first", 1), TestKey::ed("second", 2));
    let issuer = FakeIssuer::start(&[&first]).await;
    let (server, clock, _keeping) = fetching(&issuer);
    let token = |key: &TestKey| key.sign(&claims(&issuer.name(), "ada"));
    assert!(admit(&server, &token(&first)).await.is_ok());
    assert_eq!(issuer.fetches(), 1);

    issuer.set_keys(&[&second]);
    let (second, unknown) = (token(&second), token(&TestKey::ed("unknown", 3)));
    let flood = async || {
        let all = (0..50).map(|_| admit(&server, &unknown));
        futures::future::join_all(all).await
    };
    let refused = vec![Err(Refused::Signature); 50];
    assert_eq!(flood().await, refused);
    assert_eq!(issuer.fetches(), 1, "within the minute nobody asks");
    assert_eq!(admit(&server, &second).await, Err(Refused::Signature));

    clock.advance_s(60);
    assert_eq!(flood().await, refused);
    assert_eq!(issuer.fetches(), 2);
    assert!(admit(&server, &second).await.is_ok());
    let withdrawn = admit(&server, &token(&first)).await;
    assert_eq!(withdrawn, Err(Refused::Signature));
    assert_eq!(issuer.fetches(), 2);
}

#[tokio::test]
async fn keys_are_used_while_their_issuer_is_away_and_nobody_waits_for_it() {
    let key = TestKey::ed("a", 1);
    let issuer = FakeIssuer::start(&[&key]).await;
    let (server, clock, _keeping) = fetching(&issuer);
    let token = |key: &TestKey| {
        key.sign(&with(
            claims(&issuer.name(), "ada"),
            "exp",
            json!(NOW_S + 200_000),
        ))
    };
    assert!(admit(&server, &token(&key)).await.is_ok());

    issuer.set_down(true);
    clock.advance_s(3_600);
    // Another key is worth waiting for; that it is not there cannot be said while the issuer is away.
    let unknown = admit(&server, &token(&TestKey::ed("b", 2))).await;
    assert_eq!(unknown, Err(Refused::Unavailable));
    assert!(admit(&server, &token(&key)).await.is_ok());

    issuer.hang();
    clock.advance_s(3_600);
    let asked = issuer.fetches();
    assert!(admit(&server, &token(&key)).await.is_ok());
    while issuer.fetches() == asked {
        tokio::task::yield_now().await;
    }
    assert!(
        admit(&server, &token(&key)).await.is_ok(),
        "while it is asked"
    );
    clock.advance_s(86_400);
    let token = token(&key);
    let waits = futures::poll!(std::pin::pin!(server.admit(&token)));
    assert!(waits.is_pending(), "keys of yesterday are used no more");
}

#[tokio::test]
async fn an_issuer_that_never_answered_is_not_the_callers_fault() {
    let issuer = FakeIssuer::start(&[]).await;
    let (server, _clock, _keeping) = fetching(&issuer);
    let token = TestKey::ed("a", 1).sign(&claims(&issuer.name(), "ada"));
    assert_eq!(admit(&server, &token).await, Err(Refused::Unavailable));
}

#[tokio::test]
async fn metadata_of_another_issuer_is_not_believed() {
    let issuer = FakeIssuer::start(&[&TestKey::ed("a", 1)]).await;
    let place = Place::Metadata(issuer.name().parse().unwrap());
    let http = crate::outbound::loopback(super::ISSUER_WAIT).unwrap();
    let fetched = place.fetch("https://auth.example", &http).await;
    assert!(fetched.unwrap_err().contains("another issuer"));
    assert_eq!(issuer.fetches(), 0);
    let own = place.fetch(&issuer.name(), &http).await;
    assert!(own.is_ok());
}
