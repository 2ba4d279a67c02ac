//! The programs that projects are built with: whether they are here, what may stand in for one, and how to get it.

use std::path::Path;
use std::process::{Command, Stdio};

/// A program that templates use.
struct Tool {
    /// Its name in a manifest.
    program: &'static str,
    /// Python packages bring some programs: `python3 -m PACKAGE` stands in.
    python_package: Option<&'static str>,
    /// How to get it.
    remedy: &'static str,
}

const TOOLS: &[Tool] = &[
    Tool {
        program: "cargo",
        python_package: None,
        remedy: "install Rust by https://rustup.rs, then run `rustup target add wasm32-wasip2`",
    },
    Tool {
        program: "componentize-py",
        // The package has nothing to run by `python3 -m`.
        python_package: None,
        remedy: "it builds components from Python: run `pip install componentize-py==0.25.1`",
    },
    Tool {
        program: "go",
        python_package: None,
        remedy: "install Go 1.25 or newer from https://go.dev/dl",
    },
    Tool {
        program: "node",
        python_package: None,
        remedy: "install Node.js 20 or newer, with npm, from https://nodejs.org",
    },
    Tool {
        program: "zig",
        python_package: Some("ziglang"),
        remedy: "it brings a C compiler and a C library for WebAssembly: run `pip install ziglang`, or install it from \
                 https://ziglang.org/download",
    },
];

/// The command with its program replaced by what stands in for it, if need be.
///
/// # Errors
/// The program is not here: which one, and how to get it.
pub(super) fn resolved(command: &[String]) -> Result<Vec<String>, String> {
    let (program, arguments) = command.split_first().ok_or("no program is named")?;
    let begin = begin(program)?;
    if program == "cargo" {
        refuse_missing_target(arguments)?;
    }
    Ok(begin.into_iter().chain(arguments.iter().cloned()).collect())
}

fn begin(program: &str) -> Result<Vec<String>, String> {
    // A path is the author's own program: starting it tells.
    if program.contains(['/', '\\']) || is_on_path(program) {
        return Ok(vec![program.to_owned()]);
    }
    let tool = TOOLS.iter().find(|tool| tool.program == program);
    if let Some(package) = tool.and_then(|tool| tool.python_package)
        && let Some(python) = python_with(package)
    {
        return Ok(vec![python.to_owned(), "-m".to_owned(), package.to_owned()]);
    }
    let remedy = tool.map_or("install it, or correct `command` in plugin.toml", |tool| {
        tool.remedy
    });
    Err(format!("{program:?} is not here: {remedy}"))
}

fn is_on_path(program: &str) -> bool {
    let endings = if cfg!(windows) {
        &[".exe", ".cmd", ".bat"][..]
    } else {
        &[""][..]
    };
    let folders = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&folders).any(|folder| {
        endings
            .iter()
            .any(|ending| folder.join(format!("{program}{ending}")).is_file())
    })
}

fn python_with(package: &str) -> Option<&'static str> {
    ["python3", "python"].into_iter().find(|python| {
        let import = format!("import {package}");
        let asked = Command::new(python)
            .args(["-c", &import])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
        asked.is_ok_and(|status| status.success())
    })
}

/// Rust's own error for a target that is not installed is a page long; this is a line.
fn refuse_missing_target(arguments: &[String]) -> Result<(), String> {
    let position = arguments.iter().position(|argument| argument == "--target");
    let Some(target) = position.and_then(|at| arguments.get(at + 1)) else {
        return Ok(());
    };
    let asked = Command::new("rustc")
        .args(["--print", "target-libdir", "--target", target])
        .stdin(Stdio::null())
        .output();
    // Where rustc cannot be asked, cargo will say more.
    let Ok(answer) = asked else { return Ok(()) };
    let folder = String::from_utf8_lossy(&answer.stdout);
    if answer.status.success() && !Path::new(folder.trim()).is_dir() {
        return Err(format!(
            "Rust has no standard library for {target} here: run `rustup target add {target}`"
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(command: &str) -> Vec<String> {
        command.split(' ').map(str::to_owned).collect()
    }

    #[test]
    fn a_program_that_is_here_is_taken_as_it_is() {
        let command = words("cargo build");
        assert_eq!(resolved(&command), Ok(command));
        let own = words("./make.sh all");
        assert_eq!(resolved(&own), Ok(own));
    }

    #[test]
    fn the_remedy_for_python_is_the_version_that_projects_ask_for() {
        let wanted = include_str!("../../templates/python/requirements.txt").trim();
        let tool = TOOLS.iter().find(|tool| tool.program == "componentize-py");
        assert!(tool.unwrap().remedy.contains(wanted));
    }

    #[test]
    fn what_is_missing_is_named_with_its_remedy() {
        let missing = resolved(&words("no-such-compiler -O2")).unwrap_err();
        assert!(missing.contains("no-such-compiler") && missing.contains("plugin.toml"));
        let target = resolved(&words("cargo build --target wasm32-wasip3")).unwrap_err();
        assert!(
            target.contains("rustup target add wasm32-wasip3"),
            "{target}"
        );
    }
}
