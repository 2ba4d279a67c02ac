//! Payloads made with the official Python client and broken in one way each, with what the official facilitators say of
//! them (`tests/vectors/x402`).

use std::path::PathBuf;

use serde_json::Value;

use super::super::check::{SignatureBy, check};
use super::super::payload::Envelope;
use super::super::reason::Reason;
use super::super::terms::Requirement;
use super::{PAYEE, account, credential};
use crate::provider::rail::Rail as _;

fn folder() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vectors/x402"))
}

fn vector(name: &str) -> Value {
    let text = std::fs::read_to_string(folder().join(name)).unwrap();
    serde_json::from_str(&text).unwrap()
}

/// What we say of a vector's payload, with its requirement as our own.
fn said(vector: &Value) -> Result<(), Reason> {
    let account = account("max_timeout_s = 60").unwrap();
    let requirement = Requirement {
        terms: &account.terms,
        amount: 10_000,
        challenge: None,
        fee_payer: None,
    };
    let envelope = Envelope::read(&vector["paymentPayload"])?;
    let now_s = vector["now"].as_i64().unwrap();
    check(&envelope, &requirement, now_s, SignatureBy::Us).map(drop)
}

#[test]
fn every_vector_is_judged_as_by_the_official_facilitators() {
    let mut seen = 0;
    for file in std::fs::read_dir(folder()).unwrap() {
        let name = file.unwrap().file_name().into_string().unwrap();
        if !name.starts_with(|c: char| c.is_ascii_digit()) {
            continue;
        }
        let vector = vector(&name);
        let expected = match vector["expect"].as_str().unwrap() {
            "ok" => Ok(()),
            // Holds by itself: that it was used before is for whoever keeps the nonces. See the reference below.
            "invalid_exact_evm_nonce_already_used" => Ok(()),
            code => Err(code),
        };
        assert_eq!(said(&vector).map_err(Reason::code), expected, "{name}");
        seen += 1;
    }
    assert_eq!(seen, 18);
}

#[test]
fn our_requirements_are_those_of_the_vectors() {
    let account = account("max_timeout_s = 60").unwrap();
    let requirement = Requirement {
        terms: &account.terms,
        amount: 10_000,
        challenge: Some("ch_0001".to_owned()),
        fee_payer: None,
    };
    let resource = super::super::terms::Resource {
        url: "mcp://tool/summarize",
        description: "Summarize text",
    };
    let v2 = vector("payment-required-v2.json");
    assert_eq!(requirement.v2(), v2["accepts"][0]);
    let v1 = vector("payment-required-v1.json");
    assert_eq!(requirement.v1(resource).unwrap(), v1["accepts"][0]);
}

#[test]
fn the_same_authorization_has_the_same_name_in_every_spelling() {
    let account = account("").unwrap();
    let name = |file: &str| account.reference(&credential(vector(file)["paymentPayload"].clone()));
    let valid = name("01-valid.json").unwrap();
    assert_eq!(
        valid,
        "eip155:84532:0x036cbd53842c5426634e7929541ec2318f3dcf7e:0x2c7536e3605d9c16a7a3d7b1898e529396a65c23:\
         0xa1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1"
    );
    for file in [
        "02-replay.json",
        "23-lowercase-payto-ok.json",
        "24-v1-valid.json",
    ] {
        assert_eq!(name(file).unwrap(), valid, "{file}");
    }
    let text = vector("01-valid.json")["paymentPayload"].to_string();
    let shouted = text.replace(&PAYEE.to_ascii_lowercase(), PAYEE);
    let shouted = shouted.replace("0xa1a1", "0xA1A1").replace(
        "2c7536E3605D9C16a7a3D7b1898e529396a65c23",
        "2C7536E3605D9C16A7A3D7B1898E529396A65C23",
    );
    let shouted = serde_json::from_str(&shouted).unwrap();
    assert_eq!(account.reference(&credential(shouted)).unwrap(), valid);
}

#[test]
fn an_official_permit2_payload_is_read() {
    let account = account("transfer = \"permit2\"").unwrap();
    let payload = vector("permit2-payload-sample.json");
    let requirement = Requirement {
        terms: &account.terms,
        amount: 10_000,
        challenge: None,
        fee_payer: None,
    };
    let envelope = Envelope::read(&payload).unwrap();
    let judge = |now_s| check(&envelope, &requirement, now_s, SignatureBy::Facilitator).map(drop);
    assert_eq!(judge(1_795_000_000), Ok(()));
    assert_eq!(judge(1_795_163_732), Err(Reason::PermitDeadline));
    let extra = &requirement.v2()["extra"];
    assert_eq!(extra["assetTransferMethod"], "permit2");
    let reference = account.reference(&credential(payload.clone())).unwrap();
    assert!(
        reference
            .starts_with("eip155:84532:permit2:0x2c7536e3605d9c16a7a3d7b1898e529396a65c23:1128")
    );

    let broken = |pointer: &str, value: &str| {
        let mut payload = payload.clone();
        *payload.pointer_mut(pointer).unwrap() = value.into();
        let envelope = Envelope::read(&payload).unwrap();
        check(
            &envelope,
            &requirement,
            1_795_000_000,
            SignatureBy::Facilitator,
        )
        .unwrap_err()
    };
    let inner = "/payload/permit2Authorization";
    let stranger = "0x000000000000000000000000000000000000dEaD";
    let cases = [
        ("spender", stranger, Reason::Spender),
        ("witness/to", stranger, Reason::PermitRecipient),
        ("permitted/token", stranger, Reason::Token),
        ("permitted/amount", "9999", Reason::PermitValue),
        ("witness/validAfter", "1795000001", Reason::PermitNotYet),
    ];
    for (field, value, reason) in cases {
        assert_eq!(
            broken(&format!("{inner}/{field}"), value),
            reason,
            "{field}"
        );
    }
}
