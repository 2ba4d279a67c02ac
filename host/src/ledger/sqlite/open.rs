//! Opening the file: refused on network filesystems, private to its owner, migrated, durable.

use std::path::Path;
use std::time::{Duration, Instant};

use rusqlite::{Connection, ErrorCode};

use crate::failpoint::failpoint;
use crate::ledger::LedgerError;

/// How long an operation waits for another process's commit.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);

/// Time between two attempts where SQLite does not wait by itself.
const BUSY_PAUSE: Duration = Duration::from_millis(5);

/// Every migration, in order. Released ones are never edited.
const MIGRATIONS: &[&str] = &[
    include_str!("../../../migrations/sqlite/0001_ledger.sql"),
    include_str!("../../../migrations/sqlite/0002_nothing_lost.sql"),
    include_str!("../../../migrations/sqlite/0003_viewers.sql"),
    include_str!("../../../migrations/sqlite/0004_brought.sql"),
];

/// Why the file is not a ledger.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// It lies on a network filesystem, where file locks cannot be trusted with money.
    #[error(
        "the ledger {path} is on a network filesystem ({kind}): choose a local path with --state"
    )]
    NetworkFilesystem {
        /// The file.
        path: String,
        /// The filesystem's name.
        kind: &'static str,
    },
    /// A later version of coinop wrote it.
    #[error(
        "the ledger {path} was written by a later version of coinop (schema {found}, this one knows {known}): upgrade coinop"
    )]
    TooNew {
        /// The file.
        path: String,
        /// Its schema.
        found: u32,
        /// The latest schema known.
        known: u32,
    },
    /// It cannot be made or read.
    #[error("cannot open the ledger {path}: {reason}; choose another file with --state")]
    Unusable {
        /// The file.
        path: String,
        /// Why.
        reason: String,
    },
}

/// Opens, or makes, the ledger at `path` and returns a connection that may write, with the schema current.
pub(super) fn open(path: &Path, now: i64) -> Result<Connection, OpenError> {
    let unusable = |reason: String| OpenError::Unusable {
        path: path.display().to_string(),
        reason,
    };
    if let Some(folder) = path.parent().filter(|p| !p.as_os_str().is_empty()) {
        std::fs::create_dir_all(folder)
            .map_err(|e| unusable(format!("{}: {e}", folder.display())))?;
        refuse_network(folder, path)?;
    }
    make_private(path).map_err(unusable)?;
    let mut connection = recognised(path).map_err(unusable)?;
    configure(&connection).map_err(|e| unusable(e.to_string()))?;
    migrate(&mut connection, path, now)?;
    Ok(connection)
}

/// Opens a further connection that only reads.
pub(super) fn open_reader(path: &Path) -> Result<Connection, LedgerError> {
    let connection = Connection::open(path)?;
    configure(&connection)?;
    connection.pragma_update(None, "query_only", true)?;
    Ok(connection)
}

fn configure(connection: &Connection) -> Result<(), rusqlite::Error> {
    connection.busy_timeout(BUSY_TIMEOUT)?;
    enter_wal(connection)?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "foreign_keys", true)?;
    connection.pragma_update(None, "trusted_schema", false)?;
    // What is erased is overwritten, not only marked as free.
    connection.pragma_update(None, "secure_delete", true)?;
    connection.set_prepared_statement_cache_capacity(64);
    Ok(())
}

/// Of several processes that switch a new file to WAL at once all but one are told at once that it is locked: SQLite
/// asks the busy handler for an ordinary lock only.
pub(super) fn enter_wal(connection: &Connection) -> Result<(), rusqlite::Error> {
    let give_up = Instant::now() + BUSY_TIMEOUT;
    loop {
        let entered = connection.pragma_update(None, "journal_mode", "WAL");
        let busy = |e: &rusqlite::Error| e.sqlite_error_code() == Some(ErrorCode::DatabaseBusy);
        if !entered.as_ref().is_err_and(busy) || Instant::now() >= give_up {
            return entered;
        }
        std::thread::sleep(BUSY_PAUSE);
    }
}

