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
    /// When the call last changed.
    pub updated_at: Millis,
    /// Whether the provider was asked in this turn already, or so recently that asking again is pointless.
    pub checked: bool,
    /// Whether the caller presents the payment to redeem it, rather than asking for the tool.
    pub redeeming: bool,
    /// Whether a host looks because the call is due, with no caller.
    pub sweeping: bool,
    /// Whether this host's own run of it is alive, whatever the clock says of its lease: machines sleep.
    pub running_here: bool,
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
    /// Nothing: the time for this has not come.
    Rest,
    /// Tell the caller how the call ended without an outcome.
    Ended,
}

/// Decides. Total over every state: there is no call for which nothing is to be done or said.
pub fn next(call: &Call, mode: &dyn Mode, situation: &Situation) -> Step {
    match &call.state {
        CallState::Quoted => Step::Request,
        CallState::Awaiting => awaiting(call, mode, situation),
        CallState::Ready if situation.sweeping => unclaimed(call, situation),
        CallState::Ready => Step::Claim,
        CallState::Running { .. } if situation.running_here => Step::Wait,
        CallState::Running { lease_until, .. } if situation.now < *lease_until => Step::Wait,
        CallState::Running { .. } if situation.repeatable && call.epoch < RUNS_MAX => Step::Claim,
        CallState::Running { .. } => Step::LoseRun,
        CallState::Executed if call.payment.state == PaymentState::Paid => Step::Conclude,
        CallState::Executed | CallState::Settling => Step::Settle,
        CallState::Deliverable => Step::Deliver,
        CallState::ToolFailed => owe_or_release(call, Cause::ToolFailed),
        CallState::Indeterminate => owe_or_release(call, Cause::RunLost),
        CallState::LatePaid => Step::Owe(Cause::LatePaid),
        // A caller that asks again does not hurry a refund that failed: the sweeper paces it.
        CallState::CompensationDue { attempts, .. } if *attempts > 0 && !situation.sweeping => {
            Step::Ended
        }
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

/// Runs of one call at most: one that takes its host down each time is not repeated for ever.
const RUNS_MAX: u32 = 3;

/// How long a host may take over one step before another looks, milliseconds.
const STEP_PATIENCE_MS: Millis = 30_000;

/// When a host should look at a call without being asked, `None` when there is nothing to do for it.
pub fn due_at(call: &Call, updated_at: Millis) -> Option<Millis> {
    match &call.state {
        CallState::Awaiting => Some(call.quote.expires_at),
        CallState::Ready => Some(updated_at + call.quote.claim_window_ms),
        CallState::Running { lease_until, .. } => Some(*lease_until),
        // Each failure doubles the wait, to an hour and a half or so.
        CallState::CompensationDue { attempts, .. } if *attempts > 0 => {
            Some(updated_at + (STEP_PATIENCE_MS << (*attempts).min(8)))
        }
        CallState::Attention { .. } => None,
        state if state.is_end() => None,
        _ => Some(updated_at + STEP_PATIENCE_MS),
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

/// A paid call that nobody has come back for. It may have become ready in this very turn, or since it was listed as due.
fn unclaimed(call: &Call, situation: &Situation) -> Step {
    match due_at(call, situation.updated_at) {
        Some(due_at) if situation.now < due_at => Step::Rest,
        _ => owe_or_release(call, Cause::Unclaimed),
    }
}

fn owe_or_release(call: &Call, cause: Cause) -> Step {
    if call.payment.state.is_taken() {
        Step::Owe(cause)
    } else {
        Step::Release
    }
}
