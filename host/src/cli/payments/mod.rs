//! `coinop payments`: what the ledger knows of calls and their payments, and the payer's decision from the terminal.
//!
//! It works beside a running host, over the same ledger. Payment ids of anonymous callers are rights to redeem: they are
//! cut short unless asked for.

mod attention;
mod close;
mod command;
mod credit;
mod decide;
mod error;
pub(in crate::cli) mod export;
mod refund;
mod retry;
mod sheet;
mod show;
mod story;
mod table;
#[cfg(test)]
mod tests;
mod view;

use std::io::{self, Write};

use clap::builder::PossibleValuesParser;
use clap::{Args, Subcommand};
use coinop_core::ids::LinkToken;

use crate::gate::{Cashier, Operator};
use crate::ledger::{CallKey, Filter, Ledger, Record};
use crate::provider::Decision;
use crate::provider::sandbox::desk::WEBHOOK_SECRET;

pub use self::attention::AttentionArgs;
pub use self::close::CloseArgs;
pub(super) use self::command::Payments;
use self::decide::decide;
pub use self::error::PaymentsError;
pub use self::export::{ExportArgs, Format};
pub use self::refund::RefundArgs;
use self::view::CallView;

/// Calls listed at once at most.
const LIST_MAX: u32 = 10_000;

/// The states of a call, as written by [`coinop_core::call::CallState::name`].
const STATES: [&str; 18] = [
    "quoted",
    "awaiting",
    "ready",
    "running",
    "executed",
    "settling",
    "deliverable",
    "tool_failed",
    "indeterminate",
    "late_paid",
    "compensation_due",
    "compensating",
    "refunded",
    "credited",
    "withheld",
    "declined",
    "expired",
    "attention",
];

/// Look at payments, and decide pretended ones.
#[derive(Clone, Debug, Args)]
pub struct PaymentsArgs {
    /// What to do.
    #[command(subcommand)]
    pub command: PaymentsCommand,
}

/// What to do with payments.
#[derive(Clone, Debug, Subcommand)]
pub enum PaymentsCommand {
    /// List calls that cost something, the latest first
    List(ListArgs),
    /// Show everything on record about one call
    Show(ShowArgs),
    /// Pay a pretended payment, as its page would
    Pay(IdArgs),
    /// Decline a pretended payment, as its page would
    Decline(IdArgs),
    /// Write out every call with its payment and receipt, for books and audits
    Export(ExportArgs),
    /// List what needs a person, and what settles it
    Attention(AttentionArgs),
    /// Send money back: part or all of a delivered call, all of one that is owed
    Refund(RefundArgs),
    /// Turn what is owed for a call into its caller's balance
    Credit(IdArgs),
    /// Take a stuck call up again, or ask its provider now
    Retry(IdArgs),
    /// Record that a stuck call was settled by other means
    Close(CloseArgs),
    /// Sign the webhooks of pretended payments with a new secret; the one before stays good until the next
    RotateWebhookSecret,
}

/// Which calls to list.
#[derive(Clone, Debug, Args)]
pub struct ListArgs {
    /// How many at most
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=i64::from(LIST_MAX)))]
    pub limit: u32,
    /// Only calls in this state (`--state` names the ledger, here as everywhere)
    #[arg(long, value_name = "STATE", value_parser = PossibleValuesParser::new(STATES))]
    pub only: Option<String>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// Which call to show.
#[derive(Clone, Debug, Args)]
pub struct ShowArgs {
    /// A call's id, a payment's id or a payment link
    #[arg(value_name = "ID")]
    pub id: String,
    /// Show an anonymous caller's payment id in full: whoever has it can redeem the payment
    #[arg(long)]
    pub reveal: bool,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// Which call.
#[derive(Clone, Debug, Args)]
pub struct IdArgs {
    /// A call's id, a payment's id or a payment link
    #[arg(value_name = "ID")]
    pub id: String,
}

/// What the subcommands work with.
pub struct Desk<'a> {
    /// Where calls are kept.
    pub ledger: &'a dyn Ledger,
    /// Who shows and decides payments.
    pub cashier: &'a dyn Cashier,
    /// Who refunds, credits, retries and closes.
    pub operator: &'a dyn Operator,
    /// What payment links of the host's own pages start with, without a trailing slash.
    pub pay_base: String,
}

