//! How a run shares the processors: what it has used, and when it is its turn.
//!
//! A guest that computes is interrupted every tick and gives way. From its second tick on it also needs a turn, of
//! which there are as many as processors: however many guests loop, only so many of them stand in the executor's
//! queue, and a short request never waits for more than a tick.

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tokio::sync::Semaphore;

/// The processor time of one run. Used by one task at a time; the atomics only make it shareable.
pub(super) struct Pace {
    origin: Instant,
    budget: Duration,
    spent_ns: AtomicU64,
    resumed_ns: AtomicU64,
    turns: Arc<Semaphore>,
    has_turn: AtomicBool,
}

impl Pace {
    pub(super) fn new(budget: Duration, turns: Arc<Semaphore>) -> Arc<Self> {
        Arc::new(Self {
            origin: Instant::now(),
            budget,
            spent_ns: AtomicU64::new(0),
            resumed_ns: AtomicU64::new(0),
            turns,
            has_turn: AtomicBool::new(false),
        })
    }

    /// Whether the budget is used up. Only meaningful while the run is being polled, as in the epoch callback.
    pub(super) fn is_exhausted(&self) -> bool {
        let since_resumed = self.now_ns() - self.resumed_ns.load(Ordering::Relaxed);
        let spent = self.spent_ns.load(Ordering::Relaxed) + since_resumed;
        Duration::from_nanos(spent) >= self.budget
    }

    /// Gives way to other tasks, then waits for a turn.
    pub(super) fn next_turn(self: &Arc<Self>) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        let pace = Arc::clone(self);
        Box::pin(async move {
            tokio::task::yield_now().await;
            // The semaphore is never closed; without a turn the run goes on all the same.
            if let Ok(turn) = pace.turns.acquire().await {
                turn.forget();
                pace.has_turn.store(true, Ordering::Relaxed);
            }
        })
    }

    /// Runs `work`, counting the time it is polled. Whenever it waits, for whatever reason, its turn is given back.
    pub(super) async fn of<F: Future>(&self, work: F) -> F::Output {
        let mut work = pin!(work);
        poll_fn(|cx| {
            self.resumed_ns.store(self.now_ns(), Ordering::Relaxed);
            let polled = work.as_mut().poll(cx);
            self.suspend();
            polled
        })
        .await
    }

    fn suspend(&self) {
        let since_resumed = self.now_ns() - self.resumed_ns.load(Ordering::Relaxed);
        self.spent_ns.fetch_add(since_resumed, Ordering::Relaxed);
        if self.has_turn.swap(false, Ordering::Relaxed) {
            self.turns.add_permits(1);
        }
    }

    fn now_ns(&self) -> u64 {
        // A run of 584 years would overflow.
        self.origin.elapsed().as_nanos() as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn waiting_costs_nothing_and_computing_does() {
        let pace = Pace::new(Duration::from_millis(20), Arc::new(Semaphore::new(1)));
        pace.of(async {
            tokio::time::sleep(Duration::from_millis(30)).await;
            assert!(!pace.is_exhausted());
            let started = Instant::now();
            while started.elapsed() < Duration::from_millis(21) {}
            assert!(pace.is_exhausted());
        })
        .await;
    }

    #[tokio::test]
    async fn a_turn_is_given_back_when_the_run_waits_or_ends() {
        let turns = Arc::new(Semaphore::new(1));
        let pace = Pace::new(Duration::from_secs(1), Arc::clone(&turns));
        pace.of(async {
            pace.next_turn().await;
            assert_eq!(turns.available_permits(), 0);
            tokio::task::yield_now().await;
            assert_eq!(turns.available_permits(), 1);
            pace.next_turn().await;
            assert_eq!(turns.available_permits(), 0);
        })
        .await;
        assert_eq!(turns.available_permits(), 1);
    }
}
