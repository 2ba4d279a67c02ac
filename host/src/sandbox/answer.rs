//! Whether an answer can be delivered: size, JSON, and the tool's own output schema. Pure.

use coinop_core::outcome::{Content, Outcome};
use serde_json::Value;

use super::error::RunError;
use super::schema::Schema;
use super::validate::json_object;

/// Blocks of one answer. Each costs memory beyond its own bytes.
const BLOCKS_MAX: usize = 10_000;

/// Accepts a tool's answer, in the form that is stored and delivered.
pub(super) fn accept(
    mut outcome: Outcome,
    schema: Option<&Schema>,
    output_bytes_max: usize,
) -> Result<Outcome, RunError> {
    if outcome.content.len() > BLOCKS_MAX || bytes(&outcome) > output_bytes_max {
        return Err(RunError::Output {
            limit: output_bytes_max,
        });
    }
    check_structured(&outcome, schema)?;
    if let Some(meta) = &outcome.meta {
        json_object(meta).map_err(|e| invalid("its meta is not a JSON object", &e))?;
    }
    for block in &outcome.content {
        if let Content::Raw { json } = block {
            check_raw(json)?;
        }
    }
    show_structured(&mut outcome);
    Ok(outcome)
}

fn invalid(what: &str, why: &str) -> RunError {
    RunError::InvalidOutput(format!("{what}: {why}"))
}

fn bytes(outcome: &Outcome) -> usize {
    let text = |text: &Option<String>| text.as_ref().map_or(0, String::len);
    let content: usize = outcome.content.iter().map(block_bytes).sum();
    content + text(&outcome.structured) + text(&outcome.meta)
}

fn block_bytes(block: &Content) -> usize {
    let known = |text: &Option<String>| text.as_ref().map_or(0, String::len);
    match block {
        Content::Text { text } => text.len(),
        Content::Image { data, mime_type } | Content::Audio { data, mime_type } => {
            data.len() + mime_type.len()
        }
        Content::EmbeddedText {
            uri,
            mime_type,
            text,
        } => uri.len() + known(mime_type) + text.len(),
        Content::EmbeddedBlob {
            uri,
            mime_type,
            blob,
        } => uri.len() + known(mime_type) + blob.len(),
        Content::ResourceLink {
            uri,
            name,
            description,
            mime_type,
        } => uri.len() + name.len() + known(description) + known(mime_type),
        Content::Raw { json } => json.len(),
    }
}

fn check_structured(outcome: &Outcome, schema: Option<&Schema>) -> Result<(), RunError> {
    let value = match &outcome.structured {
        Some(text) => Some(
            json_object(text)
                .map_err(|e| invalid("its structured content is not a JSON object", &e))?,
        ),
        None => None,
    };
    // What is wrong is told in text; MCP asks for the schema of good answers only.
    let Some(schema) = schema.filter(|_| !outcome.is_error) else {
        return Ok(());
    };
    let Some(value) = value else {
        return Err(RunError::InvalidOutput(
            "the tool declares an output schema and gave no structured content".into(),
        ));
    };
    schema.check(&value).map_err(|e| {
        invalid(
            "its structured content does not match its output schema",
            &e.to_string(),
        )
    })
}

/// Fields that MCP requires of each type of block.
const RAW_TYPES: &[(&str, &[&str])] = &[
    ("text", &["text"]),
    ("image", &["data", "mimeType"]),
    ("audio", &["data", "mimeType"]),
    ("resource_link", &["uri", "name"]),
];

fn check_raw(json: &str) -> Result<(), RunError> {
    let block = json_object(json).map_err(|e| invalid("a raw block is not a JSON object", &e))?;
    let kind = block
        .get("type")
        .and_then(Value::as_str)
        .unwrap_or_default();
    let complete = match RAW_TYPES.iter().find(|(name, _)| *name == kind) {
        Some((_, fields)) => fields.iter().all(|field| block[*field].is_string()),
        None if kind == "resource" => is_resource(&block["resource"]),
        None => false,
    };
    if complete {
        Ok(())
    } else {
        Err(RunError::InvalidOutput(
            "a raw block is not one of MCP's content blocks, or lacks a field".into(),
        ))
    }
}

