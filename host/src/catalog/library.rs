//! The library: code by digest. It loads a component once, however many calls wait for it, keeps what is served, and
//! finds in the ledger what only open quotes still name.

use std::collections::{HashMap, HashSet, VecDeque};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwap;
use coinop_core::call::Failure;
use coinop_core::digest::Digest;
use coinop_core::outcome::Outcome;
use futures::future::BoxFuture;
use tokio::sync::OnceCell;

use crate::gate::{Job, Runner};
use crate::ledger::{Ledger, LedgerError};
use crate::plugin::Manifest;
use crate::sandbox::{Component, LoadError, Run, RunError, RunReport, Sandbox};

/// Components that are no longer served and stay in memory for open quotes.
const RETIRED_MAX: usize = 8;

/// Turns bytes into code: the sandbox, or a fake in tests.
pub trait Loader: Send + Sync {
    /// What is known of a component without loading it.
    fn known_manifest(&self, digest: &Digest) -> Option<Manifest>;
    /// Loads a component. `file` is for messages.
    fn load<'a>(
        &'a self,
        file: &'a str,
        bytes: Arc<[u8]>,
    ) -> BoxFuture<'a, Result<Arc<dyn Code>, LoadError>>;
}

/// A loaded component.
pub trait Code: Send + Sync {
    /// What it says of itself.
    fn manifest(&self) -> &Manifest;
    /// Runs one tool once.
    fn run<'a>(&'a self, run: Run<'a>) -> BoxFuture<'a, RunReport>;
}

impl Loader for Sandbox {
    fn known_manifest(&self, digest: &Digest) -> Option<Manifest> {
        Sandbox::known_manifest(self, digest)
    }

    fn load<'a>(
        &'a self,
        file: &'a str,
        bytes: Arc<[u8]>,
    ) -> BoxFuture<'a, Result<Arc<dyn Code>, LoadError>> {
        Box::pin(async move { Ok(Sandbox::load(self, file, bytes).await? as Arc<dyn Code>) })
    }
}

impl Code for Component {
    fn manifest(&self) -> &Manifest {
        Component::manifest(self)
    }

    fn run<'a>(&'a self, run: Run<'a>) -> BoxFuture<'a, RunReport> {
        Box::pin(Component::run(self, run))
    }
}

type Slot = Arc<OnceCell<Arc<dyn Code>>>;

#[derive(Default)]
struct Shelves {
    /// Files of what is served.
    files: HashMap<Digest, PathBuf>,
    slots: HashMap<Digest, Slot>,
    /// What is in memory and not served, the longest unused first.
    retired: VecDeque<Digest>,
}

/// Code by digest.
pub struct Library {
    loader: Arc<dyn Loader>,
    ledger: Arc<dyn Ledger>,
    shelves: Mutex<Shelves>,
    blocked: ArcSwap<HashSet<Digest>>,
}

/// Why there is no code for a digest.
#[derive(Debug, thiserror::Error)]
pub enum NoCode {
    /// Neither its file nor the ledger has it.
    #[error("its code is no longer there")]
    Gone,
    /// The ledger could not be read.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// It does not load.
    #[error(transparent)]
    Load(#[from] LoadError),
}

impl Library {
    /// A library over a loader, with the ledger behind it.
    pub fn new(loader: Arc<dyn Loader>, ledger: Arc<dyn Ledger>) -> Self {
        Self {
            loader,
            ledger,
            shelves: Mutex::default(),
            blocked: ArcSwap::default(),
        }
    }

    /// What loads components.
    pub fn loader(&self) -> &Arc<dyn Loader> {
        &self.loader
    }

    /// Says what is served now. Everything else is retired: kept for a while, then dropped.
    pub fn serve(&self, files: HashMap<Digest, PathBuf>) {
        let mut shelves = self.shelves.lock().unwrap_or_else(PoisonError::into_inner);
        shelves.files = files;
        let retired: Vec<Digest> = shelves
            .slots
            .keys()
            .filter(|digest| !shelves.files.contains_key(*digest))
            .copied()
            .collect();
        for digest in retired {
            shelves.use_retired(digest);
        }
        let Shelves { files, retired, .. } = &mut *shelves;
        retired.retain(|digest| !files.contains_key(digest));
        shelves.drop_oldest();
    }

