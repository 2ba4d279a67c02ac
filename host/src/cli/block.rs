//! `coinop block`: stop selling and running one version of a plugin at once, on every host of the ledger.

use std::path::Path;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::Args;
use coinop_core::digest::Digest;

use super::{Locations, terminal};
use crate::app;
use crate::config::Overrides;

/// Stop selling and running one version of a plugin at once.
#[derive(Args)]
pub(super) struct Block {
    /// The version: a component's SHA-256 digest, or its file. Without it, the blocked ones are listed
    component: Option<String>,
    /// Lift the block instead
    #[arg(long, requires = "component")]
    lift: bool,
    #[command(flatten)]
    locations: Locations,
}

impl Block {
    pub(super) async fn run(self) -> anyhow::Result<ExitCode> {
        let config = self.locations.load(Overrides::default())?;
        let ledger = app::open_ledger(&config).await?;
        let Some(component) = &self.component else {
            let blocked = ledger.blocked().await?;
            let lines: String = blocked.iter().map(|digest| format!("{digest}\n")).collect();
            terminal::print(&lines)?;
            return Ok(ExitCode::SUCCESS);
        };
        let digest = digest_of(component)?;
        let now = ledger.clock().now();
        ledger.set_blocked(digest, !self.lift, now).await?;
        let done = if self.lift {
            "no longer blocked"
        } else {
            "blocked"
        };
        let ledger = config.state.display();
        terminal::print(&format!("{digest} is {done} on every host of {ledger}\n"))?;
        Ok(ExitCode::SUCCESS)
    }
}

fn digest_of(component: &str) -> anyhow::Result<Digest> {
    let hex = component.strip_prefix("sha256:").unwrap_or(component);
    if let Ok(digest) = hex.parse() {
        return Ok(digest);
    }
    let bytes = std::fs::read(Path::new(component)).with_context(|| {
        format!("{component} is neither a SHA-256 digest nor a file that can be read")
    })?;
    Ok(Digest::of(&bytes))
}
