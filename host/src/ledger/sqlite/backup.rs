//! A consistent copy of the file while hosts work on it, by SQLite's own online backup.

use std::fmt::Display;
use std::path::Path;
use std::time::Duration;

use rusqlite::Connection;
use rusqlite::backup::Backup;

use super::keyvalue;
use crate::ledger::{BackupError, LedgerError};

/// Pages copied in one step: a few milliseconds, during which nobody is held up, since readers do not block writers.
const PAGES_PER_STEP: i32 = 4_096;

/// Copies the ledger at `from` to the new file `to`, and what plugins stored beside it to the file beside that: first, so
/// that a ledger's copy is never without. Blocks on the disk.
pub(super) fn backup(from: &Path, to: &Path) -> Result<(), BackupError> {
    let stored = keyvalue::path_beside(from);
    if stored.exists() {
        refuse_to_overwrite(to)?;
        copy_whole(&stored, &keyvalue::path_beside(to))?;
    }
    copy_whole(from, to)
}

fn refuse_to_overwrite(to: &Path) -> Result<(), BackupError> {
    match to.exists() {
        true => Err(BackupError::Failed(format!(
            "{}: it is there already, and is not overwritten",
            to.display()
        ))),
        false => Ok(()),
    }
}

/// Copies a database to a new file, which has its name only once it is whole: what a process leaves that is killed
/// meanwhile must not look like a backup.
fn copy_whole(from: &Path, to: &Path) -> Result<(), BackupError> {
    let failed = |error: &dyn Display| BackupError::Failed(format!("{}: {error}", to.display()));
    refuse_to_overwrite(to)?;
    let folder = to.parent().filter(|folder| *folder != Path::new(""));
    let folder = folder.unwrap_or(Path::new("."));
    let part = tempfile::Builder::new()
        .prefix(".coinop-backup-")
        .tempfile_in(folder)
        .map_err(|error| failed(&error))?
        // SQLite alone has it open: closing a file drops the locks that this process holds on it.
        .into_temp_path();
    copy(from, &part).map_err(|error| failed(&error))?;
    part.persist_noclobber(to)
        .map_err(|error| failed(&error.error))?;
    // The name is to survive a power loss as the pages do.
    let synced = std::fs::File::open(folder).and_then(|folder| folder.sync_all());
    synced.map_err(|error| failed(&error))
}

/// Copies every page as of one moment.
fn copy(from: &Path, to: &Path) -> Result<(), LedgerError> {
    let source = super::open::open_reader(from)?;
    // One read transaction for the whole copy: the state of one moment, however many writers go on.
    source.execute_batch("BEGIN; SELECT count(*) FROM sqlite_schema;")?;
    let mut target = Connection::open(to)?;
    let backup = Backup::new(&source, &mut target)?;
    Ok(backup.run_to_completion(PAGES_PER_STEP, Duration::ZERO, None)?)
}
