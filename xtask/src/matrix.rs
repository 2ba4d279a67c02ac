//! `matrix`: how published clients pay, mode by mode, as a table.

use std::process::ExitCode;

use anyhow::Result;

use crate::clients;
use crate::guests;
use crate::process;
use crate::workspace::Workspace;

/// Builds, installs the clients and becomes the program.
pub(crate) fn run(workspace: &Workspace, arguments: Vec<String>) -> Result<ExitCode> {
    guests::build(workspace)?;
    clients::install(workspace)?;
    let mut build = process::cargo(workspace);
    build.args(["build", "--quiet", "--package", "coinop"]);
    process::run(build.args(["--package", "coinop-tests", "--bins"]))?;
    let program = workspace
        .target("debug")
        .join(format!("matrix{}", std::env::consts::EXE_SUFFIX));
    process::become_program(process::command(workspace, program).args(arguments))
}
