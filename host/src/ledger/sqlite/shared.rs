//! What the hosts of a ledger share beside calls: secrets, and which webhooks were dealt with.

use coinop_core::Millis;
use rusqlite::{Connection, params};

use crate::ledger::LedgerError;

/// Secrets of one name that count at a time: the present one and the one before.
const SECRETS_MAX: u32 = 2;

/// The latest secrets of a name; the first is made.
pub(super) fn secrets(
    db: &Connection,
    name: &str,
    at: Millis,
) -> Result<Vec<Vec<u8>>, LedgerError> {
    let found = latest_secrets(db, name)?;
    if !found.is_empty() {
        return Ok(found);
    }
    rotate_secret(db, name, at)?;
    latest_secrets(db, name)
}

/// The latest secrets of a name, the latest first: in the order in which they were made, whatever the makers' clocks said.
pub(super) fn latest_secrets(db: &Connection, name: &str) -> Result<Vec<Vec<u8>>, LedgerError> {
    let mut query =
        db.prepare_cached("SELECT value FROM secret WHERE name = ?1 ORDER BY rowid DESC LIMIT ?2")?;
    let rows = query.query_map(params![name, SECRETS_MAX], |row| row.get(0))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Makes a new latest secret.
pub(super) fn rotate_secret(db: &Connection, name: &str, at: Millis) -> Result<(), LedgerError> {
    db.prepare_cached("INSERT INTO secret (name, value, created_at) VALUES (?1, ?2, ?3)")?
        .execute(params![name, crate::random::secret(), at])?;
    Ok(())
}

/// Whether a webhook was dealt with.
pub(super) fn webhook_seen(
    db: &Connection,
    account: &str,
    event_id: &str,
) -> Result<bool, LedgerError> {
    Ok(db
        .prepare_cached("SELECT 1 FROM webhook WHERE account = ?1 AND event_id = ?2")?
        .exists([account, event_id])?)
}

/// Notes that a webhook was dealt with.
pub(super) fn note_webhook(
    db: &Connection,
    account: &str,
    event_id: &str,
    at: Millis,
) -> Result<(), LedgerError> {
    db.prepare_cached(
        "INSERT INTO webhook (account, event_id, at) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING",
    )?
    .execute(params![account, event_id, at])?;
    Ok(())
}
