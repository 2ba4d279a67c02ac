//! What to do next with a call: the one decision, asked again after every event.
//!
//! `gate` performs the step, persists what happened and asks again. Only `Quoted` and `Awaiting` consult the mode;
//! from `Ready` on every mode shares one path, so no mode can invent a double spend.

use crate::Millis;
use crate::call::{Call, CallState, Cause, Remedy};
use crate::mode::{Ask, AskStatus, Mode};
use crate::payment::PaymentState;

/// What is known beside the call itself when the decision is made.
#[derive(Clone, Copy, Debug)]
pub struct Situation {
    /// The time.
    pub now: Millis,
    /// Whether the provider was asked in this turn already, or so recently that asking again is pointless.
    pub checked: bool,
    /// Whether the caller presents the payment to redeem it, rather than asking for the tool.
    pub redeeming: bool,
    /// Whether a lost run may be repeated: the tool's effective grants leave it pure, or it is idempotent by consent.
    pub repeatable: bool,
}

/// The next thing to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Ask the provider for the payment.
    Request,
    /// Answer the caller with a request for payment.
    Ask(Ask),
    /// Ask the provider how the payment stands.
    Check,
    /// Nobody paid in time and the provider said so: end the call.
    Expire,
    /// Take the right to run.
    Claim,
    /// Somebody runs it: wait for the outcome, or say that it is running.
    Wait,
    /// The run is lost and must not be repeated: record that.
    LoseRun,
    /// Take the reserved money.
    Settle,
    /// Record that the stored outcome is paid for.
    Conclude,
    /// Give the stored outcome.
    Deliver,
    /// Give a reservation back.
    Release,
    /// Record why somebody is owed.
    Owe(Cause),
    /// Start making somebody whole.
    Compensate(Remedy),
    /// Carry on a remedy that was started.
    Remedy(Remedy),
    /// Tell the caller how the call ended without an outcome.
    Ended,
}

/// Decides. Total over every state: there is no call for which nothing is to be done or said.
pub fn next(call: &Call, mode: &dyn Mode, situation: &Situation) -> Step {
    match &call.state {
        CallState::Quoted => Step::Request,
        CallState::Awaiting => awaiting(call, mode, situation),
        CallState::Ready => Step::Claim,
        CallState::Running { lease_until, .. } if situation.now < *lease_until => Step::Wait,
        CallState::Running { .. } if situation.repeatable => Step::Claim,
        CallState::Running { .. } => Step::LoseRun,
        CallState::Executed if call.payment.state == PaymentState::Paid => Step::Conclude,
        CallState::Executed | CallState::Settling => Step::Settle,
        CallState::Deliverable => Step::Deliver,
        CallState::ToolFailed { .. } => owe_or_release(call, Cause::ToolFailed),
        CallState::Indeterminate => owe_or_release(call, Cause::RunLost),
        CallState::LatePaid => Step::Owe(Cause::LatePaid),
        CallState::CompensationDue { .. } => Step::Compensate(Remedy::Refund),
        CallState::Compensating { remedy, .. } => Step::Remedy(*remedy),
        CallState::Withheld
        | CallState::Refunded { .. }
        | CallState::Credited { .. }
        | CallState::Declined
        | CallState::Expired
        | CallState::Attention { .. } => Step::Ended,
    }
}

fn awaiting(call: &Call, mode: &dyn Mode, situation: &Situation) -> Step {
    let overdue = situation.now >= call.quote.expires_at;
    match (situation.checked, overdue) {
        (false, _) => Step::Check,
        (true, true) => Step::Expire,
        (true, false) => {
            let status = if situation.redeeming {
                AskStatus::Pending
            } else {
                AskStatus::Required
            };
            Step::Ask(mode.ask(call, status))
        }
    }
}

fn owe_or_release(call: &Call, cause: Cause) -> Step {
    if call.payment.state.is_taken() {
        Step::Owe(cause)
    } else {
        Step::Release
    }
}
