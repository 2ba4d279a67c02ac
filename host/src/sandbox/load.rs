//! From a file's bytes to a component that can be called: inspect, compile or take from the cache, link, try once.
//!
//! The version of the WIT is decided here, once; afterwards an [`Adapter`] stands for it.

use std::collections::{BTreeMap, HashSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use coinop_core::digest::Digest;
use tokio::sync::Semaphore;
use wasmtime::Engine;
use wasmtime::component::Linker;

use super::cache::Cache;
use super::concurrency;
use super::engine::{
    self, Concurrency, MEMORIES_PER_COMPONENT_MAX, Metering, STACKS_PER_MEMORY, Ticker,
};
use super::error::{LoadError, SandboxError};
use super::inspect::{self, WitVersion};
use super::kept::Shelf;
use super::log::{LogPipe, cut};
use super::pace::{Pace, Ways};
use super::places::Places;
use super::reach::{self, Reach};
use super::state::{self, State};
use super::validate::{self, Listed, OutputSchemas};
use super::warm::Owner;
use super::{
    Place, Run, RunError, RunReport, SandboxSettings, call, derived, v0_1_0, v0_1_0_async,
};
use crate::limits::Limits;
use crate::outbound::Dialer;
use crate::plugin::{Contract, Manifest};

/// Bytes of what a plugin printed that go into the message about its failed trial.
const TRIAL_LOG_BYTES_MAX: usize = 2048;

/// What all components share. Lives as long as the last of them.
pub(super) struct Shared {
    pub(super) engine: Engine,
    pub(super) linker: Linker<State>,
    pub(super) cache: Cache,
    /// Opens the connections of what plugins send.
    pub(super) dialer: Arc<Dialer>,
    /// Whether its code counts instructions.
    pub(super) metering: Metering,
    /// Instances between calls, and the memories that are free; a run takes what its component needs before it starts.
    /// The pool of each engine has all of them.
    pub(super) kept: Arc<Shelf>,
    /// How many memories there are.
    memories_max: u32,
    /// Whether runs have tasks that wait side by side.
    concurrency: Concurrency,
    /// Runs that may wait for them.
    pub(super) waiting_max: usize,
    /// See [`Pace`].
    pub(super) turns: Arc<Semaphore>,
    /// Components being compiled at a time: each already uses every processor.
    pub(super) compilers: Arc<Semaphore>,
    _ticker: Ticker,
}

impl Shared {
    pub(super) fn new(settings: &SandboxSettings) -> Result<Self, SandboxError> {
        let processors = processors();
        let of_host = OfHost {
            kept: Shelf::new(Arc::new(Places::new(
                settings.capacity.memories_max as usize,
            ))),
            turns: Arc::new(Semaphore::new(processors)),
            compilers: Arc::new(Semaphore::new(processors)),
        };
        Self::with(settings, Metering::Off, Concurrency::Off, of_host)
    }

    /// Another engine beside `usual`: both together run as much at a time as one of them.
    pub(super) fn beside(
        usual: &Self,
        settings: &SandboxSettings,
        metering: Metering,
        concurrency: Concurrency,
    ) -> Result<Self, SandboxError> {
        let of_host = OfHost {
            kept: Arc::clone(&usual.kept),
            turns: Arc::clone(&usual.turns),
            compilers: Arc::clone(&usual.compilers),
        };
        Self::with(settings, metering, concurrency, of_host)
    }

    fn with(
        settings: &SandboxSettings,
        metering: Metering,
        concurrency: Concurrency,
        of_host: OfHost,
    ) -> Result<Self, SandboxError> {
        let memories = settings.capacity.memories_max;
        let engine = engine::build(memories, metering, concurrency)?;
        let refused = |reason: String| SandboxError::Engine { reason, memories };
        let linker = linker(&engine, concurrency).map_err(|e| refused(e.to_string()))?;
        let cache = Cache::open(settings, &engine)?;
        let ticker = Ticker::start(engine.clone()).map_err(|e| refused(e.to_string()))?;
        Ok(Self {
            engine,
            linker,
            cache,
            dialer: Arc::clone(&settings.dialer),
            metering,
            concurrency,
            memories_max: memories,
            kept: of_host.kept,
            waiting_max: settings.capacity.waiting_max,
            turns: of_host.turns,
            compilers: of_host.compilers,
            _ticker: ticker,
        })
    }

    pub(super) fn known_manifest(&self, digest: &Digest) -> Option<Manifest> {
        self.cache.manifest(digest)
    }

    /// The turns of the host, and lanes of one more component.
    pub(super) fn ways(&self) -> Ways {
        Ways {
            turns: Arc::clone(&self.turns),
            lanes: Arc::new(Semaphore::new(processors())),
        }
    }
}

fn processors() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// What all engines of a host share.
struct OfHost {
    kept: Arc<Shelf>,
    turns: Arc<Semaphore>,
    compilers: Arc<Semaphore>,
}

/// All of WASI, which a context denies unless it was granted, and every version of our own world.
fn linker(engine: &Engine, concurrency: Concurrency) -> wasmtime::Result<Linker<State>> {
    let mut linker = Linker::new(engine);
    wasmtime_wasi::p2::add_to_linker_async(&mut linker)?;
    wasmtime_wasi_http::p2::add_only_http_to_linker_async(&mut linker)?;
    wasmtime_wasi_config::add_to_linker(&mut linker, |state: &mut State| {
        (&state.reach.config).into()
    })?;
    reach::add_to_linker(&mut linker)?;
    v0_1_0::add_to_linker(&mut linker)?;
    if concurrency == Concurrency::On {
        reach::add_p3_to_linker(&mut linker)?;
    }
    Ok(linker)
}

/// The WIT version a component was built for, linked.
pub(super) enum Adapter {
    V0_1(v0_1_0::Linked),
    V0_1Async(v0_1_0_async::Linked),
    /// None of ours.
    Derived(derived::Linked),
}

impl Adapter {
    /// How the component offers its tools; `version` is what it exports of `coinop:plugin`.
    fn contract(&self, version: Option<String>) -> Contract {
        match self {
            Self::V0_1(_) | Self::V0_1Async(_) => Contract::Plugin {
                version: version.unwrap_or_default(),
            },
            Self::Derived(linked) => Contract::Derived {
                left_out: linked.left_out().to_vec(),
            },
        }
    }
}

/// What was started of a component, by the adapter that started it. An adapter that leaves nothing here is never called
/// in the same instance again.
#[derive(Default)]
pub(super) struct Started {
    pub(super) v0_1: Option<v0_1_0::Started>,
    pub(super) derived: Option<wasmtime::component::Instance>,
}

impl Started {
    /// Whether it can be called again.
    pub(super) fn is_callable(&self) -> bool {
        self.v0_1.is_some() || self.derived.is_some()
    }
}

/// An owner of kept instances that nobody was before.
fn new_owner() -> Owner {
    static OWNERS: AtomicU64 = AtomicU64::new(0);
    OWNERS.fetch_add(1, Ordering::Relaxed)
}

/// A loaded component. Calls share nothing but its compiled code, and what their caller shares with itself.
pub struct Component {
    pub(super) shared: Arc<Shared>,
    pub(super) adapter: Adapter,
    pub(super) schemas: OutputSchemas,
    /// Memories one instance takes from the pool.
    pub(super) memories: u32,
    manifest: Manifest,
    places: Mutex<(usize, Arc<Places>)>,
    /// See [`Pace`].
    pub(super) ways: Ways,
    /// Whose instances are kept; another one each time it is retired, so that a run that ends later keeps nothing.
    owner: AtomicU64,
    /// Tools that say of themselves that their instance may serve another call.
    warm_tools: HashSet<String>,
}

impl Drop for Component {
    fn drop(&mut self) {
        self.retire();
    }
}

impl Component {
    /// What the plugin says of itself.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// Runs one tool, in a fresh instance or in one that [`Run::share`] allows. Dropping the future stops the guest.
    pub async fn run(&self, run: Run<'_>) -> RunReport {
        call::run(self, run, None).await
    }

    /// As [`Component::run`], in a place that was taken before.
    pub async fn run_in(&self, place: &Place, run: Run<'_>) -> RunReport {
        call::run(self, run, Some(place)).await
    }

    /// Takes a place for runs one after another, waiting for it at most `patience`.
    ///
    /// # Errors
    /// [`RunError::PluginBusy`] or [`RunError::HostBusy`].
    pub async fn place(&self, limits: &Limits, patience: Duration) -> Result<Place, RunError> {
        call::place_within(self, limits, patience).await
    }

    /// Drops the instances that are kept of it, and those that runs under way would leave.
    pub fn retire(&self) {
        let retired = self.owner.swap(new_owner(), Ordering::SeqCst);
        self.shared.kept.retire(retired);
    }

    pub(super) fn owner(&self) -> Owner {
        self.owner.load(Ordering::SeqCst)
    }

    /// Whether a tool says of itself that its instance may serve another call.
    pub(super) fn declares_warm(&self, tool: &str) -> bool {
        self.warm_tools.contains(tool)
    }

    /// The places for runs of this component, `max` of them. When the operator changes the number, runs that are
    /// under way keep their old places, so for that moment there may be more.
    pub(super) fn places(&self, max: usize) -> Arc<Places> {
        let max = max.max(1);
        let mut places = self.places.lock().unwrap_or_else(PoisonError::into_inner);
        if places.0 != max {
            *places = (max, Arc::new(Places::new(max)));
        }
        Arc::clone(&places.1)
    }
}

/// See [`super::Sandbox::load`].
pub(super) async fn load(
    shared: Arc<Shared>,
    file: &str,
    bytes: Arc<[u8]>,
) -> Result<Arc<Component>, LoadError> {
    let prepared = prepare_in_turn(&shared, file, bytes).await?;
    let listed = try_once(&shared, file, &prepared).await?;
    let accepted = blocking(file, move || validate::accept(listed)).await?;
    let (tools, schemas) = accepted.map_err(|source| LoadError::Listing {
        file: file.to_owned(),
        source,
    })?;
    let manifest = Manifest {
        digest: prepared.digest,
        contract: prepared.adapter.contract(prepared.version),
        imports: prepared.imports,
        tools,
    };
    shared.cache.keep_manifest(&manifest);
    let warm_tools = manifest.tools.iter().filter(|tool| tool.declares_warm());
    let warm_tools = warm_tools.map(|tool| tool.name.clone()).collect();
    Ok(Arc::new(Component {
        ways: shared.ways(),
        shared,
        adapter: prepared.adapter,
        schemas,
        memories: prepared.memories,
        manifest,
        places: Mutex::new((0, Arc::new(Places::new(0)))),
        owner: AtomicU64::new(new_owner()),
        warm_tools,
    }))
}

/// What engine a component needs, told off the async threads: it is read to its end.
pub(super) async fn concurrency_of(
    file: &str,
    bytes: &Arc<[u8]>,
) -> Result<Concurrency, LoadError> {
    let bytes = Arc::clone(bytes);
    blocking(file, move || concurrency::needed(&bytes)).await
}

struct Prepared {
    digest: Digest,
    version: Option<String>,
    imports: Vec<String>,
    adapter: Adapter,
    memories: u32,
}

/// Work that keeps a processor busy, off the async threads.
pub(super) async fn blocking<T: Send + 'static>(
    file: &str,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, LoadError> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|e| LoadError::Host {
            file: file.to_owned(),
            reason: e.to_string(),
        })
}

