//! What is known of every plugin file: the version served, the one being loaded, what is wrong. Decides; does nothing.
//!
//! A bad file keeps the last good version, within this process: after a restart only the files themselves count.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use coinop_core::digest::Digest;

use super::folder::{Scan, Stamp};
use super::slot::{Slot, TICK};
use crate::catalog::Problem;
use crate::catalog::resolve::Plugin;
use crate::catalog::source::file_name;
use crate::plugin::Manifest;
use crate::trust::Admission;

/// Every plugin file by its plugin's name.
#[derive(Default)]
pub(super) struct Shelf {
    slots: BTreeMap<String, Slot>,
    /// Problems of the folder itself and of files that cannot be plugins.
    folder_problems: Vec<Problem>,
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
    /// The stamps of what was seen. One so fresh that a further write might not have changed it is left out, and so is one
    /// of a content that was refused: what refused it is not in the file.
    pub(super) fn stamps(&self) -> HashMap<String, Stamp> {
        let refused = |slot: &Slot| slot.wrong.as_ref().is_some_and(|w| w.refused.is_some());
        let sure = self
            .slots
            .iter()
            .filter(|(_, slot)| slot.seen_age.is_none_or(|age| age > TICK) && !refused(slot));
        sure.map(|(name, slot)| (name.clone(), slot.stamp))
            .collect()
    }

    /// The names of all plugin files.
    pub(super) fn names(&self) -> BTreeSet<String> {
        self.slots.keys().cloned().collect()
    }

    /// Takes in a look at the folder; returns what is to be loaded.
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

    /// Drops what the operator no longer accepts, and would be served as the last good version otherwise. Under other
    /// rules than before that is every version whose file is no longer there to be looked at again.
    pub(super) fn revoke(&mut self, admission: &Admission, other_rules: bool) {
        for (name, slot) in &mut self.slots {
            let refused = slot.wrong.as_ref().is_some_and(|w| w.refused.is_some());
            let unproven = other_rules && refused;
            slot.forget(|version| unproven || admission.revokes(name, version.digest));
            let said = slot.sidecar.as_ref();
            if said.is_some_and(|rules| admission.admit_sidecar(name, rules.sidecar).is_err()) {
                slot.sidecar = None;
            }
        }
    }

    /// How many files may have tools to list that are not known yet.
    pub(super) fn unlisted(&self) -> usize {
        let unknown = |slot: &&Slot| slot.version.is_none() && slot.loading.is_some();
        self.slots.values().filter(unknown).count()
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

#[cfg(test)]
#[path = "shelf_tests.rs"]
mod tests;
