//! What is kept of a payment: before it is taken, what taking it needs; afterwards, what its receipt says.

use coinop_core::Millis;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::clock::rfc3339;
use crate::provider::ProviderError;

/// What [`crate::provider::rail::Verified::keep`] holds, by method.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "method", rename_all = "snake_case")]
pub(super) enum Keep {
    /// A signed authorization: what settling it needs.
    Evm { challenge: String, exact: String },
    /// Nothing more is needed.
    Lightning { challenge: String },
    /// A shared payment token, to be charged.
    Stripe {
        challenge: String,
        /// The token.
        spt: String,
        /// When it was presented.
        at: Millis,
    },
}

impl Keep {
    pub(super) fn to_text(&self) -> String {
        json!(self).to_string()
    }

    /// Reads what was kept.
    ///
    /// # Errors
    /// Refused: nothing can be done with the payment, now or later.
    pub(super) fn read(text: Option<&str>) -> Result<Self, ProviderError> {
        let kept = text.and_then(|text| serde_json::from_str(text).ok());
        kept.ok_or_else(|| {
            ProviderError::Refused("what was kept of the payment is not there".into())
        })
    }
}

/// Proof that money moved, as it is kept with the payment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Proof {
    pub(super) method: String,
    pub(super) challenge_id: String,
    /// The method's own name for the payment: a transaction, a payment hash, a charge.
    pub(super) reference: String,
    /// When it was taken, or seen to be.
    pub(super) at: Millis,
}

impl Proof {
    pub(super) fn to_text(&self) -> String {
        json!(self).to_string()
    }

    pub(super) fn read(text: &str) -> Option<Self> {
        serde_json::from_str(text).ok()
    }

    /// The receipt in the protocol's form, over HTTP and MCP alike.
    pub(super) fn receipt(&self) -> Value {
        json!({
            "status": "success",
            "method": self.method,
            "timestamp": rfc3339(self.at),
            "reference": self.reference,
            "challengeId": self.challenge_id,
        })
    }
}
