//! Plugins' key-value data in a SQLite file of its own beside the ledger's, made when it is first needed.
//!
//! Its writer is its own: no guest's write waits in line with money. What was acknowledged survives kill -9; a power
//! loss may take the last moments with it (`synchronous=NORMAL`), since a sync a write would take the disk from the
//! ledger.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use rusqlite::{Connection, OptionalExtension as _, TransactionBehavior, params};
use tokio::sync::OnceCell;

use super::open;
use super::writer::Worker;
use crate::keyvalue::{
    KeyValue, KeyValueError, PAGE_KEYS_MAX, Page, Write, incremented, size_of, within,
};
use crate::ledger::LedgerError;

/// Every migration, in order. Released ones are never edited.
const MIGRATIONS: &[&str] = &[include_str!(
    "../../../migrations/sqlite-keyvalue/0001_keyvalue.sql"
)];
/// How long an operation waits for another process's commit.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// Plugins' data in a SQLite file.
pub struct SqliteKeyValue {
    path: PathBuf,
    open: OnceCell<Arc<Workers>>,
}

struct Workers {
    writer: Worker,
    reader: Worker,
}

/// Where the data is that belongs to the ledger at `ledger`.
pub(super) fn path_beside(ledger: &Path) -> PathBuf {
    let mut path = ledger.as_os_str().to_owned();
    path.push("-keyvalue");
    path.into()
}

impl SqliteKeyValue {
    /// The store that belongs to the ledger at `ledger`: `ledger.sqlite3-keyvalue` beside `ledger.sqlite3`. Opens nothing.
    pub fn beside(ledger: &Path) -> Self {
        Self {
            path: path_beside(ledger),
            open: OnceCell::new(),
        }
    }

    async fn workers(&self) -> Result<&Workers, KeyValueError> {
        let opening = || async {
            let path = self.path.clone();
            let opened = tokio::task::spawn_blocking(move || open_at(&path)).await;
            let opened = opened.map_err(|e| e.to_string()).and_then(|opened| opened);
            let named = |reason| format!("{}: {reason}", self.path.display());
            opened.map_err(|reason| KeyValueError::Unavailable(named(reason)))
        };
        let workers = self.open.get_or_try_init(opening).await?;
        Ok(workers)
    }

    async fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Connection) -> Result<T, KeyValueError> + Send + 'static,
    ) -> Result<T, KeyValueError> {
        self.workers().await?.reader.run(read).await
    }

    async fn change<T: Send + 'static>(
        &self,
        change: impl FnOnce(&Connection) -> Result<T, KeyValueError> + Send + 'static,
    ) -> Result<T, KeyValueError> {
        self.workers().await?.writer.run(change).await
    }
}

impl KeyValue for SqliteKeyValue {
    fn get(
        &self,
        plugin: &str,
        keys: Vec<String>,
    ) -> BoxFuture<'_, Result<Vec<Option<Vec<u8>>>, KeyValueError>> {
        let plugin = plugin.to_owned();
        Box::pin(self.read(move |db| keys.iter().map(|key| value(db, &plugin, key)).collect()))
    }

    fn exists(&self, plugin: &str, key: String) -> BoxFuture<'_, Result<bool, KeyValueError>> {
        let plugin = plugin.to_owned();
        Box::pin(self.read(move |db| Ok(size(db, &plugin, &key)?.is_some())))
    }

    fn keys(&self, plugin: &str, from: Option<u64>) -> BoxFuture<'_, Result<Page, KeyValueError>> {
        let plugin = plugin.to_owned();
        Box::pin(self.read(move |db| page(db, &plugin, from.unwrap_or(0))))
    }

    fn write(
        &self,
        plugin: &str,
        writes: Vec<Write>,
        max: u64,
    ) -> BoxFuture<'_, Result<(), KeyValueError>> {
        let plugin = plugin.to_owned();
        Box::pin(self.change(move |db| {
            let before = used(db, &plugin)?;
            let mut bytes = before;
            for (key, value) in &writes {
                bytes = put(db, &plugin, key, value.as_deref(), bytes)?;
            }
            keep_used(db, &plugin, before, bytes, max)
        }))
    }

    fn increment(
        &self,
        plugin: &str,
        key: String,
        by: u64,
        max: u64,
    ) -> BoxFuture<'_, Result<u64, KeyValueError>> {
        let plugin = plugin.to_owned();
        Box::pin(self.change(move |db| {
            let before = used(db, &plugin)?;
            let sum = incremented(value(db, &plugin, &key)?.as_deref(), by)?;
            let digits = sum.to_string().into_bytes();
            let bytes = put(db, &plugin, &key, Some(&digits), before)?;
            keep_used(db, &plugin, before, bytes, max)?;
            Ok(sum)
        }))
    }

    fn used(&self, plugin: &str) -> BoxFuture<'_, Result<u64, KeyValueError>> {
        let plugin = plugin.to_owned();
        Box::pin(self.read(move |db| used(db, &plugin)))
    }
}

fn value(db: &Connection, plugin: &str, key: &str) -> Result<Option<Vec<u8>>, KeyValueError> {
    let mut query =
        db.prepare_cached("SELECT value FROM keyvalue WHERE plugin = ?1 AND key = ?2")?;
    Ok(query
        .query_row([plugin, key], |row| row.get(0))
        .optional()?)
}

/// Bytes of an entry, `None` where there is none.
fn size(db: &Connection, plugin: &str, key: &str) -> Result<Option<u64>, KeyValueError> {
    let mut query =
        db.prepare_cached("SELECT length(value) FROM keyvalue WHERE plugin = ?1 AND key = ?2")?;
    let bytes: Option<i64> = query
        .query_row([plugin, key], |row| row.get(0))
        .optional()?;
    Ok(bytes.map(|bytes| bytes.unsigned_abs() + key.len() as u64))
}

