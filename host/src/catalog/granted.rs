//! What each plugin is granted at the moment, and the operator's word of what was lacking.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwap;
use coinop_core::digest::Digest;

use crate::grants::{Denial, Grants};

/// Different denials of one plugin that are told once each; later ones are counted as told.
const TOLD_MAX: usize = 100;

/// The grants by plugin.
#[derive(Default)]
pub(super) struct GrantBook {
    page: ArcSwap<Page>,
    told: Mutex<HashMap<String, BTreeSet<Denial>>>,
}

/// What is granted at one moment.
#[derive(Default, PartialEq)]
pub(super) struct Page {
    /// By plugin.
    pub(super) grants: HashMap<String, Arc<Grants>>,
    /// The one component of a plugin that they are for, where they are for one alone.
    pub(super) pins: HashMap<String, Digest>,
    /// Plugins of whose grants a part cannot be given.
    pub(super) unready: BTreeSet<String>,
}

impl GrantBook {
    /// Says what is granted from now on, and whether that is something else than before.
    pub(super) fn set(&self, page: Page) -> bool {
        let page = Arc::new(page);
        *self.page.swap(Arc::clone(&page)) != *page
    }

    /// Whether a part of a plugin's grants cannot be given.
    pub(super) fn is_unready(&self, plugin: &str) -> bool {
        self.page.load().unready.contains(plugin)
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
        if denials.is_empty() {
            return;
        }
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        let told = told.entry(plugin.to_owned()).or_default();
        for denial in denials {
            if told.len() >= TOLD_MAX || told.contains(&denial) {
                continue;
            }
            match &denial.line {
                Some(line) => tracing::warn!(
                    "the plugin {plugin} was not allowed to {}. To allow it, add to coinop.toml: \
                     [plugins.{plugin}.grants] {line}",
                    denial.wanted
                ),
                None => tracing::warn!("the plugin {plugin} was not allowed to {}", denial.wanted),
            }
            told.insert(denial);
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
        book.set(Page {
            grants: grants.clone(),
            ..Page::default()
        });
        assert_eq!(book.of("p", other), granted);
        book.set(Page {
            grants,
            pins: HashMap::from([("p".to_owned(), ours)]),
            unready: ["q".to_owned()].into(),
        });
        assert!(book.is_unready("q") && !book.is_unready("p"));
        assert_eq!(book.of("p", ours), granted);
        assert_eq!(*book.of("p", other), Grants::default());
    }
}
