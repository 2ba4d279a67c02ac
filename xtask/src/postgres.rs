//! PostgreSQL for the end-to-end tests: its server programs, installed where that can be done without asking.
//!
//! The tests start servers of their own; no server of the system is created or started here.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};

use crate::process;
use crate::workspace::Workspace;

/// Where the tests look too: one answer to both.
#[path = "../../tests/src/postgres/programs.rs"]
mod programs;

pub(crate) use programs::REMEDY;

/// Debian's defaults for new clusters. Its comment names the setting that is changed here.
const NEW_CLUSTERS: &str = "/etc/postgresql-common/createcluster.conf";

/// Whether the programs are here, or can be installed.
pub(crate) fn is_within_reach(workspace: &Workspace) -> bool {
    programs::find().is_some() || can_install(workspace)
}

/// Installs the programs where they are missing.
///
/// # Errors
/// When they are missing and cannot be installed.
pub(crate) fn ensure(workspace: &Workspace) -> Result<()> {
    if programs::find().is_some() {
        return Ok(());
    }
    if !can_install(workspace) {
        bail!("PostgreSQL: {REMEDY}");
    }
    eprintln!("postgresql: installing Debian's package");
    apt_get(workspace, &["update"])?;
    // Before the package itself, which would otherwise make a cluster for the system and start it.
    apt_get(workspace, &["install", "postgresql-common"])?;
    make_no_system_cluster(Path::new(NEW_CLUSTERS))?;
    apt_get(workspace, &["install", "postgresql"])?;
    match programs::find() {
        Some(_) => Ok(()),
        None => bail!("the package postgresql has no initdb where it was looked for: {REMEDY}"),
    }
}

fn can_install(workspace: &Workspace) -> bool {
    let root = process::read(process::command(workspace, "id").arg("-u"));
    root.is_ok_and(|id| id.trim() == "0") && process::found("apt-get")
}

fn apt_get(workspace: &Workspace, words: &[&str]) -> Result<()> {
    let mut command = process::command(workspace, "apt-get");
    command.env("DEBIAN_FRONTEND", "noninteractive");
    process::run(
        command
            .args(["-qq", "-y", "--no-install-recommends"])
            .args(words),
    )
    .with_context(|| format!("PostgreSQL could not be installed: {REMEDY}"))
}

fn make_no_system_cluster(file: &Path) -> Result<()> {
    let text =
        fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
    fs::write(file, without_main_cluster(&text))
        .with_context(|| format!("cannot write {}", file.display()))
}

/// The file with the setting off, unless somebody has decided already.
fn without_main_cluster(text: &str) -> String {
    let set = |line: &str| line.trim_start().starts_with("create_main_cluster");
    if text.lines().any(set) {
        return text.to_owned();
    }
    format!("{text}\ncreate_main_cluster = false\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_system_cluster_is_made_unless_somebody_wants_one() {
        let default = "# Create a \"main\" cluster\n#create_main_cluster = true\n";
        let off = without_main_cluster(default);
        assert!(off.ends_with("\ncreate_main_cluster = false\n"), "{off}");
        assert_eq!(without_main_cluster(&off), off);
        let wanted = "create_main_cluster = true\n";
        assert_eq!(without_main_cluster(wanted), wanted);
    }
}
