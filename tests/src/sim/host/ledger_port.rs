//! A host's line to the ledger: late, sometimes dead, sometimes dead in the middle of a commit.

use std::path::PathBuf;
use std::sync::Arc;

use coinop::ledger::{
    AdvanceError, Advanced, Audited, BackupError, Balance, CallKey, Caps, Change, Components,
    CreditBalance, Delivery, Filter, Ledger, LedgerError, NewCall, OpenTool, Opened, Record,
    TakeDue,
};
use coinop_core::Millis;
use coinop_core::call::Event;
use coinop_core::digest::Digest;
use coinop_core::ids::CallId;
use coinop_core::money::{Amount, Currency};
use coinop_core::principal::Principal;
use coinop_core::receipt::{Chain, KeySet};
use futures::future::BoxFuture;

use super::life::Life;
use crate::memory_ledger::MemoryLedger;
use crate::sim::weather::Fault;
use crate::sim::world::World;

pub(super) struct LedgerPort {
    ledger: MemoryLedger,
    world: Arc<World>,
    life: Arc<Life>,
}

impl LedgerPort {
    pub(super) fn new(world: &Arc<World>, life: &Arc<Life>) -> Self {
        // A host's incarnations go on with one chain.
        let chain = life.name.split('.').next().unwrap_or_default();
        Self {
            ledger: world.ledger.with_chain(chain),
            world: Arc::clone(world),
            life: Arc::clone(life),
        }
    }

    fn ask<'a, T, E>(
        &'a self,
        effect: impl FnOnce(&'a MemoryLedger) -> BoxFuture<'a, Result<T, E>> + Send + 'a,
    ) -> BoxFuture<'a, Result<T, E>>
    where
        T: Send + 'a,
        E: From<LedgerError> + Send + 'a,
    {
        Box::pin(async move {
            let world = &self.world;
            let lost = || LedgerError::Unavailable("the line".into()).into();
            self.life.pass().await;
            let answer = match world.weather.of_ledger(&world.dice) {
                None => effect(&self.ledger).await,
                Some(Fault::LostAnswer) => effect(&self.ledger).await.and_then(|_| Err(lost())),
                Some(_) => Err(lost()),
            };
            self.life.pass().await;
            answer
        })
    }

    fn note_advance(&self, change: &Change, advanced: &Result<Advanced, AdvanceError>) {
        let (host, call) = (&self.life.name, &change.call);
        match advanced {
            Ok(advanced) => {
                let now = &advanced.record.call;
                let (state, payment) = (now.state.name(), now.payment.state);
                let version = advanced.record.version;
                let stale = change.events.iter().find(|event| match event {
                    Event::Executed { epoch } | Event::ToolFailed { epoch, .. } => {
                        *epoch != now.epoch
                    }
                    _ => false,
                });
                if stale.is_some() {
                    let epoch = now.epoch;
                    self.world.broken(format_args!(
                        "{call} in epoch {epoch} takes the report {:?}",
                        change.events
                    ));
                }
                self.world.note(format_args!(
                    "{host} {call} v{version} {state} {payment:?} e{}",
                    now.epoch
                ));
            }
            Err(error) => self.world.note(format_args!("{host} {call}: {error}")),
        }
    }
}

impl Components for LedgerPort {
    fn keep_component(
        &self,
        digest: Digest,
        bytes: Arc<[u8]>,
        at: Millis,
    ) -> BoxFuture<'_, Result<(), LedgerError>> {
        self.ask(move |ledger| ledger.keep_component(digest, bytes, at))
    }

    fn touch_component(
        &self,
        digest: Digest,
        at: Millis,
    ) -> BoxFuture<'_, Result<bool, LedgerError>> {
        self.ask(move |ledger| ledger.touch_component(digest, at))
    }

    fn component(&self, digest: Digest) -> BoxFuture<'_, Result<Option<Arc<[u8]>>, LedgerError>> {
        self.ask(move |ledger| ledger.component(digest))
    }

    fn set_blocked(
        &self,
        digest: Digest,
        blocked: bool,
        at: Millis,
    ) -> BoxFuture<'_, Result<(), LedgerError>> {
        self.ask(move |ledger| ledger.set_blocked(digest, blocked, at))
    }

    fn blocked(&self) -> BoxFuture<'_, Result<Vec<Digest>, LedgerError>> {
        self.ask(|ledger| ledger.blocked())
    }
}

impl Ledger for LedgerPort {
    fn id(&self) -> &str {
        self.ledger.id()
    }

