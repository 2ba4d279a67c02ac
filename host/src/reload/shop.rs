//! The shop: looks at the files, loads what is new, and publishes what can be served.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use coinop_core::digest::Digest;
use coinop_core::price::Price;
use tokio::task::JoinSet;

use super::Parts;
use super::folder::{FILE_BYTES_MAX, PluginFile, Stamp, plugin_files};
use super::shelf::Shelf;
use crate::catalog::library::Code;
use crate::catalog::resolve::{Plugin, Resolved, resolve};
use crate::catalog::{Problem, Snapshot};
use crate::config::{Config, PluginRules};
use crate::sandbox::LoadError;

/// Components compiled at a time: each uses every core already.
const LOADS_MAX: usize = 2;

/// A component that was loaded in the background, or was not.
pub(super) struct Loaded {
    file: String,
    digest: Digest,
    result: Result<Arc<dyn Code>, LoadError>,
}

/// Everything reload knows.
pub(super) struct Shop {
    parts: Parts,
    config: Config,
    config_stamp: Option<Stamp>,
    config_error: Option<String>,
    folder_error: Option<String>,
    shelves: BTreeMap<String, Shelf>,
    sidecars: HashMap<String, Arc<PluginRules>>,
    loads: JoinSet<Loaded>,
    /// Read and waiting for a place to load.
    waiting: Vec<(PluginFile, Digest)>,
    /// Digests that the ledger is known to keep.
    kept: HashSet<Digest>,
    told: BTreeSet<String>,
}

impl Shop {
    pub(super) fn new(parts: Parts) -> Self {
        let config = parts.config.clone();
        Self {
            config_stamp: Stamp::of(&config.file),
            config,
            parts,
            config_error: None,
            folder_error: None,
            shelves: BTreeMap::new(),
            sidecars: HashMap::new(),
            loads: JoinSet::new(),
            waiting: Vec::new(),
            kept: HashSet::new(),
            told: BTreeSet::new(),
        }
    }

    /// Whether something may be listed soon that is not yet: a component is being loaded whose tools are not known.
    pub(super) fn is_incomplete(&self) -> bool {
        let unknown = |shelf: &Shelf| shelf.good.is_none() && shelf.error.is_none();
        self.shelves.values().any(unknown)
    }

    /// Whether some file should be looked at again soon, changed or not.
    pub(super) fn has_unsettled(&self) -> bool {
        self.shelves.values().any(|shelf| shelf.unsettled)
    }

    /// The next component that has been loaded; waits for ever while there is none, which `select!` takes for "not yet".
    pub(super) async fn next_loaded(&mut self) -> Option<Loaded> {
        match self.loads.join_next().await {
            Some(Ok(loaded)) => Some(loaded),
            Some(Err(error)) => {
                tracing::error!(%error, "loading a component ended abruptly");
                None
            }
            None => std::future::pending().await,
        }
    }

    /// Looks at everything once and publishes what is known.
    pub(super) async fn look(&mut self) {
        self.look_at_config();
        let files = match plugin_files(&self.config.plugins_dir) {
            Ok(files) => {
                self.folder_error = None;
                files
            }
            Err(error) => {
                let folder = self.config.plugins_dir.display();
                self.folder_error = Some(format!(
                    "{folder}: {error}; create it and put plugins there, or name another with --plugins"
                ));
                Vec::new()
            }
        };
        let present: HashSet<&str> = files.iter().map(|f| f.file.as_str()).collect();
        self.shelves
            .retain(|file, _| present.contains(file.as_str()));
        for file in files {
            self.look_at(file).await;
        }
        self.start_loads();
        self.publish().await;
    }

    fn look_at_config(&mut self) {
        let stamp = Stamp::of(&self.config.file);
        if stamp == self.config_stamp && self.config_error.is_none() {
            return;
        }
        self.config_stamp = stamp;
        match self.config.reload() {
            Ok(newer) => {
                for key in self.config.needs_restart(&newer) {
                    tracing::warn!(
                        "{}: {key} changed; it takes effect at the next start",
                        newer.file.display()
                    );
                }
                self.config = newer;
                self.config_error = None;
            }
            Err(error) => {
                self.config_error = Some(format!(
                    "{error} (the last good configuration stays in use)"
                ))
            }
        }
    }

