//! What to do next with a call: the one decision, asked again after every event.
//!
//! `gate` performs the step, persists what happened and asks again. Only `Quoted` and `Awaiting` consult the mode;
//! from `Ready` on every mode shares one path, so no mode can invent a double spend.

use crate::Millis;
use crate::call::{Call, CallState, Cause, Remedy};
use crate::mode::{Ask, AskStatus, Mode, Turn};
use crate::payment::PaymentState;
use crate::peer::Dialog;

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
    /// Whether the provider can send money back.
    pub can_refund: bool,
    /// Whether the provider surely knows the key of a refund that was tried before: asked again, it is the same refund.
    pub key_holds: bool,
    /// Whether the remedy that is under way was started in this very turn.
    pub remedy_started: bool,
    /// How far the conversation with the caller's client has come.
    pub dialog: Dialog,
}

/// The next thing to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Ask the provider for the payment.
    Request,
    /// Answer the caller with a request for payment.
    Ask(Ask),
    /// Wait until the payment may have changed.
    Watch {
        /// How long at most, milliseconds.
        ms: Millis,
        /// What the client is told meanwhile, where it listens.
        ask: Ask,
    },
    /// The payer said no: have the provider call the payment off, which says no itself if it was paid.
    CallOff,
    /// Ask the provider how the payment stands.
    Check,
    /// Nobody paid in time and the provider said so: end the call.
    Expire,
    /// Ask the provider whether money arrived after the end.
    CheckLate,
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
    /// Make a refund that a person ordered.
    Refund,
    /// Everything automatic was tried, or nothing automatic is possible: leave it to a person.
    GiveUp(&'static str),
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
        CallState::Ready if call.payment.state == PaymentState::Releasing => Step::Release,
        CallState::Ready if call.payment.state.is_settling() => Step::Settle,
        CallState::Ready if situation.sweeping => unclaimed(call, situation),
        CallState::Ready if call.payment.state == PaymentState::Authorized => {
            reserved(call, situation)
        }
        CallState::Ready => Step::Claim,
        CallState::Running { .. } if situation.running_here => Step::Wait,
        CallState::Running { lease_until, .. } if situation.now < *lease_until => Step::Wait,
        CallState::Running { .. } if situation.repeatable && call.epoch < RUNS_MAX => Step::Claim,
        CallState::Running { .. } => Step::LoseRun,
        CallState::Executed if call.payment.state == PaymentState::Paid => Step::Conclude,
        CallState::Executed | CallState::Settling => Step::Settle,
        CallState::Deliverable if situation.sweeping && call.refund.is_some() => Step::Refund,
        CallState::Deliverable => Step::Deliver,
        CallState::ToolFailed if situation.repeatable && call.may_try_again() => Step::Claim,
        CallState::ToolFailed => owe_or_release(call, Cause::ToolFailed),
        CallState::Indeterminate => owe_or_release(call, Cause::RunLost),
        CallState::LatePaid => Step::Owe(Cause::LatePaid),
        // A caller that asks again does not hurry a refund that failed: the sweeper paces it.
        CallState::CompensationDue { attempts, .. } if *attempts > 0 && !situation.sweeping => {
            Step::Ended
        }
        CallState::CompensationDue {
            attempts, ordered, ..
        } => compensate(call, *attempts, *ordered, situation),
        // Nor does it repeat what another turn has asked for.
        CallState::Compensating { .. } if !situation.sweeping && !situation.remedy_started => {
            Step::Ended
        }
        CallState::Compensating { remedy, .. } => Step::Remedy(*remedy),
        // Looked at only when due: the last look comes after the time in which money may arrive, not before its end.
        CallState::Expired | CallState::Declined if situation.sweeping && !situation.checked => {
            Step::CheckLate
        }
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

/// Failed attempts at compensation before a person must look.
const COMPENSATION_ATTEMPTS_MAX: u32 = 8;

/// How long a request for a refund may be on its way at most before it counts as lost, milliseconds.
pub const REFUND_ON_ITS_WAY_MS: Millis = 10 * 60_000;

/// How long a host may take over one step before another looks, milliseconds: it may wait for two answers in one.
pub const STEP_PATIENCE_MS: Millis = 60_000;

/// How long a host may take over reserved money before another looks, milliseconds: signatures are good for a minute or
/// so, and whoever has money taken or given back once more changes nothing.
const RESERVED_PATIENCE_MS: Millis = 30_000;

/// Half of the pause after the first refund that failed, milliseconds.
const COMPENSATION_PAUSE_MS: Millis = 30_000;

/// First and longest pause between two looks at an open payment whose news may have been lost, milliseconds.
const POLL_MS_MIN: Millis = 15_000;
const POLL_MS_MAX: Millis = 5 * 60_000;
/// How far the clocks of hosts and providers are apart at most, milliseconds.
const CLOCKS_APART_MS_MAX: Millis = 5 * 60_000;
/// First and longest pause between two looks at a call that ended unpaid, milliseconds.
const LATE_POLL_MS_MIN: Millis = 60_000;
const LATE_POLL_MS_MAX: Millis = 60 * 60_000;
/// How long a call that could not be finished is put off at least and at most, milliseconds.
const PUT_OFF_MS_MIN: Millis = 30_000;
const PUT_OFF_MS_MAX: Millis = 60 * 60_000;

/// When a host should look at a call without being asked, `None` when there is nothing to do for it.
pub fn due_at(call: &Call, updated_at: Millis) -> Option<Millis> {
    match &call.state {
        CallState::Awaiting => Some((updated_at + POLL_MS_MIN).min(call.quote.expires_at)),
        CallState::Expired | CallState::Declined => {
            let last = watched_until(call, updated_at);
            (updated_at < last).then_some((updated_at + LATE_POLL_MS_MIN).min(last))
        }
        CallState::Deliverable if call.refund.is_some() => Some(updated_at + STEP_PATIENCE_MS),
        CallState::Ready
            if call.payment.state == PaymentState::Releasing
                || call.payment.state.is_settling() =>
        {
            Some(updated_at + RESERVED_PATIENCE_MS)
        }
        CallState::Executed | CallState::Settling => Some(updated_at + RESERVED_PATIENCE_MS),
        CallState::Ready => Some(updated_at + call.quote.claim_window_ms),
        CallState::Running { lease_until, .. } => Some(*lease_until),
        // Each failure doubles the wait, to an hour and a half or so.
        CallState::CompensationDue { attempts, .. } if *attempts > 0 => {
            Some(updated_at + (COMPENSATION_PAUSE_MS << (*attempts).min(8)))
        }
        CallState::Attention { .. } => None,
        state if state.is_end() => None,
        _ => Some(updated_at + STEP_PATIENCE_MS),
    }
}

/// When to look again at a call that was due and is unchanged after a look, `None` for never: the longer
/// it takes, the longer the pauses.
pub fn look_again_at(call: &Call, updated_at: Millis, now: Millis) -> Option<Millis> {
    match &call.state {
        CallState::Awaiting if now < call.quote.expires_at => {
            let pause = (now - call.created_at).clamp(POLL_MS_MIN, POLL_MS_MAX);
            Some((now + pause).min(call.quote.expires_at))
        }
        CallState::Expired | CallState::Declined => {
            let last = watched_until(call, updated_at);
            let pause = (now - updated_at).clamp(LATE_POLL_MS_MIN, LATE_POLL_MS_MAX);
            (now < last).then_some((now + pause).min(last))
        }
        _ => {
            let overdue = now.saturating_sub(due_at(call, updated_at).unwrap_or(now));
            Some(now + (overdue / 4).clamp(PUT_OFF_MS_MIN, PUT_OFF_MS_MAX))
        }
    }
}

/// When a call that ended unpaid at `ended_at` is looked at for the last time: no money can arrive any more by anybody's
/// clock. Its link may have taken money until the end was recorded, however long after the offer's.
fn watched_until(call: &Call, ended_at: Millis) -> Millis {
    match call.quote.late_window_ms {
        0 => call.quote.expires_at,
        window => call.quote.expires_at.max(ended_at) + window + CLOCKS_APART_MS_MAX,
    }
}

/// How somebody who is owed is made whole: as the seller or a person said, and by credit where the provider cannot send
/// money back.
fn compensate(call: &Call, attempts: u32, ordered: Option<Remedy>, situation: &Situation) -> Step {
    if attempts >= COMPENSATION_ATTEMPTS_MAX {
        return Step::GiveUp("every attempt at a refund failed");
    }
    if call.held().is_zero() {
        // All of it came from the balance, and returns there.
        return Step::Compensate(Remedy::Credit);
    }
    let wanted = ordered.unwrap_or(call.quote.on_failure);
    let was_tried = matches!(
        call.state,
        CallState::CompensationDue {
            tried_at: Some(_),
            ..
        }
    );
    let quiet_at = situation.updated_at + REFUND_ON_ITS_WAY_MS;
    match possible(wanted, call, situation.can_refund) {
        // The same request again is the same refund.
        Some(Remedy::Refund) if situation.key_holds => Step::Compensate(Remedy::Refund),
        // Before the money becomes balance, or is sent under a key that may be forgotten, whatever was sent to the
        // provider must have arrived there or be lost.
        Some(_) if was_tried && situation.now < quiet_at => Step::Rest,
        Some(remedy) => Step::Compensate(remedy),
        None => {
            Step::GiveUp("the provider gives no refunds, and an anonymous caller has no balance")
        }
    }
}

/// The remedy there is where `wanted` is asked for, `None` where only a person can help: nobody in particular has no
/// balance, and not every provider sends money back.
pub fn possible(wanted: Remedy, call: &Call, can_refund: bool) -> Option<Remedy> {
    let known = call.quote.principal.is_known();
    match wanted {
        Remedy::Credit if known => Some(Remedy::Credit),
        _ if can_refund => Some(Remedy::Refund),
        _ => known.then_some(Remedy::Credit),
    }
}

fn awaiting(call: &Call, mode: &dyn Mode, situation: &Situation) -> Step {
    let overdue = situation.now >= call.quote.expires_at;
    match (situation.checked, overdue) {
        (false, _) => Step::Check,
        (true, true) => Step::Expire,
        (true, false) if situation.sweeping => Step::Rest,
        (true, false) => {
            let status = if situation.redeeming {
                AskStatus::Pending
            } else {
                AskStatus::Required
            };
            match mode.turn(call, status, &situation.dialog) {
                Turn::Ask(ask) => Step::Ask(ask),
                Turn::Wait { ms, ask } => Step::Watch { ms, ask },
                Turn::CallOff => Step::CallOff,
            }
        }
    }
}

/// A call on a reservation. One that ended while nobody came for it is not run on, since nothing would be taken for it.
fn reserved(call: &Call, situation: &Situation) -> Step {
    if call.quote.upfront {
        return Step::Settle;
    }
    match due_at(call, situation.updated_at) {
        Some(ends_at) if situation.now >= ends_at => Step::Release,
        _ => Step::Claim,
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

#[cfg(test)]
mod tests;
