//! From the raw file and the command line to a valid [`Config`]: defaults, paths, references between keys.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::account::{place_component, read_secrets};
use super::callers::{Callers, RawCallers};
use super::check::{check, did_you_mean_ended, former};
use super::conversation::RawClient;
use super::document::{ConfigError, ConfigErrors, Document, all_right};
use super::oauth::{OAuth, RawOAuth};
use super::plugin::checked_mode;
use super::raw::{RawAccount, RawApiKey, RawConfig, RawHttp, TextOrSecret};
use super::trust::RawTrust;
use super::{
    Account, AccountKind, ApiKeys, Clients, Config, Http, LimitRules, PluginRules, Secret, Source,
    State, api_key, did_you_mean, folder_of, keys, kinds,
};
use crate::limits::Limits;
use crate::trust::TrustRules;

/// The account that is there without any configuration.
const DEFAULT_ACCOUNT: &str = "sandbox";

/// Reads, checks and resolves.
pub(super) fn load(source: Source) -> Result<Config, ConfigErrors> {
    let named = source.overrides.config.clone();
    let file = absolute(named.as_deref().unwrap_or(&source.places.config_file));
    let document = match Document::read(&file)? {
        Some(document) => document,
        None if named.is_some() => {
            let missing =
                "there is no such file: write it, or leave --config out for the default".to_owned();
            let error = ConfigError {
                file: file.display().to_string(),
                line: None,
                key: String::new(),
                message: missing,
            };
            return Err(ConfigErrors(vec![error]));
        }
        None => Document {
            path: file.clone(),
            text: String::new(),
        },
    };
    all_right(check(&document, document.parse()?.get_ref(), &keys::ROOT))?;
    let raw: RawConfig = toml::from_str(&document.text)
        .map_err(|error| ConfigErrors(vec![document.not_toml(&error)]))?;
    let former = former(&document, document.parse()?.get_ref(), &keys::ROOT);
    let resolver = Resolver {
        document: &document,
        errors: command_line_errors(&source),
    };
    let config = resolver.resolve(raw, file, source)?;
    Ok(Config {
        notes: former,
        ..config
    })
}

struct Resolver<'a> {
    document: &'a Document,
    errors: Vec<ConfigError>,
}

