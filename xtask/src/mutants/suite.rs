//! The programs of tests that are built from the copy and run, with an end even where a mutation makes them hang.

use std::fs;
use std::io::{Read, Seek};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use super::tree::Tree;

/// Tests take seconds; one that takes this long hangs.
const PATIENCE: Duration = Duration::from_secs(180);

/// Where tests are: those that need no built host, which the end-to-end tests would then take for theirs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Suite {
    /// The core's unit tests.
    Core,
    /// The host's unit tests.
    Host,
    /// The contract that every store keeps.
    Stores,
    /// Worlds of hosts and faults, by seed.
    Simulation,
}

/// How a run of tests ended.
pub(super) enum Verdict {
    /// All of them passed.
    Passed,
    /// The first that failed.
    Failed(String),
    /// They did not end.
    Hung,
}

impl Suite {
    pub(super) const ALL: [Self; 4] = [Self::Core, Self::Host, Self::Stores, Self::Simulation];

    /// The package.
    pub(super) fn package(self) -> &'static str {
        match self {
            Self::Core => "coinop-core",
            Self::Host => "coinop",
            Self::Stores | Self::Simulation => "coinop-tests",
        }
    }

    /// Which of the package's programs, as cargo is told.
    fn target(self) -> &'static [&'static str] {
        match self {
            Self::Core | Self::Host => &["--lib"],
            Self::Stores => &["--test", "ledger"],
            Self::Simulation => &["--test", "simulation"],
        }
    }

    /// The package's folder.
    pub(super) fn folder(self) -> &'static str {
        match self {
            Self::Core => "host/core",
            Self::Host => "host",
            Self::Stores | Self::Simulation => "tests",
        }
    }
}

/// A built program of tests.
pub(super) struct Program {
    suite: Suite,
    path: PathBuf,
}

impl Program {
    /// Builds it from the copy as it is now.
    ///
    /// # Errors
    /// When it does not compile: a mutation must be a program that is wrong, not none.
    pub(super) fn build(tree: &Tree, suite: Suite) -> Result<Self> {
        let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        // Unused code is what mutations leave behind; cargo's words are shown when there is no program.
        cargo
            .args(["test", "--no-run", "--package", suite.package()])
            .args(suite.target())
            .current_dir(tree.path(""))
            .env("CARGO_TARGET_DIR", &tree.target)
            .stdin(Stdio::null());
        let output = cargo.output().context("cannot start cargo")?;
        let told = String::from_utf8_lossy(&output.stderr);
        if !output.status.success() {
            bail!("does not compile:\n{told}");
        }
        // `Executable unittests src/lib.rs (target/debug/deps/coinop-0123456789abcdef)`
        let named = told.lines().find_map(|line| {
            let line = line.trim_start().strip_prefix("Executable ")?;
            line.strip_suffix(')')?
                .rsplit_once('(')
                .map(|(_, path)| path)
        });
        let path = named.with_context(|| format!("cargo named no program:\n{told}"))?;
        Ok(Self {
            suite,
            path: tree.path(path),
        })
    }

    /// Runs these tests, all of which must be there.
    pub(super) fn run(&self, tree: &Tree, tests: &[&str]) -> Result<Verdict> {
        let mut heard = tempfile_in(tree)?;
        let mut child = Command::new(&self.path)
            .arg("--exact")
            .args(tests)
            .current_dir(tree.path(self.suite.folder()))
            .stdin(Stdio::null())
            .stdout(heard.try_clone()?)
            .stderr(Stdio::null())
            .spawn()
            .with_context(|| format!("cannot start {}", self.path.display()))?;
        let began = Instant::now();
        let status = loop {
            if let Some(status) = child.try_wait()? {
                break status;
            }
            if began.elapsed() > PATIENCE {
                child.kill()?;
                child.wait()?;
                return Ok(Verdict::Hung);
            }
            thread::sleep(Duration::from_millis(20));
        };
        let mut told = String::new();
        heard.rewind()?;
        heard.read_to_string(&mut told)?;
        if status.success() {
            return all_ran(&told, tests).map(|()| Verdict::Passed);
        }
        let failed = told.lines().find_map(failed);
        Ok(Verdict::Failed(failed.map_or_else(
            || format!("a program that ended with {status}"),
            str::to_owned,
        )))
    }
}

/// The test that a line of the harness calls failed.
fn failed(line: &str) -> Option<&str> {
    let (test, end) = line.strip_prefix("test ")?.split_once(" ... ")?;
    end.starts_with("FAILED").then_some(test)
}

/// A name that fits no test passes whatever is broken.
fn all_ran(told: &str, tests: &[&str]) -> Result<()> {
    let missing = tests
        .iter()
        .find(|test| !told.contains(&format!("test {test} ... ok")));
    match missing {
        Some(test) => bail!("there is no test {test}"),
        None => Ok(()),
    }
}

/// A file for what the tests print: a pipe that nobody reads while waiting would stop them.
fn tempfile_in(tree: &Tree) -> Result<fs::File> {
    let path = tree.target.join("mutants/output");
    let mut options = fs::File::options();
    let open = options.read(true).write(true).create(true).truncate(true);
    open.open(&path)
        .with_context(|| format!("cannot write {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOLD: &str = "\nrunning 2 tests\ntest a::b ... ok\ntest a::c ... FAILED\n\nfailures:\n";

    #[test]
    fn the_harness_is_understood() {
        assert_eq!(TOLD.lines().find_map(failed), Some("a::c"));
        assert!(all_ran(TOLD, &["a::b"]).is_ok());
        assert!(all_ran(TOLD, &["a::b", "a::d"]).is_err());
    }
}
