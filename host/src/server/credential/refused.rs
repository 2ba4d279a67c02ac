//! Calls whose payment cannot be read: answered with what to pay, and with what is wrong.

use serde_json::Value;

use super::Unusable;
use crate::gate::{Invocation, Reply};
use crate::provider::rail::{Credential, Protocol, Rejected};
use crate::server::Calls;

/// x402's word for a payment that cannot be read.
const X402_CODE: &str = "invalid_payload";
/// The Machine Payments Protocol's.
const MPP_CODE: &str = "malformed-credential";

/// Answers a call whose payment is `unusable`.
///
/// The gate is asked with a payment that no rail can take: so it neither runs a paid tool nor opens a link that nobody
/// asked for, and says what may be paid.
pub(in crate::server) async fn refuse(
    calls: &dyn Calls,
    mut invocation: Invocation,
    unusable: Unusable,
) -> Reply {
    invocation.credential = Some(Credential {
        protocol: unusable.protocol,
        json: Value::Null,
    });
    let mut reply = calls.call(invocation).await;
    if let Reply::Challenge(challenged) = &mut reply {
        challenged.rejected = Some(unusable.into());
    }
    reply
}

impl From<Unusable> for Rejected {
    fn from(unusable: Unusable) -> Self {
        let code = match unusable.protocol {
            Protocol::X402 => X402_CODE,
            Protocol::Mpp => MPP_CODE,
        };
        Self::Invalid {
            code: code.to_owned(),
            message: unusable.reason,
        }
    }
}
