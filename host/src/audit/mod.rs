//! The audit: goes through the whole ledger in pages and says what does not hold. It changes nothing, and runs beside hosts.
//!
//! A ledger in use moves while it is read: what changed since the audit began is looked at as it is, and compared with
//! nothing that was read at another moment.

pub mod call;
pub mod chain;
pub mod open;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use coinop_core::Millis;
use coinop_core::entry::Book;
use coinop_core::ids::CallId;
use coinop_core::money::Currency;
use coinop_core::principal::Principal;
use coinop_core::receipt::{Chain, KeySet, Receipt};

use self::call::{Looked, Proof, Rules, look};
use self::chain::Link;
use self::open::{Open, open};
use crate::ledger::{Audited, CreditBalance, Ledger, LedgerError};

/// Faults kept; the others are counted.
pub const FAULTS_MAX: usize = 10_000;
/// Open calls kept; the others are counted.
pub const OPEN_MAX: usize = 1_000;
/// Calls, or receipts, read at a time.
const PAGE: u32 = 500;

/// Something that does not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The call, the chain or the caller that it is about.
    pub about: String,
    /// What is wrong.
    pub what: String,
}

/// What an audit found.
#[derive(Debug, Default)]
pub struct Findings {
    /// Calls looked at.
    pub calls: u64,
    /// Entries added up.
    pub entries: u64,
    /// Delivered calls with a receipt.
    pub proven: u64,
    /// Delivered calls from before there were receipts.
    pub too_old: u64,
    /// Delivered calls whose outcome was forgotten in due time.
    pub forgotten: u64,
    /// Outcomes compared with their receipts.
    pub outcomes: u64,
    /// Chains followed to their heads.
    pub chains: u64,
    /// Receipts in them.
    pub receipts: u64,
    /// Balances compared with their entries.
    pub balances: u64,
    /// Balances that moved meanwhile.
    pub moving: u64,
    /// Paid calls that have not come to rest, [`OPEN_MAX`] at most.
    pub open: Vec<(CallId, Open)>,
    /// How many there are of them.
    pub open_count: u64,
    /// What every book holds, 10^-9 units.
    pub books: BTreeMap<(Book, Currency), i128>,
    /// What does not hold, [`FAULTS_MAX`] at most.
    pub faults: Vec<Fault>,
    /// Faults beyond those.
    pub more: u64,
}

impl Findings {
    fn fault(&mut self, about: impl ToString, what: String) {
        if self.faults.len() >= FAULTS_MAX {
            self.more += 1;
            return;
        }
        let about = about.to_string();
        self.faults.push(Fault { about, what });
    }
}

/// Whose balance, with which account, in what.
type Holder = (Principal, String, Currency);

/// An audit on its way.
struct Audit<'a> {
    ledger: &'a dyn Ledger,
    rules: Rules,
    findings: Findings,
    /// What entries say that callers hold.
    credit: BTreeMap<Holder, i128>,
    /// Whose calls changed since it began.
    moving: BTreeSet<Holder>,
}

/// Audits a ledger that keeps outcomes for `retention_ms`.
///
/// # Errors
/// When it cannot be read.
pub async fn audit(
    ledger: &dyn Ledger,
    retention_ms: Millis,
    now: Millis,
) -> Result<Findings, LedgerError> {
    let keys = ledger.receipt_keys().await?;
    let chains = ledger.chains().await?;
    let credits = ledger.credits().await?;
    let mut audit = Audit {
        ledger,
        rules: Rules {
            ledger: ledger.id().to_owned(),
            keys: keys.clone(),
            receipts_since: ledger.receipts_since().await?,
            retention_ms,
            now,
        },
        findings: Findings::default(),
        credit: BTreeMap::new(),
        moving: BTreeSet::new(),
    };
    audit.calls().await?;
    for chain in chains {
        audit.chain(&chain, &keys).await?;
    }
    audit.whole_books().await?;
    let after = ledger.credits().await?;
    audit.balances(&credits, &after);
    Ok(audit.findings)
}

