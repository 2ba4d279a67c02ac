//! The sandbox provider's outbox in SQL: webhooks that are still to be sent.

use tokio_postgres::Row;

use super::accounts::get;
use super::failed::Failed;
use super::pool::{Db, Query, query};
use super::transaction::{BEGIN, Transaction, nothing_refused};
use crate::provider::sandbox::event::SlipEvent;
use crate::provider::sandbox::outbox::{
    AGE_MS_MAX, ATTEMPTS_MAX, TakeEvents, TakenEvents, next_attempt_at,
};
use crate::provider::sandbox::purse::PurseError;

/// What puts an event in, due at once; nothing where there is none.
pub(super) fn put(event: Option<&SlipEvent>) -> Option<Query> {
    let event = event?.clone();
    Some(query!(
        "INSERT INTO sandbox_event (id, account, kind, reference, at, attempts, due_at) VALUES ($1, $2, $3, $4, $5, 0, $5)",
        event.id,
        event.account,
        event.kind.as_str(),
        event.reference,
        event.at,
    ))
}

/// Takes what is due, and gives up what was tried for too long. Hosts do not wait for each other: what one is taking is
/// passed over by the others. One round trip where nothing is due.
pub(super) async fn take(db: &Db, take: &TakeEvents) -> Result<TakenEvents, Failed<PurseError>> {
    if db.rows::<PurseError>(is_due(take)).await?.is_empty() {
        return Ok(TakenEvents::default());
    }
    let begun = Transaction::begin(db, BEGIN, [give_up(take), due(take)]).await?;
    let [given_up, due] = begun.found;
    let mut taken = TakenEvents {
        events: Vec::new(),
        given_up: given_up.len() as u64,
    };
    let mut writes = Vec::new();
    for row in &due {
        let (event, attempts) = read(row)?;
        let attempt = attempts.unsigned_abs() + 1;
        writes.push(query!(
            "UPDATE sandbox_event SET attempts = $2, due_at = $3 WHERE id = $1",
            event.id.clone(),
            attempts + 1,
            next_attempt_at(take.now, attempt),
        ));
        taken.events.push(event);
    }
    begun
        .transaction
        .commit(writes, nothing_refused::<PurseError>)
        .await?;
    Ok(taken)
}

/// Removes an event.
pub(super) async fn sent(db: &Db, id: &str) -> Result<(), Failed<PurseError>> {
    let write = query!("DELETE FROM sandbox_event WHERE id = $1", id.to_owned());
    db.write(write).await.map(drop)
}

fn is_due(take: &TakeEvents) -> Query {
    query!(
        "SELECT 1 FROM sandbox_event WHERE due_at <= $1 AND (attempts >= $2 OR at <= $3 OR account = ANY($4)) LIMIT 1",
        take.now,
        attempts_max(),
        take.now - AGE_MS_MAX,
        take.accounts.clone(),
    )
}

fn give_up(take: &TakeEvents) -> Query {
    query!(
        "DELETE FROM sandbox_event WHERE due_at <= $1 AND (attempts >= $2 OR at <= $3) RETURNING id",
        take.now,
        attempts_max(),
        take.now - AGE_MS_MAX,
    )
}

fn due(take: &TakeEvents) -> Query {
    query!(
        "SELECT id, account, kind, reference, at, attempts FROM sandbox_event
         WHERE due_at <= $1 AND account = ANY($2) ORDER BY due_at LIMIT $3 FOR UPDATE SKIP LOCKED",
        take.now,
        take.accounts.clone(),
        i64::from(take.limit),
    )
}

fn attempts_max() -> i32 {
    i32::try_from(ATTEMPTS_MAX).unwrap_or(i32::MAX)
}

fn read(row: &Row) -> Result<(SlipEvent, i32), PurseError> {
    let kind: &str = get(row, 2)?;
    let unreadable = |_| PurseError::Unavailable(format!("{kind} cannot be read"));
    let event = SlipEvent {
        id: get(row, 0)?,
        account: get(row, 1)?,
        kind: kind.parse().map_err(unreadable)?,
        reference: get(row, 3)?,
        at: get(row, 4)?,
    };
    Ok((event, get(row, 5)?))
}