async fn prepare_in_turn(
    shared: &Arc<Shared>,
    file: &str,
    bytes: Arc<[u8]>,
) -> Result<Prepared, LoadError> {
    let _place = shared.compilers.acquire().await;
    let (shared, name) = (Arc::clone(shared), file.to_owned());
    blocking(file, move || prepare(&shared, &name, &bytes)).await?
}

fn prepare(shared: &Shared, file: &str, bytes: &[u8]) -> Result<Prepared, LoadError> {
    let inspected = inspect::inspect(file, bytes)?;
    let digest = Digest::of(bytes);
    let component = match shared.cache.code(&shared.engine, &digest) {
        Some(component) => component,
        None => compile(shared, file, bytes, &digest)?,
    };
    let adapter = match inspected.adapter {
        WitVersion::V0_1 => v0_1_0::Linked::new(&shared.linker, &component).map(Adapter::V0_1),
        WitVersion::V0_1Async => {
            let version = inspected.version.as_deref().unwrap_or_default();
            let tools = format!("coinop:async-plugin/tools@{version}");
            v0_1_0_async::Linked::new(&shared.linker, &component, &tools).map(Adapter::V0_1Async)
        }
        WitVersion::Derived => {
            derived::Linked::new(&shared.linker, &component, bytes).map(Adapter::Derived)
        }
    };
    let adapter = adapter.map_err(|e| LoadError::Link {
        file: file.to_owned(),
        reason: chain(&e),
    })?;
    if let Adapter::Derived(linked) = &adapter {
        linked.offers_tools(file)?;
    }
    Ok(Prepared {
        digest,
        version: inspected.version,
        imports: inspected.imports,
        adapter,
        memories: memories(shared, &component, bytes),
    })
}

