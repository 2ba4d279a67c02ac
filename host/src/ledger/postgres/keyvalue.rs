//! Plugins' key-value data in tables of their own, through connections of their own: however many guests write, the
//! ledger's are free.
//!
//! Whoever writes a plugin's data locks the plugin's row first, so quotas and sums are exact between hosts.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use futures::future::BoxFuture;
use tokio::sync::OnceCell;
use tokio_postgres::Row;

use super::accounts::get;
use super::clock::{DatabaseClock, Monotonic};
use super::failed::{Failed, attempt};
use super::open::{self, Missing};
use super::pool::{Db, PATIENCE, Query, query};
use super::transaction::{BEGIN, Begun, Transaction, nothing_refused};
use super::url::Target;
use crate::keyvalue::{
    KeyValue, KeyValueError, PAGE_KEYS_MAX, Page, Write, incremented, size_of, within,
};

/// Connections of one host.
const CONNECTIONS: usize = 4;

/// Plugins' data in a PostgreSQL database.
pub struct PostgresKeyValue {
    target: Target,
    db: OnceCell<Db>,
}

impl PostgresKeyValue {
    /// The store in the ledger's database at `url`. Connects to nothing yet.
    ///
    /// # Errors
    /// What is wrong with the URL, without its text.
    pub fn new(url: &str) -> Result<Self, String> {
        let mut target = Target::parse(url)?;
        target.connections = target.connections.min(CONNECTIONS);
        Ok(Self {
            target,
            db: OnceCell::new(),
        })
    }

    async fn db(&self) -> Result<&Db, KeyValueError> {
        let connecting = || async {
            let clock = Arc::new(DatabaseClock::new(Arc::new(Monotonic::start())));
            let opened = open::open(&self.target, &clock, Missing::Refuse).await;
            let opened = opened.map_err(|e| e.to_string());
            let made = opened.and_then(|opened| Db::new(&self.target, &opened.schema, clock));
            made.map_err(KeyValueError::Unavailable)
        };
        self.db.get_or_try_init(connecting).await
    }
}

impl KeyValue for PostgresKeyValue {
    fn get(
        &self,
        plugin: &str,
        keys: Vec<String>,
    ) -> BoxFuture<'_, Result<Vec<Option<Vec<u8>>>, KeyValueError>> {
        let plugin = plugin.to_owned();
        Box::pin(async move {
            let db = self.db().await?;
            let (plugin, keys) = (&plugin, &keys);
            attempt(db, PATIENCE, move || values(db, plugin, keys)).await
        })
    }

    fn exists(&self, plugin: &str, key: String) -> BoxFuture<'_, Result<bool, KeyValueError>> {
        let plugin = plugin.to_owned();
        Box::pin(async move {
            let db = self.db().await?;
            let (plugin, key) = (&plugin, &key);
            attempt(db, PATIENCE, move || async move {
                let rows = db.rows::<KeyValueError>(query!(
                    "SELECT 1 FROM keyvalue WHERE plugin = $1 AND key = $2",
                    plugin.clone(),
                    key.clone(),
                ));
                Ok(!rows.await?.is_empty())
            })
            .await
        })
    }

    fn keys(&self, plugin: &str, from: Option<u64>) -> BoxFuture<'_, Result<Page, KeyValueError>> {
        let plugin = plugin.to_owned();
        Box::pin(async move {
            let db = self.db().await?;
            let plugin = &plugin;
            attempt(db, PATIENCE, move || page(db, plugin, from.unwrap_or(0))).await
        })
    }

    fn write(
        &self,
        plugin: &str,
        writes: Vec<Write>,
        max: u64,
    ) -> BoxFuture<'_, Result<(), KeyValueError>> {
        let plugin = plugin.to_owned();
        Box::pin(async move {
            let db = self.db().await?;
            // The last word on a key counts.
            let writes: BTreeMap<String, Option<Vec<u8>>> = writes.into_iter().collect();
            let (plugin, writes) = (&plugin, &writes);
            attempt(db, PATIENCE, move || write(db, plugin, writes, max)).await
        })
    }

    fn increment(
        &self,
        plugin: &str,
        key: String,
        by: u64,
        max: u64,
    ) -> BoxFuture<'_, Result<u64, KeyValueError>> {
        let plugin = plugin.to_owned();
        Box::pin(async move {
            let db = self.db().await?;
            let (plugin, key) = (&plugin, &key);
            attempt(db, PATIENCE, move || increment(db, plugin, key, by, max)).await
        })
    }

    fn used(&self, plugin: &str) -> BoxFuture<'_, Result<u64, KeyValueError>> {
        let plugin = plugin.to_owned();
        Box::pin(async move {
            let db = self.db().await?;
            let plugin = &plugin;
            attempt(db, PATIENCE, move || async move {
                let rows = db.rows::<KeyValueError>(query!(
                    "SELECT bytes FROM keyvalue_plugin WHERE plugin = $1",
                    plugin.clone(),
                ));
                Ok(bytes(&rows.await?)?)
            })
            .await
        })
    }
}

/// What one attempt gives.
type Attempted<T> = Result<T, Failed<KeyValueError>>;

