//! Which tools can be offered: names, sizes, schemas. Plain decisions about plain values.

use std::collections::{HashMap, HashSet};

use serde_json::Value;

use coinop_core::arguments::check_json_text;

use super::error::{ListingError, ListingProblem};
use super::log::cut;
use super::schema::Schema;
use crate::plugin::ToolDecl;
use crate::unruly::deceiving;

pub(super) const TOOLS_MAX: usize = 256;
const NAME_BYTES_MAX: usize = 64;
const TITLE_BYTES_MAX: usize = 256;
pub(super) const DESCRIPTION_BYTES_MAX: usize = 16 << 10;
const SCHEMA_BYTES_MAX: usize = 256 << 10;
const META_BYTES_MAX: usize = 64 << 10;

/// The compiled output schema of each tool, by name; `None` for a tool without one.
pub(super) type OutputSchemas = HashMap<String, Option<Schema>>;

/// A plugin's tools, each as its adapter could translate it, by the name it gave.
pub(super) type Listed = Vec<(String, Result<ToolDecl, ListingProblem>)>;

/// Accepts a list of tools, or says which tool is wrong.
pub(super) fn accept(listed: Listed) -> Result<(Vec<ToolDecl>, OutputSchemas), ListingError> {
    if listed.is_empty() {
        return Err(ListingError::None);
    }
    if listed.len() > TOOLS_MAX {
        return Err(ListingError::TooMany {
            count: listed.len(),
            max: TOOLS_MAX,
        });
    }
    let mut names = HashSet::new();
    let mut tools = Vec::with_capacity(listed.len());
    let mut schemas = OutputSchemas::new();
    for (name, tool) in listed {
        let accepted = tool.and_then(|tool| {
            let schema = accept_tool(&tool)?;
            Ok((tool, schema))
        });
        let (tool, schema) = accepted.map_err(|problem| wrong(&name, problem))?;
        if !names.insert(name.clone()) {
            return Err(wrong(&name, ListingProblem::Duplicate));
        }
        schemas.insert(name, schema);
        tools.push(tool);
    }
    Ok((tools, schemas))
}

fn wrong(tool: &str, problem: ListingProblem) -> ListingError {
    ListingError::Tool {
        tool: cut(tool, NAME_BYTES_MAX).to_owned(),
        problem,
    }
}

/// Accepts one tool, with its compiled output schema.
pub(super) fn accept_tool(tool: &ToolDecl) -> Result<Option<Schema>, ListingProblem> {
    if !is_name(&tool.name) {
        return Err(ListingProblem::Name);
    }
    within("title", tool.title.as_deref(), TITLE_BYTES_MAX)?;
    within(
        "description",
        Some(&tool.description),
        DESCRIPTION_BYTES_MAX,
    )?;
    within("meta", tool.meta.as_deref(), META_BYTES_MAX)?;
    honest("title", tool.title.as_deref().unwrap_or_default())?;
    honest("description", &tool.description)?;
    if let Some(meta) = &tool.meta {
        json_object(meta).map_err(ListingProblem::Meta)?;
    }
    compile("input-schema", &tool.input_schema)?;
    match &tool.output_schema {
        Some(text) => compile("output-schema", text).map(Some),
        None => Ok(None),
    }
}

fn is_name(name: &str) -> bool {
    (1..=NAME_BYTES_MAX).contains(&name.len())
        && name
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"_-.".contains(&b))
}

fn within(field: &'static str, text: Option<&str>, max: usize) -> Result<(), ListingProblem> {
    match text.map_or(0, str::len) {
        bytes if bytes > max => Err(ListingProblem::TooLong { field, bytes, max }),
        _ => Ok(()),
    }
}

/// Refuses text that shows a reader something else than what is there.
fn honest(field: &'static str, text: &str) -> Result<(), ListingProblem> {
    match deceiving(text) {
        Some(c) => Err(ListingProblem::Deceiving {
            field,
            character: c.into(),
        }),
        None => Ok(()),
    }
}

