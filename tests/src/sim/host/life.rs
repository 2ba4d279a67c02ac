//! Whether a host lives: killed, stopped, or on its way between two awaits.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use coinop_core::Millis;
use coinop_core::ids::CallId;

use crate::sim::world::World;

/// A host's life. Every message to and from it passes here.
pub(crate) struct Life {
    /// Its name, with the number of its incarnation.
    pub name: String,
    world: Arc<World>,
    skew: Millis,
    killed: AtomicBool,
    frozen_until: AtomicI64,
    /// Messages that still pass before it is killed.
    passes_left: AtomicI64,
    /// Messages that still pass before it is stopped, and for how long it is then.
    passes_to_freeze: AtomicI64,
    freeze_ms: AtomicI64,
    /// The epochs under which it last claimed calls.
    claims: Mutex<BTreeMap<CallId, u32>>,
}

impl Life {
    pub(super) fn new(world: &Arc<World>, name: String, skew: Millis) -> Self {
        Self {
            name,
            world: Arc::clone(world),
            skew,
            killed: AtomicBool::new(false),
            frozen_until: AtomicI64::new(0),
            passes_left: AtomicI64::new(i64::MAX),
            passes_to_freeze: AtomicI64::new(i64::MAX),
            freeze_ms: AtomicI64::new(0),
            claims: Mutex::default(),
        }
    }

    /// The time by its own clock.
    pub(crate) fn now(&self) -> Millis {
        self.world.time.now() + self.skew
    }

    /// Ends it at once, as `kill -9` does: nothing that it waits for ever comes.
    pub(crate) fn kill(&self) {
        if !self.killed.swap(true, Ordering::Relaxed) {
            self.world.note(format_args!("{} is killed", self.name));
            if self.world.weather.is_bad() {
                self.world.count("kills");
            }
        }
    }

    /// Ends it once `passes` more messages have passed.
    pub(crate) fn kill_after(&self, passes: i64) {
        self.passes_left.store(passes, Ordering::Relaxed);
    }

    /// Whether it was killed.
    pub(crate) fn is_killed(&self) -> bool {
        self.killed.load(Ordering::Relaxed)
    }

    /// Stops it for a while, as SIGSTOP does, once `passes` more messages have passed.
    pub(crate) fn freeze_after(&self, passes: i64, ms: Millis) {
        self.freeze_ms.store(ms, Ordering::Relaxed);
        self.passes_to_freeze.store(passes, Ordering::Relaxed);
    }

    fn freeze(&self) {
        let ms = self.freeze_ms.load(Ordering::Relaxed);
        let until = self.world.time.now() + ms;
        self.world
            .note(format_args!("{} is stopped for {ms}", self.name));
        self.world.count("freezes");
        self.frozen_until.store(until, Ordering::Relaxed);
    }

    /// Lets a message pass: after a while, after the host goes on, or never.
    pub(crate) async fn pass(&self) {
        let world = &self.world;
        if self.passes_left.fetch_sub(1, Ordering::Relaxed) <= 0 {
            self.kill();
        }
        if self.passes_to_freeze.fetch_sub(1, Ordering::Relaxed) == 0 {
            self.freeze();
        }
        self.sleep(world.weather.latency(&world.dice)).await;
    }

    /// Waits; a host that is stopped goes on no earlier than it is continued.
    pub(super) async fn sleep(&self, ms: Millis) {
        let time = &self.world.time;
        time.sleep(ms).await;
        loop {
            if self.is_killed() {
                return std::future::pending().await;
            }
            let frozen_until = self.frozen_until.load(Ordering::Relaxed);
            if time.now() >= frozen_until {
                return;
            }
            time.until(frozen_until).await;
        }
    }

    pub(super) fn claimed(&self, call: &CallId, epoch: u32) {
        let mut claims = self.claims.lock().unwrap_or_else(PoisonError::into_inner);
        claims.insert(call.clone(), epoch);
    }

    /// The epoch under which it last claimed a call.
    pub(super) fn epoch_of(&self, call: &CallId) -> u32 {
        let claims = self.claims.lock().unwrap_or_else(PoisonError::into_inner);
        claims.get(call).copied().unwrap_or(0)
    }
}
