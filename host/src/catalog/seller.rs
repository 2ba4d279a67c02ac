//! One plugin as it is sold: what its own word, its sidecar, the configuration and the command line make of a tool.

use std::collections::BTreeMap;
use std::sync::Arc;

use coinop_core::call::Remedy;
use coinop_core::mode::{
    self, AUTO, CONFIRM_PAYMENT, CONFIRM_PREFIX, Mode, Surface, TOOL_NAME_LEN_MAX,
};
use coinop_core::price::Price;

use super::accepts::Accepts;
use super::notes::{self, Note};
use super::published::{Terms, confirm_name};
use super::resolve::{Chargeable, Plugin, Resolved, problem};
use super::schema::Schemas;
use super::{Listing, Problem, words};
use crate::config::{Config, ConfirmTool, PluginRules, Settle, ToolRules, did_you_mean, dotted};
use crate::plugin::ToolDecl;

/// The mode where nobody says: it works with every client, and better with those that can do more.
const DEFAULT_MODE: &str = AUTO;

/// One plugin with everything that is said of it.
pub(super) struct Seller<'a> {
    config: &'a Config,
    plugin: &'a Plugin,
    operator: &'a PluginRules,
    chargeable: &'a Chargeable,
}

impl<'a> Seller<'a> {
    pub(super) fn new(config: &'a Config, plugin: &'a Plugin, chargeable: &'a Chargeable) -> Self {
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

    /// Rules for tools that the plugin does not have.
    fn unknown_tools(&self, rules: &PluginRules, file: &str, at: &[&str]) -> Vec<Problem> {
        let tools = || self.plugin.manifest.tools.iter().map(|t| t.name.as_str());
        let named = rules.tools.keys().map(String::as_str);
        let unknown = named.filter(|name| !tools().any(|t| t == *name));
        let told = |name: &str| {
            let key = dotted(&[at, &[name]].concat());
            let near = did_you_mean(name, tools());
            let message = format!("{key}: {} has no tool of that name{near}", self.plugin.file);
            problem(file, message)
        };
        unknown.map(told).collect()
    }

    /// What is wrong with the rules themselves, whatever becomes of the tools.
    pub(super) fn report(&self, resolved: &mut Resolved) {
        let sidecar_file = format!("{}.toml", self.plugin.name);
        let operators_file = self.config.file.display().to_string();
        let of_plugin = ["plugins", self.plugin.name.as_str(), "tools"];
        let problems = &mut resolved.snapshot.problems;
        let grants = dotted(&["plugins", &self.plugin.name, "grants"]);
        let not_given = self.operator.grant_problems.iter();
        problems.extend(not_given.map(|why| {
            let message = format!("{grants}.{why}: none of the plugin's tools is listed");
            problem(&operators_file, message)
        }));
        problems.extend(self.unknown_tools(self.operator, &operators_file, &of_plugin));
        problems.extend(self.unknown_tools(&self.plugin.sidecar, &sidecar_file, &["tools"]));
        let of_sidecar = self.plugin.sidecar.notes.iter();
        let plugin = self.plugin;
        let needs = &plugin.sidecar.needs;
        let missing = notes::of_needs(&plugin.file, &plugin.name, needs, &self.operator.grants);
        resolved.notes.extend(missing.map(|note| self.note(note)));
        resolved
            .notes
            .extend(of_sidecar.map(|note| self.note(format!("{sidecar_file}: {note}"))));
        let left_out = notes::of_left_out(&self.plugin.manifest.contract);
        resolved.notes.extend(
            left_out
                .into_iter()
                .map(|message| self.note(format!("{}: {message}", self.plugin.file))),
        );
        let tools = &self.plugin.manifest.tools;
        let cold = notes::of_warm(self.operator.warm, tools, &self.operator.grants);
        resolved
            .notes
            .extend(cold.map(|note| self.note(format!("{}: {note}", self.plugin.file))));
        let operators = self.operator.limits.applied_to(self.config.limits);
        if self.plugin.sidecar.limits.applied_to(operators)
            != self.plugin.sidecar.limits.lowering(operators)
        {
            resolved.notes.push(self.note(format!(
                "{sidecar_file}: asks for higher limits than the operator allows; only [{}] in coinop.toml raises them",
                dotted(&["plugins", &self.plugin.name, "limits"])
            )));
        }
    }

    /// What is worth knowing of a tool that is listed.
    pub(super) fn notes(&self, listing: &Listing) -> Vec<Note> {
        let operator = self.operator.tools.get(&listing.tool.name);
        let sidecar = self.plugin.sidecar.tools.get(&listing.tool.name);
        let retries = notes::of_retries(listing, self.said_retries(operator, sidecar));
        let caps = notes::of_caps(listing, &self.config.callers.known);
        let accepts = self.accepts(&listing.account, listing.price);
        let left_out = notes::of_accepts(&listing.tool.name, &accepts);
        retries
            .into_iter()
            .chain(caps)
            .chain(left_out)
            .map(|message| self.note(format!("{}: {message}", self.plugin.file)))
            .collect()
    }

    fn note(&self, message: String) -> Note {
        Note {
            plugin: self.plugin.name.clone(),
            message,
        }
    }

    /// The tool as published; `None` when the operator took it off the list.
    pub(super) fn list(&self, tool: &ToolDecl) -> Result<Option<Listing>, String> {
        let operator = self.operator.tools.get(&tool.name);
        let off = [self.operator.enabled, operator.and_then(|t| t.enabled)].contains(&Some(false));
        if off || !self.operator.grant_problems.is_empty() {
            return Ok(None);
        }
        let wrong = |message: String| format!("tool {:?} is not listed: {message}", tool.name);
        let sidecar = self.plugin.sidecar.tools.get(&tool.name);
        let tool = &words::of(tool, operator, sidecar);
        self.publish(tool, operator, sidecar)
            .map(Some)
            .map_err(wrong)
    }

    fn publish(
        &self,
        tool: &ToolDecl,
        operator: Option<&ToolRules>,
        sidecar: Option<&ToolRules>,
    ) -> Result<Listing, String> {
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
        let surface = self.surface(mode);
        let name = self.name(tool, operator, price, surface)?;
        let accepts = self.accepts(&account, price).accounts;
        let (test, links) = match price {
            Price::Free => (false, false),
            Price::PerCall(money) => {
                let refused = |reason| {
                    format!(
                        "its price {money} cannot be charged by the account {account}: {reason}"
                    )
                };
                let charging = (self.chargeable)(&account, &money).map_err(refused)?;
                let table = dotted(&["plugins", &self.plugin.name]);
                payable(mode, &account, &table, charging.links, !accepts.is_empty())?;
                (
                    charging.test,
                    charging.links && surface != Surface::Credential,
                )
            }
        };
        let published = Schemas::of(tool, price, surface, &accepts)?;
        let limits = self.operator.limits.applied_to(self.config.limits);
        let terms = Terms {
            name: &name,
            price,
            surface,
            payment_id_argument: &published.payment_id_argument,
            test,
            links,
        };
        Ok(Listing {
            description: terms.describe(&tool.description),
            plugin: self.plugin.name.clone(),
            manifest: Arc::clone(&self.plugin.manifest),
            tool: tool.clone(),
            price,
            mode,
            surface,
            account,
            test,
            accepts,
            upfront: self.settle(operator) == Settle::Upfront,
            limits: self.plugin.sidecar.limits.lowering(limits),
            on_failure: self.on_failure(operator, sidecar),
            retries: self.retries(tool, operator, sidecar),
            repeatable: self.repeatable(tool),
            settings: Arc::new(self.settings()),
            payment_id_argument: published.payment_id_argument,
            input_schema: Arc::new(published.input),
            output_schema: published.output.map(Arc::new),
            validator: Arc::new(published.validator),
            name,
        })
    }

    /// The accounts that callers may pay themselves. Nobody pays for what is free.
    fn accepts(&self, account: &str, price: Price) -> Accepts {
        let named = self.operator.accept.as_ref();
        let named = named.unwrap_or(&self.config.accept);
        match price {
            Price::Free => Accepts::default(),
            Price::PerCall(money) => Accepts::of(account, named, &money, self.chargeable),
        }
    }

    /// A tool that only a payment with the call can buy, and no account takes one.
    fn settle(&self, operator: Option<&ToolRules>) -> Settle {
        operator
            .and_then(|t| t.settle)
            .or(self.operator.settle)
            .or(self.config.settle)
            .unwrap_or_default()
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

    /// What the mode adds to the list: its own confirm tool, or the one of all.
    fn surface(&self, mode: &dyn Mode) -> Surface {
        match (mode.surface(), self.config.confirm_tool) {
            (Surface::ConfirmTool, ConfirmTool::One) => Surface::ConfirmPayment,
            (surface, _) => surface,
        }
    }

    /// As the mode: what the operator says for the whole server beats a sidecar.
    fn on_failure(&self, operator: Option<&ToolRules>, sidecar: Option<&ToolRules>) -> Remedy {
        operator
            .and_then(|t| t.on_failure)
            .or(self.operator.on_failure)
            .or(self.config.on_failure)
            .or(sidecar.and_then(|t| t.on_failure))
            .or(self.plugin.sidecar.on_failure)
            .unwrap_or(Remedy::Refund)
    }

    fn repeatable(&self, tool: &ToolDecl) -> bool {
        self.operator.grants.repeatable(tool.effects)
    }

    /// How often a failed run is tried again: never where running it twice may do something twice.
    fn retries(
        &self,
        tool: &ToolDecl,
        operator: Option<&ToolRules>,
        sidecar: Option<&ToolRules>,
    ) -> u32 {
        match self.repeatable(tool) {
            true => self.said_retries(operator, sidecar),
            false => 0,
        }
    }

    fn said_retries(&self, operator: Option<&ToolRules>, sidecar: Option<&ToolRules>) -> u32 {
        operator
            .and_then(|t| t.retries)
            .or(self.operator.retries)
            .or(self.config.retries)
            .or(sidecar.and_then(|t| t.retries))
            .or(self.plugin.sidecar.retries)
            .unwrap_or(0)
    }

    fn name(
        &self,
        tool: &ToolDecl,
        operator: Option<&ToolRules>,
        price: Price,
        surface: Surface,
    ) -> Result<String, String> {
        let sidecar = self.plugin.sidecar.tools.get(&tool.name);
        let prefixed = || {
            format!(
                "{}{}",
                self.operator.prefix.as_deref().unwrap_or_default(),
                sidecar.and_then(|t| t.name.as_ref()).unwrap_or(&tool.name)
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
        let has_confirm = matches!(surface, Surface::ConfirmTool | Surface::TakesTurns);
        let longest = match paid && has_confirm {
            true => confirm_name(&name),
            false => name.clone(),
        };
        if longest == CONFIRM_PAYMENT {
            return Err(format!(
                "{CONFIRM_PAYMENT} is the tool that redeems the payments of every tool, so {name} cannot have it for its own. \
                 Add to coinop.toml: [{plugin}] prefix = \"x_\", or [{table}] name = \"…\""
            ));
        }
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

/// Whether callers can pay by the mode what the account charges.
///
/// # Errors
/// What to configure instead.
fn payable(
    mode: &dyn Mode,
    account: &str,
    table: &str,
    links: bool,
    rails: bool,
) -> Result<(), String> {
    let by_credential = mode.surface() == Surface::Credential;
    let name = mode.name();
    match (links, rails) {
        (_, false) if by_credential => Err(format!(
            "mode {name} needs an account with a rail, and {account} has none. Add to coinop.toml: [{table}] \
             accept = [\"…\"], an account that callers can pay themselves, or use mode = \"{AUTO}\""
        )),
        (false, _) if !by_credential && name != AUTO => Err(format!(
            "mode {name} needs an account that makes payment links, and {account} makes none: use mode = \"x402\" or \
             mode = \"{AUTO}\""
        )),
        (false, false) => Err(format!(
            "the account {account} neither makes payment links nor takes payments with the call: nobody could pay it"
        )),
        _ => Ok(()),
    }
}
