//! A consistent copy of the file while hosts work on it, by SQLite's own online backup.

use std::path::Path;
use std::time::Duration;

use rusqlite::Connection;
use rusqlite::backup::Backup;

use crate::ledger::BackupError;

/// Pages copied in one step: a few milliseconds, during which nobody is held up, since readers do not block writers.
const PAGES_PER_STEP: i32 = 4_096;

/// Copies the ledger at `from` to the new file `to`. Blocks on the disk.
pub(super) fn backup(from: &Path, to: &Path) -> Result<(), BackupError> {
    let failed =
        |error: &dyn std::fmt::Display| BackupError::Failed(format!("{}: {error}", to.display()));
    make_new(to).map_err(|e| failed(&e))?;
    let copy = || {
        let source = super::open::open_reader(from).map_err(|e| e.to_string())?;
        // One read transaction for the whole copy: the state of one moment, however many writers go on.
        source
            .execute_batch("BEGIN; SELECT count(*) FROM ledger;")
            .map_err(|e| e.to_string())?;
        let mut target = Connection::open(to).map_err(|e| e.to_string())?;
        let backup = Backup::new(&source, &mut target).map_err(|e| e.to_string())?;
        backup
            .run_to_completion(PAGES_PER_STEP, Duration::ZERO, None)
            .map_err(|e| e.to_string())
    };
    copy().map_err(|error| {
        // What is not whole must not look like a backup.
        let _ = std::fs::remove_file(to);
        failed(&error)
    })
}

/// Makes the file, readable by its owner alone; an existing one is never overwritten.
fn make_new(path: &Path) -> std::io::Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.create_new(true).write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map(drop)
}
