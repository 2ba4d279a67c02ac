//! `coinop check`: what is in plugin files, what their tools cost, and what is wrong with them.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use super::{Locations, terminal};
use crate::app;
use crate::config::{Config, Overrides};
use crate::reload::{FileReport, ToolReport, check_files, check_folder};

/// Say what is in plugin files, what their tools cost, and what is wrong with them.
#[derive(Args)]
pub(super) struct Check {
    /// Plugin files; without any, the whole folder of plugins
    files: Vec<PathBuf>,
    #[command(flatten)]
    locations: Locations,
}

impl Check {
    pub(super) async fn run(self) -> anyhow::Result<ExitCode> {
        terminal::log_to_stderr("warn,coinop::reload=info");
        let config = self.locations.load(Overrides::default())?;
        let reports = self.look(&config).await?;
        terminal::print(&shown(&reports, &config))?;
        let good = reports.iter().all(|report| report.problems.is_empty());
        Ok(if good {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        })
    }

    async fn look(&self, config: &Config) -> anyhow::Result<Vec<FileReport>> {
        let sandbox = app::open_sandbox(config)?;
        let ledger = app::open_ledger(config).await?;
        let chargeable = app::chargeable(app::accounts(config, &ledger)?);
        if self.files.is_empty() {
            let folder = check_folder(config, &sandbox, chargeable.as_ref()).await;
            return folder.map_err(anyhow::Error::msg);
        }
        Ok(check_files(self.files.clone(), config, &sandbox, chargeable.as_ref()).await)
    }
}

/// How a paid tool is paid, and where its results are fetched.
fn paid(tool: &ToolReport) -> String {
    let paid = format!(", {}, paid to {}", tool.mode, tool.account);
    match &tool.confirm_tool {
        Some(confirm) => format!("{paid}, redeemed by {confirm}"),
        None => paid,
    }
}

fn shown(reports: &[FileReport], config: &Config) -> String {
    let mut text = String::new();
    for report in reports {
        let mark = if report.problems.is_empty() {
            "✓"
        } else {
            "✗"
        };
        // Writing to a string does not fail.
        let _ = writeln!(text, "{mark} {}", report.file.display());
        for tool in &report.tools {
            let how = match tool.price.as_str() {
                "free" => String::new(),
                _ => paid(tool),
            };
            let _ = writeln!(text, "    {}: {}{how}", tool.name, tool.price);
        }
        for problem in &report.problems {
            let _ = writeln!(text, "    problem: {problem}");
        }
        for note in &report.notes {
            let _ = writeln!(text, "    note: {note}");
        }
    }
    if reports.is_empty() {
        let _ = writeln!(text, "No plugins in {}", config.plugins_dir.display());
    }
    text
}
