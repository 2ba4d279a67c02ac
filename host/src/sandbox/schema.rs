//! JSON Schemas of tools, draft 2020-12, compiled once and used for every call.
//!
//! A schema comes from a plugin, so it is hostile: it fetches nothing, its patterns run in linear time, and a check
//! that would take too long is given up (see `schema_cost`).

use jsonschema::{Draft, PatternOptions, Validator};
use serde_json::Value;

use coinop_core::arguments::check_json_text;

use super::log::cut;
use super::schema_cost::{TOLL, Toll, add_tolls, within_bounds};

/// Bytes of a reason that are passed on: it may quote the value.
const REASON_BYTES_MAX: usize = 512;
/// Bytes of a value that a reason quotes.
const VALUE_BYTES_MAX: usize = 80;
/// Memory of one compiled pattern, bytes.
const PATTERN_BYTES_MAX: usize = 256 << 10;

/// A compiled object schema.
pub struct Schema {
    validator: Validator,
    size: u64,
}

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
        let mut schema: Value =
            serde_json::from_str(text).map_err(|e| SchemaError(e.to_string()))?;
        if schema.get("type").and_then(Value::as_str) != Some("object") {
            return Err(SchemaError(
                "not a JSON Schema of an object: it must be an object with \"type\": \"object\""
                    .into(),
            ));
        }
        let size = add_tolls(&mut schema).map_err(SchemaError)?;
        jsonschema::options()
            .with_draft(Draft::Draft202012)
            .with_pattern_options(PatternOptions::regex().size_limit(PATTERN_BYTES_MAX))
            .with_keyword(TOLL, |_, amount, _| Ok(Box::new(Toll::new(amount))))
            .offline()
            .build(&schema)
            .map(|validator| Self { validator, size })
            .map_err(|e| {
                SchemaError(format!(
                    "not a usable JSON Schema: {}",
                    short(e.to_string(), REASON_BYTES_MAX)
                ))
            })
    }

    /// Checks a value.
    ///
    /// # Errors
    /// The first [`Violation`]; one without a field when the check would have been too much work.
    pub fn check(&self, value: &Value) -> Result<(), Violation> {
        match within_bounds(self.size, value, || self.validator.is_valid(value)) {
            Some(true) => Ok(()),
            Some(false) => Err(self.violation(value)),
            None => Err(Violation {
                field: String::new(),
                reason: "it is too large or too deep to be checked against its schema".into(),
            }),
        }
    }

    /// What is wrong with a value that is not valid. Costs much more than knowing that it is not.
    fn violation(&self, value: &Value) -> Violation {
        let found = within_bounds(self.size, value, || self.validator.validate(value));
        match found {
            Some(Err(error)) => Violation {
                field: error.instance_path().to_string(),
                reason: reason(&error),
            },
            _ => Violation {
                field: String::new(),
                reason: "it does not match the schema".into(),
            },
        }
    }
}

/// Quotes the beginning of the value, and says what is wrong with it behind that.
fn reason(error: &jsonschema::ValidationError<'_>) -> String {
    let value = short(error.instance().to_string(), VALUE_BYTES_MAX);
    short(error.masked_with(value).to_string(), REASON_BYTES_MAX)
}

