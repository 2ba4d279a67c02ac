//! Hears of an author's edits, and not of what builds make.

use std::fs;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use notify::event::EventKind;
use notify::{Event, RecommendedWatcher, RecursiveMode, Watcher as _};
use tokio::sync::Notify;
use tokio::time::{Instant, sleep};

/// An edit is over when nothing has changed for so long: editors write a file in several steps.
const SETTLE: Duration = Duration::from_millis(150);
/// An edit that does not end is taken as it is after so long.
const SETTLE_MAX: Duration = Duration::from_secs(1);
/// What builds make, in the languages there are templates for.
const MADE: &[&str] = &[
    "Cargo.lock",
    "__pycache__",
    "build",
    "dist",
    "gen",
    "node_modules",
    "target",
];

/// Listens from its making on.
pub(super) struct Ear {
    changed: Arc<Notify>,
    _watcher: RecommendedWatcher,
}

impl Ear {
    /// To the files of a project, but for what builds make and hidden ones; `output` is what its command leaves.
    pub(super) fn of_project(folder: &Path, output: Option<&Path>) -> notify::Result<Self> {
        let sources = Sources {
            folder: folder.to_owned(),
            output: output.map(|output| folder.join(output)),
        };
        let mut places = vec![(folder.to_owned(), RecursiveMode::NonRecursive)];
        // Each folder by itself: `target` alone may hold thousands.
        for entry in fs::read_dir(folder)?.flatten() {
            if entry.path().is_dir() && sources.have(&entry.path()) {
                places.push((entry.path(), RecursiveMode::Recursive));
            }
        }
        Self::new(&places, move |path| sources.have(path))
    }

    /// To one file and its sidecar. Their folder is watched, since a new file is renamed over the old one.
    pub(super) fn of_file(file: &Path) -> notify::Result<Self> {
        let folder = file.parent().unwrap_or(Path::new(".")).to_owned();
        let (file, sidecar) = (file.to_owned(), file.with_extension("toml"));
        Self::new(&[(folder, RecursiveMode::NonRecursive)], move |path| {
            path == file || path == sidecar
        })
    }

    fn new(
        places: &[(PathBuf, RecursiveMode)],
        matters: impl Fn(&Path) -> bool + Send + 'static,
    ) -> notify::Result<Self> {
        let changed = Arc::new(Notify::new());
        let heard = Arc::clone(&changed);
        let mut watcher = notify::recommended_watcher(move |event: notify::Result<Event>| {
            let edit = event.is_ok_and(|event| {
                // The build reads every file: that is no edit.
                let read = matches!(event.kind, EventKind::Access(_));
                event.need_rescan() || (!read && event.paths.iter().any(|path| matters(path)))
            });
            if edit {
                heard.notify_one();
            }
        })?;
        for (place, mode) in places {
            watcher.watch(place, *mode)?;
        }
        Ok(Self {
            changed,
            _watcher: watcher,
        })
    }

    /// Waits for the next edit, and for its end.
    pub(super) async fn change(&self) {
        self.changed.notified().await;
        let end = Instant::now() + SETTLE_MAX;
        while Instant::now() < end {
            tokio::select! {
                () = self.changed.notified() => {}
                () = sleep(SETTLE) => return,
            }
        }
    }
}

/// Which files of a project its author writes.
struct Sources {
    folder: PathBuf,
    output: Option<PathBuf>,
}

impl Sources {
    fn have(&self, path: &Path) -> bool {
        if self.output.as_deref() == Some(path) {
            return false;
        }
        let Ok(inside) = path.strip_prefix(&self.folder) else {
            return false;
        };
        inside.components().all(|part| match part {
            Component::Normal(name) => {
                let name = name.to_string_lossy();
                // Editors keep their own files beside: `.x.swp`, `x~`.
                !name.starts_with('.') && !name.ends_with('~') && !MADE.contains(&name.as_ref())
            }
            _ => false,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_authors_files_are_told_from_what_builds_make() {
        let sources = Sources {
            folder: "/p".into(),
            output: Some("/p/out.wasm".into()),
        };
        for (path, expected) in [
            ("/p/src/lib.rs", true),
            ("/p/rates.toml", true),
            ("/p/src/distance.rs", true),
            ("/p/target/debug/x", false),
            ("/p/dist/rates.wasm", false),
            ("/p/Cargo.lock", false),
            ("/p/out.wasm", false),
            ("/p/src/.lib.rs.swp", false),
            ("/p/src/lib.rs~", false),
            ("/elsewhere/src/lib.rs", false),
        ] {
            assert_eq!(sources.have(Path::new(path)), expected, "{path}");
        }
    }

    #[tokio::test]
    async fn an_edit_is_heard() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap();
        fs::create_dir(root.join("src")).unwrap();
        let ear = Ear::of_project(&root, None).unwrap();
        fs::write(root.join("src/tool.c"), "int x;").unwrap();
        tokio::time::timeout(Duration::from_secs(60), ear.change())
            .await
            .expect("the edit was heard");
    }
}
