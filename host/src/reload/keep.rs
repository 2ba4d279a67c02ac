//! Puts the bytes of paid plugins into the ledger before anybody can be quoted a price for them.

use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::Arc;

use coinop_core::digest::Digest;
use coinop_core::price::Price;

use crate::catalog::Snapshot;
use crate::catalog::source::read_component;
use crate::ledger::Ledger;

/// What this process has put into the ledger.
pub(super) struct Keeper {
    ledger: Arc<dyn Ledger>,
    kept: HashSet<Digest>,
}

impl Keeper {
    pub(super) fn new(ledger: Arc<dyn Ledger>) -> Self {
        Self {
            ledger,
            kept: HashSet::new(),
        }
    }

    /// Keeps a component whose bytes are in `file`, or already in the ledger.
    ///
    /// # Errors
    /// Its bytes are nowhere, or the ledger does not take them.
    pub(super) async fn keep(
        &mut self,
        digest: Digest,
        file: Option<PathBuf>,
    ) -> Result<(), String> {
        if self.kept.contains(&digest) {
            return Ok(());
        }
        let read = match file {
            Some(file) => read_component(file, digest).await,
            None => Err("its file is gone".to_owned()),
        };
        match read {
            Ok(bytes) => self
                .ledger
                .keep_component(digest, bytes)
                .await
                .map_err(|e| e.to_string())?,
            Err(reason) => {
                let there = self
                    .ledger
                    .component(digest)
                    .await
                    .map_err(|e| e.to_string())?;
                there.ok_or(reason)?;
            }
        }
        self.kept.insert(digest);
        Ok(())
    }

    /// Forgets what is not served, so that the list does not grow, and a version that comes back is kept again.
    pub(super) fn only(&mut self, served: &HashSet<Digest>) {
        self.kept.retain(|digest| served.contains(digest));
    }
}

/// Every component that somebody can be asked to pay for.
pub(super) fn paid(snapshot: &Snapshot) -> HashSet<Digest> {
    let listings = snapshot.tools.values().map(|entry| entry.listing());
    let paid = listings.filter(|listing| matches!(listing.price, Price::PerCall(_)));
    paid.map(|listing| listing.manifest.digest).collect()
}
