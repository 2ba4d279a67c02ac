//! Facilitators: what they are shown, what they are believed before a run, and what they alone can do.

use std::sync::Arc;

use coinop_core::ids::PaymentId;
use data_encoding::{BASE64, BASE64URL_NOPAD};
use serde_json::{Value, json};

use super::fakes::{End, FakeFacilitator, FakeNode, Ledger, Say};
use super::settling::{Scene, success, word};
use super::wallet::Wallet;
use super::{account, credential, offer, required};
use crate::provider::rail::{Rail as _, Rejected};
use crate::provider::{PaymentRef, Provider as _};

fn holds() -> Say {
    Say::Json(
        200,
        json!({ "isValid": true, "payer": Wallet::of(1).address().checksummed() }),
    )
}

/// What verifying says when the facilitator says `said`.
async fn verified(said: Say, more: &str) -> Result<(), Rejected> {
    let facilitator = FakeFacilitator::saying([said]).await;
    let url = &facilitator.served.url;
    let account = account(&format!(
        "{more}\nverify_timeout_s = 1\nfacilitator = \"{url}/\""
    ))
    .unwrap();
    let requirement = required(&account, &offer()).await;
    let payload = credential(Wallet::of(1).pay(&requirement, 1));
    let verified = account.verify(&offer(), &payload).await.map(drop);
    assert_eq!(facilitator.asked()[0].0, "verify");
    verified
}

#[tokio::test]
async fn the_facilitator_has_its_say_before_the_run() {
    let says = |reason: &str| Say::Json(200, json!({ "isValid": false, "invalidReason": reason }));
    assert_eq!(verified(holds(), "").await, Ok(()));
    let poor = "invalid_exact_evm_insufficient_balance";
    for answer in [
        says(poor),
        Say::Json(400, json!({ "isValid": false, "invalidReason": poor })),
    ] {
        let refused = verified(answer, "").await;
        assert!(matches!(refused, Err(Rejected::Invalid { code, .. }) if code == poor));
    }
    for lost in [
        Say::Nothing,
        Say::Junk,
        Say::Json(500, json!({ "isValid": true })),
        Say::Json(429, json!({})),
    ] {
        let unavailable = verified(lost, "").await;
        assert!(matches!(unavailable, Err(Rejected::Unavailable(_))));
    }
    // Its node is dead: the signature was checked here, and holds.
    for reason in [
        "invalid_exact_evm_signature",
        "invalid_exact_evm_payload_signature",
    ] {
        let dead = verified(says(reason), "").await;
        assert!(matches!(dead, Err(Rejected::Unavailable(_))), "{dead:?}");
        let trusted = verified(says(reason), "verify = \"facilitator\"").await;
        assert!(
            matches!(trusted, Err(Rejected::Invalid { .. })),
            "{trusted:?}"
        );
    }
}

/// What is said of a payment that is checked here alone, with a node that knows `ledger`.
async fn checked_beside(ledger: Ledger) -> Result<(), Rejected> {
    let requirement = required(&account("").unwrap(), &offer()).await;
    let transfer = Wallet::of(1).transfer(&requirement, 1);
    let node = FakeNode::of(transfer, ledger).await;
    let url = &node.served.url;
    let account = account(&format!("verify = \"local\"\nrpc = {url:?}")).unwrap();
    let payload = credential(Wallet::of(1).pay(&requirement, 1));
    account.verify(&offer(), &payload).await.map(drop)
}

#[tokio::test]
async fn where_no_facilitator_is_asked_a_nonce_that_is_used_buys_nothing() {
    assert_eq!(checked_beside(Ledger::default()).await, Ok(()));
    for end in [End::Paid, End::Canceled, End::Elsewhere, End::Pruned] {
        let used = checked_beside(Ledger {
            ended: Some((999_990, end)),
            ..Ledger::default()
        });
        let used = used.await;
        assert!(
            matches!(&used, Err(Rejected::Invalid { code, .. }) if code == "invalid_exact_evm_nonce_already_used"),
            "{end:?}: {used:?}"
        );
    }
    let silent = Ledger {
        up: false,
        ..Ledger::default()
    };
    let silent = checked_beside(silent).await;
    assert!(
        matches!(silent, Err(Rejected::Unavailable(_))),
        "{silent:?}"
    );
}

