//! Examples that take long to build: built once, by `coinop build` as their README says, into `target/guests`.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::plugins;
use crate::process;
use crate::projects;
use crate::stamp;
use crate::workspace::Workspace;

const PYTHON: &str = "examples/python";

/// Builds the example in Python as `freshness.wasm` and `freshness.toml`, unless it is there. The host's program and
/// the virtual environment of the plugins are there already.
pub(crate) fn python(workspace: &Workspace) -> Result<()> {
    let guests = workspace.target("guests");
    let project = workspace.source(PYTHON);
    let mut inputs = files(&project)?;
    inputs.push(workspace.source("sdk/python/coinop_plugin"));
    inputs.push(workspace.source("wit"));
    inputs.extend(projects::BUILDER.map(|path| workspace.source(path)));
    stamp::unless_made(
        workspace,
        &guests.join("freshness.wasm"),
        &inputs,
        plugins::COMPONENTIZE_PY,
        || {
            eprintln!("python: building the example");
            let host = format!("debug/coinop{}", env::consts::EXE_SUFFIX);
            let mut build = process::command(workspace, workspace.target(host));
            build
                .arg("build")
                .arg(&project)
                .arg("--out")
                .arg(&guests)
                .env("PATH", with_plugins_tools(workspace)?);
            process::read(&mut build).map(drop)
        },
    )
}

/// The project's own files, the compiler's version among them; what builds leave there is in folders.
fn files(project: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in
        fs::read_dir(project).with_context(|| format!("cannot read {}", project.display()))?
    {
        let path = entry?.path();
        if path.is_file() {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

/// The path, with what the plugins are built with before all else.
fn with_plugins_tools(workspace: &Workspace) -> Result<std::ffi::OsString> {
    let tools = process::in_venv(&workspace.target("venv-plugins"), "componentize-py");
    let tools = tools.parent().map(Path::to_owned);
    let path = env::var_os("PATH").unwrap_or_default();
    env::join_paths(tools.into_iter().chain(env::split_paths(&path)))
        .context("the path of the target directory cannot stand in PATH")
}
