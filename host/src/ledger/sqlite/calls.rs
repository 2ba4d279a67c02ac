//! Calls in SQL: recorded, found, advanced, listed.

use coinop_core::Millis;
use coinop_core::call::{Call, Event};
use coinop_core::entry::entries;
use coinop_core::ids::CallId;
use coinop_core::money::Amount;
use coinop_core::step::due_at;
use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::outcomes;
use crate::ledger::{
    AdvanceError, Balance, CallKey, Change, LedgerError, NewCall, Opened, Record, open_key,
};

const COLUMNS: &str = "body, arguments, run_spec, updated_at, version";

struct Stored {
    record: Record,
    version: i64,
}

/// Records a call, or finds the open one it would repeat.
pub(super) fn open(db: &Connection, new: NewCall) -> Result<Opened, AdvanceError> {
    if outcomes::is_blocked(db, new.call.quote.component)? {
        return Err(AdvanceError::Blocked);
    }
    if !outcomes::has_component(db, new.call.quote.component)? {
        // Published before it was kept, or forgotten: a quote must not outlive the code it names.
        return Err(LedgerError::Unavailable("the component is not kept".into()).into());
    }
    let key = open_key(&new.call);
    if let Some(key) = &key {
        let sql = format!("SELECT {COLUMNS} FROM call WHERE open_key = ?1");
        if let Some(stored) = query_one(db, &sql, [key])? {
            return Ok(Opened {
                record: stored.record,
                existing: true,
            });
        }
    }
    let call = &new.call;
    let body = encode(call)?;
    db.prepare_cached(
        "INSERT INTO call (id, payment_id, link, open_key, state, payment_state, component, body, arguments, run_spec,
                           version, due_at, created_at, updated_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, 1, ?11, ?12, ?12)",
    )
    .and_then(|mut insert| {
        insert.execute(params![
            call.id.as_str(),
            call.payment.id.as_str(),
            call.payment.link.as_str(),
            key,
            call.state.name(),
            payment_state(call),
            call.quote.component.to_string(),
            body,
            new.arguments,
            new.run_spec,
            due_at(call, call.created_at),
            call.created_at,
        ])
    })
    .map_err(LedgerError::from)?;
    let updated_at = call.created_at;
    Ok(Opened {
        record: Record {
            call: new.call,
            arguments: Some(new.arguments),
            run_spec: Some(new.run_spec),
            updated_at,
        },
        existing: false,
    })
}

/// Reads one call.
pub(super) fn find(db: &Connection, key: &CallKey) -> Result<Option<Record>, LedgerError> {
    let (column, value) = match key {
        CallKey::Call(id) => ("id", id.as_str()),
        CallKey::Payment(id) => ("payment_id", id.as_str()),
        CallKey::Link(token) => ("link", token.as_str()),
    };
    let sql = format!("SELECT {COLUMNS} FROM call WHERE {column} = ?1");
    Ok(query_one(db, &sql, [value])?.map(|stored| stored.record))
}

/// Applies events to the stored call, all or none.
pub(super) fn advance(db: &Connection, change: &Change) -> Result<Record, AdvanceError> {
    let sql = format!("SELECT {COLUMNS} FROM call WHERE id = ?1");
    let stored = query_one(db, &sql, [change.call.as_str()])?.ok_or(AdvanceError::Missing)?;
    let before = stored.record.call.clone();
    let claims = change
        .events
        .iter()
        .any(|e| matches!(e, Event::Claimed { .. }));
    if claims && outcomes::is_blocked(db, before.quote.component)? {
        return Err(AdvanceError::Blocked);
    }
    let mut record = stored.record;
    let mut last = before.clone();
    for event in &change.events {
        if let Err(error) = record.call.apply(event) {
            record.call = before;
            return Err(AdvanceError::Illegal {
                error,
                record: Box::new(record),
            });
        }
        post(db, &last, &record.call, change.at)?;
        last.clone_from(&record.call);
    }
    if let Some(outcome) = &change.outcome {
        outcomes::keep_outcome(db, &change.call, outcome, change.at)?;
    }
    if record.call.state.is_end() {
        record.arguments = None;
        record.run_spec = None;
    }
    record.updated_at = change.at;
    store(db, &record, stored.version)?;
    Ok(record)
}

