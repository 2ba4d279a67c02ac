//! Reload: the folder of plugins and the configuration, watched; what changed is loaded off the hot path and published.
//!
//! One task owns everything here. It waits for the files to be quiet, takes listings it knows by digest at once, loads
//! the rest in the background, keeps what has a price in the ledger, and swaps the catalogue. A file that does not
//! load leaves its last good version served.

mod folder;
mod shelf;
mod shop;
mod watch;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch as channel;
use tokio_util::sync::CancellationToken;

use crate::catalog::Catalog;
use crate::catalog::library::Library;
use crate::catalog::resolve::Chargeable;
use crate::clock::Clock;
use crate::config::Config;
use crate::ledger::Ledger;
pub use folder::{PluginFile, plugin_file, plugin_files};
use shop::Shop;

/// How long files must be quiet before they are read.
const QUIET: Duration = Duration::from_millis(100);
/// How long reading is put off at most while files keep changing.
const QUIET_WAIT_MAX: Duration = Duration::from_secs(1);
/// How soon a file that was caught half-written is read again.
const RETRY: Duration = Duration::from_millis(400);
/// How often what is served is said to be in use, so that its code is not forgotten.
const TOUCH: Duration = Duration::from_secs(60 * 60);
/// How long the first listing waits for components that have to be compiled.
const FIRST_LOADS_WAIT_MAX: Duration = Duration::from_secs(20);

/// What reload is made of.
pub struct Parts {
    /// What to serve, and how.
    pub config: Config,
    /// What is published.
    pub catalog: Arc<Catalog>,
    /// Where code goes.
    pub library: Arc<Library>,
    /// Where components are kept.
    pub ledger: Arc<dyn Ledger>,
    /// Says which prices can be charged.
    pub chargeable: Box<Chargeable>,
    /// The time.
    pub clock: Arc<dyn Clock>,
}

/// Watches until `stop`. `ready` turns true with the first listing that is as complete as waiting makes it.
pub async fn run(parts: Parts, ready: channel::Sender<bool>, stop: CancellationToken) {
    let mut changes = watch::Changes::of(&parts.config);
    let mut shop = Shop::new(parts);
    let first_wait = tokio::time::sleep(FIRST_LOADS_WAIT_MAX);
    let mut touch = tokio::time::interval(TOUCH);
    tokio::pin!(first_wait);
    shop.look().await;
    loop {
        if !*ready.borrow() && !shop.is_incomplete() {
            ready.send_replace(true);
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = changes.quiet(QUIET, QUIET_WAIT_MAX) => shop.look().await,
            () = tokio::time::sleep(RETRY), if shop.has_unsettled() => shop.look().await,
            Some(loaded) = shop.next_loaded() => shop.take(loaded).await,
            _ = touch.tick() => shop.touch().await,
            () = &mut first_wait, if !*ready.borrow() => { ready.send_replace(true); }
        }
    }
}
