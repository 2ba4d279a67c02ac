//! The files as serde reads them, after [`super::check`] has looked at every key. Nothing here is resolved yet.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;

use coinop_core::call::Remedy;
use coinop_core::digest::Digest;
use serde::Deserialize;

use super::account::AccountKind;
use super::callers::RawCallers;
use super::capacity::RawCapacity;
use super::conversation::{ConfirmTool, RawClient, RawConversation};
use super::grants::RawGrants;
use super::kinds::PriceText;
use super::needs::RawNeeds;
use super::oauth::RawOAuth;
use super::quarantine::RawQuarantine;
use super::replies::Replies;
use super::secret::{Secret, SecretSource};
use super::settle::Settle;
use super::trust::RawTrust;
use super::warm::RawWarm;
use super::words::RawAnnotations;

/// `coinop.toml`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawConfig {
    pub(super) plugins_dir: Option<PathBuf>,
    pub(super) state: Option<TextOrSecret>,
    pub(super) cache_dir: Option<PathBuf>,
    #[serde(alias = "payment_flow", alias = "paymentFlow")]
    pub(super) mode: Option<String>,
    pub(super) confirm_tool: ConfirmTool,
    pub(super) conversation: RawConversation,
    pub(super) clients: BTreeMap<String, RawClient>,
    pub(super) on_failure: Option<Remedy>,
    pub(super) retries: Option<u32>,
    pub(super) accept: Option<Vec<String>>,
    pub(super) settle: Option<Settle>,
    pub(super) provider: Option<String>,
    pub(super) public_url: Option<String>,
    pub(super) http: RawHttp,
    pub(super) accounts: BTreeMap<String, RawAccount>,
    pub(super) limits: RawLimits,
    pub(super) host: RawCapacity,
    pub(super) quarantine: RawQuarantine,
    pub(super) quotes: RawQuotes,
    pub(super) retention: RawRetention,
    pub(super) callers: RawCallers,
    pub(super) plugins: BTreeMap<String, RawPlugin>,
    pub(super) trust: RawTrust,
}

/// A text, or where to read it.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum TextOrSecret {
    Text(Secret),
    Elsewhere(SecretSource),
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawHttp {
    pub(super) addr: Option<SocketAddr>,
    pub(super) keys: BTreeMap<String, RawApiKey>,
    pub(super) oauth: Option<RawOAuth>,
    pub(super) anonymous: Option<bool>,
    pub(super) allowed_hosts: Vec<String>,
    pub(super) allowed_origins: Vec<String>,
    pub(super) replies: Replies,
    pub(super) connections_max: Option<usize>,
    pub(super) sessions_max: Option<usize>,
    pub(super) session_idle_s: Option<u64>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawApiKey {
    pub(super) sha256: OneOrMore,
    pub(super) key: Option<SecretSource>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum OneOrMore {
    One(Digest),
    More(Vec<Digest>),
}

impl Default for OneOrMore {
    fn default() -> Self {
        Self::More(Vec::new())
    }
}

impl OneOrMore {
    pub(super) fn as_slice(&self) -> &[Digest] {
        match self {
            Self::One(digest) => std::slice::from_ref(digest),
            Self::More(digests) => digests,
        }
    }
}

#[derive(Debug, Deserialize)]
pub(super) struct RawAccount {
    pub(super) kind: Option<AccountKind>,
    /// Whatever else the keys allow: the provider reads it.
    #[serde(flatten)]
    pub(super) settings: toml::Table,
}

#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawLimits {
    pub(super) memory_mib: Option<usize>,
    pub(super) table_elements: Option<usize>,
    pub(super) instances: Option<usize>,
    pub(super) fuel: Option<u64>,
    pub(super) cpu_ms: Option<u64>,
    pub(super) wall_ms: Option<u64>,
    pub(super) output_kib: Option<usize>,
    pub(super) log_kib: Option<usize>,
    pub(super) concurrent_runs: Option<usize>,
    pub(super) waiting_runs: Option<usize>,
    pub(super) http_requests: Option<u32>,
    pub(super) http_kib: Option<usize>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawQuotes {
    pub(super) lifetime_s: Option<u32>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawRetention {
    pub(super) outcome_days: Option<u32>,
    pub(super) claim_hours: Option<u32>,
}

/// `[plugins.NAME]`, and a whole sidecar, which has fewer keys.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawPlugin {
    pub(super) enabled: Option<bool>,
    pub(super) prefix: Option<String>,
    pub(super) account: Option<String>,
    #[serde(alias = "payment_flow", alias = "paymentFlow")]
    pub(super) mode: Option<String>,
    pub(super) price: Option<PriceText>,
    pub(super) on_failure: Option<Remedy>,
    pub(super) retries: Option<u32>,
    pub(super) accept: Option<Vec<String>>,
    pub(super) settle: Option<Settle>,
    pub(super) require_signature: Option<bool>,
    pub(super) grants: RawGrants,
    pub(super) needs: RawNeeds,
    pub(super) limits: RawLimits,
    pub(super) settings: BTreeMap<String, String>,
    pub(super) warm: Option<RawWarm>,
    pub(super) tools: BTreeMap<String, RawTool>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawTool {
    pub(super) enabled: Option<bool>,
    pub(super) name: Option<String>,
    pub(super) title: Option<String>,
    pub(super) description: Option<String>,
    pub(super) annotations: RawAnnotations,
    #[serde(alias = "payment_flow", alias = "paymentFlow")]
    pub(super) mode: Option<String>,
    pub(super) price: Option<PriceText>,
    pub(super) on_failure: Option<Remedy>,
    pub(super) retries: Option<u32>,
    pub(super) settle: Option<Settle>,
}