    /// The code of a component, loaded once for everybody who waits.
    ///
    /// # Errors
    /// [`NoCode`]; the next caller tries again.
    pub async fn get(&self, digest: Digest) -> Result<Arc<dyn Code>, NoCode> {
        let (slot, file) = {
            let mut shelves = self.shelves.lock().unwrap_or_else(PoisonError::into_inner);
            let file = shelves.files.get(&digest).cloned();
            if file.is_none() {
                shelves.use_retired(digest);
                shelves.drop_oldest();
            }
            (shelves.slots.entry(digest).or_default().clone(), file)
        };
        let code = slot.get_or_try_init(|| self.load(digest, file)).await?;
        Ok(Arc::clone(code))
    }

    /// Puts code on its shelf that was just loaded elsewhere.
    pub fn put(&self, code: Arc<dyn Code>) {
        let digest = code.manifest().digest;
        let mut shelves = self.shelves.lock().unwrap_or_else(PoisonError::into_inner);
        // One that is there already is as good.
        let _ = shelves.slots.entry(digest).or_default().set(code);
    }

    async fn load(&self, digest: Digest, file: Option<PathBuf>) -> Result<Arc<dyn Code>, NoCode> {
        let name = match &file {
            Some(path) => path.display().to_string(),
            None => format!("the kept component {}", digest.short()),
        };
        let bytes = match read_exactly(file, digest).await {
            Some(bytes) => bytes,
            None => self.ledger.component(digest).await?.ok_or(NoCode::Gone)?,
        };
        Ok(self.loader.load(&name, bytes).await?)
    }

    /// Reads from the ledger which components are blocked. Paid calls ask the ledger itself; this is for free ones.
    pub async fn refresh_blocked(&self) -> Result<(), LedgerError> {
        let blocked = self.ledger.blocked().await?;
        self.blocked.store(Arc::new(blocked.into_iter().collect()));
        Ok(())
    }
}

impl Shelves {
    fn use_retired(&mut self, digest: Digest) {
        self.retired.retain(|other| *other != digest);
        self.retired.push_back(digest);
    }

    fn drop_oldest(&mut self) {
        while self.retired.len() > RETIRED_MAX {
            if let Some(oldest) = self.retired.pop_front() {
                self.slots.remove(&oldest);
            }
        }
    }
}

/// The bytes of `file`, when they still have `digest`.
async fn read_exactly(file: Option<PathBuf>, digest: Digest) -> Option<Arc<[u8]>> {
    let file = file?;
    let read = move || {
        std::fs::read(file)
            .ok()
            .filter(|bytes| Digest::of(bytes) == digest)
    };
    tokio::task::spawn_blocking(read).await.ok()?.map(Arc::from)
}

impl Runner for Library {
    fn run(&self, job: Job) -> BoxFuture<'_, Result<Outcome, Failure>> {
        Box::pin(async move {
            if self.blocked.load().contains(&job.component) {
                return Err(failure("blocked", "This tool was blocked by the operator."));
            }
            let code = match self.get(job.component).await {
                Ok(code) => code,
                Err(error) => {
                    tracing::error!(plugin = job.plugin, %error, "a component's code could not be had");
                    return Err(failure(
                        "unavailable",
                        "The tool's code is not available on this host.",
                    ));
                }
            };
            let report = code.run(run_of(&job)).await;
            if !report.log.text.is_empty() {
                tracing::info!(
                    target: "plugin",
                    plugin = job.plugin,
                    tool = job.tool,
                    call = job.execution_id,
                    "{}",
                    report.log.text.trim_end()
                );
            }
            report
                .result
                .map_err(|error| failure(kind(&error), &error.to_string()))
        })
    }
}

fn run_of(job: &Job) -> Run<'_> {
    Run {
        tool: &job.tool,
        arguments: &job.arguments,
        execution_id: &job.execution_id,
        limits: &job.limits,
        settings: &job.settings,
        progress: job.progress.clone(),
    }
}

fn failure(kind: &str, message: &str) -> Failure {
    Failure {
        kind: kind.to_owned(),
        message: message.to_owned(),
    }
}

/// A stable word for each way a run fails.
fn kind(error: &RunError) -> &'static str {
    match error {
        RunError::Failed { .. } => "declared",
        RunError::InvalidArguments(_) => "invalid_arguments",
        RunError::Trap { .. } => "trap",
        RunError::CpuTime { .. } => "cpu_time",
        RunError::WallTime { .. } => "wall_time",
        RunError::Memory { .. } => "memory",
        RunError::StackOverflow => "stack_overflow",
        RunError::Output { .. } => "output_too_large",
        RunError::InvalidOutput(_) => "invalid_output",
        RunError::UnknownTool(_) => "unknown_tool",
        RunError::Unavailable(_) => "unavailable",
    }
}
