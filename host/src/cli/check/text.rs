//! What `coinop check` found, for a terminal.

use std::path::Path;

use super::{imports, schema};
use crate::config::dotted;
use crate::grants::Need;
use crate::reload::{FileReport, ToolReport};

/// Columns that lines are broken at; one word may be longer.
const COLUMNS: usize = 100;
const OF_FILE: &str = "    ";
const OF_TOOL: &str = "        ";

/// Everything, file by file.
pub(super) fn shown(reports: &[FileReport], folder: &Path) -> String {
    if reports.is_empty() {
        return format!("No plugins in {}\n", folder.display());
    }
    let mut lines = Vec::new();
    for report in reports {
        file(report, &mut lines);
    }
    lines.join("\n") + "\n"
}

fn file(report: &FileReport, lines: &mut Vec<String>) {
    let mark = match report.problems.is_empty() {
        true => "✓",
        false => "✗",
    };
    lines.push(format!("{mark} {}", report.file.display()));
    for tool in &report.tools {
        lines.extend(broken(OF_FILE, &format!("{}: {}", tool.name, paid(tool))));
        let arguments = schema::arguments(&tool.input_schema);
        if !arguments.is_empty() {
            lines.extend(broken(OF_TOOL, &arguments.join(", ")));
        }
    }
    let uses = imports::told(&report.imports);
    if !uses.is_empty() {
        lines.extend(broken(OF_FILE, &format!("uses: {}", uses.join(", "))));
    }
    for phrase in report.grants.phrases() {
        lines.extend(broken(OF_FILE, &format!("granted: to {phrase}")));
    }
    needs(report, lines);
    let problems = report
        .problems
        .iter()
        .map(|text| format!("problem: {text}"));
    let notes = report.notes.iter().map(|text| format!("note: {text}"));
    // In one line each: people search for them.
    let whole = report.provenance.iter().cloned();
    let whole = whole.chain(problems).chain(notes);
    lines.extend(whole.map(|text| format!("{OF_FILE}{text}")));
}

/// What it needs and is not granted, with the lines to add.
fn needs(report: &FileReport, lines: &mut Vec<String>) {
    let missing: Vec<_> = report.needs.missing(&report.grants).collect();
    let Some(name) = report.file.file_stem().and_then(|stem| stem.to_str()) else {
        return;
    };
    if missing.is_empty() {
        return;
    }
    for need in &missing {
        lines.extend(broken(
            OF_FILE,
            &format!("needs, not granted: to {}", need.phrase()),
        ));
    }
    if let Some(reason) = &report.needs.reason {
        lines.extend(broken(OF_FILE, &format!("because, it says: {reason}")));
    }
    lines.push(format!(
        "{OF_FILE}`coinop grant {name}` asks you about each, or add to coinop.toml:"
    ));
    lines.push(format!(
        "{OF_TOOL}[{}]",
        dotted(&["plugins", name, "grants"])
    ));
    let to_add = Need::lines(missing);
    lines.extend(to_add.iter().map(|line| format!("{OF_TOOL}{line}")));
}

/// What a tool costs; of a paid one how it is paid, and where its results are fetched.
fn paid(tool: &ToolReport) -> String {
    if tool.price == "free" {
        return tool.price.clone();
    }
    let paid = format!("{}, {}, paid to {}", tool.price, tool.mode, tool.account);
    match &tool.confirm_tool {
        Some(confirm) => format!("{paid}, redeemed by {confirm}"),
        None => paid,
    }
}

/// `text` in lines of at most [`COLUMNS`], the later ones further in.
fn broken(indent: &str, text: &str) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = indent.to_owned();
    let mut is_empty = true;
    for word in text.split(' ') {
        let wanted = line.chars().count() + word.chars().count() + usize::from(!is_empty);
        if wanted > COLUMNS && !is_empty {
            lines.push(std::mem::replace(&mut line, format!("{indent}  ")));
            is_empty = true;
        }
        if !is_empty {
            line.push(' ');
        }
        line.push_str(word);
        is_empty = false;
    }
    lines.push(line);
    lines
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::grants::{EnvGrant, Grants, Needs};

    fn tool(name: &str, price: &str, input_schema: &str) -> ToolReport {
        ToolReport {
            name: name.to_owned(),
            description: "Tells.".to_owned(),
            input_schema: input_schema.to_owned(),
            output_schema: None,
            price: price.to_owned(),
            mode: "two_step",
            confirm_tool: (price != "free").then(|| format!("confirm_{name}")),
            account: "sandbox".to_owned(),
        }
    }

    fn report() -> FileReport {
        let secret = EnvGrant::Env {
            variable: "WEATHER_KEY".to_owned(),
            value: "hunter2".into(),
        };
        let schema = "{\"properties\":{\"city\":{\"type\":\"string\"},\"days\":{\"type\":\"integer\"}},\"required\":[\"city\"]}";
        FileReport {
            file: "plugins/weather.wasm".into(),
            tools: vec![
                tool("get_forecast", "0.003 USD per call", schema),
                tool("list", "free", "{}"),
            ],
            imports: vec!["wasi:http/outgoing-handler@0.2.12".to_owned()],
            needs: Needs {
                reason: Some("forecasts come from Open-Meteo".to_owned()),
                all: vec![
                    Need::Http("https://api.open-meteo.com".parse().unwrap()),
                    Need::Http("https://maps.example".parse().unwrap()),
                    Need::Env("API_KEY".to_owned()),
                ],
            },
            grants: Arc::new(Grants {
                env: [("API_KEY".to_owned(), secret)].into(),
                ..Grants::default()
            }),
            provenance: vec!["source: a file that was put here".to_owned()],
            problems: vec!["it rains".to_owned()],
            notes: Vec::new(),
        }
    }

    #[test]
    fn a_file_is_shown_with_what_it_may_and_what_it_lacks() {
        assert_eq!(
            shown(&[report()], Path::new("plugins")),
            "✗ plugins/weather.wasm
    get_forecast: 0.003 USD per call, two_step, paid to sandbox, redeemed by confirm_get_forecast
        city: string, days?: integer
    list: free
    uses: outgoing HTTP
    granted: to read the variable API_KEY (a secret from the variable WEATHER_KEY)
    needs, not granted: to send requests to https://api.open-meteo.com
    needs, not granted: to send requests to https://maps.example
    because, it says: forecasts come from Open-Meteo
    `coinop grant weather` asks you about each, or add to coinop.toml:
        [plugins.weather.grants]
        http = [\"https://api.open-meteo.com\", \"https://maps.example\"]
    source: a file that was put here
    problem: it rains
"
        );
    }

    #[test]
    fn lines_are_broken_between_words() {
        let text = vec!["word"; 40].join(" ");
        let lines = broken(OF_TOOL, &text);
        assert!(
            lines.iter().all(|line| line.chars().count() <= COLUMNS),
            "{lines:?}"
        );
        let whole: Vec<&str> = lines.iter().map(|line| line.trim_start()).collect();
        assert_eq!(whole.join(" "), text);
    }
}
