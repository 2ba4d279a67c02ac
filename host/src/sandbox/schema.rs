//! JSON Schemas of tools, draft 2020-12, compiled once and used for every call.
//!
//! A schema comes from a plugin, so it is hostile: it fetches nothing, its patterns run in linear time, and it cannot
//! recurse without consuming the value it checks.

use jsonschema::{Draft, PatternOptions, Validator};
use serde_json::Value;

use coinop_core::arguments::check_json_text;

use super::log::cut;

/// Bytes of a reason that are passed on: it may quote the value.
const REASON_BYTES_MAX: usize = 512;

/// A compiled object schema.
pub struct Schema(Validator);

/// A schema that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct SchemaError(String);

/// The first thing in a value that does not match.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}{reason}", place(.field))]
pub struct Violation {
    /// A JSON pointer to the field, empty for the whole value.
    pub field: String,
    /// Why.
    pub reason: String,
}

fn place(field: &str) -> String {
    match field {
        "" => String::new(),
        field => format!("{field}: "),
    }
}

impl Schema {
    /// Compiles a schema's text.
    ///
    /// # Errors
    /// When it is not a JSON object with `"type": "object"`, is not a valid schema, refers outside itself, or uses a
    /// pattern that needs backtracking.
    pub fn compile(text: &str) -> Result<Self, SchemaError> {
        check_json_text(text.as_bytes()).map_err(|e| SchemaError(e.to_string()))?;
        let schema: Value = serde_json::from_str(text).map_err(|e| SchemaError(e.to_string()))?;
        if schema.get("type").and_then(Value::as_str) != Some("object") {
            return Err(SchemaError(
                "not a JSON Schema of an object: it must be an object with \"type\": \"object\""
                    .into(),
            ));
        }
        jsonschema::options()
            .with_draft(Draft::Draft202012)
            .with_pattern_options(PatternOptions::regex())
            .offline()
            .build(&schema)
            .map(Self)
            .map_err(|e| SchemaError(format!("not a usable JSON Schema: {}", short(&e))))
    }

    /// Checks a value.
    ///
    /// # Errors
    /// The first [`Violation`].
    pub fn check(&self, value: &Value) -> Result<(), Violation> {
        self.0.validate(value).map_err(|error| Violation {
            field: error.instance_path().to_string(),
            reason: short(&error),
        })
    }
}

fn short(error: &jsonschema::ValidationError<'_>) -> String {
    let text = error.to_string();
    match cut(&text, REASON_BYTES_MAX) {
        whole if whole.len() == text.len() => text,
        part => format!("{part}…"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn refused(schema: Value, part: &str) {
        let error = Schema::compile(&schema.to_string()).err().unwrap();
        assert!(error.to_string().contains(part), "{error}");
    }

    #[test]
    fn names_field_and_reason() {
        let schema = json!({ "type": "object", "properties": { "city": { "type": "string" } } });
        let schema = Schema::compile(&schema.to_string()).unwrap();
        let violation = schema.check(&json!({ "city": 3 })).unwrap_err();
        assert_eq!(violation.field, "/city");
        assert_eq!(violation.to_string(), "/city: 3 is not of type \"string\"");
    }

    #[test]
    fn only_object_schemas_of_valid_form() {
        refused(json!(true), "type");
        refused(json!({ "type": "string" }), "object");
        refused(json!({ "type": "object", "required": 3 }), "JSON Schema");
        assert!(Schema::compile("{\"type\":\"object\",").is_err());
        assert!(Schema::compile("{\"type\":\"object\",\"type\":\"object\"}").is_err());
    }

    #[test]
    fn fetches_nothing() {
        for target in [
            "http://127.0.0.1:9/s.json",
            "file:///etc/passwd",
            "other.json",
        ] {
            refused(
                json!({ "type": "object", "properties": { "a": { "$ref": target } } }),
                "",
            );
        }
    }

    #[test]
    fn patterns_do_not_backtrack() {
        refused(
            json!({ "type": "object", "properties": { "a": { "pattern": "(?=a)b" } } }),
            "",
        );
        let schema = json!({ "type": "object", "properties": { "a": { "pattern": "^(a+)+$" } } });
        let schema = Schema::compile(&schema.to_string()).unwrap();
        assert!(
            schema
                .check(&json!({ "a": "a".repeat(50_000) + "b" }))
                .is_err()
        );
    }

    #[test]
    fn a_schema_that_only_refers_to_itself_does_not_overflow_the_stack() {
        for schema in [
            json!({ "type": "object", "$ref": "#" }),
            json!({ "type": "object", "allOf": [{ "$ref": "#" }] }),
            json!({ "type": "object", "$ref": "#/$defs/a",
                "$defs": { "a": { "$ref": "#/$defs/b" }, "b": { "$ref": "#/$defs/a" } } }),
        ] {
            if let Ok(schema) = Schema::compile(&schema.to_string()) {
                let _ = schema.check(&json!({}));
            }
        }
    }
}
