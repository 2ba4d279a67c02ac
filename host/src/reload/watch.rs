//! Hears of changes in folders, waits until they have settled, and knocks. Where the system's notices fail, it looks
//! every two seconds instead.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use notify::event::{AccessKind, AccessMode, EventKind, ModifyKind};
use notify::{Event, RecommendedWatcher, RecursiveMode, Watcher};
use tokio::sync::Notify;
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;

/// A burst is over when nothing has changed for so long and the last change may have left a file half written.
const SETTLE: Duration = Duration::from_millis(150);
/// As [`SETTLE`], where the last change left a whole file: time for what belongs to it, a sidecar or a signature.
const SETTLE_WHOLE: Duration = Duration::from_millis(50);
/// A burst that does not end is looked at after so long.
const SETTLE_MAX: Duration = Duration::from_secs(1);
/// Between two looks without notices.
const POLL: Duration = Duration::from_secs(2);
/// Between two looks in spite of notices: a folder that was replaced sends none.
const POLL_ANYWAY: Duration = Duration::from_secs(30);

/// What is watched.
#[derive(Clone, Debug)]
pub(super) struct Watched {
    /// The folder of plugins.
    pub(super) plugins: PathBuf,
    /// The configuration's file.
    pub(super) config: PathBuf,
    /// Whether to try the system's notices at all.
    pub(super) notices: bool,
}

/// Watches; [`Watch::run`] is its life.
pub(super) struct Watch {
    watched: Watched,
    watcher: Option<RecommendedWatcher>,
    changed: Arc<Changed>,
    told: bool,
}

impl Watch {
    /// Begins to listen, so that nothing is missed from now on.
    pub(super) fn new(watched: Watched) -> Self {
        let mut watch = Self {
            watched,
            watcher: None,
            changed: Arc::default(),
            told: false,
        };
        watch.listen();
        watch
    }

    /// Knocks at `look` after every change that has settled, until `stop`.
    pub(super) async fn run(mut self, look: Arc<Notify>, stop: CancellationToken) {
        let changed = Arc::clone(&self.changed);
        let work = async {
            loop {
                let period = if self.watcher.is_some() {
                    POLL_ANYWAY
                } else {
                    POLL
                };
                match timeout(period, changed.more.notified()).await {
                    Ok(()) => settle(&changed).await,
                    // A folder made anew needs a new ear.
                    Err(_) => self.listen(),
                }
                look.notify_one();
            }
        };
        stop.run_until_cancelled(work).await;
    }

    fn listen(&mut self) {
        if !self.watched.notices {
            return;
        }
        self.watcher = match self.watcher() {
            Ok(watcher) => {
                self.told = false;
                Some(watcher)
            }
            Err(error) => {
                if !std::mem::replace(&mut self.told, true) {
                    tracing::warn!(
                        "no notices of changed files ({error}): looking every {} s instead",
                        POLL.as_secs()
                    );
                }
                None
            }
        };
    }

    fn watcher(&self) -> notify::Result<RecommendedWatcher> {
        let (changed, watched) = (Arc::clone(&self.changed), self.watched.clone());
        let mut watcher = notify::recommended_watcher(move |event: notify::Result<Event>| {
            if event.as_ref().is_ok_and(|event| !matters(&watched, event)) {
                return;
            }
            changed.to(event.map_or(Change::Writing, |event| Change::of(event.kind)));
        })?;
        watcher.watch(&self.watched.plugins, RecursiveMode::NonRecursive)?;
        // Editors rename a new file over the old one, so the folder is watched, not the file. It need not exist.
        if let Some(folder) = self
            .watched
            .config
            .parent()
            .filter(|folder| folder.is_dir())
        {
            watcher.watch(folder, RecursiveMode::NonRecursive)?;
        }
        Ok(watcher)
    }
}

/// The changes that were heard of.
#[derive(Default)]
struct Changed {
    more: Notify,
    /// Whether the last one left a whole file.
    whole: AtomicBool,
}

impl Changed {
    fn to(&self, change: Change) {
        self.whole.store(change == Change::Whole, Ordering::Relaxed);
        self.more.notify_one();
    }

    fn quiet(&self) -> Duration {
        match self.whole.load(Ordering::Relaxed) {
            true => SETTLE_WHOLE,
            false => SETTLE,
        }
    }
}

/// What a change left behind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Change {
    /// A file that its writer is done with, or none.
    Whole,
    /// A file that may still be being written.
    Writing,
}

