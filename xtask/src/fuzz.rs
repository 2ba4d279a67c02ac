//! `fuzz`: the properties over random inputs, all at once, each for the same long time.

use std::process::ExitCode;

use anyhow::{Context, Result};

use crate::process;
use crate::summary::{Counts, Summary};
use crate::workspace::Workspace;

/// How long each property goes on where nobody says, seconds.
const SECONDS: u64 = 600;
/// Enough threads that no property waits for another.
const THREADS: &str = "64";

/// Builds the tests, then runs every property for as long as the first argument says.
pub(crate) fn run(workspace: &Workspace, arguments: Vec<String>) -> Result<ExitCode> {
    let seconds = seconds(&crate::passed_on(arguments))?;
    let mut summary = Summary::default();
    let built = summary.step("the tests", || {
        let mut build = tests(workspace);
        process::run(build.arg("--no-run")).map(|()| Counts::NONE)
    });
    if built {
        summary.step(&format!("every property for {seconds} s"), || {
            let mut run = tests(workspace);
            run.env("COINOP_FUZZ_SECONDS", seconds.to_string());
            run.args(["--", "fuzz::", "--nocapture", "--test-threads", THREADS]);
            process::run(&mut run).map(|()| Counts::NONE)
        });
    }
    Ok(if summary.finish() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn tests(workspace: &Workspace) -> std::process::Command {
    let mut cargo = process::cargo(workspace);
    cargo.args(["test", "--quiet", "--package", "coinop", "--lib"]);
    cargo
}

fn seconds(arguments: &[String]) -> Result<u64> {
    match arguments {
        [] => Ok(SECONDS),
        [seconds] => seconds
            .parse()
            .with_context(|| format!("{seconds:?} is not a number of seconds")),
        [_, unexpected, ..] => anyhow::bail!("unexpected argument {unexpected:?}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_is_a_number() {
        assert_eq!(seconds(&[]).unwrap(), SECONDS);
        assert_eq!(seconds(&["90".to_owned()]).unwrap(), 90);
        assert!(seconds(&["long".to_owned()]).is_err());
        assert!(seconds(&["1".to_owned(), "2".to_owned()]).is_err());
    }
}
