//! `coinop ledger check`: everything that must hold of a ledger, one fault a line.

use std::process::ExitCode;

use clap::Args;

use super::view;
use crate::audit::audit;
use crate::cli::terminal;
use crate::config::Config;
use crate::ledger::Ledger;

/// How to print what was found.
#[derive(Args)]
pub(super) struct Check {
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl Check {
    pub(super) async fn run(
        &self,
        config: &Config,
        ledger: &dyn Ledger,
    ) -> anyhow::Result<ExitCode> {
        let retention_ms = i64::try_from(config.outcome_retention.as_millis()).unwrap_or(i64::MAX);
        let findings = audit(ledger, retention_ms, ledger.clock().now()).await?;
        let text = match self.json {
            true => view::json(&findings)?,
            false => view::told(&findings),
        };
        terminal::print(&text)?;
        Ok(match findings.faults.is_empty() {
            true => ExitCode::SUCCESS,
            false => ExitCode::FAILURE,
        })
    }
}
