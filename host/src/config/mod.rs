//! The configuration: `coinop.toml` and the command line, checked and resolved into values that cannot be wrong.
//!
//! Precedence is by source, then by how special a rule is: command line, `coinop.toml`, sidecar, plugin; within one
//! source a tool's rule beats its plugin's, and that beats the server's.

mod account;
mod api_key;
mod callers;
mod capacity;
mod check;
mod component_keys;
mod conversation;
mod document;
pub mod edit;
#[cfg(test)]
mod fuzz;
mod grants;
mod keys;
mod kinds;
mod mpp_keys;
mod needs;
mod oauth;
mod places;
mod plugin;
mod quarantine;
mod raw;
mod replies;
mod resolve;
mod schema;
mod secret;
mod settle;
mod state;
mod token_keys;
mod trust;
mod warm;
mod words;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use coinop_core::call::Remedy;
use coinop_core::mode::Mode;
use coinop_core::peer::Manners;

pub use account::{Account, AccountKind};
pub use api_key::{ApiKeys, hash as hash_api_key};
pub use callers::Callers;
pub(crate) use check::did_you_mean;
pub use conversation::{Clients, ConfirmTool};
pub use document::{ConfigError, ConfigErrors, dotted};
pub use oauth::{OAuth, OAuthKeys};
pub use places::{NoHome, Places};
pub use plugin::{LimitRules, PluginRules, ToolRules};
pub use replies::Replies;
pub use schema::json_schema;
pub use secret::{Secret, SecretSource};
pub use settle::Settle;
pub use state::State;
pub use words::Words;

use crate::grants::Grants;
use crate::limits::Limits;
use crate::quarantine::Rules;
use crate::sandbox::{Capacity, Warm};
use crate::trust::TrustRules;

/// Where HTTP listens when nobody says.
pub const DEFAULT_ADDR: SocketAddr =
    SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 7402);

/// The whole configuration of one host.
#[derive(Clone)]
pub struct Config {
    /// The file it was read from; it may not exist (yet).
    pub file: PathBuf,
    /// The folder of plugins.
    pub plugins_dir: PathBuf,
    /// Where the ledger is.
    pub state: State,
    /// Compiled code and listings.
    pub cache_dir: PathBuf,
    /// What payment links start with, without a slash at the end; `None` where the host's own address serves.
    pub public_url: Option<String>,
    /// MCP over HTTP.
    pub http: Http,
    /// Every account by name, those that need no configuration included.
    pub accounts: BTreeMap<String, Account>,
    /// The account that is paid where a plugin names none.
    pub provider: String,
    /// How long an offer can be paid.
    pub quote_lifetime: Duration,
    /// How long outcomes can be fetched again.
    pub outcome_retention: Duration,
    /// How long a paid call waits for its caller.
    pub claim_wait: Duration,
    /// What one run may use where nothing else is said.
    pub limits: Limits,
    /// How much the whole host runs at a time.
    pub capacity: Capacity,
    /// When a plugin that keeps failing is set aside; `None` where none ever is.
    pub quarantine: Option<Rules>,
    /// The mode of the command line: beats every file.
    pub mode_of_command_line: Option<&'static dyn Mode>,
    /// The mode of the server in `coinop.toml`.
    pub mode_of_server: Option<&'static dyn Mode>,
    /// Which tools TWO_STEP lists to redeem payments.
    pub confirm_tool: ConfirmTool,
    /// How payment is talked about with clients.
    pub manners: Manners,
    /// The operator's overrides for single clients.
    pub clients: Clients,
    /// What is worth saying of the file and stops nothing.
    pub notes: Vec<ConfigError>,
    /// How a caller is made whole, where `coinop.toml` says it for the whole server.
    pub on_failure: Option<Remedy>,
    /// How often a failed run is tried again, where `coinop.toml` says it for the whole server.
    pub retries: Option<u32>,
    /// The accounts that callers may pay themselves, where no plugin says others.
    pub accept: Vec<String>,
    /// When money that a caller brings is taken, where `coinop.toml` says it for the whole server.
    pub settle: Option<Settle>,
    /// What callers may have open and spend.
    pub callers: Callers,
    /// What the operator says of plugins, by name.
    pub plugins: BTreeMap<String, PluginRules>,
    /// Which plugin files may be loaded.
    pub trust: TrustRules,
    source: Source,
}

