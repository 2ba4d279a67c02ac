//! Where payments are looked for.

use axum::http::header::AUTHORIZATION;
use axum::http::{HeaderMap, HeaderValue};
use serde_json::{Map, Value};

use super::Unusable;
use super::text::{self, Unreadable};
use crate::provider::rail::{Credential, Protocol};

/// x402 in `_meta`: the key in use, and that of clients whose transport dislikes the slash.
const X402_META: [&str; 2] = ["x402/payment", "x402.payment"];
/// The Machine Payments Protocol in `_meta`.
const MPP_META: &str = "org.paymentauth/credential";
/// x402 in HTTP: version 2's header, and version 1's.
const X402_HEADERS: [&str; 2] = ["payment-signature", "x-payment"];
/// The scheme of `Authorization` by which the Machine Payments Protocol presents a payment.
const MPP_SCHEME: &str = "payment";
/// What an MPP credential echoes of its challenge as base64url in HTTP, and as an object in MCP.
const ENCODED_IN_HTTP: &str = "/challenge/request";

type Found = Result<Credential, Unusable>;

pub(super) fn in_meta(meta: &Map<String, Value>) -> impl Iterator<Item = Found> {
    let x402 = X402_META.into_iter().filter_map(|key| {
        let read = text::of_value(meta.get(key)?);
        Some(credential(Protocol::X402, &format!("_meta[{key:?}]"), read))
    });
    let mpp = meta.get(MPP_META).into_iter().map(|value| {
        let read = match value {
            Value::Object(_) => text::of_value(value),
            _ => Err(Unreadable::NoObject),
        };
        credential(Protocol::Mpp, &format!("_meta[{MPP_META:?}]"), read)
    });
    x402.chain(mpp)
}

pub(super) fn in_headers(headers: &HeaderMap) -> impl Iterator<Item = Found> {
    let x402 = X402_HEADERS.into_iter().flat_map(|name| {
        let values = headers.get_all(name).iter();
        values.map(move |value| {
            let read = of_header(value).and_then(text::of_base64);
            credential(Protocol::X402, &format!("the header {name}"), read)
        })
    });
    let authorizations = headers.get_all(AUTHORIZATION).iter();
    let mpp = authorizations.filter_map(mpp_part).map(|encoded| {
        let read = text::of_base64(encoded).map(in_the_form_of_mcp);
        credential(Protocol::Mpp, "the header authorization", read)
    });
    x402.chain(mpp)
}

/// What follows the scheme in `Authorization: Payment …`; `None` for every other scheme.
pub(super) fn mpp_part(value: &HeaderValue) -> Option<&str> {
    let (scheme, rest) = value.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case(MPP_SCHEME).then_some(rest)
}

fn of_header(value: &HeaderValue) -> Result<&str, Unreadable> {
    value.to_str().map_err(|_| Unreadable::NotBase64)
}

/// One form for rails: the object that HTTP writes as base64url, as an object. What is not such is left for the rail to
/// refuse.
fn in_the_form_of_mcp(mut credential: Value) -> Value {
    let request = credential.pointer_mut(ENCODED_IN_HTTP);
    let object = |text: &Value| text::of_base64(text.as_str()?).ok();
    if let Some(request) = request
        && let Some(object) = object(request)
    {
        *request = object;
    }
    credential
}

fn credential(protocol: Protocol, place: &str, read: Result<Value, Unreadable>) -> Found {
    match read {
        Ok(json) => Ok(Credential { protocol, json }),
        Err(why) => Err(Unusable {
            protocol,
            reason: format!("the payment in {place} {why}"),
        }),
    }
}