    async fn look_at(&mut self, file: PluginFile) {
        let shelf = self
            .shelves
            .entry(file.file.clone())
            .or_insert_with(|| Shelf::new(file.clone()));
        shelf.file = file.clone();
        if shelf.read == Some(file.stamp) {
            return;
        }
        if file.stamp.len() > FILE_BYTES_MAX {
            shelf.read = Some(file.stamp);
            return shelf.refuse(format!(
                "{}: more than {} MiB",
                file.file,
                FILE_BYTES_MAX >> 20
            ));
        }
        let bytes = match read(file.path.clone()).await {
            Ok(bytes) => bytes,
            Err(error) => return shelf.refuse(format!("{}: {error}", file.file)),
        };
        if Stamp::of(&file.path) != Some(file.stamp) {
            // It changed while it was read: this is not a state anybody meant.
            shelf.unsettled = true;
            return;
        }
        let digest = Digest::of(&bytes);
        shelf.read = Some(file.stamp);
        shelf.unsettled = false;
        if shelf.latest == Some(digest) && shelf.error.is_none() {
            return;
        }
        shelf.latest = Some(digest);
        match self.parts.library.loader().known_manifest(&digest) {
            Some(manifest) => {
                shelf.accept(Arc::new(manifest));
                // Listed at once; the code follows in the background, and a call that comes first waits for it.
                self.waiting.push((file, digest));
            }
            None => {
                tracing::info!("loading {} ({} KiB)", file.file, bytes.len() >> 10);
                self.waiting.push((file, digest));
            }
        }
    }

    fn start_loads(&mut self) {
        // Small ones first: they are ready at once, and need not wait for an interpreter to compile.
        self.waiting.sort_by_key(|(file, _)| file.stamp.len());
        while self.loads.len() < LOADS_MAX && !self.waiting.is_empty() {
            let (file, digest) = self.waiting.remove(0);
            let library = Arc::clone(&self.parts.library);
            self.loads.spawn(async move {
                let started = Instant::now();
                let result = match read(file.path.clone()).await {
                    Ok(bytes) if Digest::of(&bytes) == digest => {
                        library.loader().load(&file.file, bytes.into()).await
                    }
                    // Changed again meanwhile: whoever notices that loads the newer one.
                    _ => Err(LoadError::Host {
                        file: file.file.clone(),
                        reason: "it changed while it was loaded".to_owned(),
                    }),
                };
                if result.is_ok() {
                    tracing::info!(
                        "{} is ready after {} ms",
                        file.file,
                        started.elapsed().as_millis()
                    );
                }
                Loaded {
                    file: file.file,
                    digest,
                    result,
                }
            });
        }
    }

    /// Takes what was loaded in the background.
    pub(super) async fn take(&mut self, loaded: Loaded) {
        let shelf = self
            .shelves
            .get_mut(&loaded.file)
            .filter(|shelf| shelf.latest == Some(loaded.digest));
        match (loaded.result, shelf) {
            (Ok(code), shelf) => {
                let manifest = Arc::new(code.manifest().clone());
                self.parts.library.put(code);
                if let Some(shelf) = shelf {
                    shelf.accept(manifest);
                }
            }
            (Err(error), Some(shelf)) => shelf.refuse(error.to_string()),
            // An older state of the file: nobody asks any more.
            (Err(_), None) => {}
        }
        self.start_loads();
        self.publish().await;
    }

    /// Says in the ledger that what is served is in use.
    pub(super) async fn touch(&mut self) {
        let now = self.parts.clock.now();
        for digest in self.kept.clone() {
            if !matches!(
                self.parts.ledger.touch_component(digest, now).await,
                Ok(true)
            ) {
                self.kept.remove(&digest);
            }
        }
    }

    async fn publish(&mut self) {
        let resolved = self.resolved();
        self.keep_paid(&resolved.snapshot).await;
        self.tell(&resolved);
        self.parts.library.serve(self.files());
        let old = self.parts.catalog.snapshot();
        let listing_changed = !old.same_listing(&resolved.snapshot);
        self.parts
            .catalog
            .publish(resolved.snapshot, listing_changed);
    }

