//! `coinop receipts verify`: whether receipts hold, offline, and a line for each that does not.

use std::fs::File;
use std::io::{self, BufReader, Write};

use clap::Args;
use coinop_core::receipt::{KeySet, Receipt};
use serde_json::{Value, json};

use super::chains::{Chains, Gap};
use super::claim::Claim;
use super::error::ReceiptsError;
use super::source::{self, Place};
use super::{Verdict, trust};
use crate::ledger::Ledger;
use crate::unruly::tame;

/// Faults and gaps told one by one; further ones are counted.
const TOLD_MAX: usize = 1000;
/// Longest fault shown.
const FAULT_CHARS_MAX: usize = 400;
/// Bytes read of a file at a time.
const BUFFER_BYTES: usize = 1 << 16;

/// What to verify, against which keys.
#[derive(Clone, Debug, Args)]
pub(super) struct VerifyArgs {
    /// Compact receipts one a line; receipts, or tool results with theirs, as JSON; or an export. `-` is standard input
    #[arg(value_name = "FILE")]
    file: String,
    /// The key set (JWKS): a file, or the address at a host of this machine [default: the keys of the ledger]
    #[arg(long, value_name = "FILE|URL")]
    pub(super) keys: Option<String>,
    /// A receipt that is missing from a chain is a fault; with the ledger's own keys also one missing at its end
    #[arg(long)]
    complete: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Verifies the file of `args`.
///
/// # Errors
/// Whatever keeps it from being verified. That something does not hold is the verdict.
pub(super) async fn verify(
    args: &VerifyArgs,
    ledger: Option<&dyn Ledger>,
    out: &mut (dyn Write + Send),
) -> Result<Verdict, ReceiptsError> {
    let (keys, own) = match (&args.keys, ledger) {
        (Some(from), _) => (trust::keys(from).await?, None),
        (None, Some(ledger)) => (ledger.receipt_keys().await?, Some(ledger)),
        (None, None) => return Err(ReceiptsError::NoLedger),
    };
    let mut findings = look(&args.file, &keys)?;
    if let (true, Some(ledger)) = (args.complete, own) {
        let ends = ledger.chains().await?;
        let missing = findings.chains.missing_at_the_end(ledger.id(), &ends);
        findings.miss(missing);
    }
    if findings.receipts == 0 && findings.faults == 0 {
        return Err(ReceiptsError::Empty(args.file.clone()));
    }
    match args.json {
        true => writeln!(out, "{:#}", findings.object(args.complete))?,
        false => out.write_all(findings.text(args.complete).as_bytes())?,
    }
    Ok(findings.verdict(args.complete))
}

fn look(file: &str, keys: &KeySet) -> Result<Findings, ReceiptsError> {
    let mut findings = Findings::default();
    let mut each = |at, claim| findings.take(at, claim, keys);
    let read = match file {
        "-" => source::read(io::stdin().lock(), &mut each),
        path => File::open(path)
            .and_then(|file| source::read(BufReader::with_capacity(BUFFER_BYTES, file), &mut each)),
    };
    read.map_err(|error| ReceiptsError::Read {
        name: file.to_owned(),
        error,
    })?;
    findings.link();
    Ok(findings)
}

/// What was found.
#[derive(Default)]
struct Findings {
    /// Receipts looked at.
    receipts: u64,
    /// Exported calls that have none.
    without: u64,
    chains: Chains,
    faults: u64,
    told: Vec<(Place, String)>,
    missing: u64,
    gaps: Vec<Gap>,
}

impl Findings {
    fn take(&mut self, at: Place, claim: Result<Claim, String>, keys: &KeySet) {
        let claim = match claim {
            Ok(claim) => claim,
            Err(why) => return self.fault(at, why),
        };
        let Some(jws) = &claim.jws else {
            self.without += 1;
            return;
        };
        self.receipts += 1;
        match keys.verify(jws) {
            Ok(receipt) => self.take_signed(at, &claim, jws, &receipt),
            Err(error) => self.fault(at, error.to_string()),
        }
    }

    fn take_signed(&mut self, at: Place, claim: &Claim, jws: &str, receipt: &Receipt) {
        let found = claim.contradictions(receipt);
        for fault in found
            .into_iter()
            .chain(self.chains.add(at, receipt, jws).err())
        {
            self.fault(at, format!("{}: {fault}", receipt.call));
        }
    }

    /// Looks at what only all of them together tell.
    fn link(&mut self) {
        let broken: Vec<_> = self.chains.broken().collect();
        for (at, why) in broken {
            self.fault(at, why);
        }
        let gaps: Vec<_> = self.chains.gaps().collect();
        self.miss(gaps);
    }

    fn fault(&mut self, at: Place, why: String) {
        self.faults += 1;
        if self.told.len() < TOLD_MAX {
            self.told.push((at, tame(&why, FAULT_CHARS_MAX)));
        }
    }

    fn miss(&mut self, gaps: Vec<Gap>) {
        for gap in gaps {
            self.missing = self.missing.saturating_add(gap.length());
            if self.gaps.len() < TOLD_MAX {
                self.gaps.push(gap);
            }
        }
    }

    fn verdict(&self, complete: bool) -> Verdict {
        match self.faults == 0 && (self.missing == 0 || !complete) {
            true => Verdict::Holds,
            false => Verdict::Fails,
        }
    }

    /// A line a fault, a line a gap, and a summary.
    fn text(&self, complete: bool) -> String {
        let mark = if complete { "missing" } else { "note" };
        let faults = self.told.iter().map(|(at, why)| format!("{at}: {why}\n"));
        let gaps = self.gaps.iter().map(|gap| format!("{mark}: {gap}\n"));
        let mut text: String = faults.chain(gaps).collect();
        if self.faults > self.told.len() as u64 {
            text.push_str("More faults are counted and not shown.\n");
        }
        let (receipts, chains) = (self.receipts, self.chains.count() as u64);
        let looked = format!(
            "{} of {}",
            counted(receipts, "receipt"),
            counted(chains, "chain")
        );
        let found = match (self.verdict(complete), self.missing) {
            (Verdict::Holds, 0) => "all hold, and none is missing from between".to_owned(),
            (Verdict::Holds, missing) => format!("all hold; {missing} not here"),
            (Verdict::Fails, 0) => counted(self.faults, "fault"),
            (Verdict::Fails, missing) => {
                format!("{}, {missing} not here", counted(self.faults, "fault"))
            }
        };
        text.push_str(&format!("{looked}: {found}.\n"));
        text
    }

    fn object(&self, complete: bool) -> Value {
        let faults = self.told.iter();
        let faults = faults.map(|(at, why)| json!({"at": at.to_string(), "fault": why}));
        let gaps = self.gaps.iter();
        let gaps = gaps.map(|gap| json!({"chain": gap.chain, "from": gap.from, "to": gap.to}));
        json!({
            "holds": self.verdict(complete) == Verdict::Holds,
            "receipts": self.receipts,
            "calls_without": self.without,
            "chains": self.chains.count(),
            "fault_count": self.faults,
            "faults": faults.collect::<Vec<_>>(),
            "missing_count": self.missing,
            "missing": gaps.collect::<Vec<_>>(),
        })
    }
}

fn counted(count: u64, what: &str) -> String {
    match count {
        1 => format!("1 {what}"),
        count => format!("{count} {what}s"),
    }
}
