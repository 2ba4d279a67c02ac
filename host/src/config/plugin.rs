//! What the operator (`[plugins.NAME]`) or a sidecar (`NAME.toml`) says of a plugin.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use coinop_core::call::Remedy;
use coinop_core::digest::Digest;
use coinop_core::mode::{self, Mode};
use coinop_core::price::Price;

use super::check::{check, former};
use super::document::{ConfigError, ConfigErrors, Document, all_right};
use super::keys;
use super::raw::{RawLimits, RawPlugin, RawTool};
use super::settle::Settle;
use super::warm::RawWarm;
use super::words::Words;
use crate::grants::{Grants, Needs};
use crate::limits::Limits;
use crate::plugin::ToolDecl;
use crate::sandbox::Warm;

/// What one file says of a plugin. Everything may be unsaid.
#[derive(Clone, Default)]
pub struct PluginRules {
    /// `false` takes the plugin off the list.
    pub enabled: Option<bool>,
    /// Put before every tool's name.
    pub prefix: Option<String>,
    /// The account its tools are paid into.
    pub account: Option<String>,
    /// For all its tools.
    pub mode: Option<&'static dyn Mode>,
    /// For all its tools.
    pub price: Option<Price>,
    /// For all its tools.
    pub on_failure: Option<Remedy>,
    /// For all its tools.
    pub retries: Option<u32>,
    /// The accounts that callers of its tools may pay themselves.
    pub accept: Option<Vec<String>>,
    /// For all its tools.
    pub settle: Option<Settle>,
    /// Whether its file must be signed. A sidecar does not say.
    pub require_signature: Option<bool>,
    /// What it may reach. A sidecar grants nothing.
    pub grants: Arc<Grants>,
    /// Which grants cannot be given, with the key of each: the plugin is not served until they can.
    pub grant_problems: Vec<String>,
    /// What a sidecar says the plugin needs, which grants nothing.
    pub needs: Needs,
    /// What one run may use.
    pub limits: LimitRules,
    /// Texts for the plugin.
    pub settings: BTreeMap<String, String>,
    /// Instances that stay for further calls of the same caller. A sidecar does not say.
    pub warm: Option<Warm>,
    /// Single tools, by the plugin's own names.
    pub tools: BTreeMap<String, ToolRules>,
    /// What is worth saying of a sidecar and stops nothing.
    pub notes: Vec<String>,
    /// SHA-256 of the sidecar that says it; `None` where it is not a sidecar.
    pub sidecar: Option<Digest>,
}

/// What one file says of a tool.
#[derive(Clone, Default)]
pub struct ToolRules {
    /// `false` takes the tool off the list.
    pub enabled: Option<bool>,
    /// The published name instead of its own; a sidecar's still gets the operator's prefix.
    pub name: Option<String>,
    /// What its listing says instead of the plugin's own words.
    pub words: Words,
    /// How its payment is coordinated.
    pub mode: Option<&'static dyn Mode>,
    /// What it costs.
    pub price: Option<Price>,
    /// How a caller is made whole when a paid call does not deliver.
    pub on_failure: Option<Remedy>,
    /// How often a failed run is tried again before that.
    pub retries: Option<u32>,
    /// When money that a caller brings is taken.
    pub settle: Option<Settle>,
}

/// Limits that one file sets; the others stay as they are.
#[derive(Clone, Copy, Debug, Default)]
pub struct LimitRules(RawLimits);

impl LimitRules {
    pub(super) fn new(raw: RawLimits) -> Self {
        Self(raw)
    }

    /// `limits` with everything that is set here: the operator's word.
    pub fn applied_to(&self, limits: Limits) -> Limits {
        let raw = &self.0;
        Limits {
            memory_bytes_max: raw.memory_mib.map_or(limits.memory_bytes_max, |n| n << 20),
            table_elements_max: raw.table_elements.unwrap_or(limits.table_elements_max),
            instances_max: raw.instances.unwrap_or(limits.instances_max),
            fuel_max: raw.fuel.or(limits.fuel_max),
            cpu_ms_max: raw.cpu_ms.unwrap_or(limits.cpu_ms_max),
            wall_ms_max: raw.wall_ms.unwrap_or(limits.wall_ms_max),
            output_bytes_max: raw.output_kib.map_or(limits.output_bytes_max, |n| n << 10),
            log_bytes_max: raw.log_kib.map_or(limits.log_bytes_max, |n| n << 10),
            concurrent_runs_max: raw.concurrent_runs.unwrap_or(limits.concurrent_runs_max),
            waiting_runs_max: raw.waiting_runs.unwrap_or(limits.waiting_runs_max),
            http_requests_max: raw.http_requests.unwrap_or(limits.http_requests_max),
            http_bytes_max: raw.http_kib.map_or(limits.http_bytes_max, |n| n << 10),
        }
    }

    /// `limits` lowered by what is set here, never raised: a sidecar's word.
    pub fn lowering(&self, limits: Limits) -> Limits {
        let asked = self.applied_to(limits);
        Limits {
            memory_bytes_max: asked.memory_bytes_max.min(limits.memory_bytes_max),
            table_elements_max: asked.table_elements_max.min(limits.table_elements_max),
            instances_max: asked.instances_max.min(limits.instances_max),
            fuel_max: lower_of(asked.fuel_max, limits.fuel_max),
            cpu_ms_max: asked.cpu_ms_max.min(limits.cpu_ms_max),
            wall_ms_max: asked.wall_ms_max.min(limits.wall_ms_max),
            output_bytes_max: asked.output_bytes_max.min(limits.output_bytes_max),
            log_bytes_max: asked.log_bytes_max.min(limits.log_bytes_max),
            concurrent_runs_max: asked.concurrent_runs_max.min(limits.concurrent_runs_max),
            waiting_runs_max: asked.waiting_runs_max.min(limits.waiting_runs_max),
            http_requests_max: asked.http_requests_max.min(limits.http_requests_max),
            http_bytes_max: asked.http_bytes_max.min(limits.http_bytes_max),
        }
    }
}

