//! `bench`: the measurements, on release builds, with a plugin of every language that can be built here.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context, Result};

use crate::clients;
use crate::compilers;
use crate::guests;
use crate::process;
use crate::stamp;
use crate::workspace::Workspace;

/// The languages whose template is built and measured. Rust has a guest of the tests.
const LANGUAGES: [&str; 4] = ["c", "go", "javascript", "python"];

/// Builds and becomes the bench program.
pub(crate) fn run(workspace: &Workspace, arguments: Vec<String>) -> Result<ExitCode> {
    guests::build(workspace)?;
    let mut build = process::cargo(workspace);
    build.args([
        "build",
        "--release",
        "--package",
        "coinop",
        "--package",
        "coinop-tests",
        "--bins",
    ]);
    process::run(&mut build)?;
    let host = program(workspace, "coinop");
    build_templates(workspace, &host);
    let program = program(workspace, "bench");
    process::become_program(process::command(workspace, program).args(arguments))
}

fn program(workspace: &Workspace, name: &str) -> PathBuf {
    let file = format!("{name}{}", std::env::consts::EXE_SUFFIX);
    workspace.target("release").join(file)
}

/// What `coinop new` writes in each language, as `target/templates/hello-LANG.wasm`. Whatever cannot be built is told of
/// and left out: the bench says so too.
fn build_templates(workspace: &Workspace, host: &Path) {
    if let Err(error) = compilers::install(workspace) {
        eprintln!("compilers for plugins: {error:#}");
    }
    for language in LANGUAGES {
        if let Err(error) = build_template(workspace, host, language) {
            eprintln!("{language}: not measured: {error:#}");
        }
    }
}

fn build_template(workspace: &Workspace, host: &Path, language: &str) -> Result<()> {
    let name = format!("hello-{language}");
    let folder = workspace.target("templates");
    let template = workspace.source("host/templates").join(language);
    anyhow::ensure!(template.is_dir(), "there is no template");
    let inputs = [
        template,
        workspace.source("wit"),
        workspace.source("sdk"),
        workspace.source("host/src/project"),
    ];
    let component = folder.join(format!("{name}.wasm"));
    stamp::unless_made(workspace, &component, &inputs, "", || {
        eprintln!("{language}: building what coinop new writes");
        let project = folder.join(&name);
        if project.exists() {
            std::fs::remove_dir_all(&project)
                .with_context(|| format!("cannot remove {}", project.display()))?;
        }
        std::fs::create_dir_all(&folder)?;
        let mut new = with_compilers(workspace, host);
        new.args(["new", &name, "--lang", language, "--dir"]);
        process::read(new.arg(&project))?;
        if project.join("package-lock.json").is_file() {
            clients::npm_ci(workspace, &project, &[])?;
        }
        let mut build = with_compilers(workspace, host);
        build.arg("build").arg(&project).arg("--out").arg(&folder);
        process::read(&mut build).map(drop)
    })
}

/// The host, with the compilers that were installed for plugins at the front of its path.
fn with_compilers(workspace: &Workspace, host: &Path) -> Command {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let installed = ["venv-compilers/bin", "venv-plugins/bin"].map(|bin| workspace.target(bin));
    let folders = installed.into_iter().chain(std::env::split_paths(&path));
    let mut command = process::command(workspace, host);
    if let Ok(path) = std::env::join_paths(folders) {
        command.env("PATH", path);
    }
    command.env("CARGO_TARGET_DIR", workspace.guest_build());
    command.env("ZIG_GLOBAL_CACHE_DIR", workspace.target("zig-cache"));
    command
}
