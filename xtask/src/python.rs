//! Python: finding one that will do, and virtual environments with pinned packages in the target directory.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::process;
use crate::stamp;
use crate::workspace::Workspace;

/// The oldest Python that will do.
const VERSION_MIN: (u32, u32) = (3, 10);

/// How long pip waits for an answer, seconds, and how often it asks again. Its own choice takes many minutes to say that
/// there is no network.
const PATIENCE: [&str; 4] = ["--timeout", "10", "--retries", "2"];

/// What to do about a Python that is missing.
pub(crate) const REMEDY: &str = "install Python 3.10 or newer with its venv module (Debian, Ubuntu: apt install python3 python3-venv)";

/// A Python interpreter that is new enough.
pub(crate) struct Python {
    program: PathBuf,
}

impl Python {
    /// The first on the path that is new enough.
    pub(crate) fn find(workspace: &Workspace) -> Option<Self> {
        [
            "python3",
            "python",
            "python3.14",
            "python3.13",
            "python3.12",
            "python3.11",
            "python3.10",
        ]
        .into_iter()
        .filter(|program| process::found(program))
        .find(|program| version(workspace, program).is_some_and(|version| version >= VERSION_MIN))
        .map(|program| Self {
            program: program.into(),
        })
    }

    /// The interpreter.
    pub(crate) fn program(&self) -> &Path {
        &self.program
    }

    /// A virtual environment of that name in the target directory, holding exactly these packages. Returns its folder.
    pub(crate) fn venv(
        &self,
        workspace: &Workspace,
        name: &str,
        packages: &[&str],
    ) -> Result<PathBuf> {
        let venv = workspace.target(name);
        let interpreter =
            process::read(process::command(workspace, &self.program).args(["-c", IDENTITY]))?;
        let salt = format!("{interpreter} {}", packages.join(" "));
        stamp::unless_made(workspace, &venv, &[], &salt, || {
            if venv.exists() {
                fs::remove_dir_all(&venv)
                    .with_context(|| format!("cannot remove {}", venv.display()))?;
            }
            eprintln!(
                "python: installing {} into {}",
                packages.join(", "),
                venv.display()
            );
            self.create(workspace, &venv, packages).inspect_err(|_| {
                // Half an environment would be mistaken for a whole one.
                let _ = fs::remove_dir_all(&venv);
            })
        })?;
        Ok(venv)
    }

    /// By `venv`; where that lacks `ensurepip`, as on Debian without python3-venv, by a pip that is already there.
    fn create(&self, workspace: &Workspace, venv: &Path, packages: &[&str]) -> Result<()> {
        let python = |arguments: &[&str]| {
            let mut command = process::command(workspace, &self.program);
            command.args(arguments);
            command
        };
        let inside = process::in_venv(venv, "python");
        let whole = process::read(python(&["-m", "venv"]).arg(venv));
        let mut install = match whole {
            Ok(_) => {
                let mut pip = process::command(workspace, &inside);
                pip.args(["-m", "pip"]);
                pip
            }
            Err(error) => {
                let pip_there = process::read(&mut python(&["-m", "pip", "--version"])).is_ok();
                if !pip_there {
                    bail!("{error:#}: {REMEDY}");
                }
                process::read(python(&["-m", "venv", "--without-pip"]).arg(venv))
                    .context(REMEDY)?;
                let mut pip = python(&["-m", "pip", "--python"]);
                pip.arg(&inside);
                pip
            }
        };
        install.args([
            "install",
            "--quiet",
            "--disable-pip-version-check",
            "--no-input",
        ]);
        install.args(PATIENCE);
        process::run(install.args(packages)).context("pip could not install what is needed")
    }
}

/// Prints what makes two interpreters different to a virtual environment.
const IDENTITY: &str = "import sys; print(sys.executable, sys.version_info[:3])";

fn version(workspace: &Workspace, program: &str) -> Option<(u32, u32)> {
    let ask = "import sys, venv; print(*sys.version_info[:2])";
    let told = process::read(process::command(workspace, program).args(["-c", ask])).ok()?;
    let (major, minor) = told.trim().split_once(' ')?;
    Some((major.parse().ok()?, minor.parse().ok()?))
}
