//! The library: components by digest, loaded when they are first needed and once only, run for the gate.
//!
//! It keeps the code that the present snapshot serves and a few older ones that open quotes may name; everything else
//! is loaded again from its file or from the ledger.

use std::collections::{BTreeSet, HashMap};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwap;
use coinop_core::call::Failure;
use coinop_core::digest::Digest;
use coinop_core::outcome::Outcome;
use futures::FutureExt;
use futures::future::{BoxFuture, Shared};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::blocklist::Blocklist;
use super::granted::{GrantBook, Page};
use super::imitation;
use super::pseudonym::Pseudonyms;
use super::share;
use super::source::Sources;
use crate::gate::{Errand, Job, Ready, Runner};
use crate::grants::{Denial, Grants};
use crate::keyvalue::{Bucket, KeyValue};
use crate::ledger::{Components, Ledger};
use crate::limits::Limits;
use crate::plugin::{Effects, Manifest};
use crate::quarantine::{Cause, End, Quarantine, SetAside};
use crate::sandbox::{Metering, Share, Warm};

/// Loaded components kept that no listing serves any more.
const RETIRED_MAX: usize = 8;
/// Lines of one run's log that are passed on.
const LOG_LINES_MAX: usize = 200;

/// Makes code of bytes: the sandbox, or a fake in tests.
pub trait Loader: Send + Sync {
    /// What a component said of itself when it was loaded before, by this process or an earlier one. Does not block.
    fn known_manifest(&self, digest: &Digest) -> Option<Manifest>;

    /// Compiles and tries a component; `file` is for messages.
    ///
    /// # Errors
    /// What is wrong with the file, naming it.
    fn load<'a>(
        &'a self,
        file: &'a str,
        bytes: Arc<[u8]>,
    ) -> BoxFuture<'a, Result<Arc<dyn Code>, String>>;

    /// As [`Loader::load`], with code that counts its instructions where `metering` says so.
    ///
    /// # Errors
    /// As [`Loader::load`].
    fn load_metered<'a>(
        &'a self,
        file: &'a str,
        bytes: Arc<[u8]>,
        _metering: Metering,
    ) -> BoxFuture<'a, Result<Arc<dyn Code>, String>> {
        self.load(file, bytes)
    }
}

/// A loaded component.
pub trait Code: Send + Sync {
    /// What it says of itself.
    fn manifest(&self) -> &Manifest;

    /// Takes a place for runs one after another, waiting for it at most `patience`. Code without a limit has none to take.
    ///
    /// # Errors
    /// No place is free: the failure is of the kind [`BUSY`](crate::gate::BUSY).
    fn place<'a>(
        &'a self,
        _limits: &'a Limits,
        _patience: Duration,
    ) -> BoxFuture<'a, Result<Ready, Failure>> {
        Box::pin(std::future::ready(Ok(Ready::default())))
    }

    /// Drops the instances that are kept of it between calls.
    fn retire(&self) {}

    /// Runs one job in a fresh instance, or in one that was kept for its caller. Dropping the future stops the guest.
    fn run<'a>(&'a self, job: &'a Job, granted: &'a Granted) -> BoxFuture<'a, Ran>;
}

/// What the operator allows a run, as it is when the run begins.
pub struct Granted {
    /// What it may reach.
    pub grants: Arc<Grants>,
    /// What it keeps from call to call, where that is granted.
    pub bucket: Option<Bucket>,
    /// The caller's pseudonym, where the plugin is told one.
    pub caller: Option<String>,
    /// Whose other calls its instance may serve, where the operator has instances kept.
    pub share: Option<Share>,
}

/// How a run ended.
pub struct Ran {
    /// The answer, or the failure for the caller.
    pub result: Result<Outcome, Failure>,
    /// What the guest printed, already bounded; for the operator.
    pub log: String,
    /// Bytes of it that were dropped.
    pub log_dropped: u64,
    /// What it was refused for want of a grant.
    pub denials: Vec<Denial>,
    /// What its end tells of the plugin.
    pub end: End,
}

