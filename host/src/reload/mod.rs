//! Reload: watches the folder of plugins and the configuration, loads what changed off the hot path, and swaps the
//! catalogue. It makes no policy: [`shelf`] decides which version of a file counts, [`crate::catalog::resolve`] what is
//! listed.

mod folder;
mod keep;
mod report;
mod shelf;
mod slot;
mod trusted;
mod watch;
mod work;

use std::sync::Arc;

use tokio::sync::{Notify, watch as channel};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::catalog::Catalog;
use crate::catalog::library::Library;
use crate::catalog::resolve::Chargeable;
use crate::config::Config;
use crate::ledger::Components;

pub use folder::{plugin_files, plugin_name};
pub use report::{FileReport, ToolReport, check_files, check_folder};

/// What reload works with.
pub struct Setup {
    /// The configuration the host was started with.
    pub config: Config,
    /// Where the listing goes.
    pub catalog: Arc<Catalog>,
    /// Who loads code.
    pub library: Arc<Library>,
    /// Keeps the bytes of paid plugins.
    pub ledger: Arc<dyn Components>,
    /// Says whether an account can charge a price.
    pub chargeable: Arc<Chargeable>,
    /// How to hear of changes.
    pub notices: Notices,
}

/// How to hear of changed files.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Notices {
    /// From the system, and by looking where it gives none.
    #[default]
    System,
    /// By looking every two seconds: for file systems that send no notices.
    Polling,
}

/// How far the work has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// The folder was looked at once, and everything known from earlier was listed.
    pub scanned: bool,
    /// Components that are being loaded.
    pub loading: usize,
    /// How many of them have tools that cannot be listed before.
    pub unlisted: usize,
}

/// The running watch. Dropping it stops the work; [`Reload::shutdown`] waits for that.
pub struct Reload {
    progress: channel::Receiver<Progress>,
    look: Arc<Notify>,
    stop: CancellationToken,
    tasks: TaskTracker,
}

impl Reload {
    /// Starts watching. Returns at once; the first look is under way.
    pub fn start(setup: Setup) -> Self {
        let (look, stop) = (Arc::new(Notify::new()), CancellationToken::new());
        let watched = watch::Watched {
            plugins: setup.config.plugins_dir.clone(),
            config: setup.config.file.clone(),
            notices: setup.notices == Notices::System,
        };
        // Listening begins before the first look, so that no change falls between them.
        let tasks = TaskTracker::new();
        tasks.spawn(watch::Watch::new(watched).run(Arc::clone(&look), stop.clone()));
        let (report, progress) = channel::channel(Progress::default());
        tasks.spawn(work::Work::new(setup, report).run(Arc::clone(&look), stop.clone()));
        Self {
            progress,
            look,
            stop,
            tasks,
        }
    }

    /// Waits until the folder has been looked at once: the list then holds all that is known without compiling.
    pub async fn ready(&self) {
        self.until(|progress| progress.scanned).await;
    }

    /// Waits until nothing is being loaded.
    pub async fn settled(&self) {
        self.until(|progress| progress.scanned && progress.loading == 0)
            .await;
    }

    /// How far the work has come, now and whenever that changes.
    pub fn progress(&self) -> channel::Receiver<Progress> {
        self.progress.clone()
    }

    /// Looks at everything now, without waiting for a notice.
    pub fn look(&self) {
        self.look.notify_one();
    }

    /// Stops watching and waits for what is under way.
    pub async fn shutdown(&self) {
        self.stop.cancel();
        self.tasks.close();
        self.tasks.wait().await;
    }

    async fn until(&self, reached: impl Fn(&Progress) -> bool) {
        // The work ends only with the host; nobody waits for a list then.
        drop(
            self.progress
                .clone()
                .wait_for(|progress| reached(progress))
                .await,
        );
    }
}

impl Drop for Reload {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

#[cfg(test)]
mod tests;