impl Change {
    fn of(kind: EventKind) -> Self {
        match kind {
            EventKind::Modify(ModifyKind::Name(_))
            | EventKind::Access(AccessKind::Close(AccessMode::Write))
            | EventKind::Remove(_) => Self::Whole,
            _ => Self::Writing,
        }
    }
}

async fn settle(changed: &Changed) {
    let end = Instant::now() + SETTLE_MAX;
    while Instant::now() < end {
        tokio::select! {
            () = changed.more.notified() => {}
            () = sleep(changed.quiet()) => return,
        }
    }
}

/// Whether an event can be about a plugin, a sidecar or the configuration. Our own reading makes events too.
fn matters(watched: &Watched, event: &Event) -> bool {
    let access = matches!(event.kind, EventKind::Access(kind) if kind != AccessKind::Close(AccessMode::Write));
    if event.need_rescan() {
        return true;
    }
    !access && (event.paths.is_empty() || event.paths.iter().any(|path| concerns(watched, path)))
}

fn concerns(watched: &Watched, path: &Path) -> bool {
    let lock = watched.config.with_extension("lock");
    let named = [watched.config.file_name(), lock.file_name()];
    if path == watched.plugins || named.contains(&path.file_name()) {
        return true;
    }
    let hidden = path
        .file_name()
        .is_some_and(|name| name.to_string_lossy().starts_with('.'));
    let known = path.extension().is_some_and(|extension| {
        ["wasm", "toml", "minisig"]
            .iter()
            .any(|known| extension == *known)
    });
    known && !hidden
}

#[cfg(test)]
mod tests {
    use notify::event::{CreateKind, DataChange, RemoveKind, RenameMode};

    use super::*;

    #[test]
    fn only_changes_of_plugins_and_configuration_matter() {
        let watched = Watched {
            plugins: "/p".into(),
            config: "/c/coinop.toml".into(),
            notices: true,
        };
        let modified = EventKind::Modify(ModifyKind::Data(DataChange::Any));
        let cases = [
            (modified, "/p/a.wasm", true),
            (modified, "/p/a.toml", true),
            (modified, "/p/a.wasm.minisig", true),
            (modified, "/c/coinop.toml", true),
            (modified, "/c/coinop.lock", true),
            (modified, "/c/other.lock", false),
            (EventKind::Create(CreateKind::File), "/p/a.wasm", true),
            (EventKind::Remove(RemoveKind::File), "/p/a.wasm", true),
            (EventKind::Remove(RemoveKind::Folder), "/p", true),
            (
                EventKind::Access(AccessKind::Close(AccessMode::Write)),
                "/p/a.wasm",
                true,
            ),
            (
                EventKind::Access(AccessKind::Open(AccessMode::Any)),
                "/p/a.wasm",
                false,
            ),
            (
                EventKind::Access(AccessKind::Close(AccessMode::Read)),
                "/p/a.wasm",
                false,
            ),
            (modified, "/p/a.wasm.tmp", false),
            (modified, "/p/.a.wasm", false),
            (modified, "/p/notes.txt", false),
        ];
        for (kind, path, expected) in cases {
            let event = Event::new(kind).add_path(path.into());
            assert_eq!(matters(&watched, &event), expected, "{kind:?} {path}");
        }
    }
    #[test]
    fn a_file_renamed_closed_or_removed_is_whole() {
        let modified = EventKind::Modify(ModifyKind::Data(DataChange::Any));
        let cases = [
            (
                EventKind::Modify(ModifyKind::Name(RenameMode::To)),
                Change::Whole,
            ),
            (
                EventKind::Access(AccessKind::Close(AccessMode::Write)),
                Change::Whole,
            ),
            (EventKind::Remove(RemoveKind::File), Change::Whole),
            (EventKind::Create(CreateKind::File), Change::Writing),
            (modified, Change::Writing),
            (EventKind::Any, Change::Writing),
        ];
        for (kind, expected) in cases {
            assert_eq!(Change::of(kind), expected, "{kind:?}");
        }
    }

    #[test]
    fn the_last_change_of_a_burst_says_how_long_to_wait() {
        for (changes, expected) in [
            (&[Change::Whole][..], SETTLE_WHOLE),
            (&[Change::Writing], SETTLE),
            (&[Change::Whole, Change::Writing], SETTLE),
            (&[Change::Writing, Change::Whole], SETTLE_WHOLE),
        ] {
            let changed = Changed::default();
            for change in changes {
                changed.to(*change);
            }
            assert_eq!(changed.quiet(), expected, "{changes:?}");
        }
    }
}
