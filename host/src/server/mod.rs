//! The MCP server: one handler for both protocol eras, behind stdio and streamable HTTP.
//!
//! It owns transports, identity and notifications; what a call means is the gate's business.

mod announce;
mod conversation;
mod credential;
mod declared;
pub mod doorkeeper;
mod handler;
pub mod http;
pub mod keys;
pub mod metrics;
pub mod pay;
mod progress;
pub mod stdio;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;
mod viewer;
pub mod webhooks;

use std::sync::Arc;
use std::time::Duration;

use coinop_core::principal::Principal;
use futures::future::BoxFuture;
use rmcp::model::{Implementation, ServerCapabilities, ServerConfig};
use serde_json::{Map, Value};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::catalog::{Catalog, Snapshot};
use crate::gate::{Gate, Invocation, Reply};
use crate::wire::tools::Cache;

pub use handler::Handler;

/// The product's name on the wire: in `serverInfo` and on `/healthz`.
pub const PRODUCT: &str = "coinop";
/// How long a request waits for the first scan of the plugins.
const FIRST_SCAN_WAIT: Duration = Duration::from_secs(20);

/// Answers tool calls: the gate, or a fake in tests.
pub trait Calls: Send + Sync {
    /// Answers one call. Dropping the future detaches the caller.
    fn call(&self, invocation: Invocation) -> BoxFuture<'_, Reply>;

    /// Answers a call of a name that is not listed, when its arguments carry a payment made for it; else `None`.
    fn call_unlisted<'a>(
        &'a self,
        _name: &'a str,
        _arguments: &'a Map<String, Value>,
        _principal: Principal,
        _cancel: CancellationToken,
    ) -> BoxFuture<'a, Option<Reply>> {
        Box::pin(async { None })
    }
}

impl Calls for Gate {
    fn call(&self, invocation: Invocation) -> BoxFuture<'_, Reply> {
        Box::pin(Gate::call(self, invocation))
    }

    fn call_unlisted<'a>(
        &'a self,
        name: &'a str,
        arguments: &'a Map<String, Value>,
        principal: Principal,
        cancel: CancellationToken,
    ) -> BoxFuture<'a, Option<Reply>> {
        Box::pin(Gate::call_unlisted(
            self, name, arguments, principal, cancel,
        ))
    }
}

/// What all sessions and requests of this process share.
pub struct Server {
    catalog: Arc<Catalog>,
    calls: Arc<dyn Calls>,
    ready: watch::Receiver<bool>,
    tools: Cache,
    peers: announce::Peers,
    info: ServerConfig,
    in_flight: TaskTracker,
    closing: CancellationToken,
}

impl Server {
    /// A server over a catalogue and a gate. `ready` turns true after the first scan of the plugins.
    pub fn new(
        catalog: Arc<Catalog>,
        calls: Arc<dyn Calls>,
        ready: watch::Receiver<bool>,
    ) -> Arc<Self> {
        let capabilities = ServerCapabilities::builder()
            .enable_tools()
            .enable_tool_list_changed()
            .build();
        let info = ServerConfig::new(capabilities)
            .with_server_info(Implementation::new(PRODUCT, env!("CARGO_PKG_VERSION")))
            .with_instructions(INSTRUCTIONS);
        Arc::new(Self {
            catalog,
            calls,
            ready,
            tools: Cache::default(),
            peers: announce::Peers::default(),
            info,
            in_flight: TaskTracker::new(),
            closing: CancellationToken::new(),
        })
    }

    /// Tells legacy clients of every change of the listing, until [`Server::drain`]. Spawned once, by the
    /// composition root. (Modern clients hear of it on their own `subscriptions/listen` requests.)
    pub async fn announce(self: Arc<Self>) {
        announce::run(&self).await;
    }

    /// Whether the first scan is done.
    pub fn is_ready(&self) -> bool {
        *self.ready.borrow()
    }

    /// Stops taking new work and waits for the calls in flight, at most `bound`. Returns whether all ended.
    pub async fn drain(&self, bound: Duration) -> bool {
        self.closing.cancel();
        self.in_flight.close();
        tokio::time::timeout(bound, self.in_flight.wait())
            .await
            .is_ok()
    }

    /// How many calls run.
    pub fn calls_in_flight(&self) -> usize {
        self.in_flight.len()
    }

    /// Cancelled when the server shuts down.
    pub fn closing(&self) -> &CancellationToken {
        &self.closing
    }

    /// The present snapshot, after the first scan: a client that is quicker than the scan must not see an empty
    /// shop. A scan that takes too long is not waited for any further.
    async fn snapshot(&self) -> Arc<Snapshot> {
        self.first_scan().await;
        self.catalog.snapshot()
    }

    /// Changes of the listing from now on. The first listing is not one: whoever asks for the list waits for it.
    async fn changes(&self) -> watch::Receiver<u64> {
        self.first_scan().await;
        let mut changes = self.catalog.subscribe();
        changes.mark_unchanged();
        changes
    }

    async fn first_scan(&self) {
        if !self.is_ready() {
            let mut ready = self.ready.clone();
            let scanned = ready.wait_for(|ready| *ready);
            let _ = tokio::time::timeout(FIRST_SCAN_WAIT, scanned).await;
        }
    }
}

const INSTRUCTIONS: &str = "Tools may cost money; each description states the price. A paid tool first answers with a \
payment link and a payment id, and what to call once it is paid. Show the link to the user. Nothing is charged twice.";
