//! What is kept with the call of a payment that was verified: all that settling it needs, so that any host of the ledger
//! can do it later.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::payload::{Envelope, Signed, Version};
use super::terms::{Method, Recipient, Requirement, Resource, Terms};

/// A verified payment, as kept.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Kept {
    /// Which version of x402 the payer spoke: 1 or 2.
    pub version: u8,
    /// What the payer presented.
    pub payload: Value,
    /// What it was checked against.
    pub requirement: Value,
    /// Who pays.
    pub payer: Option<String>,
    /// When it was verified, seconds since the Unix epoch.
    pub verified_at_s: i64,
    /// Until when it can be taken, seconds since the Unix epoch.
    pub valid_until_s: i64,
}

/// What a chain is asked about: the one transfer that settles a payment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trace {
    /// EIP-3009: the token says itself what became of a nonce.
    Eip3009(Recipient, super::evm::Transfer),
    /// Permit2: that contract says whether a nonce was used, and the transaction what moved.
    Permit2(Recipient, super::payload::Permit),
}

impl Kept {
    /// What to keep of a payload that holds for `requirement`. What the client says it accepted is replaced by what we
    /// require, so that no facilitator is told anything else.
    pub fn new(
        envelope: &Envelope<'_>,
        payload: &Value,
        requirement: &Requirement<'_>,
        resource: Resource<'_>,
    ) -> Option<Self> {
        let mut payload = payload.clone();
        let (version, requirement) = match envelope.version {
            Version::V1 => (1, requirement.v1(resource)?),
            Version::V2 => (2, requirement.v2()),
        };
        if version == 2 {
            payload["accepted"] = requirement.clone();
        }
        Some(Self {
            version,
            payload,
            requirement,
            payer: None,
            verified_at_s: 0,
            valid_until_s: 0,
        })
    }

    /// What a facilitator is sent, to verify and to settle.
    pub fn request(&self) -> Value {
        json!({
            "x402Version": self.version,
            "paymentPayload": self.payload,
            "paymentRequirements": self.requirement,
        })
    }

    /// The network as the payer's version names it.
    pub fn network(&self) -> &str {
        self.requirement["network"].as_str().unwrap_or_default()
    }

    /// How much, in base units.
    pub fn amount(&self) -> &str {
        let amount = match self.version {
            1 => &self.requirement["maxAmountRequired"],
            _ => &self.requirement["amount"],
        };
        amount.as_str().unwrap_or_default()
    }

    /// What a chain would show of it; `None` where no chain that we can read has it.
    pub fn trace(&self, terms: &Terms) -> Option<Trace> {
        let signed = Envelope::read(&self.payload).ok()?.signed().ok()?;
        match (&terms.method, signed) {
            (Method::Eip3009(to, _), Signed::Eip3009(transfer, _)) => {
                Some(Trace::Eip3009(*to, transfer))
            }
            (Method::Permit2(to, _), Signed::Permit2(permit)) => Some(Trace::Permit2(*to, permit)),
            _ => None,
        }
    }
}
