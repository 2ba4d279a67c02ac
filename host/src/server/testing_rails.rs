//! Payments that come with the call, made up for tests: what is asked for are the vectors of real clients.

#![allow(clippy::unwrap_used)]

use coinop_core::money::Money;
use coinop_core::outcome::{Content, Outcome};
use serde_json::{Value, json};

use crate::gate::{Challenged, Invocation, Reply};
use crate::ledger::Delivery;
use crate::provider::rail::{Challenge, Credential, Protocol, RailReceipt, Rejected};

/// A vector by its file's name.
macro_rules! vector {
    ($name:literal) => {
        serde_json::from_str::<serde_json::Value>(include_str!(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/src/wire/vectors/",
            $name,
            ".json"
        )))
        .unwrap()
    };
}
pub(crate) use vector;

/// What x402 asks for.
pub(crate) fn x402() -> Challenge {
    Challenge::X402 {
        v2: vector!("payment-required-v2"),
        v1: Some(vector!("payment-required-v1")),
    }
}

/// What the Machine Payments Protocol asks for.
pub(crate) fn mpp() -> Challenge {
    Challenge::Mpp(vec![vector!("mpp-challenge-id")["challenge"].clone()])
}

/// An x402 payment of version 2.
pub(crate) fn x402_payment() -> Value {
    vector!("01-valid")["paymentPayload"].clone()
}

/// An MPP credential with its echoed challenge.
pub(crate) fn mpp_payment() -> Value {
    json!({"challenge": vector!("mpp-challenge-id")["challenge"], "payload": {"type": "hash", "hash": "0x01"}})
}

/// What may be paid for a tool of that name.
pub(crate) fn challenged(tool: &str, rejected: Option<Rejected>) -> Challenged {
    let challenges = match tool {
        "x402_only" => vec![x402()],
        "mpp_only" => vec![mpp()],
        _ => vec![x402(), mpp()],
    };
    Challenged {
        tool: tool.to_owned(),
        price: Money::parse("0.01", "USD").unwrap(),
        challenges,
        rejected,
        test: true,
    }
}

/// What a rail says of a payment: `"say": "no"` and `"say": "later"` in it are refusals, and no rail knows what is not an
/// object.
fn rejected(credential: &Credential) -> Option<Rejected> {
    let invalid = |code: &str| Rejected::Invalid {
        code: code.to_owned(),
        message: "it does not hold".to_owned(),
    };
    match credential.json["say"].as_str() {
        _ if !credential.json.is_object() => Some(invalid("unsupported_scheme")),
        Some("no") => Some(invalid("invalid_exact_evm_payload_signature")),
        Some("later") => Some(Rejected::Unavailable("the chain is silent".to_owned())),
        _ => None,
    }
}

/// A gate with rails: a call with a payment is settled, and one without is told what to pay.
pub(crate) fn reply(tool: &str, call: &Invocation) -> Reply {
    let Some(credential) = &call.credential else {
        return Reply::Challenge(Box::new(challenged(tool, None)));
    };
    if let Some(rejected) = rejected(credential) {
        return Reply::Challenge(Box::new(challenged(tool, Some(rejected))));
    }
    let text = format!("{} {}", call.principal, json!(call.arguments));
    settled(text, credential)
}

/// A call that its payment has bought.
pub(crate) fn settled(text: String, credential: &Credential) -> Reply {
    let outcome = Outcome {
        content: vec![Content::text(text)],
        meta: Some(r#"{"x402/payment-response":{"forged":true}}"#.to_owned()),
        ..Outcome::default()
    };
    Reply::Settled {
        delivery: Delivery::free(outcome),
        receipt: Some(receipt(credential.protocol)),
    }
}

/// A rail's receipt.
pub(crate) fn receipt(protocol: Protocol) -> RailReceipt {
    let json = match protocol {
        Protocol::X402 => {
            json!({"success": true, "transaction": "0xab", "network": "eip155:84532", "payer": "0x2c"})
        }
        Protocol::Mpp => {
            json!({"status": "success", "method": "tempo", "timestamp": "2026-11-20T12:00:00Z", "reference": "0xab",
                   "challengeId": "Sc9V"})
        }
    };
    RailReceipt { protocol, json }
}
