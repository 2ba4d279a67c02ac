//! Components in SQL: kept, given back, blocked, forgotten.
//!
//! Whoever opens or claims a call holds a shared lock until it has committed; blocking and forgetting take it for
//! themselves. So a block that was acknowledged holds for every later claim, and code is not forgotten under a new call.

use std::sync::Arc;

use coinop_core::Millis;
use coinop_core::digest::Digest;
use tokio_postgres::Row;

use super::accounts::get;
use super::failed::Failed;
use super::locks;
use super::pool::{Db, Query, query};
use super::transaction::{BEGIN, BEGIN_LONG, Transaction, nothing_refused};
use crate::ledger::LedgerError;

/// Says that a kept component is still served. Whether it is kept at all.
pub(super) async fn touch(db: &Db, digest: Digest) -> Result<bool, Failed<LedgerError>> {
    let touched = db.write(query!(
        "UPDATE component SET kept_at = greatest(kept_at, floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint)
         WHERE digest = $1",
        digest.to_string(),
    ));
    Ok(touched.await? == 1)
}

/// Keeps a component's bytes.
pub(super) async fn keep(db: &Db, digest: Digest, bytes: &[u8]) -> Result<(), Failed<LedgerError>> {
    if touch(db, digest).await? {
        return Ok(());
    }
    let begun = Transaction::begin(db, BEGIN_LONG, []).await?;
    let writes = vec![
        query!(
            "INSERT INTO component (digest, kept_at) VALUES ($1, $2)
             ON CONFLICT (digest) DO UPDATE SET kept_at = greatest(component.kept_at, excluded.kept_at)",
            digest.to_string(),
            begun.now,
        ),
        query!(
            "INSERT INTO component_bytes (digest, bytes) VALUES ($1, $2) ON CONFLICT (digest) DO NOTHING",
            digest.to_string(),
            bytes.to_vec(),
        ),
    ];
    begun.transaction.commit(writes, nothing_refused).await?;
    Ok(())
}

/// The component's bytes.
pub(super) async fn bytes(
    db: &Db,
    digest: Digest,
) -> Result<Option<Arc<[u8]>>, Failed<LedgerError>> {
    let stored = query!(
        "SELECT bytes FROM component_bytes WHERE digest = $1",
        digest.to_string()
    );
    // Megabytes may take longer than what a payment may wait for.
    let begun = Transaction::begin(db, BEGIN_LONG, [stored]).await?;
    let [rows] = begun.found;
    begun
        .transaction
        .commit(Vec::new(), nothing_refused::<LedgerError>)
        .await?;
    let Some(row) = rows.first() else {
        return Ok(None);
    };
    let bytes: &[u8] = get(row, 0)?;
    match Digest::of(bytes) == digest {
        true => Ok(Some(Arc::from(bytes))),
        false => {
            let other = format!("the component {digest} does not have its digest");
            Err(LedgerError::Corrupt(other).into())
        }
    }
}

/// Blocks a component, or lifts the block, once whoever relies on it now has committed.
pub(super) async fn set_blocked(
    db: &Db,
    digest: Digest,
    blocked: bool,
) -> Result<(), Failed<LedgerError>> {
    let begun = alone(db, []).await?;
    let write = match blocked {
        true => query!(
            "INSERT INTO blocked (digest, at) VALUES ($1, $2) ON CONFLICT (digest) DO NOTHING",
            digest.to_string(),
            begun.now,
        ),
        false => query!("DELETE FROM blocked WHERE digest = $1", digest.to_string()),
    };
    begun
        .transaction
        .commit(vec![write], nothing_refused)
        .await?;
    Ok(())
}

/// Every blocked component.
pub(super) async fn blocked(db: &Db) -> Result<Vec<Digest>, Failed<LedgerError>> {
    let rows = db
        .rows(query!("SELECT digest FROM blocked ORDER BY at, digest"))
        .await?;
    let digests: Result<_, LedgerError> = rows.iter().map(digest).collect();
    Ok(digests?)
}

/// Forgets components kept before `before` that no call still on its way names.
pub(super) async fn forget(db: &Db, before: Millis, most: i64) -> Result<(), Failed<LedgerError>> {
    // Looked for first: only where there is something to forget does anybody have to wait.
    let old = db.rows::<LedgerError>(unused(before, most)).await?;
    if old.is_empty() {
        return Ok(());
    }
    let begun = alone(db, [unused(before, most)]).await?;
    let [rows] = begun.found;
    let digests: Result<Vec<String>, LedgerError> = rows.iter().map(|row| get(row, 0)).collect();
    let delete = query!("DELETE FROM component WHERE digest = ANY($1)", digests?);
    begun
        .transaction
        .commit(vec![delete], nothing_refused)
        .await?;
    Ok(())
}

fn unused(before: Millis, most: i64) -> Query {
    query!(
        "SELECT digest FROM component WHERE kept_at < $1 AND NOT EXISTS
           (SELECT 1 FROM call WHERE call.component = component.digest AND call.due_at IS NOT NULL)
           AND NOT EXISTS (SELECT 1 FROM call WHERE call.component = component.digest AND call.state = 'attention')
         ORDER BY kept_at LIMIT $2",
        before,
        most,
    )
}

/// Begins what nobody may rely on a component during.
async fn alone<const N: usize>(
    db: &Db,
    queries: [Query; N],
) -> Result<super::transaction::Begun<'_, N>, Failed<LedgerError>> {
    let prelude = format!("{BEGIN}; {}", locks::COMPONENTS);
    Transaction::begin(db, &prelude, queries).await
}

fn digest(row: &Row) -> Result<Digest, LedgerError> {
    let text: &str = get(row, 0)?;
    text.parse()
        .map_err(|e| LedgerError::Corrupt(format!("{e}")))
}
