//! The engine: how code is compiled, where instances live, and the clock that interrupts them.
//!
//! Everything is stated, nothing left to defaults that a new release may change. The pool is reserved at start; if the
//! system refuses, the host does not start: an on-demand allocator would work and be ten times slower.

use std::sync::mpsc::{RecvTimeoutError, SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;

use wasmtime::{
    Config, Enabled, Engine, InstanceAllocationStrategy, OptLevel, PoolingAllocationConfig,
};

use super::error::SandboxError;

/// How often a computing guest is looked at: it gives way, and its processor time is checked.
pub(super) const TICK: Duration = Duration::from_millis(5);

/// WebAssembly stack of one run, bytes.
const WASM_STACK_BYTES: usize = 1 << 20;
/// Native stack of one run, bytes: the WebAssembly stack and what host functions need on top.
const NATIVE_STACK_BYTES: usize = 2 << 20;
/// Address space of one linear memory. With 4 GiB no access of a 32-bit guest needs a bounds check.
const MEMORY_RESERVATION_BYTES: u64 = 4 << 30;
/// Bytes of a memory that stay resident between runs where the kernel can tell which pages were written (Linux 6.7 and
/// later): only those are put back, without a page fault at the next run. This halves the time of a small run.
/// Elsewhere the first bytes would be copied blindly, which costs more than it saves, so nothing stays.
const MEMORY_KEEP_RESIDENT_BYTES: usize = 2 << 20;
/// Bytes of a table that stay resident between runs, likewise.
const TABLE_KEEP_RESIDENT_BYTES: usize = 64 << 10;
/// Memory slots that keep their last plugin's image mapped.
const WARM_SLOTS_MAX: u32 = 64;
/// Elements of one table; StarlingMonkey begins with 7,800.
pub(super) const TABLE_ELEMENTS_MAX: usize = 64 << 10;
/// Memories of one component; QuickJS has two.
pub(super) const MEMORIES_PER_COMPONENT_MAX: u32 = 4;
const TABLES_PER_COMPONENT_MAX: u32 = 8;
/// A Python component links its interpreter from many core modules.
pub(super) const CORE_INSTANCES_PER_COMPONENT_MAX: u32 = 200;
/// Stacks for each memory where tasks wait side by side: one that waits in a synchronous call keeps its own, and each
/// component that another one is composed of can have one such task. Whatever may hold more takes more memories.
pub(super) const STACKS_PER_MEMORY: u32 = 4;
/// Bookkeeping of one component instance, bytes; an upper bound, not a reservation.
const COMPONENT_INSTANCE_BYTES_MAX: usize = 8 << 20;

/// Whether code counts the instructions that it runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Metering {
    /// It does not: the usual, and faster.
    Off,
    /// It does, and stops at a limit.
    Fuel,
}

/// Whether stores carry what tasks that wait side by side need: the component model's `async`, `stream` and `future`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Concurrency {
    /// They do not: the usual, and faster.
    Off,
    /// They do. WASI 0.3 is made of it.
    On,
}

/// The engine with room for `memories` linear memories at a time.
pub(super) fn build(
    memories: u32,
    metering: Metering,
    concurrency: Concurrency,
) -> Result<Engine, SandboxError> {
    Engine::new(&config(memories, metering, concurrency)).map_err(|e| SandboxError::Engine {
        reason: e.to_string(),
        memories,
    })
}

fn config(memories: u32, metering: Metering, concurrency: Concurrency) -> Config {
    let mut config = Config::new();
    config
        .wasm_component_model(true)
        .epoch_interruption(true)
        .consume_fuel(metering == Metering::Fuel)
        .max_wasm_stack(WASM_STACK_BYTES)
        .async_stack_size(NATIVE_STACK_BYTES)
        .memory_reservation(MEMORY_RESERVATION_BYTES)
        .memory_init_cow(true)
        .cranelift_opt_level(OptLevel::Speed)
        .parallel_compilation(true)
        // Shared memories escape the limiter, 64-bit ones the reservation.
        .wasm_threads(false)
        .wasm_memory64(false)
        // With it come `async` functions, streams and futures; threads and what else is unfinished stay off.
        .concurrency_support(concurrency == Concurrency::On)
        // A backtrace is only ever read by the plugin's author, and costs at every trap.
        .wasm_backtrace_max_frames(None)
        .allocation_strategy(InstanceAllocationStrategy::Pooling(pool(
            memories,
            concurrency,
        )));
    config
}

fn pool(memories: u32, concurrency: Concurrency) -> PoolingAllocationConfig {
    let stacks = match concurrency {
        Concurrency::Off => memories,
        Concurrency::On => memories.saturating_mul(STACKS_PER_MEMORY),
    };
    let mut pool = PoolingAllocationConfig::new();
    pool.total_memories(memories)
        .total_component_instances(memories)
        .total_stacks(stacks)
        .total_gc_heaps(memories)
        .total_tables(memories.saturating_mul(TABLES_PER_COMPONENT_MAX))
        .total_core_instances(memories.saturating_mul(CORE_INSTANCES_PER_COMPONENT_MAX))
        .max_memories_per_component(MEMORIES_PER_COMPONENT_MAX)
        .max_tables_per_component(TABLES_PER_COMPONENT_MAX)
        .max_core_instances_per_component(CORE_INSTANCES_PER_COMPONENT_MAX)
        .max_component_instance_size(COMPONENT_INSTANCE_BYTES_MAX)
        .max_core_instance_size(COMPONENT_INSTANCE_BYTES_MAX)
        .max_memories_per_module(1)
        .max_tables_per_module(4)
        .max_memory_size(MEMORY_RESERVATION_BYTES as usize)
        .table_elements(TABLE_ELEMENTS_MAX)
        .max_unused_warm_slots(WARM_SLOTS_MAX);
    if PoolingAllocationConfig::is_pagemap_scan_available() {
        pool.pagemap_scan(Enabled::Yes)
            .linear_memory_keep_resident(MEMORY_KEEP_RESIDENT_BYTES)
            .table_keep_resident(TABLE_KEEP_RESIDENT_BYTES);
    }
    pool
}

/// The clock thread: advances the engine's epoch every [`TICK`] until it is dropped.
pub(super) struct Ticker {
    stop: Option<SyncSender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Ticker {
    /// Starts the thread.
    pub(super) fn start(engine: Engine) -> std::io::Result<Self> {
        let (stop, stopped) = sync_channel::<()>(0);
        let thread = std::thread::Builder::new()
            .name("sandbox-clock".into())
            .spawn(move || {
                while stopped.recv_timeout(TICK) == Err(RecvTimeoutError::Timeout) {
                    engine.increment_epoch();
                }
            })?;
        Ok(Self {
            stop: Some(stop),
            thread: Some(thread),
        })
    }
}

impl Drop for Ticker {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // It cannot panic: it only waits and counts.
            let _ = thread.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticker_stops_when_dropped() {
        let engine = Engine::default();
        let ticker = Ticker::start(engine.clone()).unwrap();
        drop(ticker); // joins: a thread that did not stop would hang the test
        assert!(engine.weak().upgrade().is_some());
    }

    #[test]
    fn a_pool_the_system_refuses_is_an_error() {
        // 2^31 memories of 4 GiB are more than any address space.
        let error = build(1 << 31, Metering::Off, Concurrency::Off)
            .err()
            .unwrap()
            .to_string();
        assert!(error.contains("address space"), "{error}");
    }
}
