//! Refusals in the protocol's own words: the last part of its problem types, `https://paymentauth.org/problems/…`.

use crate::provider::rail::Rejected;

/// A credential that does not hold.
pub(super) fn invalid(code: &str, message: impl Into<String>) -> Rejected {
    Rejected::Invalid {
        code: code.to_owned(),
        message: message.into(),
    }
}

/// A credential that cannot be read.
pub(super) fn malformed(message: &str) -> Rejected {
    invalid("malformed-credential", message)
}

/// A payload that proves nothing.
pub(super) fn unproven(message: &str) -> Rejected {
    invalid("verification-failed", message)
}
