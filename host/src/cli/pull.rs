//! `coinop pull`: fetches a component from a registry into the folder of plugins.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use clap::Args;
use coinop_core::digest::Digest;

use super::registry::At;
use super::{Locations, lock, terminal};
use crate::clock::{Clock as _, SystemClock, rfc3339};
use crate::config::{Config, Overrides};
use crate::reload::plugin_name;
use crate::trust::oci::{self, Fetched, Reference};
use crate::trust::{self, Admission, CosignKey, Pulled};

/// Fetch a component from an OCI registry into the folder of plugins, once it is verified.
#[derive(Args)]
pub(super) struct Pull {
    /// The component: oci://registry/name:tag, with @sha256:… to be sure of the very one
    reference: Reference,
    /// What the plugin is called here [default: the last word of the repository]
    #[arg(long, value_name = "NAME")]
    plugin: Option<String>,
    #[command(flatten)]
    at: At,
    #[command(flatten)]
    locations: Locations,
}

impl Pull {
    pub(super) async fn run(self) -> anyhow::Result<ExitCode> {
        terminal::log_to_stderr("warn");
        let config = self.locations.load(Overrides::default())?;
        let name = self.plugin.as_deref().unwrap_or(self.reference.last_word());
        let file = config.plugins_dir.join(format!("{name}.wasm"));
        let name = plugin_name(&file).map_err(|_| {
            anyhow::anyhow!("{name:?} is no plugin's name: choose one with --plugin")
        })?;
        let admission = Admission::read(&config.trust);
        lock::unbroken(&admission)?;
        let registry = self.at.registry(&self.reference)?;
        let keys = cosign_keys(&config, &name);
        let fetched = oci::pull(&registry, &self.reference, keys).await;
        let fetched = fetched.with_context(|| self.reference.to_string())?;
        // The registry took its time: the lock may say something else by now.
        let admission = admission.read_again(&config.trust);
        lock::unbroken(&admission)?;
        self.keep(&name, file, &fetched, &admission)
    }

    /// The way it came goes into the lock before the file appears, so that whoever sees the file knows who signed it.
    fn keep(
        &self,
        name: &str,
        file: PathBuf,
        fetched: &Fetched,
        admission: &Admission,
    ) -> anyhow::Result<ExitCode> {
        let lock_file = &admission.rules().lock_file;
        let digest = Digest::of(&fetched.bytes);
        let mut next = admission.lock().cloned().unwrap_or_default();
        let pulled = Pulled {
            digest,
            oci: self.reference.to_string(),
            manifest: fetched.manifest,
            pulled_at: rfc3339(SystemClock.now()),
            cosign_key: fetched.cosign_key.clone(),
        };
        next.pulled.insert(name.to_owned(), pulled);
        trust::write(lock_file, &next).with_context(|| lock_file.display().to_string())?;
        trust::write_file(&file, &fetched.bytes).with_context(|| file.display().to_string())?;
        terminal::print(&format!(
            "{}: sha256:{digest}\n  from {}, manifest sha256:{}\n{}{}",
            file.display(),
            self.reference,
            fetched.manifest,
            signed(fetched),
            next_step(name, &digest, &file, admission)
        ))?;
        Ok(ExitCode::SUCCESS)
    }
}

/// The keys of which one must have signed it: none where the operator excepts the plugin.
fn cosign_keys<'a>(config: &'a Config, plugin: &str) -> &'a [CosignKey] {
    match config.trust.required.get(plugin) {
        Some(false) => &[],
        _ => &config.trust.cosign,
    }
}

fn signed(fetched: &Fetched) -> String {
    match &fetched.cosign_key {
        Some(key) => format!("  signed by the cosign key {key}\n"),
        None => String::new(),
    }
}

fn next_step(name: &str, digest: &Digest, file: &Path, admission: &Admission) -> String {
    let pinned = admission.lock().and_then(|lock| lock.plugins.get(name));
    let accepted = pinned.is_some_and(|pinned| pinned.digest == *digest);
    match (admission.rules().locked, accepted, pinned.is_some()) {
        (_, true, _) => String::new(),
        (true, false, _) => format!("  not served until `coinop lock {name}` accepts it\n"),
        (false, false, true) => {
            format!("  `coinop lock {name}` shows what changed, and accepts it\n")
        }
        (false, false, false) => format!("  `coinop check {}` shows its tools\n", file.display()),
    }
}
