//! Reconciliation: the ledger and a provider's statement go through a period side by side, page by page.
//!
//! Every payment whose money arrived in the period, and every call quoted in it, is compared; what runs a little over
//! the edges on one side is matched, not reported. Of the statement only digests of its references are held.

pub mod compare;
mod pages;
pub mod totals;

#[cfg(test)]
mod tests;

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use coinop_core::Millis;
use coinop_core::call::{Call, CallState};
use coinop_core::digest::Digest;
use coinop_core::ids::CallId;
use coinop_core::payment::PaymentEvent;
use futures::{StreamExt as _, TryStreamExt as _};

use self::compare::{Difference, differences, taken};
use self::pages::Pages;
use self::totals::Totals;
use crate::gate::Accounts;
use crate::ledger::{AdvanceError, CallKey, Change, Ledger, LedgerError, Record};
use crate::provider::{Period, Provider, ProviderError, StatementLine};

/// Differences kept of one account; the others are counted.
pub const FINDINGS_MAX: usize = 10_000;
/// Pages of one statement: of a thousand lines each, more than any ledger here has calls.
const PAGES_MAX: usize = 100_000;
/// Pages in a row that name no payment for the first time: a service may look through days on which nothing was paid.
const IDLE_PAGES_MAX: u32 = 1_000;
/// Lines of the statement looked up in the ledger at a time.
const AT_ONCE_MAX: usize = 16;
/// How far the provider's clock may be from ours, milliseconds.
const SKEW_MS: Millis = 60 * 60_000;
/// The longest that reserved money waits to be taken, milliseconds: the largest claim window that can be configured.
const HOLD_MS_MAX: Millis = 30 * 24 * 60 * 60_000;
/// How long hosts have to notice by themselves that an open payment was paid, milliseconds.
const NOTICE_MS: Millis = 10 * 60_000;

/// What to compare.
#[derive(Clone, Debug)]
pub struct Scope {
    /// The account.
    pub account: String,
    /// The period.
    pub period: Period,
    /// The time.
    pub now: Millis,
    /// Whether fees that differ are recorded.
    pub fees: Fees,
}

/// What to do with fees that differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fees {
    /// They are told like everything else.
    Compare,
    /// The provider is believed, and they are recorded.
    Record,
}

/// One difference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The provider's reference.
    pub reference: String,
    /// The call, where there is one.
    pub call: Option<CallId>,
    /// What differs.
    pub difference: Difference,
}

/// How an account compares.
#[derive(Debug, Default)]
pub struct Report {
    /// Payments that were found on both sides.
    pub compared: u64,
    /// Payments that changed meanwhile, or are about to: the next time tells.
    pub under_way: u64,
    /// Fees that were recorded.
    pub fees_recorded: u64,
    /// What differs, [`FINDINGS_MAX`] at most.
    pub findings: Vec<Finding>,
    /// Differences beyond those.
    pub more: u64,
    /// What both sides add up to.
    pub totals: Totals,
}

impl Report {
    /// Whether nothing differs.
    pub fn is_equal(&self) -> bool {
        self.findings.is_empty()
    }

    fn note(&mut self, reference: &str, call: Option<&CallId>, difference: Difference) {
        if self.findings.len() >= FINDINGS_MAX {
            self.more += 1;
            return;
        }
        self.findings.push(Finding {
            reference: reference.to_owned(),
            call: call.cloned(),
            difference,
        });
    }
}

