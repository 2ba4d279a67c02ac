//! Connections to the database: how many, how long anything may take, what every session is set to.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use coinop_core::Millis;
use deadpool_postgres::{
    Hook, HookError, Manager, ManagerConfig, Object, Pool, QueueMode, RecyclingMethod, Runtime,
};
use futures::TryStreamExt as _;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Error, Row};

use super::clock::DatabaseClock;
use super::failed::Failed;
use super::tls::connector;
use super::url::Target;
use crate::ledger::LedgerError;

/// How long an operation on the way of a payment may take, connecting included.
pub(super) const PATIENCE: Duration = Duration::from_secs(8);
/// How long an operation may take that reads or writes much: components, checks, exports.
pub(super) const PATIENCE_LONG: Duration = Duration::from_secs(300);
/// How long a caller waits for a connection that others use.
const ACQUIRE_WAIT: Duration = Duration::from_secs(4);
/// How long connecting may take, the network, TLS and the login together.
const CONNECT_WAIT: Duration = Duration::from_secs(4);

/// What every session is set to. A host that is stopped in the middle of a transaction loses its locks before those who
/// wait for them give up, and what is acknowledged must be on the disk: a weaker setting of the server's is
/// raised, a stronger one stays.
const SESSION: &str = "SET statement_timeout = '6s'; SET lock_timeout = '4s';
SET idle_in_transaction_session_timeout = '3s';
SELECT set_config('synchronous_commit', 'on', false)
WHERE current_setting('synchronous_commit') IN ('off', 'local', 'remote_write')";

/// What a parameter of a statement is.
pub(super) type Value = Box<dyn ToSql + Sync + Send>;

/// A statement with its parameters.
pub(super) struct Query {
    pub(super) sql: &'static str,
    pub(super) values: Vec<Value>,
}

/// A [`Query`] of a constant and its parameters.
macro_rules! query {
    ($sql:expr $(, $value:expr)* $(,)?) => {
        $crate::ledger::postgres::pool::Query {
            sql: $sql,
            values: vec![$(Box::new($value)),*],
        }
    };
}
pub(super) use query;

/// The database as the operations see it.
pub(super) struct Db {
    pool: Pool,
    pub(super) clock: Arc<DatabaseClock>,
    commits: AtomicU64,
}

impl Db {
    /// A pool whose sessions work in `schema`. Connects to nothing yet.
    pub(super) fn new(
        target: &Target,
        schema: &str,
        clock: Arc<DatabaseClock>,
    ) -> Result<Self, String> {
        let settings = ManagerConfig {
            // A connection that has gone is noticed without a question; a question would cost every operation a round
            // trip.
            recycling_method: RecyclingMethod::Fast,
        };
        let tls = connector(&target.tls)?;
        let manager = Manager::from_config(target.config.clone(), tls, settings);
        let session: Arc<str> = session(schema).into();
        let set = Hook::async_fn(move |client, _| {
            let session = session.clone();
            Box::pin(async move {
                let set = client.batch_execute(&session).await;
                set.map_err(HookError::Backend)
            })
        });
        let pool = Pool::builder(manager)
            .max_size(target.connections)
            .wait_timeout(Some(ACQUIRE_WAIT))
            .create_timeout(Some(CONNECT_WAIT))
            .recycle_timeout(Some(CONNECT_WAIT))
            // The one that was used last is the likeliest to be there still.
            .queue_mode(QueueMode::Lifo)
            .post_create(set)
            .runtime(Runtime::Tokio1)
            .build()
            .map_err(|e| e.to_string())?;
        Ok(Self {
            pool,
            clock,
            commits: AtomicU64::new(0),
        })
    }

    /// A connection, once one is free.
    pub(super) async fn client<E: From<LedgerError>>(&self) -> Result<Object, Failed<E>> {
        Ok(self.pool.get().await?)
    }

    /// One statement that reads, or may be repeated: one round trip.
    pub(super) async fn rows<E: From<LedgerError>>(
        &self,
        query: Query,
    ) -> Result<Vec<Row>, Failed<E>> {
        let client = self.client().await?;
        Ok(rows(&client, query).await?)
    }

    /// One statement that writes and may be repeated: one round trip. How many rows it touched.
    pub(super) async fn write<E: From<LedgerError>>(&self, query: Query) -> Result<u64, Failed<E>> {
        let client = self.client().await?;
        let statement = client.prepare_cached(query.sql).await?;
        let touched = client.execute_raw(&statement, query.values).await?;
        self.committed();
        Ok(touched)
    }

    /// Closes every connection that nobody uses: the server ended one, and the others were made with it.
    pub(super) fn renew(&self) {
        self.pool.retain(|_, _| false);
    }

    /// Takes in what the database said the time is, when asked at `sent`.
    pub(super) fn heard(&self, sent: Millis, told: Millis) {
        self.clock.heard(sent, told);
    }

    /// Counts a commit.
    pub(super) fn committed(&self) {
        self.commits.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn commits(&self) -> u64 {
        self.commits.load(Ordering::Relaxed)
    }
}

/// Sends a query and awaits its rows.
pub(super) async fn rows(client: &Object, query: Query) -> Result<Vec<Row>, Error> {
    let statement = client.prepare_cached(query.sql).await?;
    let rows = client.query_raw(&statement, query.values).await?;
    rows.try_collect().await
}

/// What a new session is told. The schema is pinned: another one that appears later in somebody's search path must not
/// change which ledger this is.
fn session(schema: &str) -> String {
    let quoted = schema.replace('"', "\"\"");
    format!("SET search_path = \"{quoted}\"; {SESSION}")
}
