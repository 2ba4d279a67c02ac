//! The ledger in one SQLite file, shared by every coinop process of the user.
//!
//! WAL with `synchronous=FULL`: what was acknowledged survives kill -9 and power loss. Writes of one process go through
//! one thread that groups them; processes take turns under `BEGIN IMMEDIATE`.

mod accounts;
mod backup;
mod calls;
mod keyvalue;
mod open;
mod outbox;
mod outcomes;
mod purse;
mod receipts;
mod shared;
mod writer;

#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use coinop_core::Millis;
use coinop_core::digest::Digest;
use coinop_core::ids::CallId;
use coinop_core::money::{Amount, Currency};
use coinop_core::principal::Principal;
use coinop_core::receipt::{Chain, KeySet};
use futures::future::BoxFuture;

use crate::ledger::{
    AdvanceError, Advanced, Audited, BackupError, Balance, CallKey, Caps, Change, Components,
    CreditBalance, Delivery, Filter, Ledger, LedgerError, NewCall, OpenTool, Opened, Record,
    TakeDue,
};
pub use keyvalue::SqliteKeyValue;
pub use open::OpenError;
use writer::Worker;

/// A ledger in a SQLite file.
pub struct SqliteLedger {
    writer: Worker,
    reader: Worker,
    id: Arc<str>,
    path: PathBuf,
}

impl SqliteLedger {
    /// Opens the ledger at `path`, making and migrating it as needed. Blocks on the disk.
    ///
    /// # Errors
    /// [`OpenError`] names the file and what to do.
    pub fn open(path: &Path, now: Millis) -> Result<Self, OpenError> {
        let unusable = |reason: String| OpenError::Unusable {
            path: path.display().to_string(),
            reason,
        };
        let connection = open::open(path, now)?;
        let id = connection
            .query_row("SELECT id FROM ledger", [], |row| row.get::<_, String>(0))
            .map_err(|e| unusable(e.to_string()))?;
        let reader = open::open_reader(path).map_err(|e| unusable(e.to_string()))?;
        Ok(Self {
            writer: Worker::writer(connection).map_err(|e| unusable(e.to_string()))?,
            reader: Worker::reader(reader).map_err(|e| unusable(e.to_string()))?,
            id: id.into(),
            path: path.to_owned(),
        })
    }
}

impl Components for SqliteLedger {
    fn keep_component(
        &self,
        digest: Digest,
        bytes: Arc<[u8]>,
        at: Millis,
    ) -> BoxFuture<'_, Result<(), LedgerError>> {
        Box::pin(
            self.writer
                .run(move |db| outcomes::keep_component(db, digest, &bytes, at)),
        )
    }

    fn touch_component(
        &self,
        digest: Digest,
        at: Millis,
    ) -> BoxFuture<'_, Result<bool, LedgerError>> {
        Box::pin(
            self.writer
                .run(move |db| outcomes::touch_component(db, digest, at)),
        )
    }

    fn component(&self, digest: Digest) -> BoxFuture<'_, Result<Option<Arc<[u8]>>, LedgerError>> {
        Box::pin(self.reader.run(move |db| outcomes::component(db, digest)))
    }

    fn set_blocked(
        &self,
        digest: Digest,
        blocked: bool,
        at: Millis,
    ) -> BoxFuture<'_, Result<(), LedgerError>> {
        Box::pin(
            self.writer
                .run(move |db| outcomes::set_blocked(db, digest, blocked, at)),
        )
    }

    fn blocked(&self) -> BoxFuture<'_, Result<Vec<Digest>, LedgerError>> {
        Box::pin(self.reader.run(outcomes::blocked))
    }
}

impl Ledger for SqliteLedger {
    fn id(&self) -> &str {
        &self.id
    }