/// Memories that a run takes from the pool, those included whose stacks it may take.
fn memories(shared: &Shared, component: &wasmtime::component::Component, bytes: &[u8]) -> u32 {
    let needs = component.resources_required().map(|r| r.num_memories);
    let own = needs.unwrap_or(MEMORIES_PER_COMPONENT_MAX).max(1);
    let for_stacks = match shared.concurrency {
        Concurrency::Off => 1,
        Concurrency::On => concurrency::instances_most(bytes).div_ceil(STACKS_PER_MEMORY),
    };
    own.max(for_stacks.min(shared.memories_max))
}

pub(super) fn compile(
    shared: &Shared,
    file: &str,
    bytes: &[u8],
    digest: &Digest,
) -> Result<wasmtime::component::Component, LoadError> {
    let component =
        wasmtime::component::Component::from_binary(&shared.engine, bytes).map_err(|e| {
            LoadError::Malformed {
                file: file.to_owned(),
                reason: chain(&e),
            }
        })?;
    shared.cache.keep_code(digest, &component);
    // The file's pages are shared with other processes and cost no memory until they run.
    Ok(shared
        .cache
        .code(&shared.engine, digest)
        .unwrap_or(component))
}

/// One instance, because wrong shapes of exports and start code that crashes only show then; and its list of tools.
async fn try_once(shared: &Shared, file: &str, prepared: &Prepared) -> Result<Listed, LoadError> {
    let limits = Limits::default();
    let log = LogPipe::new(TRIAL_LOG_BYTES_MAX);
    let listed = list(shared, prepared, &limits, &log).await;
    listed.map_err(|source| LoadError::Trial {
        file: file.to_owned(),
        source,
        log: cut(&log.take().text, TRIAL_LOG_BYTES_MAX).to_owned(),
    })
}