/// Components by digest.
pub struct Library {
    sources: Arc<Sources>,
    shelf: Mutex<Shelf>,
    blocklist: Blocklist,
    grants: GrantBook,
    warm: ArcSwap<HashMap<String, Warm>>,
    keyvalue: Option<Arc<dyn KeyValue>>,
    pseudonyms: Option<Pseudonyms>,
    quarantine: Arc<Quarantine>,
    tasks: TaskTracker,
    stop: CancellationToken,
}

/// A component, and whether its code counts.
type Wanted = (Digest, Metering);
type Loading = Shared<BoxFuture<'static, Result<Arc<dyn Code>, String>>>;

#[derive(Default)]
struct Shelf {
    /// What is served, with the file it was seen in.
    served: HashMap<Digest, PathBuf>,
    slots: HashMap<Wanted, Slot>,
    /// Counts uses, to find the least recent one.
    clock: u64,
}

struct Slot {
    loading: Loading,
    used: u64,
}

impl Library {
    /// An empty library.
    pub fn new(loader: Arc<dyn Loader>, ledger: Arc<dyn Components>) -> Self {
        Self {
            blocklist: Blocklist::new(Arc::clone(&ledger)),
            sources: Arc::new(Sources::new(loader, ledger)),
            shelf: Mutex::default(),
            grants: GrantBook::default(),
            warm: ArcSwap::default(),
            keyvalue: None,
            pseudonyms: None,
            quarantine: Arc::default(),
            tasks: TaskTracker::new(),
            stop: CancellationToken::new(),
        }
    }

    /// With a place for what plugins keep from call to call.
    pub fn with_keyvalue(mut self, store: Arc<dyn KeyValue>) -> Self {
        self.keyvalue = Some(store);
        self
    }

    /// With the ledger whose hosts name callers to plugins alike.
    pub fn with_pseudonyms(mut self, ledger: Arc<dyn Ledger>) -> Self {
        self.pseudonyms = Some(Pseudonyms::new(ledger));
        self
    }

    /// Sets plugins aside as `quarantine` has it.
    #[must_use]
    pub fn with_quarantine(mut self, quarantine: Arc<Quarantine>) -> Self {
        self.quarantine = quarantine;
        self
    }

    /// Who makes code of bytes.
    pub fn loader(&self) -> &dyn Loader {
        self.sources.loader()
    }

    /// Says where a component can be found, before it is asked for.
    pub fn offer(&self, digest: Digest, file: PathBuf) {
        self.shelf().served.insert(digest, file);
    }

    /// Says what is served from now on; the code of anything else may be dropped.
    pub fn serve(&self, served: HashMap<Digest, PathBuf>) {
        let mut shelf = self.shelf();
        shelf.served = served;
        shelf.retire();
        shelf.retire_instances(|digest, served| !served.contains_key(digest));
    }

    /// Says what plugins may reach from now on, by their names; where a component is named, no other version of the
    /// plugin reaches anything. `unready` are plugins of whose grants a part cannot be given: they do not run.
    pub fn grant(
        &self,
        grants: HashMap<String, Arc<Grants>>,
        pins: HashMap<String, Digest>,
        unready: BTreeSet<String>,
    ) {
        let changed = self.grants.set(Page {
            grants,
            pins,
            unready,
        });
        if changed {
            // Runs compare what their instance was given, so this only frees what nobody would use.
            self.shelf().retire_instances(|_, _| true);
        }
    }

    /// Says of which plugins instances stay for further calls from now on.
    pub fn keep_warm(&self, warm: HashMap<String, Warm>) {
        if **self.warm.load() != warm {
            self.warm.store(Arc::new(warm));
            self.shelf().retire_instances(|_, _| true);
        }
    }

    /// The code of a component, loaded now if it is not in memory. Any number of callers wait for the same load, which
    /// goes on when they leave.
    ///
    /// # Errors
    /// Why there is no code, for the operator.
    pub async fn get(&self, digest: Digest) -> Result<Arc<dyn Code>, String> {
        self.get_metered((digest, Metering::Off)).await
    }