/// Why an account could not be compared.
#[derive(Debug, thiserror::Error)]
pub enum ReconcileError {
    /// No such account.
    #[error("there is no account {0:?} in this configuration")]
    Account(String),
    /// The provider did not give its statement.
    #[error(transparent)]
    Provider(#[from] ProviderError),
    /// The ledger failed.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

/// Compares one account over a period.
///
/// # Errors
/// When one of the two sides cannot be read to its end.
pub async fn reconcile(
    ledger: &dyn Ledger,
    accounts: &Accounts,
    scope: &Scope,
) -> Result<Report, ReconcileError> {
    let provider = accounts.get(&scope.account);
    let provider = provider.ok_or_else(|| ReconcileError::Account(scope.account.clone()))?;
    let side = Side {
        ledger,
        provider,
        scope,
        namesakes: namesakes(accounts, &scope.account, provider),
    };
    let mut report = Report::default();
    let stated = side.statement(&mut report).await?;
    side.ledger(&stated, &mut report).await?;
    Ok(report)
}

/// Other accounts at the same kind of provider: they may be the same merchant's, and share a statement.
fn namesakes(accounts: &Accounts, account: &str, provider: &Arc<dyn Provider>) -> Vec<String> {
    let others = accounts.iter().filter(|(name, _)| *name != account);
    others
        .filter(|(_, other)| other.kind() == provider.kind())
        .map(|(name, _)| name.clone())
        .collect()
}

/// The references of a statement, as digests: a million of them fit anywhere.
struct Stated(HashSet<[u8; 16]>);

impl Stated {
    fn key(reference: &str) -> [u8; 16] {
        let digest = Digest::of(reference.as_bytes());
        std::array::from_fn(|n| digest.as_bytes()[n])
    }
}

/// The way through a statement, which comes to an end.
#[derive(Default)]
struct Course {
    /// Digests of the cursors so far.
    cursors: HashSet<[u8; 16]>,
    /// Pages in a row that named no payment for the first time.
    idle: u32,
}

impl Course {
    /// Takes the next page's cursor.
    ///
    /// # Errors
    /// It would lead in a circle, or there are too many pages.
    fn goes_on(&mut self, next: &str, is_news: bool) -> Result<(), ProviderError> {
        self.idle = if is_news { 0 } else { self.idle + 1 };
        let is_new = self.cursors.insert(Stated::key(next));
        let why = if !is_new {
            "a page of it was there before".to_owned()
        } else if self.idle > IDLE_PAGES_MAX {
            format!("more than {IDLE_PAGES_MAX} pages in a row name no other payment")
        } else if self.cursors.len() > PAGES_MAX {
            format!("it has more than {PAGES_MAX} pages: compare a shorter period")
        } else {
            return Ok(());
        };
        let why = format!("its statement does not come to an end: {why}");
        Err(ProviderError::Unreachable(why))
    }
}

/// What both passes need.
struct Side<'a> {
    ledger: &'a dyn Ledger,
    provider: &'a Arc<dyn Provider>,
    scope: &'a Scope,
    namesakes: Vec<String>,
}

impl Side<'_> {
    /// Goes through the statement, and looks every line up in the ledger.
    async fn statement(&self, report: &mut Report) -> Result<Stated, ReconcileError> {
        let mut stated = Stated(HashSet::new());
        let mut course = Course::default();
        let mut cursor = None;
        loop {
            let asked = self
                .provider
                .statement(self.stated_period(), cursor.clone());
            let page = tokio::time::timeout(self.patience(), asked).await;
            let silent = |_| ProviderError::Unreachable("no page of its statement came".into());
            let page = page.map_err(silent)??;
            let known = stated.0.len();
            for line in &page.lines {
                stated.0.insert(Stated::key(&line.reference));
            }
            let is_news = stated.0.len() > known;
            self.lines(page.lines, report).await?;
            let Some(next) = page.next else {
                return Ok(stated);
            };
            course.goes_on(&next, is_news)?;
            cursor = Some(next);
        }
    }

    fn patience(&self) -> Duration {
        self.provider.capabilities().timeout
    }

    /// The period with the time that may lie between a quote and its money, so that calls of the period are all on it.
    fn stated_period(&self) -> Period {
        let capabilities = self.provider.capabilities();
        let millis = |time: Duration| Millis::try_from(time.as_millis()).unwrap_or(HOLD_MS_MAX);
        let held = if capabilities.authorizes {
            HOLD_MS_MAX
        } else {
            0
        };
        let late = millis(capabilities.lifetime_max) + millis(capabilities.late_window) + held;
        let Period { since, until } = self.scope.period;
        Period {
            since: since.saturating_sub(SKEW_MS),
            until: until
                .saturating_add(late)
                .min(self.scope.now)
                .max(until)
                .saturating_add(SKEW_MS),
        }
    }

