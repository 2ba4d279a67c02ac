//! The ledger: the durable store of calls, payments, entries and outcomes, as narrow atomic operations.
//!
//! Each method is one transaction, durable when it returns. State changes go through [`Ledger::advance`], which applies
//! events to the stored call by the core's own transition function inside the transaction: of two hosts that race, the
//! second gets [`AdvanceError::Illegal`] with the call as it now is, and decides again.

pub mod sqlite;

use std::sync::Arc;

use coinop_core::Millis;
use coinop_core::call::{Call, Event, IllegalEvent};
use coinop_core::digest::Digest;
use coinop_core::ids::{CallId, LinkToken, PaymentId};
use coinop_core::money::{Amount, Currency};
use coinop_core::outcome::Outcome;
use futures::future::BoxFuture;

/// The durable store.
pub trait Ledger: Send + Sync {
    /// Names this ledger to other hosts; random, no secret.
    fn id(&self) -> &str;

    /// Records a new call, or returns the open one that the same known principal has for the same tool, component,
    /// arguments and price. Anonymous callers never share.
    fn open(&self, new: NewCall) -> BoxFuture<'_, Result<Opened, AdvanceError>>;

    /// Reads a call.
    fn find(&self, key: CallKey) -> BoxFuture<'_, Result<Option<Record>, LedgerError>>;

    /// Applies `events` in order, all or none, and stores what goes with them.
    fn advance(&self, change: Change) -> BoxFuture<'_, Result<Record, AdvanceError>>;

    /// The stored outcome, `None` once its retention has ended.
    fn outcome(&self, call: CallId) -> BoxFuture<'_, Result<Option<Arc<Outcome>>, LedgerError>>;

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

    /// The latest calls first.
    fn list(&self, limit: u32) -> BoxFuture<'_, Result<Vec<Record>, LedgerError>>;

    /// Calls that a host should look at: overdue, lost, owed, at most `limit`.
    fn due(&self, now: Millis, limit: u32) -> BoxFuture<'_, Result<Vec<Record>, LedgerError>>;

    /// Hides a call that is still due at `now` from [`Ledger::due`] until `until`; whatever changes it brings a time of
    /// its own. Whether it was still due.
    fn postpone(
        &self,
        call: CallId,
        now: Millis,
        until: Millis,
    ) -> BoxFuture<'_, Result<bool, LedgerError>>;

    /// Forgets outcomes of calls at rest that are older than `before`, and components no open quote names; returns how many outcomes went.
    fn forget(&self, before: Millis) -> BoxFuture<'_, Result<u64, LedgerError>>;

    /// The sum of every account, for checks: each currency's sums add up to zero.
    fn balances(&self) -> BoxFuture<'_, Result<Vec<Balance>, LedgerError>>;

    /// Commits made so far by this process, for benchmarks and metrics.
    fn commits(&self) -> u64;
}

/// A call to be recorded.
#[derive(Clone, Debug)]
pub struct NewCall {
    /// The call, `Quoted`, or already `Awaiting` where the provider made its payment offline.
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

/// What makes two open calls the same: a known principal's same tool, component, arguments, price and account.
/// `None` for anonymous callers, who never share, and for calls that are no longer open.
pub(crate) fn open_key(call: &Call) -> Option<String> {
    let quote = &call.quote;
    if !quote.principal.is_known() || !call.state.is_open() {
        return None;
    }
    let parts = (
        &quote.principal,
        &quote.tool,
        quote.component,
        quote.arguments,
        quote.price,
        &quote.account,
    );
    serde_json::to_vec(&parts)
        .ok()
        .map(|bytes| Digest::of(&bytes).to_string())
}
