//! What a store holds for one run: its reach, the limits, and what the plugin may ask the host.

use std::collections::BTreeMap;
use std::sync::Arc;

use wasmtime::component::ResourceTable;
use wasmtime::{Engine, Store, UpdateDeadline};
use wasmtime_wasi::{WasiCtxView, WasiView};
use wasmtime_wasi_http::{WasiHttpCtxView, WasiHttpView};

use super::limits::Limiter;
use super::pace::Pace;
use super::progress::Progress;
use super::reach::{Guarded, Reach, StorageView};
use crate::limits::Limits;

/// Handles one run may hold at a time: streams, pollables and the like.
const HANDLES_MAX: usize = 512;
/// Tasks, streams and futures that exist at a time in a run of WASI 0.3, each counting up to three times: for itself and
/// for its ends. A stream may keep a file or a connection, whatever became of the handle it was made from.
const TASKS_MAX: usize = 1024;
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

    /// The key-value storage of this run.
    pub(super) fn storage(&mut self) -> StorageView<'_> {
        self.reach.storage(&mut self.table)
    }
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
    store.set_hostcall_fuel(limits.output_bytes_max.max(HOSTCALL_BYTES_MIN));
    // Refused by code that does not count, which is never given a limit. One more than the limit, since the engine looks
    // only now and then and counts no further than to zero: whatever has one left stayed within it.
    let _uncounted = store.set_fuel(limits.fuel_max.unwrap_or(u64::MAX).saturating_add(1));
    store.set_epoch_deadline(1);
    store.epoch_deadline_callback(|mut store| {
        let state = store.data_mut();
        if state.pace.is_exhausted() {
            state.cpu_is_exhausted = true;
            return Ok(UpdateDeadline::Interrupt);
        }
        Ok(UpdateDeadline::YieldCustom(1, state.pace.next_turn()))
    });
    store
}
