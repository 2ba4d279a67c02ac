//! Why `coinop payments` says no, and with which exit code.

use std::io;

use crate::gate::NotDone;
use crate::ledger::LedgerError;
use crate::unruly::tame;

/// Longest address shown.
const URL_CHARS_MAX: usize = 400;

/// Why `coinop payments` did not do what it was asked. Ids are not repeated: they may be rights to redeem.
#[derive(Debug, thiserror::Error)]
pub enum PaymentsError {
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
    /// The provider's own page decides.
    #[error("this payment is made through {provider}, not here{}", at(.url))]
    NotHere {
        /// The provider's kind.
        provider: String,
        /// Its page.
        url: Option<String>,
    },
    /// A period that ends before it begins.
    #[error("--since {since} is not before --until {until}")]
    Period {
        /// Its beginning.
        since: String,
        /// Its end.
        until: String,
    },
    /// Too late to decide.
    #[error("nothing changed: this payment is {state}; see `coinop payments show {call}`")]
    Decided {
        /// How it stands.
        state: &'static str,
        /// The call's id.
        call: String,
    },
    /// What was ordered cannot be done, or was refused.
    #[error(transparent)]
    NotDone(#[from] NotDone),
    /// It was recorded, and is still to be done.
    #[error("not done yet: the call is {state}{}; hosts go on with it, and `coinop payments show {call}` says how it stands", because(.trouble))]
    StillDue {
        /// How it stands.
        state: &'static str,
        /// What kept it from being done.
        trouble: Option<String>,
        /// The call's id.
        call: String,
    },
    /// The ledger failed.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// Nobody reads what is written.
    #[error("cannot write: {0}")]
    Output(#[from] io::Error),
}

fn because(trouble: &Option<String>) -> String {
    trouble.as_ref().map_or_else(String::new, |why| {
        format!(" ({})", tame(why, URL_CHARS_MAX))
    })
}

fn at(url: &Option<String>) -> String {
    url.as_ref()
        .map_or_else(String::new, |url| format!(": {}", tame(url, URL_CHARS_MAX)))
}

impl PaymentsError {
    /// The process's exit code: 2 for a call that was written wrong (as for every wrong argument), else 1.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::BadId => 2,
            _ => 1,
        }
    }
}
