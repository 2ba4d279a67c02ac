//! What the hosts of a ledger share beside calls: secrets, and which webhooks were dealt with.

use super::accounts::get;
use super::calls::has_nul;
use super::failed::Failed;
use super::locks;
use super::pool::{Db, Query, query};
use super::transaction::{BEGIN, Transaction, nothing_refused};
use crate::ledger::LedgerError;

/// Secrets of one name that count at a time: the present one and the one before.
const SECRETS_MAX: i64 = 2;

/// The latest secrets of a name, the latest first; the first is made, by one host.
pub(super) async fn secrets(db: &Db, name: &str) -> Result<Vec<Vec<u8>>, Failed<LedgerError>> {
    let found = values(&db.rows::<LedgerError>(latest(name)).await?)?;
    if !found.is_empty() {
        return Ok(found);
    }
    let prelude = format!("{BEGIN}; {}", locks::SECRETS);
    let begun = Transaction::begin(db, &prelude, [latest(name)]).await?;
    let [rows] = begun.found;
    let found = values(&rows)?;
    if !found.is_empty() {
        return Ok(found);
    }
    let secret = crate::random::secret().to_vec();
    let make = make(name, secret.clone(), begun.now);
    begun
        .transaction
        .commit(vec![make], nothing_refused)
        .await?;
    Ok(vec![secret])
}

/// Makes a new latest secret.
pub(super) async fn rotate_secret(db: &Db, name: &str) -> Result<(), Failed<LedgerError>> {
    let begun = Transaction::begin(db, BEGIN, []).await?;
    let make = make(name, crate::random::secret().to_vec(), begun.now);
    begun
        .transaction
        .commit(vec![make], nothing_refused)
        .await?;
    Ok(())
}

fn latest(name: &str) -> Query {
    query!(
        "SELECT value FROM secret WHERE name = $1 ORDER BY n DESC LIMIT $2",
        name.to_owned(),
        SECRETS_MAX,
    )
}

fn make(name: &str, secret: Vec<u8>, at: coinop_core::Millis) -> Query {
    query!(
        "INSERT INTO secret (name, value, created_at) VALUES ($1, $2, $3)",
        name.to_owned(),
        secret,
        at,
    )
}

fn values(rows: &[tokio_postgres::Row]) -> Result<Vec<Vec<u8>>, LedgerError> {
    rows.iter().map(|row| get(row, 0)).collect()
}

/// Whether a webhook was dealt with.
pub(super) async fn webhook_seen(
    db: &Db,
    account: &str,
    event_id: &str,
) -> Result<bool, Failed<LedgerError>> {
    if has_nul(&[account, event_id]) {
        return Ok(false);
    }
    let seen = query!(
        "SELECT 1 FROM webhook WHERE account = $1 AND event_id = $2",
        account.to_owned(),
        event_id.to_owned(),
    );
    Ok(!db.rows::<LedgerError>(seen).await?.is_empty())
}

/// Notes that a webhook was dealt with.
pub(super) async fn note_webhook(
    db: &Db,
    account: &str,
    event_id: &str,
) -> Result<(), Failed<LedgerError>> {
    let note = query!(
        "INSERT INTO webhook (account, event_id, at)
         VALUES ($1, $2, floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint)
         ON CONFLICT (account, event_id) DO NOTHING",
        account.to_owned(),
        event_id.to_owned(),
    );
    db.write(note).await.map(drop)
}
