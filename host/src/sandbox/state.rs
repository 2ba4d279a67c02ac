//! What a store holds for its runs, mostly one: its reach, the limits, and what the plugin may ask the host.

use std::collections::BTreeMap;
use std::sync::Arc;

use wasmtime::component::ResourceTable;
use wasmtime::{Engine, Store, UpdateDeadline};
use wasmtime_wasi::{WasiCtxView, WasiView};
use wasmtime_wasi_http::{WasiHttpCtxView, WasiHttpView};

use super::limits::Limiter;
use super::pace::Pace;
use super::progress::Progress;
use super::reach::{Guarded, Reach, StorageView, Turns};
use crate::limits::Limits;

/// Handles one run may hold at a time: streams, pollables and the like.
const HANDLES_MAX: usize = 512;
/// Tasks, streams and futures that exist at a time in a run of WASI 0.3, each counting up to three times: for itself and
/// for its ends. A stream may keep a file or a connection, whatever became of the handle it was made from.
const TASKS_MAX: usize = 1024;
/// Handles that a guest may still hold after a call and be called again.
const HANDLES_KEPT_MAX: usize = 32;
/// Bytes a guest may hand to the host in one call, whatever its answer may have: WASI writes need some room.
pub(super) const HOSTCALL_BYTES_MIN: usize = 256 << 10;

/// The data of one store. Whoever brings bindings of its own ([`super::service`]) names it, and sees nothing of it.
pub struct State {
    pub(super) reach: Reach,
    table: ResourceTable,
    pub(super) limiter: Limiter,
    pub(super) cpu_is_exhausted: bool,
    pub(super) progress: Option<Progress>,
    pub(super) settings: BTreeMap<String, String>,
    pace: Arc<Pace>,
}

impl WasiView for State {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        self.reach.wasi(&mut self.table)
    }
}

impl WasiHttpView for State {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        self.reach.http(&mut self.table)
    }
}

impl State {
    /// The sockets of this run.
    pub(super) fn guarded_sockets(&mut self) -> Guarded<'_> {
        self.reach.sockets(&mut self.table)
    }

    /// What this run may have under way on files by WASI 0.3.
    pub(super) fn turns(&self) -> &Turns {
        self.reach.turns()
    }

    /// The key-value storage of this run.
    pub(super) fn storage(&mut self) -> StorageView<'_> {
        self.reach.storage(&mut self.table)
    }
}

/// Readies a store for one more run: whatever is one run's own begins anew.
pub(super) fn renew(
    store: &mut Store<State>,
    limits: &Limits,
    pace: &Arc<Pace>,
    progress: Option<Progress>,
) {
    let state = store.data_mut();
    state.pace = Arc::clone(pace);
    state.progress = progress;
    let handles_max = HANDLES_MAX + state.table.iter_mut().count();
    state.table.set_max_capacity(handles_max);
    store.set_max_component_handles(handles_max);
    arm(store, limits);
}

/// Whether the guest may be called again after a good call: nothing was refused to it, and nothing that it began goes on.
/// If so, all that belongs to the run is let go of.
pub(super) fn rest(store: &mut Store<State>) -> bool {
    // What goes on in tasks of WASI 0.3 is not looked at: such an instance is never called again.
    if store.concurrent_resource_table().is_some() {
        return false;
    }
    let state = store.data_mut();
    let mut handles = 0;
    let quiet = state.table.iter_mut().all(|handle| {
        handles += 1;
        Reach::is_quiet(handle)
    });
    let rests = quiet && handles <= HANDLES_KEPT_MAX && !state.limiter.has_refused();
    if rests {
        state.progress = None;
        state.reach.rest();
    }
    rests
}

/// A fresh store for one run.
pub(super) fn store(
    engine: &Engine,
    limits: &Limits,
    reach: Reach,
    pace: &Arc<Pace>,
    settings: BTreeMap<String, String>,
    progress: Option<Progress>,
) -> Store<State> {
    let mut table = ResourceTable::new();
    table.set_max_capacity(HANDLES_MAX);
    let state = State {
        reach,
        table,
        limiter: Limiter::new(limits),
        cpu_is_exhausted: false,
        progress,
        settings,
        pace: Arc::clone(pace),
    };
    let mut store = Store::new(engine, state);
    store.limiter(|state| &mut state.limiter);
    store.set_max_component_handles(HANDLES_MAX);
    if let Some(tasks) = store.concurrent_resource_table() {
        tasks.set_max_capacity(TASKS_MAX);
    }
    arm(&mut store, limits);
    store.epoch_deadline_callback(|mut store| {
        let state = store.data_mut();
        if state.pace.is_exhausted() {
            state.cpu_is_exhausted = true;
            return Ok(UpdateDeadline::Interrupt);
        }
        if !state.pace.has_computed() {
            return Ok(UpdateDeadline::Continue(1));
        }
        Ok(UpdateDeadline::YieldCustom(1, state.pace.next_turn()))
    });
    store
}

/// Sets what one run may use up.
fn arm(store: &mut Store<State>, limits: &Limits) {
    store.set_hostcall_fuel(limits.output_bytes_max.max(HOSTCALL_BYTES_MIN));
    // Refused by code that does not count, which is never given a limit. One more than the limit, since the engine looks
    // only now and then and counts no further than to zero: whatever has one left stayed within it.
    let _uncounted = store.set_fuel(limits.fuel_max.unwrap_or(u64::MAX).saturating_add(1));
    store.set_epoch_deadline(1);
}
