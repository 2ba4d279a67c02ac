//! `test`: everything that must hold before a change goes in, or one subject of it.

use std::path::Path;
use std::process::{Command, ExitCode};

use anyhow::{Context, Result, bail};

use crate::clients;
use crate::compilers;
use crate::examples;
use crate::guests;
use crate::javascript;
use crate::plugins;
use crate::postgres;
use crate::process;
use crate::projects;
use crate::python::{self, Python};
use crate::summary::{Counts, Summary};
use crate::toolchain::{self, WASM_TARGET};
use crate::workspace::Workspace;

const NODE_MAJOR_MIN: u32 = 20;
const GUEST_WORKSPACES: [&str; 7] = [
    "examples/provider-rust/Cargo.toml",
    "examples/rust/Cargo.toml",
    "plugins/super-resolution/Cargo.toml",
    "plugins/weather/Cargo.toml",
    "sdk/rust/Cargo.toml",
    "tests/guests/Cargo.toml",
    "examples/shout/Cargo.toml",
];

/// A part of the whole that can be run alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Subject {
    /// Formatting.
    Fmt,
    /// Lints, warnings being errors.
    Clippy,
    /// The plugins' own unit tests.
    Plugins,
    /// The pure core.
    Core,
    /// The host, without clients.
    Host,
    /// Real clients against the built program.
    E2e,
    /// The protocol's own test suites against the built program: a part of `e2e`.
    Conformance,
}

impl Subject {
    const ALL: [Self; 7] = [
        Self::Fmt,
        Self::Clippy,
        Self::Plugins,
        Self::Core,
        Self::Host,
        Self::E2e,
        Self::Conformance,
    ];

    fn name(self) -> &'static str {
        match self {
            Self::Fmt => "fmt",
            Self::Clippy => "clippy",
            Self::Plugins => "plugins",
            Self::Core => "core",
            Self::Host => "host",
            Self::E2e => "e2e",
            Self::Conformance => "conformance",
        }
    }

    fn parse(name: &str) -> Result<Self> {
        Self::ALL
            .into_iter()
            .find(|subject| subject.name() == name)
            .with_context(|| {
                format!(
                    "unknown subject {name:?}: there are {}",
                    Self::ALL.map(Self::name).join(", ")
                )
            })
    }

    fn needs_python(self) -> bool {
        matches!(
            self,
            Self::Plugins | Self::Host | Self::E2e | Self::Conformance
        )
    }

    fn needs_node(self) -> bool {
        matches!(
            self,
            Self::Plugins | Self::Host | Self::E2e | Self::Conformance
        )
    }

    /// Whether one of these runs it too.
    fn is_within(self, subjects: &[Self]) -> bool {
        self == Self::Conformance && subjects.contains(&Self::E2e)
    }
}

