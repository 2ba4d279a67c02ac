//! Double entry: what a transition does to the accounts, derived from the call before and after it.
//!
//! Every transaction sums to zero in each currency. What is owed is therefore a balance: `undelivered` is money taken
//! for which nobody has received anything yet.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::call::{Call, CallState, Cause};
use crate::money::{Amount, Currency};

/// An account of the ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Book {
    /// What the provider holds for us: grows (debit, positive) when a payer pays.
    Clearing,
    /// What we owe callers: paid and not delivered (credit, negative).
    Undelivered,
    /// What we earned, before refunds and fees (credit, negative).
    Revenue,
    /// What went back of earnings after the delivery (debit, positive).
    Refunds,
    /// What callers hold as balance (credit, negative).
    Credit,
    /// What providers charged us (debit, positive).
    Fees,
}

impl Book {
    /// Every account, in the order in which people read them.
    pub const ALL: [Self; 6] = [
        Self::Clearing,
        Self::Undelivered,
        Self::Revenue,
        Self::Refunds,
        Self::Credit,
        Self::Fees,
    ];

    /// The word in the ledger.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Clearing => "clearing",
            Self::Undelivered => "undelivered",
            Self::Revenue => "revenue",
            Self::Refunds => "refunds",
            Self::Credit => "credit",
            Self::Fees => "fees",
        }
    }
}

/// One line of a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Which account.
    pub book: Book,
    /// Debit positive, credit negative.
    pub amount: Amount,
    /// In what.
    pub currency: Currency,
}

/// Where a call's money lies: what its entries must add up to.
pub fn position(call: &Call) -> BTreeMap<(Book, Currency), Amount> {
    let mut lines = BTreeMap::<(Book, Currency), i64>::new();
    let mut add = |book, currency, nanos| *lines.entry((book, currency)).or_default() += nanos;
    let price = call.quote.price.currency;
    let received = call.payment.received.map_or(price, |money| money.currency);
    let (held, refunded) = (call.held().nanos(), call.payment.refunded.nanos());
    let fee = call.payment.fee.nanos();
    let credit = match holds_credit(&call.state) {
        true => call.credit.nanos(),
        false => 0,
    };
    add(Book::Clearing, received, held - fee);
    add(Book::Fees, received, fee);
    add(Book::Credit, price, credit);
    match call.state {
        CallState::Deliverable => {
            add(Book::Revenue, received, -(held + refunded));
            add(Book::Refunds, received, refunded);
            add(Book::Revenue, price, -credit);
        }
        CallState::Credited { .. } => add(Book::Credit, received, -held),
        _ => {
            add(Book::Undelivered, received, -held);
            add(Book::Undelivered, price, -credit);
        }
    }
    let moved = lines.into_iter().filter(|(_, nanos)| *nanos != 0);
    moved
        .map(|(line, nanos)| (line, Amount::from_nanos(nanos)))
        .collect()
}

/// Whether what came from the balance is still in the call: it returns when the call ends without an outcome, and does
/// not leave again for money that comes too late.
fn holds_credit(state: &CallState) -> bool {
    match state {
        CallState::Declined
        | CallState::Expired
        | CallState::Withheld
        | CallState::Refunded { .. }
        | CallState::Credited { .. }
        | CallState::LatePaid => false,
        CallState::CompensationDue { cause, .. } | CallState::Compensating { cause, .. } => {
            *cause != Cause::LatePaid
        }
        CallState::Attention {
            from: Some(from), ..
        } => holds_credit(from),
        _ => true,
    }
}

/// The entries of one transition; empty when no money moved. They sum to zero.
pub fn entries(before: Option<&Call>, after: &Call) -> Vec<Entry> {
    let mut lines: BTreeMap<_, _> = position(after)
        .into_iter()
        .map(|(line, amount)| (line, amount.nanos()))
        .collect();
    for (line, amount) in before.map(position).unwrap_or_default() {
        *lines.entry(line).or_default() -= amount.nanos();
    }
    let moved = lines.into_iter().filter(|(_, nanos)| *nanos != 0);
    moved
        .map(|((book, currency), nanos)| Entry {
            book,
            amount: Amount::from_nanos(nanos),
            currency,
        })
        .collect()
}
