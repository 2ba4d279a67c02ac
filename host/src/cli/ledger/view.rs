//! What `coinop ledger check` prints: what was checked with counts, open calls with their reasons, faults one a line.

use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::audit::{Fault, Findings};
use crate::reconcile::totals::decimal;
use crate::unruly::tame;

/// Longest line of somebody else's words.
const TEXT_CHARS_MAX: usize = 400;

/// For people.
pub(super) fn told(findings: &Findings) -> String {
    let mut text = String::new();
    for (what, count) in counts(findings) {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{count:>9}  {what}");
    }
    for ((book, currency), nanos) in &findings.books {
        let amount = decimal(*nanos, *currency);
        let _ = writeln!(text, "{:<11} {amount:>16} {currency}", book.as_str());
    }
    if findings.open_count > 0 {
        let _ = writeln!(text, "Open:");
    }
    for (call, open) in &findings.open {
        let reason = tame(&open.reason, TEXT_CHARS_MAX);
        let _ = writeln!(text, "  {call}  {reason}");
    }
    if findings.open_count > findings.open.len() as u64 {
        let more = findings.open_count - findings.open.len() as u64;
        let _ = writeln!(text, "  and {more} more");
    }
    for Fault { about, what } in &findings.faults {
        let (about, what) = (tame(about, TEXT_CHARS_MAX), tame(what, TEXT_CHARS_MAX));
        let _ = writeln!(text, "FAULT {about}: {what}");
    }
    let faults = findings.faults.len() as u64 + findings.more;
    let _ = match faults {
        0 => writeln!(text, "Everything holds."),
        1 => writeln!(text, "1 fault."),
        n if findings.more > 0 => writeln!(
            text,
            "{n} faults, of which {} are not listed.",
            findings.more
        ),
        n => writeln!(text, "{n} faults."),
    };
    text
}

/// What was checked, and how much of it.
fn counts(findings: &Findings) -> Vec<(&'static str, u64)> {
    let always = [
        ("calls", findings.calls),
        ("entries", findings.entries),
        ("deliveries with a receipt", findings.proven),
        ("receipts in their chains", findings.receipts),
        ("outcomes compared with their receipts", findings.outcomes),
        ("balances compared with their entries", findings.balances),
        ("paid calls open", findings.open_count),
    ];
    let sometimes = [
        ("deliveries older than receipts", findings.too_old),
        ("outcomes past their retention", findings.forgotten),
        ("balances moving just now, not compared", findings.moving),
    ];
    let some = sometimes.into_iter().filter(|(_, count)| *count > 0);
    always.into_iter().chain(some).collect()
}

/// For programs.
pub(super) fn json(findings: &Findings) -> anyhow::Result<String> {
    let books: Vec<Value> = findings
        .books
        .iter()
        .map(|((book, currency), nanos)| {
            let amount = decimal(*nanos, *currency);
            json!({"book": book.as_str(), "amount": amount, "currency": currency})
        })
        .collect();
    let open: Vec<Value> = findings
        .open
        .iter()
        .map(|(call, open)| {
            let reason = tame(&open.reason, TEXT_CHARS_MAX);
            json!({"call": call, "waits_for": open.wait.as_str(), "reason": reason})
        })
        .collect();
    let faults: Vec<Value> = findings
        .faults
        .iter()
        .map(|Fault { about, what }| {
            json!({
                "about": tame(about, TEXT_CHARS_MAX),
                "what": tame(what, TEXT_CHARS_MAX),
            })
        })
        .collect();
    let all = json!({
        "holds": findings.faults.is_empty(),
        "checked": {
            "calls": findings.calls,
            "entries": findings.entries,
            "chains": findings.chains,
            "receipts": findings.receipts,
            "outcomes": findings.outcomes,
            "balances": findings.balances,
        },
        "delivered": {
            "with_receipt": findings.proven,
            "older_than_receipts": findings.too_old,
            "outcome_past_retention": findings.forgotten,
        },
        "balances_moving": findings.moving,
        "books": books,
        "open_count": findings.open_count,
        "open": open,
        "faults": faults,
        "more_faults": findings.more,
    });
    Ok(format!("{}\n", serde_json::to_string_pretty(&all)?))
}