/// Does what `args` say and writes what there is to see to `out`.
///
/// # Errors
/// [`PaymentsError`], whose text says what to do and whose [`PaymentsError::exit_code`] is the process's.
pub async fn run(
    args: &PaymentsArgs,
    desk: &Desk<'_>,
    out: &mut (dyn Write + Send),
) -> Result<(), PaymentsError> {
    let ledger = desk.ledger;
    match &args.command {
        PaymentsCommand::List(args) => list(args, ledger, out).await,
        PaymentsCommand::Show(args) => show::show(args, desk, out).await,
        PaymentsCommand::Pay(args) => decide(&args.id, Decision::Pay, desk, out).await,
        PaymentsCommand::Decline(args) => decide(&args.id, Decision::Decline, desk, out).await,
        PaymentsCommand::Attention(args) => attention::attention(args, desk, out).await,
        PaymentsCommand::Refund(args) => refund::refund(args, desk, out).await,
        PaymentsCommand::Credit(args) => credit::credit(&args.id, desk, out).await,
        PaymentsCommand::Retry(args) => retry::retry(&args.id, desk, out).await,
        PaymentsCommand::Close(args) => close::close(args, desk, out).await,
        PaymentsCommand::Export(args) => export::export(args, ledger, out).await,
        PaymentsCommand::RotateWebhookSecret => rotate_webhook_secret(ledger, out).await,
    }
}

async fn list(
    args: &ListArgs,
    ledger: &dyn Ledger,
    out: &mut (dyn Write + Send),
) -> Result<(), PaymentsError> {
    let filter = Filter {
        state: args.only.clone(),
        ..Filter::default()
    };
    let records = ledger.list(filter, args.limit).await?;
    let views: Vec<CallView> = records
        .iter()
        .map(|record| CallView::of(record, false))
        .collect();
    match args.json {
        true => print_json(&views, out),
        false => Ok(out.write_all(table::table(&views).as_bytes())?),
    }
}

fn print_json(
    value: &impl serde::Serialize,
    out: &mut (dyn Write + Send),
) -> Result<(), PaymentsError> {
    let text = serde_json::to_string_pretty(value).map_err(io::Error::from)?;
    Ok(writeln!(out, "{text}")?)
}

async fn find(id: &str, ledger: &dyn Ledger) -> Result<Record, PaymentsError> {
    let key = key(id).ok_or(PaymentsError::BadId)?;
    ledger.find(key).await?.ok_or(PaymentsError::Missing)
}

/// A call's id, a payment's id, a link's token, or the address of a payment page.
pub(super) fn key(id: &str) -> Option<CallKey> {
    let id = id.trim();
    let call = || id.parse().ok().map(CallKey::Call);
    let payment = || id.parse().ok().map(CallKey::Payment);
    let path = || id.split(['?', '#']).next().unwrap_or(id);
    let link = || {
        path()
            .split('/')
            .find_map(|part| part.parse::<LinkToken>().ok())
    };
    call()
        .or_else(payment)
        .or_else(|| link().map(CallKey::Link))
}

async fn rotate_webhook_secret(
    ledger: &dyn Ledger,
    out: &mut (dyn Write + Send),
) -> Result<(), PaymentsError> {
    let name = WEBHOOK_SECRET.to_owned();
    ledger.rotate_secret(name, ledger.clock().now()).await?;
    let text = "The webhooks of pretended payments are signed with a new secret. The one before stays good until the \
                next: rotate twice to end it now.";
    Ok(writeln!(out, "{text}")?)
}