fn page(db: &Connection, plugin: &str, from: u64) -> Result<Page, KeyValueError> {
    let mut query = db.prepare_cached(
        "SELECT n, key FROM keyvalue WHERE plugin = ?1 AND n > ?2 ORDER BY n LIMIT ?3",
    )?;
    let from = i64::try_from(from).unwrap_or(i64::MAX);
    let rows = query.query_map(params![plugin, from, PAGE_KEYS_MAX as i64 + 1], |row| {
        Ok((row.get::<_, i64>(0)?.unsigned_abs(), row.get(1)?))
    })?;
    Ok(Page::of(rows.collect::<Result<Vec<(u64, String)>, _>>()?))
}

fn used(db: &Connection, plugin: &str) -> Result<u64, KeyValueError> {
    let mut query = db.prepare_cached("SELECT bytes FROM plugin WHERE name = ?1")?;
    let bytes: Option<i64> = query.query_row([plugin], |row| row.get(0)).optional()?;
    Ok(bytes.unwrap_or(0).unsigned_abs())
}

/// Writes one entry; returns what `bytes` become with it.
fn put(
    db: &Connection,
    plugin: &str,
    key: &str,
    value: Option<&[u8]>,
    bytes: u64,
) -> Result<u64, KeyValueError> {
    let left = bytes - size(db, plugin, key)?.unwrap_or(0);
    let Some(value) = value else {
        db.prepare_cached("DELETE FROM keyvalue WHERE plugin = ?1 AND key = ?2")?
            .execute([plugin, key])?;
        return Ok(left);
    };
    db.prepare_cached("INSERT INTO plugin (name, bytes) VALUES (?1, 0) ON CONFLICT DO NOTHING")?
        .execute([plugin])?;
    db.prepare_cached(
        "INSERT INTO keyvalue (plugin, key, value) VALUES (?1, ?2, ?3)
         ON CONFLICT (plugin, key) DO UPDATE SET value = excluded.value",
    )?
    .execute(params![plugin, key, value])?;
    Ok(left + size_of(key, value))
}

/// Refuses what is beyond the quota, which takes the writes back; else notes it.
fn keep_used(
    db: &Connection,
    plugin: &str,
    before: u64,
    bytes: u64,
    max: u64,
) -> Result<(), KeyValueError> {
    within(before, bytes, max)?;
    db.prepare_cached("UPDATE plugin SET bytes = ?2 WHERE name = ?1")?
        .execute(params![plugin, i64::try_from(bytes).unwrap_or(i64::MAX)])?;
    Ok(())
}

impl From<rusqlite::Error> for KeyValueError {
    fn from(error: rusqlite::Error) -> Self {
        LedgerError::from(error).into()
    }
}

fn open_at(path: &Path) -> Result<Arc<Workers>, String> {
    if let Some(folder) = path.parent().filter(|p| !p.as_os_str().is_empty()) {
        std::fs::create_dir_all(folder).map_err(|e| e.to_string())?;
        open::refuse_network(folder, path).map_err(|e| e.to_string())?;
    }
    make_private(path).map_err(|e| e.to_string())?;
    let mut connection = connect(path).map_err(|e| e.to_string())?;
    migrate(&mut connection)?;
    let reader = connect(path).and_then(|reader| {
        reader.pragma_update(None, "query_only", true)?;
        Ok(reader)
    });
    let reader = reader.map_err(|e| e.to_string())?;
    Ok(Arc::new(Workers {
        writer: Worker::named_writer("coinop-keyvalue-writer", connection)
            .map_err(|e| e.to_string())?,
        reader: Worker::named_reader("coinop-keyvalue-reader", reader)
            .map_err(|e| e.to_string())?,
    }))
}

fn connect(path: &Path) -> Result<Connection, rusqlite::Error> {
    let connection = Connection::open(path)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    open::enter_wal(&connection)?;
    connection.pragma_update(None, "synchronous", "NORMAL")?;
    connection.pragma_update(None, "foreign_keys", true)?;
    connection.pragma_update(None, "trusted_schema", false)?;
    Ok(connection)
}

/// Makes the file readable by its owner alone. One that is there is SQLite's alone to open.
#[cfg(unix)]
fn make_private(path: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::OpenOptionsExt as _;
    let mut options = std::fs::OpenOptions::new();
    match options.create_new(true).write(true).mode(0o600).open(path) {
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
        other => other.map(drop),
    }
}

#[cfg(not(unix))]
fn make_private(_path: &Path) -> std::io::Result<()> {
    Ok(())
}

fn migrate(connection: &mut Connection) -> Result<(), String> {
    let transaction = connection
        .transaction_with_behavior(TransactionBehavior::Immediate)
        .map_err(|e| e.to_string())?;
    let failed = |e: rusqlite::Error| e.to_string();
    let found: u32 = transaction
        .pragma_query_value(None, "user_version", |row| row.get(0))
        .map_err(failed)?;
    let tables: u32 = transaction
        .query_row("SELECT count(*) FROM sqlite_schema", (), |row| row.get(0))
        .map_err(failed)?;
    if found == 0 && tables > 0 {
        return Err("it is the database of another program".to_owned());
    }
    let newer = MIGRATIONS
        .get(found as usize..)
        .ok_or_else(|| "it was written by a later version of coinop: upgrade coinop".to_owned())?;
    for migration in newer {
        transaction.execute_batch(migration).map_err(failed)?;
    }
    transaction
        .pragma_update(None, "user_version", MIGRATIONS.len() as u32)
        .map_err(failed)?;
    transaction.commit().map_err(failed)
}
