//! `coinop check`: what would be served of each file, and why not.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::folder::{admitted_sidecar, plugin_files, plugin_name};
use crate::catalog::Entry;
use crate::catalog::library::Loader;
use crate::catalog::notes::{Note, of_needs};
use crate::catalog::resolve::{Chargeable, Plugin, resolve, unknown_plugins};
use crate::catalog::source::{file_name, read_bounded, without_file};
use crate::config::{Config, ConfigError};
use crate::grants::{Grants, Needs};
use crate::trust::{Admission, provenance};

/// From this size on, bytes, a person wants to know what the wait is for.
const TELLING_BYTES: usize = 1 << 20;

/// What would become of one file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileReport {
    /// The file.
    pub file: PathBuf,
    /// The tools that would be listed.
    pub tools: Vec<ToolReport>,
    /// The interfaces it imports; what its language's runtime brings along is among them.
    pub imports: Vec<String>,
    /// What its sidecar says it needs.
    pub needs: Needs,
    /// What it is granted.
    pub grants: Arc<Grants>,
    /// Where the file comes from and what vouches for it, lines for people; nothing where it could not be read.
    pub provenance: Vec<String>,
    /// What is wrong with it, its sidecar, or the rules about it; empty when all is well.
    pub problems: Vec<String>,
    /// What is worth knowing and stops nothing.
    pub notes: Vec<String>,
}

/// A tool that would be listed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ToolReport {
    /// The published name.
    pub name: String,
    /// What it does, in the plugin's words.
    pub description: String,
    /// JSON Schema of its arguments, as text.
    pub input_schema: String,
    /// JSON Schema of its structured answer, when it gives one, as text.
    pub output_schema: Option<String>,
    /// Its price, such as `free` or `0.003 USD per call`.
    pub price: String,
    /// How its payment is coordinated, by the mode's name.
    pub mode: &'static str,
    /// The tool that redeems its payments, where one does.
    pub confirm_tool: Option<String>,
    /// The account it is paid into.
    pub account: String,
}

impl FileReport {
    /// Of a file of which nothing is known.
    fn of(file: PathBuf) -> Self {
        Self {
            file,
            tools: Vec::new(),
            imports: Vec::new(),
            needs: Needs::default(),
            grants: Arc::default(),
            provenance: Vec::new(),
            problems: Vec::new(),
            notes: Vec::new(),
        }
    }
}

/// Checks every plugin in the configured folder, and what `coinop.toml` says of plugins that are not there.
///
/// # Errors
/// The folder cannot be read.
pub async fn check_folder(
    config: &Config,
    loader: &dyn Loader,
    chargeable: &Chargeable,
) -> Result<Vec<FileReport>, String> {
    let files = plugin_files(&config.plugins_dir)
        .map_err(|e| format!("{}: {e}", config.plugins_dir.display()))?;
    let present = files.iter().filter_map(|f| plugin_name(f).ok()).collect();
    let mut reports = check_files(files, config, loader, chargeable).await;
    let mut problems = Vec::new();
    unknown_plugins(config, &present, &mut problems);
    if !problems.is_empty() || !config.notes.is_empty() {
        reports.push(FileReport {
            problems: problems.into_iter().map(|p| p.message).collect(),
            notes: config.notes.iter().map(ConfigError::in_file).collect(),
            ..FileReport::of(config.file.clone())
        });
    }
    Ok(reports)
}