fn migrate(connection: &mut Connection, path: &Path, now: i64) -> Result<(), OpenError> {
    let unusable = |e: rusqlite::Error| OpenError::Unusable {
        path: path.display().to_string(),
        reason: e.to_string(),
    };
    let transaction = connection
        .transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)
        .map_err(unusable)?;
    let found: u32 = transaction
        .pragma_query_value(None, "user_version", |row| row.get(0))
        .map_err(unusable)?;
    let known = MIGRATIONS.len() as u32;
    if found > known {
        return Err(OpenError::TooNew {
            path: path.display().to_string(),
            found,
            known,
        });
    }
    for migration in &MIGRATIONS[found as usize..] {
        transaction.execute_batch(migration).map_err(unusable)?;
    }
    if found == 0 {
        let id = crate::random::token();
        transaction
            .execute(
                "INSERT INTO ledger (id, created_at) VALUES (?1, ?2)",
                (id, now),
            )
            .map_err(unusable)?;
    }
    super::receipts::ensure_key(&transaction, now).map_err(|e| OpenError::Unusable {
        path: path.display().to_string(),
        reason: e.to_string(),
    })?;
    transaction
        .pragma_update(None, "user_version", known)
        .map_err(unusable)?;
    failpoint("before-commit-migrate");
    transaction.commit().map_err(unusable)?;
    failpoint("after-commit-migrate");
    Ok(())
}

/// Opens a ledger or an empty file. Whatever else the path names, by mistake, is refused and left as it is. SQLite alone
/// opens it, since closing a file drops the locks that this process holds on it.
fn recognised(path: &Path) -> Result<Connection, String> {
    let look = || {
        let connection = Connection::open(path)?;
        connection.busy_timeout(BUSY_TIMEOUT)?;
        let ours = connection.query_row(
            "SELECT count(*) = 0 OR sum(name = 'ledger') > 0 FROM sqlite_schema",
            (),
            |row| row.get(0),
        )?;
        Ok::<_, rusqlite::Error>((connection, ours))
    };
    match look() {
        Ok((connection, true)) => Ok(connection),
        Ok((_, false)) => Err("it is the database of another program".to_owned()),
        Err(error) => Err(error.to_string()),
    }
}

/// Makes the file readable by its owner alone, before anything is written to it.
#[cfg(unix)]
fn make_private(path: &Path) -> Result<(), String> {
    use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
    let made = std::fs::OpenOptions::new()
        .create_new(true)
        .write(true)
        .mode(0o600)
        .open(path);
    match made {
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
        other => return other.map(drop).map_err(|e| e.to_string()),
    }
    let found = std::fs::metadata(path).map_err(|e| e.to_string())?;
    if !found.is_file() {
        return Err("it is not a file".to_owned());
    }
    if found.permissions().mode() & 0o777 == 0o600 {
        return Ok(());
    }
    drop(recognised(path)?);
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))
        .map_err(|e| e.to_string())
}

#[cfg(not(unix))]
fn make_private(_path: &Path) -> Result<(), String> {
    Ok(())
}

#[cfg(target_os = "linux")]
pub(super) fn refuse_network(folder: &Path, path: &Path) -> Result<(), OpenError> {
    let unusable = |e: rustix::io::Errno| OpenError::Unusable {
        path: path.display().to_string(),
        reason: e.to_string(),
    };
    let f_type = rustix::fs::statfs(folder).map_err(unusable)?.f_type;
    match network_filesystem(f_type as i64) {
        Some(kind) => Err(OpenError::NetworkFilesystem {
            path: path.display().to_string(),
            kind,
        }),
        None => Ok(()),
    }
}

/// The name of a network filesystem by its number in statfs(2); `None` for every other kind.
#[cfg(target_os = "linux")]
pub(super) fn network_filesystem(f_type: i64) -> Option<&'static str> {
    const NETWORK: &[(i64, &str)] = &[
        (0x6969, "NFS"),
        (0x517b, "SMB"),
        (0xff53_4d42, "CIFS"),
        (0xfe53_4d42, "SMB2"),
        (0x0102_1997, "9P"),
        (0x5346_414f, "AFS"),
        (0x7375_7245, "Coda"),
        (0x00c3_6400, "Ceph"),
        (0x0bd0_0bd0, "Lustre"),
        (0x7461_636f, "OCFS2"),
        (0x0116_1970, "GFS2"),
    ];
    // Some systems say the number as a signed word.
    let number = f_type & 0xffff_ffff;
    let known = NETWORK.iter().find(|(magic, _)| *magic == number);
    known.map(|(_, name)| *name)
}

#[cfg(not(target_os = "linux"))]
pub(super) fn refuse_network(_folder: &Path, _path: &Path) -> Result<(), OpenError> {
    Ok(())
}
