//! `coinop build`: runs a project's own build and puts the component and its sidecar where a host can load them.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;

use super::terminal;
use crate::project::{Built, build};

/// Build a plugin's project with its language's own tools.
#[derive(Args)]
pub(super) struct Build {
    /// The project's folder, with its plugin.toml
    #[arg(default_value = ".")]
    dir: PathBuf,
    /// Where NAME.wasm and NAME.toml go [default: dist in the project's folder]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

impl Build {
    pub(super) async fn run(self) -> anyhow::Result<ExitCode> {
        let out = self.out.unwrap_or_else(|| dist(&self.dir));
        let built = build(&self.dir, &out).await?;
        terminal::print(&told(&built))?;
        Ok(ExitCode::SUCCESS)
    }
}

/// Where a project's component goes when nobody says.
pub(super) fn dist(project: &Path) -> PathBuf {
    project.join("dist")
}

fn told(built: &Built) -> String {
    let sidecar = built.sidecar.as_ref().map_or_else(String::new, |sidecar| {
        format!(", with {}", sidecar.display())
    });
    let kib = built.size.div_ceil(1024);
    format!("{} ({kib} KiB){sidecar}\n", built.component.display())
}
