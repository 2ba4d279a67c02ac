//! The invariants, checked when a play is over: every promise of the ledger against four witnesses.
//!
//! The witnesses are the ledger's file, the provider's own books, the trace of what was really started, and what the
//! client was told.

mod brought;
mod money;
mod receipts;
mod runs;

use std::collections::BTreeMap;

use coinop::clock::{Clock as _, SystemClock};
use coinop::ledger::sqlite::SqliteLedger;
use coinop::ledger::{Audited, Ledger};
use coinop_core::call::{Call, CallState};
use coinop_core::payment::PaymentState;
use serde_json::Value;

use super::scenario::Scenario;
use super::trace::Visit;
use crate::facilitator::Facilitator;
use crate::home::Home;

/// More calls than any play makes.
const CALLS_MAX: u32 = 100;

/// What a play saw.
pub struct Evidence<'a> {
    /// What was played.
    pub scenario: &'a Scenario,
    /// Whether somebody was killed.
    pub disturbed: bool,
    /// The trace.
    pub visits: &'a [Visit],
    /// Outcomes that the client saw, by tool.
    pub seen: &'a BTreeMap<&'static str, Value>,
    /// Payments that the client was asked for.
    pub payments: Vec<String>,
    /// Who took the payments that the client brought.
    pub facilitator: &'a Facilitator,
    /// The nonces of those.
    pub signed: Vec<String>,
}

/// Every broken promise in `home`.
pub async fn violations(home: &Home, evidence: &Evidence<'_>) -> Vec<String> {
    let ledger = match SqliteLedger::open(&home.ledger(), SystemClock.now()) {
        Ok(ledger) => ledger,
        Err(error) => return vec![error.to_string()],
    };
    let calls = match ledger.audit(None, CALLS_MAX).await {
        Ok(calls) => calls,
        Err(error) => return vec![error.to_string()],
    };
    let mut found = Vec::new();
    found.extend(ends(&calls, evidence));
    found.extend(kept(&calls, evidence));
    found.extend(brought::violations(&calls, evidence));
    found.extend(money::violations(home, &calls, evidence));
    found.extend(runs::violations(&calls, evidence));
    found.extend(receipts::violations(&ledger, &calls).await);
    found
}

/// Every call ended, in a way that its scenario allows.
fn ends(calls: &[Audited], evidence: &Evidence<'_>) -> Vec<String> {
    let mut found = Vec::new();
    for audited in calls {
        let call = &audited.record.call;
        let (tool, state) = (call.quote.tool.as_str(), end_of(call));
        let end = evidence.scenario.ends.iter().find(|end| end.tool == tool);
        let allowed = end.is_some_and(|end| {
            end.always.contains(&state) || (evidence.disturbed && end.disturbed.contains(&state))
        });
        if !allowed {
            found.push(format!(
                "{tool} ended {state}, not as {end:?}: {:?}",
                call.state
            ));
        }
        if call.refund.is_some() {
            found.push(format!("{tool} still has a refund ordered"));
        }
        let delivered = call.state == CallState::Deliverable;
        if evidence.seen.contains_key(tool) && !delivered {
            found.push(format!(
                "the client saw an outcome of {tool}, which is {state}"
            ));
        }
        if delivered && !evidence.seen.contains_key(tool) {
            found.push(format!("the outcome of {tool} was never delivered"));
        }
        if delivered != audited.has_outcome {
            let stored = audited.has_outcome;
            found.push(format!("{tool} is {state}; an outcome is stored: {stored}"));
        }
        let erased = audited.record.arguments.is_none() && audited.record.run_spec.is_none();
        if !erased {
            found.push(format!("{tool} is {state} and has kept its arguments"));
        }
    }
    found
}

/// The word for the end of a call: its state, and whether money went back after the delivery.
fn end_of(call: &Call) -> &'static str {
    match call.state {
        CallState::Deliverable if call.payment.state == PaymentState::Refunded => {
            "deliverable and refunded"
        }
        _ => call.state.name(),
    }
}

/// Nothing that the client was told of is lost, and nobody was asked to pay twice for the same.
fn kept(calls: &[Audited], evidence: &Evidence<'_>) -> Vec<String> {
    let ids: Vec<&str> = calls
        .iter()
        .map(|audited| audited.record.call.payment.id.as_str())
        .collect();
    let mut found: Vec<String> = evidence
        .payments
        .iter()
        .filter(|payment| !ids.contains(&payment.as_str()))
        .map(|payment| format!("the client was asked for {payment}, which is not in the ledger"))
        .collect();
    let wanted = evidence.scenario.ends.len();
    if calls.len() != wanted {
        found.push(format!("{} calls instead of {wanted}", calls.len()));
    }
    found
}
