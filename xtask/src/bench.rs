//! `bench`: the measurements, on release builds.

use std::process::ExitCode;

use anyhow::Result;

use crate::guests;
use crate::process;
use crate::workspace::Workspace;

/// Builds and becomes the bench program.
pub(crate) fn run(workspace: &Workspace, arguments: Vec<String>) -> Result<ExitCode> {
    guests::build(workspace)?;
    let mut build = process::cargo(workspace);
    build.args([
        "build",
        "--release",
        "--package",
        "coinop",
        "--package",
        "coinop-tests",
        "--bins",
    ]);
    process::run(&mut build)?;
    let program = workspace
        .target("release")
        .join(format!("bench{}", std::env::consts::EXE_SUFFIX));
    process::become_program(process::command(workspace, program).args(arguments))
}
