//! Telling legacy clients that the listing changed: every initialised peer, each on its own, none twice for one change.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use futures::StreamExt;
use futures::stream::FuturesUnordered;
use rmcp::service::{Peer, RoleServer};

use super::Server;

/// How long one peer may take to accept a notification; a stuck one must not hold up the others' next.
const PEER_WAIT: Duration = Duration::from_secs(5);

/// The initialised legacy peers. A peer holds nothing of its session alive.
#[derive(Default)]
pub(super) struct Peers(Mutex<Vec<Peer<RoleServer>>>);

impl Peers {
    /// Adds a peer, and forgets those whose connection ended.
    pub(super) fn add(&self, peer: Peer<RoleServer>) {
        let mut peers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        peers.retain(|peer| !peer.is_transport_closed());
        peers.push(peer);
    }

    fn open(&self) -> Vec<Peer<RoleServer>> {
        let mut peers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        peers.retain(|peer| !peer.is_transport_closed());
        peers.clone()
    }
}

/// Runs until the server closes. Changes that come while one is being told are told together.
pub(super) async fn run(server: &Server) {
    let mut changes = tokio::select! {
        changes = server.changes() => changes,
        () = server.closing.cancelled() => return,
    };
    loop {
        tokio::select! {
            changed = changes.changed() => if changed.is_err() { return },
            () = server.closing.cancelled() => return,
        }
        let open = server.peers.open();
        let mut told: FuturesUnordered<_> = open.iter().map(tell).collect();
        while told.next().await.is_some() {}
    }
}

/// Tells one client that its list of tools changed.
pub(super) async fn tell(peer: &Peer<RoleServer>) {
    let sent = tokio::time::timeout(PEER_WAIT, peer.notify_tool_list_changed()).await;
    if !matches!(sent, Ok(Ok(()))) {
        tracing::debug!("a client did not take the news that the tools changed");
    }
}
