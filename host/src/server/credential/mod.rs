//! Payments that callers bring with the call: found in `_meta` and in HTTP headers, and exactly one.
//!
//! Whether a payment holds is its rail's business. It is never logged and never part of an answer: reasons name places
//! and bounds, not contents.

mod found;
mod refused;
#[cfg(test)]
mod tests;
mod text;

use axum::http::{HeaderMap, HeaderValue, request};
use coinop_core::peer::Peer;
use rmcp::service::{RequestContext, RoleServer};

pub(super) use self::refused::refuse;
use crate::gate::Invocation;
use crate::provider::rail::{Credential, Protocol};

/// A payment that cannot be used as it was sent.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub(super) struct Unusable {
    protocol: Protocol,
    reason: String,
}

/// The payment that comes with an MCP request, if any. Headers are those of the HTTP request that carried this one, in a
/// session too.
///
/// # Errors
/// One that cannot be read, or two that differ.
pub(super) fn presented(
    context: &RequestContext<RoleServer>,
) -> Result<Option<Credential>, Unusable> {
    let headers = context.extensions.get::<request::Parts>();
    let in_headers = headers.map(|parts| found::in_headers(&parts.headers));
    let all = found::in_meta(&context.meta);
    one(all.chain(in_headers.into_iter().flatten()))
}

/// The payment that comes with a plain HTTP request, if any.
///
/// # Errors
/// As [`presented`].
pub(super) fn of_headers(headers: &HeaderMap) -> Result<Option<Credential>, Unusable> {
    one(found::in_headers(headers))
}

/// Whether an `Authorization` header carries a payment, and so no key.
pub(super) fn is_payment(authorization: &HeaderValue) -> bool {
    found::mpp_part(authorization).is_some()
}

/// Puts what was presented into the call. Whoever presents a payment speaks its protocol, and is answered in it.
///
/// # Errors
/// What was presented is unusable: the call is to be answered by [`refuse`].
pub(super) fn bring(
    invocation: &mut Invocation,
    presented: Result<Option<Credential>, Unusable>,
) -> Result<(), Unusable> {
    let protocol = match &presented {
        Ok(credential) => credential.as_ref().map(|credential| credential.protocol),
        Err(unusable) => Some(unusable.protocol),
    };
    let peer = &mut invocation.dialog.peer;
    if let Some(protocol) = protocol {
        *peer = Peer {
            x402: protocol == Protocol::X402,
            mpp: protocol == Protocol::Mpp,
            ..*peer
        };
    }
    invocation.credential = presented?;
    Ok(())
}

/// The one payment among those that were found: clients that send it in two places mean one.
fn one(
    found: impl Iterator<Item = Result<Credential, Unusable>>,
) -> Result<Option<Credential>, Unusable> {
    let mut one: Option<Credential> = None;
    for credential in found {
        let credential = credential?;
        match &one {
            Some(first) if *first != credential => {
                return Err(Unusable {
                    protocol: first.protocol,
                    reason: "two different payments came with the call; present one".to_owned(),
                });
            }
            _ => one = Some(credential),
        }
    }
    Ok(one)
}
