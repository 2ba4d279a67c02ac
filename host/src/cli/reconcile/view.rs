//! What `coinop reconcile` prints: plain values for terminals and for JSON, safe to print.

use std::fmt::Write as _;

use serde::Serialize;
use serde_json::json;

use crate::reconcile::compare::Difference;
use crate::reconcile::totals::{Sums, decimal};
use crate::reconcile::{Finding, Report};
use crate::unruly::tame;

/// Longest reference shown: providers' are shorter.
const REFERENCE_CHARS_MAX: usize = 128;

/// One account.
#[derive(Debug, Serialize)]
pub(super) struct AccountView {
    account: String,
    /// Why it was not compared.
    #[serde(skip_serializing_if = "Option::is_none")]
    passed_over: Option<String>,
    /// Payments found on both sides.
    compared: u64,
    /// Payments that are changing just now.
    under_way: u64,
    fees_recorded: u64,
    differences: Vec<DifferenceView>,
    /// Differences beyond those listed.
    more_differences: u64,
    totals: Vec<TotalView>,
}

#[derive(Debug, Serialize)]
struct DifferenceView {
    what: &'static str,
    reference: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    call: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ledger: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    provider: Option<String>,
    advice: String,
}

#[derive(Debug, Serialize)]
struct TotalView {
    currency: String,
    ledger: SumsView,
    provider: SumsView,
}

#[derive(Debug, Serialize)]
struct SumsView {
    payments: u64,
    received: String,
    refunded: String,
    fee: String,
}

impl AccountView {
    pub(super) fn of(account: &str, report: Report) -> Self {
        let totals = report.totals.iter();
        Self {
            account: account.to_owned(),
            passed_over: None,
            compared: report.compared,
            under_way: report.under_way,
            fees_recorded: report.fees_recorded,
            differences: report.findings.iter().map(DifferenceView::of).collect(),
            more_differences: report.more,
            totals: totals
                .map(|(currency, ledger, provider)| {
                    let sums = |sums: Sums| SumsView {
                        payments: sums.payments,
                        received: decimal(sums.received, currency),
                        refunded: decimal(sums.refunded, currency),
                        fee: decimal(sums.fee, currency),
                    };
                    TotalView {
                        currency: currency.to_string(),
                        ledger: sums(ledger),
                        provider: sums(provider),
                    }
                })
                .collect(),
        }
    }

    /// An account whose provider has no statement to compare with.
    pub(super) fn passed_over(account: &str, reason: &str) -> Self {
        Self {
            passed_over: Some(reason.to_owned()),
            ..Self::of(account, Report::default())
        }
    }

    pub(super) fn is_equal(&self) -> bool {
        self.differences.is_empty()
    }
}

impl DifferenceView {
    fn of(finding: &Finding) -> Self {
        let difference = &finding.difference;
        Self {
            what: difference.word(),
            reference: tame(&finding.reference, REFERENCE_CHARS_MAX),
            call: finding.call.as_ref().map(ToString::to_string),
            ledger: difference.in_ledger().map(|money| money.to_string()),
            provider: difference.at_provider().map(|money| money.to_string()),
            advice: advice(finding),
        }
    }
}

/// What to do about a difference.
fn advice(finding: &Finding) -> String {
    let call = finding
        .call
        .as_ref()
        .map_or_else(String::new, ToString::to_string);
    match &finding.difference {
        Difference::NotAtProvider { .. } => {
            "look the payment up at the provider; the ledger counts money that is not there"
                .to_owned()
        }
        Difference::NotInLedger { .. } => {
            "if no other system takes money with this account, find out who was paid for".to_owned()
        }
        Difference::Unpaid { .. } => {
            format!("coinop payments retry {call} asks the provider, and returns or uses the money")
        }
        Difference::Received { .. } => {
            "look the payment up at the provider; the call was settled for the ledger's amount"
                .to_owned()
        }
        Difference::Refunded { .. } => {
            format!("compare the refunds of coinop payments show {call} with the provider's")
        }
        Difference::Fee { .. } => "--record-fees records what the provider charged".to_owned(),
    }
}

/// The whole of it as JSON.
pub(super) fn json(
    since: &str,
    until: &str,
    equal: bool,
    views: &[AccountView],
) -> anyhow::Result<String> {
    let all = json!({"since": since, "until": until, "equal": equal, "accounts": views});
    Ok(format!("{}\n", serde_json::to_string_pretty(&all)?))
}

/// The whole of it for people.
pub(super) fn told(since: &str, until: &str, views: &[AccountView]) -> String {
    let mut text = format!("From {since} to {until}\n");
    for view in views {
        tell(view, &mut text);
    }
    let differences: u64 = views
        .iter()
        .map(|view| view.differences.len() as u64 + view.more_differences)
        .sum();
    // Writing to a String cannot fail.
    let _ = match differences {
        0 => writeln!(text, "Equal."),
        n => writeln!(text, "{}.", counted(n, "difference")),
    };
    text
}

fn counted(number: u64, what: &str) -> String {
    match number {
        1 => format!("1 {what}"),
        n => format!("{n} {what}s"),
    }
}

fn tell(view: &AccountView, text: &mut String) {
    let account = &view.account;
    if let Some(reason) = &view.passed_over {
        let _ = writeln!(text, "{account}: not compared: {reason}");
        return;
    }
    let _ = write!(
        text,
        "{account}: {} on both sides",
        counted(view.compared, "payment")
    );
    if view.under_way > 0 {
        let _ = write!(text, ", {} changing just now", view.under_way);
    }
    if view.fees_recorded > 0 {
        let _ = write!(text, ", {} recorded", counted(view.fees_recorded, "fee"));
    }
    text.push('\n');
    for difference in &view.differences {
        let call = difference.call.as_deref().unwrap_or("no call");
        let _ = writeln!(
            text,
            "  {}: {call}, reference {}: {}",
            difference.what.replace('_', " "),
            difference.reference,
            sides(difference)
        );
        let _ = writeln!(text, "      {}", difference.advice);
    }
    if view.more_differences > 0 {
        let _ = writeln!(text, "  and {} more differences", view.more_differences);
    }
    for total in &view.totals {
        let sides = [("ledger", &total.ledger), ("provider", &total.provider)];
        for (side, sums) in sides {
            let _ = writeln!(
                text,
                "  {side:<8}  {}, {} {currency} received, {} {currency} refunded, {} {currency} fees",
                counted(sums.payments, "payment"),
                sums.received,
                sums.refunded,
                sums.fee,
                currency = total.currency
            );
        }
    }
}

fn sides(difference: &DifferenceView) -> String {
    match (&difference.ledger, &difference.provider) {
        (Some(ledger), Some(provider)) => {
            format!("the ledger has {ledger}, the provider {provider}")
        }
        (Some(ledger), None) => format!("the ledger has {ledger}"),
        (None, Some(provider)) => format!("the provider has {provider}"),
        (None, None) => String::new(),
    }
}
