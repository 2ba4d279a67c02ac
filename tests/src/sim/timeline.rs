//! Virtual time: it stands still while anybody has something to do, and jumps to the next who waits.
//!
//! The runtime is tokio's own, with one thread, no timer and no IO. When it has nothing left to poll it is about to park;
//! that is where time jumps. Tokio's paused clock does the same, but only in a build of tokio that differs from the
//! product's, and then everything would be compiled twice.

use std::collections::BTreeMap;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use coinop_core::Millis;

/// When every world begins, milliseconds since the Unix epoch: noon, so that days do not end in every short run.
const BEGIN: Millis = 1_700_049_600_000;

/// The time of one world. Clones share it.
#[derive(Clone)]
pub(crate) struct Timeline(Arc<Mutex<State>>);

struct State {
    now: Millis,
    /// Counts sleepers, so that those of one moment wake in the order in which they lay down.
    count: u64,
    sleepers: BTreeMap<(Millis, u64), Waker>,
    /// Whether everybody waits and nobody for the time.
    stuck: bool,
    main: Option<Waker>,
}

impl Timeline {
    /// Runs `world` to its end.
    ///
    /// # Panics
    /// When everybody waits for somebody else.
    pub(crate) fn run<T, F: Future<Output = T>>(world: impl FnOnce(Self) -> F) -> T {
        let time = Self(Arc::new(Mutex::new(State {
            now: BEGIN,
            count: 0,
            sleepers: BTreeMap::new(),
            stuck: false,
            main: None,
        })));
        let jumping = time.clone();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .on_thread_park(move || jumping.jump())
            .build()
            .expect("a runtime without a driver can be built");
        runtime.block_on(time.clone().watched(world(time)))
    }

    /// Now.
    pub(crate) fn now(&self) -> Millis {
        self.state().now
    }

    /// Waits.
    pub(crate) fn sleep(&self, ms: Millis) -> Sleep {
        self.until(self.now() + ms.max(0))
    }

    /// Waits until a moment.
    pub(crate) fn until(&self, at: Millis) -> Sleep {
        Sleep {
            time: self.clone(),
            at,
            lies_at: None,
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Jumps to the next sleeper and wakes it: one at a time, so that what it does comes before the next of the moment.
    fn jump(&self) {
        let waker = {
            let mut state = self.state();
            match state.sleepers.pop_first() {
                Some(((at, _), waker)) => {
                    state.now = state.now.max(at);
                    Some(waker)
                }
                None => {
                    state.stuck = true;
                    state.main.clone()
                }
            }
        };
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    async fn watched<F: Future>(self, world: F) -> F::Output {
        let mut world = Box::pin(world);
        poll_fn(|context| {
            let stuck = {
                let mut state = self.state();
                state.main = Some(context.waker().clone());
                state.stuck
            };
            match world.as_mut().poll(context) {
                Poll::Pending if stuck => panic!("everybody waits, and nobody for the time"),
                poll => poll,
            }
        })
        .await
    }
}

/// Somebody who waits for the time.
pub(crate) struct Sleep {
    time: Timeline,
    at: Millis,
    lies_at: Option<(Millis, u64)>,
}

impl Future for Sleep {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let this = self.get_mut();
        let mut state = this.time.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(key) = this.lies_at.take() {
            state.sleepers.remove(&key);
        }
        if state.now >= this.at {
            return Poll::Ready(());
        }
        state.count += 1;
        let key = (this.at, state.count);
        state.sleepers.insert(key, context.waker().clone());
        drop(state);
        this.lies_at = Some(key);
        Poll::Pending
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        if let Some(key) = self.lies_at.take() {
            self.time.state().sleepers.remove(&key);
        }
    }
}
