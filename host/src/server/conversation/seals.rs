//! The secrets that states are sealed with: the ledger's, so that every host of it reads what another wrote; read once and
//! again from time to time, never once a request.

use std::sync::Arc;

use arc_swap::ArcSwapOption;
use coinop_core::Millis;

use super::state::{Bound, State};
use crate::server::Calls;

/// How old the secrets at hand may be, milliseconds. Whoever has not heard of the latest still knows the one before,
/// which counts as well.
const AGE_MS_MAX: Millis = 5 * 60_000;
/// How old they are at least when they are read again for a state that does not hold: forged ones come in floods.
const AGE_MS_MIN: Millis = 5_000;

/// What a sealed state turns out to be.
pub(super) enum Opened {
    /// Ours, for this caller, tool and arguments.
    Holds(State),
    /// Somebody else's, another call's, or too old.
    DoesNotHold,
    /// There are no secrets to tell by.
    Untold,
}

/// The secrets at hand.
#[derive(Default)]
pub(in crate::server) struct Seals {
    at_hand: ArcSwapOption<(Millis, Vec<Vec<u8>>)>,
}

impl Seals {
    /// Seals a state; `None` while the ledger has no secret to give.
    pub(super) async fn seal(
        &self,
        calls: &dyn Calls,
        state: &State,
        bound: &Bound<'_>,
    ) -> Option<String> {
        let secrets = self.secrets(calls, AGE_MS_MAX).await?;
        Some(state.seal(bound, secrets.1.first()?))
    }

    /// Opens a state.
    pub(super) async fn open(&self, calls: &dyn Calls, sealed: &str, bound: &Bound<'_>) -> Opened {
        for age_ms_max in [AGE_MS_MAX, AGE_MS_MIN] {
            let secrets = self.secrets(calls, age_ms_max).await;
            let Some(secrets) = secrets.filter(|read| !read.1.is_empty()) else {
                return Opened::Untold;
            };
            if let Some(state) = State::open(sealed, bound, &secrets.1, calls.clock().now()) {
                return Opened::Holds(state);
            }
        }
        Opened::DoesNotHold
    }

    /// The secrets, the latest first. Those at hand if they are young enough, or if the ledger does not answer.
    async fn secrets(
        &self,
        calls: &dyn Calls,
        age_ms_max: Millis,
    ) -> Option<Arc<(Millis, Vec<Vec<u8>>)>> {
        let now = calls.clock().now();
        let at_hand = self.at_hand.load_full();
        if let Some(at_hand) = &at_hand
            && now.saturating_sub(at_hand.0).saturating_abs() < age_ms_max
        {
            return Some(Arc::clone(at_hand));
        }
        match calls.request_state_secrets().await {
            Ok(read) => {
                let read = Arc::new((now, read));
                self.at_hand.store(Some(Arc::clone(&read)));
                Some(read)
            }
            Err(error) => {
                tracing::warn!(%error, "the secrets of request states could not be read");
                at_hand
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;
    use std::sync::atomic::{AtomicI64, AtomicU32, Ordering};

    use coinop_core::digest::Digest;
    use coinop_core::ids::PaymentId;
    use coinop_core::principal::Principal;
    use futures::future::BoxFuture;

    use super::*;
    use crate::clock::Clock;
    use crate::gate::{Invocation, Reply};
    use crate::ledger::LedgerError;

    struct Hand(AtomicI64);

    impl Clock for Hand {
        fn now(&self) -> Millis {
            self.0.load(Ordering::SeqCst)
        }
    }

    /// A ledger of secrets that counts how often it is asked.
    struct Shelf {
        clock: Arc<Hand>,
        secrets: Mutex<Option<Vec<Vec<u8>>>>,
        asked: AtomicU32,
    }

    impl Shelf {
        fn new() -> Self {
            Self {
                clock: Arc::new(Hand(AtomicI64::new(1_000_000))),
                secrets: Mutex::new(Some(vec![vec![1; 32]])),
                asked: AtomicU32::new(0),
            }
        }

        fn hold(&self, bytes: &[u8]) {
            let secrets = bytes.iter().map(|byte| vec![*byte; 32]).collect();
            *self.secrets.lock().unwrap() = Some(secrets);
        }
    }

    impl Calls for Shelf {
        fn call(&self, _: Invocation) -> BoxFuture<'_, Reply> {
            unreachable!("nothing is called")
        }

        fn clock(&self) -> Arc<dyn Clock> {
            self.clock.clone()
        }

        fn request_state_secrets(&self) -> BoxFuture<'_, Result<Vec<Vec<u8>>, LedgerError>> {
            self.asked.fetch_add(1, Ordering::SeqCst);
            let secrets = self.secrets.lock().unwrap().clone();
            Box::pin(async { secrets.ok_or(LedgerError::Closed) })
        }
    }

    async fn seal(seals: &Seals, shelf: &Shelf) -> Option<String> {
        let state = State::new(PaymentId::from_random([7; 16]), 1, 2_000_000);
        seals
            .seal(shelf, &state, &bound(&Principal::local(), &Digest::of(b"")))
            .await
    }

    async fn opens(seals: &Seals, shelf: &Shelf, sealed: &str) -> bool {
        let (principal, arguments) = (Principal::local(), Digest::of(b""));
        let opened = seals
            .open(shelf, sealed, &bound(&principal, &arguments))
            .await;
        matches!(opened, Opened::Holds(_))
    }

    fn bound<'a>(principal: &'a Principal, arguments: &'a Digest) -> Bound<'a> {
        Bound {
            principal,
            tool: "tool",
            arguments,
        }
    }

    #[tokio::test]
    async fn secrets_are_read_once_and_not_for_every_forgery() {
        let (seals, shelf) = (Seals::default(), Shelf::new());
        let sealed = seal(&seals, &shelf).await.unwrap();
        for _ in 0..100 {
            assert!(opens(&seals, &shelf, &sealed).await);
            assert!(!opens(&seals, &shelf, "forged").await);
        }
        assert_eq!(shelf.asked.load(Ordering::SeqCst), 1);
    }

    #[tokio::test]
    async fn hosts_of_one_ledger_read_each_other_across_a_rotation() {
        let shelf = Shelf::new();
        let (one, two) = (Seals::default(), Seals::default());
        let old = seal(&one, &shelf).await.unwrap();
        assert!(opens(&two, &shelf, &old).await);
        shelf.hold(&[2, 1]);
        let fresh = Seals::default();
        let new = seal(&fresh, &shelf).await.unwrap();
        assert!(opens(&fresh, &shelf, &old).await, "the one before counts");
        assert!(!opens(&one, &shelf, &new).await, "too soon to look again");
        shelf.clock.0.fetch_add(AGE_MS_MIN, Ordering::SeqCst);
        assert!(opens(&one, &shelf, &new).await);
        shelf.hold(&[3, 2]);
        shelf.clock.0.fetch_add(AGE_MS_MAX, Ordering::SeqCst);
        assert!(!opens(&one, &shelf, &old).await, "two rotations ago");
    }

    #[tokio::test]
    async fn a_ledger_that_is_away_leaves_the_secrets_at_hand() {
        let (seals, shelf) = (Seals::default(), Shelf::new());
        *shelf.secrets.lock().unwrap() = None;
        assert_eq!(seal(&seals, &shelf).await, None);
        shelf.hold(&[1]);
        let sealed = seal(&seals, &shelf).await.unwrap();
        *shelf.secrets.lock().unwrap() = None;
        shelf.clock.0.fetch_add(AGE_MS_MAX, Ordering::SeqCst);
        assert!(opens(&seals, &shelf, &sealed).await);
    }
}
