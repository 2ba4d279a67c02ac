//! `demo`: needs Rust and nothing else; the Python plugin joins where Python is found, and the TypeScript plugin
//! where Node.js is.

use std::process::ExitCode;

use anyhow::Result;

use crate::javascript;
use crate::plugins;
use crate::process;
use crate::python::{self, Python};
use crate::toolchain;
use crate::workspace::Workspace;

/// Builds and becomes `coinop demo`.
pub(crate) fn run(workspace: &Workspace, arguments: Vec<String>) -> Result<ExitCode> {
    let folder = workspace.target("plugins");
    toolchain::ensure_wasm_target(workspace)?;
    eprintln!("building the plugins in Rust: {}", plugins::RUST.join(", "));
    plugins::rust(workspace, std::slice::from_ref(&folder))?;
    if let Err(reason) = smart_summary(workspace) {
        eprintln!("the demo goes on without smart-summary (Python): {reason:#}");
    }
    eprintln!("building the contract plugin (TypeScript)");
    if let Err(reason) = javascript::contract(workspace, std::slice::from_ref(&folder)) {
        eprintln!("the demo goes on without contract (TypeScript): {reason:#}");
    }
    eprintln!("building the host; the first time takes some minutes");
    process::run(process::cargo(workspace).args([
        "build",
        "--release",
        "--package",
        "coinop",
        "--bin",
        "coinop",
    ]))?;
    let program = workspace
        .target("release")
        .join(format!("coinop{}", std::env::consts::EXE_SUFFIX));
    process::become_program(
        process::command(workspace, program)
            .args(["demo", "--plugins"])
            .arg(folder)
            .args(arguments),
    )
}

fn smart_summary(workspace: &Workspace) -> Result<()> {
    let Some(python) = Python::find(workspace) else {
        anyhow::bail!("no Python found; to have it, {}", python::REMEDY);
    };
    eprintln!("building the smart-summary plugin (Python)");
    plugins::smart_summary(workspace, &python, &[workspace.target("plugins")])
}
