//! Manifests, configuration and sidecars become the listing: pure, so that a table can test it.
//!
//! Of tools that would have the same name none is listed: whoever came first would otherwise depend on file names, and
//! a caller might pay the wrong seller.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use coinop_core::mode::{self, CONFIRM_PREFIX, Mode, Surface, TOOL_NAME_LEN_MAX};
use coinop_core::money::Money;
use coinop_core::price::Price;
use serde_json::Value;

use super::published::{Terms, confirm_name};
use super::{Entry, Listing, Problem, Snapshot, arguments, payment_id, schema};
use crate::config::{Config, PluginRules, ToolRules, did_you_mean, dotted};
use crate::plugin::{Manifest, ToolDecl};

/// The mode where nobody says: it works with every client.
const DEFAULT_MODE: &str = "two_step";

/// A plugin as it is to be listed.
#[derive(Clone)]
pub struct Plugin {
    /// Its name: the file's stem.
    pub name: String,
    /// Its file, for messages.
    pub file: String,
    /// What it says of itself.
    pub manifest: Arc<Manifest>,
    /// What its sidecar says, nothing where there is none.
    pub sidecar: Arc<PluginRules>,
}

/// An account that can charge a price.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Charging {
    /// Whether its money is pretended.
    pub test: bool,
}

/// Says whether an account can charge a price, or why not.
pub type Chargeable = dyn Fn(&str, &Money) -> Result<Charging, String> + Send + Sync;

/// What [`resolve`] makes.
#[derive(Default)]
pub struct Resolved {
    /// To be published; its revision is the catalogue's to set.
    pub snapshot: Snapshot,
    /// What is worth knowing and stops nothing.
    pub notes: Vec<String>,
}

/// Makes the listing. `present` names every plugin there is a file of, loaded or not.
pub fn resolve(
    config: &Config,
    plugins: &[Plugin],
    present: &BTreeSet<String>,
    chargeable: &Chargeable,
) -> Resolved {
    let mut resolved = Resolved::default();
    let mut candidates: BTreeMap<String, Vec<Listing>> = BTreeMap::new();
    unknown_plugins(config, present, &mut resolved.snapshot.problems);
    for plugin in plugins {
        let seller = Seller::new(config, plugin, chargeable);
        seller.report(&mut resolved);
        for tool in &plugin.manifest.tools {
            match seller.list(tool) {
                Ok(Some(listing)) => candidates
                    .entry(listing.name.clone())
                    .or_default()
                    .push(listing),
                Ok(None) => {}
                Err(message) => resolved
                    .snapshot
                    .problems
                    .push(problem(&plugin.file, message)),
            }
        }
    }
    for (name, mut listings) in candidates {
        match (listings.pop(), listings.is_empty()) {
            (Some(listing), true) => enter(&mut resolved.snapshot.tools, name, listing),
            (Some(listing), false) => {
                listings.push(listing);
                resolved
                    .snapshot
                    .problems
                    .extend(collision(&name, &listings, plugins));
            }
            (None, _) => {}
        }
    }
    resolved
}

fn enter(tools: &mut BTreeMap<String, Entry>, name: String, listing: Listing) {
    let listing = Arc::new(listing);
    let paid = matches!(listing.price, Price::PerCall(_));
    if paid && listing.mode.surface() == Surface::ConfirmTool {
        tools.insert(confirm_name(&name), Entry::Confirm(Arc::clone(&listing)));
    }
    tools.insert(name, Entry::Tool(listing));
}

fn collision(name: &str, listings: &[Listing], plugins: &[Plugin]) -> Vec<Problem> {
    let sellers: BTreeSet<&str> = listings.iter().map(|l| l.plugin.as_str()).collect();
    let all = sellers.iter().copied().collect::<Vec<_>>().join(" and ");
    let file = |name: &str| {
        plugins
            .iter()
            .find(|p| p.name == name)
            .map_or(name, |p| p.file.as_str())
            .to_owned()
    };
    let remedy = |plugin: &str| {
        format!(
            "{name} is the name of a tool of {all}: none of them is listed. Add to coinop.toml: [{}] prefix = \"{}_\"",
            dotted(&["plugins", plugin]),
            plugin.replace(|c: char| !c.is_ascii_alphanumeric(), "_")
        )
    };
    sellers
        .iter()
        .map(|plugin| problem(&file(plugin), remedy(plugin)))
        .collect()
}

fn unknown_plugins(config: &Config, present: &BTreeSet<String>, problems: &mut Vec<Problem>) {
    for name in config
        .plugins
        .keys()
        .filter(|name| !present.contains(*name))
    {
        let near = did_you_mean(name, present.iter().map(String::as_str));
        let key = dotted(&["plugins", name]);
        let folder = config.plugins_dir.display();
        let message = format!("{key}: there is no {name}.wasm in {folder}{near}");
        problems.push(problem(&config.file.display().to_string(), message));
    }
}

