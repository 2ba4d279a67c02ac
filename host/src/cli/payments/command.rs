//! The command itself: opens the ledger, and works beside whatever host is running on it.

use std::io;
use std::process::ExitCode;

use clap::Args;

use super::{Desk, PaymentsArgs};
use crate::app::{self, existing_ledger};
use crate::cli::{Locations, terminal};
use crate::config::{self, Config, Overrides};

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
        let ledger = existing_ledger(&config).await?;
        let gate = app::cashier(&config, &ledger).await?;
        let desk = Desk {
            ledger: ledger.as_ref(),
            cashier: &gate,
            operator: &gate,
            pay_base: pay_base(&config),
        };
        match super::run(&self.args, &desk, &mut io::stdout()).await {
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

/// What payment links start with, as far as the configuration says: a host may have been started on another address.
fn pay_base(config: &Config) -> String {
    let own = || {
        let addr = config.http.addr;
        format!("http://{}", addr.unwrap_or(config::DEFAULT_ADDR))
    };
    config.public_url.clone().unwrap_or_else(own)
}
