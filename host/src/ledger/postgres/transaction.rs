//! Transactions of two round trips: one begins and reads under a lock, the other writes and commits.
//!
//! Statements are sent one after another without waiting for answers in between. One that fails aborts the
//! transaction, so those behind it do nothing, and the commit becomes a rollback.

use std::time::Duration;

use coinop_core::Millis;
use deadpool_postgres::Object;
use futures::TryStreamExt as _;
use futures::future::{join, join_all, maybe_done};
use tokio_postgres::{Error, Row, Statement};

use super::failed::{Failed, has_gone, in_words};
use super::pool::{Db, Query, Value, query, rows};
use crate::ledger::LedgerError;

/// Begins what changes calls. The isolation is said: a database may have another default.
pub(super) const BEGIN: &str = "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE";
/// Begins what reads more than one statement gives, as of one moment.
pub(super) const BEGIN_SNAPSHOT: &str =
    "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL statement_timeout = '5min'";
/// Begins what sends or removes much.
pub(super) const BEGIN_LONG: &str =
    "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE; SET LOCAL statement_timeout = '5min'";

/// The database's time, milliseconds.
pub(super) const NOW: &str = "SELECT floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint";

/// How long a connection whose caller has gone may take to roll back before it is closed.
const ROLLBACK_WAIT: Duration = Duration::from_secs(5);

/// A transaction that has begun. Dropped before its commit, it is rolled back.
pub(super) struct Transaction<'a> {
    db: &'a Db,
    client: Option<Object>,
}

/// What a transaction found when it began.
pub(super) struct Begun<'a, const N: usize> {
    pub(super) transaction: Transaction<'a>,
    /// What each query gave.
    pub(super) found: [Vec<Row>; N],
    /// The database's time once every lock was held.
    pub(super) now: Millis,
}

impl<'a> Transaction<'a> {
    /// Begins with `prelude`, and reads: one round trip.
    pub(super) async fn begin<const N: usize, E: From<LedgerError>>(
        db: &'a Db,
        prelude: &str,
        queries: [Query; N],
    ) -> Result<Begun<'a, N>, Failed<E>> {
        let client = db.client().await?;
        let queries = prepared(&client, queries).await?;
        let now = prepared(&client, [query!(NOW)]).await?;
        let transaction = Self {
            db,
            client: Some(client),
        };
        let client = transaction.client();
        let sent = db.clock.asked();
        // Polled in this order for the first time, and so sent in this order.
        let asking = join(read(client, queries), read(client, now));
        let (begun, (found, now)) = join(client.batch_execute(prelude), asking).await;
        begun?;
        let found: Result<Vec<_>, Error> = found.into_iter().collect();
        let found = found?
            .try_into()
            .unwrap_or_else(|_| std::array::from_fn(|_| Vec::new()));
        let now = now.into_iter().next().transpose()?.unwrap_or_default();
        let now = now.first().map(|row| row.try_get(0)).transpose()?;
        let now = now.ok_or_else(|| LedgerError::Corrupt("the database has no time".into()))?;
        db.heard(sent, now);
        Ok(Begun {
            transaction,
            found,
            now,
        })
    }

    /// Reads once more: another round trip.
    pub(super) async fn rows<E: From<LedgerError>>(
        &self,
        query: Query,
    ) -> Result<Vec<Row>, Failed<E>> {
        Ok(rows(self.client(), query).await?)
    }

    /// Writes and commits: one round trip. `refused` turns an error of a statement into the operation's own.
    pub(super) async fn commit<E: From<LedgerError>>(
        mut self,
        writes: Vec<Query>,
        refused: impl Fn(&Error) -> Option<Failed<E>>,
    ) -> Result<(), Failed<E>> {
        let client = self.client();
        let writes = prepared(client, writes).await?;
        let mut sending = Vec::with_capacity(writes.len());
        for write in writes {
            let mut write = Box::pin(maybe_done(touched(client, write)));
            let _ = futures::poll!(write.as_mut());
            if matches!(write.as_mut().output_mut(), Some(Err(e)) if e.as_db_error().is_none()) {
                // It was not even sent: nothing may be committed without it.
                let unsent = write.as_mut().take_output().and_then(Result::err);
                return Err(unsent.map_or_else(|| LedgerError::Closed.into(), Failed::from));
            }
            sending.push(write);
        }
        let writing = async {
            let mut written = Vec::with_capacity(sending.len());
            for mut write in sending {
                write.as_mut().await;
                written.extend(write.as_mut().take_output());
            }
            written
        };
        let (committed, written) = join(client.batch_execute("COMMIT"), writing).await;
        let refused_write = written.into_iter().find_map(Result::err);
        match (refused_write, committed) {
            (None, Ok(())) => {
                self.client = None;
                self.db.committed();
                Ok(())
            }
            // Without an answer nobody knows, and neither where the session was ended around its commit.
            (None, Err(error)) if has_gone(&error) => Err(unknown(&error)),
            (Some(error), _) if error.as_db_error().is_none() => Err(unknown(&error)),
            // The server said that it was rolled back.
            (Some(error), _) | (None, Err(error)) => {
                self.client = None;
                Err(refused(&error).unwrap_or_else(|| error.into()))
            }
        }
    }

    fn client(&self) -> &Object {
        self.client.as_ref().expect("taken at the end only")
    }
}

/// No error of a statement is the operation's own.
pub(super) fn nothing_refused<E>(_: &Error) -> Option<Failed<E>> {
    None
}

/// A statement that the server knows, with its parameters: nothing is left to wait for before it is sent.
type Prepared = (Statement, Vec<Value>);

/// Has the server know every statement. Asks it only about those that this connection has not sent before.
async fn prepared(
    client: &Object,
    queries: impl IntoIterator<Item = Query>,
) -> Result<Vec<Prepared>, Error> {
    let mut all = Vec::new();
    for query in queries {
        all.push((client.prepare_cached(query.sql).await?, query.values));
    }
    Ok(all)
}

async fn read(client: &Object, queries: Vec<Prepared>) -> Vec<Result<Vec<Row>, Error>> {
    let reading = queries.into_iter().map(|(statement, values)| async move {
        let rows = client.query_raw(&statement, values).await?;
        rows.try_collect().await
    });
    join_all(reading).await
}

async fn touched(client: &Object, (statement, values): Prepared) -> Result<u64, Error> {
    client.execute_raw(&statement, values).await
}

/// The connection broke with the commit on its way. Whoever asks again finds what is stored.
fn unknown<E>(error: &Error) -> Failed<E> {
    let said = in_words(error);
    Failed::Unknown(LedgerError::Unavailable(format!(
        "the database: {said}; whether it was stored is not known"
    )))
}

impl Drop for Transaction<'_> {
    /// The caller went away, or what it read was not what it needed.
    fn drop(&mut self) {
        let Some(client) = self.client.take() else {
            return;
        };
        let Ok(runtime) = tokio::runtime::Handle::try_current() else {
            drop(Object::take(client));
            return;
        };
        runtime.spawn(async move {
            let rolling = client.batch_execute("ROLLBACK");
            let rolled = tokio::time::timeout(ROLLBACK_WAIT, rolling).await;
            if !matches!(rolled, Ok(Ok(()))) {
                // Its state is not known: it is closed, and the pool makes another.
                drop(Object::take(client));
            }
        });
    }
}
