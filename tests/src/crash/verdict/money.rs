//! Money: the ledger's entries, the calls and the provider's books say the same.

use std::collections::BTreeMap;

use coinop::ledger::Audited;
use coinop::ledger::transition::counted;
use coinop_core::call::Call;
use coinop_core::entry::{Book, position};
use rusqlite::{Connection, OpenFlags};

use super::{Evidence, brought};
use crate::home::Home;

/// A payment in the provider's books, amounts in 10^-9 units.
struct Slip {
    state: String,
    amount: i64,
    refunded: i64,
}

impl Slip {
    /// What the provider holds for us now.
    fn held(&self) -> i64 {
        match self.state.as_str() {
            "paid" | "taken" => self.amount - self.refunded,
            _ => 0,
        }
    }
}

/// What does not add up.
pub(super) fn violations(home: &Home, calls: &[Audited], evidence: &Evidence<'_>) -> Vec<String> {
    let mut found = Vec::new();
    for audited in calls {
        found.extend(unbalanced(audited));
        found.extend(misplaced(audited));
    }
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY;
    match Connection::open_with_flags(home.ledger(), flags)
        .and_then(|db| compared(&db, calls, evidence))
    {
        Ok(differences) => found.extend(differences),
        Err(error) => found.push(format!("the provider's books cannot be read: {error}")),
    }
    found
}

/// Entries of one change that do not sum to zero.
fn unbalanced(audited: &Audited) -> Vec<String> {
    let mut sums = BTreeMap::<_, i64>::new();
    for posted in &audited.entries {
        let money = posted.amount;
        *sums.entry((posted.change, money.currency)).or_default() += money.amount.nanos();
    }
    let unbalanced = sums.into_iter().filter(|(_, sum)| *sum != 0);
    unbalanced
        .map(|((change, currency), sum)| format!("change {change} sums to {sum} {currency}"))
        .collect()
}

/// Accounts that do not hold what the call's state says.
fn misplaced(audited: &Audited) -> Option<String> {
    let mut posted = BTreeMap::<(Book, _), i64>::new();
    for line in &audited.entries {
        let money = line.amount;
        *posted.entry((line.book, money.currency)).or_default() += money.amount.nanos();
    }
    posted.retain(|_, sum| *sum != 0);
    let expected: BTreeMap<(Book, _), i64> = position(&audited.record.call)
        .into_iter()
        .map(|(line, amount)| (line, amount.nanos()))
        .collect();
    (posted != expected).then(|| format!("entries add up to {posted:?}, not {expected:?}"))
}

/// Differences between the provider's books and the ledger.
fn compared(
    db: &Connection,
    calls: &[Audited],
    evidence: &Evidence<'_>,
) -> rusqlite::Result<Vec<String>> {
    let mut found = Vec::new();
    let mut slips = slips(db)?;
    slips.extend(brought(calls, evidence));
    let refunds = refunds(db)?;
    for audited in calls {
        let call = &audited.record.call;
        let Some(reference) = &call.payment.reference else {
            continue;
        };
        let sent = refunds.get(reference).copied().unwrap_or(0);
        found.extend(differences(call, slips.remove(reference), sent));
    }
    let orphans = slips.into_iter().filter(|(_, slip)| slip.held() != 0);
    found.extend(orphans.map(|(reference, _)| format!("{reference} is paid and nobody's")));
    let sql = "SELECT count(*) FROM (SELECT principal, account, currency, sum(amount) AS held FROM
                 (SELECT principal, account, currency, amount FROM credit
                  UNION ALL
                  SELECT call.principal, call.account, entry.currency, entry.amount
                  FROM entry JOIN call ON call.id = entry.call WHERE entry.book = 'credit')
               GROUP BY principal, account, currency HAVING held <> 0)";
    match db.query_row(sql, [], |row| row.get::<_, i64>(0))? {
        0 => {}
        wrong => found.push(format!("{wrong} balances are not what their entries say")),
    }
    let spent = db.query_row("SELECT coalesce(sum(amount), 0) FROM spent", [], |row| {
        row.get::<_, i64>(0)
    })?;
    let calls = calls.iter().map(|audited| &audited.record.call);
    let counted: i64 = calls.map(|call| counted(call).nanos()).sum();
    if spent != counted {
        found.push(format!("{spent} count as spent, the calls say {counted}"));
    }
    Ok(found)
}

fn differences(call: &Call, slip: Option<Slip>, sent: i64) -> Vec<String> {
    let tool = &call.quote.tool;
    let mut found = Vec::new();
    let (held, refunded) = (call.held().nanos(), call.payment.refunded.nanos());
    let with_provider = slip.as_ref().map_or(0, Slip::held);
    if with_provider != held {
        found.push(format!(
            "the provider holds {with_provider} for {tool}, the ledger {held}"
        ));
    }
    let went_back = slip.as_ref().map_or(0, |slip| slip.refunded);
    if went_back != refunded || sent != refunded {
        found.push(format!(
            "{went_back} went back for {tool} in refunds of {sent}; the ledger says {refunded}"
        ));
    }
    if slip.is_some_and(|slip| slip.state == "reserved") {
        found.push(format!("a reservation for {tool} was left behind"));
    }
    found
}

fn slips(db: &Connection) -> rusqlite::Result<BTreeMap<String, Slip>> {
    let mut query = db.prepare("SELECT reference, state, amount, refunded FROM sandbox_payment")?;
    let rows = query.query_map([], |row| {
        let slip = Slip {
            state: row.get(1)?,
            amount: row.get(2)?,
            refunded: row.get(3)?,
        };
        Ok((row.get(0)?, slip))
    })?;
    rows.collect()
}

/// What a facilitator took, by payment; by nonce where no call is of it. A base unit is 10^-6 of a dollar.
fn brought(calls: &[Audited], evidence: &Evidence<'_>) -> BTreeMap<String, Slip> {
    let settled = evidence.facilitator.settled().into_iter();
    settled
        .map(|settled| {
            let call = calls.iter().map(|audited| &audited.record.call);
            let call = call
                .rev()
                .find(|call| brought::is_paid_by(call, &settled.transaction));
            let reference = call.and_then(|call| call.payment.reference.clone());
            let slip = Slip {
                state: "taken".to_owned(),
                amount: settled.value.parse::<i64>().unwrap_or(0) * 1_000,
                refunded: 0,
            };
            (reference.unwrap_or(settled.transaction), slip)
        })
        .collect()
}

/// What was sent back, by payment.
fn refunds(db: &Connection) -> rusqlite::Result<BTreeMap<String, i64>> {
    let mut query =
        db.prepare("SELECT reference, sum(amount) FROM sandbox_refund GROUP BY reference")?;
    let rows = query.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    rows.collect()
}
