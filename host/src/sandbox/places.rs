//! Places for runs: so many at a time, and so many more that may wait for one.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Places, and whoever waits for them.
pub(super) struct Places {
    free: Arc<Semaphore>,
    waiting: AtomicUsize,
}

/// All places are taken, and so many wait already that nobody else may.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Full;

impl Places {
    pub(super) fn new(count: usize) -> Self {
        Self {
            free: Arc::new(Semaphore::new(count.min(Semaphore::MAX_PERMITS))),
            waiting: AtomicUsize::new(0),
        }
    }

    /// Takes `count` places, in turn with the others that wait. Dropping the future gives the turn up.
    pub(super) async fn take(
        &self,
        count: u32,
        waiting_max: usize,
    ) -> Result<OwnedSemaphorePermit, Full> {
        if let Ok(taken) = Arc::clone(&self.free).try_acquire_many_owned(count) {
            return Ok(taken);
        }
        let _waiting = Waiting::begin(&self.waiting, waiting_max).ok_or(Full)?;
        let taken = Arc::clone(&self.free).acquire_many_owned(count).await;
        // Nobody closes it.
        taken.map_err(|_| Full)
    }
}

/// One that waits.
struct Waiting<'a>(&'a AtomicUsize);

impl<'a> Waiting<'a> {
    fn begin(count: &'a AtomicUsize, max: usize) -> Option<Self> {
        let one_more = |n: usize| (n < max).then_some(n + 1);
        count
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_more)
            .ok()
            .map(|_| Self(count))
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;

    use futures::poll;

    use super::*;

    #[tokio::test]
    async fn so_many_wait_and_no_more() {
        let places = Places::new(1);
        let first = places.take(1, 1).await.unwrap();
        let mut second = pin!(places.take(1, 1));
        assert!(poll!(&mut second).is_pending());
        assert_eq!(places.take(1, 1).await.err(), Some(Full));
        drop(first);
        let second = second.await.unwrap();
        // Whoever stopped waiting makes room for the next.
        {
            let mut third = pin!(places.take(1, 1));
            assert!(poll!(&mut third).is_pending());
        }
        let mut fourth = pin!(places.take(1, 1));
        assert!(poll!(&mut fourth).is_pending());
        drop(second);
        assert!(fourth.await.is_ok());
    }

    #[tokio::test]
    async fn nobody_waits_where_none_may() {
        let places = Places::new(2);
        let _both = places.take(2, 0).await.unwrap();
        assert_eq!(places.take(1, 0).await.err(), Some(Full));
    }
}
