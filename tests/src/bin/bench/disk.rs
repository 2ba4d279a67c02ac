//! The disk's own pace: how often it makes a page of the ledger's size durable.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::Result;
use coinop_tests::home::Home;

use crate::table::{Row, Table};

const TIME: Duration = Duration::from_millis(500);
const FILE_BYTES: u64 = 4 << 20;

/// The pace of the disk that holds `home`.
///
/// # Errors
/// When the disk refuses.
pub(crate) fn measure(home: &Home, table: &mut Table) -> Result<()> {
    let rate = fsyncs(&home.path("fsync"))?;
    table.add(Row::about("the disk's fsyncs/s, 4 KiB each", "").floor(rate));
    Ok(())
}

/// Overwrites 4 KiB of a file and syncs, again and again: a commit to a write-ahead log that has its size already.
///
/// # Errors
/// When the disk refuses.
pub(crate) fn fsyncs(path: &Path) -> Result<f64> {
    let file = File::create(path)?;
    file.write_all_at(&vec![0; FILE_BYTES as usize], 0)?;
    file.sync_all()?;
    let (started, mut syncs) = (Instant::now(), 0u32);
    while started.elapsed() < TIME {
        file.write_all_at(&[7; 4096], u64::from(syncs) * 4096 % FILE_BYTES)?;
        file.sync_data()?;
        syncs += 1;
    }
    Ok(f64::from(syncs) / started.elapsed().as_secs_f64())
}
