//! The work itself: look, load, list, one step after another in one task, so that no two of them race.

use std::collections::{BTreeSet, HashMap};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use coinop_core::digest::Digest;
use tokio::sync::{Notify, watch as channel};
use tokio::task::{JoinError, JoinSet};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::keep::{Keeper, paid};
use super::shelf::{Shelf, ToLoad};
use super::trusted::{self, Compared};
use super::{Progress, Setup, folder};
use crate::catalog::Problem;
use crate::catalog::notes::Note;
use crate::catalog::resolve::{Plugin, Resolved, problem, resolve};
use crate::config::{Config, ConfigErrors};
use crate::ledger::Components;
use crate::plugin::Manifest;
use crate::trust::Admission;

/// When a component that the ledger did not take is tried again.
const KEEP_AGAIN: Duration = Duration::from_secs(2);
/// How often the ledger is asked what the operator has blocked.
const BLOCKS_EVERY: Duration = Duration::from_secs(2);
/// Loads that end within so short a time of each other are listed together.
const TOGETHER: Duration = Duration::from_millis(30);
/// Most loads listed together.
const TOGETHER_MAX: usize = 32;

/// Everything reload knows, owned by its one task.
pub(super) struct Work {
    setup: Setup,
    progress: channel::Sender<Progress>,
    /// The configuration in use: the last one without a mistake.
    config: Config,
    config_problems: Vec<Problem>,
    shelf: Shelf,
    keeper: Keeper,
    loads: JoinSet<Loaded>,
    /// What waits to be loaded. Compiling uses every core, so it is one at a time, small ones first.
    waiting: Vec<ToLoad>,
    /// What was told last, so that the log has every problem once.
    told: BTreeSet<String>,
    again: Option<Instant>,
    /// What was blocked when the listing was made.
    blocked: BTreeSet<Digest>,
    /// What the operator accepted, when the folder was looked at.
    admission: Admission,
    compared: Compared,
}

struct Loaded {
    name: String,
    digest: Digest,
    result: Result<Manifest, String>,
}

impl Work {
    pub(super) fn new(setup: Setup, progress: channel::Sender<Progress>) -> Self {
        Self {
            config: setup.config.clone(),
            keeper: Keeper::new(Arc::clone(&setup.ledger)),
            setup,
            progress,
            config_problems: Vec::new(),
            shelf: Shelf::default(),
            loads: JoinSet::new(),
            waiting: Vec::new(),
            told: BTreeSet::new(),
            again: None,
            blocked: BTreeSet::new(),
            admission: Admission::default(),
            compared: Compared::default(),
        }
    }

    /// Works until `stop`, looking whenever somebody knocks at `look`.
    pub(super) async fn run(mut self, look: Arc<Notify>, stop: CancellationToken) {
        self.look().await;
        self.list().await;
        self.report(true);
        loop {
            let due = self.due();
            let blocks = blocks_changed(Arc::clone(&self.setup.ledger), self.blocked.clone());
            tokio::select! {
                () = stop.cancelled() => break,
                () = look.notified() => self.look().await,
                Some(loaded) = self.loads.join_next() => self.loaded_with_others(loaded).await,
                () = tokio::time::sleep_until(due.into()) => {}
                () = blocks => {}
            }
            self.list().await;
            self.report(true);
        }
        self.loads.shutdown().await;
    }

    fn due(&self) -> Instant {
        let now = Instant::now();
        let far = now + Duration::from_secs(3600);
        [self.shelf.next_due(now), self.again]
            .into_iter()
            .flatten()
            .min()
            .unwrap_or(far)
    }

