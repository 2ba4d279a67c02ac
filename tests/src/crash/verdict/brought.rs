//! Payments that the client brought: taken at most once, for what was delivered or is owed, and in the right order.

use coinop::ledger::Audited;
use coinop_core::call::{Call, CallState};

use super::Evidence;
use crate::crash::trace::Visit;
use crate::facilitator::Question;

/// Whether a call was paid by the transfer with this nonce.
pub(super) fn is_paid_by(call: &Call, nonce: &str) -> bool {
    let reference = call.payment.reference.as_deref();
    reference.is_some_and(|reference| reference.ends_with(nonce))
}

/// What does not hold.
pub(super) fn violations(calls: &[Audited], evidence: &Evidence<'_>) -> Vec<String> {
    let mut found = Vec::new();
    let taken = evidence.facilitator.settled();
    for nonce in &evidence.signed {
        let calls = calls.iter().map(|audited| &audited.record.call);
        let bought: Vec<&Call> = calls.filter(|call| is_paid_by(call, nonce)).collect();
        let [call] = bought[..] else {
            found.push(format!("{nonce} bought {} calls", bought.len()));
            continue;
        };
        let taken = taken.iter().any(|settled| settled.transaction == *nonce);
        found.extend(misplaced(call, taken));
        found.extend(unordered(call, evidence.visits));
    }
    let foreign = taken
        .iter()
        .filter(|settled| !evidence.signed.contains(&settled.transaction));
    found.extend(foreign.map(|settled| format!("nobody signed {settled:?}")));
    let asked = evidence.facilitator.asked(Question::Settle).len();
    let lost = evidence.scenario.brings.and_then(|brings| brings.loses) == Some(Question::Settle);
    if !evidence.disturbed && asked != taken.len() + usize::from(lost) {
        let taken = taken.len();
        found.push(format!("asked {asked} times to take {taken} payments"));
    }
    found
}

/// Money is taken for what is delivered, and for what is given back; for nothing else.
fn misplaced(call: &Call, taken: bool) -> Option<String> {
    let due = matches!(
        call.state,
        CallState::Deliverable | CallState::Refunded { .. } | CallState::Credited { .. }
    );
    (taken != due).then(|| {
        let (tool, state) = (&call.quote.tool, call.state.name());
        format!("{tool} is {state}; its payment was taken: {taken}")
    })
}

/// The money is taken after the run, or before it where the operator says so.
fn unordered(call: &Call, visits: &[Visit]) -> Option<String> {
    let first = |name: &str, is_call: bool| {
        let of_call = |subject: &str| match is_call {
            true => subject == call.id.as_str(),
            false => subject.split(' ').next() == Some(call.id.as_str()),
        };
        visits
            .iter()
            .position(|visit| visit.name == name && of_call(&visit.subject))
    };
    let (before, after, what) = match call.quote.upfront {
        true => (
            first("after-settle", true),
            first("before-run", false),
            "run before it was settled",
        ),
        false => (
            first("after-run", false),
            first("before-settle", true),
            "settled before it had run",
        ),
    };
    let wrong = after.is_some_and(|after| before.is_none_or(|before| before > after));
    wrong.then(|| format!("{} was {what}", call.quote.tool))
}
