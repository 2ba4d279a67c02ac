//! What to pay with the call itself, as every known client reads it: x402 and the Machine Payments Protocol in one answer.
//!
//! x402 clients read the structured content, else the first text block as JSON, or `_meta["x402/error"]`; MPP clients read
//! an error (legacy only: newer protocol versions use its number otherwise) or `_meta["org.paymentauth/payment-required"]`.
//! The second text block is for people and models.

use coinop_core::mode::RETRY_AFTER_S;
use coinop_core::peer::{Era, Peer};
use rmcp::ErrorData;
use rmcp::model::{CallToolResponse, CallToolResult, ContentBlock, ErrorCode, MetaObject};
use serde_json::{Map, Value, json};

use super::result::refused;
use crate::gate::{Challenged, Refusal};
use crate::provider::rail::{Challenge, Rejected};

/// x402's `PaymentRequired` in a result's `_meta`.
const META_X402: &str = "x402/error";
/// What stands there as the error of a call without a payment: wallets that read it there pay for this word only.
const X402_REQUIRED: &str = "PAYMENT_REQUIRED";
/// MPP's challenges in a result's `_meta`.
const META_MPP: &str = "org.paymentauth/payment-required";
/// MPP: payment required.
const MPP_REQUIRED: ErrorCode = ErrorCode(-32042);
/// MPP: the payment that was presented does not hold.
const MPP_NOT_VERIFIED: ErrorCode = ErrorCode(-32043);
/// Where MPP's problems are described (RFC 9457 `type`).
const MPP_PROBLEMS: &str = "https://paymentauth.org/problems/";
/// The problems MPP names; whatever else a payment suffers from is a failed verification.
const MPP_PROBLEM_NAMES: &[(&str, &str)] = &[
    ("payment-insufficient", "Payment Insufficient"),
    ("payment-expired", "Payment Expired"),
    ("method-unsupported", "Method Unsupported"),
    ("malformed-credential", "Malformed Credential"),
    ("invalid-challenge", "Invalid Challenge"),
    ("invalid-payload", "Invalid Payload"),
    ("verification-failed", "Verification Failed"),
];

/// The answer, in the form for `peer`.
///
/// # Errors
/// Legacy clients that speak MPP are told by an error, and so are those of tools that nothing else pays for.
pub(super) fn answer(challenged: &Challenged, peer: &Peer) -> Result<CallToolResponse, ErrorData> {
    match by_error(challenged, peer) {
        Some(error) => Err(error),
        None => Ok(result(challenged).into()),
    }
}

/// The answer as a result, for any client.
pub(super) fn result(challenged: &Challenged) -> CallToolResult {
    if let Some(Rejected::Unavailable(why)) = &challenged.rejected {
        return refused(&unavailable(why));
    }
    let mut meta = Map::new();
    let mut content = Vec::new();
    let x402 = payment_required(challenged);
    if let Some(required) = &x402 {
        content.push(ContentBlock::text(required.to_string()));
        let mut required = required.clone();
        if challenged.rejected.is_none() {
            required["error"] = json!(X402_REQUIRED);
        }
        meta.insert(META_X402.to_owned(), required);
    }
    content.push(ContentBlock::text(text(challenged)));
    if let Some(data) = mpp_data(challenged) {
        meta.insert(META_MPP.to_owned(), data);
    }
    let mut result = CallToolResult::error(content);
    result.structured_content = x402;
    result.meta = Some(MetaObject(meta));
    result
}

/// How a payment that cannot be checked now is refused. Not by asking for payment: a wallet would make another one.
pub fn unavailable(why: &str) -> Refusal {
    Refusal::Unavailable {
        message: format!(
            "The payment cannot be checked at the moment ({why}). Present the same payment again; do not make another."
        ),
        retry_after_s: RETRY_AFTER_S,
    }
}

fn by_error(challenged: &Challenged, peer: &Peer) -> Option<ErrorData> {
    let unavailable = matches!(challenged.rejected, Some(Rejected::Unavailable(_)));
    let x402 = payment_required(challenged);
    let speaks_mpp = peer.mpp || x402.is_none();
    if peer.era != Era::Legacy || unavailable || !speaks_mpp {
        return None;
    }
    let mut data = mpp_data(challenged)?;
    if let Some(required) = x402 {
        data["x402"] = required;
    }
    let code = match challenged.rejected {
        None => MPP_REQUIRED,
        Some(_) => MPP_NOT_VERIFIED,
    };
    Some(ErrorData::new(code, text(challenged), Some(data)))
}

/// What x402 asks for, version 2: one object for all accounts that speak it.
pub fn payment_required(challenged: &Challenged) -> Option<Value> {
    let all = challenged.challenges.iter();
    merged(
        all.filter_map(|challenge| match challenge {
            Challenge::X402 { v2, .. } => Some(v2),
            Challenge::Mpp(_) => None,
        }),
        challenged,
    )
}

/// The same of version 1, where it can be said in it.
pub fn payment_required_v1(challenged: &Challenged) -> Option<Value> {
    let all = challenged.challenges.iter();
    merged(
        all.filter_map(|challenge| match challenge {
            Challenge::X402 { v1, .. } => v1.as_ref(),
            Challenge::Mpp(_) => None,
        }),
        challenged,
    )
}

