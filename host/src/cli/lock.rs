//! `coinop lock`: accepts plugins as they are, and shows what that changes.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use clap::Args;
use coinop_core::digest::Digest;

use super::{Locations, terminal};
use crate::app;
use crate::catalog::library::Loader;
use crate::catalog::source::read_bounded;
use crate::config::{Config, Overrides, PluginRules};
use crate::reload::plugin_files;
use crate::trust::{self, Admission, Lock, Pinned, Scope, tools};

/// Accept plugins as they are: write down in coinop.lock what they are, say and may reach.
#[derive(Args)]
pub(super) struct LockPlugins {
    /// Plugins, by their files' names without .wasm; without any, the whole folder of plugins
    #[arg(value_name = "PLUGIN")]
    named: Vec<String>,
    /// Write nothing: show what differs, and fail where something does
    #[arg(long)]
    check: bool,
    #[command(flatten)]
    locations: Locations,
}

impl LockPlugins {
    pub(super) async fn run(self) -> anyhow::Result<ExitCode> {
        terminal::log_to_stderr("warn");
        let config = self.locations.load(Overrides::default())?;
        let admission = Admission::read(&config.trust);
        let lock_file = &config.trust.lock_file;
        unbroken(&admission)?;
        let sandbox = app::open_sandbox(&config)?;
        let (mut found, mut unclear) = (BTreeMap::new(), Vec::new());
        for (plugin, file) in self.files(&config)? {
            match pinned(&plugin, &file, &config, &admission, &sandbox).await {
                Ok(pinned) => drop(found.insert(plugin, pinned)),
                Err(error) => {
                    eprintln!("coinop: {}: {error:#}", file.display());
                    unclear.push(plugin);
                }
            }
        }
        // Loading took its time: another command may have written to it meanwhile.
        let admission = admission.read_again(&config.trust);
        unbroken(&admission)?;
        let lock = admission.lock().cloned().unwrap_or_default();
        self.finish(&lock, found, &unclear, lock_file)
    }

    fn finish(
        &self,
        lock: &Lock,
        found: BTreeMap<String, Pinned>,
        unclear: &[String],
        lock_file: &Path,
    ) -> anyhow::Result<ExitCode> {
        let scope = match self.named.is_empty() {
            true => Scope::Folder,
            false => Scope::Named,
        };
        let (next, changes) = trust::updated(lock, found, unclear, scope);
        for change in &changes {
            terminal::print(&change.diff)?;
        }
        let shown = lock_file.display();
        if self.check {
            let same = changes.is_empty() && unclear.is_empty();
            if same {
                terminal::print(&format!("{shown} is as the plugins are\n"))?;
            }
            return Ok(code(same));
        }
        if next != *lock {
            trust::write(lock_file, &next).with_context(|| shown.to_string())?;
        }
        terminal::print(&match changes.len() {
            0 => format!("{shown} is as the plugins are\n"),
            n => format!(
                "{shown}: {n} plugin{} changed\n",
                if n == 1 { "" } else { "s" }
            ),
        })?;
        Ok(code(unclear.is_empty()))
    }

    /// The plugins that are meant, with their files.
    fn files(&self, config: &Config) -> anyhow::Result<BTreeMap<String, PathBuf>> {
        let folder = config.plugins_dir.display().to_string();
        let files = plugin_files(&config.plugins_dir);
        let files = files.map_err(anyhow::Error::msg).context(folder.clone())?;
        let name = |file: &PathBuf| Some(file.file_stem()?.to_str()?.to_owned());
        let mut files: BTreeMap<String, PathBuf> = files
            .into_iter()
            .filter_map(|file| Some((name(&file)?, file)))
            .collect();
        if let Some(missing) = self.named.iter().find(|name| !files.contains_key(*name)) {
            anyhow::bail!("there is no {missing}.wasm in {folder}");
        }
        files.retain(|name, _| self.named.is_empty() || self.named.contains(name));
        Ok(files)
    }
}

/// Fails where the lock is none: whoever writes it would lose what it said.
pub(super) fn unbroken(admission: &Admission) -> anyhow::Result<()> {
    let shown = admission.rules().lock_file.display();
    match admission.lock_wrong() {
        Some(wrong) => anyhow::bail!("{shown}: {wrong}"),
        None => Ok(()),
    }
}

fn code(good: bool) -> ExitCode {
    match good {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    }
}

/// What a plugin is at this moment. Its signature is verified before anything of it runs, its trial included.
async fn pinned(
    plugin: &str,
    file: &Path,
    config: &Config,
    admission: &Admission,
    loader: &dyn Loader,
) -> anyhow::Result<Pinned> {
    let bytes = read_bounded(file).map_err(anyhow::Error::msg)?;
    let signed_by = admission.signed_by(plugin, file, &bytes)?;
    let sidecar = PluginRules::read_sidecar(&file.with_extension("toml"))?.unwrap_or_default();
    let digest = Digest::of(&bytes);
    let code = loader.load(plugin, bytes.into()).await;
    let code = code.map_err(anyhow::Error::msg)?;
    let operator = config.plugins.get(plugin);
    Ok(Pinned {
        digest,
        sidecar: sidecar.sidecar,
        signed_by,
        grants: operator.map_or_else(Vec::new, |rules| rules.grants.lines()),
        tools: tools(&code.manifest().tools, |tool| sidecar.price_of(tool)),
    })
}
