//! Why a call that was paid has not ended, and whether anybody looks after it. Pure.

use coinop_core::Millis;
use coinop_core::call::{Call, CallState};
use coinop_core::payment::PaymentState;

use crate::clock::rfc3339;
use crate::ledger::Audited;

/// How late hosts may look at a call before something is wrong, milliseconds.
const OVERDUE_MS: Millis = 60 * 60_000;

/// What a paid call waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Wait {
    /// Its caller, who has not come for the result.
    Caller,
    /// The end of its run.
    Run,
    /// Its money, which is being taken.
    Settlement,
    /// Its caller to be made whole.
    Compensation,
    /// A refund that a person ordered.
    OrderedRefund,
    /// A person.
    Person,
}

impl Wait {
    /// The word for scripts.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Caller => "caller",
            Self::Run => "run",
            Self::Settlement => "settlement",
            Self::Compensation => "compensation",
            Self::OrderedRefund => "ordered_refund",
            Self::Person => "person",
        }
    }
}

/// A paid call that has not come to rest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Open {
    /// What it waits for.
    pub wait: Wait,
    /// The same with its times, for people.
    pub reason: String,
    /// Why that is wrong, where it is.
    pub fault: Option<String>,
}

/// Whether money is with the provider for a call, taken or reserved.
fn is_paid(call: &Call) -> bool {
    call.payment.state.was_taken()
        || matches!(
            call.payment.state,
            PaymentState::Authorized | PaymentState::Settling | PaymentState::SettleUnknown
        )
}

/// Why a paid call is open at `now`; `None` when it is at rest, or was never paid.
pub fn open(audited: &Audited, now: Millis) -> Option<Open> {
    let call = &audited.record.call;
    let since = rfc3339(audited.record.updated_at);
    let (wait, reason) = match &call.state {
        CallState::Deliverable => {
            let order = call.refund.as_ref()?;
            let at = rfc3339(order.at);
            (
                Wait::OrderedRefund,
                format!("a refund was ordered at {at} and is not made"),
            )
        }
        state if state.is_end() || !is_paid(call) => return None,
        CallState::Ready => {
            let until = audited.record.updated_at + call.quote.claim_window_ms;
            let reason = format!("waiting for its caller until {}", rfc3339(until));
            (Wait::Caller, reason)
        }
        CallState::Running { lease_until, .. } => {
            let reason = format!("running until {} at the latest", rfc3339(*lease_until));
            (Wait::Run, reason)
        }
        CallState::Executed | CallState::Settling => {
            let reason = format!("its money is being taken since {since}");
            (Wait::Settlement, reason)
        }
        CallState::CompensationDue {
            attempts, tried_at, ..
        } => {
            let since = tried_at.map_or(since, rfc3339);
            let reason = format!("owed since {since}, after {attempts} failed attempts");
            (Wait::Compensation, reason)
        }
        CallState::Compensating { tried_at, .. } => {
            let reason = format!("being made whole since {}", rfc3339(*tried_at));
            (Wait::Compensation, reason)
        }
        CallState::Attention { reason, .. } => {
            let reason = format!("needs a person since {since}: {reason}");
            (Wait::Person, reason)
        }
        _ => (Wait::Compensation, format!("owed since {since}")),
    };
    Some(Open {
        fault: neglected(audited, wait, now),
        wait,
        reason,
    })
}

/// Whether hosts have forgotten a call that they should look at.
fn neglected(audited: &Audited, wait: Wait, now: Millis) -> Option<String> {
    match audited.due_at {
        _ if wait == Wait::Person => None,
        None => Some("no host will ever look at it".to_owned()),
        Some(due_at) if due_at.saturating_add(OVERDUE_MS) < now => {
            let due_at = rfc3339(due_at);
            Some(format!(
                "no host has looked at it since it was due at {due_at}"
            ))
        }
        Some(_) => None,
    }
}
