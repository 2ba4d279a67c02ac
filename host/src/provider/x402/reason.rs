//! Why a payload buys nothing, in the words of x402's specification and of its official facilitators.

use crate::provider::rail::Rejected;

/// A reason. Several say the same word on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Reason {
    /// Of neither version.
    #[error("x402Version must be 1 or 2")]
    Version,
    /// Not `exact`.
    #[error("only the scheme exact is taken")]
    Scheme,
    /// Of another network.
    #[error("the payment is for another network")]
    Network,
    /// Not of the form that its scheme has.
    #[error("the payload is not understood: {0}")]
    Payload(&'static str),
    /// To somebody else.
    #[error("the payment goes to somebody else")]
    Recipient,
    /// Not the price.
    #[error("the payment is not exactly the price")]
    Value,
    /// Over, or about to be.
    #[error("the payment is no longer valid, or not long enough")]
    ValidBefore,
    /// Not begun.
    #[error("the payment is not valid yet")]
    ValidAfter,
    /// Not by its payer, or not of this very payment.
    #[error("the signature does not hold")]
    Signature,
    /// Made already, or taken back.
    #[error("the payment was used or cancelled before")]
    Used,
    /// Permit2: to somebody else.
    #[error("the permit is for somebody else")]
    PermitRecipient,
    /// Permit2: not the price.
    #[error("the permit is not exactly for the price")]
    PermitValue,
    /// Permit2: over, or about to be.
    #[error("the permit is no longer valid, or not long enough")]
    PermitDeadline,
    /// Permit2: not begun.
    #[error("the permit is not valid yet")]
    PermitNotYet,
    /// Permit2: another token.
    #[error("the payment is in another token")]
    Token,
    /// Permit2: somebody else may spend it.
    #[error("the payment is not to be spent by x402's own contract")]
    Spender,
    /// An answer to an offer for something else, or to one that is over.
    #[error("the payment answers no offer for this call: {0}")]
    Challenge(&'static str),
}

impl Reason {
    /// The word on the wire.
    pub fn code(self) -> &'static str {
        match self {
            Self::Version => "invalid_x402_version",
            Self::Scheme => "unsupported_scheme",
            Self::Network => "network_mismatch",
            Self::Payload(_) => "invalid_payload",
            Self::Recipient => "invalid_exact_evm_payload_recipient_mismatch",
            Self::Value => "invalid_exact_evm_payload_authorization_value_mismatch",
            Self::ValidBefore => "invalid_exact_evm_payload_authorization_valid_before",
            Self::ValidAfter => "invalid_exact_evm_payload_authorization_valid_after",
            Self::Signature => "invalid_exact_evm_payload_signature",
            Self::Used => "invalid_exact_evm_nonce_already_used",
            Self::PermitRecipient => "invalid_permit2_recipient_mismatch",
            Self::PermitValue => "permit2_amount_mismatch",
            Self::PermitDeadline => "permit2_deadline_expired",
            Self::PermitNotYet => "permit2_not_yet_valid",
            Self::Token => "permit2_token_mismatch",
            Self::Spender => "invalid_permit2_spender",
            Self::Challenge(_) => "invalid_payment_requirements",
        }
    }
}

impl From<Reason> for Rejected {
    fn from(reason: Reason) -> Self {
        Self::Invalid {
            code: reason.code().to_owned(),
            message: reason.to_string(),
        }
    }
}