fn is_resource(resource: &Value) -> bool {
    resource["uri"].is_string() && (resource["text"].is_string() || resource["blob"].is_string())
}

/// Clients that do not read structured content get it as text, as MCP recommends.
fn show_structured(outcome: &mut Outcome) {
    if let (true, Some(json)) = (outcome.content.is_empty(), &outcome.structured) {
        outcome.content.push(Content::text(json.clone()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn structured(json: &str) -> Outcome {
        Outcome {
            structured: Some(json.into()),
            ..Outcome::default()
        }
    }

    fn raw(json: &str) -> Outcome {
        Outcome {
            content: vec![Content::Raw { json: json.into() }],
            ..Outcome::default()
        }
    }

    fn check(outcome: Outcome, expected: Result<(), &str>) {
        let schema = r#"{"type":"object","properties":{"n":{"type":"integer"}},"required":["n"]}"#;
        let schema = Schema::compile(schema).unwrap();
        let schema = outcome.structured.is_some().then_some(&schema);
        let got = accept(outcome, schema, 100)
            .map(|_| ())
            .map_err(|e| e.to_string());
        assert_eq!(
            got,
            expected.map_err(|e| format!("the tool's answer is {e}"))
        );
    }

    #[test]
    fn sizes() {
        let text = |n| Outcome {
            content: vec![Content::text("x".repeat(n))],
            ..Outcome::default()
        };
        check(text(100), Ok(()));
        check(text(101), Err("larger than the 100 bytes allowed"));
        let many = Outcome {
            content: vec![Content::text(""); BLOCKS_MAX + 1],
            ..Outcome::default()
        };
        check(many, Err("larger than the 100 bytes allowed"));
    }

    #[test]
    fn structured_content() {
        check(structured(r#"{"n":1}"#), Ok(()));
        check(
            structured(r#"{"n":"1"}"#),
            Err(
                "not valid: its structured content does not match its output schema: /n: \"1\" is not of type \"integer\"",
            ),
        );
        check(
            structured("[1]"),
            Err(
                "not valid: its structured content is not a JSON object: it is another kind of JSON value",
            ),
        );
        check(
            structured(r#"{"n":1,"n":2}"#),
            Err(
                "not valid: its structured content is not a JSON object: the key \"n\" occurs twice in one object",
            ),
        );
    }

    #[test]
    fn an_answer_that_says_error_needs_no_structure() {
        let schema = Schema::compile(r#"{"type":"object","required":["n"]}"#).unwrap();
        let error = Outcome {
            is_error: true,
            ..Outcome::default()
        };
        assert!(accept(error, Some(&schema), 100).is_ok());
        assert!(accept(Outcome::default(), Some(&schema), 100).is_err());
    }

    #[test]
    fn structure_is_shown_as_text_when_there_is_nothing_else() {
        let shown = accept(structured(r#"{"n":1}"#), None, 100).unwrap();
        assert_eq!(shown.content, [Content::text(r#"{"n":1}"#)]);
    }

    #[test]
    fn raw_blocks() {
        check(
            raw(r#"{"type":"text","text":"a","annotations":{"priority":1}}"#),
            Ok(()),
        );
        check(
            raw(r#"{"type":"resource","resource":{"uri":"a:b","text":"c"}}"#),
            Ok(()),
        );
        let incomplete =
            Err("not valid: a raw block is not one of MCP's content blocks, or lacks a field");
        for bad in [
            r#"{"type":"text"}"#,
            r#"{"type":"video","data":""}"#,
            r#"{"type":"resource"}"#,
            "{}",
        ] {
            check(raw(bad), incomplete);
        }
    }
}
