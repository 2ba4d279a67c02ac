//! Outcomes and components in SQL: kept, given back, forgotten; and which components are blocked.

use std::sync::Arc;

use coinop_core::Millis;
use coinop_core::digest::Digest;
use coinop_core::ids::CallId;
use coinop_core::outcome::Outcome;
use rusqlite::{Connection, OptionalExtension as _, params};

use crate::ledger::LedgerError;
use crate::ledger::transition::day_of;

/// Outcomes forgotten in one go, so that payments never wait long for it.
const FORGET_MAX: u32 = 200;

/// Stores the outcome of a run, once.
pub(super) fn keep_outcome(
    db: &Connection,
    call: &CallId,
    outcome: &Outcome,
    at: Millis,
) -> Result<(), LedgerError> {
    let body = serde_json::to_string(outcome).map_err(|e| LedgerError::Corrupt(e.to_string()))?;
    db.prepare_cached("INSERT INTO outcome (call, body, stored_at) VALUES (?1, ?2, ?3)")?
        .execute(params![call.as_str(), body, at])?;
    Ok(())
}

/// The outcome, while it is kept.
pub(super) fn outcome(db: &Connection, call: &CallId) -> Result<Option<Arc<Outcome>>, LedgerError> {
    let body: Option<String> = db
        .prepare_cached("SELECT body FROM outcome WHERE call = ?1")?
        .query_row([call.as_str()], |row| row.get(0))
        .optional()?;
    body.map(|body| {
        serde_json::from_str(&body)
            .map(Arc::new)
            .map_err(|e| LedgerError::Corrupt(format!("an outcome: {e}")))
    })
    .transpose()
}

/// Whether the component's bytes are kept.
pub(super) fn has_component(db: &Connection, digest: Digest) -> Result<bool, LedgerError> {
    exists(db, "SELECT 1 FROM component WHERE digest = ?1", digest)
}

/// Says that a kept component is still served. Whether it is kept at all.
pub(super) fn touch_component(
    db: &Connection,
    digest: Digest,
    at: Millis,
) -> Result<bool, LedgerError> {
    let touched = db
        .prepare_cached("UPDATE component SET kept_at = max(kept_at, ?2) WHERE digest = ?1")?
        .execute(params![digest.to_string(), at])?;
    Ok(touched == 1)
}

/// Keeps a component's bytes.
pub(super) fn keep_component(
    db: &Connection,
    digest: Digest,
    bytes: &[u8],
    at: Millis,
) -> Result<(), LedgerError> {
    if touch_component(db, digest, at)? {
        return Ok(());
    }
    db.prepare_cached("INSERT INTO component (digest, kept_at) VALUES (?1, ?2)")?
        .execute(params![digest.to_string(), at])?;
    db.prepare_cached("INSERT INTO component_bytes (digest, bytes) VALUES (?1, ?2)")?
        .execute(params![digest.to_string(), bytes])?;
    Ok(())
}

/// The component's bytes.
pub(super) fn component(db: &Connection, digest: Digest) -> Result<Option<Arc<[u8]>>, LedgerError> {
    let bytes: Option<Vec<u8>> = db
        .prepare_cached("SELECT bytes FROM component_bytes WHERE digest = ?1")?
        .query_row([digest.to_string()], |row| row.get(0))
        .optional()?;
    match bytes {
        Some(bytes) if Digest::of(&bytes) != digest => Err(LedgerError::Corrupt(format!(
            "the component {digest} does not have its digest"
        ))),
        other => Ok(other.map(Arc::from)),
    }
}

/// Blocks a component, or lifts the block.
pub(super) fn set_blocked(
    db: &Connection,
    digest: Digest,
    blocked: bool,
    at: Millis,
) -> Result<(), LedgerError> {
    if blocked {
        db.prepare_cached(
            "INSERT INTO blocked (digest, at) VALUES (?1, ?2) ON CONFLICT DO NOTHING",
        )?
        .execute(params![digest.to_string(), at])?;
    } else {
        db.prepare_cached("DELETE FROM blocked WHERE digest = ?1")?
            .execute([digest.to_string()])?;
    }
    Ok(())
}

/// Whether a component is blocked.
pub(super) fn is_blocked(db: &Connection, digest: Digest) -> Result<bool, LedgerError> {
    exists(db, "SELECT 1 FROM blocked WHERE digest = ?1", digest)
}

/// Every blocked component.
pub(super) fn blocked(db: &Connection) -> Result<Vec<Digest>, LedgerError> {
    let mut query = db.prepare_cached("SELECT digest FROM blocked ORDER BY at")?;
    let rows = query.query_map([], |row| row.get::<_, String>(0))?;
    rows.map(|text| {
        text?
            .parse()
            .map_err(|e| LedgerError::Corrupt(format!("{e}")))
    })
    .collect()
}

/// Forgets old outcomes of calls at rest (one that waits for a person is not), old notes of webhooks and spent days, and components kept before `before`
/// that no call still on its way names.
pub(super) fn forget(db: &Connection, before: Millis) -> Result<u64, LedgerError> {
    let outcomes = db
        .prepare_cached(
            "DELETE FROM outcome WHERE call IN
               (SELECT outcome.call FROM outcome JOIN call ON call.id = outcome.call
                WHERE stored_at < ?1 AND updated_at < ?1 AND due_at IS NULL AND state <> 'attention'
                ORDER BY stored_at LIMIT ?2)",
        )?
        .execute(params![before, FORGET_MAX])?;
    db.prepare_cached(
        "DELETE FROM component WHERE kept_at < ?1
           AND NOT EXISTS (SELECT 1 FROM call WHERE component = digest AND due_at IS NOT NULL)
           AND NOT EXISTS (SELECT 1 FROM call WHERE component = digest AND state = 'attention')",
    )?
    .execute([before])?;
    db.prepare_cached(
        "DELETE FROM webhook WHERE rowid IN (SELECT rowid FROM webhook WHERE at < ?1 LIMIT ?2)",
    )?
    .execute(params![before, FORGET_MAX])?;
    // A day that is over caps nothing any more; yesterday's calls may still give back.
    db.prepare_cached(
        "DELETE FROM spent WHERE rowid IN (SELECT rowid FROM spent WHERE day < ?1 LIMIT ?2)",
    )?
    .execute(params![day_of(before) - 1, FORGET_MAX])?;
    Ok(outcomes as u64)
}

fn exists(db: &Connection, sql: &str, digest: Digest) -> Result<bool, LedgerError> {
    Ok(db.prepare_cached(sql)?.exists([digest.to_string()])?)
}
