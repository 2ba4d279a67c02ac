//! Why `coinop receipts` says no, and with which exit code. Receipts that do not hold are no error: they are the answer.

use std::io;

use coinop_core::receipt::ReceiptError;

use crate::ledger::LedgerError;

/// Why `coinop receipts` did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub(super) enum ReceiptsError {
    /// Not an id.
    #[error(
        "that is no id: give a call's id (call_…), a payment's id (pay_…) or a payment link, in full; `coinop payments list` shows them"
    )]
    BadId,
    /// Nothing of that id in this ledger.
    #[error(
        "no call with that id is on record: `coinop payments list` shows the calls of this ledger; --state chooses another one"
    )]
    Missing,
    /// Not delivered.
    #[error(
        "the call {call} has no receipt: it is {state}, and a receipt is issued when a paid call is delivered"
    )]
    NoReceipt {
        /// Its id.
        call: String,
        /// How it stands.
        state: &'static str,
    },
    /// Nothing to verify against.
    #[error(
        "there are no keys to verify with: --keys names a key set (a file, or the address of the host's /.well-known/coinop-receipts.json), --state a ledger"
    )]
    NoLedger,
    /// A file that cannot be read.
    #[error("cannot read {name}: {error}")]
    Read {
        /// Which.
        name: String,
        /// Why.
        error: io::Error,
    },
    /// A key set that is none, or cannot be had.
    #[error("no keys from {from}: {why}")]
    Keys {
        /// Where it should be.
        from: String,
        /// What is wrong.
        why: String,
    },
    /// No receipt in what was to be verified.
    #[error(
        "there is no receipt in {0}: give compact receipts one a line, receipts or results as JSON, or an export"
    )]
    Empty(String),
    /// The ledger's own receipt.
    #[error("the ledger's receipt does not verify: {0}")]
    Receipt(#[from] ReceiptError),
    /// The ledger failed.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// Nobody reads what is written.
    #[error("cannot write: {0}")]
    Output(#[from] io::Error),
}

impl ReceiptsError {
    /// The process's exit code: 2 for a call that was written wrong (as for every wrong argument), else 1.
    pub(super) fn exit_code(&self) -> u8 {
        match self {
            Self::BadId => 2,
            _ => 1,
        }
    }
}
