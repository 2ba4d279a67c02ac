//! Trust: which plugin files may be loaded, and what they said when the operator accepted them.
//!
//! It decides on bytes, texts and names, and runs nothing of a plugin: whoever loads asks here first. What the operator
//! trusts comes from the configuration, what was accepted from `coinop.lock`.

mod admission;
mod change;
mod cosign;
mod lock;
mod lock_file;
mod minisign;
pub mod oci;
mod provenance;
mod refusal;
mod rules;
mod said;
mod update;

pub use admission::{Admission, Allowed};
pub use change::{Change, changes};
pub use cosign::CosignKey;
pub use lock::{Lock, Pinned, PinnedTool, Pulled};
pub use lock_file::{LockError, read, write, write_file};
pub use minisign::{MinisignKey, Signature, signature_file};
pub use provenance::provenance;
pub use refusal::Refusal;
pub use rules::TrustRules;
pub use said::{printable, tools};
pub use update::{Scope, updated};

#[cfg(test)]
pub(crate) mod testing;