async fn list(
    shared: &Shared,
    prepared: &Prepared,
    limits: &Limits,
    log: &LogPipe,
) -> Result<Listed, RunError> {
    let _memories = call::take_memories(shared, prepared.memories, usize::MAX).await?;
    let pace = Pace::new(Duration::from_millis(limits.cpu_ms_max), shared.ways());
    let mut store = state::store(
        &shared.engine,
        limits,
        Reach::nothing(log),
        &pace,
        BTreeMap::new(),
        None,
    );
    let listing = async {
        match &prepared.adapter {
            Adapter::V0_1(linked) => linked.list(&mut store).await,
            Adapter::V0_1Async(linked) => linked.list(&mut store).await,
            Adapter::Derived(linked) => linked.list(&mut store).await,
        }
    };
    let wall = Duration::from_millis(limits.wall_ms_max);
    match tokio::time::timeout(wall, pace.of(listing)).await {
        Ok(Ok(listed)) => Ok(listed),
        Ok(Err(error)) => Err(call::explain(&error, store.data(), limits)),
        Err(_) => Err(RunError::WallTime {
            limit_ms: limits.wall_ms_max,
        }),
    }
}

/// An engine error with its causes, on one line.
pub(super) fn chain(error: &wasmtime::Error) -> String {
    let causes: Vec<String> = error.chain().map(ToString::to_string).collect();
    causes.join(": ")
}
