//! The command itself: opens the ledger where one is needed, and works beside whatever host is running on it.

use std::io;
use std::process::ExitCode;
use std::sync::Arc;

use clap::Args;

use super::{ReceiptsArgs, ReceiptsError, Verdict};
use crate::app::{Store, existing_ledger};
use crate::cli::{Locations, terminal};
use crate::clock::{Clock as _, SystemClock};
use crate::config::Overrides;
use crate::ledger::Ledger;

/// Verify receipts, and look after the keys that sign them.
#[derive(Args)]
pub(in crate::cli) struct Receipts {
    #[command(flatten)]
    args: ReceiptsArgs,
    #[command(flatten)]
    locations: Locations,
}

impl Receipts {
    pub(in crate::cli) async fn run(self) -> anyhow::Result<ExitCode> {
        terminal::log_to_stderr("warn");
        let ledger = match self.args.is_offline() {
            true => None,
            false => Some(self.ledger().await?),
        };
        let ledger = ledger.as_deref().map(|store| store as &dyn Ledger);
        let now = ledger.map_or_else(|| SystemClock.now(), |ledger| ledger.clock().now());
        match super::run(&self.args, ledger, now, &mut io::stdout()).await {
            Ok(Verdict::Holds) => Ok(ExitCode::SUCCESS),
            Ok(Verdict::Fails) => Ok(ExitCode::FAILURE),
            Err(ReceiptsError::Output(error)) => Err(error.into()),
            Err(error) => {
                let code = ExitCode::from(error.exit_code());
                terminal::fail(&error.into());
                Ok(code)
            }
        }
    }

    async fn ledger(&self) -> anyhow::Result<Arc<dyn Store>> {
        let config = self.locations.load(Overrides::default())?;
        let opened = existing_ledger(&config).await;
        match self.args.may_be_offline() {
            true => {
                opened.map_err(|error| anyhow::anyhow!("{error:#}; with --keys none is needed"))
            }
            false => opened,
        }
    }
}
