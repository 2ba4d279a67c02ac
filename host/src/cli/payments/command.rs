//! The command itself: opens the ledger, and works beside whatever host is running on it.

use std::io;
use std::process::ExitCode;

use clap::Args;

use super::PaymentsArgs;
use crate::app;
use crate::cli::{Locations, terminal};
use crate::config::Overrides;

/// Look at payments, and pay or decline pretended ones.
#[derive(Args)]
pub(in crate::cli) struct Payments {
    #[command(flatten)]
    args: PaymentsArgs,
    #[command(flatten)]
    locations: Locations,
}

impl Payments {
    pub(in crate::cli) async fn run(self) -> anyhow::Result<ExitCode> {
        terminal::log_to_stderr("warn");
        let config = self.locations.load(Overrides::default())?;
        if !config.state.exists() {
            let path = config.state.display();
            anyhow::bail!(
                "there is no ledger {path}: no coinop has run with it yet; --state names another one"
            );
        }
        let ledger = app::open_ledger(&config)?;
        let cashier = app::cashier(&config, &ledger)?;
        match super::run(&self.args, ledger.as_ref(), &cashier, &mut io::stdout()).await {
            Ok(()) => Ok(ExitCode::SUCCESS),
            Err(super::PaymentsError::Output(error)) => Err(error.into()),
            Err(error) => {
                let code = ExitCode::from(error.exit_code());
                terminal::fail(&error.into());
                Ok(code)
            }
        }
    }
}
