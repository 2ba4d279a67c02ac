//! Published output schemas: the payment object put beside a paid tool's answer, the tool's references kept right.
//!
//! A schema that cannot be moved without changing its meaning is refused with the reason.

use coinop_core::mode::payment_object_schema;
use serde_json::{Map, Value, json};

/// Where a tool's own output schema stands in the widened one.
const OWN_PLACE: &str = "#/anyOf/0";
/// Keywords whose values are data, not schemas: a `$ref` in them is a word like any other.
const DATA_KEYWORDS: &[&str] = &["const", "enum", "default", "examples", "example"];
/// Keywords whose values are schemas by name: the names are not keywords.
const NAMED_KEYWORDS: &[&str] = &[
    "properties",
    "patternProperties",
    "dependentSchemas",
    "dependencies",
    "$defs",
    "definitions",
];

/// What a paid tool may answer instead of its result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asks {
    /// The payment object, with a link.
    ByLink,
    /// That, or what to pay with the call itself.
    AlsoByChallenge,
}

/// The schema of a paid tool's structured answer: its own or what it asks for payment by.
///
/// # Errors
/// The tool's own schema has references that cannot be moved.
pub(super) fn widened(
    mut own: Map<String, Value>,
    asks: Asks,
) -> Result<Map<String, Value>, String> {
    let dialect = own.remove("$schema");
    // Tool and confirm tool publish the same schema; clients refuse a second one of the same id.
    let id = match own.remove("$id") {
        Some(Value::String(id)) => Some(id),
        _ => None,
    };
    let mover = Mover { id };
    mover.keywords(&mut own)?;
    let mut schema = Map::new();
    if let Some(dialect) = dialect {
        schema.insert("$schema".to_owned(), dialect);
    }
    schema.insert("type".to_owned(), json!("object"));
    let mut answers = vec![Value::Object(own), payment_object_schema()];
    if asks == Asks::AlsoByChallenge {
        answers.push(payment_required_schema());
    }
    schema.insert("anyOf".to_owned(), answers.into());
    Ok(schema)
}

/// x402's `PaymentRequired`, version 2, as far as a reader of the listing must know it.
/// <https://github.com/coinbase/x402/blob/main/specs/transports-v2/mcp.md>
fn payment_required_schema() -> Value {
    json!({
        "type": "object",
        "description": "Returned instead of the result of a call that came without an x402 payment.",
        "properties": {
            "x402Version": {"const": 2},
            "error": {"type": "string"},
            "resource": {"type": "object"},
            "accepts": {"type": "array", "minItems": 1, "items": {"type": "object"}},
            "extensions": {"type": "object"},
        },
        "required": ["x402Version", "accepts"],
    })
}

/// Rewrites a schema's references for its new place. Recursion ends with the value: serde_json reads 128 levels.
struct Mover {
    /// The root's own `$id`, which its references may spell out.
    id: Option<String>,
}

impl Mover {
    fn schema(&self, value: &mut Value) -> Result<(), String> {
        match value {
            Value::Object(keywords) if keywords.contains_key("$id") => {
                Err("has an \"$id\" inside: use \"$defs\" with \"#/$defs/…\" instead".to_owned())
            }
            Value::Object(keywords) => self.keywords(keywords),
            Value::Array(items) => items.iter_mut().try_for_each(|item| self.schema(item)),
            _ => Ok(()),
        }
    }

    fn keywords(&self, keywords: &mut Map<String, Value>) -> Result<(), String> {
        for (keyword, value) in keywords.iter_mut() {
            match keyword.as_str() {
                "$ref" | "$dynamicRef" => {
                    if let Value::String(reference) = value {
                        *reference = self.moved(reference)?;
                    }
                }
                "$recursiveRef" => {
                    return Err(
                        "uses \"$recursiveRef\", which draft 2020-12 does not have".to_owned()
                    );
                }
                data if DATA_KEYWORDS.contains(&data) => {}
                named if NAMED_KEYWORDS.contains(&named) => {
                    let by_name = value.as_object_mut().into_iter().flat_map(Map::values_mut);
                    for schema in by_name {
                        self.schema(schema)?;
                    }
                }
                _ => self.schema(value)?,
            }
        }
        Ok(())
    }

