//! Double entry: what a transition does to the accounts, derived from the call before and after it.
//!
//! Every transaction sums to zero in each currency. What is owed is therefore a balance: `undelivered` is money taken
//! for which nobody has received anything yet.

use serde::{Deserialize, Serialize};

use crate::call::{Call, CallState};
use crate::money::{Amount, Currency};

/// An account of the ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Book {
    /// What the provider holds for us: grows (debit, positive) when a payer pays.
    Clearing,
    /// What we owe callers: paid and not delivered (credit, negative).
    Undelivered,
    /// What we earned (credit, negative).
    Revenue,
    /// What callers hold as balance (credit, negative).
    Credit,
}

impl Book {
    /// The word in the ledger.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Clearing => "clearing",
            Self::Undelivered => "undelivered",
            Self::Revenue => "revenue",
            Self::Credit => "credit",
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

/// Where a call's money lies.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
struct Position {
    clearing: i64,
    undelivered: i64,
    revenue: i64,
    credit: i64,
}

impl Position {
    fn of(call: &Call) -> Self {
        let taken = match call.payment.received {
            Some(received) if call.payment.state.was_taken() => received.amount.nanos(),
            _ => 0,
        };
        let held = taken - call.payment.refunded.nanos();
        let mut position = Self {
            clearing: held,
            ..Self::default()
        };
        match call.state {
            CallState::Deliverable => position.revenue = -held,
            CallState::Credited { .. } => position.credit = -held,
            _ => position.undelivered = -held,
        }
        position
    }
}

/// The entries of one transition; empty when no money moved. They sum to zero.
pub fn entries(before: Option<&Call>, after: &Call) -> Vec<Entry> {
    let old = before.map(Position::of).unwrap_or_default();
    let new = Position::of(after);
    let currency = after
        .payment
        .received
        .map_or(after.quote.price.currency, |m| m.currency);
    [
        (Book::Clearing, new.clearing - old.clearing),
        (Book::Undelivered, new.undelivered - old.undelivered),
        (Book::Revenue, new.revenue - old.revenue),
        (Book::Credit, new.credit - old.credit),
    ]
    .into_iter()
    .filter(|(_, nanos)| *nanos != 0)
    .map(|(book, nanos)| Entry {
        book,
        amount: Amount::from_nanos(nanos),
        currency,
    })
    .collect()
}