impl PluginRules {
    /// Relative paths start from `base`.
    pub(super) fn new(raw: RawPlugin, base: &Path) -> Self {
        let granted = raw.grants.resolve(base);
        Self {
            enabled: raw.enabled,
            prefix: raw.prefix,
            account: raw.account,
            mode: checked_mode(raw.mode.as_deref()),
            price: raw.price.map(|p| p.0),
            on_failure: raw.on_failure,
            retries: raw.retries,
            accept: raw.accept,
            settle: raw.settle,
            require_signature: raw.require_signature,
            grants: Arc::new(granted.grants),
            grant_problems: granted.problems,
            needs: raw.needs.resolve(),
            limits: LimitRules::new(raw.limits),
            settings: raw.settings,
            warm: raw.warm.map(RawWarm::resolve),
            tools: raw
                .tools
                .into_iter()
                .map(|(name, tool)| (name, ToolRules::new(tool)))
                .collect(),
            notes: Vec::new(),
            sidecar: None,
        }
    }

    /// What the tool itself and this file together ask for a call.
    pub fn price_of(&self, tool: &ToolDecl) -> Option<Price> {
        let own = self.tools.get(&tool.name).and_then(|rules| rules.price);
        own.or(self.price).or(tool.price)
    }

    /// Reads the sidecar at `path`; `None` when there is none.
    ///
    /// # Errors
    /// Every mistake in it, with file, line, key and remedy.
    pub fn read_sidecar(path: &Path) -> Result<Option<Self>, ConfigErrors> {
        Document::read(path)?
            .map(|document| Self::parse_sidecar(&document))
            .transpose()
    }

    pub(super) fn parse_sidecar(document: &Document) -> Result<Self, ConfigErrors> {
        all_right(check(document, document.parse()?.get_ref(), &keys::SIDECAR))?;
        let raw: RawPlugin = toml::from_str(&document.text)
            .map_err(|error| ConfigErrors(vec![document.not_toml(&error)]))?;
        let former = former(document, document.parse()?.get_ref(), &keys::SIDECAR);
        Ok(Self {
            notes: former.iter().map(ConfigError::in_file).collect(),
            sidecar: Some(Digest::of(document.text.as_bytes())),
            ..Self::new(raw, document.path.parent().unwrap_or(Path::new("")))
        })
    }
}

impl ToolRules {
    fn new(raw: RawTool) -> Self {
        Self {
            enabled: raw.enabled,
            name: raw.name,
            words: Words::new(raw.title, raw.description, raw.annotations),
            mode: checked_mode(raw.mode.as_deref()),
            price: raw.price.map(|p| p.0),
            on_failure: raw.on_failure,
            retries: raw.retries,
            settle: raw.settle,
        }
    }
}

/// The lower of two limits, either of which may be absent.
fn lower_of(one: Option<u64>, other: Option<u64>) -> Option<u64> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    }
}

/// The mode of a name that the check has let through.
pub(super) fn checked_mode(name: Option<&str>) -> Option<&'static dyn Mode> {
    name.and_then(|name| mode::by_name(name).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sidecar(text: &str) -> Result<PluginRules, String> {
        let document = Document {
            path: "weather.toml".into(),
            text: text.to_owned(),
        };
        PluginRules::parse_sidecar(&document).map_err(|e| e.to_string())
    }

    #[test]
    fn a_sidecar_says_prices_modes_limits_and_settings() {
        let rules = sidecar(
            "price = \"0.10 USD\"\nmode = \"resubmit\"\nlimits.wall_ms = 5000\nsettings.units = \"metric\"\n\
             [tools.get_x]\nprice = { amount = \"0.003\", currency = \"USD\" }\n",
        )
        .unwrap();
        assert_eq!(rules.price.unwrap().to_string(), "0.10 USD per call");
        assert_eq!(
            rules.tools["get_x"].price.unwrap().to_string(),
            "0.003 USD per call"
        );
        assert_eq!(rules.mode.unwrap().name(), "resubmit");
        assert_eq!(rules.settings["units"], "metric");
    }

    #[test]
    fn a_sidecar_routes_no_money_and_grants_nothing() {
        for line in [
            "account = \"mine\"",
            "accept = [\"mine\"]",
            "settle = \"upfront\"",
            "prefix = \"x\"",
            "[grants]\nnet = true",
            "[warm]",
            "[tools.t]\naccount = \"m\"",
            "enabled = true",
        ] {
            let error = sidecar(line).err().unwrap();
            assert!(
                error.contains("coinop.toml") && error.starts_with("weather.toml:"),
                "{error}"
            );
        }
        let secret = sidecar("settings.key = { env = \"HOME\" }").err().unwrap();
        assert!(secret.contains("settings.key: must be a text"), "{secret}");
    }

    #[test]
    fn a_sidecar_lowers_limits_and_never_raises_them() {
        let operator = Limits::default();
        let rules =
            sidecar("limits = { wall_ms = 100, cpu_ms = 600000, memory_mib = 4096 }").unwrap();
        let limits = rules.limits.lowering(operator);
        assert_eq!(
            limits,
            Limits {
                wall_ms_max: 100,
                ..operator
            }
        );
        assert_eq!(rules.limits.applied_to(operator).cpu_ms_max, 600_000);
    }
}
