//! `coinop reconcile`: compares the ledger with what the providers have on record, and prints every difference.

mod view;

use std::process::ExitCode;

use clap::Args;
use coinop_core::Millis;

use self::view::{AccountView, told};
use super::moment::moment;
use super::{Locations, terminal};
use crate::app::{self, existing_ledger};
use crate::clock::rfc3339;
use crate::config::Overrides;
use crate::provider::{Period, ProviderError};
use crate::reconcile::{Fees, ReconcileError, Scope, reconcile};

/// The period where none is said, milliseconds.
const DAY_MS: Millis = 24 * 60 * 60_000;

/// Compare the ledger with what the providers have on record.
#[derive(Args)]
pub(super) struct Reconcile {
    /// Only this account [default: all of them]
    #[arg(long, value_name = "NAME")]
    account: Option<String>,
    /// From this time on, such as 2026-11-20 (UTC) or 2026-11-20T10:00:00Z [default: a day before --until]
    #[arg(long, value_name = "TIME", value_parser = moment)]
    since: Option<Millis>,
    /// Before this time [default: now]
    #[arg(long, value_name = "TIME", value_parser = moment)]
    until: Option<Millis>,
    /// Record the fees that the providers charged
    #[arg(long)]
    record_fees: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    locations: Locations,
}

impl Reconcile {
    pub(super) async fn run(self) -> anyhow::Result<ExitCode> {
        terminal::log_to_stderr("warn");
        let config = self.locations.load(Overrides::default())?;
        let ledger = existing_ledger(&config).await?;
        let now = ledger.clock().now();
        let period = self.period(now)?;
        let accounts = app::accounts(&config, &ledger).await?;
        let names = match &self.account {
            Some(name) => vec![name.clone()],
            None => accounts.keys().cloned().collect(),
        };
        let mut views = Vec::new();
        for account in names {
            let scope = Scope {
                account: account.clone(),
                period,
                now,
                fees: match self.record_fees {
                    true => Fees::Record,
                    false => Fees::Compare,
                },
            };
            match reconcile(ledger.as_ref(), &accounts, &scope).await {
                Ok(report) => views.push(AccountView::of(&account, report)),
                Err(ReconcileError::Provider(error @ ProviderError::Unsupported { .. }))
                    if self.account.is_none() =>
                {
                    views.push(AccountView::passed_over(&account, &error.to_string()));
                }
                Err(error @ ReconcileError::Account(_)) => return Err(error.into()),
                Err(error) => {
                    return Err(anyhow::Error::from(error).context(format!("account {account:?}")));
                }
            }
        }
        let equal = views.iter().all(AccountView::is_equal);
        let (since, until) = (rfc3339(period.since), rfc3339(period.until));
        let text = match self.json {
            true => view::json(&since, &until, equal, &views)?,
            false => told(&since, &until, &views),
        };
        terminal::print(&text)?;
        Ok(match equal {
            true => ExitCode::SUCCESS,
            false => ExitCode::FAILURE,
        })
    }

    fn period(&self, now: Millis) -> anyhow::Result<Period> {
        let until = self.until.unwrap_or(now);
        let since = self.since.unwrap_or(until - DAY_MS);
        anyhow::ensure!(
            since < until,
            "--since {} is not before --until {}",
            rfc3339(since),
            rfc3339(until)
        );
        Ok(Period { since, until })
    }
}
