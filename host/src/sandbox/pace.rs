//! How a run shares the processors: what it has used, and when it is its turn.
//!
//! A guest that computes is interrupted every tick or so and gives way. From then on it also needs a turn, of
//! which the host has as many as processors: however many guests loop, only so many of them stand in the executor's
//! queue. Short work needs a lane instead, of which each component has as many as processors: however many short runs
//! somebody asks of one component, they leave a thread to the others. So a short request never waits for more than a
//! tick, neither beside a few long runs nor beside many short ones.

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::ready;
use std::time::{Duration, Instant};

use tokio::sync::Semaphore;
use tokio_util::sync::PollSemaphore;

use super::engine::TICK;

/// What runs share.
#[derive(Clone)]
pub(super) struct Ways {
    /// For runs that compute, of whatever component.
    pub(super) turns: Arc<Semaphore>,
    /// For everything else that runs of one component do.
    pub(super) lanes: Arc<Semaphore>,
}

/// The processor time of one run. Used by one task at a time; the atomics only make it shareable.
pub(super) struct Pace {
    origin: Instant,
    budget: Duration,
    spent_ns: AtomicU64,
    resumed_ns: AtomicU64,
    ways: Ways,
    /// Whether it was interrupted for computing, so that it goes on by a turn.
    computes: AtomicBool,
}

impl Pace {
    pub(super) fn new(budget: Duration, ways: Ways) -> Arc<Self> {
        Arc::new(Self {
            origin: Instant::now(),
            budget,
            spent_ns: AtomicU64::new(0),
            resumed_ns: AtomicU64::new(0),
            ways,
            computes: AtomicBool::new(false),
        })
    }

    /// Whether the budget is used up. Only meaningful while the run is being polled, as in the epoch callback.
    pub(super) fn is_exhausted(&self) -> bool {
        let since_resumed = self.now_ns() - self.resumed_ns.load(Ordering::Relaxed);
        let spent = self.spent_ns.load(Ordering::Relaxed) + since_resumed;
        Duration::from_nanos(spent) >= self.budget
    }

    /// Whether it has computed for so long since it last waited that it should give way. A tick may come right after a
    /// wait, however long that was: it is no sign of computing then.
    pub(super) fn has_computed(&self) -> bool {
        let since_resumed = self.now_ns() - self.resumed_ns.load(Ordering::Relaxed);
        Duration::from_nanos(since_resumed) >= TICK / 2
    }

    /// Gives way to other tasks; the run goes on when it has a turn.
    pub(super) fn next_turn(self: &Arc<Self>) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        let pace = Arc::clone(self);
        Box::pin(async move {
            pace.computes.store(true, Ordering::Relaxed);
            tokio::task::yield_now().await;
        })
    }

    /// Runs `work`, by a lane or a turn, counting the time it is polled. Whenever it waits, for whatever reason, lane and
    /// turn are given back.
    pub(super) async fn of<F: Future>(&self, work: F) -> F::Output {
        let mut work = pin!(work);
        let mut turns = PollSemaphore::new(Arc::clone(&self.ways.turns));
        let mut lanes = PollSemaphore::new(Arc::clone(&self.ways.lanes));
        poll_fn(|cx| {
            let way = match self.computes.load(Ordering::Relaxed) {
                true => &mut turns,
                false => &mut lanes,
            };
            // The semaphores are never closed; without a way the run goes on all the same.
            let way = ready!(way.poll_acquire(cx));
            self.computes.store(false, Ordering::Relaxed);
            self.resumed_ns.store(self.now_ns(), Ordering::Relaxed);
            let polled = work.as_mut().poll(cx);
            let since_resumed = self.now_ns() - self.resumed_ns.load(Ordering::Relaxed);
            self.spent_ns.fetch_add(since_resumed, Ordering::Relaxed);
            drop(way);
            polled
        })
        .await
    }

    fn now_ns(&self) -> u64 {
        // A run of 584 years would overflow.
        self.origin.elapsed().as_nanos() as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ways(each: usize) -> Ways {
        Ways {
            turns: Arc::new(Semaphore::new(each)),
            lanes: Arc::new(Semaphore::new(each)),
        }
    }

    #[tokio::test]
    async fn waiting_costs_nothing_and_computing_does() {
        let pace = Pace::new(Duration::from_millis(20), ways(1));
        pace.of(async {
            tokio::time::sleep(Duration::from_millis(30)).await;
            assert!(!pace.is_exhausted());
            let started = Instant::now();
            while started.elapsed() < Duration::from_millis(21) {}
            assert!(pace.is_exhausted());
        })
        .await;
    }

    /// Free turns and lanes.
    fn free(ways: &Ways) -> (usize, usize) {
        let free = |of: &Semaphore| of.available_permits();
        (free(&ways.turns), free(&ways.lanes))
    }

    #[tokio::test]
    async fn a_wait_is_no_sign_of_computing() {
        let pace = Pace::new(Duration::from_secs(1), ways(1));
        pace.of(async {
            let started = Instant::now();
            while started.elapsed() < TICK {}
            assert!(pace.has_computed());
            tokio::time::sleep(2 * TICK).await;
            assert!(!pace.has_computed());
        })
        .await;
    }

    #[tokio::test]
    async fn a_run_has_a_lane_until_it_computes_and_then_a_turn() {
        let ways = ways(1);
        let pace = Pace::new(Duration::from_secs(1), ways.clone());
        pace.of(async {
            assert_eq!(free(&ways), (1, 0));
            pace.next_turn().await;
            assert_eq!(free(&ways), (0, 1));
            // Whoever waits computes no more.
            tokio::task::yield_now().await;
            assert_eq!(free(&ways), (1, 0));
            pace.next_turn().await;
            assert_eq!(free(&ways), (0, 1));
        })
        .await;
        assert_eq!(free(&ways), (1, 1));
    }

    #[tokio::test]
    async fn what_waits_holds_nothing_and_what_is_dropped_neither() {
        let ways = ways(1);
        let (waiting, other) = (
            Pace::new(Duration::from_secs(1), ways.clone()),
            Pace::new(Duration::from_secs(1), ways.clone()),
        );
        let mut work = Box::pin(waiting.of(std::future::pending::<()>()));
        assert!(futures::poll!(&mut work).is_pending());
        assert_eq!(free(&ways), (1, 1));
        let taken = Arc::clone(&ways.lanes).acquire_owned().await.unwrap();
        let mut second = Box::pin(other.of(std::future::ready(7)));
        assert!(
            futures::poll!(&mut second).is_pending(),
            "there is one lane"
        );
        drop(work);
        drop(taken);
        assert_eq!(second.await, 7);
        assert_eq!(free(&ways), (1, 1));
    }
}
