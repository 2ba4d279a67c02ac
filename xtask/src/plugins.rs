//! The plugins that ship: building them, and their own tests.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Result;

use crate::process;
use crate::python::Python;
use crate::stamp;
use crate::toolchain::WASM_TARGET;
use crate::workspace::Workspace;

/// What builds components from Python.
pub(crate) const COMPONENTIZE_PY: &str = "componentize-py==0.25.1";
const SMART_SUMMARY: &str = "plugins/smart-summary";

/// The plugins in Rust: a folder of `plugins` each, with a crate and a sidecar named alike.
pub(crate) const RUST: [&str; 2] = ["super-resolution", "weather"];

/// Builds the Rust plugins and puts each into each of `folders` as `NAME.wasm`, its sidecar beside it.
pub(crate) fn rust(workspace: &Workspace, folders: &[PathBuf]) -> Result<()> {
    for name in RUST {
        build_rust(workspace, &format!("plugins/{name}/Cargo.toml"))?;
        place_in(folders, &built(workspace, name), &format!("{name}.wasm"))?;
        let sidecar = format!("{name}.toml");
        let source = workspace.source("plugins").join(name).join(&sidecar);
        place_in(folders, &source, &sidecar)?;
    }
    Ok(())
}

/// Builds the Python plugin and puts it into each of `folders` as `smart-summary.wasm`.
pub(crate) fn smart_summary(
    workspace: &Workspace,
    python: &Python,
    folders: &[PathBuf],
) -> Result<()> {
    let venv = python.venv(workspace, "venv-plugins", &[COMPONENTIZE_PY])?;
    let component = workspace.guest_build().join("smart-summary.wasm");
    let inputs = [
        workspace.source("wit"),
        workspace.source(SMART_SUMMARY).join("app.py"),
        workspace.source(SMART_SUMMARY).join("summary"),
    ];
    stamp::unless_made(workspace, &component, &inputs, COMPONENTIZE_PY, || {
        eprintln!("python: building smart-summary");
        std::fs::create_dir_all(workspace.guest_build())?;
        let mut build = process::command(workspace, process::in_venv(&venv, "componentize-py"));
        build.arg("-d").arg(workspace.source("wit")).args([
            "-w",
            "coinop:plugin/plugin",
            "componentize",
            "-p",
        ]);
        build
            .arg(workspace.source(SMART_SUMMARY))
            .args(["app", "--stub-wasi", "-o"])
            .arg(&component);
        process::read(&mut build).map(drop)
    })?;
    place_in(folders, &component, "smart-summary.wasm")
}

fn place_in(folders: &[PathBuf], component: &Path, name: &str) -> Result<()> {
    folders
        .iter()
        .try_for_each(|folder| stamp::place(component, &folder.join(name)))
}

/// Builds every crate of a guest workspace.
pub(crate) fn build_rust(workspace: &Workspace, manifest: &str) -> Result<()> {
    let mut build = guest_cargo(workspace, "build", manifest);
    process::run(build.args(["--quiet", "--release", "--target", WASM_TARGET]))
}

/// Where cargo leaves the component of a guest crate.
pub(crate) fn built(workspace: &Workspace, krate: &str) -> PathBuf {
    let file = format!("{}.wasm", krate.replace('-', "_"));
    workspace
        .guest_build()
        .join(WASM_TARGET)
        .join("release")
        .join(file)
}

/// Cargo on a guest workspace, with all of them sharing one target directory.
pub(crate) fn guest_cargo(workspace: &Workspace, subcommand: &str, manifest: &str) -> Command {
    let mut cargo = process::cargo(workspace);
    cargo.env("CARGO_TARGET_DIR", workspace.guest_build());
    cargo
        .args([subcommand, "--manifest-path"])
        .arg(workspace.source(manifest));
    cargo
}

/// The unit tests of a Rust plugin, on this machine's own target.
pub(crate) fn rust_tests(workspace: &Workspace, name: &str) -> Command {
    guest_cargo(workspace, "test", &format!("plugins/{name}/Cargo.toml"))
}

/// The unit tests in a folder of Python, with the SDK at hand.
pub(crate) fn python_tests(workspace: &Workspace, python: &Python, folder: &str) -> Command {
    let mut tests = process::command(workspace, python.program());
    tests
        .current_dir(workspace.source(folder))
        .env("PYTHONPATH", workspace.source("sdk/python"))
        .args(["-B", "-m", "unittest"]);
    tests
}

#[cfg(test)]
mod tests {
    use super::COMPONENTIZE_PY;

    #[test]
    fn projects_in_python_ask_for_the_version_that_the_plugins_are_built_with() {
        for asked in [
            include_str!("../../host/templates/python/requirements.txt"),
            include_str!("../../examples/python/requirements.txt"),
        ] {
            assert_eq!(asked.trim(), COMPONENTIZE_PY);
        }
    }
}