    async fn get_metered(&self, wanted: Wanted) -> Result<Arc<dyn Code>, String> {
        let loading = self.shelf().slot(wanted, |file| self.start(wanted, file));
        let loaded = loading.clone().await;
        if loaded.is_err() {
            // The next one who asks tries again.
            let mut shelf = self.shelf();
            if shelf
                .slots
                .get(&wanted)
                .is_some_and(|slot| slot.loading.ptr_eq(&loading))
            {
                shelf.slots.remove(&wanted);
            }
        }
        loaded
    }

    /// Stops loading and waits for it to end.
    pub async fn shutdown(&self) {
        self.stop.cancel();
        self.tasks.close();
        self.tasks.wait().await;
    }

    fn start(&self, (digest, metering): Wanted, file: Option<PathBuf>) -> Loading {
        let (sources, stop) = (Arc::clone(&self.sources), self.stop.clone());
        let task = self.tasks.spawn(async move {
            let load = sources.load(digest, file, metering);
            stop.run_until_cancelled(load)
                .await
                .unwrap_or_else(|| Err("the host is shutting down".to_owned()))
        });
        let joined = async move {
            task.await
                .unwrap_or_else(|error| Err(format!("loading failed: {error}")))
        };
        joined.boxed().shared()
    }

    fn shelf(&self) -> std::sync::MutexGuard<'_, Shelf> {
        self.shelf.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Shelf {
    fn slot(&mut self, wanted: Wanted, start: impl FnOnce(Option<PathBuf>) -> Loading) -> Loading {
        self.clock += 1;
        let file = self.served.get(&wanted.0).cloned();
        let used = self.clock;
        let slot = self.slots.entry(wanted).or_insert_with(|| Slot {
            loading: start(file),
            used,
        });
        slot.used = used;
        let loading = slot.loading.clone();
        self.retire();
        loading
    }

    /// Drops the kept instances of the components that `goes` names.
    fn retire_instances(&self, goes: impl Fn(&Digest, &HashMap<Digest, PathBuf>) -> bool) {
        for ((digest, _), slot) in &self.slots {
            if let Some(Ok(code)) = slot.loading.peek()
                && goes(digest, &self.served)
            {
                code.retire();
            }
        }
    }

    /// Drops the least recently used code that nothing serves, beyond the few that are kept.
    fn retire(&mut self) {
        let served = &self.served;
        let retired = |slots: &HashMap<Wanted, Slot>| {
            let unserved = slots
                .iter()
                .filter(|((digest, _), _)| !served.contains_key(digest));
            unserved
                .map(|(wanted, slot)| (slot.used, *wanted))
                .collect::<Vec<_>>()
        };
        let mut candidates = retired(&self.slots);
        candidates.sort_by_key(|(used, _)| *used);
        let surplus = candidates.len().saturating_sub(RETIRED_MAX);
        for (_, wanted) in candidates.into_iter().take(surplus) {
            self.slots.remove(&wanted);
        }
    }
}

impl Library {
    async fn code_for(
        &self,
        component: Digest,
        limits: &Limits,
        plugin: &str,
    ) -> Result<Arc<dyn Code>, Failure> {
        let metering = match limits.fuel_max {
            Some(_) => Metering::Fuel,
            None => Metering::Off,
        };
        let loaded = self.get_metered((component, metering)).await;
        loaded.map_err(|reason| {
            tracing::error!(plugin, component = %component.short(), "cannot be loaded: {reason}");
            failure(
                "host_unavailable",
                "the tool cannot be loaded at the moment",
            )
        })
    }
}

impl Library {
    /// What the operator allows a job at the moment.
    async fn granted(&self, job: &Job) -> Result<Granted, Failure> {
        if self.grants.is_unready(&job.plugin) {
            // It would run without a part of them, and its answer to that would be charged.
            return Err(failure(
                "host_unavailable",
                "the tool cannot be given what it was granted at the moment",
            ));
        }
        let grants = self.grants.of(&job.plugin, job.component);
        let bucket = |max| Some(Bucket::new(self.keyvalue.clone()?, &job.plugin, max));
        let caller = match (&self.pseudonyms, grants.caller) {
            (Some(pseudonyms), true) => pseudonyms.of(&job.principal, &job.plugin).await,
            (None, _) | (_, false) => Ok(None),
        };
        let caller = caller.map_err(|reason| {
            tracing::error!(plugin = job.plugin, "its caller has no pseudonym: {reason}");
            failure(
                "host_unavailable",
                "the tool cannot be told who calls at the moment",
            )
        })?;
        Ok(Granted {
            bucket: grants.keyvalue_bytes_max.and_then(bucket),
            caller,
            grants,
            share: self.share(job),
        })
    }

