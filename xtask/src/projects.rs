//! The plugins that ship as projects of `coinop build`, in languages with compilers of their own: building them, and
//! their tests.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::compilers;
use crate::process;
use crate::stamp;
use crate::workspace::Workspace;

/// Every such plugin: the name of its folder in `plugins/`, and of its component.
pub(crate) const NAMES: [&str; 2] = ["chart", "qr"];

/// What builds leave in a project's folder.
const LEFT_BY_BUILDS: [&str; 3] = ["build", "dist", "gen"];

/// What `coinop build` is made of, as far as that shows in what it builds.
pub(crate) const BUILDER: [&str; 2] = ["Cargo.lock", "host/src/project"];
/// What a project's component is made of besides its own folder and the builder.
const SHARED_INPUTS: [&str; 2] = ["sdk/go", "wit"];

/// Builds the plugin with the host's program `coinop` and puts it, with its sidecar, into each of `folders`.
pub(crate) fn build(
    workspace: &Workspace,
    coinop: &Path,
    name: &str,
    folders: &[PathBuf],
) -> Result<()> {
    let source = workspace.source("plugins").join(name);
    let out = workspace.guest_build();
    let mut inputs = sources(&source)?;
    inputs.extend(BUILDER.map(|path| workspace.source(path)));
    inputs.extend(SHARED_INPUTS.map(|path| workspace.source(path)));
    let component = out.join(format!("{name}.wasm"));
    let used = compilers::used(workspace);
    stamp::unless_made(workspace, &component, &inputs, &used, || {
        compilers::install(workspace)?;
        eprintln!("coinop build: building {name}");
        let mut build = process::command(workspace, coinop);
        build.arg("build").arg(&source).arg("--out").arg(&out);
        process::run(compilers::within_reach(workspace, &mut build)?)
    })?;
    let sidecar = format!("{name}.toml");
    folders.iter().try_for_each(|folder| {
        stamp::place(&component, &folder.join(format!("{name}.wasm")))?;
        stamp::place(&source.join(&sidecar), &folder.join(&sidecar))
    })
}

/// What lies in the project's folder, without what builds leave there.
fn sources(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut sources = Vec::new();
    for entry in
        fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))?
    {
        let entry = entry?;
        let name = entry.file_name();
        if !LEFT_BY_BUILDS.iter().any(|left| name == *left) {
            sources.push(entry.path());
        }
    }
    sources.sort();
    Ok(sources)
}

/// The unit tests of the Go plugin, on this machine.
pub(crate) fn chart_tests(workspace: &Workspace) -> Result<Command> {
    compilers::install(workspace)?;
    let mut go = process::command(workspace, "go");
    go.current_dir(workspace.source("plugins/chart"));
    // Not the packages that need the bindings: those are of the host, and `gen` may not be there.
    go.args(["test", "-v", "./axis", "./data", "./draw", "./tools"]);
    compilers::within_reach(workspace, &mut go)?;
    Ok(go)
}

/// The unit tests of the C plugin, compiled for this machine.
pub(crate) fn qr_tests(workspace: &Workspace) -> Result<Command> {
    compilers::install(workspace)?;
    let program = workspace.guest_build().join("qr-test");
    fs::create_dir_all(workspace.guest_build())?;
    let mut zig = compilers::zig(workspace);
    zig.current_dir(workspace.source("plugins/qr"));
    zig.args(["cc", "-g", "-O1", "-Wall", "-Wextra", "-Werror"]);
    zig.arg("-fsanitize=undefined").arg("-o").arg(&program);
    zig.args(["test.c", "tool.c", "bits.c", "codewords.c", "matrix.c"]);
    zig.args(["qr.c", "png.c", "vector.c"]);
    process::run(compilers::within_reach(workspace, &mut zig)?)?;
    Ok(process::command(workspace, program))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_builds_leave_is_no_source() {
        let workspace = Workspace::find().unwrap();
        for name in NAMES {
            let folder = workspace.source("plugins").join(name);
            let sources = sources(&folder).unwrap();
            assert!(sources.contains(&folder.join("plugin.toml")));
            assert!(sources.contains(&folder.join(format!("{name}.toml"))));
            assert!(!sources.contains(&folder.join("gen")));
        }
    }
}
