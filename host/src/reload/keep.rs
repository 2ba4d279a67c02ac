//! Puts the bytes of paid plugins into the ledger before anybody can be quoted a price for them.

use std::collections::{HashMap, HashSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use coinop_core::digest::Digest;
use coinop_core::price::Price;

use crate::catalog::Snapshot;
use crate::catalog::source::read_component;
use crate::clock::{Clock as _, SystemClock};
use crate::ledger::Components;

/// How often the ledger is told that a component is still served, so that it is not forgotten.
const RENEWAL: Duration = Duration::from_secs(60 * 60);

/// What this process has put into the ledger.
pub(super) struct Keeper {
    ledger: Arc<dyn Components>,
    /// What is kept, and when the ledger was last told.
    kept: HashMap<Digest, Instant>,
}

impl Keeper {
    pub(super) fn new(ledger: Arc<dyn Components>) -> Self {
        Self {
            ledger,
            kept: HashMap::new(),
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
        let fresh = |told: &Instant| told.elapsed() < RENEWAL;
        if self.kept.get(&digest).is_some_and(fresh) {
            return Ok(());
        }
        let now = SystemClock.now();
        let kept = self.ledger.touch_component(digest, now).await;
        if !kept.map_err(|e| e.to_string())? {
            let file = file.ok_or("its file is gone")?;
            let bytes = read_component(file, digest).await?;
            let keeping = self.ledger.keep_component(digest, bytes, now).await;
            keeping.map_err(|e| e.to_string())?;
        }
        self.kept.insert(digest, Instant::now());
        Ok(())
    }

    /// Forgets what is not served, so that the list does not grow, and a version that comes back is kept again.
    pub(super) fn only(&mut self, served: &HashSet<Digest>) {
        self.kept.retain(|digest, _| served.contains(digest));
    }
}

/// Every component that somebody can be asked to pay for.
pub(super) fn paid(snapshot: &Snapshot) -> HashSet<Digest> {
    let listings = snapshot.tools.values().filter_map(|entry| entry.listing());
    let paid = listings.filter(|listing| matches!(listing.price, Price::PerCall(_)));
    paid.map(|listing| listing.manifest.digest).collect()
}
