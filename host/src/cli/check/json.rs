//! What `coinop check` found, as JSON: schemas in full, grants by name and source, never a value.

use serde_json::{Value, json};

use crate::reload::{FileReport, ToolReport};

/// An object with a list of files, and one of accounts.
pub(super) fn shown(reports: &[FileReport], accounts: Value) -> anyhow::Result<String> {
    let files = reports.iter().map(file).collect::<Result<Vec<_>, _>>()?;
    let all = json!({ "files": files, "accounts": accounts });
    Ok(serde_json::to_string_pretty(&all)? + "\n")
}

fn file(report: &FileReport) -> serde_json::Result<Value> {
    let needs = report.needs.all.iter().map(|need| {
        json!({
            "what": need.phrase(),
            "granted": need.is_granted(&report.grants),
            "line": need.line(),
        })
    });
    Ok(json!({
        "file": report.file.display().to_string(),
        "tools": report.tools.iter().map(tool).collect::<Vec<_>>(),
        "imports": report.imports,
        "needs": { "reason": report.needs.reason, "all": needs.collect::<Vec<_>>() },
        "grants": serde_json::to_value(&*report.grants)?,
        "provenance": report.provenance,
        "problems": report.problems,
        "notes": report.notes,
    }))
}

fn tool(tool: &ToolReport) -> Value {
    let schema = |text: &str| serde_json::from_str::<Value>(text).unwrap_or_default();
    json!({
        "name": tool.name,
        "description": tool.description,
        "price": tool.price,
        "mode": tool.mode,
        "confirm_tool": tool.confirm_tool,
        "account": tool.account,
        "input_schema": schema(&tool.input_schema),
        "output_schema": tool.output_schema.as_deref().map(schema),
    })
}
