//! What `coinop.lock` keeps of each plugin: exactly what the operator accepted, as text that a diff can be made of.
//!
//! The texts are kept whole, not as digests: so that a change can be shown when the old file is gone, and read in the
//! version control that the lock is meant for. Nothing secret is in it.

use std::collections::BTreeMap;

use coinop_core::digest::Digest;
use serde::{Deserialize, Serialize};

/// The lock file's content.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Lock {
    /// Where plugins were pulled from, by their names. This accepts nothing.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub pulled: BTreeMap<String, Pulled>,
    /// What was accepted, by the plugins' names.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub plugins: BTreeMap<String, Pinned>,
}

/// A component's way from a registry into the folder.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pulled {
    /// SHA-256 of the component's bytes: a file that was put there since is not this one.
    pub digest: Digest,
    /// The reference that was asked for, such as `oci://ghcr.io/acme/weather:1.2`.
    pub oci: String,
    /// SHA-256 of the manifest that it led to.
    pub manifest: Digest,
    /// When, RFC 3339.
    pub pulled_at: String,
    /// The cosign key whose signature was verified before the file was written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cosign_key: Option<String>,
}

/// One accepted plugin.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pinned {
    /// SHA-256 of the component's bytes.
    pub digest: Digest,
    /// SHA-256 of the sidecar; `None` without one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sidecar: Option<Digest>,
    /// Whose signature was verified, such as `minisign E7620F1842B4E81F`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signed_by: Option<String>,
    /// What `coinop.toml` granted it, one line each, without values of secrets.
    #[serde(default)]
    pub grants: Vec<String>,
    /// What its tools say.
    #[serde(default)]
    pub tools: Vec<PinnedTool>,
}

/// What one tool says, in the words that clients are shown.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PinnedTool {
    /// The plugin's own name for it.
    pub name: String,
    /// A title for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// What the plugin, its sidecar included, asks for a call; `None` when it leaves that to the operator.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub price: Option<String>,
    /// What it says of itself: MCP's hints and its effects, such as `read-only = true`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hints: Vec<String>,
    /// What it does, for the model.
    pub description: String,
    /// The schema of its arguments, indented, with sorted keys.
    pub input_schema: String,
    /// The schema of its structured answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output_schema: Option<String>,
    /// What it adds to the listing's `_meta`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub meta: Option<String>,
}

impl Pinned {
    /// The entry as it stands in the file, in TOML.
    pub fn text(&self, plugin: &str) -> String {
        let lock = Lock {
            plugins: BTreeMap::from([(plugin.to_owned(), self.clone())]),
            ..Lock::default()
        };
        lock.text()
    }
}

impl Lock {
    /// Where the component of this digest was pulled from, if it was.
    pub fn pulled(&self, plugin: &str, digest: &Digest) -> Option<&Pulled> {
        self.pulled
            .get(plugin)
            .filter(|pulled| pulled.digest == *digest)
    }

    /// The file's content, in a stable order.
    pub fn text(&self) -> String {
        // Every field is a text, a number of them, or a table of such: TOML can hold all of it.
        toml::to_string_pretty(self).unwrap_or_else(|error| format!("# {error}\n"))
    }
}