    fn moved(&self, reference: &str) -> Result<String, String> {
        let own = self
            .id
            .as_deref()
            .and_then(|id| reference.strip_prefix(id.trim_end_matches('#')));
        let local = own.unwrap_or(reference);
        match local.strip_prefix('#') {
            Some(pointer) if pointer.is_empty() || pointer.starts_with('/') => {
                Ok(format!("{OWN_PLACE}{pointer}"))
            }
            // An anchor's name holds wherever the schema stands.
            Some(_) => Ok(local.to_owned()),
            None if local.is_empty() => Ok(OWN_PLACE.to_owned()),
            None => Err(format!("refers to {reference:?}, which is outside of it")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::schema::object_schema;

    fn widen(own: &Value) -> Result<Value, String> {
        widen_by(own, Asks::AlsoByChallenge)
    }

    fn widen_by(own: &Value, asks: Asks) -> Result<Value, String> {
        object_schema(&own.to_string())
            .and_then(|own| widened(own, asks))
            .map(Value::Object)
    }

    /// `good` and `bad` are answers by the tool's own schema; the widened one must agree, and take a payment object.
    fn check(own: Value, good: Value, bad: Value) {
        let widened = widen(&own).unwrap_or_else(|error| panic!("{own}: {error}"));
        assert_eq!(widened["type"], "object");
        let own_validator = jsonschema::options().offline().build(&own).unwrap();
        let validator = jsonschema::options().offline().build(&widened).unwrap();
        for (value, expected) in [(&good, true), (&bad, false)] {
            assert_eq!(
                own_validator.is_valid(value),
                expected,
                "the case itself: {own} {value}"
            );
            assert_eq!(validator.is_valid(value), expected, "{widened} {value}");
        }
        assert!(validator.is_valid(&payment_object()), "{widened}");
        let required = json!({ "x402Version": 2, "accepts": [{}] });
        assert!(validator.is_valid(&required), "{widened}");
        let by_link = widen_by(&own, Asks::ByLink).unwrap();
        let validator = jsonschema::options().offline().build(&by_link).unwrap();
        assert!(validator.is_valid(&payment_object()), "{by_link}");
        assert_eq!(
            validator.is_valid(&required),
            own_validator.is_valid(&required),
            "{by_link}"
        );
    }

    fn payment_object() -> Value {
        json!({
            "status": "payment_required", "payment_id": "pay_x", "payment_url": "http://127.0.0.1/pay/x", "amount": "0.50",
            "currency": "USD", "provider": "sandbox", "expires_at": "2026-11-20T10:00:00Z", "tool": "t", "next_step": "pay",
        })
    }

    #[test]
    fn every_kind_of_reference_still_resolves() {
        let (good, bad) = (json!({ "a": "x" }), json!({ "a": 1 }));
        let text = json!({ "type": "string" });
        let with = |reference: &str| json!({ "type": "object", "required": ["a"], "properties": { "a": { "$ref": reference } } });
        let merged = |mut base: Value, more: Value| {
            base.as_object_mut()
                .unwrap()
                .extend(more.as_object().unwrap().clone());
            base
        };
        let cases = [
            json!({ "type": "object", "required": ["a"], "properties": { "a": text } }),
            merged(with("#/$defs/text"), json!({ "$defs": { "text": text } })),
            merged(
                with("#/definitions/text"),
                json!({ "definitions": { "text": text } }),
            ),
            merged(
                with("#/$defs/a~1b/anyOf/0"),
                json!({ "$defs": { "a/b": { "anyOf": [text] } } }),
            ),
            merged(
                with("#text"),
                json!({ "$defs": { "x": { "$anchor": "text", "type": "string" } } }),
            ),
            merged(
                with("https://a.example/s#/$defs/text"),
                json!({ "$id": "https://a.example/s", "$defs": { "text": text } }),
            ),
            merged(
                with("#/$defs/one"),
                json!({ "$defs": { "one": { "$ref": "#/$defs/two" }, "two": text } }),
            ),
            merged(
                with("#/components/text"),
                json!({ "components": { "text": { "allOf": [{ "$ref": "#/$defs/t" }] } }, "$defs": { "t": text } }),
            ),
            merged(
                with("#/$defs/text"),
                json!({ "$schema": "https://json-schema.org/draft/2020-12/schema", "$defs": { "text": text } }),
            ),
        ];
        for own in cases {
            check(own, good.clone(), bad.clone());
        }
    }

    #[test]
    fn a_tree_that_refers_to_its_root_still_does() {
        let own = json!({
            "type": "object", "required": ["value"],
            "properties": { "value": { "type": "integer" }, "children": { "type": "array", "items": { "$ref": "#" } } },
        });
        check(
            own,
            json!({ "value": 1, "children": [{ "value": 2 }] }),
            json!({ "value": 1, "children": [{ "value": "x" }] }),
        );
        let dynamic = json!({
            "type": "object", "$dynamicAnchor": "node", "required": ["value"],
            "properties": { "value": { "type": "integer" }, "child": { "$dynamicRef": "#node" } },
        });
        check(
            dynamic,
            json!({ "value": 1, "child": { "value": 2 } }),
            json!({ "value": 1, "child": { "value": "x" } }),
        );
    }

    #[test]
    fn data_that_looks_like_a_reference_is_left_alone() {
        let own = json!({
            "type": "object",
            "properties": { "$ref": { "const": { "$ref": "#/x" } } },
            "required": ["$ref"],
        });
        check(
            own,
            json!({ "$ref": { "$ref": "#/x" } }),
            json!({ "$ref": { "$ref": "#/anyOf/0/x" } }),
        );
    }

    #[test]
    fn what_cannot_be_moved_is_refused_with_a_reason() {
        let cases = [
            (
                json!({ "type": "object", "properties": { "a": { "$ref": "https://elsewhere.example/s" } } }),
                "outside",
            ),
            (
                json!({ "type": "object", "properties": { "a": { "$ref": "other.json#/x" } } }),
                "outside",
            ),
            (
                json!({ "type": "object", "$defs": { "a": { "$id": "x" } } }),
                "\"$id\"",
            ),
            (
                json!({ "type": "object", "$recursiveRef": "#" }),
                "$recursiveRef",
            ),
            (json!({ "type": "string" }), "object"),
            (json!(true), "object"),
        ];
        for (own, reason) in cases {
            let error = widen(&own).unwrap_err();
            assert!(error.contains(reason), "{own}: {error}");
        }
    }
}
