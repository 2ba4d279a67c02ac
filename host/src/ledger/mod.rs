//! The ledger: the durable store of calls, payments, entries and outcomes, as narrow atomic operations.
//!
//! Each method is one transaction, durable when it returns. State changes go through [`Ledger::advance`], which applies
//! events to the stored call by the core's own transition function inside the transaction: of two hosts that race, the
//! second gets [`AdvanceError::Illegal`] with the call as it now is, and decides again.

pub mod postgres;
pub mod sqlite;
pub mod transition;

use std::path::PathBuf;
use std::sync::Arc;

use coinop_core::Millis;
use coinop_core::call::{Call, Event, IllegalEvent};
use coinop_core::digest::Digest;
use coinop_core::entry::Book;
use coinop_core::ids::{CallId, LinkToken, PaymentId};
use coinop_core::money::{Amount, Currency, Money};
use coinop_core::outcome::Outcome;
use coinop_core::principal::Principal;
use coinop_core::receipt::{Chain, KeySet};
use futures::future::BoxFuture;

use crate::clock::{Clock, SystemClock};

/// Components that quotes name, kept by digest, and which of them the operator has blocked.
pub trait Components: Send + Sync {
    /// Keeps a component's bytes, so that quotes naming it survive its file. Calls are opened only for components
    /// that are kept.
    fn keep_component(
        &self,
        digest: Digest,
        bytes: Arc<[u8]>,
        at: Millis,
    ) -> BoxFuture<'_, Result<(), LedgerError>>;

    /// Says that a kept component is still served, which renews its age. Whether it is kept at all.
    fn touch_component(
        &self,
        digest: Digest,
        at: Millis,
    ) -> BoxFuture<'_, Result<bool, LedgerError>>;

    /// The bytes of a kept component.
    fn component(&self, digest: Digest) -> BoxFuture<'_, Result<Option<Arc<[u8]>>, LedgerError>>;

    /// Blocks a component at once, or lifts the block: nothing of it is quoted or run while blocked.
    fn set_blocked(
        &self,
        digest: Digest,
        blocked: bool,
        at: Millis,
    ) -> BoxFuture<'_, Result<(), LedgerError>>;

    /// Every blocked component.
    fn blocked(&self) -> BoxFuture<'_, Result<Vec<Digest>, LedgerError>>;
}

/// The durable store of calls.
///
/// Its clock is the one that counts: times inside a [`Change`] are moved to the store's own time where the store has one
/// (PostgreSQL), so that hosts whose clocks disagree agree on leases.
pub trait Ledger: Components {
    /// Names this ledger to other hosts; random, no secret.
    fn id(&self) -> &str;

    /// The clock that the hosts of this ledger share, as close as it can be told without asking.
    fn clock(&self) -> Arc<dyn Clock> {
        Arc::new(SystemClock)
    }

    /// Records a new call, or returns the open one that the same known principal has for the same tool, component,
    /// arguments and price. Anonymous callers never share. A call within `caps` only; an existing one is always
    /// returned. One that the balance covered counts as open until [`transition::GIVEN_AGAIN_MS`] after its delivery.
    fn open(&self, new: NewCall, caps: Caps) -> BoxFuture<'_, Result<Opened, AdvanceError>>;

    /// Reads a call.
    fn find(&self, key: CallKey) -> BoxFuture<'_, Result<Option<Record>, LedgerError>>;

    /// Applies `events` in order, all or none, and stores what goes with them: the outcome, entries, balances, and a
    /// receipt when the call becomes deliverable.
    fn advance(&self, change: Change) -> BoxFuture<'_, Result<Advanced, AdvanceError>>;

    /// The stored outcome with its receipt, `None` once its retention has ended.
    fn outcome(&self, call: CallId) -> BoxFuture<'_, Result<Option<Delivery>, LedgerError>>;

    /// The calls of `filter`, the latest first, at most `limit`.
    fn list(&self, filter: Filter, limit: u32) -> BoxFuture<'_, Result<Vec<Record>, LedgerError>>;

    /// Takes calls that a host should look at: overdue, lost, owed, paid into one of `accounts`, the longest due first.
    /// No other host is given them until `until`; whatever changes a call brings a time of its own.
    fn take_due(&self, take: TakeDue) -> BoxFuture<'_, Result<Vec<Record>, LedgerError>>;

