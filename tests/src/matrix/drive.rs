//! Running a driver to its end, and comparing what it told.

use std::process::Stdio;

use serde_json::Value;
use tokio::process::Command;

use crate::wait::PATIENCE;

/// Runs a driver: the line it printed.
pub(super) async fn told(mut command: Command) -> Result<Value, String> {
    command.stdin(Stdio::null()).kill_on_drop(true);
    let output = tokio::time::timeout(PATIENCE, command.output())
        .await
        .map_err(|_| format!("no end within {PATIENCE:?}"))?
        .map_err(|error| format!("the driver does not start: {error}"))?;
    let line = String::from_utf8_lossy(&output.stdout);
    match serde_json::from_str(line.trim()) {
        Ok(told) if output.status.success() => Ok(told),
        _ => {
            let log = String::from_utf8_lossy(&output.stderr);
            Err(format!("{}: {}", output.status, last_lines(&log)))
        }
    }
}

fn last_lines(text: &str) -> String {
    let lines: Vec<&str> = text.lines().filter(|line| !line.is_empty()).collect();
    lines[lines.len().saturating_sub(12)..].join("\n    ")
}

/// What the driver's user saw, a call each.
pub(super) fn visits(told: &Value) -> Result<&[Value], String> {
    let visits = told["visits"].as_array();
    visits
        .map(Vec::as_slice)
        .ok_or_else(|| "no calls were made".to_owned())
}

pub(super) fn same<T: PartialEq + std::fmt::Debug>(
    what: &str,
    found: Option<T>,
    promised: Option<T>,
) -> Result<(), String> {
    if found == promised {
        return Ok(());
    }
    Err(format!("{what}: {found:?}, and {promised:?} was promised"))
}
