//! Receipts, their keys and chains in SQL.

use std::sync::Arc;

use coinop_core::Millis;
use coinop_core::call::Call;
use coinop_core::receipt::{Chain, KeySet, SigningKey};
use rusqlite::{Connection, OptionalExtension as _, params};

use super::outcomes;
use crate::ledger::{Change, LedgerError};

/// Issues the receipt of a call that is being delivered. `None` when its outcome has been forgotten.
pub(super) fn issue(
    db: &Connection,
    ledger: &str,
    call: &Call,
    change: &Change,
) -> Result<Option<Arc<str>>, LedgerError> {
    let result = match &change.outcome {
        Some(outcome) => outcome.digest(),
        None => match outcomes::outcome(db, &call.id)? {
            Some(outcome) => outcome.digest(),
            None => return Ok(None),
        },
    };
    let key = signing_key(db)?;
    // Processes that share the file take turns with writing: the file is one host to its readers, and has one chain.
    let mut chain = chain(db, ledger)?;
    let text = chain.issue(&key, ledger, call, result, change.at);
    db.prepare_cached("INSERT INTO receipt (call, chain, number, body) VALUES (?1, ?2, ?3, ?4)")?
        .execute(params![
            call.id.as_str(),
            chain.id,
            chain.count as i64,
            text
        ])?;
    db.prepare_cached(
        "INSERT INTO chain (id, count, head) VALUES (?1, ?2, ?3)
         ON CONFLICT DO UPDATE SET count = excluded.count, head = excluded.head",
    )?
    .execute(params![
        chain.id,
        chain.count as i64,
        chain.head.map(|head| head.to_string())
    ])?;
    Ok(Some(text.into()))
}

/// The receipt of a call.
pub(super) fn receipt(
    db: &Connection,
    call: &coinop_core::ids::CallId,
) -> Result<Option<Arc<str>>, LedgerError> {
    let body: Option<String> = db
        .prepare_cached("SELECT body FROM receipt WHERE call = ?1")?
        .query_row([call.as_str()], |row| row.get(0))
        .optional()?;
    Ok(body.map(Arc::from))
}

fn signing_key(db: &Connection) -> Result<SigningKey, LedgerError> {
    let secret: Option<[u8; 32]> = db
        // In the order made, whatever the clocks of the processes say.
        .prepare_cached("SELECT secret FROM receipt_key ORDER BY rowid DESC LIMIT 1")?
        .query_row([], |row| row.get(0))
        .optional()?;
    secret
        .map(|secret| SigningKey::from_secret(&secret))
        .ok_or_else(|| LedgerError::Corrupt("there is no key for receipts".into()))
}

/// Makes the first key of a ledger that has none.
pub(super) fn ensure_key(db: &Connection, at: Millis) -> Result<(), LedgerError> {
    let found = db.prepare("SELECT 1 FROM receipt_key")?.exists([])?;
    match found {
        true => Ok(()),
        false => rotate_key(db, at).map(drop),
    }
}

/// Makes a new key that signs from now on.
pub(super) fn rotate_key(db: &Connection, at: Millis) -> Result<String, LedgerError> {
    let secret = crate::random::secret();
    let key = SigningKey::from_secret(&secret);
    db.prepare_cached("INSERT INTO receipt_key (id, secret, created_at) VALUES (?1, ?2, ?3)")?
        .execute(params![key.id(), secret, at])?;
    Ok(key.id().to_owned())
}

/// The public halves of every key.
pub(super) fn keys(db: &Connection) -> Result<KeySet, LedgerError> {
    let mut query = db.prepare_cached("SELECT secret FROM receipt_key")?;
    let rows = query.query_map([], |row| row.get::<_, [u8; 32]>(0))?;
    let keys = rows.map(|secret| Ok(SigningKey::from_secret(&secret?).public()));
    keys.collect()
}

/// When the first key was made.
pub(super) fn since(db: &Connection) -> Result<Millis, LedgerError> {
    let first = "SELECT min(created_at) FROM receipt_key";
    let first: Option<Millis> = db.prepare_cached(first)?.query_row([], |row| row.get(0))?;
    Ok(first.unwrap_or(Millis::MAX))
}

/// Every chain.
pub(super) fn chains(db: &Connection) -> Result<Vec<Chain>, LedgerError> {
    let mut query = db.prepare_cached("SELECT id FROM chain ORDER BY id")?;
    let rows = query.query_map([], |row| row.get::<_, String>(0))?;
    rows.map(|id| chain(db, &id?)).collect()
}

fn chain(db: &Connection, id: &str) -> Result<Chain, LedgerError> {
    let row: Option<(i64, Option<String>)> = db
        .prepare_cached("SELECT count, head FROM chain WHERE id = ?1")?
        .query_row([id], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    let Some((count, head)) = row else {
        return Ok(Chain::new(id.to_owned()));
    };
    let head = head.map(|head| head.parse()).transpose();
    Ok(Chain {
        id: id.to_owned(),
        count: count.unsigned_abs(),
        head: head.map_err(|e| LedgerError::Corrupt(format!("the head of a chain: {e}")))?,
    })
}

/// The receipts of a chain, in order.
pub(super) fn receipts(
    db: &Connection,
    chain: &str,
    after: u64,
    limit: u32,
) -> Result<Vec<String>, LedgerError> {
    let mut query = db.prepare_cached(
        "SELECT body FROM receipt WHERE chain = ?1 AND number > ?2 ORDER BY number LIMIT ?3",
    )?;
    let rows = query.query_map(params![chain, after as i64, limit], |row| row.get(0))?;
    Ok(rows.collect::<Result<_, _>>()?)
}
