//! `coinop receipts`: proof of what was bought, verified offline, and the keys that sign it.

mod chains;
mod claim;
mod command;
mod error;
mod sheet;
mod source;
#[cfg(test)]
mod tests;
mod trust;
mod verify;

use std::io::Write;

use clap::{Args, Subcommand};
use coinop_core::Millis;

use crate::ledger::Ledger;

pub(super) use self::command::Receipts;
use self::error::ReceiptsError;

/// Verify receipts, and look after their keys.
#[derive(Clone, Debug, Args)]
pub(super) struct ReceiptsArgs {
    /// What to do.
    #[command(subcommand)]
    command: ReceiptsCommand,
}

/// What to do with receipts.
#[derive(Clone, Debug, Subcommand)]
enum ReceiptsCommand {
    /// Check receipts against keys: signatures, what they read, and that none is missing from between
    Verify(verify::VerifyArgs),
    /// Print the public keys that receipts are verified with, as a JSON Web Key Set
    Keys,
    /// Make a new key that signs from now on; earlier receipts keep theirs
    Rotate,
    /// Show the receipt of one call
    Show(ShowArgs),
}

/// Whose receipt to show.
#[derive(Clone, Debug, Args)]
struct ShowArgs {
    /// A call's id, a payment's id or a payment link
    #[arg(value_name = "CALL")]
    id: String,
    /// Print JSON, as clients are given it
    #[arg(long)]
    json: bool,
}

/// How a command that did its work ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    /// Everything holds, or there was nothing to judge.
    Holds,
    /// Something does not.
    Fails,
}

impl ReceiptsArgs {
    /// Whether the command would work without a ledger, were it given keys.
    fn may_be_offline(&self) -> bool {
        matches!(&self.command, ReceiptsCommand::Verify(_))
    }

    /// Whether the command works without a ledger.
    fn is_offline(&self) -> bool {
        matches!(&self.command, ReceiptsCommand::Verify(args) if args.keys.is_some())
    }
}

/// Does what `args` say, at `now`, and writes what there is to see to `out`. Verifying against given keys needs no ledger.
///
/// # Errors
/// [`ReceiptsError`], whose text says what to do.
async fn run(
    args: &ReceiptsArgs,
    ledger: Option<&dyn Ledger>,
    now: Millis,
    out: &mut (dyn Write + Send),
) -> Result<Verdict, ReceiptsError> {
    let known = || ledger.ok_or(ReceiptsError::NoLedger);
    match &args.command {
        ReceiptsCommand::Verify(args) => return verify::verify(args, ledger, out).await,
        ReceiptsCommand::Keys => {
            let keys = known()?.receipt_keys().await?.to_jwks();
            writeln!(out, "{keys:#}")?;
        }
        ReceiptsCommand::Rotate => {
            let id = known()?.rotate_receipt_key(now).await?;
            writeln!(
                out,
                "Receipts are signed with the key {id} from now on. Earlier keys stay in the key set."
            )?;
        }
        ReceiptsCommand::Show(args) => show(args, known()?, out).await?,
    }
    Ok(Verdict::Holds)
}

async fn show(
    args: &ShowArgs,
    ledger: &dyn Ledger,
    out: &mut (dyn Write + Send),
) -> Result<(), ReceiptsError> {
    let key = super::payments::key(&args.id).ok_or(ReceiptsError::BadId)?;
    let call = ledger.find(key).await?.ok_or(ReceiptsError::Missing)?.call;
    let Some(text) = ledger.receipt(call.id.clone()).await? else {
        return Err(ReceiptsError::NoReceipt {
            call: call.id.to_string(),
            state: call.state.name(),
        });
    };
    let receipt = ledger.receipt_keys().await?.verify(&text)?;
    match args.json {
        true => {
            let object = serde_json::Value::from(coinop_core::receipt::object(&text));
            writeln!(out, "{object:#}")?;
        }
        false => out.write_all(sheet::sheet(&receipt, &text).as_bytes())?,
    }
    Ok(())
}
