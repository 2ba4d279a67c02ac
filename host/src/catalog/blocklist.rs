//! Components the operator has blocked, as the ledger has them: another process's block counts within a second.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use coinop_core::call::Failure;
use coinop_core::digest::Digest;
use tokio::sync::Mutex;

use super::library::failure;
use crate::ledger::Components;

/// How old an answer of the ledger may be.
const FRESH: Duration = Duration::from_secs(1);
/// How long one question to the ledger may take; callers wait meanwhile.
const ANSWER_MAX: Duration = Duration::from_secs(2);

/// A short-lived copy of the ledger's list.
pub(super) struct Blocklist {
    ledger: Arc<dyn Components>,
    fresh: Duration,
    known: Mutex<Option<Known>>,
}

struct Known {
    asked: Instant,
    blocked: HashSet<Digest>,
}

impl Blocklist {
    pub(super) fn new(ledger: Arc<dyn Components>) -> Self {
        Self {
            ledger,
            fresh: FRESH,
            known: Mutex::new(None),
        }
    }

    /// Lets a component pass that is not blocked.
    ///
    /// # Errors
    /// It is blocked, or the ledger has never answered. Once it has, its last answer holds while it is silent.
    pub(super) async fn check(&self, digest: Digest) -> Result<(), Failure> {
        let mut known = self.known.lock().await;
        if known
            .as_ref()
            .is_none_or(|k| k.asked.elapsed() >= self.fresh)
        {
            self.refresh(&mut known).await;
        }
        match &*known {
            Some(known) if known.blocked.contains(&digest) => {
                Err(failure("blocked", "the tool was blocked by the operator"))
            }
            Some(_) => Ok(()),
            None => Err(failure(
                "host_unavailable",
                "the list of blocked tools cannot be read at the moment",
            )),
        }
    }

    async fn refresh(&self, known: &mut Option<Known>) {
        let asked = Instant::now();
        match tokio::time::timeout(ANSWER_MAX, self.ledger.blocked()).await {
            Ok(Ok(blocked)) => {
                *known = Some(Known {
                    asked,
                    blocked: blocked.into_iter().collect(),
                })
            }
            Ok(Err(error)) => tracing::warn!("blocked components cannot be read: {error}"),
            Err(_) => tracing::warn!("blocked components cannot be read: the ledger is slow"),
        }
        // A silent ledger is asked again after a while, not by every run.
        if let Some(known) = known {
            known.asked = asked;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::Ordering;

    use super::*;
    use crate::catalog::fakes::FakeLedger;

    #[tokio::test]
    async fn a_block_counts_and_a_silent_ledger_lifts_none() {
        let (ledger, digest) = (Arc::new(FakeLedger::default()), Digest::of(b"x"));
        let mut blocklist = Blocklist::new(ledger.clone());
        blocklist.fresh = Duration::ZERO;
        assert_eq!(blocklist.check(digest).await, Ok(()));
        ledger.set_blocked(digest, true, 0).await.unwrap();
        assert_eq!(blocklist.check(digest).await.unwrap_err().kind, "blocked");
        ledger.down.store(true, Ordering::SeqCst);
        assert_eq!(blocklist.check(digest).await.unwrap_err().kind, "blocked");
        ledger.down.store(false, Ordering::SeqCst);
        ledger.set_blocked(digest, false, 0).await.unwrap();
        assert_eq!(blocklist.check(digest).await, Ok(()));
    }
}