    /// Whose instances a job may have and leave. None are kept of a plugin that keeps failing.
    fn share(&self, job: &Job) -> Option<Share> {
        let warm = self.warm.load().get(&job.plugin).copied()?;
        if self.quarantine.holds(&job.component) {
            return None;
        }
        let key = share::key(&job.principal, &job.plugin)?;
        Some(Share { key, warm })
    }
}

impl Runner for Library {
    fn may_repeat(&self, plugin: &str, effects: Effects) -> bool {
        self.grants.of_any_version(plugin).repeatable(effects)
    }

    fn prepare(&self, errand: Errand) -> BoxFuture<'_, Result<Ready, Failure>> {
        Box::pin(async move {
            // Nothing of a blocked component is started, its trial neither: the claim says what becomes of it.
            match self.blocklist.check(errand.component).await {
                Err(failure) if failure.kind == "blocked" => return Ok(Ready::default()),
                checked => checked?,
            }
            let code = self.code_for(errand.component, &errand.limits, "").await?;
            code.place(&errand.limits, errand.patience).await
        })
    }

    fn refuses(&self, component: &Digest, plugin: &str) -> Option<SetAside> {
        self.quarantine.refuses(component, plugin)
    }

    fn run(&self, job: Job) -> BoxFuture<'_, Result<Outcome, Failure>> {
        Box::pin(async move {
            self.blocklist.check(job.component).await?;
            // Nobody takes a place for a run that nobody paid.
            let cause = match job.ready {
                Some(_) => Cause::Owed,
                None => Cause::Called,
            };
            let watched = self.quarantine.begin(job.component, &job.plugin, cause);
            let watched = watched.map_err(|aside| failure("set_aside", &aside.to_string()))?;
            let code = self
                .code_for(job.component, &job.limits, &job.plugin)
                .await?;
            let granted = self.granted(&job).await?;
            let mut ran = code.run(&job, &granted).await;
            log(&job, &ran);
            self.grants
                .tell(&job.plugin, std::mem::take(&mut ran.denials));
            let accepted = ran.result.is_ok();
            let ran = honest(ran);
            watched.ended(ran.end);
            let posed = accepted && ran.result.is_err();
            if posed || self.quarantine.holds(&job.component) {
                code.retire();
            }
            ran.result
        })
    }
}

/// An answer that passes for the host's own request for payment is no answer.
fn honest(ran: Ran) -> Ran {
    let poses = ran.result.as_ref().ok().and_then(imitation::find);
    match poses {
        None => ran,
        Some(what) => Ran {
            result: Err(failure(
                "invalid_output",
                &format!("the tool's answer is not valid: {what}"),
            )),
            // Its words may be the caller's: no evidence against the plugin.
            end: End::Untold,
            ..ran
        },
    }
}

pub(super) fn failure(kind: &str, message: &str) -> Failure {
    Failure {
        kind: kind.to_owned(),
        message: message.to_owned(),
    }
}

/// Passes on what the guest printed, line by line, with its control characters made harmless.
fn log(job: &Job, ran: &Ran) {
    let mut lines = ran.log.lines();
    for line in lines.by_ref().take(LOG_LINES_MAX) {
        tracing::info!(target: "plugin", plugin = job.plugin, tool = job.tool, "{}", printable(line));
    }
    let (left, dropped) = (lines.count(), ran.log_dropped);
    if left > 0 || dropped > 0 {
        tracing::info!(target: "plugin", plugin = job.plugin, tool = job.tool, "… {left} lines and {dropped} bytes more");
    }
}

fn printable(line: &str) -> String {
    let shown = |c: char| match c.is_control() && c != '\t' {
        true => c.escape_default().collect::<String>(),
        false => c.to_string(),
    };
    line.chars().map(shown).collect()
}

#[cfg(test)]
#[path = "library_tests.rs"]
mod tests;