impl Resolver<'_> {
    fn resolve(
        mut self,
        raw: RawConfig,
        file: PathBuf,
        source: Source,
    ) -> Result<Config, ConfigErrors> {
        let base = folder_of(&file).to_owned();
        let accounts = self.accounts(raw.accounts, &base);
        let provider = self.provider(raw.provider, &accounts, &source);
        let plugins: BTreeMap<_, _> = raw
            .plugins
            .into_iter()
            .map(|(name, plugin)| (name, PluginRules::new(plugin, &base)))
            .collect();
        let trust = self.trust(raw.trust, &plugins, &file, &source);
        self.check_plugin_accounts(&plugins, &accounts.by_name);
        let accept = raw.accept.unwrap_or_default();
        self.check_accepted(&accept, &["accept"], &accounts.by_name);
        let http = self.http(raw.http, &base, &source);
        self.check_caller_keys(&raw.callers, &http.keys);
        let state = self.state(raw.state, &base, &source);
        let clients = self.clients(&raw.clients);
        all_right(self.errors)?;

        let Source { overrides, places } = &source;
        let said = |command_line: Option<PathBuf>, in_file: Option<PathBuf>, default: &Path| {
            let in_file = in_file.map(|path| base.join(path));
            command_line
                .map(|path| absolute(&path))
                .or(in_file)
                .unwrap_or_else(|| default.to_owned())
        };
        let public_url = overrides.public_url.clone().or(raw.public_url);
        Ok(Config {
            plugins_dir: said(
                overrides.plugins_dir.clone(),
                raw.plugins_dir,
                &places.plugins_dir,
            ),
            state,
            cache_dir: said(None, raw.cache_dir, &places.cache_dir),
            public_url: public_url.map(|url| url.trim_end_matches('/').to_owned()),
            http,
            accounts: accounts.by_name,
            provider,
            quote_lifetime: Duration::from_secs(raw.quotes.lifetime_s.unwrap_or(900).into()),
            outcome_retention: Duration::from_secs(
                86_400 * u64::from(raw.retention.outcome_days.unwrap_or(7)),
            ),
            claim_wait: Duration::from_secs(
                3_600 * u64::from(raw.retention.claim_hours.unwrap_or(24)),
            ),
            limits: LimitRules::new(raw.limits).applied_to(Limits::default()),
            capacity: raw.host.resolve(),
            quarantine: raw.quarantine.resolve(),
            mode_of_command_line: checked_mode(overrides.mode.as_deref()),
            mode_of_server: checked_mode(raw.mode.as_deref()),
            confirm_tool: raw.confirm_tool,
            manners: raw.conversation.manners(),
            clients,
            notes: Vec::new(),
            on_failure: raw.on_failure,
            retries: raw.retries,
            accept,
            settle: raw.settle,
            callers: Callers::new(&raw.callers),
            plugins,
            trust,
            file,
            source,
        })
    }

    fn trust(
        &mut self,
        raw: RawTrust,
        plugins: &BTreeMap<String, PluginRules>,
        file: &Path,
        source: &Source,
    ) -> TrustRules {
        let required = plugins.iter();
        let required =
            required.filter_map(|(name, rules)| Some((name.clone(), rules.require_signature?)));
        let (rules, wrong) = raw.resolve(file, required.collect());
        for (path, message) in wrong {
            let path: Vec<&str> = path.iter().map(String::as_str).collect();
            self.wrong(&path, message);
        }
        TrustRules {
            locked: rules.locked || source.overrides.locked,
            ..rules
        }
    }

    fn clients(&mut self, raw: &BTreeMap<String, RawClient>) -> Clients {
        Clients::new(raw).unwrap_or_else(|wrong| {
            for (name, message) in wrong {
                self.wrong(&["clients", &name], message);
            }
            Clients::default()
        })
    }

    fn accounts(&mut self, raw: BTreeMap<String, RawAccount>, base: &Path) -> Accounts {
        let configured: Vec<String> = raw.keys().cloned().collect();
        let mut by_name: BTreeMap<_, _> = Account::implicit().collect();
        for (name, account) in raw {
            let kind = account.kind.unwrap_or_else(|| {
                self.wrong(&["accounts", &name], "has no kind: add kind = \"sandbox\"");
                AccountKind::Sandbox
            });
            let mut settings = account.settings;
            place_component(&mut settings, base);
            for (path, message) in read_secrets(&mut settings, &keys::ACCOUNT, base) {
                let path = [&["accounts", &name], &path[..]].concat();
                self.wrong(&path, message);
            }
            by_name.insert(name, Account { kind, settings });
        }
        Accounts {
            by_name,
            configured,
        }
    }

    /// The default account: as said; else the only configured one; else pretended money. Of several it does not choose.
    fn provider(&mut self, said: Option<String>, accounts: &Accounts, source: &Source) -> String {
        let (name, flag) = match (&source.overrides.provider, said, &accounts.configured[..]) {
            (Some(name), _, _) => (name.clone(), true),
            (None, Some(name), _) => (name, false),
            (None, None, []) => (DEFAULT_ACCOUNT.to_owned(), false),
            (None, None, [only]) => (only.clone(), false),
            (None, None, several) => {
                let message = format!(
                    "is missing: there are several accounts, choose one of {}",
                    several.join(", ")
                );
                self.wrong(&["provider"], message);
                return String::new();
            }
        };
        if let Some(message) = unknown_account(&name, &accounts.by_name) {
            match flag {
                true => self.errors.push(command_line("--provider", message)),
                false => self.wrong(&["provider"], message),
            }
        }
        name
    }

    fn check_plugin_accounts(
        &mut self,
        plugins: &BTreeMap<String, PluginRules>,
        accounts: &BTreeMap<String, Account>,
    ) {
        for (plugin, rules) in plugins {
            let wrong = rules
                .account
                .as_ref()
                .and_then(|account| unknown_account(account, accounts));
            if let Some(message) = wrong {
                self.wrong(&["plugins", plugin, "account"], message);
            }
            let accept = rules.accept.as_deref().unwrap_or_default();
            self.check_accepted(accept, &["plugins", plugin, "accept"], accounts);
        }
    }

    fn check_accepted(
        &mut self,
        accept: &[String],
        path: &[&str],
        accounts: &BTreeMap<String, Account>,
    ) {
        let unknown = |name: &String| unknown_account(name, accounts);
        if let Some(message) = accept.iter().find_map(unknown) {
            self.wrong(path, message);
        }
    }

    /// Caps of a key that is not there: most likely a typing error, and the key that was meant would have none.
    fn check_caller_keys(&mut self, callers: &RawCallers, keys: &ApiKeys) {
        let names = || keys.iter().map(|(name, _)| name);
        for caller in callers.keys.keys() {
            if !names().any(|name| name == caller) {
                let near = did_you_mean(caller, names());
                let message = format!("there is no API key of that name in [http.keys]{near}");
                self.wrong(&["callers", "keys", caller], message);
            }
        }
    }

    fn http(&mut self, raw: RawHttp, base: &Path, source: &Source) -> Http {
        let mut keys = ApiKeys::default();
        for (name, key) in &raw.keys {
            if let Err(message) = add_key(&mut keys, name, key, base) {
                self.wrong(&["http", "keys", name], message);
            }
        }
        let oauth = raw.oauth.and_then(|oauth| self.oauth(oauth, base));
        Http {
            addr: source.overrides.http.or(raw.addr),
            anonymous: raw.anonymous.unwrap_or(keys.is_empty() && oauth.is_none()),
            keys,
            oauth,
            allowed_hosts: raw.allowed_hosts,
            allowed_origins: raw.allowed_origins,
            replies: raw.replies,
            connections_max: raw.connections_max.unwrap_or(1024),
            sessions_max: raw.sessions_max.unwrap_or(1000),
            session_idle: Duration::from_secs(raw.session_idle_s.unwrap_or(3600)),
        }
    }

    fn oauth(&mut self, raw: RawOAuth, base: &Path) -> Option<OAuth> {
        let oauth = OAuth::new(raw, base);
        oauth
            .map_err(|(key, why)| match key {
                Some(key) => self.wrong(&["http", "oauth", key], why),
                None => self.wrong(&["http", "oauth"], why),
            })
            .ok()
    }

    /// The ledger: as the command line says; else the file; else the platform's place.
    fn state(&mut self, said: Option<TextOrSecret>, base: &Path, source: &Source) -> State {
        if let Some(text) = &source.overrides.state {
            return match State::of(text.expose(), Path::new("")) {
                State::Sqlite(path) => State::Sqlite(absolute(&path)),
                database => database,
            };
        }
        let text = match said {
            None => return State::Sqlite(source.places.state.clone()),
            Some(TextOrSecret::Text(text)) => Ok(text),
            Some(TextOrSecret::Elsewhere(place)) => {
                let read = place.read(base);
                read.and_then(|text| kinds::state(text.expose()).map(|()| text))
            }
        };
        text.map_or_else(
            |message| {
                self.wrong(&["state"], message);
                State::Sqlite(PathBuf::new())
            },
            |text| State::of(text.expose(), base),
        )
    }

    fn wrong(&mut self, path: &[&str], message: impl Into<String>) {
        self.errors.push(self.document.error(path, message));
    }
}