    /// Looks at folder and configuration, and starts to load what is new.
    async fn look(&mut self) {
        let (config, in_use) = (self.setup.config.clone(), self.config.trust.clone());
        let (stamps, before) = (self.shelf.stamps(), self.admission.clone());
        let seen = tokio::task::spawn_blocking(move || {
            let newer = config.reload();
            let rules = newer.as_ref().map_or(&in_use, |newer| &newer.trust);
            let admission = before.read_again(rules);
            // Other rules are about every file, whether it has changed or not.
            let known = match admission == before {
                true => stamps,
                false => HashMap::new(),
            };
            let scan = folder::scan(&config.plugins_dir, &known, &admission);
            (scan, newer, admission)
        });
        let (scan, config, admission) = match seen.await {
            Ok(seen) => seen,
            Err(error) => return tracing::error!("looking at the plugins failed: {error}"),
        };
        self.take_config(config);
        let folder = self.setup.config.plugins_dir.display().to_string();
        let library = Arc::clone(&self.setup.library);
        let known = |digest: &Digest| library.loader().known_manifest(digest);
        let new = self.shelf.seen(&folder, scan, Instant::now(), known);
        let other_rules = admission.rules() != self.admission.rules();
        self.shelf.revoke(&admission, other_rules);
        if admission != self.admission {
            self.compared = Compared::default();
            self.admission = admission;
        }
        self.waiting.extend(new);
        self.load_next();
    }

    fn load_next(&mut self) {
        self.waiting
            .sort_by_key(|load| std::cmp::Reverse(load.bytes));
        if self.loads.is_empty()
            && let Some(next) = self.waiting.pop()
        {
            self.load(next);
        }
    }

    fn take_config(&mut self, config: Result<Config, ConfigErrors>) {
        match config {
            Ok(config) => {
                let later = self.setup.config.needs_restart(&config);
                self.config_problems = match later[..] {
                    [] => Vec::new(),
                    _ => {
                        let message = format!(
                            "{} changed: this takes effect when coinop is started again",
                            later.join(", ")
                        );
                        vec![Problem {
                            keeps_last_good: true,
                            ..problem(&config.file.display().to_string(), message)
                        }]
                    }
                };
                self.config = config;
            }
            Err(errors) => {
                let wrong = |error: &crate::config::ConfigError| Problem {
                    file: error.file.clone(),
                    message: error.in_file(),
                    keeps_last_good: true,
                };
                self.config_problems = errors.0.iter().map(wrong).collect();
            }
        }
    }

    fn load(&mut self, load: ToLoad) {
        let library = Arc::clone(&self.setup.library);
        library.offer(load.digest, load.path);
        self.loads.spawn(async move {
            let started = Instant::now();
            tracing::info!("loading {} ({} KiB)", load.name, load.bytes >> 10);
            let result = library
                .get(load.digest)
                .await
                .map(|code| code.manifest().clone());
            tracing::info!("{} took {} ms", load.name, started.elapsed().as_millis());
            Loaded {
                name: load.name,
                digest: load.digest,
                result,
            }
        });
    }

    async fn loaded_with_others(&mut self, first: Result<Loaded, JoinError>) {
        self.loaded(first);
        self.load_next();
        for _ in 1..TOGETHER_MAX {
            match timeout(TOGETHER, self.loads.join_next()).await {
                Ok(Some(next)) => {
                    self.loaded(next);
                    self.load_next();
                }
                Ok(None) | Err(_) => break,
            }
        }
    }

    fn loaded(&mut self, joined: Result<Loaded, JoinError>) {
        match joined {
            Ok(loaded) => {
                self.shelf
                    .loaded(&loaded.name, loaded.digest, loaded.result, Instant::now())
            }
            Err(error) => tracing::error!("loading a plugin failed: {error}"),
        }
    }

