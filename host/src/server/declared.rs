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

/// Whether a client pays by x402 itself: PayMCP's word, and the draft of an extension.
fn pays_by_x402(capabilities: &ClientCapabilities) -> bool {
    ["x402", "org.x402/payment"]
        .iter()
        .any(|name| is_declared(capabilities, name))
}

/// Whether a client pays by the Machine Payments Protocol itself. Its draft declares the methods under a common word,
/// which others use for their own.
fn pays_by_mpp(capabilities: &ClientCapabilities) -> bool {
    let experimental = capabilities.experimental.as_ref();
    let payment = experimental.and_then(|experimental| experimental.get("payment"));
    payment.is_some_and(|payment| payment.contains_key("methods"))
        || is_declared(capabilities, "org.paymentauth/payment")
}

fn is_declared(capabilities: &ClientCapabilities, name: &str) -> bool {
    let maps = [&capabilities.experimental, &capabilities.extensions];
    maps.into_iter()
        .flatten()
        .any(|declared| declared.contains_key(name))
}

fn of(capabilities: &ClientCapabilities) -> Peer {
    let elicitation = capabilities.elicitation.as_ref();
    Peer {
        // A bare `{}` is from before there was a choice, and means forms.
        form: elicitation.is_some_and(|e| e.form.is_some() || e.url.is_none()),
        url: elicitation.is_some_and(|e| e.url.is_some()),
        x402: pays_by_x402(capabilities),
        mpp: pays_by_mpp(capabilities),
        ..Peer::default()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn wallets_are_known_by_what_they_declare() {
        let cases = [
            (json!({}), (false, false)),
            (json!({"experimental": {"x402": {}}}), (true, false)),
            (
                json!({"extensions": {"org.x402/payment": {}}}),
                (true, false),
            ),
            (
                json!({"experimental": {"payment": {"methods": ["evm"], "intents": ["charge"]}}}),
                (false, true),
            ),
            (
                json!({"experimental": {"payment": {"pricing": {}}}}),
                (false, false),
            ),
            (
                json!({"extensions": {"org.paymentauth/payment": {}}, "experimental": {"x402": {}}}),
                (true, true),
            ),
        ];
        for (declared, expected) in cases {
            let peer = of(&serde_json::from_value(declared.clone()).unwrap());
            assert_eq!((peer.x402, peer.mpp), expected, "{declared}");
        }
    }
}
