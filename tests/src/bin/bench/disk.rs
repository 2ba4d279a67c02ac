//! The disk's own pace: how often it makes a page of the ledger's size durable.

use std::fs::File;
use std::io::Write;
use std::time::{Duration, Instant};

use anyhow::Result;
use coinop_tests::home::Home;

use crate::table::{Row, Table};

const TIME: Duration = Duration::from_millis(500);

/// Appends 4 KiB and syncs, again and again, beside the ledger.
///
/// # Errors
/// When the disk refuses.
pub(crate) fn measure(home: &Home, table: &mut Table) -> Result<()> {
    let mut file = File::create(home.path("fsync"))?;
    let (started, mut syncs) = (Instant::now(), 0u32);
    while started.elapsed() < TIME {
        file.write_all(&[7; 4096])?;
        file.sync_data()?;
        syncs += 1;
    }
    let rate = f64::from(syncs) / started.elapsed().as_secs_f64();
    table.add(Row::about("the disk's fsyncs/s, 4 KiB each", "").floor(rate));
    Ok(())
}
