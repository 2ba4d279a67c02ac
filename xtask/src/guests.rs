//! `guests`: every guest of the tests as `target/guests/NAME.wasm`, the provider among the examples, and the plugins
//! that ship there and, alone, in `target/plugins`.

use std::fs;

use anyhow::{Context, Result};

use crate::javascript;
use crate::plugins;
use crate::python::{self, Python};
use crate::stamp;
use crate::toolchain;
use crate::workspace::Workspace;

const WORKSPACE: &str = "tests/guests/Cargo.toml";
/// The plugin that the README shows.
const EXAMPLE: &str = "examples/shout/Cargo.toml";
/// The provider that is a component.
const PROVIDER: &str = "examples/provider-rust/Cargo.toml";

/// Builds them all. What is fresh is left alone.
pub(crate) fn build(workspace: &Workspace) -> Result<()> {
    let folder = workspace.target("guests");
    let shipped = [workspace.target("plugins"), folder.clone()];
    toolchain::ensure_wasm_target(workspace)?;
    plugins::rust(workspace, &shipped)?;
    plugins::build_rust(workspace, WORKSPACE)?;
    for krate in crates(workspace)? {
        stamp::place(
            &plugins::built(workspace, &krate),
            &folder.join(format!("{krate}.wasm")),
        )?;
    }
    plugins::build_rust(workspace, EXAMPLE)?;
    stamp::place(
        &plugins::built(workspace, "shout"),
        &folder.join("shout.wasm"),
    )?;
    plugins::build_rust(workspace, PROVIDER)?;
    stamp::place(
        &plugins::built(workspace, "acme"),
        &folder.join("acme.wasm"),
    )?;
    javascript::contract(workspace, &shipped)?;
    javascript::examples(workspace, &folder)?;
    let python = Python::find(workspace).context(python::REMEDY)?;
    plugins::smart_summary(workspace, &python, &shipped)
}

/// The crates of the guest workspace: a folder each, named alike.
fn crates(workspace: &Workspace) -> Result<Vec<String>> {
    let folder = workspace.source("tests/guests");
    let mut names = Vec::new();
    for entry in
        fs::read_dir(&folder).with_context(|| format!("cannot read {}", folder.display()))?
    {
        let entry = entry?;
        if entry.path().join("Cargo.toml").is_file() {
            names.push(entry.file_name().to_string_lossy().into_owned());
        }
    }
    names.sort();
    Ok(names)
}