    fn open(&self, new: NewCall, caps: Caps) -> BoxFuture<'_, Result<Opened, AdvanceError>> {
        self.ask(move |ledger| {
            let (call, open_max) = (new.call.id.clone(), caps.open_max);
            let opened = ledger.open(new, caps);
            self.world
                .note(format_args!("{} opens {call}", self.life.name));
            self.world.witness_open(open_max);
            opened
        })
    }

    fn find(&self, key: CallKey) -> BoxFuture<'_, Result<Option<Record>, LedgerError>> {
        self.ask(move |ledger| ledger.find(key))
    }

    fn advance(&self, change: Change) -> BoxFuture<'_, Result<Advanced, AdvanceError>> {
        self.ask(move |ledger| {
            let noted = change.clone();
            Box::pin(async move {
                let advanced = ledger.advance(change).await;
                self.note_advance(&noted, &advanced);
                let claims = |event: &Event| matches!(event, Event::Claimed { .. });
                if let (Ok(advanced), true) = (&advanced, noted.events.iter().any(claims)) {
                    self.life.claimed(&noted.call, advanced.record.call.epoch);
                }
                advanced
            })
        })
    }

    fn outcome(&self, call: CallId) -> BoxFuture<'_, Result<Option<Delivery>, LedgerError>> {
        self.ask(move |ledger| ledger.outcome(call))
    }

    fn receipt(&self, call: CallId) -> BoxFuture<'_, Result<Option<Arc<str>>, LedgerError>> {
        self.ask(move |ledger| ledger.receipt(call))
    }

    fn list(&self, filter: Filter, limit: u32) -> BoxFuture<'_, Result<Vec<Record>, LedgerError>> {
        self.ask(move |ledger| ledger.list(filter, limit))
    }

    fn open_tools(
        &self,
        viewer: String,
        now: Millis,
    ) -> BoxFuture<'_, Result<Vec<OpenTool>, LedgerError>> {
        self.ask(move |ledger| ledger.open_tools(viewer, now))
    }

    fn take_due(&self, take: TakeDue) -> BoxFuture<'_, Result<Vec<Record>, LedgerError>> {
        self.ask(move |ledger| ledger.take_due(take))
    }

    fn postpone(
        &self,
        call: CallId,
        version: i64,
        until: Option<Millis>,
    ) -> BoxFuture<'_, Result<(), LedgerError>> {
        self.ask(move |ledger| ledger.postpone(call, version, until))
    }

    fn forget(&self, before: Millis) -> BoxFuture<'_, Result<u64, LedgerError>> {
        self.ask(move |ledger| ledger.forget(before))
    }

    fn balances(&self) -> BoxFuture<'_, Result<Vec<Balance>, LedgerError>> {
        self.ask(|ledger| ledger.balances())
    }

    fn credit(
        &self,
        principal: Principal,
        account: String,
        currency: Currency,
    ) -> BoxFuture<'_, Result<Amount, LedgerError>> {
        self.ask(move |ledger| ledger.credit(principal, account, currency))
    }

    fn webhook_seen(
        &self,
        account: String,
        event_id: String,
    ) -> BoxFuture<'_, Result<bool, LedgerError>> {
        self.ask(move |ledger| ledger.webhook_seen(account, event_id))
    }

    fn note_webhook(
        &self,
        account: String,
        event_id: String,
        at: Millis,
    ) -> BoxFuture<'_, Result<(), LedgerError>> {
        self.ask(move |ledger| ledger.note_webhook(account, event_id, at))
    }

    fn secrets(
        &self,
        name: String,
        at: Millis,
    ) -> BoxFuture<'_, Result<Vec<Vec<u8>>, LedgerError>> {
        self.ask(move |ledger| ledger.secrets(name, at))
    }

    fn rotate_secret(&self, name: String, at: Millis) -> BoxFuture<'_, Result<(), LedgerError>> {
        self.ask(move |ledger| ledger.rotate_secret(name, at))
    }

    fn receipt_keys(&self) -> BoxFuture<'_, Result<KeySet, LedgerError>> {
        self.ask(|ledger| ledger.receipt_keys())
    }

    fn rotate_receipt_key(&self, at: Millis) -> BoxFuture<'_, Result<String, LedgerError>> {
        self.ask(move |ledger| ledger.rotate_receipt_key(at))
    }

    fn chains(&self) -> BoxFuture<'_, Result<Vec<Chain>, LedgerError>> {
        self.ask(|ledger| ledger.chains())
    }

    fn receipts(
        &self,
        chain: String,
        after: u64,
        limit: u32,
    ) -> BoxFuture<'_, Result<Vec<String>, LedgerError>> {
        self.ask(move |ledger| ledger.receipts(chain, after, limit))
    }

    fn audit(
        &self,
        after: Option<CallId>,
        limit: u32,
    ) -> BoxFuture<'_, Result<Vec<Audited>, LedgerError>> {
        self.ask(move |ledger| ledger.audit(after, limit))
    }

    fn credits(&self) -> BoxFuture<'_, Result<Vec<CreditBalance>, LedgerError>> {
        self.ask(|ledger| ledger.credits())
    }

    fn backup(&self, to: PathBuf) -> BoxFuture<'_, Result<(), BackupError>> {
        self.ledger.backup(to)
    }

    fn commits(&self) -> u64 {
        self.ledger.commits()
    }
}
