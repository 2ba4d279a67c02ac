//! The lock that comes after this one.

use std::collections::BTreeMap;

use super::{Change, Lock, Pinned, changes};

/// Which plugins are looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Those that were found: the lock keeps what it has of others.
    Named,
    /// All of the folder: what was not found is gone.
    Folder,
}

/// `lock` with what was found, and what that changes. A plugin in `unclear` could not be looked at and stays as it is.
pub fn updated(
    lock: &Lock,
    found: BTreeMap<String, Pinned>,
    unclear: &[String],
    scope: Scope,
) -> (Lock, Vec<Change>) {
    let mut next = lock.clone();
    if scope == Scope::Folder {
        let there = |name: &String| found.contains_key(name) || unclear.contains(name);
        next.plugins.retain(|name, _| there(name));
        next.pulled.retain(|name, _| there(name));
    }
    for (name, pinned) in &found {
        // What was pulled and replaced by hand since has no source any more.
        if lock
            .pulled
            .get(name)
            .is_some_and(|pulled| pulled.digest != pinned.digest)
        {
            next.pulled.remove(name);
        }
    }
    next.plugins.extend(found);
    let names: std::collections::BTreeSet<_> =
        lock.plugins.keys().chain(next.plugins.keys()).collect();
    let changed = names
        .into_iter()
        .filter_map(|name| changes(name, lock.plugins.get(name), next.plugins.get(name)));
    let changed = changed.collect();
    (next, changed)
}

#[cfg(test)]
mod tests {
    use coinop_core::digest::Digest;

    use super::*;

    fn pinned(text: &str) -> Pinned {
        Pinned {
            digest: Digest::of(text.as_bytes()),
            sidecar: None,
            signed_by: None,
            grants: Vec::new(),
            tools: Vec::new(),
        }
    }

    fn plugins(of: &[(&str, &str)]) -> BTreeMap<String, Pinned> {
        let entry = |(name, text): &(&str, &str)| ((*name).to_owned(), pinned(text));
        of.iter().map(entry).collect()
    }

    fn check(scope: Scope, unclear: &[&str], kept: &[(&str, &str)], changed: &[&str]) {
        let lock = Lock {
            plugins: plugins(&[("a", "1"), ("b", "1"), ("c", "1")]),
            ..Lock::default()
        };
        let unclear: Vec<String> = unclear.iter().map(|name| (*name).to_owned()).collect();
        let found = plugins(&[("a", "1"), ("b", "2")]);
        let (next, changes) = updated(&lock, found, &unclear, scope);
        assert_eq!(next.plugins, plugins(kept));
        assert_eq!(
            changes.iter().map(|c| &*c.plugin).collect::<Vec<_>>(),
            changed
        );
    }

    #[test]
    fn named_plugins_leave_the_others_alone() {
        check(
            Scope::Named,
            &[],
            &[("a", "1"), ("b", "2"), ("c", "1")],
            &["b"],
        );
    }

    #[test]
    fn a_plugin_that_is_gone_leaves_the_lock_unless_it_could_not_be_looked_at() {
        check(Scope::Folder, &[], &[("a", "1"), ("b", "2")], &["b", "c"]);
        check(
            Scope::Folder,
            &["c"],
            &[("a", "1"), ("b", "2"), ("c", "1")],
            &["b"],
        );
    }
}
