//! The steps of a test run, how long each took, and how many tests passed.

use std::fmt;
use std::io::Write;
use std::time::{Duration, Instant};

use anyhow::Result;

use crate::process::Heard;

/// How many tests passed and failed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    passed: usize,
    failed: usize,
}

/// A test run so far.
#[derive(Default)]
pub(crate) struct Summary {
    steps: Vec<Step>,
    counts: Counts,
}

struct Step {
    name: String,
    took: Duration,
    failure: Option<String>,
}

impl Summary {
    /// Runs one step and notes how it went. Returns whether it went well.
    pub(crate) fn step(&mut self, name: &str, work: impl FnOnce() -> Result<Counts>) -> bool {
        eprintln!("\n== {name}");
        let began = Instant::now();
        let failure = match work() {
            Ok(counts) => {
                self.counts.add(counts);
                (counts.failed > 0).then(|| format!("{} failed", counts.failed))
            }
            Err(error) => {
                eprintln!("error: {error:#}");
                Some(format!("{error:#}"))
            }
        };
        let went_well = failure.is_none();
        self.steps.push(Step {
            name: name.to_owned(),
            took: began.elapsed(),
            failure,
        });
        went_well
    }

    /// Prints the table with its last line, `N passed, N failed`. Returns whether every step went well; a step that
    /// fails without a failed test, such as formatting, counts as one failure, so that the line never deceives.
    pub(crate) fn finish(self) -> bool {
        // Nobody listening is no failure of the tests.
        let _ = write!(std::io::stdout(), "{self}");
        self.steps.iter().all(|step| step.failure.is_none())
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f)?;
        for step in &self.steps {
            let verdict = if step.failure.is_none() {
                "ok"
            } else {
                "FAILED"
            };
            write!(
                f,
                "{verdict:<6} {:>7.1} s  {}",
                step.took.as_secs_f64(),
                step.name
            )?;
            match step
                .failure
                .as_deref()
                .and_then(|failure| failure.lines().next())
            {
                Some(reason) => writeln!(f, ": {reason}")?,
                None => writeln!(f)?,
            }
        }
        let failed_steps = self
            .steps
            .iter()
            .filter(|step| step.failure.is_some())
            .count();
        let failed = self.counts.failed.max(failed_steps);
        writeln!(f, "{} passed, {failed} failed", self.counts.passed)
    }
}

impl Counts {
    /// No tests, for a step that only prepares or checks.
    pub(crate) const NONE: Self = Self {
        passed: 0,
        failed: 0,
    };

    fn add(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
    }

    /// What cargo's test harness, Python's unittest, Node.js's runner and `go test -v` printed, added up. A program that
    /// failed without a failed test did not compile, or crashed: that is one failure.
    pub(crate) fn of(heard: &Heard) -> Self {
        let mut counts = Self::NONE;
        let mut ran = 0;
        for line in &heard.lines {
            if let Some(result) = line.strip_prefix("test result: ") {
                counts.passed += number_before(result, " passed");
                counts.failed += number_before(result, " failed");
            } else if line.starts_with("--- PASS: ") {
                counts.passed += 1;
            } else if line.starts_with("--- FAIL: ") {
                counts.failed += 1;
            } else if let Some(tests) = line.strip_prefix("Ran ") {
                ran = number_before(tests, " test");
            } else if line == "OK" || line.starts_with("OK (") {
                counts.passed += std::mem::take(&mut ran);
            } else if let Some(kinds) = line.strip_prefix("FAILED (") {
                let failed = number_after(kinds, "failures=") + number_after(kinds, "errors=");
                counts.failed += failed;
                counts.passed += std::mem::take(&mut ran).saturating_sub(failed);
            } else if let Some(tests) = of_node(line, "pass ") {
                counts.passed += tests;
            } else if let Some(tests) = of_node(line, "fail ") {
                counts.failed += tests;
            }
        }
        if !heard.ok && counts.failed == 0 {
            counts.failed = 1;
        }
        counts
    }
}

/// A line of Node.js's summary: its version decides what it begins with.
fn of_node(line: &str, word: &str) -> Option<usize> {
    let told = line.strip_prefix("# ").or(line.strip_prefix("ℹ "))?;
    told.strip_prefix(word)?.trim().parse().ok()
}

fn number_before(text: &str, word: &str) -> usize {
    let digits = text.split(word).next().unwrap_or_default();
    let digits = digits
        .rsplit(|c: char| !c.is_ascii_digit())
        .next()
        .unwrap_or_default();
    digits.parse().unwrap_or(0)
}

fn number_after(text: &str, word: &str) -> usize {
    let rest = text.split(word).nth(1).unwrap_or_default();
    let digits = rest
        .split(|c: char| !c.is_ascii_digit())
        .next()
        .unwrap_or_default();
    digits.parse().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counted(ok: bool, text: &str) -> Counts {
        let lines = text.lines().map(str::to_owned).collect();
        Counts::of(&Heard { ok, lines })
    }

    #[test]
    fn results_of_the_harness_are_added_up() {
        let text = "running 3 tests\n\
            test result: ok. 24 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.07s\n\
            test result: FAILED. 2 passed; 13 failed; 0 ignored; 0 measured; 0 filtered out; finished in 1.00s";
        assert_eq!(
            counted(false, text),
            Counts {
                passed: 26,
                failed: 13
            }
        );
    }

    #[test]
    fn results_of_unittest_are_read() {
        assert_eq!(
            counted(true, "Ran 24 tests in 0.6s\n\nOK"),
            Counts {
                passed: 24,
                failed: 0
            }
        );
        let text = "Ran 10 tests in 0.6s\n\nFAILED (failures=1, errors=2, skipped=1)";
        assert_eq!(
            counted(false, text),
            Counts {
                passed: 7,
                failed: 3
            }
        );
    }

    #[test]
    fn results_of_node_are_read() {
        for text in [
            "# tests 5\n# pass 3\n# fail 2\n# cancelled 0",
            "ℹ pass 3\nℹ fail 2",
        ] {
            assert_eq!(
                counted(false, text),
                Counts {
                    passed: 3,
                    failed: 2
                }
            );
        }
    }

    #[test]
    fn results_of_go_are_read_without_those_of_parts() {
        let text = "=== RUN   TestA\n--- PASS: TestA (0.00s)\n    --- PASS: TestA/part (0.00s)\n\
                    --- FAIL: TestB (0.01s)\nFAIL";
        assert_eq!(
            counted(false, text),
            Counts {
                passed: 1,
                failed: 1
            }
        );
    }

    #[test]
    fn a_program_that_fails_before_its_tests_is_a_failure() {
        assert_eq!(
            counted(false, "error: could not compile"),
            Counts {
                passed: 0,
                failed: 1
            }
        );
    }

    #[test]
    fn the_last_line_counts_failed_steps_too() {
        let mut summary = Summary::default();
        assert!(summary.step("tests", || Ok(Counts {
            passed: 5,
            failed: 0
        })));
        assert!(!summary.step("formatting", || anyhow::bail!("run cargo fmt")));
        let text = summary.to_string();
        assert!(text.contains("formatting: run cargo fmt\n"), "{text}");
        assert!(text.ends_with("5 passed, 1 failed\n"), "{text}");
    }
}