fn short(text: String, bytes_max: usize) -> String {
    match cut(&text, bytes_max) {
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
    fn quotes_the_beginning_of_a_long_value() {
        let schema = json!({ "type": "object", "properties": { "image": { "maxLength": 100 } } });
        let schema = Schema::compile(&schema.to_string()).unwrap();
        let image = "é".repeat(50_000);
        let violation = schema.check(&json!({ "image": image })).unwrap_err();
        assert!(violation.reason.starts_with("\"éé"), "{violation}");
        let wrong = "é… is longer than 100 characters";
        assert!(violation.reason.ends_with(wrong), "{violation}");
        assert!(violation.reason.len() < 130, "{violation}");
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

    /// `$defs` a0 to a(n-1), each made of a reference to the next; the last one asks for a field `x`.
    fn chain(length: usize, link: fn(Value) -> Value) -> Value {
        let mut defs = serde_json::Map::new();
        for n in 0..length {
            let next = json!({ "$ref": format!("#/$defs/a{}", n + 1) });
            defs.insert(format!("a{n}"), link(next));
        }
        defs.insert(format!("a{length}"), json!({ "required": ["x"] }));
        json!({ "type": "object", "$ref": "#/$defs/a0", "$defs": defs })
    }

    fn nested(depth: usize) -> Value {
        (0..depth).fold(json!({}), |inner, _| json!({ "a": inner }))
    }

    #[track_caller]
    fn gives_up(schema: &Value, value: &Value) {
        let schema = Schema::compile(&schema.to_string()).unwrap();
        let violation = schema.check(value).unwrap_err();
        let reason = "it is too large or too deep to be checked against its schema";
        assert_eq!(violation.to_string(), reason);
    }

    #[test]
    fn checks_that_double_at_every_step_are_given_up() {
        let twice = |next: Value| json!({ "anyOf": [next, next] });
        gives_up(&chain(60, twice), &json!({ "y": 1 }));
        let all = |next: Value| json!({ "allOf": [next, next] });
        gives_up(&chain(60, all), &json!({ "x": 1 }));
        let not = |next: Value| json!({ "not": { "anyOf": [next, next] } });
        gives_up(&chain(60, not), &json!({ "y": 1 }));
    }

    #[test]
    fn a_search_for_the_error_is_given_up_too() {
        let recursive = json!({ "type": "object", "anyOf": [
            { "properties": { "a": { "$ref": "#" } }, "required": ["x"] },
            { "properties": { "a": { "$ref": "#" } }, "required": ["z"] },
        ] });
        let schema = Schema::compile(&recursive.to_string()).unwrap();
        let violation = schema.check(&nested(20)).unwrap_err();
        assert_eq!(violation.to_string(), "it does not match the schema");
    }

    #[test]
    fn deep_recursion_is_given_up_before_the_stack_ends() {
        let mut deep = chain(2000, |next| next);
        deep["$defs"]["a2000"] = json!({ "properties": { "a": { "$ref": "#" } } });
        gives_up(&deep, &nested(100));
    }

    #[test]
    fn a_large_value_against_a_large_schema_is_given_up() {
        let branches = vec![json!({ "minLength": 0 }); 5000];
        let large =
            json!({ "type": "object", "properties": { "a": { "items": { "allOf": branches } } } });
        gives_up(&large, &json!({ "a": vec!["x"; 100_000] }));
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

    #[test]
    fn references_mean_what_they_meant() {
        let tree = json!({
            "type": "object",
            "$ref": "#/$defs/node",
            "$defs": {
                "node": {
                    "type": "object",
                    "properties": { "name": { "$ref": "#/$defs/List%3CT%3E" },
                        "children": { "type": "array", "items": { "$ref": "#/$defs/node" } } },
                    "required": ["name"],
                    "allOf": [{ "minProperties": 1 }],
                    "unevaluatedProperties": false,
                },
                "List<T>": { "$anchor": "name", "type": "string" },
                "also": { "const": { "$ref": "not a reference" }, "properties": { "$ref": { "type": "string" } } },
            },
        });
        let tree = Schema::compile(&tree.to_string()).unwrap();
        let good = json!({ "name": "a", "children": [{ "name": "b", "children": [] }] });
        assert_eq!(tree.check(&good), Ok(()));
        let bad = json!({ "name": "a", "children": [{ "name": 3 }] });
        assert_eq!(tree.check(&bad).unwrap_err().field, "/children/0/name");
        let extra = json!({ "name": "a", "size": 1 });
        assert!(tree.check(&extra).is_err());
        let leaves: Vec<Value> = (0..10_000)
            .map(|n| json!({ "name": n.to_string() }))
            .collect();
        assert_eq!(
            tree.check(&json!({ "name": "wide", "children": leaves })),
            Ok(())
        );
    }

    #[test]
    fn references_that_lead_past_the_tolls_are_refused() {
        refused(
            json!({ "type": "object", "$ref": "#/default", "default": { "$ref": "#" } }),
            "does not point to a schema",
        );
        refused(
            json!({ "type": "object", "$ref": "#/nowhere" }),
            "does not point to a schema",
        );
        refused(
            json!({ "type": "object", "properties": { "a": { "$id": "b", "$ref": "#" } } }),
            "$id",
        );
    }
}
