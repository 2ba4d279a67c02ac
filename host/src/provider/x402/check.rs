//! Whether a payload pays a requirement, as far as can be told without a chain. In the order of the official
//! facilitators, against our own requirement only.

use super::evm::{Address, Transfer, signature};
use super::payload::{Envelope, Permit, Signed};
use super::reason::Reason;
use super::terms::{Method, PERMIT2_SPENDER, Recipient, Requirement};

/// How much longer an authorisation must hold, seconds: a block or a few, as the official facilitators ask.
const VALID_LEAST_S: i64 = 6;

/// Who looks at the signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignatureBy {
    /// We do. Only wallets with a key of their own pass, no contracts.
    Us,
    /// The facilitator does.
    Facilitator,
}

/// A payload that holds, as far as it was looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    /// Who pays; on Solana only the facilitator knows.
    pub payer: Option<Address>,
    /// Until when it holds, seconds since the Unix epoch; on Solana nobody says.
    pub valid_until_s: Option<i64>,
}

/// Checks scheme, network and everything that is signed.
///
/// # Errors
/// The first reason in the official order.
pub fn check(
    envelope: &Envelope<'_>,
    requirement: &Requirement<'_>,
    now_s: i64,
    signature_by: SignatureBy,
) -> Result<Held, Reason> {
    let terms = requirement.terms;
    if envelope.scheme != "exact" {
        return Err(Reason::Scheme);
    }
    if !terms.network.is(envelope.network) {
        return Err(Reason::Network);
    }
    match (&terms.method, envelope.signed()?) {
        (Method::Eip3009(recipient, domain), Signed::Eip3009(transfer, signature)) => {
            check_transfer(&transfer, recipient, requirement, now_s)?;
            let signed = || signature::signer(&transfer.digest(domain), &signature);
            if signature_by == SignatureBy::Us && signed() != Some(transfer.from) {
                return Err(Reason::Signature);
            }
            Ok(held(transfer.from, transfer.valid_before.saturating_i64()))
        }
        (Method::Permit2(recipient, _), Signed::Permit2(permit)) => {
            check_permit(&permit, recipient, requirement, now_s)?;
            Ok(held(permit.from, permit.deadline.saturating_i64()))
        }
        (Method::Transaction, Signed::Transaction(_)) => Ok(Held {
            payer: None,
            valid_until_s: None,
        }),
        _ => Err(Reason::Payload("not of the method that is asked for")),
    }
}

fn held(payer: Address, valid_until_s: i64) -> Held {
    Held {
        payer: Some(payer),
        valid_until_s: Some(valid_until_s),
    }
}

fn check_transfer(
    transfer: &Transfer,
    recipient: &Recipient,
    requirement: &Requirement<'_>,
    now_s: i64,
) -> Result<(), Reason> {
    if transfer.to != recipient.pay_to {
        return Err(Reason::Recipient);
    }
    if transfer.value != requirement.value() {
        return Err(Reason::Value);
    }
    if transfer.valid_before.saturating_i64() < now_s.saturating_add(VALID_LEAST_S) {
        return Err(Reason::ValidBefore);
    }
    if transfer.valid_after.saturating_i64() > now_s {
        return Err(Reason::ValidAfter);
    }
    Ok(())
}

fn check_permit(
    permit: &Permit,
    recipient: &Recipient,
    requirement: &Requirement<'_>,
    now_s: i64,
) -> Result<(), Reason> {
    if PERMIT2_SPENDER.parse() != Ok(permit.spender) {
        return Err(Reason::Spender);
    }
    if permit.to != recipient.pay_to {
        return Err(Reason::PermitRecipient);
    }
    if permit.deadline.saturating_i64() < now_s.saturating_add(VALID_LEAST_S) {
        return Err(Reason::PermitDeadline);
    }
    if permit.valid_after.saturating_i64() > now_s {
        return Err(Reason::PermitNotYet);
    }
    if permit.amount != requirement.value() {
        return Err(Reason::PermitValue);
    }
    if permit.token != recipient.asset {
        return Err(Reason::Token);
    }
    Ok(())
}
