//! Accounts in SQL: entries, balances of principals, and what counts against their caps.

use coinop_core::Millis;
use coinop_core::call::Call;
use coinop_core::digest::Digest;
use coinop_core::entry::Entry;
use coinop_core::money::{Amount, Currency, Money};
use coinop_core::principal::Principal;
use tokio_postgres::{Error, Row};

use super::failed::Failed;
use super::pool::{Db, Query, query};
use super::transaction::{BEGIN_SNAPSHOT, Transaction, nothing_refused};
use crate::ledger::columns;
use crate::ledger::transition::{Usage, cap_in, day_of, minute_before, principal_key};
use crate::ledger::{AdvanceError, Balance, Caps, CreditBalance, LedgerError, Posted};

/// The constraint that keeps balances from going below zero.
const NEVER_NEGATIVE: &str = "credit_amount";
/// Rows that one principal's day is spread over: a change holds its row until it has committed.
const SPENT_SLOTS: i64 = 16;

/// Writes the entries of one change, in order.
pub(super) fn post(call: &Call, entries: &[Entry], change: i64, at: Millis) -> Option<Query> {
    let books: Vec<&str> = entries.iter().map(|entry| entry.book.as_str()).collect();
    let currencies: Vec<String> = entries
        .iter()
        .map(|e| e.currency.code().to_string())
        .collect();
    let amounts: Vec<i64> = entries.iter().map(|entry| entry.amount.nanos()).collect();
    let post = query!(
        "INSERT INTO entry (call, change, account, at, book, currency, amount)
         SELECT $1::text, $2::bigint, $3::text, $4::bigint, book, currency, amount
         FROM unnest($5::text[], $6::text[], $7::bigint[]) WITH ORDINALITY AS line (book, currency, amount, n)
         ORDER BY n",
        call.id.to_string(),
        change,
        call.quote.account.clone(),
        at,
        books,
        currencies,
        amounts,
    );
    (!entries.is_empty()).then_some(post)
}

/// The entries of these calls, in order, each with its call.
pub(super) fn posted(calls: Vec<String>) -> Query {
    query!(
        "SELECT change, book, currency, amount, at, call FROM entry WHERE call = ANY($1) ORDER BY id",
        calls
    )
}

/// A row of [`posted`].
pub(super) fn read_posted(row: &Row) -> Result<Posted, LedgerError> {
    let (book, currency): (&str, &str) = (get(row, 1)?, get(row, 2)?);
    Ok(Posted {
        change: get(row, 0)?,
        book: columns::book(book)?,
        amount: columns::money(get(row, 3)?, currency)?,
        at: get(row, 4)?,
    })
}

/// The sum of every account.
pub(super) async fn balances(db: &Db) -> Result<Vec<Balance>, Failed<LedgerError>> {
    let sums = query!(
        "SELECT book, currency, sum(amount)::bigint FROM entry GROUP BY book, currency ORDER BY book, currency"
    );
    let rows = read_much(db, sums).await?;
    let balance = |row: &Row| {
        let sum = columns::money(get(row, 2)?, get(row, 1)?)?;
        Ok(Balance {
            book: get(row, 0)?,
            currency: sum.currency,
            amount: sum.amount,
        })
    };
    let balances: Result<_, LedgerError> = rows.iter().map(balance).collect();
    Ok(balances?)
}

/// One statement that may take long.
async fn read_much(db: &Db, query: Query) -> Result<Vec<Row>, Failed<LedgerError>> {
    let begun = Transaction::begin(db, BEGIN_SNAPSHOT, [query]).await?;
    let [rows] = begun.found;
    begun
        .transaction
        .commit(Vec::new(), nothing_refused)
        .await?;
    Ok(rows)
}

/// Moves a principal's balance with the account of `call`.
///
/// The database checks a row that is proposed before it finds that there is one already, so what is taken from a
/// balance proposes nothing where there is a row. Rows stay once they are there.
pub(super) fn move_credit(call: &Call, moved: &[Money]) -> Vec<Query> {
    let one = |money: &Money| {
        query!(
            "INSERT INTO credit (principal, account, currency, amount)
             SELECT $1::text, $2::text, $3::text, CASE WHEN EXISTS
                 (SELECT 1 FROM credit WHERE principal = $1 AND account = $2 AND currency = $3)
               THEN greatest($4::bigint, 0) ELSE $4::bigint END
             ON CONFLICT (principal, account, currency) DO UPDATE SET amount = credit.amount + $4::bigint",
            principal_key(&call.quote.principal),
            call.quote.account.clone(),
            money.currency.code().to_string(),
            money.amount.nanos(),
        )
    };
    moved.iter().map(one).collect()
}

/// Whether a statement was refused because a balance does not cover it.
pub(super) fn credit_spent(error: &Error) -> Option<Failed<AdvanceError>> {
    let constraint = error.as_db_error().and_then(|error| error.constraint());
    (constraint == Some(NEVER_NEGATIVE)).then_some(Failed::Told(AdvanceError::CreditSpent))
}

