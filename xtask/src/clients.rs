//! The clients and test suites that others wrote, installed for the end-to-end tests: from PyPI and npm, each version
//! pinned.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

use crate::process;
use crate::python::{self, Python};
use crate::stamp;
use crate::workspace::Workspace;

const PYTHON_CLIENTS: [&str; 2] = ["mcp==2.3.*", "fastmcp==4.1.*"];
/// pympp's MCP client is written for the SDK before its second version.
const MPP_FOR_PYTHON: [&str; 2] = ["pympp[evm,mcp]==0.16.0", "mcp<2"];
/// The official facilitator and wallet, which is written for the SDK before its second version too.
const X402_FOR_PYTHON: [&str; 2] = ["x402[evm,mcp]==2.25.0", "mcp<2"];
/// No client: reads the QR codes that a plugin makes.
const READER: [&str; 1] = ["zxing-cpp==3.1.1"];
const CHAIN: &str = "tests/clients/chain";
const MPP_CLIENT: &str = "tests/clients/mpp";
const NODE_CLIENT: &str = "tests/clients/node";
const CONFORMANCE: &str = "tests/clients/conformance";
/// How long npm waits for one package, milliseconds, and how often it asks again. Its own choice takes many minutes to
/// say that there is no network.
const PATIENCE: [&str; 3] = [
    "--fetch-timeout=60000",
    "--fetch-retries=1",
    "--fetch-retry-mintimeout=1000",
];
const NODE_PACKAGES: [&str; 2] = ["package.json", "package-lock.json"];

/// The Python clients in folders of `target`, the Node.js ones beside their drivers.
pub(crate) fn install(workspace: &Workspace) -> Result<()> {
    let python = Python::find(workspace).context(python::REMEDY)?;
    python.venv(workspace, "venv-clients", &PYTHON_CLIENTS)?;
    python.venv(workspace, "venv-mpp", &MPP_FOR_PYTHON)?;
    python.venv(workspace, "venv-x402", &X402_FOR_PYTHON)?;
    python.venv(workspace, "venv-readers", &READER)?;
    node_modules(workspace, NODE_CLIENT)?;
    node_modules(workspace, CHAIN)?;
    node_modules(workspace, MPP_CLIENT)
}

/// The packages of a client, beside its driver, or of another project.
pub(crate) fn node_modules(workspace: &Workspace, client: &str) -> Result<()> {
    let folder = workspace.source(client);
    let inputs = NODE_PACKAGES.map(|file| folder.join(file));
    stamp::unless_made(
        workspace,
        &folder.join("node_modules"),
        &inputs,
        "npm ci",
        // No package needs its scripts: anvil comes built, in a package for each platform.
        || npm_ci(workspace, &folder, &["--ignore-scripts"]),
    )
}

/// The protocol's own test suites in `target/conformance`, with a Node.js of their own: they need a newer one than
/// clients do.
pub(crate) fn install_conformance(workspace: &Workspace) -> Result<()> {
    let source = workspace.source(CONFORMANCE);
    let folder = workspace.target("conformance");
    let inputs = NODE_PACKAGES.map(|file| source.join(file));
    stamp::unless_made(workspace, &folder, &inputs, "npm ci", || {
        fs::create_dir_all(&folder)?;
        for file in NODE_PACKAGES {
            fs::copy(source.join(file), folder.join(file))
                .with_context(|| format!("cannot write to {}", folder.display()))?;
        }
        // Node.js is fetched for this platform by its package's script.
        npm_ci(workspace, &folder, &[])
    })
}

/// npm's program.
pub(crate) fn npm() -> &'static str {
    if cfg!(windows) { "npm.cmd" } else { "npm" }
}

pub(crate) fn npm_ci(workspace: &Workspace, folder: &Path, more: &[&str]) -> Result<()> {
    let mut install = process::command(workspace, npm());
    install
        .current_dir(folder)
        .args(["ci", "--no-audit", "--no-fund", "--loglevel=error"])
        .args(PATIENCE)
        .args(more);
    process::run(&mut install)
        .with_context(|| format!("npm could not install {}", folder.display()))
}
