//! The sandbox provider's outbox in SQL: webhooks that are still to be sent.

use coinop_core::Millis;
use rusqlite::{Connection, params};

use crate::provider::sandbox::event::SlipEvent;
use crate::provider::sandbox::outbox::{
    AGE_MS_MAX, ATTEMPTS_MAX, TakeEvents, TakenEvents, next_attempt_at,
};
use crate::provider::sandbox::purse::PurseError;

/// Puts an event in, due at once.
pub(super) fn put(db: &Connection, event: Option<&SlipEvent>) -> Result<(), PurseError> {
    let Some(event) = event else { return Ok(()) };
    db.prepare_cached(
        "INSERT INTO sandbox_event (id, account, kind, reference, at, attempts, due_at) VALUES (?1, ?2, ?3, ?4, ?5, 0, ?5)",
    )?
    .execute(params![
        event.id,
        event.account,
        event.kind.as_str(),
        event.reference,
        event.at
    ])?;
    Ok(())
}

/// Whether there is anything to take or to give up: a look that costs no commit.
pub(super) fn is_due(db: &Connection, take: &TakeEvents) -> Result<bool, PurseError> {
    Ok(db
        .prepare_cached(
            "SELECT 1 FROM sandbox_event WHERE due_at <= ?1
             AND (attempts >= ?2 OR at <= ?3 OR account IN (SELECT value FROM json_each(?4)))",
        )?
        .exists(params![
            take.now,
            ATTEMPTS_MAX,
            take.now - AGE_MS_MAX,
            accounts(take)
        ])?)
}

/// Takes what is due, and gives up what was tried for too long.
pub(super) fn take(db: &Connection, take: &TakeEvents) -> Result<TakenEvents, PurseError> {
    let given_up = db
        .prepare_cached(
            "DELETE FROM sandbox_event WHERE due_at <= ?1 AND (attempts >= ?2 OR at <= ?3)",
        )?
        .execute(params![take.now, ATTEMPTS_MAX, take.now - AGE_MS_MAX])?;
    let mut events = Vec::new();
    for (event, attempts) in due(db, take)? {
        let attempt = attempts + 1;
        db.prepare_cached("UPDATE sandbox_event SET attempts = ?2, due_at = ?3 WHERE id = ?1")?
            .execute(params![
                event.id,
                attempt,
                next_attempt_at(take.now, attempt)
            ])?;
        events.push(event);
    }
    Ok(TakenEvents {
        events,
        given_up: given_up as u64,
    })
}

/// Removes an event.
pub(super) fn sent(db: &Connection, id: &str) -> Result<(), PurseError> {
    db.prepare_cached("DELETE FROM sandbox_event WHERE id = ?1")?
        .execute([id])?;
    Ok(())
}

fn due(db: &Connection, take: &TakeEvents) -> Result<Vec<(SlipEvent, u32)>, PurseError> {
    let mut query = db.prepare_cached(
        "SELECT id, account, kind, reference, at, attempts FROM sandbox_event
         WHERE due_at <= ?1 AND account IN (SELECT value FROM json_each(?2)) ORDER BY due_at LIMIT ?3",
    )?;
    let rows = query.query_map(params![take.now, accounts(take), take.limit], |row| {
        let kind: String = row.get(2)?;
        Ok((
            row.get(0)?,
            row.get(1)?,
            kind,
            row.get(3)?,
            row.get(4)?,
            row.get(5)?,
        ))
    })?;
    rows.map(|row| read(row?)).collect()
}

/// The columns of an event: id, account, kind, reference, at, attempts.
type EventRow = (String, String, String, String, Millis, u32);

fn read(
    (id, account, kind, reference, at, attempts): EventRow,
) -> Result<(SlipEvent, u32), PurseError> {
    let kind = kind
        .parse()
        .map_err(|_| PurseError::Unavailable(format!("{kind} cannot be read")))?;
    let event = SlipEvent {
        id,
        account,
        kind,
        reference,
        at,
    };
    Ok((event, attempts))
}

fn accounts(take: &TakeEvents) -> String {
    serde_json::to_string(&take.accounts).unwrap_or_default()
}
