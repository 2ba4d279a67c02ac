//! What is known of every plugin file: the version served, the one being loaded, what is wrong. Decides; does nothing.
//!
//! A bad file keeps the last good version, within this process: after a restart only the files themselves count.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use coinop_core::digest::Digest;

use super::folder::{Found, Scan, Stamp};
use crate::catalog::Problem;
use crate::catalog::library::file_name;
use crate::catalog::resolve::Plugin;
use crate::config::PluginRules;
use crate::plugin::Manifest;

/// So long after its last change a file that does not load counts as still being written.
pub(super) const WRITING: Duration = Duration::from_secs(2);

/// Coarsest step of a file system's clock that is reckoned with.
const TICK: Duration = Duration::from_millis(100);

/// Every plugin file by its plugin's name.
#[derive(Default)]
pub(super) struct Shelf {
    slots: BTreeMap<String, Slot>,
    /// Problems of the folder itself and of files that cannot be plugins.
    folder_problems: Vec<Problem>,
}

struct Slot {
    path: PathBuf,
    stamp: Stamp,
    /// How long before it was seen the file had changed.
    seen_age: Option<Duration>,
    /// Served, or about to be.
    version: Option<Version>,
    /// Served before `version`, kept until that one's code has been seen to load.
    before: Option<Version>,
    /// The file's present content, while it is loaded for the first time.
    loading: Option<Digest>,
    /// What is wrong with the file's present content.
    wrong: Option<Wrong>,
    /// What the sidecar said when it was last right; `None` when it never was.
    sidecar: Option<Arc<PluginRules>>,
    sidecar_wrong: Option<String>,
}

#[derive(Clone)]
struct Version {
    digest: Digest,
    manifest: Arc<Manifest>,
}

struct Wrong {
    message: String,
    /// Until then the file may still be being written.
    quiet_until: Option<Instant>,
}

/// A component whose code is to be loaded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ToLoad {
    pub(super) name: String,
    pub(super) digest: Digest,
    pub(super) path: PathBuf,
    pub(super) bytes: u64,
}

impl Shelf {
    /// The stamps of what was seen. One so fresh that a further write might not have changed it is left out.
    pub(super) fn stamps(&self) -> HashMap<String, Stamp> {
        let sure = self
            .slots
            .iter()
            .filter(|(_, slot)| slot.seen_age.is_none_or(|age| age > TICK));
        sure.map(|(name, slot)| (name.clone(), slot.stamp))
            .collect()
    }

    /// The names of all plugin files.
    pub(super) fn names(&self) -> BTreeSet<String> {
        self.slots.keys().cloned().collect()
    }

    /// Takes in a look at the folder; returns what is to be loaded, small files first, so that a big one holds up none.
    pub(super) fn seen(
        &mut self,
        folder: &str,
        scan: Scan,
        now: Instant,
        known_manifest: impl Fn(&Digest) -> Option<Manifest>,
    ) -> Vec<ToLoad> {
        self.folder_problems = scan
            .refused
            .into_iter()
            .map(|(file, message)| problem(file, message, false))
            .collect();
        if let Some(message) = scan.unreadable {
            self.folder_problems
                .push(problem(folder.to_owned(), message, !self.slots.is_empty()));
            return Vec::new();
        }
        self.slots.retain(|name, _| scan.files.contains_key(name));
        let mut to_load = Vec::new();
        for (name, found) in scan.files {
            let slot = self
                .slots
                .entry(name.clone())
                .or_insert_with(|| Slot::new(&found));
            if let Some(digest) = slot.seen(found, now, &known_manifest) {
                to_load.push(ToLoad {
                    name,
                    digest,
                    path: slot.path.clone(),
                    bytes: slot.stamp.len,
                });
            }
        }
        to_load.sort_by_key(|load| load.bytes);
        to_load
    }

    /// Takes in how a load ended. Of a content that was replaced meanwhile nothing is taken in.
    pub(super) fn loaded(
        &mut self,
        name: &str,
        digest: Digest,
        result: Result<Manifest, String>,
        now: Instant,
    ) {
        if let Some(slot) = self.slots.get_mut(name) {
            slot.loaded(digest, result, now);
        }
    }

    /// When a file that does not load stops counting as being written.
    pub(super) fn next_due(&self, now: Instant) -> Option<Instant> {
        let due = self
            .slots
            .values()
            .filter_map(|slot| slot.wrong.as_ref()?.quiet_until);
        due.filter(|at| *at > now).min()
    }

    /// What can be listed. A plugin whose sidecar was never right is not: its prices are unknown.
    pub(super) fn plugins(&self) -> Vec<Plugin> {
        let plugin = |(name, slot): (&String, &Slot)| {
            Some(Plugin {
                name: name.clone(),
                file: file_name(&slot.path),
                manifest: Arc::clone(&slot.version.as_ref()?.manifest),
                sidecar: Arc::clone(slot.sidecar.as_ref()?),
            })
        };
        self.slots.iter().filter_map(plugin).collect()
    }

