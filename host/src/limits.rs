//! What one run of a plugin may use. Always on; the operator sets them, a sidecar may only lower them.

use serde::{Deserialize, Serialize};

/// Limits of one run. All are enforced by the host, none by the guest's good will.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Limits {
    /// Linear memory of one instance, bytes, all memories together.
    pub memory_bytes_max: usize,
    /// Elements of all tables of one instance together.
    pub table_elements_max: usize,
    /// Core instances that one component instance is linked from.
    pub instances_max: usize,
    /// WebAssembly instructions of one run, starting its instance included: an exact budget, for code that is compiled to
    /// count them, which is slower. Not counted where there is none.
    pub fuel_max: Option<u64>,
    /// CPU time of one run, milliseconds (epoch deadline).
    pub cpu_ms_max: u64,
    /// Wall-clock time of one run, milliseconds, host calls and sleeps included.
    pub wall_ms_max: u64,
    /// Bytes of one answer: content, structured content and `_meta` together.
    pub output_bytes_max: usize,
    /// Bytes of stdout and stderr kept of one run; the rest is dropped and counted.
    pub log_bytes_max: usize,
    /// Runs of one plugin at a time; further ones wait.
    pub concurrent_runs_max: usize,
    /// Runs of one plugin that may wait for a place; further ones are told that it is busy.
    pub waiting_runs_max: usize,
    /// Outgoing requests of one run.
    pub http_requests_max: u32,
    /// Bytes that the bodies of a run's outgoing requests and their answers have, all together.
    pub http_bytes_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            memory_bytes_max: 256 << 20,
            table_elements_max: 20_000,
            instances_max: 200,
            fuel_max: None,
            cpu_ms_max: 10_000,
            wall_ms_max: 30_000,
            output_bytes_max: 4 << 20,
            log_bytes_max: 64 << 10,
            concurrent_runs_max: 64,
            waiting_runs_max: 1024,
            http_requests_max: 100,
            http_bytes_max: 16 << 20,
        }
    }
}
