//! `coinop ledger`: whether the ledger holds together, and a copy of it.

mod backup;
mod check;
mod view;

use std::process::ExitCode;

use clap::{Args, Subcommand};

use self::backup::Backup;
use self::check::Check;
use super::{Locations, terminal};
use crate::app::existing_ledger;
use crate::config::Overrides;

/// Check that the ledger holds together, or back it up.
#[derive(Args)]
pub(super) struct LedgerCommand {
    #[command(subcommand)]
    what: What,
    #[command(flatten)]
    locations: Locations,
}

#[derive(Subcommand)]
enum What {
    /// Check every entry, receipt, outcome and balance, and say which paid calls are open and why
    Check(Check),
    /// Write a copy that is consistent, while hosts go on
    Backup(Backup),
}

impl LedgerCommand {
    pub(super) async fn run(self) -> anyhow::Result<ExitCode> {
        terminal::log_to_stderr("warn");
        let config = self.locations.load(Overrides::default())?;
        let ledger = existing_ledger(&config).await?;
        match self.what {
            What::Check(check) => check.run(&config, ledger.as_ref()).await,
            What::Backup(backup) => backup.run(ledger.as_ref()).await,
        }
    }
}
