//! Payments presented: what is kept of good ones, and every way of being none.

use coinop_core::principal::Principal;
use serde_json::{Value, json};

use super::super::evm::address::hex;
use super::super::evm::{Transfer, Uint};
use super::super::kept::Kept;
use super::wallet::Wallet;
use super::{NOW_S, X402, account, credential, offer, required};
use crate::provider::rail::{Challenge, Funds, Rail as _, Rejected, Verified};

fn alone() -> X402 {
    account("verify = \"local\"").unwrap()
}

async fn verify(payload: Value) -> Result<Verified, String> {
    let verified = alone().verify(&offer(), &credential(payload)).await;
    verified.map_err(|rejected| match rejected {
        Rejected::Invalid { code, .. } => code,
        Rejected::Unavailable(reason) => panic!("unavailable: {reason}"),
    })
}

#[tokio::test]
async fn a_good_payment_is_reserved_for_its_wallet() {
    let requirement = required(&alone(), &offer()).await;
    let wallet = Wallet::of(1);
    let verified = verify(wallet.pay(&requirement, 7)).await.unwrap();
    let address = wallet.address();
    assert_eq!(
        verified.payer,
        Principal::wallet("eip155:84532", &address.to_string())
    );
    assert_eq!(verified.funds, Funds::Reserved(offer().price));
    assert_eq!(verified.valid_until, (NOW_S + 300) * 1000);
    assert!(verified.reference.ends_with(&hex(&[7; 32])) && verified.reference.len() < 255);
    let kept: Kept = serde_json::from_str(&verified.keep).unwrap();
    assert_eq!((kept.version, &kept.requirement), (2, &requirement));
    assert_eq!(kept.request()["paymentRequirements"], requirement);
}

#[tokio::test]
async fn a_payment_of_version_1_is_kept_in_version_1() {
    let Challenge::X402 { v1, .. } = alone().challenge(&offer()).await.unwrap() else {
        panic!("not x402");
    };
    let requirement = v1.unwrap()["accepts"][0].clone();
    let payload = Wallet::of(1).pay_v1(&requirement, 7);
    let verified = verify(payload.clone()).await.unwrap();
    let kept: Kept = serde_json::from_str(&verified.keep).unwrap();
    assert_eq!(
        kept.request(),
        json!({
            "x402Version": 1, "paymentPayload": payload, "paymentRequirements": requirement,
        })
    );
}

#[tokio::test]
async fn what_a_client_says_it_accepted_is_never_passed_on() {
    let requirement = required(&alone(), &offer()).await;
    let mut payload = Wallet::of(1).pay(&requirement, 7);
    payload["accepted"]["amount"] = "1".into();
    payload["accepted"]["payTo"] = "0x000000000000000000000000000000000000dEaD".into();
    let verified = verify(payload).await.unwrap();
    let kept: Kept = serde_json::from_str(&verified.keep).unwrap();
    assert_eq!(kept.payload["accepted"], requirement);
}

/// A payment for one cent with this transfer, properly signed.
async fn signed(change: impl FnOnce(&mut Transfer)) -> Result<Verified, String> {
    let requirement = required(&alone(), &offer()).await;
    let wallet = Wallet::of(1);
    let mut transfer = wallet.transfer(&requirement, 1);
    change(&mut transfer);
    verify(wallet.payload(&requirement, &transfer)).await
}

#[tokio::test]
async fn what_is_signed_otherwise_is_refused_by_its_reason() {
    let at = |seconds: i64| Uint::from(u128::try_from(NOW_S + seconds).unwrap());
    let exact = "invalid_exact_evm_payload";
    let refused = |result: Result<Verified, String>| result.unwrap_err();
    assert_eq!(
        refused(signed(|t| t.value = u128::MAX.into()).await),
        format!("{exact}_authorization_value_mismatch")
    );
    assert_eq!(
        refused(signed(|t| t.to = t.from).await),
        format!("{exact}_recipient_mismatch")
    );
    assert_eq!(
        refused(signed(|t| t.valid_before = at(5)).await),
        format!("{exact}_authorization_valid_before")
    );
    assert!(signed(|t| t.valid_before = at(6)).await.is_ok());
    assert_eq!(
        refused(signed(|t| t.valid_after = at(1)).await),
        format!("{exact}_authorization_valid_after")
    );
    assert!(signed(|t| t.valid_after = at(0)).await.is_ok());
    let ever = Uint::from_word([255; 32]);
    assert_eq!(
        signed(|t| t.valid_before = ever).await.unwrap().valid_until,
        i64::MAX
    );
    assert_eq!(
        refused(signed(|t| t.valid_after = ever).await),
        format!("{exact}_authorization_valid_after")
    );
}