/// A principal's balance with an account.
pub(super) async fn credit(
    db: &Db,
    principal: &Principal,
    account: &str,
    currency: Currency,
) -> Result<Amount, Failed<LedgerError>> {
    let balance = query!(
        "SELECT amount FROM credit WHERE principal = $1 AND account = $2 AND currency = $3",
        principal_key(principal),
        account.to_owned(),
        currency.code().to_string(),
    );
    let rows = db.rows(balance).await?;
    let nanos = rows.first().map(|row| get(row, 0)).transpose()?;
    Ok(Amount::from_nanos(nanos.unwrap_or(0)))
}

/// Every balance that is not empty.
pub(super) async fn credits(db: &Db) -> Result<Vec<CreditBalance>, Failed<LedgerError>> {
    let all = query!(
        "SELECT principal, account, currency, amount FROM credit WHERE amount > 0 ORDER BY principal, account, currency"
    );
    let rows = read_much(db, all).await?;
    let balance = |row: &Row| {
        let principal: &str = get(row, 0)?;
        Ok(CreditBalance {
            principal: serde_json::from_str(principal)
                .map_err(|e| LedgerError::Corrupt(format!("a principal: {e}")))?,
            account: get(row, 1)?,
            amount: columns::money(get(row, 3)?, get(row, 2)?)?,
        })
    };
    let credits: Result<_, LedgerError> = rows.iter().map(balance).collect();
    Ok(credits?)
}

/// Adds to what counts as spent on the call's day.
pub(super) fn count_spent(call: &Call, more: Amount) -> Option<Query> {
    let count = query!(
        "INSERT INTO spent (principal, currency, day, slot, amount) VALUES ($1, $2, $3, $5, greatest($4::bigint, 0))
         ON CONFLICT (principal, currency, day, slot) DO UPDATE SET amount = greatest(spent.amount + $4::bigint, 0)",
        principal_key(&call.quote.principal),
        call.quote.price.currency.code().to_string(),
        day_of(call.created_at),
        more.nanos(),
        slot(call),
    );
    (!more.is_zero()).then_some(count)
}

/// Which of the day's rows a call counts in: always the same, so that what it counted is what it gives back.
fn slot(call: &Call) -> i64 {
    let [first, ..] = *Digest::of(call.id.as_str().as_bytes()).as_bytes();
    i64::from(first) % SPENT_SLOTS
}

/// Whether `caps` are about more than the call itself, so that hosts have to take turns.
pub(super) fn needs_turns(caps: &Caps) -> bool {
    caps.open_max.is_some() || caps.links_per_minute_max.is_some() || !caps.per_day_max.is_empty()
}

/// How far the principal of a new call is from `caps`. Counts no further than they reach.
pub(super) fn usage(call: &Call, caps: &Caps) -> Query {
    let minute_ms = -minute_before(0);
    query!(
        "WITH t AS MATERIALIZED (SELECT floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint AS now),
              waiting AS (SELECT expires_at FROM call WHERE principal = $1 AND state IN ('quoted', 'awaiting')
                          ORDER BY expires_at LIMIT $2),
              lately AS (SELECT created_at FROM call WHERE principal = $1 AND created_at > (SELECT now FROM t) - $3
                         ORDER BY created_at DESC LIMIT $4)
         SELECT (SELECT count(*) FROM waiting), (SELECT coalesce(min(expires_at), 0) FROM waiting),
                (SELECT count(*) FROM lately), (SELECT coalesce(min(created_at), 0) FROM lately),
                coalesce((SELECT sum(amount) FROM spent WHERE principal = $1 AND currency = $5
                          AND day = (SELECT now FROM t) / 86400000), 0)::bigint,
                (SELECT now FROM t)",
        principal_key(&call.quote.principal),
        i64::from(caps.open_max.unwrap_or(0)),
        minute_ms,
        i64::from(caps.links_per_minute_max.unwrap_or(0)),
        call.quote.price.currency.code().to_string(),
    )
}

/// What [`usage`] found, and when.
pub(super) fn read_usage(
    row: &Row,
    call: &Call,
    caps: &Caps,
) -> Result<(Usage, Millis), LedgerError> {
    let count =
        |at: usize| Ok::<_, LedgerError>(u32::try_from(get::<i64>(row, at)?).unwrap_or(u32::MAX));
    let currency = call.quote.price.currency;
    let capped = cap_in(&caps.per_day_max, currency).is_some();
    let spent = if capped { get(row, 4)? } else { 0 };
    let usage = Usage {
        open: (count(0)?, get(row, 1)?),
        links: (count(2)?, get(row, 3)?),
        spent_today: Amount::from_nanos(spent),
    };
    Ok((usage, get(row, 5)?))
}

/// A column, or what is wrong with it.
pub(super) fn get<'a, T: tokio_postgres::types::FromSql<'a>>(
    row: &'a Row,
    at: usize,
) -> Result<T, LedgerError> {
    row.try_get(at)
        .map_err(|e| LedgerError::Corrupt(e.to_string()))
}
