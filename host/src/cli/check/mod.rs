//! `coinop check`: what is in plugin files, what their tools cost, and what is wrong with them.

mod accounts;
mod imports;
mod json;
mod schema;
mod text;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use super::{Locations, terminal};
use crate::app;
use crate::config::{Config, Overrides};
use crate::gate::Accounts;
use crate::reload::{FileReport, check_files, check_folder};

/// Say what is in plugin files, what their tools cost, and what is wrong with them.
#[derive(Args)]
pub(super) struct Check {
    /// Plugin files; without any, the whole folder of plugins
    files: Vec<PathBuf>,
    /// Print everything as JSON, schemas in full
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    locations: Locations,
}

impl Check {
    pub(super) async fn run(self) -> anyhow::Result<ExitCode> {
        terminal::log_to_stderr("warn,coinop::reload=info");
        let config = self.locations.load(Overrides::default())?;
        let ledger = app::open_ledger(&config).await?;
        let accounts = app::accounts(&config, &ledger).await?;
        let reports = self.look(&config, &accounts).await?;
        let shown = match self.json {
            true => json::shown(&reports, accounts::json(&accounts))?,
            false => text::shown(&reports, &config.plugins_dir) + &accounts::text(&accounts),
        };
        terminal::print(&shown)?;
        let good = reports.iter().all(|report| report.problems.is_empty());
        Ok(if good {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        })
    }

    async fn look(&self, config: &Config, accounts: &Accounts) -> anyhow::Result<Vec<FileReport>> {
        let sandbox = app::open_sandbox(config)?;
        let chargeable = app::chargeable(accounts.clone());
        if self.files.is_empty() {
            let folder = check_folder(config, &sandbox, chargeable.as_ref()).await;
            return folder.map_err(anyhow::Error::msg);
        }
        Ok(check_files(self.files.clone(), config, &sandbox, chargeable.as_ref()).await)
    }
}
