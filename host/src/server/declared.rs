//! What a client declares of itself, read from its request. Nobody is recognised by it.

use coinop_core::peer::{Era, Peer};
use rmcp::model::ClientCapabilities;
use rmcp::service::{RequestContext, RoleServer};

/// What the client of this request declares.
pub(super) fn peer(context: &RequestContext<RoleServer>) -> Peer {
    let era = match context.protocol_version() {
        Some(version) if !version.has_initialize() => Era::Modern,
        _ => Era::Legacy,
    };
    let capabilities = context.client_capabilities().unwrap_or_default();
    Peer {
        era,
        progress: context.meta.get_progress_token().is_some(),
        tasks: era == Era::Modern && capabilities.supports_tasks(),
        ..of(&capabilities)
    }
}

fn of(capabilities: &ClientCapabilities) -> Peer {
    let elicitation = capabilities.elicitation.as_ref();
    Peer {
        // A bare `{}` is from before there was a choice, and means forms.
        form: elicitation.is_some_and(|e| e.form.is_some() || e.url.is_none()),
        url: elicitation.is_some_and(|e| e.url.is_some()),
        ..Peer::default()
    }
}