/// A good payment with one field of the authorisation written otherwise.
async fn written(field: &str, value: Value) -> Result<Verified, String> {
    let requirement = required(&alone(), &offer()).await;
    let mut payload = Wallet::of(1).pay(&requirement, 1);
    payload["payload"]["authorization"][field] = value;
    verify(payload).await
}

#[tokio::test]
async fn numbers_have_one_spelling() {
    for field in ["value", "validAfter", "validBefore"] {
        for spelling in [
            "-10000",
            "+10000",
            "010000",
            "0x2710",
            "1e4",
            "10000.0",
            " 10000",
            "10000 ",
            "",
            "ten",
            "１００００",
        ] {
            let refused = written(field, spelling.into()).await;
            assert_eq!(
                refused.unwrap_err(),
                "invalid_payload",
                "{field} {spelling:?}"
            );
        }
        let huge = "9".repeat(1_000);
        assert_eq!(
            written(field, huge.into()).await.unwrap_err(),
            "invalid_payload"
        );
        assert_eq!(
            written(field, json!(10_000)).await.unwrap_err(),
            "invalid_payload"
        );
        assert_eq!(
            written(field, json!(null)).await.unwrap_err(),
            "invalid_payload"
        );
    }
    for nonce in [
        "",
        "0x",
        "0xa1",
        &"a1".repeat(32),
        &format!("0x{}", "a1".repeat(33)),
        &format!("0x{}", "g1".repeat(32)),
    ] {
        assert_eq!(
            written("nonce", nonce.into()).await.unwrap_err(),
            "invalid_payload",
            "{nonce}"
        );
    }
}

/// A good payment with another signature.
async fn with_signature(signature: &str) -> Result<Verified, String> {
    let requirement = required(&alone(), &offer()).await;
    let mut payload = Wallet::of(1).pay(&requirement, 1);
    payload["payload"]["signature"] = signature.into();
    verify(payload).await
}

#[tokio::test]
async fn a_signature_has_one_spelling() {
    let requirement = required(&alone(), &offer()).await;
    let payload = Wallet::of(1).pay(&requirement, 1);
    let good = payload["payload"]["signature"].as_str().unwrap();
    assert!(with_signature(good).await.is_ok());
    assert!(
        with_signature(&format!("0x{}", good[2..].to_ascii_uppercase()))
            .await
            .is_ok()
    );
    let bytes: [u8; 65] = super::super::evm::address::bytes(good).unwrap();
    let with_v = |v: u8| {
        let mut bytes = bytes;
        bytes[64] = v;
        hex(&bytes)
    };
    let other_parity = if bytes[64] == 27 { 28 } else { 27 };
    let wrong = [
        hex(&high_s(bytes)),
        hex(&bytes[..64]),
        format!("{good}00"),
        with_v(bytes[64] - 27),
        with_v(other_parity),
        with_v(29),
        with_v(0xff),
        hex(&[0; 65]),
        hex(&[0xff; 65]),
        good[2..].to_owned(),
        format!("0X{}", &good[2..]),
        "0x".to_owned(),
        String::new(),
    ];
    for signature in wrong {
        let refused = with_signature(&signature).await;
        assert_eq!(
            refused.unwrap_err(),
            "invalid_exact_evm_payload_signature",
            "{signature}"
        );
    }
}

/// The other form of the same signature, which signs the same and no token takes.
fn high_s(bytes: [u8; 65]) -> [u8; 65] {
    let signature = k256::ecdsa::Signature::from_slice(&bytes[..64]).unwrap();
    let (r, s) = signature.split_scalars();
    let high = k256::ecdsa::Signature::from_scalars(*r, -*s).unwrap();
    assert_ne!(high.normalize_s(), high);
    let mut other = bytes;
    other[..64].copy_from_slice(&high.to_bytes());
    other[64] = if bytes[64] == 27 { 28 } else { 27 };
    other
}

#[tokio::test]
async fn an_account_recognizes_its_own_network_and_asset() {
    let account = alone();
    let requirement = required(&account, &offer()).await;
    let payload = Wallet::of(1).pay(&requirement, 1);
    assert!(account.recognizes(&credential(payload.clone())));
    let with = |key: &str, value: &str| {
        let mut payload = payload.clone();
        payload["accepted"][key] = value.into();
        account.recognizes(&credential(payload))
    };
    assert!(with(
        "asset",
        &requirement["asset"].as_str().unwrap().to_ascii_lowercase()
    ));
    assert!(!with("asset", "0x833589fCD6eDb6E08f4c7C32D4f71b54bdA02913"));
    assert!(with("network", "base-sepolia"));
    assert!(!with("network", "eip155:8453"));
    assert!(!account.recognizes(&credential(json!({"x402Version": 3}))));
    assert_eq!(
        account.reference(&credential(json!({"x402Version": 3}))),
        None
    );
}
