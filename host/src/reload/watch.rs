//! Hearing of changes: by the system's notifications, or by looking every two seconds where there are none.

use std::path::{Path, PathBuf};
use std::time::Duration;

use notify::{RecommendedWatcher, RecursiveMode, Watcher as _};
use tokio::sync::mpsc;

use crate::config::Config;

/// How often files are looked at where the system does not notify.
const POLL: Duration = Duration::from_secs(2);

/// Changes of the plugins' folder and the configuration.
pub(super) struct Changes {
    /// Full means that a change is waiting to be heard: more do not matter.
    heard: mpsc::Receiver<()>,
    /// Held so that watching goes on.
    _watcher: Option<RecommendedWatcher>,
    polls: bool,
}

impl Changes {
    /// Starts to watch what `config` names.
    pub(super) fn of(config: &Config) -> Self {
        let (tell, heard) = mpsc::channel(1);
        let folders = [Some(config.plugins_dir.as_path()), config.file.parent()];
        let watcher = watch(folders.into_iter().flatten(), tell);
        if let Err(error) = &watcher {
            tracing::warn!(%error, "the system does not notify of changed files; looking every two seconds instead");
        }
        Self {
            heard,
            polls: watcher.is_err(),
            _watcher: watcher.ok(),
        }
    }

    /// Waits for a change, and then until there is none for `quiet`, but not longer than `at_most`.
    pub(super) async fn quiet(&mut self, quiet: Duration, at_most: Duration) {
        if self.polls {
            return tokio::time::sleep(POLL).await;
        }
        if self.heard.recv().await.is_none() {
            // The watcher is gone; nothing will ever be heard.
            return std::future::pending().await;
        }
        let settled = async {
            while let Ok(Some(())) = tokio::time::timeout(quiet, self.heard.recv()).await {}
        };
        // Out of time: read what is there, and hear the rest next time.
        let _ = tokio::time::timeout(at_most, settled).await;
    }
}

fn watch<'a>(
    folders: impl Iterator<Item = &'a Path>,
    tell: mpsc::Sender<()>,
) -> notify::Result<RecommendedWatcher> {
    let mut watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
        let reads_only = matches!(&event, Ok(event) if event.kind.is_access());
        if !reads_only {
            let _ = tell.try_send(());
        }
    })?;
    let mut seen: Vec<PathBuf> = Vec::new();
    for folder in folders {
        // A folder without a name is the present one; a missing configuration folder has nothing to watch.
        let folder = if folder.as_os_str().is_empty() {
            Path::new(".")
        } else {
            folder
        };
        if !folder.is_dir() || seen.iter().any(|other| other == folder) {
            continue;
        }
        watcher.watch(folder, RecursiveMode::NonRecursive)?;
        seen.push(folder.to_owned());
    }
    Ok(watcher)
}
