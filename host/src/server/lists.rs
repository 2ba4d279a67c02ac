//! The list of tools as its reader sees it, where tools take turns, and word of its changes.

use coinop_core::peer::Era;
use rmcp::model::{CacheScope, ListToolsResult};
use rmcp::service::{Peer, RequestContext, RoleServer, SubscriptionContext};
use tokio::sync::watch;
use tokio::time::Instant;

use super::{Handler, declared};
use crate::gate::Turns;
use crate::wire::tools::Published;

impl Handler {
    /// The list as its reader sees it, where tools take turns. What the ledger does not tell now is listed.
    pub(super) async fn own_list(
        &self,
        published: &Published,
        context: &RequestContext<RoleServer>,
    ) -> ListToolsResult {
        let era = declared::peer(context).era;
        let principal = self.principal(&context.extensions);
        let turns = match (self.viewer(&principal, era, &context.extensions), era) {
            (None, _) => None,
            (Some(viewer), Era::Modern) => self.server.turns(&viewer).await,
            (Some(viewer), Era::Legacy) => self.read_turns(&viewer, &context.peer).await,
        };
        let list = ListToolsResult::with_all_items(match turns {
            Some(turns) => published.with_open(&turns.open),
            None => published.tools().to_vec(),
        });
        match era {
            Era::Legacy => list,
            Era::Modern => list.with_ttl_ms(0).with_cache_scope(CacheScope::Private),
        }
    }

    /// What takes turns in the list of a session that is told of changes from now on.
    async fn read_turns(&self, viewer: &str, peer: &Peer<RoleServer>) -> Option<Turns> {
        let reading = self.server.viewers.reads(viewer, peer);
        let turns = self.server.turns(viewer).await?;
        if let Some(reading) = reading {
            self.server
                .viewers
                .has_read(&reading, &turns, Instant::now());
        }
        Some(turns)
    }

    /// Changes of the subscriber's own list, `None` where it has none of its own.
    pub(super) async fn own_changes(
        &self,
        subscription: &SubscriptionContext,
    ) -> Option<watch::Receiver<()>> {
        let extensions = &subscription.request_context().extensions;
        let principal = self.principal(extensions);
        let viewer = self.viewer(&principal, Era::Modern, extensions)?;
        let (changes, reading) = self.server.viewers.listens(&viewer)?;
        let snapshot = self.server.snapshot().await;
        if self.server.tools.of(&snapshot).takes_turns()
            && let Some(turns) = self.server.turns(&viewer).await
        {
            self.server
                .viewers
                .has_read(&reading, &turns, Instant::now());
        }
        Some(changes)
    }
}

/// Waits until the subscriber's own list changes.
pub(super) async fn own_changed(own: &mut Option<watch::Receiver<()>>) {
    if let Some(changes) = own
        && changes.changed().await.is_ok()
    {
        return;
    }
    // None of its own, or the server is gone and ends the subscription.
    std::future::pending().await
}