/// The first, with what the others accept, and with the reason.
fn merged<'a>(mut all: impl Iterator<Item = &'a Value>, challenged: &Challenged) -> Option<Value> {
    let mut required = all.next()?.clone();
    for other in all {
        if let (Some(accepts), Some(more)) = (
            required["accepts"].as_array_mut(),
            other["accepts"].as_array(),
        ) {
            accepts.extend(more.iter().cloned());
        }
    }
    required["error"] = match &challenged.rejected {
        // Programs compare it with x402's words.
        Some(Rejected::Invalid { code, .. }) => json!(code),
        Some(Rejected::Unavailable(_)) | None => json!(opening(challenged)),
    };
    Some(required)
}

/// MPP's challenges, of all accounts that speak it.
pub fn mpp_challenges(challenged: &Challenged) -> impl Iterator<Item = &Value> {
    challenged
        .challenges
        .iter()
        .flat_map(|challenge| match challenge {
            Challenge::Mpp(challenges) => challenges.as_slice(),
            Challenge::X402 { .. } => &[],
        })
}

fn mpp_data(challenged: &Challenged) -> Option<Value> {
    let challenges: Vec<_> = mpp_challenges(challenged).collect();
    (!challenges.is_empty()).then(
        || json!({"httpStatus": 402, "challenges": challenges, "problem": problem(challenged)}),
    )
}

/// Why, as RFC 9457 writes it.
pub fn problem(challenged: &Challenged) -> Value {
    let (name, title) = match &challenged.rejected {
        Some(Rejected::Invalid { code, .. }) => {
            let name = code.replace('_', "-");
            let known = MPP_PROBLEM_NAMES.iter().find(|(known, _)| *known == name);
            *known.unwrap_or(&("verification-failed", "Verification Failed"))
        }
        Some(Rejected::Unavailable(_)) | None => ("payment-required", "Payment Required"),
    };
    json!({
        "type": format!("{MPP_PROBLEMS}{name}"),
        "title": title,
        "status": 402,
        "detail": reason(challenged).unwrap_or_else(|| opening(challenged)),
    })
}

/// For people and models: why the presented payment is not taken, the price, and what to do.
pub fn text(challenged: &Challenged) -> String {
    let reason = reason(challenged).map_or_else(String::new, |reason| format!("{reason}\n"));
    let tool = &challenged.tool;
    let mut ways = Vec::new();
    if payment_required(challenged).is_some() {
        ways.push("an x402 payment in _meta[\"x402/payment\"]");
    }
    if mpp_challenges(challenged).next().is_some() {
        ways.push("an MPP credential in _meta[\"org.paymentauth/credential\"]");
    }
    format!(
        "{reason}{}\nNext step: call {tool} again with the same arguments and {}. A client with a wallet does so by \
         itself; nothing is charged before.",
        opening(challenged),
        ways.join(" or "),
    )
}

fn opening(challenged: &Challenged) -> String {
    let test = match challenged.test {
        true => " (TEST: no real money moves)",
        false => "",
    };
    format!(
        "Payment required: {} for {}{test}.",
        challenged.price, challenged.tool
    )
}

fn reason(challenged: &Challenged) -> Option<String> {
    challenged.rejected.as_ref().map(|rejected| {
        format!("The payment was not taken: {rejected}. This call used nothing of it.")
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::testing_rails::{challenged, mpp, x402};

    #[test]
    fn accounts_of_one_protocol_are_asked_for_together() {
        let mut two = challenged("x402_and_mpp", None);
        let Challenge::X402 { mut v2, .. } = x402() else {
            panic!("another protocol's challenge");
        };
        v2["accepts"][0]["network"] = json!("solana:5eykt4UsFv8P8NJdTREpY1vzqKqZKvdp");
        two.challenges.push(Challenge::X402 { v2, v1: None });
        two.challenges.push(mpp());
        let v2 = payment_required(&two).unwrap();
        let networks = v2["accepts"].as_array().unwrap().iter();
        let networks: Vec<_> = networks.map(|accepted| &accepted["network"]).collect();
        assert_eq!(
            networks,
            ["eip155:84532", "solana:5eykt4UsFv8P8NJdTREpY1vzqKqZKvdp"]
        );
        let v1 = payment_required_v1(&two).unwrap();
        assert_eq!(v1["accepts"].as_array().unwrap().len(), 1);
        assert_eq!(mpp_challenges(&two).count(), 2);
    }

    #[test]
    fn a_problem_is_named_as_mpp_names_it() {
        let named = |code: &str| {
            let code = code.to_owned();
            let message = "why".to_owned();
            problem(&challenged(
                "mpp_only",
                Some(Rejected::Invalid { code, message }),
            ))
        };
        for (code, name) in [
            ("payment-expired", "payment-expired"),
            ("payment_expired", "payment-expired"),
            ("malformed-credential", "malformed-credential"),
            ("invalid_exact_evm_payload_signature", "verification-failed"),
        ] {
            assert_eq!(named(code)["type"], format!("{MPP_PROBLEMS}{name}"));
        }
        assert!(named("x")["detail"].as_str().unwrap().contains("why (x)"));
    }

    #[test]
    fn mpp_is_an_error_to_those_who_declare_it_and_in_the_legacy_era() {
        let peer = |era, mpp| Peer {
            era,
            mpp,
            ..Peer::default()
        };
        for (tool, era, mpp, is_error) in [
            ("x402_and_mpp", Era::Legacy, true, true),
            ("x402_and_mpp", Era::Legacy, false, false),
            ("x402_and_mpp", Era::Modern, true, false),
            ("mpp_only", Era::Legacy, false, true),
            ("mpp_only", Era::Modern, false, false),
            ("x402_only", Era::Legacy, true, false),
        ] {
            let answer = answer(&challenged(tool, None), &peer(era, mpp));
            assert_eq!(answer.is_err(), is_error, "{tool} {era:?} {mpp}");
        }
    }
}
