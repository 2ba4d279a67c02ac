//! `coinop push`: publishes a component in a registry.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::Args;

use super::registry::At;
use super::terminal;
use crate::catalog::source::read_bounded;
use crate::clock::{Clock as _, SystemClock, rfc3339};
use crate::trust::oci::{self, Reference};

/// Publish a component in an OCI registry, as other WebAssembly hosts do. Its sidecar does not go along.
#[derive(Args)]
pub(super) struct Push {
    /// The component
    file: PathBuf,
    /// Where to: oci://registry/name:tag
    reference: Reference,
    /// Who made it, for the artifact's configuration
    #[arg(long)]
    author: Option<String>,
    #[command(flatten)]
    at: At,
}

impl Push {
    pub(super) async fn run(self) -> anyhow::Result<ExitCode> {
        terminal::log_to_stderr("warn");
        anyhow::ensure!(
            self.reference.digest.is_none(),
            "what is published has the digest that it has: leave @sha256:… out"
        );
        let bytes = read_bounded(&self.file).map_err(anyhow::Error::msg);
        let bytes = bytes.with_context(|| self.file.display().to_string())?;
        let registry = self.at.registry(&self.reference)?;
        let created = rfc3339(SystemClock.now());
        let pushed = oci::push(&registry, &self.reference, bytes, created, self.author).await;
        let digest = pushed.with_context(|| self.reference.to_string())?;
        terminal::print(&format!("{}@sha256:{digest}\n", self.reference))?;
        Ok(ExitCode::SUCCESS)
    }
}
