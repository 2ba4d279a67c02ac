//! `night`: the long forms of the tests, which take longer than anybody waits: each a program of its own.

use std::process::ExitCode;

use anyhow::{Context, Result};

use crate::guests;
use crate::process;
use crate::summary::{Counts, Summary};
use crate::workspace::Workspace;

/// A long form.
struct Subject {
    /// Its word on the command line.
    name: &'static str,
    /// What its step is called.
    title: &'static str,
    /// The package and its program, built as the tests are, with every check.
    program: (&'static str, &'static str),
    /// Its arguments where none are given.
    arguments: &'static [&'static str],
}

/// Every long form: a line each.
const SUBJECTS: &[Subject] = &[
    Subject {
        name: "kills",
        title: "10,000 kills of hosts",
        program: ("coinop-tests", "kills"),
        arguments: &["--kills", "10000"],
    },
    Subject {
        name: "simulation",
        title: "a million simulated worlds",
        program: ("coinop-tests", "simulate"),
        arguments: &["--seeds", "1000000"],
    },
];

/// Runs all of them, or the one that is named first.
pub(crate) fn run(workspace: &Workspace, mut arguments: Vec<String>) -> Result<ExitCode> {
    let named = match arguments.first() {
        Some(name) if name != "--" => Some(arguments.remove(0)),
        _ => None,
    };
    let subjects = match &named {
        Some(name) => vec![find(name)?],
        None => SUBJECTS.iter().collect(),
    };
    let arguments = crate::passed_on(arguments);
    let mut summary = Summary::default();
    let prepared = summary.step("guests, and the host's program", || {
        guests::build(workspace)?;
        let mut build = process::cargo(workspace);
        process::run(build.args(["build", "--quiet", "--package", "coinop", "--bins"]))?;
        Ok(Counts::NONE)
    });
    for subject in subjects.into_iter().filter(|_| prepared) {
        summary.step(subject.title, || long_form(workspace, subject, &arguments));
    }
    Ok(if summary.finish() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn find(name: &str) -> Result<&'static Subject> {
    let found = SUBJECTS.iter().find(|subject| subject.name == name);
    found.with_context(|| {
        let names: Vec<&str> = SUBJECTS.iter().map(|subject| subject.name).collect();
        format!("unknown subject {name:?}: there are {}", names.join(", "))
    })
}

fn long_form(workspace: &Workspace, subject: &Subject, arguments: &[String]) -> Result<Counts> {
    let (package, program) = subject.program;
    let mut cargo = process::cargo(workspace);
    cargo.args([
        "run",
        "--quiet",
        "--package",
        package,
        "--bin",
        program,
        "--",
    ]);
    match arguments {
        [] => cargo.args(subject.arguments),
        given => cargo.args(given),
    };
    process::run(&mut cargo).map(|()| Counts::NONE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subjects_are_known_by_their_names() {
        for subject in SUBJECTS {
            assert_eq!(find(subject.name).unwrap().title, subject.title);
        }
        assert!(find("day").err().unwrap().to_string().contains("kills"));
    }
}