    async fn lines(
        &self,
        lines: Vec<StatementLine>,
        report: &mut Report,
    ) -> Result<(), ReconcileError> {
        let found = futures::stream::iter(lines).map(async |line| {
            let record = self.call_of(&self.scope.account, &line).await?;
            Ok::<_, ReconcileError>((line, record))
        });
        let found: Vec<_> = found.buffered(AT_ONCE_MAX).try_collect().await?;
        for (line, record) in found {
            match record {
                Some(record) => self.both(&record, &line, report).await?,
                None => self.provider_only(&line, report).await?,
            }
        }
        Ok(())
    }

    async fn call_of(
        &self,
        account: &str,
        line: &StatementLine,
    ) -> Result<Option<Record>, LedgerError> {
        let key = CallKey::Reference {
            account: account.to_owned(),
            reference: line.reference.clone(),
        };
        self.ledger.find(key).await
    }

    fn in_period(&self, at: Millis) -> bool {
        let Period { since, until } = self.scope.period;
        (since..until).contains(&at)
    }

    async fn both(
        &self,
        record: &Record,
        line: &StatementLine,
        report: &mut Report,
    ) -> Result<(), ReconcileError> {
        let call = &record.call;
        if !self.in_period(line.at) && !self.in_period(call.created_at) {
            return Ok(());
        }
        report.compared += 1;
        report.totals.add_line(line);
        let mut recorded = None;
        for difference in differences(call, line) {
            if self.is_under_way(record, line) {
                report.under_way += 1;
                break;
            }
            if self.scope.fees == Fees::Record && matches!(difference, Difference::Fee { .. }) {
                recorded = Some(self.record_fee(call, line).await?);
                report.fees_recorded += 1;
                continue;
            }
            report.note(&line.reference, Some(&call.id), difference);
        }
        report.totals.add_call(recorded.as_ref().unwrap_or(call));
        Ok(())
    }

    /// Whether hosts are at it just now: it changed since the comparison began, or is about to be noticed.
    fn is_under_way(&self, record: &Record, line: &StatementLine) -> bool {
        let open = matches!(
            record.call.state,
            CallState::Quoted | CallState::Awaiting | CallState::Executed | CallState::Settling
        );
        record.updated_at >= self.scope.now
            || (open && line.at > self.scope.now.saturating_sub(NOTICE_MS))
    }

    /// Records what the provider charged: the call as it is then.
    async fn record_fee(&self, call: &Call, line: &StatementLine) -> Result<Call, LedgerError> {
        let fee = line.fee;
        let change = Change {
            call: call.id.clone(),
            events: vec![PaymentEvent::FeeCharged { fee }.into()],
            outcome: None,
            at: self.scope.now,
        };
        match self.ledger.advance(change).await {
            Ok(advanced) => Ok(advanced.record.call),
            Err(AdvanceError::Ledger(error)) => Err(error),
            Err(other) => Err(LedgerError::Unavailable(other.to_string())),
        }
    }

    async fn provider_only(
        &self,
        line: &StatementLine,
        report: &mut Report,
    ) -> Result<(), ReconcileError> {
        if !self.in_period(line.at) {
            return Ok(());
        }
        for account in &self.namesakes {
            if self.call_of(account, line).await?.is_some() {
                return Ok(());
            }
        }
        report.totals.add_line(line);
        let received = line.received;
        report.note(&line.reference, None, Difference::NotInLedger { received });
        Ok(())
    }

    /// Goes through the calls of the period, and looks for those that the statement lacks.
    async fn ledger(&self, stated: &Stated, report: &mut Report) -> Result<(), ReconcileError> {
        let mut pages = Pages::new(self.scope);
        while let Some(page) = pages.next(self.ledger).await? {
            for record in &page {
                self.ledger_only(record, stated, report);
            }
        }
        Ok(())
    }

    fn ledger_only(&self, record: &Record, stated: &Stated, report: &mut Report) {
        let call = &record.call;
        let (Some(received), Some(reference)) = (taken(call), &call.payment.reference) else {
            return;
        };
        if stated.0.contains(&Stated::key(reference)) {
            return;
        }
        if record.updated_at >= self.scope.now {
            report.under_way += 1;
            return;
        }
        report.totals.add_call(call);
        let difference = Difference::NotAtProvider { received };
        report.note(reference, Some(&call.id), difference);
    }
}