fn store(db: &Connection, record: &Record, version: i64) -> Result<(), LedgerError> {
    let call = &record.call;
    let changed = db
        .prepare_cached(
            "UPDATE call SET open_key = ?1, state = ?2, payment_state = ?3, body = ?4, arguments = ?5, run_spec = ?6,
                             version = version + 1, due_at = ?7, updated_at = ?8
             WHERE id = ?9 AND version = ?10",
        )?
        .execute(params![
            open_key(call),
            call.state.name(),
            payment_state(call),
            encode(call)?,
            record.arguments,
            record.run_spec,
            due_at(call, record.updated_at),
            record.updated_at,
            call.id.as_str(),
            version,
        ])?;
    if changed == 1 {
        Ok(())
    } else {
        // Cannot happen under BEGIN IMMEDIATE; a store that reads and writes apart would see it.
        Err(LedgerError::Unavailable(
            "the call changed meanwhile".into(),
        ))
    }
}

fn post(db: &Connection, before: &Call, after: &Call, at: Millis) -> Result<(), LedgerError> {
    for entry in entries(Some(before), after) {
        db.prepare_cached(
            "INSERT INTO entry (call, book, account, currency, amount, at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        )?
        .execute(params![
            after.id.as_str(),
            entry.book.as_str(),
            after.quote.account,
            entry.currency.code(),
            entry.amount.nanos(),
            at,
        ])?;
    }
    Ok(())
}

/// The latest calls first.
pub(super) fn list(db: &Connection, limit: u32) -> Result<Vec<Record>, LedgerError> {
    let sql = format!("SELECT {COLUMNS} FROM call ORDER BY created_at DESC, rowid DESC LIMIT ?1");
    query_all(db, &sql, params![limit])
}

/// Calls that a host should look at, the longest due first.
pub(super) fn due(db: &Connection, now: Millis, limit: u32) -> Result<Vec<Record>, LedgerError> {
    let sql = format!("SELECT {COLUMNS} FROM call WHERE due_at <= ?1 ORDER BY due_at LIMIT ?2");
    query_all(db, &sql, params![now, limit])
}

/// Hides a call that is due at `now` until `until`. Whether it was due.
pub(super) fn postpone(
    db: &Connection,
    call: &CallId,
    now: Millis,
    until: Millis,
) -> Result<bool, LedgerError> {
    let postponed = db
        .prepare_cached("UPDATE call SET due_at = ?3 WHERE id = ?1 AND due_at <= ?2")?
        .execute(params![call.as_str(), now, until])?;
    Ok(postponed == 1)
}

/// The sum of every account.
pub(super) fn balances(db: &Connection) -> Result<Vec<Balance>, LedgerError> {
    let mut query = db.prepare_cached(
        "SELECT book, currency, SUM(amount) FROM entry GROUP BY book, currency ORDER BY book, currency",
    )?;
    let mut rows = query.query([])?;
    let mut balances = Vec::new();
    while let Some(row) = rows.next()? {
        let currency: String = row.get(1)?;
        balances.push(Balance {
            book: row.get(0)?,
            currency: currency
                .parse()
                .map_err(|e| LedgerError::Corrupt(format!("{e}")))?,
            amount: Amount::from_nanos(row.get(2)?),
        });
    }
    Ok(balances)
}

fn query_one(
    db: &Connection,
    sql: &str,
    key: impl rusqlite::Params,
) -> Result<Option<Stored>, LedgerError> {
    let raw = db
        .prepare_cached(sql)?
        .query_row(key, read_raw)
        .optional()?;
    raw.map(decode).transpose()
}

fn query_all(
    db: &Connection,
    sql: &str,
    values: impl rusqlite::Params,
) -> Result<Vec<Record>, LedgerError> {
    let mut query = db.prepare_cached(sql)?;
    let rows = query.query_map(values, read_raw)?;
    rows.map(|raw| Ok(decode(raw?)?.record)).collect()
}

type Raw = (String, Option<String>, Option<String>, Millis, i64);

fn read_raw(row: &Row<'_>) -> Result<Raw, rusqlite::Error> {
    Ok((
        row.get(0)?,
        row.get(1)?,
        row.get(2)?,
        row.get(3)?,
        row.get(4)?,
    ))
}

fn decode((body, arguments, run_spec, updated_at, version): Raw) -> Result<Stored, LedgerError> {
    let call =
        serde_json::from_str(&body).map_err(|e| LedgerError::Corrupt(format!("a call: {e}")))?;
    Ok(Stored {
        record: Record {
            call,
            arguments,
            run_spec,
            updated_at,
        },
        version,
    })
}

fn encode(call: &Call) -> Result<String, LedgerError> {
    serde_json::to_string(call).map_err(|e| LedgerError::Corrupt(e.to_string()))
}

fn payment_state(call: &Call) -> String {
    // The serde name without its quotes: one word for both.
    serde_json::to_string(&call.payment.state)
        .unwrap_or_default()
        .trim_matches('"')
        .to_owned()
}
