//! Plugins in JavaScript and TypeScript: packages from npm by each project's lock, the component by its own `build.mjs`.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Result, ensure};

use crate::clients;
use crate::process;
use crate::stamp;
use crate::workspace::Workspace;

const SDK: &str = "sdk/javascript";
/// The agreements that ship.
pub(crate) const CONTRACT: &str = "plugins/contract";
/// The examples: folder and plugin.
const EXAMPLES: [(&str, &str); 2] = [
    ("examples/javascript", "barcode"),
    ("examples/typescript", "holidays"),
];

/// Builds the TypeScript plugin and puts it, with its sidecar, into each of `folders`.
pub(crate) fn contract(workspace: &Workspace, folders: &[PathBuf]) -> Result<()> {
    let component = component(workspace, CONTRACT, "contract")?;
    let sidecar = workspace.source(CONTRACT).join("contract.toml");
    folders.iter().try_for_each(|folder| {
        stamp::place(&component, &folder.join("contract.wasm"))?;
        stamp::place(&sidecar, &folder.join("contract.toml"))
    })
}

/// Builds the examples and puts them into `folder`.
pub(crate) fn examples(workspace: &Workspace, folder: &Path) -> Result<()> {
    for (project, name) in EXAMPLES {
        let component = component(workspace, project, name)?;
        stamp::place(&component, &folder.join(format!("{name}.wasm")))?;
    }
    Ok(())
}

/// The unit tests of the SDK.
pub(crate) fn sdk_tests(workspace: &Workspace) -> Command {
    let mut tests = process::command(workspace, "node");
    tests.current_dir(workspace.source(SDK)).arg("--test");
    tests
}

/// The unit tests of a project, by the command that its README names.
pub(crate) fn tests(workspace: &Workspace, project: &str) -> Result<Command> {
    ready(workspace, project)?;
    let mut tests = process::command(workspace, clients::npm());
    tests
        .current_dir(workspace.source(project))
        .args(["test", "--silent"]);
    Ok(tests)
}

/// The projects whose unit tests are run.
pub(crate) fn projects() -> impl Iterator<Item = &'static str> {
    EXAMPLES
        .into_iter()
        .map(|(project, _)| project)
        .chain([CONTRACT])
}

fn component(workspace: &Workspace, project: &str, name: &str) -> Result<PathBuf> {
    ready(workspace, project)?;
    let folder = workspace.source(project);
    let component = folder.join("build").join(format!("{name}.wasm"));
    let mut inputs = vec![
        workspace.source("wit"),
        workspace.source(SDK),
        folder.join("src"),
        folder.join("build.mjs"),
        folder.join("package.json"),
        folder.join("package-lock.json"),
    ];
    inputs.extend(Some(folder.join("tsconfig.json")).filter(|file| file.is_file()));
    stamp::unless_made(workspace, &component, &inputs, "build.mjs", || {
        eprintln!("node: building {name}");
        let mut build = process::command(workspace, "node");
        process::run(build.current_dir(&folder).arg("build.mjs"))
    })?;
    Ok(component)
}

/// Installs the project's packages, or says what is missing.
fn ready(workspace: &Workspace, project: &str) -> Result<()> {
    ensure!(
        // A script on Windows, which is found as none.
        process::found("node") && (cfg!(windows) || process::found("npm")),
        "{project} is built by Node.js and npm, which are not both here: install Node.js 20 or newer with npm from \
         https://nodejs.org (Debian, Ubuntu: apt install nodejs npm)"
    );
    clients::node_modules(workspace, project)
}
