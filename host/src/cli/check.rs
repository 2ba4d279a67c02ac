//! `coinop check`: what is in plugin files, what their tools cost, and what is wrong with them.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context as _;
use clap::Args;
use coinop_core::mode::Surface;
use coinop_core::price::Price;

use super::{Locations, terminal};
use crate::app;
use crate::catalog::Entry;
use crate::catalog::resolve::{Plugin, Resolved, resolve};
use crate::clock::{Clock as _, SystemClock};
use crate::config::{Config, Overrides, PluginRules};
use crate::ledger::sqlite::SqliteLedger;
use crate::reload::{PluginFile, plugin_file, plugin_files};
use crate::sandbox::{Sandbox, SandboxSettings};

/// Say what is in plugin files, what their tools cost, and what is wrong with them.
#[derive(Args)]
pub(super) struct Check {
    /// Plugin files; without any, the whole folder of plugins and the configuration
    files: Vec<PathBuf>,
    #[command(flatten)]
    locations: Locations,
}

impl Check {
    pub(super) async fn run(self) -> anyhow::Result<ExitCode> {
        terminal::log_to_stderr("warn");
        let config = self.locations.load(Overrides::default())?;
        let sandbox = Sandbox::new(SandboxSettings::new(&config.cache_dir))?;
        let mut report = Report::default();
        for path in self.paths(&config)? {
            report.look_at(&sandbox, &path).await;
        }
        let resolved = report.resolve(&config, self.files.is_empty())?;
        report.print(&resolved, &config)?;
        let good = report.errors == 0 && resolved.snapshot.problems.is_empty();
        Ok(if good {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        })
    }

    fn paths(&self, config: &Config) -> anyhow::Result<Vec<PathBuf>> {
        if !self.files.is_empty() {
            return Ok(self.files.clone());
        }
        let folder = &config.plugins_dir;
        let files = plugin_files(folder).with_context(|| {
            format!(
                "{}: create it and put plugins there, or name another with --plugins",
                folder.display()
            )
        })?;
        Ok(files.into_iter().map(|file| file.path).collect())
    }
}

/// What was found so far.
#[derive(Default)]
struct Report {
    plugins: Vec<Plugin>,
    lines: String,
    errors: usize,
}

impl Report {
    async fn look_at(&mut self, sandbox: &Sandbox, path: &Path) {
        if let Err(message) = self.load(sandbox, path).await {
            self.errors += 1;
            let _ = writeln!(self.lines, "✗ {message}");
        }
    }

    async fn load(&mut self, sandbox: &Sandbox, path: &Path) -> Result<(), String> {
        let shown = path.display().to_string();
        let bytes = std::fs::read(path).map_err(|e| format!("{shown}: {e}"))?;
        let component = sandbox
            .load(&shown, bytes.into())
            .await
            .map_err(|e| e.to_string())?;
        let sidecar =
            PluginRules::read_sidecar(&path.with_extension("toml")).map_err(|e| e.to_string())?;
        let PluginFile { plugin, .. } = plugin_file(path).ok_or_else(|| {
            format!("{shown}: loads, and is not served: a plugin's file name ends in .wasm")
        })?;
        self.plugins.push(Plugin {
            name: plugin,
            file: shown,
            manifest: Arc::new(component.manifest().clone()),
            sidecar: Arc::new(sidecar.unwrap_or_default()),
        });
        Ok(())
    }

    /// Prices and names as they would be served. Rules for plugins that were not asked about are not our business.
    fn resolve(&self, config: &Config, whole_folder: bool) -> anyhow::Result<Resolved> {
        let ledger = Arc::new(SqliteLedger::open(&config.state, SystemClock.now())?);
        let accounts = app::accounts(config, &ledger)?;
        let mut present: std::collections::BTreeSet<String> =
            self.plugins.iter().map(|p| p.name.clone()).collect();
        if !whole_folder {
            present.extend(config.plugins.keys().cloned());
        }
        let chargeable = app::chargeable(accounts);
        Ok(resolve(config, &self.plugins, &present, &chargeable))
    }

    fn print(&mut self, resolved: &Resolved, config: &Config) -> anyhow::Result<()> {
        let mut text = String::new();
        for plugin in &self.plugins {
            let manifest = &plugin.manifest;
            writeln!(text, "✓ {}", plugin.file)?;
            writeln!(
                text,
                "  sha256 {}, coinop:plugin {}",
                manifest.digest, manifest.wit_version
            )?;
            for entry in resolved.snapshot.tools.values() {
                let Entry::Tool(listing) = entry else {
                    continue;
                };
                if listing.plugin != plugin.name || listing.manifest.digest != manifest.digest {
                    continue;
                }
                let how = match (listing.price, listing.mode.surface()) {
                    (Price::Free, _) => String::new(),
                    (_, Surface::ConfirmTool) => format!(", confirmed by confirm_{}", listing.name),
                    (_, Surface::PaymentIdArgument) => {
                        format!(", resubmitted with {}", listing.payment_id_argument)
                    }
                };
                writeln!(text, "  {}: {}{how}", listing.name, listing.price)?;
            }
        }
        text.push_str(&self.lines);
        for problem in &resolved.snapshot.problems {
            writeln!(text, "✗ {}", problem.line())?;
        }
        for note in &resolved.notes {
            writeln!(text, "· {note}")?;
        }
        if self.plugins.is_empty() && self.errors == 0 {
            writeln!(text, "No plugins in {}", config.plugins_dir.display())?;
        }
        terminal::print(&text)
    }
}
