//! What the operator trusts, as `[trust]` of the configuration says.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::{CosignKey, MinisignKey};

/// The operator's rules about plugin files.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TrustRules {
    /// Only what the lock file names is loaded.
    pub locked: bool,
    /// Where the lock file is, whether it is there or not.
    pub lock_file: PathBuf,
    /// Whose minisign signatures count.
    pub minisign: Vec<MinisignKey>,
    /// Whose cosign signatures count.
    pub cosign: Vec<CosignKey>,
    /// Whether a file without a signature is refused.
    pub require_signature: bool,
    /// The same for single plugins, by name.
    pub required: BTreeMap<String, bool>,
}

impl TrustRules {
    /// Whether this plugin must be signed.
    pub fn must_be_signed(&self, plugin: &str) -> bool {
        let own = self.required.get(plugin).copied();
        own.unwrap_or(self.require_signature)
    }
}
