//! Manifests, configuration and sidecars become the listing: pure, so that a table can test it.
//!
//! Of tools that would have the same name none is listed: whoever came first would otherwise depend on file names, and
//! a caller might pay the wrong seller.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use coinop_core::mode::Surface;
use coinop_core::money::Money;

use super::notes::Note;
use super::seller::Seller;
use super::{Entry, Listing, Problem, Snapshot};
use crate::config::{Config, PluginRules, did_you_mean, dotted};
use crate::plugin::Manifest;

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
    /// Whether it makes links that people pay by.
    pub links: bool,
    /// Whether it takes payments that callers bring with the call.
    pub rail: bool,
}

/// Says whether an account can charge a price, or why not.
pub type Chargeable = dyn Fn(&str, &Money) -> Result<Charging, String> + Send + Sync;

/// What [`resolve`] makes.
#[derive(Default)]
pub struct Resolved {
    /// To be published; its revision is the catalogue's to set.
    pub snapshot: Snapshot,
    /// What is worth knowing and stops nothing.
    pub notes: Vec<Note>,
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
                Ok(Some(listing)) => {
                    resolved.notes.extend(seller.notes(&listing));
                    candidates
                        .entry(listing.name.clone())
                        .or_default()
                        .push(listing);
                }
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
    if let Some(confirm) = listing.listed_confirm_tool() {
        let entry = match listing.surface {
            Surface::ConfirmPayment => Entry::ConfirmPayment,
            _ => Entry::Confirm(Arc::clone(&listing)),
        };
        tools.insert(confirm, entry);
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

/// What the configuration says of plugins there is no file of: most likely a name with a typing error, whose price
/// would not apply.
pub(crate) fn unknown_plugins(
    config: &Config,
    present: &BTreeSet<String>,
    problems: &mut Vec<Problem>,
) {
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

#[cfg(test)]
#[path = "resolve_tests.rs"]
mod tests;