impl Audit<'_> {
    async fn calls(&mut self) -> Result<(), LedgerError> {
        let mut after = None;
        loop {
            let page = self.ledger.audit(after, PAGE).await?;
            let Some(last) = page.last() else {
                return Ok(());
            };
            after = Some(last.record.call.id.clone());
            for audited in &page {
                self.call(audited).await?;
            }
        }
    }

    async fn call(&mut self, audited: &Audited) -> Result<(), LedgerError> {
        let id = &audited.record.call.id;
        let Looked {
            faults,
            proof,
            receipt,
            forgotten,
        } = look(audited, &self.rules);
        for fault in faults {
            self.findings.fault(id, fault);
        }
        self.findings.calls += 1;
        self.findings.entries += audited.entries.len() as u64;
        self.findings.proven += u64::from(proof == Proof::Receipt);
        self.findings.too_old += u64::from(proof == Proof::TooOld);
        self.findings.forgotten += u64::from(forgotten);
        self.add_up(audited);
        if let Some(open) = open(audited, self.rules.now) {
            self.open(id, open);
        }
        match receipt {
            Some(receipt) if audited.has_outcome => self.outcome(id, &receipt).await,
            _ => Ok(()),
        }
    }

    fn open(&mut self, id: &CallId, open: Open) {
        if let Some(fault) = &open.fault {
            self.findings.fault(id, format!("{}: {fault}", open.reason));
        }
        self.findings.open_count += 1;
        if self.findings.open.len() < OPEN_MAX {
            self.findings.open.push((id.clone(), open));
        }
    }

    fn add_up(&mut self, audited: &Audited) {
        let call = &audited.record.call;
        for posted in &audited.entries {
            let (currency, nanos) = (
                posted.amount.currency,
                i128::from(posted.amount.amount.nanos()),
            );
            let book = self.findings.books.entry((posted.book, currency));
            *book.or_default() += nanos;
            let holder = || {
                (
                    call.quote.principal.clone(),
                    call.quote.account.clone(),
                    currency,
                )
            };
            if posted.book == Book::Credit {
                // Ours to give is theirs to spend: the book grows on the credit side.
                *self.credit.entry(holder()).or_default() -= nanos;
                if audited.record.updated_at >= self.rules.now {
                    self.moving.insert(holder());
                }
            }
        }
    }

    /// Compares a stored outcome with what its receipt says of it.
    async fn outcome(&mut self, id: &CallId, receipt: &Receipt) -> Result<(), LedgerError> {
        // Forgotten meanwhile is forgotten in due time.
        let delivery = match self.ledger.outcome(id.clone()).await {
            Ok(Some(delivery)) => delivery,
            Ok(None) => return Ok(()),
            Err(LedgerError::Corrupt(what)) => {
                self.findings
                    .fault(id, format!("its outcome cannot be read: {what}"));
                return Ok(());
            }
            Err(error) => return Err(error),
        };
        self.findings.outcomes += 1;
        if delivery.outcome.digest() != receipt.result {
            let what = "its stored outcome is not the one that its receipt proves";
            self.findings.fault(id, what.to_owned());
        }
        Ok(())
    }

    /// Follows a chain as far as it went when the audit began.
    async fn chain(&mut self, chain: &Chain, keys: &KeySet) -> Result<(), LedgerError> {
        let about = format!("the chain {}", chain.id);
        let mut link = Link::first(chain, keys.clone());
        'pages: while link.count < chain.count {
            let page = self
                .ledger
                .receipts(chain.id.clone(), link.count, PAGE)
                .await?;
            if page.is_empty() {
                break;
            }
            for text in &page {
                if link.count >= chain.count {
                    break 'pages;
                }
                if let Some(fault) = link.follow(text) {
                    self.findings.fault(&about, fault);
                }
                self.findings.receipts += 1;
            }
        }
        if let Some(fault) = link.end(chain) {
            self.findings.fault(&about, fault);
        }
        self.findings.chains += 1;
        Ok(())
    }

    /// Every entry there is, of whatever call: each currency adds up to nothing.
    async fn whole_books(&mut self) -> Result<(), LedgerError> {
        let mut sums = BTreeMap::<Currency, i128>::new();
        for balance in self.ledger.balances().await? {
            let sum = sums.entry(balance.currency).or_default();
            *sum += i128::from(balance.amount.nanos());
        }
        for (currency, sum) in sums.into_iter().filter(|(_, sum)| *sum != 0) {
            let sum = crate::reconcile::totals::decimal(sum, currency);
            let what = format!("all entries add up to {sum} {currency}, not to nothing");
            self.findings.fault("the books", what);
        }
        Ok(())
    }

    /// Compares balances with the entries that they are made of.
    fn balances(&mut self, before: &[CreditBalance], after: &[CreditBalance]) {
        let (before, after) = (by_holder(before), by_holder(after));
        let holders: BTreeSet<Holder> = self
            .credit
            .keys()
            .chain(before.keys())
            .chain(after.keys())
            .cloned()
            .collect();
        for holder in holders {
            let [posted, before, after] =
                [&self.credit, &before, &after].map(|of| of.get(&holder).copied().unwrap_or(0));
            if before != after || self.moving.contains(&holder) {
                self.findings.moving += 1;
                continue;
            }
            self.findings.balances += 1;
            if posted != after {
                let (principal, account, currency) = holder;
                let shown = |nanos| crate::reconcile::totals::decimal(nanos, currency);
                let what = format!(
                    "the balance with the account {account} is {} {currency}, its entries add up to {}",
                    shown(after),
                    shown(posted)
                );
                self.findings.fault(principal, what);
            }
        }
    }
}

fn by_holder(balances: &[CreditBalance]) -> BTreeMap<Holder, i128> {
    let holders = balances.iter().map(|balance| {
        let holder = (
            balance.principal.clone(),
            balance.account.clone(),
            balance.amount.currency,
        );
        (holder, i128::from(balance.amount.amount.nanos()))
    });
    holders.collect()
}
