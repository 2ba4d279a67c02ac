//! A tool call as a conversation: what the gate asks is put to the client, and what the user answers goes back to it.

use rmcp::ErrorData;
use rmcp::model::CallToolResponse;
use rmcp::service::{RequestContext, RoleServer};

use super::Server;
use super::progress::Bridge;
use crate::gate::Invocation;
use crate::wire;

/// Answers a call.
pub(super) async fn answer(
    server: &Server,
    mut invocation: Invocation,
    context: &RequestContext<RoleServer>,
) -> Result<CallToolResponse, ErrorData> {
    let peer = invocation.dialog.peer;
    let reply = match context.meta.get_progress_token() {
        None => server.calls.call(invocation).await,
        Some(token) => {
            let bridge = std::sync::Arc::new(Bridge::default());
            invocation.progress = Some(bridge.clone());
            let call = server.calls.call(invocation);
            bridge.during(&context.peer, token, call).await
        }
    };
    wire::result::answer(&reply, &peer)
}
