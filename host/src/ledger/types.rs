//! What the ledger is asked and what it answers: changes, filters, records, and why it says no.

use std::sync::Arc;

use coinop_core::Millis;
use coinop_core::call::{Call, Event, IllegalEvent};
use coinop_core::entry::Book;
use coinop_core::ids::{CallId, LinkToken, PaymentId};
use coinop_core::money::{Amount, Currency, Money};
use coinop_core::outcome::Outcome;
use coinop_core::principal::Principal;

/// Hard caps on what one principal may have open and spend. Enforced where the call is recorded, so that hosts sharing
/// the ledger enforce them together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Caps {
    /// Payments that wait for their payer at a time.
    pub open_max: Option<u32>,
    /// New payment links within a minute.
    pub links_per_minute_max: Option<u32>,
    /// Largest price of one call, by currency.
    pub per_call_max: Vec<Money>,
    /// Most spent on calls opened within one day (UTC), by currency; an open payment counts, one that ended unpaid or
    /// was made whole does not.
    pub per_day_max: Vec<Money>,
}

/// A cap that was reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LimitReached {
    /// Too many payments wait for their payer.
    #[error("{max} payments are open already")]
    Open {
        /// The cap.
        max: u32,
        /// When the first of them ends by itself.
        frees_at: Millis,
    },
    /// Too many links within a minute.
    #[error("{max} payment links were made within a minute")]
    Links {
        /// The cap.
        max: u32,
        /// When the oldest of them is a minute old.
        frees_at: Millis,
    },
    /// The price is more than one call may cost.
    #[error("one call may cost {max} at most")]
    PerCall {
        /// The cap.
        max: Money,
    },
    /// The day's cap would be exceeded.
    #[error("{spent} of {max} a day are spent or asked for")]
    PerDay {
        /// The cap.
        max: Money,
        /// What counts already.
        spent: Money,
        /// When the next day begins.
        frees_at: Millis,
    },
}

/// Which calls.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Only in this state, by its name.
    pub state: Option<String>,
    /// Only paid into this account.
    pub account: Option<String>,
    /// Only created at or after this time.
    pub since: Option<Millis>,
    /// Only created before this time.
    pub until: Option<Millis>,
    /// Only those that a host has still to look at by itself.
    pub due: bool,
}

/// What a host is ready to look at.
#[derive(Clone, Debug)]
pub struct TakeDue {
    /// The time.
    pub now: Millis,
    /// Until when nobody else gets what is taken.
    pub until: Millis,
    /// The accounts it has.
    pub accounts: Vec<String>,
    /// How many at most.
    pub limit: u32,
}

/// A call after a change.
#[derive(Clone, Debug)]
pub struct Advanced {
    /// The call.
    pub record: Record,
    /// The receipt that the change issued.
    pub receipt: Option<Arc<str>>,
}

/// A stored outcome.
#[derive(Clone, Debug)]
pub struct Delivery {
    /// The outcome.
    pub outcome: Arc<Outcome>,
    /// Its receipt; calls of earlier versions have none, and neither have calls whose money is not final.
    pub receipt: Option<Arc<str>>,
}

impl Delivery {
    /// The outcome of a free run: nothing is stored, and there is nothing to prove.
    pub fn free(outcome: Outcome) -> Self {
        Self {
            outcome: Arc::new(outcome),
            receipt: None,
        }
    }
}

/// A line of a transaction as stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Posted {
    /// Which change of the call it belongs to: entries of one change sum to zero in each currency.
    pub change: i64,
    /// Which account.
    pub book: Book,
    /// Debit positive, credit negative.
    pub amount: Money,
    /// When.
    pub at: Millis,
}

/// A call with everything that is recorded of it.
#[derive(Clone, Debug)]
pub struct Audited {
    /// The call.
    pub record: Record,
    /// When a host should look at it.
    pub due_at: Option<Millis>,
    /// Its entries, in order.
    pub entries: Vec<Posted>,
    /// Its receipt.
    pub receipt: Option<String>,
    /// Whether its outcome is stored.
    pub has_outcome: bool,
}