#[tokio::test]
async fn solana_is_checked_and_settled_by_its_facilitator() {
    let supported = json!({ "kinds": [
        { "x402Version": 2, "scheme": "exact", "network": "eip155:84532" },
        { "x402Version": 2, "scheme": "exact", "network": "solana:EtWTRABZaYq6iMfeYKouRu166VU2xqa1", "extra": { "feePayer": "FeePayer1111" } },
    ] });
    let payee = "2wKupLR9q6wXYppw8Gr2NvWxKBUqm4PPJKkQfoxHDBg4";
    let valid = json!({ "isValid": true, "payer": "Payer11111" });
    let settled = json!({ "success": true, "transaction": "sig", "network": "solana:EtWTRABZaYq6iMfeYKouRu166VU2xqa1" });
    let script = [supported, valid, settled].map(|json| Say::Json(200, json));
    let facilitator = FakeFacilitator::saying(script).await;
    let url = &facilitator.served.url;
    let account = account(&format!(
        "network = \"solana-devnet\"\npay_to = {payee:?}\nfacilitator = {url:?}"
    ))
    .unwrap();
    let requirement = required(&account, &offer()).await;
    assert_eq!(requirement["extra"]["feePayer"], "FeePayer1111");
    let transaction = BASE64.encode(&[&[1][..], &[0; 64], b"message"].concat());
    let payload = json!({ "x402Version": 2, "accepted": requirement, "payload": { "transaction": transaction } });
    let verified = account
        .verify(&offer(), &credential(payload))
        .await
        .unwrap();
    assert_eq!(verified.payer.subject, "Payer11111");
    let payment = PaymentRef {
        key: PaymentId::from_random([1; 16]),
        reference: verified.reference,
        price: offer().price,
        credential: Some(Arc::from(verified.keep)),
    };
    assert_eq!(word(&account.settle(&payment).await), "paid sig");
}

/// What the facilitator was shown when `auth` is configured.
async fn shown(auth: &str) -> String {
    let scene = Scene::new([success()], None, &format!("facilitator_auth = {auth}")).await;
    scene.settle().await.unwrap();
    scene.facilitator.asked()[0].1.clone().unwrap()
}

#[tokio::test]
async fn a_facilitator_is_shown_what_it_wants_to_see() {
    assert_eq!(shown("{ bearer = \"hunter2\" }").await, "Bearer hunter2");
    assert_eq!(
        shown("{ header = \"Authorization\", value = \"Key 7\" }").await,
        "Key 7"
    );
}

#[tokio::test]
async fn coinbase_is_shown_a_token_for_the_one_request() {
    use ed25519_dalek::{Signature, SigningKey, Verifier as _};
    let key = SigningKey::from_bytes(&[7; 32]);
    let secret = BASE64.encode(&[key.to_bytes(), key.verifying_key().to_bytes()].concat());
    let scene = Scene::new(
        [success()],
        None,
        &format!("facilitator_auth = {{ cdp_key_id = \"my-key\", cdp_key_secret = {secret:?} }}"),
    )
    .await;
    scene.settle().await.unwrap();
    let shown = scene.facilitator.asked()[0].1.clone().unwrap();
    let token = shown.strip_prefix("Bearer ").unwrap();
    let (signed, signature) = token.rsplit_once('.').unwrap();
    let decode = |part: &str| BASE64URL_NOPAD.decode(part.as_bytes()).unwrap();
    let signature = Signature::from_slice(&decode(signature)).unwrap();
    key.verifying_key()
        .verify(signed.as_bytes(), &signature)
        .unwrap();
    let (header, claims) = signed.split_once('.').unwrap();
    let header: Value = serde_json::from_slice(&decode(header)).unwrap();
    assert_eq!(
        (&header["alg"], &header["kid"]),
        (&json!("EdDSA"), &json!("my-key"))
    );
    let claims: Value = serde_json::from_slice(&decode(claims)).unwrap();
    let host = scene
        .facilitator
        .served
        .url
        .strip_prefix("http://")
        .unwrap();
    assert_eq!(claims["uris"], json!([format!("POST {host}/settle")]));
    assert_eq!(
        claims["exp"].as_i64().unwrap() - claims["nbf"].as_i64().unwrap(),
        120
    );
    assert_eq!(
        (&claims["iss"], &claims["sub"]),
        (&json!("cdp"), &json!("my-key"))
    );
}