pub(crate) fn problem(file: &str, message: String) -> Problem {
    Problem {
        file: file.to_owned(),
        message,
        keeps_last_good: false,
    }
}

/// One plugin with everything that is said of it.
struct Seller<'a> {
    config: &'a Config,
    plugin: &'a Plugin,
    operator: &'a PluginRules,
    chargeable: &'a Chargeable,
}

impl<'a> Seller<'a> {
    fn new(config: &'a Config, plugin: &'a Plugin, chargeable: &'a Chargeable) -> Self {
        static NOTHING: std::sync::LazyLock<PluginRules> =
            std::sync::LazyLock::new(PluginRules::default);
        let operator = config.plugins.get(&plugin.name).unwrap_or(&NOTHING);
        Self {
            config,
            plugin,
            operator,
            chargeable,
        }
    }

    /// What is wrong with the rules themselves, whatever becomes of the tools.
    fn report(&self, resolved: &mut Resolved) {
        let tools = || self.plugin.manifest.tools.iter().map(|t| t.name.as_str());
        let unknown = |rules: &PluginRules| -> Vec<String> {
            rules
                .tools
                .keys()
                .filter(|name| !tools().any(|t| t == name.as_str()))
                .cloned()
                .collect()
        };
        for name in unknown(self.operator) {
            let key = dotted(&["plugins", &self.plugin.name, "tools", &name]);
            let message = format!(
                "{key}: {} has no tool of that name{}",
                self.plugin.file,
                did_you_mean(&name, tools())
            );
            resolved
                .snapshot
                .problems
                .push(problem(&self.config.file.display().to_string(), message));
        }
        let sidecar_file = format!("{}.toml", self.plugin.name);
        for name in unknown(&self.plugin.sidecar) {
            let key = dotted(&["tools", &name]);
            let message = format!(
                "{key}: {} has no tool of that name{}",
                self.plugin.file,
                did_you_mean(&name, tools())
            );
            resolved
                .snapshot
                .problems
                .push(problem(&sidecar_file, message));
        }
        let operators = self.operator.limits.applied_to(self.config.limits);
        if self.plugin.sidecar.limits.applied_to(operators)
            != self.plugin.sidecar.limits.lowering(operators)
        {
            resolved.notes.push(format!(
                "{sidecar_file}: asks for higher limits than the operator allows; only [{}] in coinop.toml raises them",
                dotted(&["plugins", &self.plugin.name, "limits"])
            ));
        }
    }

    /// The tool as published; `None` when the operator took it off the list.
    fn list(&self, tool: &ToolDecl) -> Result<Option<Listing>, String> {
        let operator = self.operator.tools.get(&tool.name);
        let off = [self.operator.enabled, operator.and_then(|t| t.enabled)].contains(&Some(false));
        if off {
            return Ok(None);
        }
        let wrong = |message: String| format!("tool {:?} is not listed: {message}", tool.name);
        self.publish(tool, operator).map(Some).map_err(wrong)
    }

    fn publish(&self, tool: &ToolDecl, operator: Option<&ToolRules>) -> Result<Listing, String> {
        let sidecar = self.plugin.sidecar.tools.get(&tool.name);
        let price = self
            .price(tool, operator, sidecar)
            .ok_or_else(|| self.priceless(tool))?;
        let mode = self.mode(operator, sidecar)?;
        let account = self
            .operator
            .account
            .as_ref()
            .unwrap_or(&self.config.provider)
            .clone();
        let name = self.name(tool, operator, price, mode)?;
        let test = match price {
            Price::Free => false,
            Price::PerCall(money) => {
                let refused = |reason| {
                    format!(
                        "its price {money} cannot be charged by the account {account}: {reason}"
                    )
                };
                (self.chargeable)(&account, &money).map_err(refused)?.test
            }
        };
        let published = Schemas::of(tool, price, mode)?;
        let limits = self.operator.limits.applied_to(self.config.limits);
        let surface = mode.surface();
        let terms = Terms {
            name: &name,
            price,
            surface,
            payment_id_argument: &published.payment_id_argument,
            test,
        };
        Ok(Listing {
            description: terms.describe(&tool.description),
            plugin: self.plugin.name.clone(),
            manifest: Arc::clone(&self.plugin.manifest),
            tool: tool.clone(),
            price,
            mode,
            account,
            limits: self.plugin.sidecar.limits.lowering(limits),
            settings: Arc::new(self.settings()),
            payment_id_argument: published.payment_id_argument,
            input_schema: Arc::new(published.input),
            output_schema: published.output.map(Arc::new),
            validator: Arc::new(published.validator),
            name,
        })
    }

