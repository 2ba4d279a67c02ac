//! The published WIT, carried along so that a new project is whole without a network, and how a project's is resolved.

use std::path::Path;

use anyhow::Context as _;
use wit_parser::{Resolve, WorldId};

/// Every file of the repository's `wit/`: its path there, and its text.
macro_rules! files {
    ($($path:literal)*) => {
        &[$(($path, include_str!(concat!("../../../wit/", $path)))),*]
    };
}

/// The files of `wit/`, as a project gets them.
pub(super) const FILES: &[(&str, &str)] = files! {
    "plugin.wit"
    "worlds.wit"
    "deps/cli.wit"
    "deps/clocks.wit"
    "deps/config/store.wit"
    "deps/config/world.wit"
    "deps/filesystem.wit"
    "deps/http.wit"
    "deps/io.wit"
    "deps/keyvalue/atomic.wit"
    "deps/keyvalue/batch.wit"
    "deps/keyvalue/store.wit"
    "deps/keyvalue/watch.wit"
    "deps/keyvalue/world.wit"
    "deps/random.wit"
    "deps/sockets.wit"
};

/// Resolves the WIT folder `folder` and finds `world` of its package.
///
/// # Errors
/// The folder is missing or wrong, or has no such world.
pub(super) fn resolve(folder: &Path, world: &str) -> anyhow::Result<(Resolve, WorldId)> {
    let mut resolve = Resolve::default();
    let (package, _) = resolve
        .push_dir(folder)
        .with_context(|| format!("the WIT in {}", folder.display()))?;
    let world = resolve
        .select_world(&[package], Some(world))
        .with_context(|| format!("the WIT in {}", folder.display()))?;
    Ok((resolve, world))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::fs;

    use super::*;

    /// A file that is added to `wit/` and forgotten here would be missing from every new project. `wit/async` is for those
    /// who ask for it: not every language's tools read it. `wit/provider` is no plugin's.
    #[test]
    fn every_file_is_carried() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../wit");
        let elsewhere = ["async", "provider"].map(|folder| root.join(folder));
        let mut there = BTreeSet::new();
        let mut folders = vec![root.clone()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    if !elsewhere.contains(&path) {
                        folders.push(path);
                    }
                } else if path.extension().is_some_and(|ending| ending == "wit") {
                    let path = path.strip_prefix(&root).unwrap();
                    there.insert(path.to_str().unwrap().replace('\\', "/"));
                }
            }
        }
        let carried: BTreeSet<String> = FILES.iter().map(|(path, _)| (*path).to_owned()).collect();
        assert_eq!(carried, there);
    }
}
