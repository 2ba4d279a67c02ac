//! Checks a call's arguments against the tool's own schema, before any payment.
//!
//! Schemas come from plugins and arguments from callers, so both are hostile: nothing is fetched, patterns run in
//! linear time, and what is told is bounded.

use jsonschema::{Draft, PatternOptions, ValidationError, Validator};
use serde_json::{Map, Value};

use super::Listing;

/// Most mistakes told at once.
const ERRORS_MAX: usize = 5;
/// Longest text about one mistake, characters.
const ERROR_CHARS_MAX: usize = 200;

/// Compiles a schema, draft 2020-12.
///
/// # Errors
/// It is no schema, refers outside itself, or has a pattern that would need backtracking.
pub(super) fn compile(schema: &Value) -> Result<Validator, String> {
    jsonschema::options()
        .with_draft(Draft::Draft202012)
        .with_pattern_options(PatternOptions::regex())
        .offline()
        .build(schema)
        .map_err(|error| shortened(&error.to_string()))
}

/// Checks `arguments` against the tool's own input schema; an argument of ours must have been taken out before.
///
/// # Errors
/// Field and reason of the first mistakes, in one line for the caller.
pub fn check(listing: &Listing, arguments: &Map<String, Value>) -> Result<(), String> {
    // The validator speaks of values, not of maps.
    let value = Value::Object(arguments.clone());
    describe(&listing.validator, &value)
}

/// Checks `arguments` against a schema's text, for a single call.
///
/// # Errors
/// As [`check`], or why the schema cannot be used.
pub fn check_schema(schema: &str, arguments: &Map<String, Value>) -> Result<(), String> {
    let schema = serde_json::from_str(schema).map_err(|error| error.to_string())?;
    describe(&compile(&schema)?, &Value::Object(arguments.clone()))
}

fn describe(validator: &Validator, value: &Value) -> Result<(), String> {
    let mut errors = validator.iter_errors(value);
    let told: Vec<String> = errors
        .by_ref()
        .take(ERRORS_MAX)
        .map(|error| one(&error))
        .collect();
    if told.is_empty() {
        return Ok(());
    }
    let more = if errors.next().is_some() {
        "; and more"
    } else {
        ""
    };
    Err(format!("{}{more}", told.join("; ")))
}

fn one(error: &ValidationError<'_>) -> String {
    let pointer = error.instance_path().to_string();
    let field = pointer
        .trim_start_matches('/')
        .replace('/', ".")
        .replace("~1", "/")
        .replace("~0", "~");
    match field.as_str() {
        "" => shortened(&error.to_string()),
        field => format!("{}: {}", shortened(field), shortened(&error.to_string())),
    }
}

fn shortened(text: &str) -> String {
    match text.char_indices().nth(ERROR_CHARS_MAX) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn told(schema: Value, value: Value) -> Result<(), String> {
        describe(&compile(&schema).unwrap(), &value)
    }

    #[test]
    fn field_and_reason_are_named() {
        let schema = json!({
            "type": "object", "required": ["city"], "additionalProperties": false,
            "properties": { "city": { "type": "string" }, "days": { "type": "array", "items": { "maximum": 3 } }, "a/b": { "const": 1 } },
        });
        assert_eq!(told(schema.clone(), json!({ "city": "Oslo" })), Ok(()));
        let cases = [
            (json!({}), "\"city\" is a required property"),
            (json!({ "city": 3 }), "city: 3 is not of type \"string\""),
            (
                json!({ "city": "x", "days": [1, 9] }),
                "days.1: 9 is greater than the maximum of 3",
            ),
            (json!({ "city": "x", "a/b": 2 }), "a/b: "),
            (json!({ "city": "x", "zip": 1 }), "'zip' was unexpected"),
        ];
        for (value, expected) in cases {
            let error = told(schema.clone(), value.clone()).unwrap_err();
            assert!(error.contains(expected), "{value}: {error}");
        }
    }

    #[test]
    fn what_is_told_is_bounded_and_cut_between_characters() {
        let schema = json!({ "type": "object", "additionalProperties": { "type": "integer" } });
        let value: Map<String, Value> = (0..50)
            .map(|n| (format!("é{n}").repeat(500), json!("ü".repeat(100_000))))
            .collect();
        let error = told(schema, Value::Object(value)).unwrap_err();
        assert!(
            error.chars().count() < ERRORS_MAX * 2 * (ERROR_CHARS_MAX + 10),
            "{}",
            error.chars().count()
        );
        assert!(error.ends_with("; and more"));
    }

    #[test]
    fn hostile_schemas_are_refused() {
        for schema in [
            json!({ "type": 3 }),
            json!({ "$ref": "http://127.0.0.1:9/s.json" }),
            json!({ "$ref": "file:///etc/passwd" }),
            json!({ "properties": { "a": { "pattern": "(?=a)b" } } }),
        ] {
            assert!(compile(&schema).is_err(), "{schema}");
        }
    }
}