    /// Hides a call that has not changed since it was read in `version` from [`Ledger::take_due`] until `until`, for good
    /// with `None`.
    fn postpone(
        &self,
        call: CallId,
        version: i64,
        until: Option<Millis>,
    ) -> BoxFuture<'_, Result<(), LedgerError>>;

    /// Forgets outcomes of calls at rest that are older than `before`, components no open quote names and old webhook
    /// notes, a bounded number at a time; returns how many outcomes went.
    fn forget(&self, before: Millis) -> BoxFuture<'_, Result<u64, LedgerError>>;

    /// The sum of every account, for checks: each currency's sums add up to zero.
    fn balances(&self) -> BoxFuture<'_, Result<Vec<Balance>, LedgerError>>;

    /// What a principal holds as balance with an account, in `currency`.
    fn credit(
        &self,
        principal: Principal,
        account: String,
        currency: Currency,
    ) -> BoxFuture<'_, Result<Amount, LedgerError>>;

    /// Whether a webhook of this id was dealt with before.
    fn webhook_seen(
        &self,
        account: String,
        event_id: String,
    ) -> BoxFuture<'_, Result<bool, LedgerError>>;

    /// Notes that a webhook was dealt with. Written after its effect: a host that dies between the two is told again.
    fn note_webhook(
        &self,
        account: String,
        event_id: String,
        at: Millis,
    ) -> BoxFuture<'_, Result<(), LedgerError>>;

    /// The two latest secrets of `name`, the latest first; the first is made when there is none. Shared by the hosts of
    /// the ledger.
    fn secrets(&self, name: String, at: Millis)
    -> BoxFuture<'_, Result<Vec<Vec<u8>>, LedgerError>>;

    /// Makes a new latest secret of `name`.
    fn rotate_secret(&self, name: String, at: Millis) -> BoxFuture<'_, Result<(), LedgerError>>;

    /// The public halves of every key that receipts were signed with.
    fn receipt_keys(&self) -> BoxFuture<'_, Result<KeySet, LedgerError>>;

    /// Makes a new key that the receipts from now on are signed with; returns its id.
    fn rotate_receipt_key(&self, at: Millis) -> BoxFuture<'_, Result<String, LedgerError>>;

    /// When receipts began: what was delivered before has none. A store that keeps when its first key was made says that;
    /// this goes by the first receipt.
    fn receipts_since(&self) -> BoxFuture<'_, Result<Millis, LedgerError>> {
        Box::pin(async move {
            let mut since = Millis::MAX;
            for chain in self.chains().await? {
                let first = self.receipts(chain.id, 0, 1).await?;
                let first = first.first().map(|text| coinop_core::receipt::object(text));
                let issued_at = first.and_then(|receipt| receipt.get("issued_at")?.as_i64());
                since = since.min(issued_at.unwrap_or(since));
            }
            Ok(since)
        })
    }

    /// Every chain of receipts.
    fn chains(&self) -> BoxFuture<'_, Result<Vec<Chain>, LedgerError>>;

    /// The receipts of a chain after number `after`, in order, at most `limit`: their compact forms.
    fn receipts(
        &self,
        chain: String,
        after: u64,
        limit: u32,
    ) -> BoxFuture<'_, Result<Vec<String>, LedgerError>>;

    /// The receipt of a call: outcomes are forgotten, receipts are not.
    fn receipt(&self, call: CallId) -> BoxFuture<'_, Result<Option<Arc<str>>, LedgerError>>;

    /// Calls with everything that is recorded of them, in order of their ids after `after`, at most `limit`: for checks
    /// and exports, which read the whole ledger in pages.
    fn audit(
        &self,
        after: Option<CallId>,
        limit: u32,
    ) -> BoxFuture<'_, Result<Vec<Audited>, LedgerError>>;

    /// Every balance of every principal.
    fn credits(&self) -> BoxFuture<'_, Result<Vec<CreditBalance>, LedgerError>>;

    /// Writes a copy that is consistent, while everything goes on.
    fn backup(&self, to: PathBuf) -> BoxFuture<'_, Result<(), BackupError>>;

    /// Commits made so far by this process, for benchmarks and metrics.
    fn commits(&self) -> u64;
}

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