    /// Makes the listing and swaps it in, once the ledger keeps what can be paid for.
    async fn list(&mut self) {
        self.again = None;
        let (mut plugins, mut problems) = (self.shelf.plugins(), self.config_problems.clone());
        let allowed = self.admission.allowed(self.config.grants());
        problems.extend(trusted::problems(
            &self.admission,
            &allowed,
            &self.config.file,
        ));
        self.compared.tell(&self.admission, &plugins);
        problems.extend(self.shelf.problems(Instant::now()));
        self.leave_out_blocked(&mut plugins, &mut problems).await;
        let served = self.shelf.served();
        let resolved = self.resolve_kept(plugins, &mut problems, &served).await;

        let mut next = resolved.snapshot;
        problems.append(&mut next.problems);
        next.problems = problems;
        self.tell(&next.problems, &resolved.notes);
        self.setup.library.serve(served);
        let unready = self.config.unready();
        self.setup
            .library
            .grant(allowed.grants, allowed.pins, unready);
        self.setup.library.keep_warm(self.config.warm());
        let changed = !next.same_listing(&self.setup.catalog.snapshot());
        self.setup.catalog.publish(next, changed);
    }

    async fn leave_out_blocked(&mut self, plugins: &mut Vec<Plugin>, problems: &mut Vec<Problem>) {
        match self.setup.ledger.blocked().await {
            Ok(blocked) => self.blocked = blocked.into_iter().collect(),
            // Runs ask again, and refuse what they cannot ask about.
            Err(error) => tracing::warn!("blocked components cannot be read: {error}"),
        }
        plugins.retain(|plugin| {
            let is_blocked = self.blocked.contains(&plugin.manifest.digest);
            if is_blocked {
                let message = "was blocked by the operator".to_owned();
                problems.push(problem(&plugin.file, message));
            }
            !is_blocked
        });
    }

    /// Resolves, leaving out plugins whose bytes the ledger does not keep.
    async fn resolve_kept(
        &mut self,
        mut plugins: Vec<Plugin>,
        problems: &mut Vec<Problem>,
        served: &HashMap<Digest, PathBuf>,
    ) -> Resolved {
        let present = self.shelf.names();
        let resolved = resolve(&self.config, &plugins, &present, &*self.setup.chargeable);
        let paid = paid(&resolved.snapshot);
        self.keeper.only(&paid);
        let lost = self.keeper.keep(paid, served).await;
        for (digest, reason) in &lost {
            self.again = Some(Instant::now() + KEEP_AGAIN);
            let of = plugins.iter().filter(|p| p.manifest.digest == *digest);
            let message = format!("the ledger cannot keep it, so it is not sold: {reason}");
            problems.extend(of.map(|plugin| problem(&plugin.file, message.clone())));
        }
        if lost.is_empty() {
            return resolved;
        }
        plugins.retain(|plugin| !lost.contains_key(&plugin.manifest.digest));
        resolve(&self.config, &plugins, &present, &*self.setup.chargeable)
    }

    /// Logs what is newly wrong, and what no longer is.
    fn tell(&mut self, problems: &[Problem], notes: &[Note]) {
        let line = |p: &Problem| {
            let kept = if p.keeps_last_good {
                " (the version before is kept)"
            } else {
                ""
            };
            format!("{}: {}{kept}", p.file, p.message)
        };
        let now: BTreeSet<String> = problems
            .iter()
            .map(line)
            .chain(notes.iter().map(|note| note.message.clone()))
            .chain(self.config.notes.iter().map(ToString::to_string))
            .collect();
        for new in now.difference(&self.told) {
            tracing::warn!("{new}");
        }
        for gone in self.told.difference(&now) {
            tracing::info!("no longer so: {gone}");
        }
        self.told = now;
    }

    fn report(&self, scanned: bool) {
        let progress = Progress {
            scanned,
            loading: self.loads.len() + self.waiting.len(),
            unlisted: self.shelf.unlisted(),
        };
        self.progress
            .send_if_modified(|last| std::mem::replace(last, progress) != progress);
    }
}

/// Waits until the ledger's list of blocked components is not what it was: any process of the operator's may change it.
async fn blocks_changed(ledger: Arc<dyn Components>, before: BTreeSet<Digest>) {
    loop {
        tokio::time::sleep(BLOCKS_EVERY).await;
        match ledger.blocked().await {
            Ok(now) if now.iter().copied().collect::<BTreeSet<_>>() != before => return,
            // Whoever runs something blocked is told of a ledger that is away.
            Ok(_) | Err(_) => {}
        }
    }
}
