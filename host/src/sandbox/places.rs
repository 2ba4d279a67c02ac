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
        self.take_from(count, waiting_max, || false).await
    }

    /// As [`Places::take`], from whoever would give some up: `make_room` says whether another one did.
    pub(super) async fn take_from(
        &self,
        count: u32,
        waiting_max: usize,
        make_room: impl Fn() -> bool,
    ) -> Result<OwnedSemaphorePermit, Full> {
        if let Some(taken) = self.free_now(count, &make_room) {
            return Ok(taken);
        }
        let _waiting = Waiting::begin(&self.waiting, waiting_max).ok_or(Full)?;
        // Again, now that it is seen to wait: see `anyone_waits`.
        if let Some(taken) = self.free_now(count, &make_room) {
            return Ok(taken);
        }
        let taken = Arc::clone(&self.free).acquire_many_owned(count).await;
        // Nobody closes it.
        taken.map_err(|_| Full)
    }

    /// Takes places that nobody else needs just now. Whoever does not give them back by itself has to ask
    /// [`Places::anyone_waits`] once others can make it.
    pub(super) fn take_spare(&self, count: u32) -> Option<OwnedSemaphorePermit> {
        let taken = Arc::clone(&self.free).try_acquire_many_owned(count);
        taken.ok()
    }

    /// Whether somebody waits for a place.
    pub(super) fn anyone_waits(&self) -> bool {
        self.waiting.load(Ordering::SeqCst) > 0
    }

    fn free_now(&self, count: u32, make_room: impl Fn() -> bool) -> Option<OwnedSemaphorePermit> {
        loop {
            if let Some(taken) = self.take_spare(count) {
                return Some(taken);
            }
            if !make_room() {
                return None;
            }
        }
    }
}

/// One that waits.
struct Waiting<'a>(&'a AtomicUsize);

impl<'a> Waiting<'a> {
    fn begin(count: &'a AtomicUsize, max: usize) -> Option<Self> {
        let one_more = |n: usize| (n < max).then_some(n + 1);
        count
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, one_more)
            .ok()
            .map(|_| Self(count))
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;
    use std::sync::Mutex;

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

    #[tokio::test]
    async fn places_are_made_before_anybody_waits() {
        let places = Places::new(1);
        let kept = Mutex::new(places.take_spare(1));
        let make_room = || kept.lock().unwrap().take().is_some();
        let taken = places.take_from(1, 0, make_room).await.unwrap();
        assert!(places.take_spare(1).is_none());
        assert_eq!(places.take_from(1, 0, make_room).await.err(), Some(Full));
        drop(taken);
        assert!(places.take_spare(1).is_some());
    }

    #[tokio::test]
    async fn whoever_waits_is_seen() {
        let places = Places::new(1);
        let taken = places.take(1, 1).await.unwrap();
        assert!(!places.anyone_waits());
        let mut second = pin!(places.take(1, 1));
        assert!(poll!(&mut second).is_pending());
        assert!(places.anyone_waits());
        drop(taken);
        drop(second.await.unwrap());
        assert!(!places.anyone_waits());
    }
}
