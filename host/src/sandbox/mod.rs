//! Runs plugins: the one place where other people's code executes, and where it is held.
//!
//! It knows WebAssembly, WASI and the WIT versions. It knows nothing of money, MCP or the ledger: a caller hands over
//! a component's bytes and gets a [`Manifest`], hands over canonical arguments and gets an outcome or a typed error.
//!
//! Every run has a fresh store and a fresh instance, dropped when it ends, however it ends; unless the operator has
//! instances kept, which then serve further calls of the same caller. Dropping the future of a load or a run stops the
//! guest.

mod answer;
mod cache;
mod call;
mod concurrency;
mod derived;
mod engine;
mod error;
#[cfg(test)]
mod fuzz;
mod inspect;
mod kept;
mod limits;
mod load;
mod log;
mod mask;
mod pace;
mod places;
mod progress;
mod reach;
pub mod schema;
mod schema_cost;
mod sealed;
pub mod service;
mod state;
mod types;
mod v0_1_0;
mod v0_1_0_async;
mod validate;
mod warm;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use coinop_core::digest::Digest;
use coinop_core::outcome::Outcome;

use crate::grants::{Denial, Grants};
use crate::keyvalue::Bucket;
use crate::limits::Limits;
use crate::outbound::Dialer;
use crate::plugin::Manifest;

use engine::Concurrency;

pub use call::Place;
pub use engine::Metering;
pub use error::{FailureKind, ListingError, ListingProblem, LoadError, RunError, SandboxError};
pub use load::Component;
pub use log::CapturedLog;
pub use warm::{ShareKey, Warm};

/// Versions of `coinop:plugin` this host runs, as people read them.
pub const WIT_VERSIONS: &[&str] = &["0.1"];

/// How a sandbox is set up. Everything here is reserved once, when the host starts.
#[derive(Clone, Debug)]
pub struct SandboxSettings {
    /// A directory of the host's own for compiled code and listings; created with mode 0700.
    pub cache_dir: PathBuf,
    /// Bytes the cache may grow to; the least recently used files go first.
    pub cache_bytes_max: u64,
    /// How much runs at a time.
    pub capacity: Capacity,
    /// Opens the connections of what plugins send.
    pub dialer: Arc<Dialer>,
}

/// How much the whole host runs at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Capacity {
    /// Linear memories that may exist at a time, which is the number of runs at a time in the whole host (a few
    /// components need two). Each reserves 4 GiB of address space, not of memory. Further runs wait.
    pub memories_max: u32,
    /// Runs that may wait; further ones are told that the host is busy.
    pub waiting_max: usize,
}

impl Default for Capacity {
    fn default() -> Self {
        Self {
            memories_max: 256,
            waiting_max: 4096,
        }
    }
}

impl SandboxSettings {
    /// The usual settings with the cache in `cache_dir`.
    pub fn new(cache_dir: impl Into<PathBuf>) -> Self {
        Self {
            cache_dir: cache_dir.into(),
            cache_bytes_max: 2 << 30,
            capacity: Capacity::default(),
            dialer: Arc::default(),
        }
    }
}

/// The sandbox. Cheap to clone; the last clone and the last component end its clock thread.
#[derive(Clone)]
pub struct Sandbox {
    shared: Arc<load::Shared>,
    others: Arc<Others>,
    settings: SandboxSettings,
}

/// The engines beside the usual one, each made when the first plugin needs it.
#[derive(Default)]
struct Others {
    metered: OnceLock<Arc<load::Shared>>,
    concurrent: OnceLock<Arc<load::Shared>>,
    metered_concurrent: OnceLock<Arc<load::Shared>>,
}

impl Sandbox {
    /// Reserves the pool, opens the cache and starts the clock.
    ///
    /// # Errors
    /// [`SandboxError`] when the address space cannot be reserved or the cache directory is not safe to use: this
    /// never falls back to something slower or less safe.
    pub fn new(settings: SandboxSettings) -> Result<Self, SandboxError> {
        let shared = Arc::new(load::Shared::new(&settings)?);
        Ok(Self {
            shared,
            others: Arc::default(),
            settings,
        })
    }

    /// The manifest of a component that was loaded before, by this process or another one that shares the cache.
    /// Reads one small file; compiles nothing.
    pub fn known_manifest(&self, digest: &Digest) -> Option<Manifest> {
        self.shared.known_manifest(digest)
    }