/// What a principal holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CreditBalance {
    /// Who.
    pub principal: Principal,
    /// With which account.
    pub account: String,
    /// How much.
    pub amount: Money,
}

/// Why no backup was written.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// This store has better means of its own.
    #[error("{0}")]
    Elsewhere(String),
    /// It could not be written.
    #[error("the backup could not be written: {0}")]
    Failed(String),
}

/// A call to be recorded.
#[derive(Clone, Debug)]
pub struct NewCall {
    /// The call, `Quoted`, or already `Awaiting` where the provider made its payment offline, or `Ready` where the
    /// balance covers it.
    pub call: Call,
    /// The arguments that will run; erased when the call ends.
    pub arguments: String,
    /// How it will run (limits, settings) as JSON; erased with the arguments.
    pub run_spec: String,
}

/// What [`Ledger::open`] found or made.
#[derive(Clone, Debug)]
pub struct Opened {
    /// The call.
    pub record: Record,
    /// Whether it was there already.
    pub existing: bool,
}

/// A call as stored.
#[derive(Clone, Debug)]
pub struct Record {
    /// The call.
    pub call: Call,
    /// Its arguments, `None` once it has ended.
    pub arguments: Option<String>,
    /// How it runs, `None` once it has ended.
    pub run_spec: Option<String>,
    /// When its state last changed.
    pub updated_at: Millis,
    /// Counts its changes: the compare-and-set.
    pub version: i64,
}

/// A tool that a viewer has an open call of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenTool {
    /// The published name it was called by.
    pub tool: String,
    /// When the last of its offers ends.
    pub until: Millis,
}

/// How to find a call.
#[derive(Clone, Debug)]
pub enum CallKey {
    /// By its own id.
    Call(CallId),
    /// By its payment.
    Payment(PaymentId),
    /// By its payment link.
    Link(LinkToken),
    /// By the provider's reference.
    Reference {
        /// The account.
        account: String,
        /// The provider's reference of the payment.
        reference: String,
    },
    /// By the reference of a payment that came with it, whichever account took that.
    Brought(String),
}

/// A change of one call.
#[derive(Clone, Debug)]
pub struct Change {
    /// Which call.
    pub call: CallId,
    /// What happened, in order.
    pub events: Vec<Event>,
    /// The outcome, with [`Event::Executed`].
    pub outcome: Option<Arc<Outcome>>,
    /// When.
    pub at: Millis,
}

/// The sum of one account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Balance {
    /// Which account.
    pub book: String,
    /// In what.
    pub currency: Currency,
    /// Debit positive, credit negative.
    pub amount: Amount,
}

/// Why a change was not made.
#[derive(Debug, thiserror::Error)]
pub enum AdvanceError {
    /// A cap of the principal's was reached. Nothing was recorded.
    #[error(transparent)]
    Limit(#[from] LimitReached),
    /// The balance that the call was to be paid from is not there any more.
    #[error("the balance does not cover it any more")]
    CreditSpent,
    /// The call has moved on: here it is.
    #[error("{error}")]
    Illegal {
        /// What was not legal.
        error: IllegalEvent,
        /// The call as stored.
        record: Box<Record>,
    },
    /// No such call.
    #[error("no such call")]
    Missing,
    /// The operator blocked the component.
    #[error("the component is blocked")]
    Blocked,
    /// The store failed.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

/// Why the store failed. Nothing of the operation happened.
#[derive(Clone, Debug, thiserror::Error)]
pub enum LedgerError {
    /// The database refused or could not be reached.
    #[error("the ledger is not available: {0}")]
    Unavailable(String),
    /// What is stored cannot be read as what it must be.
    #[error("the ledger holds something unreadable: {0}")]
    Corrupt(String),
    /// The writer ended.
    #[error("the ledger is shutting down")]
    Closed,
}
