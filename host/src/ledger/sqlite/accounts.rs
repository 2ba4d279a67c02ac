//! Accounts in SQL: entries, balances of principals, and what counts against their caps.

use coinop_core::Millis;
use coinop_core::call::Call;
use coinop_core::entry::Entry;
use coinop_core::ids::CallId;
use coinop_core::money::{Amount, Currency, Money};
use coinop_core::principal::Principal;
use rusqlite::{Connection, OptionalExtension as _, params};

use crate::ledger::columns;
use crate::ledger::transition::{Usage, cap_in, day_of, minute_before, principal_key};
use crate::ledger::{AdvanceError, Balance, Caps, CreditBalance, LedgerError, Posted};

/// Writes the entries of one change.
pub(super) fn post(
    db: &Connection,
    call: &Call,
    entries: &[Entry],
    change: i64,
    at: Millis,
) -> Result<(), LedgerError> {
    for entry in entries {
        db.prepare_cached(
            "INSERT INTO entry (call, book, account, currency, amount, at, change) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        )?
        .execute(params![
            call.id.as_str(),
            entry.book.as_str(),
            call.quote.account,
            entry.currency.code(),
            entry.amount.nanos(),
            at,
            change,
        ])?;
    }
    Ok(())
}

/// The entries of a call, in order.
pub(super) fn posted(db: &Connection, call: &CallId) -> Result<Vec<Posted>, LedgerError> {
    let mut query = db.prepare_cached(
        "SELECT change, book, currency, amount, at FROM entry WHERE call = ?1 ORDER BY id",
    )?;
    let mut rows = query.query([call.as_str()])?;
    let mut posted = Vec::new();
    while let Some(row) = rows.next()? {
        let book: String = row.get(1)?;
        posted.push(Posted {
            change: row.get(0)?,
            book: columns::book(&book)?,
            amount: columns::money(row.get(3)?, &row.get::<_, String>(2)?)?,
            at: row.get(4)?,
        });
    }
    Ok(posted)
}

/// The sum of every account.
pub(super) fn balances(db: &Connection) -> Result<Vec<Balance>, LedgerError> {
    let mut query = db.prepare_cached(
        "SELECT book, currency, SUM(amount) FROM entry GROUP BY book, currency ORDER BY book, currency",
    )?;
    let mut rows = query.query([])?;
    let mut balances = Vec::new();
    while let Some(row) = rows.next()? {
        let sum = columns::money(row.get(2)?, &row.get::<_, String>(1)?)?;
        balances.push(Balance {
            book: row.get(0)?,
            currency: sum.currency,
            amount: sum.amount,
        });
    }
    Ok(balances)
}

/// Moves a principal's balance with the account of `call`.
pub(super) fn move_credit(
    db: &Connection,
    call: &Call,
    moved: &[Money],
) -> Result<(), AdvanceError> {
    for money in moved {
        match move_balance(db, call, *money) {
            Ok(()) => {}
            Err(rusqlite::Error::SqliteFailure(failure, _))
                if failure.code == rusqlite::ErrorCode::ConstraintViolation =>
            {
                return Err(AdvanceError::CreditSpent);
            }
            Err(error) => return Err(LedgerError::from(error).into()),
        }
    }
    Ok(())
}

/// Adds to a balance, which never falls below nothing. Not an upsert: its row to insert would be checked before the
/// conflict is seen, and what is taken from a balance is no balance by itself.
fn move_balance(db: &Connection, call: &Call, money: Money) -> rusqlite::Result<()> {
    let row = params![
        principal_key(&call.quote.principal),
        call.quote.account,
        money.currency.code(),
        money.amount.nanos(),
    ];
    let moved = db
        .prepare_cached(
            "UPDATE credit SET amount = amount + ?4 WHERE principal = ?1 AND account = ?2 AND currency = ?3",
        )?
        .execute(row)?;
    if moved == 0 {
        db.prepare_cached(
            "INSERT INTO credit (principal, account, currency, amount) VALUES (?1, ?2, ?3, ?4)",
        )?
        .execute(row)?;
    }
    Ok(())
}

/// A principal's balance with an account.
pub(super) fn credit(
    db: &Connection,
    principal: &Principal,
    account: &str,
    currency: Currency,
) -> Result<Amount, LedgerError> {
    let nanos: Option<i64> = db
        .prepare_cached(
            "SELECT amount FROM credit WHERE principal = ?1 AND account = ?2 AND currency = ?3",
        )?
        .query_row(
            params![principal_key(principal), account, currency.code()],
            |row| row.get(0),
        )
        .optional()?;
    Ok(Amount::from_nanos(nanos.unwrap_or(0)))
}

/// Every balance that is not empty.
pub(super) fn credits(db: &Connection) -> Result<Vec<CreditBalance>, LedgerError> {
    let mut query = db.prepare_cached(
        "SELECT principal, account, currency, amount FROM credit WHERE amount > 0 ORDER BY principal, account",
    )?;
    let mut rows = query.query([])?;
    let mut credits = Vec::new();
    while let Some(row) = rows.next()? {
        let principal: String = row.get(0)?;
        credits.push(CreditBalance {
            principal: serde_json::from_str(&principal)
                .map_err(|e| LedgerError::Corrupt(format!("a principal: {e}")))?,
            account: row.get(1)?,
            amount: columns::money(row.get(3)?, &row.get::<_, String>(2)?)?,
        });
    }
    Ok(credits)
}

/// Adds to what counts as spent on the call's day.
pub(super) fn count_spent(db: &Connection, call: &Call, more: Amount) -> Result<(), LedgerError> {
    if more.is_zero() {
        return Ok(());
    }
    db.prepare_cached(
        "INSERT INTO spent (principal, currency, day, amount) VALUES (?1, ?2, ?3, max(0, ?4))
         ON CONFLICT DO UPDATE SET amount = max(0, amount + ?4)",
    )?
    .execute(params![
        principal_key(&call.quote.principal),
        call.quote.price.currency.code(),
        day_of(call.created_at),
        more.nanos(),
    ])?;
    Ok(())
}

/// How far the principal of a new call is from `caps`. Counts no further than they reach.
pub(super) fn usage(db: &Connection, call: &Call, caps: &Caps) -> Result<Usage, LedgerError> {
    let principal = principal_key(&call.quote.principal);
    let mut usage = Usage::default();
    if let Some(max) = caps.open_max {
        usage.open = db
            .prepare_cached(
                "SELECT count(*), coalesce(min(expires_at), 0) FROM
                   (SELECT expires_at FROM call WHERE principal = ?1 AND state IN ('quoted', 'awaiting')
                    ORDER BY expires_at LIMIT ?2)",
            )?
            .query_row(params![principal, max], |row| Ok((row.get(0)?, row.get(1)?)))?;
    }
    if let Some(max) = caps.links_per_minute_max {
        usage.links = db
            .prepare_cached(
                "SELECT count(*), coalesce(min(created_at), 0) FROM
                   (SELECT created_at FROM call WHERE principal = ?1 AND created_at > ?2
                    ORDER BY created_at DESC LIMIT ?3)",
            )?
            .query_row(
                params![principal, minute_before(call.created_at), max],
                |row| Ok((row.get(0)?, row.get(1)?)),
            )?;
    }
    let price = call.quote.price;
    if cap_in(&caps.per_day_max, price.currency).is_some() {
        let spent: Option<i64> = db
            .prepare_cached(
                "SELECT amount FROM spent WHERE principal = ?1 AND currency = ?2 AND day = ?3",
            )?
            .query_row(
                params![principal, price.currency.code(), day_of(call.created_at)],
                |row| row.get(0),
            )
            .optional()?;
        usage.spent_today = Amount::from_nanos(spent.unwrap_or(0));
    }
    Ok(usage)
}
