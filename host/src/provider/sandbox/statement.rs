//! The sandbox's statement: what its purse took in a period, or something else where it is told to disagree.

use coinop_core::money::{Amount, Money};

use super::purse::{Place, Taken};
use super::slip::SlipState;
use super::{Disagrees, Flow, Pays, Sandbox};
use crate::provider::{Period, ProviderError, StatementLine, StatementPage};

/// Payments on one page.
const PAGE: u32 = 500;
/// What a statement that disagrees is off by: the smallest amount there is.
const OFF_BY: Amount = Amount::from_nanos(1);

impl Sandbox {
    /// The page after `cursor`.
    pub(super) async fn state_page(
        &self,
        period: Period,
        cursor: Option<String>,
    ) -> Result<StatementPage, ProviderError> {
        if self.settings.pays == Pays::AtOnce {
            // What is paid at once is written down only when something follows.
            let operation = "give a statement of what is paid at once";
            return Err(ProviderError::Unsupported { operation });
        }
        let first = cursor.is_none();
        let after = cursor.as_deref().map(place).transpose()?;
        let taken = self.purse.statement(period, after, PAGE).await?;
        let next = (taken.len() >= PAGE as usize).then(|| taken.last().map(written));
        let mut lines = self.lines(taken);
        if let Some(disagrees) = self.settings.disagrees.filter(|_| first) {
            disagree(disagrees, &mut lines, period);
        }
        let next = next.flatten();
        Ok(StatementPage { lines, next })
    }

    /// The lines of this account's flow: money that was taken at once, or reserved and taken.
    fn lines(&self, taken: Vec<Taken>) -> Vec<StatementLine> {
        let own = match self.flow {
            Flow::Pay => SlipState::Paid,
            Flow::Hold => SlipState::Taken,
        };
        let of_flow = taken.into_iter().filter(|taken| taken.slip.state == own);
        of_flow
            .map(|taken| StatementLine {
                reference: taken.place.reference,
                received: taken.slip.price,
                refunded: taken.slip.refunded,
                fee: self.settings.fee.min(taken.slip.price.amount),
                at: taken.place.at,
            })
            .collect()
    }
}

/// Makes the first page wrong in one place.
fn disagree(how: Disagrees, lines: &mut Vec<StatementLine>, period: Period) {
    let more = |amount: Amount| amount.checked_add(OFF_BY).unwrap_or(amount);
    match (how, lines.first_mut()) {
        (Disagrees::Amount, Some(line)) => line.received.amount = more(line.received.amount),
        (Disagrees::Refund, Some(line)) => line.refunded = more(line.refunded),
        (Disagrees::Missing, Some(_)) => drop(lines.remove(0)),
        (Disagrees::Unknown, _) => lines.extend(invented(period)),
        (_, None) => {}
    }
}

/// A payment that nobody asked for.
fn invented(period: Period) -> Option<StatementLine> {
    let received = Money::parse("1.00", "USD").ok()?;
    Some(StatementLine {
        reference: "sbx_nobody_asked_for_this".to_owned(),
        received,
        refunded: Amount::ZERO,
        fee: Amount::ZERO,
        // In the middle, wherever somebody looks a little further than the period they ask about.
        at: period.since / 2 + period.until / 2,
    })
}

/// Where the next page begins, in a cursor's words: `<time>.<reference>`.
fn written(last: &Taken) -> String {
    format!("{}.{}", last.place.at, last.place.reference)
}

fn place(cursor: &str) -> Result<Place, ProviderError> {
    let read = || {
        let (at, reference) = cursor.split_once('.')?;
        let (at, reference) = (at.parse().ok()?, reference.to_owned());
        Some(Place { at, reference })
    };
    read().ok_or_else(|| ProviderError::Refused("that is no place in a statement".to_owned()))
}