/// Likewise of every text in a JSON value, names of fields included.
fn honest_within(field: &'static str, value: &Value) -> Result<(), ListingProblem> {
    match value {
        Value::String(text) => honest(field, text),
        Value::Array(values) => values.iter().try_for_each(|v| honest_within(field, v)),
        Value::Object(fields) => fields.iter().try_for_each(|(name, value)| {
            honest(field, name)?;
            honest_within(field, value)
        }),
        _ => Ok(()),
    }
}

fn compile(field: &'static str, text: &str) -> Result<Schema, ListingProblem> {
    within(field, Some(text), SCHEMA_BYTES_MAX)?;
    // What is no JSON is told below; what is, is not deep.
    if let Ok(value) = serde_json::from_str(text) {
        honest_within(field, &value)?;
    }
    Schema::compile(text).map_err(|e| ListingProblem::Schema {
        field,
        reason: e.to_string(),
    })
}

/// Parses a JSON object's text, refusing duplicate keys; the reason otherwise.
pub(super) fn json_object(text: &str) -> Result<Value, String> {
    check_json_text(text.as_bytes()).map_err(|e| e.to_string())?;
    match serde_json::from_str(text) {
        Ok(value @ Value::Object(_)) => Ok(value),
        Ok(_) => Err("it is another kind of JSON value".into()),
        Err(error) => Err(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plugin::{Annotations, Effects};

    fn tool(name: &str) -> ToolDecl {
        ToolDecl {
            name: name.into(),
            title: None,
            description: String::new(),
            input_schema: r#"{"type":"object"}"#.into(),
            output_schema: None,
            annotations: Annotations::default(),
            price: None,
            effects: Effects::Unspecified,
            meta: None,
        }
    }

    fn check(tools: Vec<ToolDecl>, expected: Result<(), &str>) {
        let listed = tools.into_iter().map(|t| (t.name.clone(), Ok(t))).collect();
        let got = accept(listed).map(|_| ()).map_err(|e| e.to_string());
        assert_eq!(got, expected.map_err(str::to_owned));
    }

    #[test]
    fn names() {
        check(vec![tool("Get_weather-2.x")], Ok(()));
        check(vec![tool(&"a".repeat(64))], Ok(()));
        for bad in ["", "a b", "é", "a/b"] {
            let message = format!("tool {bad:?}: the name must be 1 to 64 of A-Z a-z 0-9 _ - .");
            check(vec![tool(bad)], Err(&message));
        }
        let long = "é".repeat(40);
        let message = format!(
            "tool {:?}: the name must be 1 to 64 of A-Z a-z 0-9 _ - .",
            "é".repeat(32)
        );
        check(vec![tool(&long)], Err(&message));
        check(
            vec![tool("a"), tool("b"), tool("a")],
            Err("tool \"a\": the name is listed twice"),
        );
    }

    #[test]
    fn counts() {
        check(vec![], Err("the plugin lists no tools"));
        let many = (0..257).map(|n| tool(&format!("t{n}"))).collect();
        check(many, Err("the plugin lists 257 tools; 256 is the most"));
    }

    #[test]
    fn texts() {
        let mut wordy = tool("a");
        wordy.description = "x".repeat((16 << 10) + 1);
        check(
            vec![wordy],
            Err("tool \"a\": description has 16385 bytes; 16384 is the most"),
        );
        let mut odd = tool("a");
        odd.meta = Some("[]".into());
        check(
            vec![odd],
            Err("tool \"a\": meta is not a JSON object: it is another kind of JSON value"),
        );
        let mut odd = tool("a");
        odd.output_schema = Some(r#"{"type":"array"}"#.into());
        check(
            vec![odd],
            Err(
                "tool \"a\": output-schema: not a JSON Schema of an object: it must be an object with \"type\": \"object\"",
            ),
        );
    }
}
