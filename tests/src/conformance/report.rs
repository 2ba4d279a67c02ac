//! What a suite wrote down: one folder a scenario, in it one list of checks.

use std::path::Path;

use serde_json::Value;

/// How a check ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// It holds.
    Passed,
    /// Something required does not hold.
    Failed,
    /// Something recommended does not hold.
    Warned,
    /// The suite did not try it, or only tells.
    Untried,
}

/// One check of one scenario.
#[derive(Clone, Debug)]
pub struct Check {
    /// `SCENARIO:ID`, as baselines name it.
    pub name: String,
    /// How it ended.
    pub status: Status,
    /// Why, where it did not pass.
    pub message: String,
}

/// All that one suite checked.
#[derive(Debug)]
pub struct Report {
    /// Every check, in the order of their scenarios' names.
    pub checks: Vec<Check>,
    /// What the suite printed.
    pub told: String,
    /// Whether the suite itself finds nothing that its baseline does not say.
    pub as_expected: bool,
}

impl Report {
    pub(super) fn read(results: &Path, told: String, as_expected: bool) -> Self {
        let folders = std::fs::read_dir(results).expect("the suite made its folder");
        let mut names: Vec<String> = folders
            .map(|entry| entry.expect("it can be listed").file_name())
            .map(|name| name.into_string().expect("UTF-8"))
            .collect();
        names.sort();
        let begun = told.matches("=== Running scenario").count();
        assert!(
            begun > 0 && names.len() == begun,
            "{begun} scenarios were begun, {} have results:\n{told}",
            names.len()
        );
        let checks = names.iter().flat_map(|name| scenario(results, name));
        Self {
            checks: checks.collect(),
            told,
            as_expected,
        }
    }

    /// How many checks ended so.
    pub fn count(&self, status: Status) -> usize {
        self.checks
            .iter()
            .filter(|check| check.status == status)
            .count()
    }
}

/// The checks of the scenario in the folder `server-SCENARIO-TIME`.
fn scenario(results: &Path, folder: &str) -> Vec<Check> {
    let (scenario, _) = folder
        .strip_prefix("server-")
        .and_then(|rest| {
            rest.split_at_checked(rest.len().checked_sub("-2026-07-28T00-00-00-000Z".len())?)
        })
        .unwrap_or_else(|| panic!("no scenario's folder: {folder}"));
    let text = std::fs::read_to_string(results.join(folder).join("checks.json"))
        .expect("a scenario has its checks");
    let checks: Vec<Value> = serde_json::from_str(&text).expect("checks are JSON");
    checks.iter().map(|check| read(scenario, check)).collect()
}

fn read(scenario: &str, check: &Value) -> Check {
    let text = |key: &str| check[key].as_str().unwrap_or_default();
    Check {
        name: format!("{scenario}:{}", text("id")),
        status: match text("status") {
            "SUCCESS" => Status::Passed,
            "FAILURE" => Status::Failed,
            "WARNING" => Status::Warned,
            "SKIPPED" | "INFO" => Status::Untried,
            other => panic!("{scenario}: a check ended as {other:?}"),
        },
        message: text("errorMessage").to_owned(),
    }
}
