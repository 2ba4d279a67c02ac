//! The ledger in one SQLite file, shared by every coinop process of the user.
//!
//! WAL with `synchronous=FULL`: what was acknowledged survives kill -9 and power loss. Writes of one process go through
//! one thread that groups them; processes take turns under `BEGIN IMMEDIATE`.

mod calls;
mod open;
mod outcomes;
mod purse;
mod writer;

#[cfg(test)]
mod tests;

use std::path::Path;
use std::sync::Arc;

use coinop_core::Millis;
use coinop_core::digest::Digest;
use coinop_core::ids::CallId;
use coinop_core::outcome::Outcome;
use futures::future::BoxFuture;

use crate::ledger::{
    AdvanceError, Balance, CallKey, Change, Ledger, LedgerError, NewCall, Opened, Record,
};
pub use open::OpenError;
use writer::Worker;

/// A ledger in a SQLite file.
pub struct SqliteLedger {
    writer: Worker,
    reader: Worker,
    id: String,
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
            .query_row("SELECT id FROM ledger", [], |row| row.get(0))
            .map_err(|e| unusable(e.to_string()))?;
        let reader = open::open_reader(path).map_err(|e| unusable(e.to_string()))?;
        Ok(Self {
            writer: Worker::writer(connection).map_err(|e| unusable(e.to_string()))?,
            reader: Worker::reader(reader).map_err(|e| unusable(e.to_string()))?,
            id,
        })
    }
}

impl Ledger for SqliteLedger {
    fn id(&self) -> &str {
        &self.id
    }

    fn open(&self, new: NewCall) -> BoxFuture<'_, Result<Opened, AdvanceError>> {
        Box::pin(self.writer.run(move |db| calls::open(db, new)))
    }

    fn find(&self, key: CallKey) -> BoxFuture<'_, Result<Option<Record>, LedgerError>> {
        Box::pin(self.reader.run(move |db| calls::find(db, &key)))
    }

    fn advance(&self, change: Change) -> BoxFuture<'_, Result<Record, AdvanceError>> {
        Box::pin(self.writer.run(move |db| calls::advance(db, &change)))
    }

    fn outcome(&self, call: CallId) -> BoxFuture<'_, Result<Option<Arc<Outcome>>, LedgerError>> {
        Box::pin(self.reader.run(move |db| outcomes::outcome(db, &call)))
    }

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

    fn list(&self, limit: u32) -> BoxFuture<'_, Result<Vec<Record>, LedgerError>> {
        Box::pin(self.reader.run(move |db| calls::list(db, limit)))
    }

    fn due(&self, now: Millis, limit: u32) -> BoxFuture<'_, Result<Vec<Record>, LedgerError>> {
        Box::pin(self.reader.run(move |db| calls::due(db, now, limit)))
    }

    fn postpone(
        &self,
        call: CallId,
        now: Millis,
        until: Millis,
    ) -> BoxFuture<'_, Result<bool, LedgerError>> {
        Box::pin(
            self.writer
                .run(move |db| calls::postpone(db, &call, now, until)),
        )
    }

    fn forget(&self, before: Millis) -> BoxFuture<'_, Result<u64, LedgerError>> {
        Box::pin(self.writer.run(move |db| outcomes::forget(db, before)))
    }

    fn balances(&self) -> BoxFuture<'_, Result<Vec<Balance>, LedgerError>> {
        Box::pin(self.reader.run(calls::balances))
    }

    fn commits(&self) -> u64 {
        self.writer.commits()
    }
}
