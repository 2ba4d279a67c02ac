//! The ledger: the durable store of calls, payments, entries and outcomes, as narrow atomic operations.
//!
//! Each method is one transaction, durable when it returns. State changes go through [`Ledger::advance`], which applies
//! events to the stored call by the core's own transition function inside the transaction: of two hosts that race, the
//! second gets [`AdvanceError::Illegal`] with the call as it now is, and decides again.

mod columns;
pub mod postgres;
pub mod sqlite;
pub mod transition;
mod types;

use std::path::PathBuf;
use std::sync::Arc;

use coinop_core::Millis;
use coinop_core::digest::Digest;
use coinop_core::ids::CallId;
use coinop_core::money::{Amount, Currency};
use coinop_core::principal::Principal;
use coinop_core::receipt::{Chain, KeySet};
use futures::future::BoxFuture;

pub use self::types::{
    AdvanceError, Advanced, Audited, BackupError, Balance, CallKey, Caps, Change, CreditBalance,
    Delivery, Filter, LedgerError, LimitReached, NewCall, OpenTool, Opened, Posted, Record,
    TakeDue,
};
use crate::clock::{Clock, SystemClock};

/// Most tools of one viewer that are looked at.
pub const OPEN_TOOLS_MAX: u32 = 1000;

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
    /// Calls that came with their payment never share: the same payment, by account and reference, is the call that was
    /// recorded with it first, whatever it was for and however it ended.
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

    /// The tools that `viewer` has open calls of whose offers stand at `now`, by name, [`OPEN_TOOLS_MAX`] at most.
    fn open_tools(
        &self,
        viewer: String,
        now: Millis,
    ) -> BoxFuture<'_, Result<Vec<OpenTool>, LedgerError>>;

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

    /// Writes a copy that is consistent, while everything goes on; what plugins stored is copied beside it.
    fn backup(&self, to: PathBuf) -> BoxFuture<'_, Result<(), BackupError>>;

    /// Commits made so far by this process, for benchmarks and metrics.
    fn commits(&self) -> u64;
}
