//! The ledger's section: pairs through real hosts on either store, and what a full ledger costs.
//!
//! A pair is what a caller sees: a paid call and its confirmation over HTTP, with everything a host does for them. Hosts,
//! database and load share this machine, so more hosts show what sharing a ledger costs, not what more machines give.

mod fill;
mod growth;
mod rate;
mod store;

use anyhow::Result;
use coinop_tests::home::Home;

use crate::disk;
use crate::http_load::HttpSubject;
use crate::rounds::Effort;
use crate::servers;
use crate::table::{Row, Table};
use store::{Kind, Store};

/// Measures both stores.
///
/// # Errors
/// When a host, the database or the disk fails.
pub(crate) fn measure(effort: Effort, table: &mut Table) -> Result<()> {
    for kind in Kind::ALL {
        eprintln!("measuring the ledger on {}", kind.name());
        let store = Store::start(kind)?;
        let fsyncs = disk::fsyncs(&store.folder()?.join("fsync"))?;
        table.add(Row::about("its disk's fsyncs/s, 4 KiB each", kind.name()).floor(fsyncs));
        rate::measure(&store, effort, table)?;
        growth::measure(&store, effort, table)?;
    }
    Ok(())
}

/// A host on the ledger of `home`.
fn host(home: &Home) -> Result<HttpSubject> {
    let command = home.serve(&["--http", "127.0.0.1:0"]);
    HttpSubject::start(command, servers::Wire::HttpJson.era())
}
