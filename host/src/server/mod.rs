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
mod lists;
pub mod metrics;
pub mod pay;
mod progress;
pub mod stdio;
mod tasks;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
pub(crate) mod testing_rails;
#[cfg(test)]
mod tests;
mod turns;
mod viewer;
pub mod webhooks;

use std::sync::Arc;
use std::time::Duration;

use coinop_core::ids::PaymentId;
use coinop_core::peer::Manners;
use coinop_core::principal::Principal;
use futures::future::BoxFuture;
use rmcp::model::{Implementation, ServerCapabilities, ServerConfig};
use serde_json::{Map, Value};
use tokio::sync::{broadcast, watch};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::catalog::{Catalog, Snapshot};
use crate::clock::{Clock, SystemClock};
use crate::config::Clients;
use crate::gate::{Gate, Invocation, Reply, Task, TaskWish, Turns};
use crate::ledger::LedgerError;
use crate::provider::rail::Credential;
use crate::wire::tools::Cache;

pub use handler::Handler;

/// The product's name on the wire: in `serverInfo` and on `/healthz`.
pub const PRODUCT: &str = "coinop";
/// The name of the secrets that request states are sealed with, in the ledger that the hosts share.
const REQUEST_STATE_SECRET: &str = "request-state";
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

    /// The task that is the call of a payment, `None` where this principal has none.
    fn task<'a>(
        &'a self,
        _id: &'a str,
        _principal: &'a Principal,
        _wish: TaskWish,
    ) -> BoxFuture<'a, Result<Option<Task>, LedgerError>> {
        Box::pin(async { Ok(None) })
    }

    /// Waits until a payment is not awaited any more; for ever where there is none of that id.
    fn until_decided<'a>(&'a self, _payment: &'a PaymentId) -> BoxFuture<'a, ()> {
        Box::pin(std::future::pending())
    }

    /// The secrets that what clients carry for us is sealed with, the latest first; none where there is no ledger.
    fn request_state_secrets(&self) -> BoxFuture<'_, Result<Vec<Vec<u8>>, LedgerError>> {
        Box::pin(async { Ok(Vec::new()) })
    }

    /// Has requests that wait for their payment answered now.
    fn stop_waiting(&self) {}

    /// The time.
    fn clock(&self) -> Arc<dyn Clock> {
        Arc::new(SystemClock)
    }

    /// The same, when a payment is presented with it that bought this very call.
    fn call_unlisted_with<'a>(
        &'a self,
        _name: &'a str,
        _arguments: &'a Map<String, Value>,
        _credential: &'a Credential,
        _cancel: CancellationToken,
    ) -> BoxFuture<'a, Option<Reply>> {
        Box::pin(async { None })
    }

    /// What takes turns in a viewer's list.
    ///
    /// # Errors
    /// It cannot be told now.
    fn turns<'a>(&'a self, _viewer: &'a str) -> BoxFuture<'a, Result<Turns, LedgerError>> {
        Box::pin(async { Ok(Turns::default()) })
    }

    /// The handles of viewers whose calls change, from now on; `None` where none ever do.
    fn viewers(&self) -> Option<broadcast::Receiver<String>> {
        None
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

    fn task<'a>(
        &'a self,
        id: &'a str,
        principal: &'a Principal,
        wish: TaskWish,
    ) -> BoxFuture<'a, Result<Option<Task>, LedgerError>> {
        Box::pin(Gate::task(self, id, principal, wish))
    }

    fn until_decided<'a>(&'a self, payment: &'a PaymentId) -> BoxFuture<'a, ()> {
        Box::pin(Gate::until_decided(self, payment))
    }

    fn request_state_secrets(&self) -> BoxFuture<'_, Result<Vec<Vec<u8>>, LedgerError>> {
        Gate::secrets(self, REQUEST_STATE_SECRET)
    }

    fn stop_waiting(&self) {
        Gate::stop_waiting(self);
    }

    fn clock(&self) -> Arc<dyn Clock> {
        Gate::clock(self)
    }

    fn call_unlisted_with<'a>(
        &'a self,
        name: &'a str,
        arguments: &'a Map<String, Value>,
        credential: &'a Credential,
        cancel: CancellationToken,
    ) -> BoxFuture<'a, Option<Reply>> {
        Box::pin(Gate::call_unlisted_with(
            self, name, arguments, credential, cancel,
        ))
    }

    fn turns<'a>(&'a self, viewer: &'a str) -> BoxFuture<'a, Result<Turns, LedgerError>> {
        Box::pin(Gate::turns(self, viewer))
    }

    fn viewers(&self) -> Option<broadcast::Receiver<String>> {
        Some(Gate::viewers(self))
    }
}

/// What all sessions and requests of this process share.
pub struct Server {
    catalog: Arc<Catalog>,
    calls: Arc<dyn Calls>,
    ready: watch::Receiver<bool>,
    tools: Cache,
    peers: announce::Peers,
    viewers: turns::Viewers,
    clients: Clients,
    info: ServerConfig,
    manners: Manners,
    seals: conversation::Seals,
    following: conversation::Following,
    in_flight: TaskTracker,
    /// What goes on when a request is answered; ends when the server closes.
    tasks: TaskTracker,
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
            .enable_tasks()
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
            viewers: turns::Viewers::default(),
            clients: Clients::default(),
            info,
            manners: Manners::default(),
            seals: conversation::Seals::default(),
            following: conversation::Following::default(),
            in_flight: TaskTracker::new(),
            tasks: TaskTracker::new(),
            closing: CancellationToken::new(),
        })
    }

    /// The same server with the operator's manners. Before anybody shares it.
    #[must_use]
    pub fn with_manners(mut self: Arc<Self>, manners: Manners) -> Arc<Self> {
        let server = Arc::get_mut(&mut self).expect("nobody shares a server that is being made");
        server.manners = manners;
        self
    }

    /// With the operator's overrides for single clients.
    #[must_use]
    pub fn with_clients(mut self: Arc<Self>, clients: Clients) -> Arc<Self> {
        let server = Arc::get_mut(&mut self).expect("a server is set up before it is shared");
        server.clients = clients;
        self
    }

    /// Tells clients of every change of their lists, until [`Server::drain`]: legacy clients of the listing's, and both
    /// eras' of what takes turns in their own. Spawned once, by the composition root. (Modern clients hear of it on their
    /// own `subscriptions/listen` requests.)
    pub async fn announce(self: Arc<Self>) {
        tokio::join!(announce::run(&self), turns::run(&self));
    }

    /// What takes turns in a viewer's list, `None` while the ledger does not say.
    async fn turns(&self, viewer: &str) -> Option<Turns> {
        let turns = self.calls.turns(viewer).await;
        turns
            .inspect_err(|error| tracing::debug!(%error, "a viewer's list cannot be told"))
            .ok()
    }

    /// Whether the first scan is done.
    pub fn is_ready(&self) -> bool {
        *self.ready.borrow()
    }

    /// Stops taking new work and waits for the calls in flight, at most `bound`. Returns whether all ended.
    pub async fn drain(&self, bound: Duration) -> bool {
        self.closing.cancel();
        self.calls.stop_waiting();
        self.in_flight.close();
        self.tasks.close();
        let ended = async { tokio::join!(self.in_flight.wait(), self.tasks.wait()) };
        tokio::time::timeout(bound, ended).await.is_ok()
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