/// Runs the subjects, all of them when none is named.
pub(crate) fn run(workspace: &Workspace, names: &[String]) -> Result<ExitCode> {
    let named = names
        .iter()
        .map(|name| Subject::parse(name))
        .collect::<Result<Vec<Subject>>>()?;
    let subjects = if named.is_empty() {
        Subject::ALL.to_vec()
    } else {
        named
    };
    refuse_when_missing(workspace, &subjects)?;
    let mut summary = Summary::default();
    for subject in Subject::ALL
        .into_iter()
        .filter(|subject| subjects.contains(subject) && !subject.is_within(&subjects))
    {
        match subject {
            Subject::Fmt => fmt(workspace, &mut summary),
            Subject::Clippy => clippy(workspace, &mut summary),
            Subject::Plugins => plugins_tests(workspace, &mut summary),
            Subject::Core => cargo_tests(workspace, &mut summary, &["coinop-core", "xtask"]),
            Subject::Host => host(workspace, &mut summary),
            Subject::E2e => e2e(workspace, &mut summary),
            Subject::Conformance => conformance(workspace, &mut summary),
        }
    }
    Ok(if summary.finish() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// Everything that is missing, said at once and before anything is built.
fn refuse_when_missing(workspace: &Workspace, subjects: &[Subject]) -> Result<()> {
    let mut missing = Vec::new();
    if subjects.iter().any(|subject| subject.needs_python()) && Python::find(workspace).is_none() {
        missing.push(format!("Python: {}", python::REMEDY));
    }
    if subjects.iter().any(|subject| subject.needs_node()) {
        if node_major(workspace).is_none_or(|major| major < NODE_MAJOR_MIN) {
            missing.push(format!("Node.js {NODE_MAJOR_MIN} or newer: install it from https://nodejs.org or your distribution"));
        }
        if !process::found("npm") && !process::found("npm.cmd") {
            missing.push("npm: it comes with Node.js (Debian, Ubuntu: apt install npm)".to_owned());
        }
    }
    if subjects.contains(&Subject::E2e) && !postgres::is_within_reach(workspace) {
        missing.push(format!("PostgreSQL: {}", postgres::REMEDY));
    }
    if missing.is_empty() {
        return Ok(());
    }
    bail!(
        "these tests need what is not here:\n  {}\n`cargo xtask test fmt clippy core` needs Rust alone",
        missing.join("\n  ")
    )
}

fn fmt(workspace: &Workspace, summary: &mut Summary) {
    summary.step("formatting", || {
        check(process::cargo(workspace).args(["fmt", "--all", "--check"]))?;
        for manifest in GUEST_WORKSPACES {
            check(plugins::guest_cargo(workspace, "fmt", manifest).args(["--all", "--check"]))?;
        }
        Ok(Counts::NONE)
    });
}

fn clippy(workspace: &Workspace, summary: &mut Summary) {
    summary.step("lints: host", || {
        let mut clippy = process::cargo(workspace);
        check(clippy.args([
            "clippy",
            "--quiet",
            "--workspace",
            "--all-targets",
            "--",
            "-D",
            "warnings",
        ]))
    });
    summary.step("lints: plugins and guests", || {
        toolchain::ensure_wasm_target(workspace)?;
        for manifest in GUEST_WORKSPACES {
            let mut clippy = plugins::guest_cargo(workspace, "clippy", manifest);
            check(clippy.args([
                "--quiet",
                "--all-targets",
                "--target",
                WASM_TARGET,
                "--",
                "-D",
                "warnings",
            ]))?;
        }
        Ok(Counts::NONE)
    });
}

fn plugins_tests(workspace: &Workspace, summary: &mut Summary) {
    for name in plugins::RUST {
        summary.step(&format!("plugin {name}"), || {
            tests(&mut plugins::rust_tests(workspace, name))
        });
    }
    summary.step("SDK for Rust", || {
        let mut sdk = plugins::guest_cargo(workspace, "test", "sdk/rust/Cargo.toml");
        tests(sdk.arg("--all-features"))
    });
    summary.step("example in Rust", || {
        tests(&mut plugins::guest_cargo(
            workspace,
            "test",
            "examples/rust/Cargo.toml",
        ))
    });
    summary.step("example of a provider", || {
        tests(&mut plugins::guest_cargo(
            workspace,
            "test",
            "examples/provider-rust/Cargo.toml",
        ))
    });
    summary.step("plugin chart", || {
        tests(&mut projects::chart_tests(workspace)?)
    });
    summary.step("plugin qr", || tests(&mut projects::qr_tests(workspace)?));
    summary.step("SDK for JavaScript", || {
        tests(&mut javascript::sdk_tests(workspace))
    });
    for project in javascript::projects() {
        summary.step(project, || {
            tests(&mut javascript::tests(workspace, project)?)
        });
    }
    for (what, folder) in [
        ("plugin smart-summary", "plugins/smart-summary"),
        ("SDK for Python", "sdk/python"),
        ("example in Python", "examples/python"),
    ] {
        summary.step(what, || {
            let python = Python::find(workspace).context(python::REMEDY)?;
            tests(&mut plugins::python_tests(workspace, &python, folder))
        });
    }
}

fn host(workspace: &Workspace, summary: &mut Summary) {
    if build_guests(workspace, summary) {
        cargo_tests(workspace, summary, &["coinop"]);
    }
}

fn e2e(workspace: &Workspace, summary: &mut Summary) {
    let ready = build_guests(workspace, summary)
        && summary.step("PostgreSQL", || {
            postgres::ensure(workspace).map(|()| Counts::NONE)
        })
        && summary.step("clients: Python and Node.js", || {
            clients::install(workspace).map(|()| Counts::NONE)
        })
        && install_conformance(workspace, summary)
        && summary.step("compilers for plugins: C and Go", || {
            compilers::install(workspace).map(|()| Counts::NONE)
        })
        && build_host(workspace, summary)
        && build_projects(workspace, summary)
        && summary.step("example in Python", || {
            examples::python(workspace).map(|()| Counts::NONE)
        });
    if ready {
        cargo_tests(workspace, summary, &["coinop-tests"]);
    }
}

fn conformance(workspace: &Workspace, summary: &mut Summary) {
    let ready = build_guests(workspace, summary)
        && install_conformance(workspace, summary)
        && build_host(workspace, summary);
    if ready {
        summary.step("tests: conformance", || {
            let mut cargo = process::cargo(workspace);
            cargo.args(["test", "--package", "coinop-tests", "--test", "conformance"]);
            tests(cargo.args(["--", "--nocapture"]))
        });
    }
}

fn install_conformance(workspace: &Workspace, summary: &mut Summary) -> bool {
    summary.step("the protocol's test suites", || {
        clients::install_conformance(workspace).map(|()| Counts::NONE)
    })
}

fn build_host(workspace: &Workspace, summary: &mut Summary) -> bool {
    summary.step("the host's program", || {
        check(process::cargo(workspace).args(["build", "--quiet", "--package", "coinop", "--bins"]))
    })
}

fn build_projects(workspace: &Workspace, summary: &mut Summary) -> bool {
    summary.step("plugins in Go and C", || {
        let coinop = format!("coinop{}", std::env::consts::EXE_SUFFIX);
        let program = workspace.target("debug").join(coinop);
        let folders = ["plugins", "guests"].map(|folder| workspace.target(folder));
        for name in projects::NAMES {
            projects::build(workspace, &program, name, &folders)?;
        }
        Ok(Counts::NONE)
    })
}

fn build_guests(workspace: &Workspace, summary: &mut Summary) -> bool {
    summary.step("guests", || guests::build(workspace).map(|()| Counts::NONE))
}

fn cargo_tests(workspace: &Workspace, summary: &mut Summary, packages: &[&str]) {
    summary.step(&format!("tests: {}", packages.join(", ")), || {
        let mut cargo = process::cargo(workspace);
        cargo.args(["test", "--no-fail-fast"]);
        packages.iter().for_each(|package| {
            cargo.args(["--package", package]);
        });
        tests(&mut cargo)
    });
}

fn node_major(workspace: &Workspace) -> Option<u32> {
    let version =
        process::read(process::command(workspace, Path::new("node")).arg("--version")).ok()?;
    version
        .trim()
        .trim_start_matches('v')
        .split('.')
        .next()?
        .parse()
        .ok()
}

fn check(command: &mut Command) -> Result<Counts> {
    process::run(command).map(|()| Counts::NONE)
}

fn tests(command: &mut Command) -> Result<Counts> {
    process::listen(command).map(|heard| Counts::of(&heard))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subjects_are_known_by_their_names() {
        for subject in Subject::ALL {
            assert_eq!(Subject::parse(subject.name()).unwrap(), subject);
        }
        let message = Subject::parse("all").unwrap_err().to_string();
        assert!(
            message.contains("fmt, clippy, plugins, core, host, e2e, conformance"),
            "{message}"
        );
    }
}
