//! Calls in SQL: recorded, found, advanced, listed.

use coinop_core::Millis;
use coinop_core::call::{Call, Event};
use coinop_core::ids::CallId;
use coinop_core::step::due_at;
use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::{accounts, outcomes, receipts};
use crate::ledger::transition::{
    Transition, brought, is_meant, is_paid_for, named, open_key, open_viewer, payment_state,
    principal_key, within,
};
use crate::ledger::{
    AdvanceError, Advanced, Audited, CallKey, Caps, Change, Filter, LedgerError, NewCall,
    OPEN_TOOLS_MAX, OpenTool, Opened, Record, TakeDue,
};

const COLUMNS: &str = "body, arguments, run_spec, updated_at, version";

/// Records a call within `caps`, or finds the open one it would repeat.
pub(super) fn open(db: &Connection, new: NewCall, caps: &Caps) -> Result<Opened, AdvanceError> {
    if outcomes::is_blocked(db, new.call.quote.component)? && !is_paid_for(&new.call) {
        return Err(AdvanceError::Blocked);
    }
    if !outcomes::has_component(db, new.call.quote.component)? {
        // Published before it was kept, or forgotten: a quote must not outlive the code it names.
        return Err(LedgerError::Unavailable("the component is not kept".into()).into());
    }
    if let Some(reference) = brought(&new.call) {
        let sql = format!("SELECT {COLUMNS} FROM call WHERE brought = ?1");
        if let Some(record) = query_one(db, &sql, [reference])? {
            return Ok(Opened {
                record,
                existing: true,
            });
        }
    }
    if let Some(name) = named(&new.call) {
        let sql = format!("SELECT {COLUMNS} FROM call WHERE named = ?1");
        if let Some(record) = query_one(db, &sql, [name])? {
            return Ok(Opened {
                record,
                existing: true,
            });
        }
    }
    let key = open_key(&new.call);
    if let Some(key) = &key {
        let sql = format!("SELECT {COLUMNS} FROM call WHERE open_key = ?1");
        if let Some(record) = query_one(db, &sql, [key])? {
            if is_meant(&record, new.call.created_at) {
                return Ok(Opened {
                    record,
                    existing: true,
                });
            }
            free_key(db, key)?;
        }
    }
    let call = &new.call;
    let usage = accounts::usage(db, call, caps)?;
    within(caps, call.quote.price, &usage, call.created_at)?;
    let body = encode(call)?;
    db.prepare_cached(
        "INSERT INTO call (id, payment_id, link, open_key, state, payment_state, component, body, arguments, run_spec,
                           version, due_at, created_at, updated_at, account, principal, reference, expires_at,
                           viewer, brought, named)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, 1, ?11, ?12, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19)",
    )
    .and_then(|mut insert| {
        insert.execute(params![
            call.id.as_str(),
            call.payment.id.as_str(),
            call.payment.link.as_str(),
            key,
            call.state.name(),
            payment_state(call.payment.state),
            call.quote.component.to_string(),
            body,
            new.arguments,
            new.run_spec,
            due_at(call, call.created_at),
            call.created_at,
            call.quote.account,
            principal_key(&call.quote.principal),
            call.payment.reference,
            call.quote.expires_at,
            open_viewer(call),
            brought(call),
            named(call),
        ])
    })
    .map_err(LedgerError::from)?;
    let (entries, credit, spent) = Transition::opening(call);
    accounts::post(db, call, &entries, 1, call.created_at)?;
    accounts::move_credit(db, call, &credit)?;
    accounts::count_spent(db, call, spent)?;
    let updated_at = call.created_at;
    Ok(Opened {
        record: Record {
            call: new.call,
            arguments: Some(new.arguments),
            run_spec: Some(new.run_spec),
            updated_at,
            version: 1,
        },
        existing: false,
    })
}

/// Takes a key from a call that is given again no more.
fn free_key(db: &Connection, key: &str) -> Result<(), LedgerError> {
    db.prepare_cached("UPDATE call SET open_key = NULL WHERE open_key = ?1")?
        .execute([key])?;
    Ok(())
}