async fn values(db: &Db, plugin: &str, keys: &[String]) -> Attempted<Vec<Option<Vec<u8>>>> {
    let rows = db.rows(held(plugin, keys)).await?;
    let mut found = by_key(&rows)?;
    // A key may be asked for twice.
    let value = |key: &String| match keys.iter().filter(|other| *other == key).count() {
        1 => found.remove(key),
        _ => found.get(key).cloned(),
    };
    Ok(keys.iter().map(value).collect())
}

async fn page(db: &Db, plugin: &str, from: u64) -> Attempted<Page> {
    let rows = db.rows::<KeyValueError>(query!(
        "SELECT n, key FROM keyvalue WHERE plugin = $1 AND n > $2 ORDER BY n LIMIT $3",
        plugin.to_owned(),
        i64::try_from(from).unwrap_or(i64::MAX),
        PAGE_KEYS_MAX as i64 + 1,
    ));
    let numbered = |row: &Row| Ok((get::<i64>(row, 0)?.unsigned_abs(), get(row, 1)?));
    let rows: Result<Vec<(u64, String)>, KeyValueError> =
        rows.await?.iter().map(numbered).collect();
    Ok(Page::of(rows?))
}

async fn write(
    db: &Db,
    plugin: &str,
    writes: &BTreeMap<String, Option<Vec<u8>>>,
    max: u64,
) -> Attempted<()> {
    let sizes = query!(
        "SELECT key, octet_length(value)::bigint FROM keyvalue WHERE plugin = $1 AND key = ANY($2)",
        plugin.to_owned(),
        writes.keys().cloned().collect::<Vec<_>>(),
    );
    let begun = alone(db, plugin, sizes).await?;
    let [_, used, sizes] = &begun.found;
    let before = bytes(used)?;
    let mut after = before;
    for row in sizes {
        let key: &str = get(row, 0)?;
        after -= key.len() as u64 + get::<i64>(row, 1)?.unsigned_abs();
    }
    let written = writes
        .iter()
        .filter_map(|(key, value)| Some((key, value.as_ref()?)));
    after += written.map(|(key, value)| size_of(key, value)).sum::<u64>();
    within(before, after, max)?;
    let mut statements: Vec<Query> = writes
        .iter()
        .map(|(key, value)| put(plugin, key, value))
        .collect();
    statements.push(keep_used(plugin, after));
    begun.transaction.commit(statements, nothing_refused).await
}

async fn increment(db: &Db, plugin: &str, key: &str, by: u64, max: u64) -> Attempted<u64> {
    let keys = [key.to_owned()];
    let begun = alone(db, plugin, held(plugin, &keys)).await?;
    let [_, used, rows] = &begun.found;
    let (before, held) = (bytes(used)?, by_key(rows)?.remove(key));
    let sum = incremented(held.as_deref(), by)?;
    let digits = sum.to_string().into_bytes();
    let left = before - held.map_or(0, |held| size_of(key, &held));
    let after = left + size_of(key, &digits);
    within(before, after, max)?;
    let statements = vec![put(plugin, key, &Some(digits)), keep_used(plugin, after)];
    begun
        .transaction
        .commit(statements, nothing_refused)
        .await?;
    Ok(sum)
}

/// Begins as the only writer of a plugin's data, and reads.
async fn alone<'a>(db: &'a Db, plugin: &str, read: Query) -> Attempted<Begun<'a, 3>> {
    let make = query!(
        "INSERT INTO keyvalue_plugin (plugin, bytes) VALUES ($1, 0) ON CONFLICT (plugin) DO NOTHING",
        plugin.to_owned(),
    );
    let lock = query!(
        "SELECT bytes FROM keyvalue_plugin WHERE plugin = $1 FOR UPDATE",
        plugin.to_owned(),
    );
    Transaction::begin(db, BEGIN, [make, lock, read]).await
}

fn held(plugin: &str, keys: &[String]) -> Query {
    query!(
        "SELECT key, value FROM keyvalue WHERE plugin = $1 AND key = ANY($2)",
        plugin.to_owned(),
        keys.to_vec(),
    )
}

fn put(plugin: &str, key: &str, value: &Option<Vec<u8>>) -> Query {
    let (plugin, key) = (plugin.to_owned(), key.to_owned());
    match value.clone() {
        Some(value) => query!(
            "INSERT INTO keyvalue (plugin, key, value) VALUES ($1, $2, $3)
             ON CONFLICT (plugin, key) DO UPDATE SET value = excluded.value",
            plugin,
            key,
            value,
        ),
        None => query!(
            "DELETE FROM keyvalue WHERE plugin = $1 AND key = $2",
            plugin,
            key
        ),
    }
}

fn keep_used(plugin: &str, bytes: u64) -> Query {
    query!(
        "UPDATE keyvalue_plugin SET bytes = $2 WHERE plugin = $1",
        plugin.to_owned(),
        i64::try_from(bytes).unwrap_or(i64::MAX),
    )
}

fn by_key(rows: &[Row]) -> Result<HashMap<String, Vec<u8>>, KeyValueError> {
    let entry = |row: &Row| Ok((get(row, 0)?, get(row, 1)?));
    rows.iter().map(entry).collect()
}

fn bytes(rows: &[Row]) -> Result<u64, KeyValueError> {
    let row = rows.first().map(|row| get::<i64>(row, 0)).transpose()?;
    Ok(row.unwrap_or(0).unsigned_abs())
}

impl From<KeyValueError> for Failed<KeyValueError> {
    fn from(error: KeyValueError) -> Self {
        Self::Told(error)
    }
}