/// MCP over HTTP.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Http {
    /// Where to listen, when the configuration or the command line says.
    pub addr: Option<SocketAddr>,
    /// API keys by name.
    pub keys: ApiKeys,
    /// Whose access tokens are taken.
    pub oauth: Option<OAuth>,
    /// Whether callers without a key or token are served.
    pub anonymous: bool,
    /// Host names served besides loopback and the public URL's.
    pub allowed_hosts: Vec<String>,
    /// Web origins that may call.
    pub allowed_origins: Vec<String>,
    /// The form of an answer that comes alone.
    pub replies: Replies,
    /// Most connections at a time.
    pub connections_max: usize,
    /// Most sessions at a time.
    pub sessions_max: usize,
    /// When a session without traffic ends.
    pub session_idle: Duration,
}

/// What the command line says; beats every file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Overrides {
    /// `--config`.
    pub config: Option<PathBuf>,
    /// `--plugins`.
    pub plugins_dir: Option<PathBuf>,
    /// `--state`.
    pub state: Option<Secret>,
    /// `--mode`.
    pub mode: Option<String>,
    /// `--provider`, an account's name.
    pub provider: Option<String>,
    /// `--http`.
    pub http: Option<SocketAddr>,
    /// `--public-url`.
    pub public_url: Option<String>,
    /// `--locked`.
    pub locked: bool,
}

/// What the configuration was made from, kept to read it again.
#[derive(Clone, Debug)]
struct Source {
    overrides: Overrides,
    places: Places,
}

impl Config {
    /// Plugins of whose grants a part cannot be given at the moment.
    pub fn unready(&self) -> BTreeSet<String> {
        let unready = self.plugins.iter();
        let unready = unready.filter(|(_, rules)| !rules.grant_problems.is_empty());
        unready.map(|(name, _)| name.clone()).collect()
    }

    /// What each plugin may reach, by its name.
    pub fn grants(&self) -> HashMap<String, Arc<Grants>> {
        let named = self.plugins.iter();
        named
            .map(|(name, rules)| (name.clone(), Arc::clone(&rules.grants)))
            .collect()
    }

    /// Whose instances stay for further calls, by plugin.
    pub fn warm(&self) -> HashMap<String, Warm> {
        let named = self.plugins.iter();
        named
            .filter_map(|(name, rules)| Some((name.clone(), rules.warm?)))
            .collect()
    }

    /// Reads the file that `overrides` name, or the default one where there is one, and applies the command line.
    ///
    /// # Errors
    /// Every mistake found, each with file, line, key and remedy.
    pub fn load(overrides: Overrides, places: Places) -> Result<Self, ConfigErrors> {
        resolve::load(Source { overrides, places })
    }

    /// Reads the same file with the same command line again.
    ///
    /// # Errors
    /// As [`Config::load`]; the configuration in use stays as it is.
    pub fn reload(&self) -> Result<Self, ConfigErrors> {
        resolve::load(self.source.clone())
    }

    /// What differs from `newer` and takes effect only at the next start, by key.
    pub fn needs_restart(&self, newer: &Self) -> Vec<&'static str> {
        let changed = [
            ("plugins_dir", self.plugins_dir != newer.plugins_dir),
            ("state", self.state != newer.state),
            ("cache_dir", self.cache_dir != newer.cache_dir),
            ("public_url", self.public_url != newer.public_url),
            ("http", self.http != newer.http),
            ("accounts", self.accounts != newer.accounts),
            ("callers", self.callers != newer.callers),
            ("conversation", self.manners != newer.manners),
            ("clients", self.clients != newer.clients),
            ("host", self.capacity != newer.capacity),
            ("quarantine", self.quarantine != newer.quarantine),
            ("quotes", self.quote_lifetime != newer.quote_lifetime),
            (
                "retention",
                (self.outcome_retention, self.claim_wait)
                    != (newer.outcome_retention, newer.claim_wait),
            ),
        ];
        changed
            .into_iter()
            .filter(|(_, differs)| *differs)
            .map(|(key, _)| key)
            .collect()
    }
}

/// The folder that a file's relative paths start from.
fn folder_of(file: &Path) -> &Path {
    file.parent().unwrap_or(Path::new(""))
}

#[cfg(test)]
mod tests;
