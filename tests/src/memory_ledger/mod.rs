//! The ledger in memory: what the durable stores promise, without a disk, on a clock of its own.
//!
//! It decides nothing: every write is what [`Transition`](coinop::ledger::transition::Transition) says. Clones share
//! one store, as hosts share a database.

mod accounts;
mod calls;
mod kept;
mod receipts;
mod store;

use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use coinop::clock::Clock;
use coinop::ledger::{
    AdvanceError, Advanced, Audited, BackupError, Balance, CallKey, Caps, Change, Components,
    CreditBalance, Delivery, Filter, Ledger, LedgerError, NewCall, OpenTool, Opened, Record,
    TakeDue,
};
use coinop_core::Millis;
use coinop_core::digest::Digest;
use coinop_core::ids::CallId;
use coinop_core::money::{Amount, Currency};
use coinop_core::principal::Principal;
use coinop_core::receipt::{Chain, KeySet};
use futures::future::{BoxFuture, ready};

use store::Store;

/// The name by which every ledger in memory is known.
const ID: &str = "memory";

/// A ledger in memory, or another host's hand on it.
#[derive(Clone)]
pub struct MemoryLedger {
    store: Arc<Mutex<Store>>,
    clock: Arc<dyn Clock>,
    chain: String,
}

impl MemoryLedger {
    /// An empty ledger whose own time is `clock`'s.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self {
            store: Arc::new(Mutex::new(Store::new())),
            clock,
            chain: ID.to_owned(),
        }
    }

    /// The same store, for a host that has a chain of receipts of its own.
    #[must_use]
    pub fn with_chain(&self, chain: &str) -> Self {
        Self {
            chain: chain.to_owned(),
            ..self.clone()
        }
    }

    /// When the next call is due, if any is: for tests that pass the time to where something happens.
    pub fn next_due(&self) -> Option<Millis> {
        self.store().next_due()
    }

    /// Reads a call without waiting: for witnesses.
    pub fn peek(&self, key: &CallKey) -> Option<Record> {
        self.store().find(key)
    }

    /// Reads every call without waiting.
    pub fn peek_all(&self) -> Vec<Record> {
        let store = self.store();
        store.calls.values().map(|row| row.record.clone()).collect()
    }

    /// Reads every call that is still to be looked at, without waiting.
    pub fn peek_due(&self) -> Vec<Record> {
        let store = self.store();
        let due = store.calls.values().filter(|row| row.due_at.is_some());
        due.map(|row| row.record.clone()).collect()
    }

    /// Reads a stored outcome without waiting.
    pub fn peek_delivery(&self, key: &CallKey) -> Option<Delivery> {
        let store = self.store();
        store.delivery(&store.id_of(key)?)
    }

    fn store(&self) -> MutexGuard<'_, Store> {
        self.store.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now(&self) -> Millis {
        self.clock.now()
    }
}

/// An answer that is there at once.
fn at_once<'a, T: Send + 'a>(answer: T) -> BoxFuture<'a, T> {
    Box::pin(ready(answer))
}

impl Components for MemoryLedger {
    fn keep_component(
        &self,
        digest: Digest,
        bytes: Arc<[u8]>,
        at: Millis,
    ) -> BoxFuture<'_, Result<(), LedgerError>> {
        self.store().keep_component(digest, bytes, at);
        at_once(Ok(()))
    }

    fn touch_component(
        &self,
        digest: Digest,
        at: Millis,
    ) -> BoxFuture<'_, Result<bool, LedgerError>> {
        at_once(Ok(self.store().touch_component(digest, at)))
    }

    fn component(&self, digest: Digest) -> BoxFuture<'_, Result<Option<Arc<[u8]>>, LedgerError>> {
        at_once(Ok(self.store().component(digest)))
    }

    fn set_blocked(
        &self,
        digest: Digest,
        blocked: bool,
        _: Millis,
    ) -> BoxFuture<'_, Result<(), LedgerError>> {
        self.store().set_blocked(digest, blocked);
        at_once(Ok(()))
    }

    fn blocked(&self) -> BoxFuture<'_, Result<Vec<Digest>, LedgerError>> {
        at_once(Ok(self.store().blocked()))
    }
}

impl Ledger for MemoryLedger {
    fn id(&self) -> &str {
        ID
    }

