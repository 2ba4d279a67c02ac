//! `coinop ledger backup`: a copy that is consistent, while hosts go on.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use clap::Args;

use crate::cli::terminal;
use crate::ledger::Ledger;

/// Where the copy goes.
#[derive(Args)]
pub(super) struct Backup {
    /// The new file; an existing one is never overwritten
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

impl Backup {
    pub(super) async fn run(&self, ledger: &dyn Ledger) -> anyhow::Result<ExitCode> {
        let file = std::path::absolute(&self.file).context("FILE")?;
        ledger.backup(file.clone()).await?;
        let size = std::fs::metadata(&file).map_or(0, |found| found.len());
        let mut stored = file.clone().into_os_string();
        stored.push("-keyvalue");
        let stored = match Path::new(&stored).exists() {
            true => ", and what plugins stored beside it",
            false => "",
        };
        let file = file.display();
        terminal::print(&format!(
            "Wrote {file}, {size} bytes{stored}. It holds the keys that sign receipts and what callers paid for: keep it as \
             the ledger is kept. `coinop ledger check --state {file}` checks it.\n"
        ))?;
        Ok(ExitCode::SUCCESS)
    }
}