    /// Every component whose code should stay at hand, and the file it was seen in.
    pub(super) fn served(&self) -> HashMap<Digest, PathBuf> {
        let versions = |slot: &Slot| {
            let digests = [slot.version.as_ref(), slot.before.as_ref()]
                .into_iter()
                .flatten()
                .map(|v| v.digest);
            digests
                .chain(slot.loading)
                .map(|digest| (digest, slot.path.clone()))
                .collect::<Vec<_>>()
        };
        self.slots.values().flat_map(versions).collect()
    }

    /// What is wrong, apart from files that are perhaps still being written.
    pub(super) fn problems(&self, now: Instant) -> Vec<Problem> {
        let mut problems = self.folder_problems.clone();
        for slot in self.slots.values() {
            if let Some(wrong) = &slot.wrong
                && wrong.quiet_until.is_none_or(|until| until <= now)
            {
                problems.push(problem(
                    file_name(&slot.path),
                    wrong.message.clone(),
                    slot.version.is_some(),
                ));
            }
            if let Some(message) = &slot.sidecar_wrong {
                let file = file_name(&slot.path.with_extension("toml"));
                problems.push(problem(file, message.clone(), slot.sidecar.is_some()));
            }
        }
        problems
    }
}

fn problem(file: String, message: String, keeps_last_good: bool) -> Problem {
    Problem {
        file,
        message,
        keeps_last_good,
    }
}

impl Slot {
    fn new(found: &Found) -> Self {
        Self {
            path: found.path.clone(),
            stamp: found.stamp,
            seen_age: None,
            version: None,
            before: None,
            loading: None,
            wrong: None,
            sidecar: None,
            sidecar_wrong: None,
        }
    }

    fn seen(
        &mut self,
        found: Found,
        now: Instant,
        known_manifest: &impl Fn(&Digest) -> Option<Manifest>,
    ) -> Option<Digest> {
        self.stamp = found.stamp;
        self.seen_age = self.age();
        match found.sidecar {
            Ok(rules) => {
                self.sidecar = Some(Arc::new(rules.unwrap_or_default()));
                self.sidecar_wrong = None;
            }
            Err(message) => self.sidecar_wrong = Some(message),
        }
        match found.content? {
            Ok(digest) => self.content(digest, known_manifest),
            Err(message) => {
                self.loading = None;
                self.fails(message, now);
                None
            }
        }
    }

    /// Takes in the file's present content; returns it when it is to be loaded.
    fn content(
        &mut self,
        digest: Digest,
        known_manifest: &impl Fn(&Digest) -> Option<Manifest>,
    ) -> Option<Digest> {
        if self.version.as_ref().is_some_and(|v| v.digest == digest) {
            (self.loading, self.wrong) = (None, None);
            return None;
        }
        if self.loading == Some(digest) {
            return None;
        }
        (self.loading, self.wrong) = (Some(digest), None);
        if let Some(manifest) = known_manifest(&digest) {
            let version = Version {
                digest,
                manifest: Arc::new(manifest),
            };
            let replaced = self.version.replace(version);
            // One that was itself not yet seen to load is no good one.
            self.before = self.before.take().or(replaced);
        }
        Some(digest)
    }

    fn loaded(&mut self, digest: Digest, result: Result<Manifest, String>, now: Instant) {
        let awaited = self.loading == Some(digest);
        let listed = self.version.as_ref().is_some_and(|v| v.digest == digest);
        if awaited {
            self.loading = None;
        }
        match result {
            Ok(manifest) if awaited || listed => {
                let same = |v: &Version| v.digest == digest && *v.manifest == manifest;
                if !self.version.as_ref().is_some_and(same) {
                    self.version = Some(Version {
                        digest,
                        manifest: Arc::new(manifest),
                    });
                }
                self.before = None;
                if awaited {
                    self.wrong = None;
                }
            }
            Ok(_) => {}
            Err(message) => {
                if listed {
                    self.version = self.before.take();
                }
                if awaited {
                    self.fails(message, now);
                }
            }
        }
    }

    /// How long ago the file changed; a file from the future has no age.
    fn age(&self) -> Option<Duration> {
        SystemTime::now().duration_since(self.stamp.modified?).ok()
    }

    fn fails(&mut self, message: String, now: Instant) {
        let writing = self.age().and_then(|age| WRITING.checked_sub(age));
        self.wrong = Some(Wrong {
            message,
            quiet_until: writing.map(|left| now + left),
        });
    }
}

#[cfg(test)]
#[path = "shelf_tests.rs"]
mod tests;