    fn open(&self, new: NewCall, caps: Caps) -> BoxFuture<'_, Result<Opened, AdvanceError>> {
        at_once(self.store().open(new, &caps, self.now()))
    }

    fn find(&self, key: CallKey) -> BoxFuture<'_, Result<Option<Record>, LedgerError>> {
        at_once(Ok(self.store().find(&key)))
    }

    fn advance(&self, change: Change) -> BoxFuture<'_, Result<Advanced, AdvanceError>> {
        let change = change.at_time(self.now());
        at_once(self.store().advance(&change, &self.chain))
    }

    fn outcome(&self, call: CallId) -> BoxFuture<'_, Result<Option<Delivery>, LedgerError>> {
        at_once(Ok(self.store().delivery(&call)))
    }

    fn receipt(&self, call: CallId) -> BoxFuture<'_, Result<Option<Arc<str>>, LedgerError>> {
        at_once(Ok(self.store().receipt(&call)))
    }

    fn list(&self, filter: Filter, limit: u32) -> BoxFuture<'_, Result<Vec<Record>, LedgerError>> {
        at_once(Ok(self.store().list(&filter, limit)))
    }

    fn open_tools(
        &self,
        viewer: String,
        _: Millis,
    ) -> BoxFuture<'_, Result<Vec<OpenTool>, LedgerError>> {
        at_once(Ok(self.store().open_tools(&viewer, self.now())))
    }

    fn take_due(&self, take: TakeDue) -> BoxFuture<'_, Result<Vec<Record>, LedgerError>> {
        at_once(Ok(self.store().take_due(&take, self.now())))
    }

    fn postpone(
        &self,
        call: CallId,
        version: i64,
        until: Option<Millis>,
    ) -> BoxFuture<'_, Result<(), LedgerError>> {
        self.store().postpone(&call, version, until);
        at_once(Ok(()))
    }

    fn forget(&self, before: Millis) -> BoxFuture<'_, Result<u64, LedgerError>> {
        at_once(Ok(self.store().forget(before)))
    }

    fn balances(&self) -> BoxFuture<'_, Result<Vec<Balance>, LedgerError>> {
        at_once(Ok(self.store().balances()))
    }

    fn credit(
        &self,
        principal: Principal,
        account: String,
        currency: Currency,
    ) -> BoxFuture<'_, Result<Amount, LedgerError>> {
        let amount = self.store().credit(principal, account, currency);
        at_once(Ok(amount))
    }

    fn webhook_seen(
        &self,
        account: String,
        event_id: String,
    ) -> BoxFuture<'_, Result<bool, LedgerError>> {
        at_once(Ok(self.store().webhook_seen(account, event_id)))
    }

    fn note_webhook(
        &self,
        account: String,
        event_id: String,
        at: Millis,
    ) -> BoxFuture<'_, Result<(), LedgerError>> {
        self.store().note_webhook(account, event_id, at);
        at_once(Ok(()))
    }

    fn secrets(&self, name: String, _: Millis) -> BoxFuture<'_, Result<Vec<Vec<u8>>, LedgerError>> {
        at_once(Ok(self.store().secrets(name)))
    }

    fn rotate_secret(&self, name: String, _: Millis) -> BoxFuture<'_, Result<(), LedgerError>> {
        self.store().rotate_secret(name);
        at_once(Ok(()))
    }

    fn receipt_keys(&self) -> BoxFuture<'_, Result<KeySet, LedgerError>> {
        at_once(Ok(self.store().receipt_keys()))
    }

    fn rotate_receipt_key(&self, _: Millis) -> BoxFuture<'_, Result<String, LedgerError>> {
        at_once(Ok(self.store().rotate_receipt_key()))
    }

    fn chains(&self) -> BoxFuture<'_, Result<Vec<Chain>, LedgerError>> {
        at_once(Ok(self.store().chains()))
    }

    fn receipts(
        &self,
        chain: String,
        after: u64,
        limit: u32,
    ) -> BoxFuture<'_, Result<Vec<String>, LedgerError>> {
        at_once(Ok(self.store().receipts(&chain, after, limit)))
    }

    fn audit(
        &self,
        after: Option<CallId>,
        limit: u32,
    ) -> BoxFuture<'_, Result<Vec<Audited>, LedgerError>> {
        at_once(Ok(self.store().audit(after, limit)))
    }

    fn credits(&self) -> BoxFuture<'_, Result<Vec<CreditBalance>, LedgerError>> {
        at_once(Ok(self.store().credits()))
    }

    fn backup(&self, _: PathBuf) -> BoxFuture<'_, Result<(), BackupError>> {
        let nothing = "a ledger in memory has nothing to back up".to_owned();
        at_once(Err(BackupError::Elsewhere(nothing)))
    }

    fn commits(&self) -> u64 {
        self.store().commits
    }
}
