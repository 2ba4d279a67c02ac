//! The ledger in a PostgreSQL database, shared by any number of hosts.
//!
//! A change reads its call under a row lock and commits what [`super::transition`] says in the same transaction: two
//! round trips. Uniqueness is the database's constraints', the time is the database's clock, and what was acknowledged
//! is on the database's disk.

mod accounts;
mod calls;
mod clock;
mod components;
mod failed;
mod keyvalue;
mod lists;
mod locks;
mod open;
mod outbox;
mod outcomes;
mod pool;
mod purse;
mod receipts;
mod records;
mod shared;
mod tls;
mod transaction;
mod url;

use std::path::PathBuf;
use std::sync::Arc;

use coinop_core::Millis;
use coinop_core::digest::Digest;
use coinop_core::ids::CallId;
use coinop_core::money::{Amount, Currency};
use coinop_core::principal::Principal;
use coinop_core::receipt::{Chain, KeySet};
use futures::future::BoxFuture;

use crate::clock::Clock;
use crate::ledger::{
    AdvanceError, Advanced, Audited, BackupError, Balance, CallKey, Caps, Change, Components,
    CreditBalance, Delivery, Filter, Ledger, LedgerError, NewCall, OpenTool, Opened, Record,
    TakeDue,
};
use clock::{DatabaseClock, Monotonic};
use failed::attempt;
pub use keyvalue::PostgresKeyValue;
use open::Missing;
pub use open::OpenError;
use pool::{Db, PATIENCE, PATIENCE_LONG};
use receipts::Chains;
use url::Target;

/// A ledger in a PostgreSQL database.
pub struct PostgresLedger {
    db: Db,
    clock: Arc<DatabaseClock>,
    chains: Chains,
    target: Target,
    id: String,
}

impl PostgresLedger {
    /// Opens the ledger at `url`, making and migrating it as needed.
    ///
    /// # Errors
    /// [`OpenError`] names host and database and what to do.
    pub async fn open(url: &str) -> Result<Self, OpenError> {
        Self::open_by(url, Arc::new(Monotonic::start())).await
    }

    /// Opens the ledger in the database that `url` names, which is never made here.
    ///
    /// # Errors
    /// As [`PostgresLedger::open`], and [`OpenError::Absent`].
    pub async fn open_existing(url: &str) -> Result<Self, OpenError> {
        Self::open_as(url, Arc::new(Monotonic::start()), Missing::Refuse).await
    }

    /// As [`PostgresLedger::open`], with a clock of the host's own. Only its pace matters: the time is the database's.
    ///
    /// # Errors
    /// As [`PostgresLedger::open`].
    pub async fn open_by(url: &str, pace: Arc<dyn Clock>) -> Result<Self, OpenError> {
        Self::open_as(url, pace, Missing::Make).await
    }

    async fn open_as(url: &str, pace: Arc<dyn Clock>, missing: Missing) -> Result<Self, OpenError> {
        let target = Target::parse(url).map_err(OpenError::Url)?;
        let clock = Arc::new(DatabaseClock::new(pace));
        let opened = open::open(&target, &clock, missing).await?;
        let unusable = |reason| OpenError::Unusable {
            name: target.to_string(),
            reason,
        };
        Ok(Self {
            db: Db::new(&target, &opened.schema, clock.clone()).map_err(unusable)?,
            clock,
            chains: Chains::default(),
            id: opened.id,
            target,
        })
    }

    fn db(&self) -> &Db {
        &self.db
    }
}

/// Names the database of a URL as messages may: its host and its name.
///
/// # Errors
/// What is wrong with the URL, without its text: it holds a password.
pub fn name_of(url: &str) -> Result<String, String> {
    Target::parse(url).map(|target| target.to_string())
}

