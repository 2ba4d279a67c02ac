//! What of a suite does not apply to a host of paid tools, with the reason: files in the suite's own format.
//!
//! An entry is `- SCENARIO:CHECK # REASON`, or `- SCENARIO # REASON` for a scenario of which nothing applies.

use std::collections::BTreeSet;
use std::path::PathBuf;

use super::{Check, Report, Status, Suite};
use crate::paths;

/// The file of this suite.
pub fn path(suite: Suite) -> PathBuf {
    paths::client_script(&format!("conformance/baseline-{}.yml", suite.name()))
}

/// The entries of one file.
#[derive(Debug, Default)]
pub struct Baseline(BTreeSet<String>);

impl Baseline {
    /// The file of this suite.
    pub fn of(suite: Suite) -> Self {
        let path = path(suite);
        let text = std::fs::read_to_string(&path).expect("a baseline can be read");
        Self::parse(&text)
            .unwrap_or_else(|line| panic!("{}: no reason in {line:?}", path.display()))
    }

    /// # Errors
    /// The first entry without a reason.
    fn parse(text: &str) -> Result<Self, String> {
        let lines = text.lines().map(str::trim);
        let entries = lines.filter_map(|line| Some((line, line.strip_prefix("- ")?)));
        let names = entries.map(|(line, entry)| match entry.split_once('#') {
            Some((name, reason)) if !reason.trim().is_empty() => Ok(name.trim().to_owned()),
            _ => Err(line.to_owned()),
        });
        names.collect::<Result<_, _>>().map(Self)
    }

    /// Everything in which the report differs from the file: what does not hold and is not named, and entries of which
    /// everything holds.
    pub fn differences(&self, report: &Report) -> Vec<String> {
        let broken: Vec<&Check> = report.checks.iter().filter(is_broken).collect();
        let new = broken
            .iter()
            .filter(|check| !self.0.iter().any(|entry| names(entry, check)))
            .map(|check| format!("does not hold: {} ({})", check.name, check.message));
        let stale = self
            .0
            .iter()
            .filter(|entry| !broken.iter().any(|check| names(entry, check)))
            .map(|entry| format!("holds, and the baseline says it does not apply: {entry}"));
        new.chain(stale).collect()
    }
}

/// The suite makes no difference here between what is required and what is recommended.
fn is_broken(check: &&Check) -> bool {
    matches!(check.status, Status::Failed | Status::Warned)
}

fn names(entry: &str, check: &Check) -> bool {
    let scenario = check.name.split(':').next();
    entry == check.name || Some(entry) == scenario
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(checks: &[(&str, Status)]) -> Report {
        let checks = checks.iter().map(|(name, status)| Check {
            name: (*name).to_owned(),
            status: *status,
            message: String::new(),
        });
        Report {
            checks: checks.collect(),
            told: String::new(),
            as_expected: true,
        }
    }

    #[test]
    fn every_difference_is_named() {
        let text =
            "server:\n  - a:x # no x here\n  - b # no b here\n# warning: c:y # not y either\n";
        let baseline = Baseline::parse(text).unwrap();
        let known = [
            ("a:x", Status::Failed),
            ("a:z", Status::Passed),
            ("b:1", Status::Failed),
            ("b:2", Status::Failed),
            ("c:y", Status::Untried),
        ];
        assert!(baseline.differences(&report(&known)).is_empty());
        let other = [
            ("a:x", Status::Passed),
            ("a:z", Status::Failed),
            ("b:1", Status::Failed),
            ("c:z", Status::Warned),
        ];
        let differences = baseline.differences(&report(&other)).join("\n");
        for part in ["hold: a:z", "hold: c:z", "does not apply: a:x"] {
            assert!(differences.contains(part), "{part} in {differences}");
        }
        assert_eq!(differences.lines().count(), 3, "{differences}");
    }

    #[test]
    fn an_entry_gives_its_reason() {
        assert!(Baseline::parse("  - a:x").is_err());
        assert!(Baseline::parse("  - a:x #").is_err());
    }
}
