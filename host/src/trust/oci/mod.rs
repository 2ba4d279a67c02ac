//! Components in OCI registries, in the format of CNCF's TAG Runtime ("Wasm OCI artifact"): fetched and published.
//!
//! Nothing is believed of a registry but what a digest or a signature proves, and every answer is bounded. Redirects and
//! log-ins are followed by [`crate::outbound`]'s rules, which is why no ready-made client is used.
//! Source: tag-runtime.cncf.io/wgs/wasm/deliverables/wasm-oci-artifact, OCI's distribution-spec 1.1.

mod artifact;
mod challenge;
mod component;
mod login;
mod pull;
mod push;
mod reference;
mod registry;
mod signed;
mod transport;

pub use login::Login;
pub use pull::{Fetched, pull};
pub use push::push;
pub use reference::Reference;
pub use registry::Registry;
pub use transport::Plain;

use coinop_core::digest::Digest;

use crate::outbound::Unread;

/// What a registry did not do, or did wrong.
#[derive(Debug, thiserror::Error)]
pub enum OciError {
    /// It cannot be reached, or broke off.
    #[error("the registry cannot be reached: {0}")]
    Unreachable(String),
    /// It wants to know who asks, and is not satisfied.
    #[error(
        "the registry refuses this ({status}): log in with --username and --password-file, or look at the name"
    )]
    Denied {
        /// HTTP's status.
        status: u16,
    },
    /// It does not have it.
    #[error("the registry has no {0}")]
    Missing(String),
    /// It answers with something unexpected.
    #[error("the registry answers {0}")]
    Answer(String),
    /// It sends more than it may.
    #[error("the registry sends too much: {0}")]
    TooMuch(#[from] Unread),
    /// It sends something else than was asked for.
    #[error(
        "the registry sends something else than was asked for: {what} should be sha256:{expected}, and is sha256:{found}"
    )]
    OtherContent {
        /// What was fetched.
        what: &'static str,
        /// What it should be.
        expected: Digest,
        /// What it is.
        found: Digest,
    },
    /// It sends elsewhere, to a place that must not be asked.
    #[error("the registry sends on to {0}, which is not asked: only https is")]
    Elsewhere(String),
    /// There is something of that name, and it is no component.
    #[error("this is not a WebAssembly component: {0}")]
    NotAComponent(String),
    /// No key that the operator named has signed it.
    #[error("its signature is not valid: {0}")]
    Unsigned(String),
}