    fn resolved(&mut self) -> Resolved {
        let mut problems: Vec<Problem> = Vec::new();
        let mut plugins = Vec::new();
        for shelf in self.shelves.values() {
            problems.extend(shelf.problem());
            let Some(manifest) = &shelf.good else {
                continue;
            };
            let name = shelf.file.plugin.clone();
            match PluginRules::read_sidecar(&shelf.file.path.with_extension("toml")) {
                Ok(rules) => {
                    self.sidecars
                        .insert(name.clone(), Arc::new(rules.unwrap_or_default()));
                }
                Err(error) => problems.push(Problem {
                    file: format!("{name}.toml"),
                    message: error.to_string(),
                    keeps_last_good: self.sidecars.contains_key(&name),
                }),
            }
            // A plugin whose sidecar was never readable might have a price it does not say: it waits.
            let Some(sidecar) = self.sidecars.get(&name).cloned() else {
                continue;
            };
            plugins.push(Plugin {
                name,
                file: shelf.file.file.clone(),
                manifest: Arc::clone(manifest),
                sidecar,
            });
        }
        problems.extend(
            self.config_error
                .iter()
                .map(|message| self.own_problem(message, true)),
        );
        problems.extend(
            self.folder_error
                .iter()
                .map(|message| self.own_problem(message, false)),
        );
        let present = self
            .shelves
            .values()
            .map(|s| s.file.plugin.clone())
            .collect();
        let mut resolved = resolve(&self.config, &plugins, &present, &self.parts.chargeable);
        problems.append(&mut resolved.snapshot.problems);
        resolved.snapshot.problems = problems;
        resolved
    }

    fn own_problem(&self, message: &str, keeps_last_good: bool) -> Problem {
        Problem {
            file: self.config.file.display().to_string(),
            message: message.to_owned(),
            keeps_last_good,
        }
    }

    /// Keeps the code of everything that can be quoted, before it can be.
    async fn keep_paid(&mut self, snapshot: &Snapshot) {
        let paid: BTreeMap<Digest, &str> = snapshot
            .tools
            .values()
            .map(|entry| entry.listing())
            .filter(|listing| matches!(listing.price, Price::PerCall(_)))
            .map(|listing| (listing.manifest.digest, listing.plugin.as_str()))
            .collect();
        for (digest, plugin) in paid {
            if self.kept.contains(&digest) {
                continue;
            }
            match self.keep(digest, plugin).await {
                Ok(true) => {
                    self.kept.insert(digest);
                }
                // Calls are refused with a reason until the next round has kept it.
                Ok(false) => tracing::debug!(plugin, "a component changed before it could be kept"),
                Err(error) => {
                    tracing::error!(plugin, %error, "a component could not be kept; its paid tools cannot be called")
                }
            }
        }
    }

    async fn keep(&self, digest: Digest, plugin: &str) -> Result<bool, crate::ledger::LedgerError> {
        let now = self.parts.clock.now();
        if self.parts.ledger.touch_component(digest, now).await? {
            return Ok(true);
        }
        let shelf = self.shelves.values().find(|s| s.file.plugin == plugin);
        let Some(bytes) = (match shelf {
            Some(shelf) => read(shelf.file.path.clone()).await.ok(),
            None => None,
        }) else {
            return Ok(false);
        };
        if Digest::of(&bytes) != digest {
            return Ok(false);
        }
        self.parts
            .ledger
            .keep_component(digest, bytes.into(), now)
            .await?;
        Ok(true)
    }

    fn files(&self) -> HashMap<Digest, PathBuf> {
        self.shelves
            .values()
            .filter_map(|shelf| Some((shelf.good.as_ref()?.digest, shelf.file.path.clone())))
            .collect()
    }

    /// Tells the operator each new problem and note once.
    fn tell(&mut self, resolved: &Resolved) {
        let mut now: BTreeSet<String> = BTreeSet::new();
        for problem in &resolved.snapshot.problems {
            let line = problem.line();
            if !self.told.contains(&line) {
                tracing::warn!("{line}");
            }
            now.insert(line);
        }
        for note in &resolved.notes {
            if !self.told.contains(note) {
                tracing::info!("{note}");
            }
            now.insert(note.clone());
        }
        self.told = now;
    }
}

async fn read(path: PathBuf) -> std::io::Result<Vec<u8>> {
    tokio::task::spawn_blocking(move || std::fs::read(path))
        .await
        .unwrap_or_else(|_| Err(std::io::ErrorKind::Interrupted.into()))
}