impl Components for PostgresLedger {
    fn keep_component(
        &self,
        digest: Digest,
        bytes: Arc<[u8]>,
        _at: Millis,
    ) -> BoxFuture<'_, Result<(), LedgerError>> {
        Box::pin(async move {
            let (db, bytes) = (&self.db, &bytes);
            attempt(&self.db, PATIENCE_LONG, move || {
                components::keep(db, digest, bytes)
            })
            .await
        })
    }

    fn touch_component(
        &self,
        digest: Digest,
        _at: Millis,
    ) -> BoxFuture<'_, Result<bool, LedgerError>> {
        Box::pin(attempt(&self.db, PATIENCE, move || {
            components::touch(&self.db, digest)
        }))
    }

    fn component(&self, digest: Digest) -> BoxFuture<'_, Result<Option<Arc<[u8]>>, LedgerError>> {
        Box::pin(attempt(&self.db, PATIENCE_LONG, move || {
            components::bytes(&self.db, digest)
        }))
    }

    fn set_blocked(
        &self,
        digest: Digest,
        blocked: bool,
        _at: Millis,
    ) -> BoxFuture<'_, Result<(), LedgerError>> {
        Box::pin(attempt(&self.db, PATIENCE, move || {
            components::set_blocked(&self.db, digest, blocked)
        }))
    }

    fn blocked(&self) -> BoxFuture<'_, Result<Vec<Digest>, LedgerError>> {
        Box::pin(attempt(&self.db, PATIENCE, || {
            components::blocked(&self.db)
        }))
    }
}

impl Ledger for PostgresLedger {
    fn id(&self) -> &str {
        &self.id
    }

    fn clock(&self) -> Arc<dyn Clock> {
        self.clock.clone()
    }