/// Checks `files` as if they were the whole folder.
pub async fn check_files(
    files: Vec<PathBuf>,
    config: &Config,
    loader: &dyn Loader,
    chargeable: &Chargeable,
) -> Vec<FileReport> {
    let mut reports = Vec::new();
    let mut plugins = Vec::new();
    let admission = Arc::new(Admission::read(&config.trust));
    for file in files {
        let examined = examine(&file, loader, &admission).await;
        plugins.extend(examined.plugin.map(|plugin| (reports.len(), plugin)));
        reports.push(FileReport {
            provenance: examined.provenance,
            problems: examined.problems,
            ..FileReport::of(file)
        });
    }
    let only: Vec<Plugin> = plugins.iter().map(|(_, plugin)| plugin.clone()).collect();
    // Rules for plugins that were not asked about are no concern of this check.
    let present: BTreeSet<String> = only
        .iter()
        .map(|p| p.name.clone())
        .chain(config.plugins.keys().cloned())
        .collect();
    let resolved = resolve(config, &only, &present, chargeable);
    let withheld = admission.allowed(config.grants()).withheld;
    for (at, plugin) in &plugins {
        let lacking = withheld.iter().filter(|(name, _)| *name == plugin.name);
        reports[*at]
            .problems
            .extend(lacking.map(|(_, message)| message.clone()));
        let listings = resolved
            .snapshot
            .tools
            .iter()
            .filter_map(|(name, entry)| match entry {
                Entry::Tool(listing) if listing.plugin == plugin.name => Some((name, listing)),
                _ => None,
            });
        reports[*at].tools = listings
            .map(|(name, listing)| ToolReport {
                name: name.clone(),
                description: listing.tool.description.clone(),
                input_schema: listing.tool.input_schema.clone(),
                output_schema: listing.tool.output_schema.clone(),
                price: listing.price.to_string(),
                mode: listing.mode.name(),
                confirm_tool: listing.listed_confirm_tool(),
                account: listing.account.clone(),
            })
            .collect();
        let rules = config.plugins.get(&plugin.name);
        let grants = rules.map(|rules| Arc::clone(&rules.grants));
        let (grants, needs) = (grants.unwrap_or_default(), &plugin.sidecar.needs);
        // The report has its needs one by one.
        let needy = of_needs(&plugin.file, &plugin.name, needs, &grants);
        let about =
            |note: &&Note| note.plugin == plugin.name && Some(&note.message) != needy.as_ref();
        let notes = resolved.notes.iter().filter(about);
        reports[*at].notes = notes.map(|note| note.message.clone()).collect();
        reports[*at].imports.clone_from(&plugin.manifest.imports);
        reports[*at].needs = needs.clone();
        reports[*at].grants = grants;
        let sidecar = format!("{}.toml", plugin.name);
        let prefix = format!("plugins.{}", plugin.name);
        let about = resolved.snapshot.problems.iter().filter(|problem| {
            problem.file == plugin.file
                || problem.file == sidecar
                || is_about(&problem.message, &prefix)
        });
        reports[*at]
            .problems
            .extend(about.map(|problem| problem.message.clone()));
    }
    reports
}

/// Whether a message begins with this key, and not with a longer one.
fn is_about(message: &str, key: &str) -> bool {
    let rest = message.strip_prefix(key);
    rest.is_some_and(|rest| {
        !rest.starts_with(|c: char| c.is_alphanumeric() || c == '-' || c == '_')
    })
}

/// What one file is found to be.
#[derive(Default)]
struct Examined {
    plugin: Option<Plugin>,
    provenance: Vec<String>,
    problems: Vec<String>,
}

async fn examine(file: &Path, loader: &dyn Loader, admission: &Arc<Admission>) -> Examined {
    let shown = file_name(file);
    let (path, admission) = (file.to_owned(), Arc::clone(admission));
    let read = tokio::task::spawn_blocking(move || {
        let name = plugin_name(&path);
        let plugin = name.clone().unwrap_or_default();
        let read = read_bounded(&path);
        let of = |bytes: &Vec<u8>| provenance(&path, bytes, &admission);
        let provenance = read.as_ref().map(of).unwrap_or_default();
        let bytes = read.and_then(|bytes| {
            let admitted = admission.admit(&plugin, &path, &bytes);
            admitted
                .map(|()| bytes)
                .map_err(|refusal| refusal.to_string())
        });
        let sidecar = admitted_sidecar(&plugin, &path, &admission);
        (name, bytes, sidecar, provenance)
    });
    let (name, bytes, sidecar, provenance) = match read.await {
        Ok(read) => read,
        Err(error) => {
            return Examined {
                problems: vec![error.to_string()],
                ..Examined::default()
            };
        }
    };
    let mut problems = Vec::new();
    let mut note = |problem: String| problems.push(problem);
    let name = name.map_err(&mut note).ok();
    let sidecar_file = file_name(&file.with_extension("toml"));
    let sidecar = sidecar
        .map_err(|e| note(format!("{sidecar_file}: {e}")))
        .ok();
    let loaded = match bytes {
        Ok(bytes) => {
            if bytes.len() >= TELLING_BYTES {
                tracing::info!("loading {shown} ({} MiB)", bytes.len() >> 20);
            }
            loader.load(&shown, bytes.into()).await
        }
        Err(error) => Err(error),
    };
    let manifest = loaded.map(|code| code.manifest().clone());
    let manifest = manifest.map_err(|e| note(without_file(&e, file))).ok();
    let plugin = match (name, sidecar, manifest) {
        (Some(name), Some(sidecar), Some(manifest)) => Some(Plugin {
            name,
            file: shown,
            manifest: Arc::new(manifest),
            sidecar: Arc::new(sidecar.unwrap_or_default()),
        }),
        _ => None,
    };
    Examined {
        plugin,
        provenance,
        problems,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_about_the_key_it_begins_with_and_no_longer_one() {
        assert!(is_about("plugins.a.price: no amount", "plugins.a"));
        assert!(is_about("plugins.a: no such plugin", "plugins.a"));
        assert!(is_about("plugins.a", "plugins.a"));
        for other in [
            "plugins.ab.price: x",
            "plugins.a-b: x",
            "plugins.a_b: x",
            "plugins.b: plugins.a",
        ] {
            assert!(!is_about(other, "plugins.a"), "{other}");
        }
    }
}