    fn open(&self, new: NewCall, caps: Caps) -> BoxFuture<'_, Result<Opened, AdvanceError>> {
        Box::pin(self.writer.run(move |db| calls::open(db, new, &caps)))
    }

    fn find(&self, key: CallKey) -> BoxFuture<'_, Result<Option<Record>, LedgerError>> {
        Box::pin(self.reader.run(move |db| calls::find(db, &key)))
    }

    fn advance(&self, change: Change) -> BoxFuture<'_, Result<Advanced, AdvanceError>> {
        let ledger = Arc::clone(&self.id);
        Box::pin(
            self.writer
                .run(move |db| calls::advance(db, &ledger, &change)),
        )
    }

    fn outcome(&self, call: CallId) -> BoxFuture<'_, Result<Option<Delivery>, LedgerError>> {
        Box::pin(self.reader.run(move |db| {
            let Some(outcome) = outcomes::outcome(db, &call)? else {
                return Ok(None);
            };
            let receipt = receipts::receipt(db, &call)?;
            Ok(Some(Delivery { outcome, receipt }))
        }))
    }

    fn list(&self, filter: Filter, limit: u32) -> BoxFuture<'_, Result<Vec<Record>, LedgerError>> {
        Box::pin(self.reader.run(move |db| calls::list(db, &filter, limit)))
    }

    fn open_tools(
        &self,
        viewer: String,
        now: Millis,
    ) -> BoxFuture<'_, Result<Vec<OpenTool>, LedgerError>> {
        Box::pin(
            self.reader
                .run(move |db| calls::open_tools(db, &viewer, now)),
        )
    }

    fn take_due(&self, take: TakeDue) -> BoxFuture<'_, Result<Vec<Record>, LedgerError>> {
        Box::pin(async move {
            let looked = take.clone();
            if !self
                .reader
                .run(move |db| calls::is_due(db, &looked))
                .await?
            {
                return Ok(Vec::new());
            }
            self.writer.run(move |db| calls::take_due(db, &take)).await
        })
    }

    fn postpone(
        &self,
        call: CallId,
        version: i64,
        until: Option<Millis>,
    ) -> BoxFuture<'_, Result<(), LedgerError>> {
        Box::pin(
            self.writer
                .run(move |db| calls::postpone(db, &call, version, until)),
        )
    }

    fn forget(&self, before: Millis) -> BoxFuture<'_, Result<u64, LedgerError>> {
        Box::pin(self.writer.run(move |db| outcomes::forget(db, before)))
    }

    fn balances(&self) -> BoxFuture<'_, Result<Vec<Balance>, LedgerError>> {
        Box::pin(self.reader.run(accounts::balances))
    }

    fn credit(
        &self,
        principal: Principal,
        account: String,
        currency: Currency,
    ) -> BoxFuture<'_, Result<Amount, LedgerError>> {
        Box::pin(
            self.reader
                .run(move |db| accounts::credit(db, &principal, &account, currency)),
        )
    }

    fn webhook_seen(
        &self,
        account: String,
        event_id: String,
    ) -> BoxFuture<'_, Result<bool, LedgerError>> {
        Box::pin(
            self.reader
                .run(move |db| shared::webhook_seen(db, &account, &event_id)),
        )
    }

    fn note_webhook(
        &self,
        account: String,
        event_id: String,
        at: Millis,
    ) -> BoxFuture<'_, Result<(), LedgerError>> {
        Box::pin(
            self.writer
                .run(move |db| shared::note_webhook(db, &account, &event_id, at)),
        )
    }

    fn secrets(
        &self,
        name: String,
        at: Millis,
    ) -> BoxFuture<'_, Result<Vec<Vec<u8>>, LedgerError>> {
        Box::pin(async move {
            let asked = name.clone();
            let found = self
                .reader
                .run(move |db| shared::latest_secrets(db, &asked))
                .await?;
            if !found.is_empty() {
                return Ok(found);
            }
            self.writer
                .run(move |db| shared::secrets(db, &name, at))
                .await
        })
    }

    fn rotate_secret(&self, name: String, at: Millis) -> BoxFuture<'_, Result<(), LedgerError>> {
        Box::pin(
            self.writer
                .run(move |db| shared::rotate_secret(db, &name, at)),
        )
    }

    fn receipt_keys(&self) -> BoxFuture<'_, Result<KeySet, LedgerError>> {
        Box::pin(self.reader.run(receipts::keys))
    }

    fn rotate_receipt_key(&self, at: Millis) -> BoxFuture<'_, Result<String, LedgerError>> {
        Box::pin(self.writer.run(move |db| receipts::rotate_key(db, at)))
    }

    fn receipts_since(&self) -> BoxFuture<'_, Result<Millis, LedgerError>> {
        Box::pin(self.reader.run(receipts::since))
    }

    fn chains(&self) -> BoxFuture<'_, Result<Vec<Chain>, LedgerError>> {
        Box::pin(self.reader.run(receipts::chains))
    }

    fn receipts(
        &self,
        chain: String,
        after: u64,
        limit: u32,
    ) -> BoxFuture<'_, Result<Vec<String>, LedgerError>> {
        Box::pin(
            self.reader
                .run(move |db| receipts::receipts(db, &chain, after, limit)),
        )
    }

    fn receipt(&self, call: CallId) -> BoxFuture<'_, Result<Option<Arc<str>>, LedgerError>> {
        Box::pin(self.reader.run(move |db| receipts::receipt(db, &call)))
    }

    fn audit(
        &self,
        after: Option<CallId>,
        limit: u32,
    ) -> BoxFuture<'_, Result<Vec<Audited>, LedgerError>> {
        Box::pin(
            self.reader
                .run(move |db| calls::audit(db, after.as_ref(), limit)),
        )
    }

    fn credits(&self) -> BoxFuture<'_, Result<Vec<CreditBalance>, LedgerError>> {
        Box::pin(self.reader.run(accounts::credits))
    }

    fn backup(&self, to: PathBuf) -> BoxFuture<'_, Result<(), BackupError>> {
        let from = self.path.clone();
        Box::pin(async move {
            let failed = |error: tokio::task::JoinError| BackupError::Failed(error.to_string());
            let copying = tokio::task::spawn_blocking(move || backup::backup(&from, &to));
            copying.await.map_err(failed)?
        })
    }

    fn commits(&self) -> u64 {
        self.writer.commits()
    }
}