    /// Validates, compiles or takes from the cache, tries one instance, and reads its tools.
    ///
    /// Compiling takes seconds for big components and happens on the blocking pool. `file` is for messages.
    ///
    /// # Errors
    /// [`LoadError`] says what is wrong with the file and what to do about it.
    pub async fn load(&self, file: &str, bytes: Arc<[u8]>) -> Result<Arc<Component>, LoadError> {
        self.load_metered(file, bytes, Metering::Off).await
    }

    /// As [`Sandbox::load`], with code that counts its instructions where `metering` says so: for runs with
    /// [`Limits::fuel_max`]. Such code is compiled and kept apart from the usual.
    ///
    /// # Errors
    /// As [`Sandbox::load`].
    pub async fn load_metered(
        &self,
        file: &str,
        bytes: Arc<[u8]>,
        metering: Metering,
    ) -> Result<Arc<Component>, LoadError> {
        let concurrency = load::concurrency_of(file, &bytes).await?;
        let shared = self
            .engine(metering, concurrency)
            .map_err(|error| LoadError::Host {
                file: file.to_owned(),
                reason: error.to_string(),
            })?;
        load::load(shared, file, bytes).await
    }

    /// How many instances are kept between calls just now.
    pub fn kept_instances(&self) -> usize {
        self.shared.kept.len()
    }

    fn engine(
        &self,
        metering: Metering,
        concurrency: Concurrency,
    ) -> Result<Arc<load::Shared>, SandboxError> {
        let place = match (metering, concurrency) {
            (Metering::Off, Concurrency::Off) => return Ok(Arc::clone(&self.shared)),
            (Metering::Fuel, Concurrency::Off) => &self.others.metered,
            (Metering::Off, Concurrency::On) => &self.others.concurrent,
            (Metering::Fuel, Concurrency::On) => &self.others.metered_concurrent,
        };
        if let Some(made) = place.get() {
            return Ok(Arc::clone(made));
        }
        // Two at once make two, and one of them is dropped again.
        let made = load::Shared::beside(&self.shared, &self.settings, metering, concurrency)?;
        Ok(Arc::clone(place.get_or_init(|| Arc::new(made))))
    }
}

/// One run of one tool.
#[derive(Clone)]
pub struct Run<'a> {
    /// The tool's name, as the manifest has it.
    pub tool: &'a str,
    /// The arguments: a JSON object in canonical form, already checked against the tool's input schema.
    pub arguments: &'a str,
    /// The call's id, told to the plugin as its idempotency key.
    pub execution_id: &'a str,
    /// A pseudonym of the caller, the same for the same caller and this plugin only, where the operator gives it.
    pub caller: Option<&'a str>,
    /// What the run may use.
    pub limits: &'a Limits,
    /// What the run may reach.
    pub grants: &'a Grants,
    /// What it keeps from call to call, where that is granted.
    pub bucket: Option<&'a Bucket>,
    /// The plugin's settings.
    pub settings: &'a BTreeMap<String, String>,
    /// Who hears of progress.
    pub progress: Option<Arc<dyn ProgressSink>>,
    /// Whose other calls its instance may serve, where it may: `None` is a fresh instance, dropped at the end.
    pub share: Option<Share>,
}

/// For whom instances are kept, and how.
#[derive(Clone, Copy)]
pub struct Share {
    /// Whose calls share them.
    pub key: ShareKey,
    /// How many, and for how long.
    pub warm: Warm,
}

/// Hears how far a run is. Reports arrive in order, growing, and at most about ten a second.
pub trait ProgressSink: Send + Sync {
    /// Must return at once: the guest waits meanwhile.
    fn report(&self, progress: f64, total: Option<f64>, message: Option<&str>);

    /// Word of the host itself before a run begins. Must return at once, too.
    fn note(&self, _stage: Stage, _message: &str) {}
}

/// Where a call stands before its run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// It waits for something.
    Waiting,
    /// It waits no longer: the run comes next, here or elsewhere.
    Starting,
}

/// How a run ended.
#[derive(Debug)]
pub struct RunReport {
    /// The answer, or why there is none.
    pub result: Result<Outcome, RunError>,
    /// What the guest printed. For the operator, never for the caller.
    pub log: CapturedLog,
    /// What it was refused for want of a grant.
    pub denials: Vec<Denial>,
    /// Instructions it ran, where they are counted and it began.
    pub fuel_used: Option<u64>,
    /// From the call of [`Component::run`] to its end, waiting for a free place included.
    pub wall: Duration,
}