    fn price(
        &self,
        tool: &ToolDecl,
        operator: Option<&ToolRules>,
        sidecar: Option<&ToolRules>,
    ) -> Option<Price> {
        let operators = operator.and_then(|t| t.price).or(self.operator.price);
        let sidecars = sidecar.and_then(|t| t.price).or(self.plugin.sidecar.price);
        operators.or(sidecars).or(tool.price)
    }

    /// A tool without a price is not free: the operator is told the line to add.
    fn priceless(&self, tool: &ToolDecl) -> String {
        let table = dotted(&["plugins", &self.plugin.name, "tools", &tool.name]);
        format!("it has no price. Add to coinop.toml: [{table}] price = \"0.10 USD\" (or \"free\")")
    }

    fn mode(
        &self,
        operator: Option<&ToolRules>,
        sidecar: Option<&ToolRules>,
    ) -> Result<&'static dyn Mode, String> {
        let sources = [
            self.config.mode_of_command_line,
            operator.and_then(|t| t.mode),
            self.operator.mode,
            self.config.mode_of_server,
            sidecar.and_then(|t| t.mode),
            self.plugin.sidecar.mode,
        ];
        match sources.into_iter().flatten().next() {
            Some(mode) => Ok(mode),
            None => mode::by_name(DEFAULT_MODE).map_err(|e| e.to_string()),
        }
    }

    fn name(
        &self,
        tool: &ToolDecl,
        operator: Option<&ToolRules>,
        price: Price,
        mode: &dyn Mode,
    ) -> Result<String, String> {
        let prefixed = || {
            format!(
                "{}{}",
                self.operator.prefix.as_deref().unwrap_or_default(),
                tool.name
            )
        };
        let name = operator
            .and_then(|t| t.name.clone())
            .unwrap_or_else(prefixed);
        let plugin = dotted(&["plugins", &self.plugin.name]);
        let table = dotted(&["plugins", &self.plugin.name, "tools", &tool.name]);
        if name.starts_with(CONFIRM_PREFIX) {
            return Err(format!(
                "names that start with {CONFIRM_PREFIX} are the host's own. Add to coinop.toml: [{plugin}] prefix = \"x_\", or \
                 [{table}] name = \"…\""
            ));
        }
        let paid = matches!(price, Price::PerCall(_));
        let longest = match paid && mode.surface() == Surface::ConfirmTool {
            true => confirm_name(&name),
            false => name.clone(),
        };
        if longest.len() > TOOL_NAME_LEN_MAX {
            return Err(format!(
                "{longest} is longer than the {TOOL_NAME_LEN_MAX} characters clients take. In coinop.toml shorten [{plugin}] \
                 prefix, or add [{table}] name = \"…\""
            ));
        }
        Ok(name)
    }

    fn settings(&self) -> BTreeMap<String, String> {
        let mut settings = self.plugin.sidecar.settings.clone();
        settings.extend(self.operator.settings.clone());
        settings
    }
}

/// A tool's schemas as published, and the check of its arguments.
struct Schemas {
    payment_id_argument: String,
    input: serde_json::Map<String, Value>,
    output: Option<serde_json::Map<String, Value>>,
    validator: jsonschema::Validator,
}

impl Schemas {
    fn of(tool: &ToolDecl, price: Price, mode: &dyn Mode) -> Result<Self, String> {
        let input_is = |reason: String| format!("its input schema {reason}");
        let output_is = |reason: String| format!("its output schema {reason}");
        let paid = matches!(price, Price::PerCall(_));
        let own = schema::object_schema(&tool.input_schema).map_err(input_is)?;
        let validator = arguments::compile(&Value::Object(own.clone()))
            .map_err(|reason| input_is(format!("is not usable: {reason}")))?;
        let argument = payment_id::argument(&own);
        let input = match paid && mode.surface() == Surface::PaymentIdArgument {
            true => payment_id::added(&own, argument).map_err(input_is)?,
            false => own,
        };
        let own = tool
            .output_schema
            .as_deref()
            .map(schema::object_schema)
            .transpose()
            .map_err(output_is)?;
        let output = match paid {
            true => own.map(schema::widened).transpose().map_err(output_is)?,
            false => own,
        };
        if let Some(output) = &output {
            arguments::compile(&Value::Object(output.clone()))
                .map_err(|reason| output_is(format!("is not usable: {reason}")))?;
        }
        Ok(Self {
            payment_id_argument: argument.to_owned(),
            input,
            output,
            validator,
        })
    }
}

#[cfg(test)]
#[path = "resolve_tests.rs"]
mod tests;
