//! `demo` and `plugins`: need Rust and nothing else; plugins in other languages join where their compilers are found or
//! can be installed.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;

use crate::javascript;
use crate::plugins;
use crate::process;
use crate::projects;
use crate::python::{self, Python};
use crate::toolchain;
use crate::workspace::Workspace;

/// Builds and becomes `coinop demo`.
pub(crate) fn run(workspace: &Workspace, arguments: Vec<String>) -> Result<ExitCode> {
    let program = build(workspace)?;
    process::become_program(
        process::command(workspace, program)
            .args(["demo", "--plugins"])
            .arg(workspace.target("plugins"))
            .args(arguments),
    )
}

/// Builds the host for release, and the plugins that ship. Returns the host's program.
pub(crate) fn build(workspace: &Workspace) -> Result<PathBuf> {
    let folder = workspace.target("plugins");
    toolchain::ensure_wasm_target(workspace)?;
    eprintln!("building the plugins in Rust: {}", plugins::RUST.join(", "));
    plugins::rust(workspace, std::slice::from_ref(&folder))?;
    if let Err(reason) = smart_summary(workspace) {
        go_on_without("smart-summary (Python)", &reason);
    }
    eprintln!("building the contract plugin (TypeScript)");
    if let Err(reason) = javascript::contract(workspace, std::slice::from_ref(&folder)) {
        go_on_without("contract (TypeScript)", &reason);
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
    for name in projects::NAMES {
        let folders = std::slice::from_ref(&folder);
        if let Err(reason) = projects::build(workspace, &program, name, folders) {
            go_on_without(name, &reason);
        }
    }
    Ok(program)
}

fn go_on_without(plugin: &str, reason: &anyhow::Error) {
    eprintln!("going on without {plugin}: {reason:#}");
}

fn smart_summary(workspace: &Workspace) -> Result<()> {
    let Some(python) = Python::find(workspace) else {
        anyhow::bail!("no Python found; to have it, {}", python::REMEDY);
    };
    eprintln!("building the smart-summary plugin (Python)");
    plugins::smart_summary(workspace, &python, &[workspace.target("plugins")])
}
