//! Runs: what the trace says was started, against what was paid and what may run twice.

use std::collections::BTreeMap;

use coinop::ledger::Audited;
use coinop_core::call::{Call, CallState};

use super::Evidence;
use crate::crash::trace::{SEEN_PAID, Visit};

/// The guest's tool that says it must not run twice.
const EFFECTFUL: &str = "send";

/// Starts that must not have been.
pub(super) fn violations(calls: &[Audited], evidence: &Evidence<'_>) -> Vec<String> {
    let mut found = Vec::new();
    let mut known = 0;
    for audited in calls {
        let call = &audited.record.call;
        let starts = starts(evidence.visits, call);
        known += starts.len();
        found.extend(of_call(call, &starts));
        found.extend(unpaid(call, &starts, evidence.visits));
    }
    let all = evidence.visits.iter().filter(|v| v.name == "before-run");
    let all = all.count();
    if all != known {
        found.push(format!("{all} runs, of which the ledger knows {known}"));
    }
    found
}

/// A start: where in the trace, and under which epoch.
struct Start {
    at: usize,
    epoch: u32,
}

fn starts(visits: &[Visit], call: &Call) -> Vec<Start> {
    let runs = visits.iter().enumerate();
    let runs = runs.filter(|(_, visit)| visit.name == "before-run");
    runs.filter_map(|(at, visit)| {
        let (id, epoch) = visit.subject.split_once(' ')?;
        let epoch = epoch.parse().ok()?;
        (id == call.id.as_str()).then_some(Start { at, epoch })
    })
    .collect()
}

fn of_call(call: &Call, starts: &[Start]) -> Vec<String> {
    let tool = &call.quote.tool;
    let mut found = Vec::new();
    let mut by_epoch = BTreeMap::<u32, usize>::new();
    for start in starts {
        *by_epoch.entry(start.epoch).or_default() += 1;
    }
    for (epoch, count) in &by_epoch {
        if *count > 1 {
            found.push(format!(
                "{tool} was started {count} times under epoch {epoch}"
            ));
        }
        if *epoch > call.epoch {
            found.push(format!(
                "{tool} was started under epoch {epoch} of {}",
                call.epoch
            ));
        }
    }
    if tool == EFFECTFUL && starts.len() > 1 {
        found.push(format!("{tool} was started {} times", starts.len()));
    }
    if call.state == CallState::Deliverable && starts.is_empty() {
        found.push(format!("{tool} has an outcome and never ran"));
    }
    found
}

/// Starts before anybody had paid: before the payer's decision was committed, or was seen in the provider's books, or
/// what the caller brought was verified.
fn unpaid(call: &Call, starts: &[Start], visits: &[Visit]) -> Option<String> {
    let first = starts.first()?;
    let reference = call.payment.reference.as_deref()?;
    let brought = call.payment.credential.map(|digest| digest.to_string());
    let paid = visits[..first.at].iter().any(|visit| {
        (visit.name == "after-verify" && Some(&visit.subject) == brought.as_ref())
            || (visit.name == "after-decide" && visit.subject == call.id.as_str())
            || (visit.name == SEEN_PAID && visit.subject == reference)
    });
    (!paid).then(|| format!("{} was started before it was paid", call.quote.tool))
}
