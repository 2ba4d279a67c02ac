//! What each plugin is granted at the moment, and the operator's word of what was lacking.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwap;
use coinop_core::digest::Digest;

use crate::grants::{Denial, Grants};

/// Different denials that are told once each; later ones are counted as told.
const TOLD_MAX: usize = 1000;

/// The grants by plugin.
#[derive(Default)]
pub(super) struct GrantBook {
    page: ArcSwap<Page>,
    told: Mutex<BTreeSet<(String, Denial)>>,
}

/// What is granted at one moment.
#[derive(Default)]
struct Page {
    grants: HashMap<String, Arc<Grants>>,
    pins: HashMap<String, Digest>,
}

impl GrantBook {
    /// Says what is granted from now on, and to which component alone.
    pub(super) fn set(&self, grants: HashMap<String, Arc<Grants>>, pins: HashMap<String, Digest>) {
        self.page.store(Arc::new(Page { grants, pins }));
    }

    /// What a plugin may reach while it runs as `component`.
    pub(super) fn of(&self, plugin: &str, component: Digest) -> Arc<Grants> {
        let page = self.page.load();
        if page
            .pins
            .get(plugin)
            .is_some_and(|pinned| *pinned != component)
        {
            return Arc::default();
        }
        page.grants.get(plugin).cloned().unwrap_or_default()
    }

    /// What a plugin may reach in any of its versions: the most that a run of it may have reached.
    pub(super) fn of_any_version(&self, plugin: &str) -> Arc<Grants> {
        let page = self.page.load();
        page.grants.get(plugin).cloned().unwrap_or_default()
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pinned_grants_are_not_for_another_version() {
        let (ours, other) = (Digest::of(b"ours"), Digest::of(b"other"));
        let mut granted = Grants::default();
        granted.http.push("https://a.example".parse().unwrap());
        let granted = Arc::new(granted);
        let book = GrantBook::default();
        let grants = HashMap::from([("p".to_owned(), Arc::clone(&granted))]);
        book.set(grants.clone(), HashMap::new());
        assert_eq!(book.of("p", other), granted);
        book.set(grants, HashMap::from([("p".to_owned(), ours)]));
        assert_eq!(book.of("p", ours), granted);
        assert_eq!(*book.of("p", other), Grants::default());
    }
}
