//! Puts the bytes of paid plugins into the ledger before anybody can be quoted a price for them.

use std::collections::{HashMap, HashSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use coinop_core::digest::Digest;
use coinop_core::price::Price;
use futures::StreamExt as _;
use futures::stream;

use crate::catalog::Snapshot;
use crate::catalog::source::read_component;
use crate::clock::{Clock as _, SystemClock};
use crate::ledger::Components;

/// How often the ledger is told that a component is still served, so that it is not forgotten.
const RENEWAL: Duration = Duration::from_secs(60 * 60);
/// Components of which the ledger is told at a time.
const TOUCHES_MAX: usize = 64;

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

    /// Keeps components whose bytes are in their files, or already in the ledger; says of which it cannot, and why: their
    /// bytes are nowhere, or the ledger does not take them.
    pub(super) async fn keep(
        &mut self,
        wanted: impl IntoIterator<Item = Digest>,
        served: &HashMap<Digest, PathBuf>,
    ) -> HashMap<Digest, String> {
        let fresh = |told: &Instant| told.elapsed() < RENEWAL;
        let untold = wanted
            .into_iter()
            .filter(|digest| !self.kept.get(digest).is_some_and(fresh));
        let ledger = &self.ledger;
        // Told together, they share the ledger's commits.
        let told = stream::iter(untold)
            .map(async |digest| {
                (
                    digest,
                    ledger.touch_component(digest, SystemClock.now()).await,
                )
            })
            .buffer_unordered(TOUCHES_MAX)
            .collect::<Vec<_>>()
            .await;
        let mut lost = HashMap::new();
        for (digest, told) in told {
            let kept = match told {
                Ok(true) => Ok(()),
                // One after another, since each holds a whole file in memory.
                Ok(false) => self.put(digest, served.get(&digest).cloned()).await,
                Err(error) => Err(error.to_string()),
            };
            match kept {
                Ok(()) => drop(self.kept.insert(digest, Instant::now())),
                Err(reason) => drop(lost.insert(digest, reason)),
            }
        }
        lost
    }

    async fn put(&self, digest: Digest, file: Option<PathBuf>) -> Result<(), String> {
        let file = file.ok_or("its file is gone")?;
        let bytes = read_component(file, digest).await?;
        let keeping = self
            .ledger
            .keep_component(digest, bytes, SystemClock.now())
            .await;
        keeping.map_err(|e| e.to_string())
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
