//! Outcomes in SQL: kept, given back, forgotten.

use std::sync::Arc;

use coinop_core::Millis;
use coinop_core::digest::Digest;
use coinop_core::ids::CallId;
use coinop_core::outcome::Outcome;

use super::accounts::get;
use super::components;
use super::failed::Failed;
use super::pool::{Db, Query, query};
use super::transaction::Transaction;
use crate::ledger::transition::day_of;
use crate::ledger::{AdvanceError, Change, Delivery, LedgerError};

/// Rows forgotten in one go, so that payments never wait long for it.
const FORGET_MAX: i64 = 200;

/// Stores the outcome of a run, once.
pub(super) fn keep(call: &CallId, outcome: &Outcome, at: Millis) -> Result<Query, LedgerError> {
    let body = serde_json::to_string(outcome).map_err(|e| LedgerError::Corrupt(e.to_string()))?;
    Ok(query!(
        "INSERT INTO outcome (call, body, stored_at) VALUES ($1, $2, $3)",
        call.to_string(),
        body,
        at,
    ))
}

/// The digest of what is being delivered: of the outcome that comes with the change, or of the one that is stored. `None`
/// when that has been forgotten.
pub(super) async fn delivered(
    transaction: &Transaction<'_>,
    change: &Change,
) -> Result<Option<Digest>, Failed<AdvanceError>> {
    if let Some(outcome) = &change.outcome {
        return Ok(Some(outcome.digest()));
    }
    let stored = query!(
        "SELECT body FROM outcome WHERE call = $1",
        change.call.to_string()
    );
    let rows = transaction.rows(stored).await?;
    let outcome = rows.first().map(|row| read(get(row, 0)?)).transpose()?;
    Ok(outcome.map(|outcome| outcome.digest()))
}

/// The outcome with its receipt, while it is kept.
pub(super) async fn outcome(
    db: &Db,
    call: &CallId,
) -> Result<Option<Delivery>, Failed<LedgerError>> {
    let stored = query!(
        "SELECT outcome.body, receipt.body FROM outcome LEFT JOIN receipt ON receipt.call = outcome.call
         WHERE outcome.call = $1",
        call.to_string(),
    );
    let rows = db.rows(stored).await?;
    let Some(row) = rows.first() else {
        return Ok(None);
    };
    let receipt: Option<&str> = get(row, 1)?;
    Ok(Some(Delivery {
        outcome: Arc::new(read(get(row, 0)?)?),
        receipt: receipt.map(Arc::from),
    }))
}

/// Forgets old outcomes of calls at rest, old notes of webhooks and spent days, and components that no call still on its
/// way names. Rows that somebody else is at are left for the next time.
pub(super) async fn forget(db: &Db, before: Millis) -> Result<u64, Failed<LedgerError>> {
    let outcomes = db.write(query!(
        "DELETE FROM outcome WHERE call IN
           (SELECT outcome.call FROM outcome JOIN call ON call.id = outcome.call
            WHERE outcome.stored_at < $1 AND call.updated_at < $1 AND call.due_at IS NULL
              AND call.state <> 'attention'
            ORDER BY outcome.stored_at LIMIT $2 FOR UPDATE SKIP LOCKED)",
        before,
        FORGET_MAX,
    ));
    let outcomes = outcomes.await?;
    components::forget(db, before, FORGET_MAX).await?;
    db.write::<LedgerError>(query!(
        "DELETE FROM webhook WHERE ctid = ANY (ARRAY
           (SELECT ctid FROM webhook WHERE at < $1 LIMIT $2 FOR UPDATE SKIP LOCKED))",
        before,
        FORGET_MAX,
    ))
    .await?;
    // A day that is over caps nothing any more; yesterday's calls may still give back.
    db.write::<LedgerError>(query!(
        "DELETE FROM spent WHERE ctid = ANY (ARRAY
           (SELECT ctid FROM spent WHERE day < $1 LIMIT $2 FOR UPDATE SKIP LOCKED))",
        day_of(before) - 1,
        FORGET_MAX,
    ))
    .await?;
    Ok(outcomes)
}

fn read(body: &str) -> Result<Outcome, LedgerError> {
    serde_json::from_str(body).map_err(|e| LedgerError::Corrupt(format!("an outcome: {e}")))
}
