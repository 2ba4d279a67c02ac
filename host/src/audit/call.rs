//! What must hold of every single call: its entries, its receipt, its outcome, its end. Pure.

use std::collections::BTreeMap;

use coinop_core::Millis;
use coinop_core::call::{Call, CallState};
use coinop_core::entry::{Book, position};
use coinop_core::money::{Amount, Currency, Money};
use coinop_core::receipt::{KeySet, Receipt};

use crate::clock::rfc3339;
use crate::ledger::{Audited, Posted};

/// What is known of the ledger as a whole when one call is looked at.
#[derive(Clone, Debug)]
pub struct Rules {
    /// The ledger's id.
    pub ledger: String,
    /// The keys its receipts are signed with.
    pub keys: KeySet,
    /// When receipts began: what was delivered before has none.
    pub receipts_since: Millis,
    /// How long outcomes are kept at least, milliseconds.
    pub retention_ms: Millis,
    /// The time.
    pub now: Millis,
}

/// Whether a call that was delivered has what proves it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proof {
    /// Its receipt.
    Receipt,
    /// None: it was delivered before there were receipts.
    TooOld,
    /// None, and it should.
    Lacking,
    /// None: it was not delivered.
    Undelivered,
}

/// What one call's look gave.
#[derive(Clone, Debug)]
pub struct Looked {
    /// What is wrong.
    pub faults: Vec<String>,
    /// What proves its delivery.
    pub proof: Proof,
    /// Its receipt, where the signature holds.
    pub receipt: Option<Receipt>,
    /// Whether its outcome was forgotten in due time.
    pub forgotten: bool,
}

/// Looks at a call.
pub fn look(audited: &Audited, rules: &Rules) -> Looked {
    let call = &audited.record.call;
    let mut faults = unbalanced(&audited.entries);
    faults.extend(misplaced(call, &audited.entries));
    if matches!(call.state, CallState::Credited { .. }) && call.payment.refunded.is_positive() {
        faults.push("it was both refunded and credited".to_owned());
    }
    let mut receipt = None;
    if let Some(text) = &audited.receipt {
        match rules.keys.verify(text) {
            Ok(verified) => {
                faults.extend(contradictions(call, &verified, &rules.ledger));
                receipt = Some(verified);
            }
            Err(error) => faults.push(format!("its receipt: {error}")),
        }
    }
    let proof = proof(audited, rules);
    if proof == Proof::Lacking {
        faults.push("it was delivered without a receipt".to_owned());
    }
    let forgotten = call.state == CallState::Deliverable && !audited.has_outcome;
    let kept_until = audited.record.updated_at.saturating_add(rules.retention_ms);
    if forgotten && kept_until > rules.now {
        let until = rfc3339(kept_until);
        faults.push(format!(
            "its outcome is to be kept until {until} and is gone"
        ));
    }
    Looked {
        faults,
        proof,
        receipt,
        forgotten,
    }
}

/// Changes whose entries do not add up to nothing.
fn unbalanced(entries: &[Posted]) -> Vec<String> {
    let mut sums = BTreeMap::<(i64, Currency), i128>::new();
    for posted in entries {
        let sum = sums.entry((posted.change, posted.amount.currency));
        *sum.or_default() += i128::from(posted.amount.amount.nanos());
    }
    let off = sums.into_iter().filter(|(_, sum)| *sum != 0);
    off.map(|((change, currency), sum)| {
        let sum = crate::reconcile::totals::decimal(sum, currency);
        format!("the entries of its change {change} add up to {sum} {currency}, not to nothing")
    })
    .collect()
}

/// Books that do not hold what the call's state says.
fn misplaced(call: &Call, entries: &[Posted]) -> Vec<String> {
    let mut sums = BTreeMap::<(Book, Currency), i128>::new();
    for posted in entries {
        let sum = sums.entry((posted.book, posted.amount.currency));
        *sum.or_default() += i128::from(posted.amount.amount.nanos());
    }
    for ((book, currency), amount) in position(call) {
        let sum = sums.entry((book, currency)).or_default();
        *sum -= i128::from(amount.nanos());
    }
    let off = sums.into_iter().filter(|(_, difference)| *difference != 0);
    off.map(|((book, currency), difference)| {
        let difference = crate::reconcile::totals::decimal(difference, currency);
        let book = book.as_str();
        format!(
            "its entries in {book} differ by {difference} {currency} from what a call that is {} holds",
            call.state.name()
        )
    })
    .collect()
}

fn proof(audited: &Audited, rules: &Rules) -> Proof {
    if audited.record.call.state != CallState::Deliverable {
        return Proof::Undelivered;
    }
    if audited.receipt.is_some() {
        return Proof::Receipt;
    }
    // What is earned is posted in the change that delivers.
    let mut earned = audited.entries.iter().filter(|p| p.book == Book::Revenue);
    let delivered_at = earned.next().map_or(audited.record.updated_at, |p| p.at);
    match delivered_at < rules.receipts_since {
        true => Proof::TooOld,
        false => Proof::Lacking,
    }
}

/// Fields of a receipt that are not its call's.
fn contradictions(call: &Call, receipt: &Receipt, ledger: &str) -> Vec<String> {
    let quote = &call.quote;
    let credit = Money {
        amount: call.credit,
        ..quote.price
    };
    let from_balance = (call.credit != Amount::ZERO).then(|| credit.decimal());
    let fields = [
        ("ledger", receipt.ledger == ledger),
        ("call", receipt.call == call.id),
        ("tool", receipt.tool == quote.tool),
        ("plugin", receipt.plugin == quote.plugin),
        ("component", receipt.component == quote.component),
        ("arguments", receipt.arguments == quote.arguments),
        ("amount", receipt.amount == quote.price.decimal()),
        ("currency", receipt.currency == quote.price.currency.code()),
        ("from_balance", receipt.from_balance == from_balance),
        ("provider", receipt.provider == call.payment.provider),
        ("account", receipt.account == quote.account),
        ("reference", receipt.reference == call.payment.reference),
        ("quoted_at", receipt.quoted_at == call.created_at),
    ];
    let other = fields.into_iter().filter(|(_, same)| !same);
    other
        .map(|(field, _)| format!("its receipt has another {field}"))
        .collect()
}
