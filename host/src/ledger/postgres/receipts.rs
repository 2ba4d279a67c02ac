//! Receipts in SQL, their keys, and the chains of this process.
//!
//! A chain belongs to one process, and within it to one change at a time: hosts never wait for each other's receipts,
//! and neither do the changes of one host. A process therefore has as many chains as it ever issued receipts at once,
//! at most one a connection. A chain whose last commit did not end well is left as it is, and a new one begun.

use std::sync::{Arc, Mutex, PoisonError};

use coinop_core::Millis;
use coinop_core::call::Call;
use coinop_core::digest::Digest;
use coinop_core::ids::CallId;
use coinop_core::receipt::{Chain, KeySet, SigningKey};
use tokio_postgres::Row;

use super::accounts::get;
use super::failed::Failed;
use super::pool::{Db, Query, query};
use super::transaction::{BEGIN, Transaction, nothing_refused};
use crate::ledger::LedgerError;

/// The chains of this process that nobody is issuing a receipt in.
#[derive(Default)]
pub(super) struct Chains(Mutex<Vec<Chain>>);

/// A receipt that is being issued, with its chain.
pub(super) struct Issuing {
    chain: Chain,
    text: Arc<str>,
}

impl Chains {
    /// Signs the next receipt of a free chain. It counts once it is committed; see [`Chains::went_on`].
    pub(super) fn issue(
        &self,
        key: &SigningKey,
        ledger: &str,
        call: &Call,
        result: Digest,
        at: Millis,
    ) -> Issuing {
        let free = self.0.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let mut chain = free.unwrap_or_else(|| Chain::new(crate::random::token()));
        let text = chain.issue(key, ledger, call, result, at).into();
        Issuing { chain, text }
    }

    /// The receipt is committed: its chain is free again.
    pub(super) fn went_on(&self, issued: Issuing) -> Arc<str> {
        let mut free = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        free.push(issued.chain);
        issued.text
    }
}

impl Issuing {
    /// What it writes.
    pub(super) fn writes(&self, call: &CallId) -> [Query; 2] {
        let count = i64::try_from(self.chain.count).unwrap_or(i64::MAX);
        [
            query!(
                "INSERT INTO receipt (call, chain, number, body) VALUES ($1, $2, $3, $4)",
                call.to_string(),
                self.chain.id.clone(),
                count,
                self.text.to_string(),
            ),
            query!(
                "INSERT INTO chain (id, count, head) VALUES ($1, $2, $3)
                 ON CONFLICT (id) DO UPDATE SET count = excluded.count, head = excluded.head",
                self.chain.id.clone(),
                count,
                self.chain.head.map(|head| head.to_string()),
            ),
        ]
    }
}

/// The key in a column.
pub(super) fn signing_key(row: &Row, at: usize) -> Result<SigningKey, LedgerError> {
    let missing = || LedgerError::Corrupt("there is no key for receipts".into());
    let secret: Option<&[u8]> = get(row, at)?;
    let secret: &[u8; 32] = secret.and_then(|s| s.try_into().ok()).ok_or_else(missing)?;
    Ok(SigningKey::from_secret(secret))
}

/// Makes a new key that signs from now on.
pub(super) async fn rotate_key(db: &Db) -> Result<String, Failed<LedgerError>> {
    let secret = crate::random::secret();
    let id = SigningKey::from_secret(&secret).id().to_owned();
    let begun = Transaction::begin(db, BEGIN, []).await?;
    let write = query!(
        "INSERT INTO receipt_key (id, secret, created_at) VALUES ($1, $2, $3)",
        id.clone(),
        secret.to_vec(),
        begun.now,
    );
    begun
        .transaction
        .commit(vec![write], nothing_refused)
        .await?;
    Ok(id)
}

/// The public halves of every key.
pub(super) async fn keys(db: &Db) -> Result<KeySet, Failed<LedgerError>> {
    let rows = db
        .rows(query!("SELECT secret FROM receipt_key ORDER BY n"))
        .await?;
    let public = |row| signing_key(row, 0).map(|key| key.public());
    let keys: Result<_, LedgerError> = rows.iter().map(public).collect();
    Ok(keys?)
}

/// When the first key was made.
pub(super) async fn since(db: &Db) -> Result<Millis, Failed<LedgerError>> {
    let rows = db
        .rows(query!("SELECT min(created_at) FROM receipt_key"))
        .await?;
    let first = rows.first().map(|row| get::<Option<Millis>>(row, 0));
    Ok(first.transpose()?.flatten().unwrap_or(Millis::MAX))
}

/// Every chain.
pub(super) async fn chains(db: &Db) -> Result<Vec<Chain>, Failed<LedgerError>> {
    let rows = db
        .rows(query!("SELECT id, count, head FROM chain ORDER BY id"))
        .await?;
    let chains: Result<_, LedgerError> = rows.iter().map(chain).collect();
    Ok(chains?)
}

fn chain(row: &Row) -> Result<Chain, LedgerError> {
    let head: Option<&str> = get(row, 2)?;
    let head = head.map(str::parse).transpose();
    Ok(Chain {
        id: get(row, 0)?,
        count: get::<i64>(row, 1)?.unsigned_abs(),
        head: head.map_err(|e| LedgerError::Corrupt(format!("the head of a chain: {e}")))?,
    })
}

/// The receipt of a call.
pub(super) async fn receipt(
    db: &Db,
    call: &CallId,
) -> Result<Option<Arc<str>>, Failed<LedgerError>> {
    let query = query!("SELECT body FROM receipt WHERE call = $1", call.to_string());
    let rows = db.rows::<LedgerError>(query).await?;
    let text: Option<&str> = rows.first().map(|row| get(row, 0)).transpose()?;
    Ok(text.map(Arc::from))
}

/// The receipts of a chain, in order.
pub(super) async fn receipts(
    db: &Db,
    chain: &str,
    after: u64,
    limit: u32,
) -> Result<Vec<String>, Failed<LedgerError>> {
    let query = query!(
        "SELECT body FROM receipt WHERE chain = $1 AND number > $2 ORDER BY number LIMIT $3",
        chain.to_owned(),
        i64::try_from(after).unwrap_or(i64::MAX),
        i64::from(limit),
    );
    let rows = db.rows(query).await?;
    let texts: Result<_, LedgerError> = rows.iter().map(|row| get(row, 0)).collect();
    Ok(texts?)
}
