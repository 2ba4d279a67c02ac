//! Requests for payment and receipts as HTTP headers: x402's of both versions, and the Machine Payments Protocol's.

use axum::http::header::WWW_AUTHENTICATE;
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use coinop_core::arguments::Arguments;
use data_encoding::{BASE64, BASE64URL_NOPAD};
use serde_json::Value;

use crate::gate::Challenged;
use crate::provider::rail::{Protocol, RailReceipt};
use crate::wire::challenge::{mpp_challenges, payment_required};

/// x402, version 2: what to pay.
const PAYMENT_REQUIRED: HeaderName = HeaderName::from_static("payment-required");
/// x402: the settlement response, by version 2's name and by version 1's.
const SETTLED: [HeaderName; 2] = [
    HeaderName::from_static("payment-response"),
    HeaderName::from_static("x-payment-response"),
];
/// MPP: the receipt.
const PAYMENT_RECEIPT: HeaderName = HeaderName::from_static("payment-receipt");
/// What is said of an MPP challenge as it is.
const SAID_PLAINLY: [&str; 4] = ["id", "realm", "method", "intent"];
/// And may be left out.
const SAID_WHERE_KNOWN: [&str; 3] = ["expires", "digest", "description"];

/// Says what to pay.
pub(super) fn put_challenge(challenged: &Challenged, headers: &mut HeaderMap) {
    if let Some(value) = payment_required(challenged).and_then(|required| base64(&required)) {
        headers.insert(PAYMENT_REQUIRED, value);
    }
    for challenge in mpp_challenges(challenged) {
        if let Some(value) = www_authenticate(challenge) {
            headers.append(WWW_AUTHENTICATE, value);
        }
    }
}

/// Says that it was paid.
pub(super) fn put_receipt(receipt: &RailReceipt, headers: &mut HeaderMap) {
    match receipt.protocol {
        Protocol::X402 => {
            for name in SETTLED {
                headers.extend(base64(&receipt.json).map(|value| (name, value)));
            }
        }
        Protocol::Mpp => {
            let value = HeaderValue::try_from(encoded(&receipt.json)).ok();
            headers.extend(value.map(|value| (PAYMENT_RECEIPT, value)));
        }
    }
}

fn base64(value: &Value) -> Option<HeaderValue> {
    HeaderValue::try_from(BASE64.encode(value.to_string().as_bytes())).ok()
}

/// A challenge as `WWW-Authenticate` says it, `None` where it lacks what must be said.
fn www_authenticate(challenge: &Value) -> Option<HeaderValue> {
    let said = |name: &'static str| Some((name, challenge[name].as_str()?.to_owned()));
    let mut parameters = Vec::new();
    for name in SAID_PLAINLY {
        parameters.push(said(name)?);
    }
    parameters.push(("request", encoded(&challenge["request"])));
    parameters.extend(SAID_WHERE_KNOWN.into_iter().filter_map(said));
    if !challenge["opaque"].is_null() {
        parameters.push(("opaque", encoded(&challenge["opaque"])));
    }
    let parameters: Vec<_> = parameters
        .into_iter()
        .filter_map(|(name, value)| Some(format!("{name}=\"{}\"", quotable(&value)?)))
        .collect();
    HeaderValue::try_from(format!("Payment {}", parameters.join(", "))).ok()
}

/// An object as base64url of its canonical JSON, over which challenges are sealed; a text is that already.
fn encoded(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Object(object) => {
            let canonical = Arguments::from_map(object).map(Arguments::into_json);
            let json = canonical.unwrap_or_else(|_| value.to_string());
            BASE64URL_NOPAD.encode(json.as_bytes())
        }
        other => BASE64URL_NOPAD.encode(other.to_string().as_bytes()),
    }
}

/// The inside of a quoted string (RFC 9110 §5.6.4). Headers are ASCII: what is not, a description perhaps, is left out.
fn quotable(text: &str) -> Option<String> {
    let plain = text.bytes().all(|byte| (b' '..=b'~').contains(&byte));
    plain.then(|| text.replace('\\', "\\\\").replace('"', "\\\""))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::server::testing_rails::{challenged, receipt, vector};

    /// The request is the very text that the vector's challenge was sealed over.
    #[test]
    fn an_mpp_challenge_is_said_as_it_was_sealed() {
        let vector = vector!("mpp-challenge-id");
        let sealed = vector["hmac_input"].as_str().unwrap().split('|').nth(3);
        let mut challenge = vector["challenge"].clone();
        challenge["description"] = json!(r#"a "b" \c"#);
        challenge["opaque"] = json!("eyJjYWxsIjoic2hhMjU2OmFiYyJ9");
        let value = www_authenticate(&challenge).unwrap();
        assert_eq!(
            value.to_str().unwrap(),
            format!(
                "Payment id=\"{}\", realm=\"tools.example.com\", method=\"tempo\", intent=\"charge\", request=\"{}\", \
                 expires=\"2026-11-20T12:00:00Z\", description=\"a \\\"b\\\" \\\\c\", \
                 opaque=\"eyJjYWxsIjoic2hhMjU2OmFiYyJ9\"",
                challenge["id"].as_str().unwrap(),
                sealed.unwrap(),
            )
        );
        challenge["description"] = json!("größer\r\nx: y");
        challenge["opaque"] = json!({"call": "sha256:abc"});
        let value = www_authenticate(&challenge).unwrap();
        let value = value.to_str().unwrap();
        assert!(!value.contains("description"), "{value}");
        assert!(value.ends_with("opaque=\"eyJjYWxsIjoic2hhMjU2OmFiYyJ9\""));
        challenge["id"] = json!(null);
        assert_eq!(www_authenticate(&challenge), None);
    }

    #[test]
    fn what_to_pay_and_what_was_paid_are_in_the_headers_of_their_protocols() {
        let mut headers = HeaderMap::new();
        put_challenge(&challenged("x402_and_mpp", None), &mut headers);
        let decoded = |headers: &HeaderMap, name: &str| -> Value {
            let json = BASE64.decode(headers[name].as_bytes()).unwrap();
            serde_json::from_slice(&json).unwrap()
        };
        let required = decoded(&headers, "payment-required");
        assert_eq!(
            required["accepts"],
            vector!("payment-required-v2")["accepts"]
        );
        assert!(headers.contains_key(WWW_AUTHENTICATE));
        let mut headers = HeaderMap::new();
        put_receipt(&receipt(Protocol::X402), &mut headers);
        for name in ["payment-response", "x-payment-response"] {
            assert_eq!(decoded(&headers, name), receipt(Protocol::X402).json);
        }
        put_receipt(&receipt(Protocol::Mpp), &mut headers);
        let json = BASE64URL_NOPAD.decode(headers["payment-receipt"].as_bytes());
        let json: Value = serde_json::from_slice(&json.unwrap()).unwrap();
        assert_eq!(json, receipt(Protocol::Mpp).json);
    }
}