    fn open(&self, new: NewCall, caps: Caps) -> BoxFuture<'_, Result<Opened, AdvanceError>> {
        Box::pin(async move {
            let (db, new, caps) = (&self.db, &new, &caps);
            attempt(&self.db, PATIENCE, move || calls::open(db, new, caps)).await
        })
    }

    fn find(&self, key: CallKey) -> BoxFuture<'_, Result<Option<Record>, LedgerError>> {
        Box::pin(async move {
            let (db, key) = (&self.db, &key);
            attempt(&self.db, PATIENCE, move || calls::find(db, key)).await
        })
    }

    fn advance(&self, change: Change) -> BoxFuture<'_, Result<Advanced, AdvanceError>> {
        Box::pin(async move {
            let (db, id, chains, change) = (&self.db, &self.id, &self.chains, &change);
            attempt(&self.db, PATIENCE, move || {
                calls::advance(db, id, chains, change)
            })
            .await
        })
    }

    fn outcome(&self, call: CallId) -> BoxFuture<'_, Result<Option<Delivery>, LedgerError>> {
        Box::pin(async move {
            let (db, call) = (&self.db, &call);
            attempt(&self.db, PATIENCE, move || outcomes::outcome(db, call)).await
        })
    }

    fn receipt(&self, call: CallId) -> BoxFuture<'_, Result<Option<Arc<str>>, LedgerError>> {
        Box::pin(async move {
            let (db, call) = (&self.db, &call);
            attempt(db, PATIENCE, move || receipts::receipt(db, call)).await
        })
    }

    fn list(&self, filter: Filter, limit: u32) -> BoxFuture<'_, Result<Vec<Record>, LedgerError>> {
        Box::pin(async move {
            let (db, filter) = (&self.db, &filter);
            attempt(&self.db, PATIENCE, move || lists::list(db, filter, limit)).await
        })
    }

    fn open_tools(
        &self,
        viewer: String,
        now: Millis,
    ) -> BoxFuture<'_, Result<Vec<OpenTool>, LedgerError>> {
        Box::pin(async move {
            let (db, viewer) = (&self.db, &viewer);
            attempt(&self.db, PATIENCE, move || {
                lists::open_tools(db, viewer, now)
            })
            .await
        })
    }

    fn take_due(&self, take: TakeDue) -> BoxFuture<'_, Result<Vec<Record>, LedgerError>> {
        Box::pin(async move {
            let (db, take) = (&self.db, &take);
            attempt(&self.db, PATIENCE, move || lists::take_due(db, take)).await
        })
    }

    fn postpone(
        &self,
        call: CallId,
        version: i64,
        until: Option<Millis>,
    ) -> BoxFuture<'_, Result<(), LedgerError>> {
        Box::pin(async move {
            let (db, call) = (&self.db, call.as_str());
            let postpone = || db.write(records::postpone(call, version, until));
            attempt(&self.db, PATIENCE, postpone).await.map(drop)
        })
    }

    fn forget(&self, before: Millis) -> BoxFuture<'_, Result<u64, LedgerError>> {
        Box::pin(attempt(&self.db, PATIENCE_LONG, move || {
            outcomes::forget(&self.db, before)
        }))
    }

    fn balances(&self) -> BoxFuture<'_, Result<Vec<Balance>, LedgerError>> {
        Box::pin(attempt(&self.db, PATIENCE_LONG, || {
            accounts::balances(&self.db)
        }))
    }

    fn credit(
        &self,
        principal: Principal,
        account: String,
        currency: Currency,
    ) -> BoxFuture<'_, Result<Amount, LedgerError>> {
        Box::pin(async move {
            let (db, principal, account) = (&self.db, &principal, &account);
            attempt(&self.db, PATIENCE, move || {
                accounts::credit(db, principal, account, currency)
            })
            .await
        })
    }

    fn webhook_seen(
        &self,
        account: String,
        event_id: String,
    ) -> BoxFuture<'_, Result<bool, LedgerError>> {
        Box::pin(async move {
            let (db, account, event_id) = (&self.db, &account, &event_id);
            attempt(&self.db, PATIENCE, move || {
                shared::webhook_seen(db, account, event_id)
            })
            .await
        })
    }

    fn note_webhook(
        &self,
        account: String,
        event_id: String,
        _at: Millis,
    ) -> BoxFuture<'_, Result<(), LedgerError>> {
        Box::pin(async move {
            let (db, account, event_id) = (&self.db, &account, &event_id);
            attempt(&self.db, PATIENCE, move || {
                shared::note_webhook(db, account, event_id)
            })
            .await
        })
    }

    fn secrets(
        &self,
        name: String,
        _at: Millis,
    ) -> BoxFuture<'_, Result<Vec<Vec<u8>>, LedgerError>> {
        Box::pin(async move {
            let (db, name) = (&self.db, &name);
            attempt(&self.db, PATIENCE, move || shared::secrets(db, name)).await
        })
    }

    fn rotate_secret(&self, name: String, _at: Millis) -> BoxFuture<'_, Result<(), LedgerError>> {
        Box::pin(async move {
            let (db, name) = (&self.db, &name);
            attempt(&self.db, PATIENCE, move || shared::rotate_secret(db, name)).await
        })
    }

    fn receipt_keys(&self) -> BoxFuture<'_, Result<KeySet, LedgerError>> {
        Box::pin(attempt(&self.db, PATIENCE, || receipts::keys(&self.db)))
    }

    fn rotate_receipt_key(&self, _at: Millis) -> BoxFuture<'_, Result<String, LedgerError>> {
        Box::pin(attempt(&self.db, PATIENCE, || {
            receipts::rotate_key(&self.db)
        }))
    }

    fn receipts_since(&self) -> BoxFuture<'_, Result<Millis, LedgerError>> {
        Box::pin(attempt(&self.db, PATIENCE, || receipts::since(&self.db)))
    }

    fn chains(&self) -> BoxFuture<'_, Result<Vec<Chain>, LedgerError>> {
        Box::pin(attempt(&self.db, PATIENCE, || receipts::chains(&self.db)))
    }

    fn receipts(
        &self,
        chain: String,
        after: u64,
        limit: u32,
    ) -> BoxFuture<'_, Result<Vec<String>, LedgerError>> {
        Box::pin(async move {
            let (db, chain) = (&self.db, &chain);
            attempt(&self.db, PATIENCE, move || {
                receipts::receipts(db, chain, after, limit)
            })
            .await
        })
    }

    fn audit(
        &self,
        after: Option<CallId>,
        limit: u32,
    ) -> BoxFuture<'_, Result<Vec<Audited>, LedgerError>> {
        Box::pin(async move {
            let (db, after) = (&self.db, after.as_ref());
            attempt(&self.db, PATIENCE_LONG, move || {
                lists::audit(db, after, limit)
            })
            .await
        })
    }

    fn credits(&self) -> BoxFuture<'_, Result<Vec<CreditBalance>, LedgerError>> {
        Box::pin(attempt(&self.db, PATIENCE_LONG, || {
            accounts::credits(&self.db)
        }))
    }

    fn backup(&self, to: PathBuf) -> BoxFuture<'_, Result<(), BackupError>> {
        let command = self.target.dump_command(&to);
        let elsewhere = format!(
            "the ledger is in PostgreSQL, whose own tools copy it while everything goes on: {command} (it asks for the \
             password, or takes it from PGPASSWORD or ~/.pgpass)"
        );
        Box::pin(std::future::ready(Err(BackupError::Elsewhere(elsewhere))))
    }

    fn commits(&self) -> u64 {
        self.db.commits()
    }
}