struct Accounts {
    by_name: BTreeMap<String, Account>,
    configured: Vec<String>,
}

fn add_key(keys: &mut ApiKeys, name: &str, raw: &RawApiKey, base: &Path) -> Result<(), String> {
    let hashes = raw.sha256.as_slice();
    if hashes.is_empty() && raw.key.is_none() {
        return Err("has no key: add sha256 = \"…\" (printf %s KEY | sha256sum)".to_owned());
    }
    for hash in hashes {
        keys.add(name, *hash)?;
    }
    match &raw.key {
        Some(source) => keys.add(name, api_key::hash(source.read(base)?.expose())),
        None => Ok(()),
    }
}

fn unknown_account(name: &str, accounts: &BTreeMap<String, Account>) -> Option<String> {
    if accounts.contains_key(name) {
        return None;
    }
    let names = || accounts.keys().map(String::as_str);
    let known = names().collect::<Vec<_>>().join(", ");
    let near = did_you_mean_ended(name, names());
    Some(format!(
        "there is no account {name:?}{near} Accounts: {known}; add [accounts.{name}] for another"
    ))
}

fn command_line_errors(source: &Source) -> Vec<ConfigError> {
    type Check = fn(&str) -> Result<(), String>;
    let overrides = &source.overrides;
    let state = overrides.state.as_ref().map(Secret::expose);
    let flags: [(&str, Option<&str>, Check); 3] = [
        ("--mode", overrides.mode.as_deref(), kinds::mode),
        ("--state", state, kinds::state),
        (
            "--public-url",
            overrides.public_url.as_deref(),
            kinds::public_url,
        ),
    ];
    let wrong = |(flag, value, check): (&str, Option<&str>, Check)| {
        let message = check(value?).err()?;
        Some(command_line(flag, message))
    };
    flags.into_iter().filter_map(wrong).collect()
}

fn command_line(flag: &str, message: String) -> ConfigError {
    ConfigError {
        file: "command line".to_owned(),
        line: None,
        key: flag.to_owned(),
        message,
    }
}

/// A path of the command line is relative to where the command was given.
fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}
