//! Who waits for which call in this process: every commit wakes them, so that nobody's payment waits for a clock.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use coinop_core::ids::CallId;
use tokio::sync::watch;

/// The waiting, by call.
#[derive(Debug, Default)]
pub(in crate::gate) struct Watchers {
    calls: Mutex<HashMap<CallId, watch::Sender<()>>>,
}

/// One that waits. Dropping it leaves no trace.
#[derive(Debug)]
pub(in crate::gate) struct Watcher {
    watchers: Arc<Watchers>,
    call: CallId,
    /// `None` once it is being dropped.
    news: Option<watch::Receiver<()>>,
}

impl Watchers {
    /// Hears of every change of `call` from now on.
    pub(in crate::gate) fn watch(self: &Arc<Self>, call: &CallId) -> Watcher {
        let news = self
            .lock()
            .entry(call.clone())
            .or_insert_with(|| watch::Sender::new(()))
            .subscribe();
        Watcher {
            watchers: Arc::clone(self),
            call: call.clone(),
            news: Some(news),
        }
    }

    /// Says that `call` has changed.
    pub(in crate::gate) fn tell(&self, call: &CallId) {
        if let Some(news) = self.lock().get(call) {
            news.send_replace(());
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<CallId, watch::Sender<()>>> {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Watcher {
    /// Waits for the next change that was not awaited yet.
    pub(in crate::gate) async fn changed(&mut self) {
        let told = match &mut self.news {
            Some(news) => news.changed().await.is_ok(),
            None => false,
        };
        // The sender lives at least as long as this: only the last one that waits removes it.
        if !told {
            std::future::pending().await
        }
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        let mut calls = self.watchers.lock();
        self.news = None;
        let is_last = calls
            .get(&self.call)
            .is_some_and(|news| news.receiver_count() == 0);
        if is_last {
            calls.remove(&self.call);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::FutureExt as _;

    fn call(byte: u8) -> CallId {
        CallId::from_random([byte; 16])
    }

    #[test]
    fn all_who_wait_for_a_call_hear_of_it_once_and_nobody_else() {
        let watchers = Arc::<Watchers>::default();
        let (mut one, mut two) = (watchers.watch(&call(1)), watchers.watch(&call(1)));
        let mut other = watchers.watch(&call(2));
        watchers.tell(&call(1));
        watchers.tell(&call(3));
        for watcher in [&mut one, &mut two] {
            assert!(watcher.changed().now_or_never().is_some());
            assert!(watcher.changed().now_or_never().is_none());
        }
        assert!(other.changed().now_or_never().is_none());
    }

    #[test]
    fn what_is_told_between_two_waits_is_not_lost() {
        let watchers = Arc::<Watchers>::default();
        let mut one = watchers.watch(&call(1));
        assert!(one.changed().now_or_never().is_none());
        watchers.tell(&call(1));
        watchers.tell(&call(1));
        assert!(one.changed().now_or_never().is_some());
    }

    #[test]
    fn the_last_one_leaves_no_trace() {
        let watchers = Arc::<Watchers>::default();
        let (one, two) = (watchers.watch(&call(1)), watchers.watch(&call(1)));
        drop(one);
        assert_eq!(watchers.lock().len(), 1);
        drop(two);
        assert_eq!(watchers.lock().len(), 0);
    }
}
