//! The protocol's own test suites (npm `@modelcontextprotocol/conformance`), run against a host: what they checked.

pub mod baseline;
mod patron;
pub mod report;

use std::path::Path;
use std::process::Stdio;

use tokio::process::Command;

pub use patron::Patron;
pub use report::{Check, Report, Status};

use crate::host::HttpHost;
use crate::paths;
use crate::wait::within;

/// A suite: a line of releases, and what is asked of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Suite {
    /// What revision 2026-07-28 requires, and what is run beside it without being scored.
    Modern,
    /// What revision 2025-11-25 requires, and what is run beside it without being scored.
    Legacy,
    /// The active scenarios of the releases 0.1.
    Older,
}

impl Suite {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Modern, Self::Legacy, Self::Older];

    /// As tables and the baselines' files say it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Modern => "2026-07-28",
            Self::Legacy => "2025-11-25",
            Self::Older => "0.1",
        }
    }

    fn program(self) -> &'static str {
        match self {
            Self::Modern | Self::Legacy => "conformance",
            Self::Older => "conformance-0-1",
        }
    }

    fn arguments(self) -> &'static [&'static str] {
        match self {
            Self::Modern => &["--requirements", "2026-07-28"],
            Self::Legacy => &["--requirements", "2025-11-25"],
            Self::Older => &[],
        }
    }

    /// Runs the suite against the host; what its own comparison with the baseline says is in the report too.
    pub async fn run(self, host: &HttpHost, results: &Path) -> Report {
        let packages = paths::conformance().join("node_modules");
        let mut command = Command::new(packages.join("node/bin/node"));
        command
            .arg(packages.join(self.program()).join("dist/index.js"))
            .args(["server", "--url", &host.url(), "--expected-failures"])
            .arg(baseline::path(self))
            .arg("--output-dir")
            .arg(results)
            .args(self.arguments());
        command
            .current_dir(results)
            .stdin(Stdio::null())
            .kill_on_drop(true);
        let output = within("the suite's end", command.output())
            .await
            .expect("the suite starts");
        let told = String::from_utf8_lossy(&output.stdout).into_owned();
        Report::read(results, told, output.status.success())
    }
}
