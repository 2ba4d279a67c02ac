//! What the Rust toolchain needs for guests: the standard library of `wasm32-wasip2`.

use std::path::Path;

use anyhow::{Context, Result, bail};

use crate::process;
use crate::workspace::Workspace;

/// The target every Rust plugin is built for.
pub(crate) const WASM_TARGET: &str = "wasm32-wasip2";

/// Adds the target when it is missing.
pub(crate) fn ensure_wasm_target(workspace: &Workspace) -> Result<()> {
    let sysroot = process::read(process::command(workspace, "rustc").args(["--print", "sysroot"]))?;
    if Path::new(sysroot.trim())
        .join("lib/rustlib")
        .join(WASM_TARGET)
        .is_dir()
    {
        return Ok(());
    }
    if !process::found("rustup") {
        bail!(
            "rustc has no standard library for {WASM_TARGET}, and rustup is not there to add it: install Rust by \
             https://rustup.rs"
        );
    }
    process::run(process::command(workspace, "rustup").args(["target", "add", WASM_TARGET]))
        .context("the WebAssembly target could not be added")
}
