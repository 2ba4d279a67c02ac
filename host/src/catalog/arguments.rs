//! Checks a call's arguments against the tool's own schema, before any payment, and says in words what is wrong.

use serde_json::{Map, Value};

use super::Listing;
use crate::sandbox::schema::{Schema, Violation};

/// Longest name of a field that is repeated, bytes.
const FIELD_BYTES_MAX: usize = 256;

/// Compiles a schema, draft 2020-12.
///
/// # Errors
/// It is no schema of an object, refers outside itself, or has a pattern that would need backtracking.
pub(super) fn compile(schema: &Value) -> Result<Schema, String> {
    Schema::compile(&schema.to_string()).map_err(|error| error.to_string())
}

/// Checks `arguments` against the tool's own input schema; an argument of ours must have been taken out before.
///
/// # Errors
/// Field and reason of the first mistake, in one line for the caller.
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
    let schema = Schema::compile(schema).map_err(|error| error.to_string())?;
    describe(&schema, &Value::Object(arguments.clone()))
}

fn describe(schema: &Schema, value: &Value) -> Result<(), String> {
    schema
        .check(value)
        .map_err(|violation| in_words(&violation))
}

fn in_words(violation: &Violation) -> String {
    let field = violation
        .field
        .trim_start_matches('/')
        .replace('/', ".")
        .replace("~1", "/")
        .replace("~0", "~");
    match field.as_str() {
        "" => violation.reason.clone(),
        field => {
            let field = &field[..field.floor_char_boundary(FIELD_BYTES_MAX)];
            format!("{field}: {}", violation.reason)
        }
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
        assert!(error.len() < 1_024, "{} bytes", error.len());
    }

    #[test]
    fn hostile_schemas_are_refused() {
        for schema in [
            json!({ "type": 3 }),
            json!({ "type": "object", "$ref": "http://127.0.0.1:9/s.json" }),
            json!({ "type": "object", "$ref": "file:///etc/passwd" }),
            json!({ "type": "object", "properties": { "a": { "pattern": "(?=a)b" } } }),
        ] {
            assert!(compile(&schema).is_err(), "{schema}");
        }
    }
}
