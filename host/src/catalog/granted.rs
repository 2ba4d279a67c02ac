//! What each plugin is granted at the moment, and the operator's word of what was lacking.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwap;

use crate::grants::{Denial, Grants};

/// Different denials that are told once each; later ones are counted as told.
const TOLD_MAX: usize = 1000;

/// The grants by plugin.
#[derive(Default)]
pub(super) struct GrantBook {
    grants: ArcSwap<HashMap<String, Arc<Grants>>>,
    told: Mutex<BTreeSet<(String, Denial)>>,
}

impl GrantBook {
    /// Says what is granted from now on.
    pub(super) fn set(&self, grants: HashMap<String, Arc<Grants>>) {
        self.grants.store(Arc::new(grants));
    }

    /// What a plugin may reach.
    pub(super) fn of(&self, plugin: &str) -> Arc<Grants> {
        self.grants.load().get(plugin).cloned().unwrap_or_default()
    }

    /// Tells the operator what a plugin lacked, each thing once.
    pub(super) fn tell(&self, plugin: &str, denials: Vec<Denial>) {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        for denial in denials {
            let entry = (plugin.to_owned(), denial);
            if told.len() >= TOLD_MAX || told.contains(&entry) {
                continue;
            }
            match &entry.1.line {
                Some(line) => tracing::warn!(
                    "the plugin {plugin} was not allowed to {}. To allow it, add to coinop.toml: \
                     [plugins.{plugin}.grants] {line}",
                    entry.1.wanted
                ),
                None => tracing::warn!("the plugin {plugin} was not allowed to {}", entry.1.wanted),
            }
            told.insert(entry);
        }
    }
}