/// Reads one call.
pub(super) fn find(db: &Connection, key: &CallKey) -> Result<Option<Record>, LedgerError> {
    let (column, value) = match key {
        CallKey::Call(id) => ("id", id.as_str()),
        CallKey::Payment(id) => ("payment_id", id.as_str()),
        CallKey::Link(token) => ("link", token.as_str()),
        CallKey::Brought(reference) => ("brought", reference.as_str()),
        CallKey::Reference { account, reference } => {
            let sql = format!("SELECT {COLUMNS} FROM call WHERE account = ?1 AND reference = ?2");
            return query_one(db, &sql, [account, reference]);
        }
    };
    let sql = format!("SELECT {COLUMNS} FROM call WHERE {column} = ?1");
    query_one(db, &sql, [value])
}

/// Applies a change to the stored call, all or nothing, and issues the receipt when it is delivered.
pub(super) fn advance(
    db: &Connection,
    ledger: &str,
    change: &Change,
) -> Result<Advanced, AdvanceError> {
    let sql = format!("SELECT {COLUMNS} FROM call WHERE id = ?1");
    let stored = query_one(db, &sql, [change.call.as_str()])?.ok_or(AdvanceError::Missing)?;
    let claims = change
        .events
        .iter()
        .any(|e| matches!(e, Event::Claimed { .. }));
    if claims && outcomes::is_blocked(db, stored.call.quote.component)? {
        return Err(AdvanceError::Blocked);
    }
    let transition = Transition::of(stored, change)?;
    let call = &transition.record.call;
    accounts::post(
        db,
        call,
        &transition.entries,
        transition.record.version,
        change.at,
    )?;
    accounts::move_credit(db, call, &transition.credit)?;
    accounts::count_spent(db, call, transition.spent)?;
    if let Some(outcome) = &change.outcome {
        outcomes::keep_outcome(db, &change.call, outcome, change.at)?;
    }
    let receipt = match transition.delivers {
        true => receipts::issue(db, ledger, call, change)?,
        false => None,
    };
    store(db, &transition)?;
    Ok(Advanced {
        record: transition.record,
        receipt,
    })
}

