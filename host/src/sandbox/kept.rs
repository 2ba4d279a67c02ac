//! Instances that are kept between calls: they hold memories of the pool, give them up to any run that needs them, and
//! go when nobody has called for a while. Which goes when is decided in [`warm`](super::warm).

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use tokio::sync::OwnedSemaphorePermit;
use tokio_util::task::AbortOnDropHandle;
use wasmtime::Store;

use super::load::Started;
use super::log::LogPipe;
use super::places::{Full, Places};
use super::reach::Denials;
use super::state::State;
use super::warm::{Claim, Found, Owner, Pool, Taken, Warm};

/// How often idle instances are looked for.
const SWEEP_PAUSE: Duration = Duration::from_secs(1);

/// An instance in its store, in a call or between two.
pub(super) struct Kept {
    pub(super) store: Store<State>,
    pub(super) started: Started,
    pub(super) log: LogPipe,
    pub(super) denials: Arc<Denials>,
}

/// A kept instance with the memories it occupies. Fields are dropped in this order: the memories are free before anybody
/// is told so.
struct Resident {
    kept: Kept,
    _memories: OwnedSemaphorePermit,
}

/// The kept instances of a host.
pub(super) struct Shelf {
    pool: Mutex<Pool<Resident>>,
    memories: Arc<Places>,
    sweeper: Mutex<Option<AbortOnDropHandle<()>>>,
}

impl Shelf {
    /// None yet; they will hold memories of `memories`.
    pub(super) fn new(memories: Arc<Places>) -> Arc<Self> {
        Arc::new(Self {
            pool: Mutex::default(),
            memories,
            sweeper: Mutex::default(),
        })
    }

    /// An instance for a call. It gives its memories back: the call has its own.
    pub(super) fn take(&self, claim: &Claim, warm: &Warm) -> Option<Found<Kept>> {
        let Taken { found, retired } = self.pool().take(claim, warm, Instant::now());
        drop(retired);
        found.map(|Found { instance, served }| Found {
            instance: instance.kept,
            served,
        })
    }

    /// Keeps an instance after a call, if memories are to spare for it and its component was not retired meanwhile: what
    /// [`Shelf::retire`] was told of then is no longer current. To be called while the call still has its own memories.
    pub(super) fn keep(
        self: &Arc<Self>,
        memories: u32,
        claim: Claim,
        warm: &Warm,
        found: Found<Kept>,
        is_current: impl Fn() -> bool,
    ) {
        let Some(spare) = self.memories.take_spare(memories) else {
            return;
        };
        let found = Found {
            instance: Resident {
                kept: found.instance,
                _memories: spare,
            },
            served: found.served,
        };
        let mut pool = self.pool();
        if !is_current() {
            drop(pool);
            return drop(found);
        }
        let retired = pool.keep(claim, warm, Instant::now(), found);
        drop(pool);
        drop(retired);
        // Whoever began to wait meanwhile has found nothing to evict.
        while self.memories.anyone_waits() && self.evict() {}
        self.sweep();
    }

    /// Takes memories for a run, from kept instances where none are free.
    pub(super) async fn memories(
        &self,
        count: u32,
        waiting_max: usize,
    ) -> Result<OwnedSemaphorePermit, Full> {
        let evict = || self.evict();
        self.memories.take_from(count, waiting_max, evict).await
    }

    /// Drops all instances of a component.
    pub(super) fn retire(&self, owner: Owner) {
        let retired = self.pool().retire_of(owner);
        drop(retired);
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.pool().len()
    }

    fn evict(&self) -> bool {
        let evicted = self.pool().evict();
        evicted.is_some()
    }

    /// Sees to it that somebody looks for idle instances while there are any.
    fn sweep(self: &Arc<Self>) {
        let mut sweeper = self.sweeper.lock().unwrap_or_else(PoisonError::into_inner);
        if sweeper.as_ref().is_none_or(AbortOnDropHandle::is_finished) {
            let task = tokio::spawn(sweep(Arc::downgrade(self)));
            *sweeper = Some(AbortOnDropHandle::new(task));
        }
    }

    /// Whether there is nothing left to look at; the next instance then calls for another sweeper.
    fn is_swept(&self) -> bool {
        let mut sweeper = self.sweeper.lock().unwrap_or_else(PoisonError::into_inner);
        let is_empty = self.pool().len() == 0;
        if is_empty {
            *sweeper = None;
        }
        is_empty
    }

    fn pool(&self) -> MutexGuard<'_, Pool<Resident>> {
        self.pool.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Drops idle instances, and ends when there are none left or the shelf has gone.
async fn sweep(shelf: Weak<Shelf>) {
    loop {
        tokio::time::sleep(SWEEP_PAUSE).await;
        let Some(shelf) = shelf.upgrade() else {
            return;
        };
        let retired = shelf.pool().retire_idle(Instant::now());
        drop(retired);
        if shelf.is_swept() {
            return;
        }
    }
}