fn store(db: &Connection, transition: &Transition) -> Result<(), LedgerError> {
    let record = &transition.record;
    let call = &record.call;
    let changed = db
        .prepare_cached(
            "UPDATE call SET open_key = ?1, state = ?2, payment_state = ?3, body = ?4, arguments = ?5, run_spec = ?6,
                             version = ?10, due_at = ?7, updated_at = ?8, reference = ?11,
                             viewer = ?12, named = ?13
             WHERE id = ?9 AND version = ?10 - 1",
        )?
        .execute(params![
            open_key(call),
            call.state.name(),
            payment_state(call.payment.state),
            encode(call)?,
            record.arguments,
            record.run_spec,
            transition.due_at(),
            record.updated_at,
            call.id.as_str(),
            record.version,
            call.payment.reference,
            open_viewer(call),
            named(call),
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

/// The calls of a filter, the latest first.
pub(super) fn list(
    db: &Connection,
    filter: &Filter,
    limit: u32,
) -> Result<Vec<Record>, LedgerError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM call
         WHERE (?1 IS NULL OR state = ?1) AND (?2 IS NULL OR account = ?2)
           AND created_at >= coalesce(?3, 0) AND created_at < coalesce(?4, 9223372036854775807)
           AND (NOT ?6 OR due_at IS NOT NULL)
         ORDER BY created_at DESC, rowid DESC LIMIT ?5"
    );
    let values = params![
        filter.state,
        filter.account,
        filter.since,
        filter.until,
        limit,
        filter.due
    ];
    let mut query = db.prepare_cached(&sql)?;
    let rows = query.query_map(values, read_raw)?;
    rows.map(|raw| decode(raw?)).collect()
}

/// The tools of a viewer's open calls.
pub(super) fn open_tools(
    db: &Connection,
    viewer: &str,
    now: Millis,
) -> Result<Vec<OpenTool>, LedgerError> {
    let mut query = db.prepare_cached(
        "SELECT json_extract(body, '$.quote.tool') AS tool, max(expires_at) FROM call
         WHERE viewer = ?1 AND expires_at > ?2 GROUP BY tool ORDER BY tool LIMIT ?3",
    )?;
    let rows = query.query_map(params![viewer, now, OPEN_TOOLS_MAX], |row| {
        Ok(OpenTool {
            tool: row.get(0)?,
            until: row.get(1)?,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Whether anything is due: asked of the reader first, so that a round without work writes nothing.
pub(super) fn is_due(db: &Connection, take: &TakeDue) -> Result<bool, LedgerError> {
    Ok(db
        .prepare_cached(
            "SELECT 1 FROM call WHERE due_at <= ?1 AND account IN (SELECT value FROM json_each(?2)) LIMIT 1",
        )?
        .exists(params![take.now, accounts(take)])?)
}

/// Takes calls that a host should look at, the longest due first.
pub(super) fn take_due(db: &Connection, take: &TakeDue) -> Result<Vec<Record>, LedgerError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM call
         WHERE due_at <= ?1 AND account IN (SELECT value FROM json_each(?2)) ORDER BY due_at LIMIT ?3"
    );
    let mut query = db.prepare_cached(&sql)?;
    let rows = query.query_map(params![take.now, accounts(take), take.limit], read_raw)?;
    let taken: Vec<Record> = rows
        .map(|raw| decode(raw?))
        .collect::<Result<_, LedgerError>>()?;
    for record in &taken {
        postpone(db, &record.call.id, record.version, Some(take.until))?;
    }
    Ok(taken)
}

fn accounts(take: &TakeDue) -> String {
    serde_json::to_string(&take.accounts).unwrap_or_default()
}

/// Hides a call that is still in `version` until `until`, or for good.
pub(super) fn postpone(
    db: &Connection,
    call: &CallId,
    version: i64,
    until: Option<Millis>,
) -> Result<(), LedgerError> {
    db.prepare_cached("UPDATE call SET due_at = ?3 WHERE id = ?1 AND version = ?2")?
        .execute(params![call.as_str(), version, until])?;
    Ok(())
}

/// Calls with all that is recorded of them, by id.
pub(super) fn audit(
    db: &Connection,
    after: Option<&CallId>,
    limit: u32,
) -> Result<Vec<Audited>, LedgerError> {
    let sql = format!(
        "SELECT {COLUMNS}, due_at, (SELECT body FROM receipt WHERE call = id),
                EXISTS (SELECT 1 FROM outcome WHERE call = id), id
         FROM call WHERE id > ?1 ORDER BY id LIMIT ?2"
    );
    let mut query = db.prepare_cached(&sql)?;
    let after = after.map_or("", CallId::as_str);
    let rows = query.query_map(params![after, limit], |row| {
        let id: String = row.get(8)?;
        Ok((read_raw(row)?, row.get(5)?, row.get(6)?, row.get(7)?, id))
    })?;
    let mut audited = Vec::new();
    for row in rows {
        let (raw, due_at, receipt, has_outcome, id) = row?;
        let named = |error| match error {
            LedgerError::Corrupt(what) => LedgerError::Corrupt(format!("{id}: {what}")),
            other => other,
        };
        let record = decode(raw).map_err(named)?;
        audited.push(Audited {
            entries: accounts::posted(db, &record.call.id).map_err(named)?,
            record,
            due_at,
            receipt,
            has_outcome,
        });
    }
    Ok(audited)
}

fn query_one(
    db: &Connection,
    sql: &str,
    key: impl rusqlite::Params,
) -> Result<Option<Record>, LedgerError> {
    let raw = db
        .prepare_cached(sql)?
        .query_row(key, read_raw)
        .optional()?;
    raw.map(decode).transpose()
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

fn decode((body, arguments, run_spec, updated_at, version): Raw) -> Result<Record, LedgerError> {
    let call =
        serde_json::from_str(&body).map_err(|e| LedgerError::Corrupt(format!("a call: {e}")))?;
    Ok(Record {
        call,
        arguments,
        run_spec,
        updated_at,
        version,
    })
}

fn encode(call: &Call) -> Result<String, LedgerError> {
    serde_json::to_string(call).map_err(|e| LedgerError::Corrupt(e.to_string()))
}
