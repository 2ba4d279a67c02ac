//! RESUBMIT's argument: what the payment's id is called in a tool's arguments, and its place in the published schema.

use coinop_core::mode::{PAYMENT_ID_ARGUMENT, PAYMENT_ID_ARGUMENT_RENAMED};
use serde_json::{Map, Value, json};

/// Keywords that apply a schema to the same object, and so may close it where no other keyword can reopen it.
const IN_PLACE: &[&str] = &["allOf", "anyOf", "oneOf", "if", "then", "else", "not"];
/// Keywords that speak of properties by their names.
const BY_NAME: &[&str] = &["propertyNames", "patternProperties"];
/// Most subschemas looked at for one tool.
const LOOKED_AT_MAX: usize = 1000;

/// The argument that carries a payment's id: `payment_id`, renamed where the tool has one of its own.
pub(super) fn argument(input: &Map<String, Value>) -> &'static str {
    let declared = input
        .get("properties")
        .and_then(|p| p.get(PAYMENT_ID_ARGUMENT))
        .is_some();
    let required = input.get("required").and_then(Value::as_array);
    let required =
        required.is_some_and(|names| names.iter().any(|name| name == PAYMENT_ID_ARGUMENT));
    match declared || required {
        true => PAYMENT_ID_ARGUMENT_RENAMED,
        false => PAYMENT_ID_ARGUMENT,
    }
}

/// `input` with the optional argument for the payment's id.
///
/// # Errors
/// The tool's schema leaves no room for it.
pub(super) fn added(
    input: &Map<String, Value>,
    argument: &str,
) -> Result<Map<String, Value>, String> {
    let no_room = |why: String| {
        format!("leaves no room for the argument {argument} ({why}): use mode = \"two_step\"")
    };
    closed_within(input, argument).map_or(Ok(()), |why| Err(no_room(why)))?;
    let mut published = input.clone();
    if let Some(most) = published.get("maxProperties").and_then(Value::as_u64) {
        published.insert("maxProperties".to_owned(), json!(most.saturating_add(1)));
    }
    let properties = published.entry("properties").or_insert_with(|| json!({}));
    let Some(properties) = properties.as_object_mut() else {
        return Err(no_room("its properties are not an object".to_owned()));
    };
    let property = json!({
        "type": "string",
        "description": "Leave it out on the first call. After payment: the payment_id from the payment request.",
    });
    match properties.insert(argument.to_owned(), property) {
        None => Ok(published),
        Some(_) => Err(no_room("it has one of its own".to_owned())),
    }
}

/// Why an object that fits would not fit any more with `argument`, looking at everything that applies in place.
fn closed_within(root: &Map<String, Value>, argument: &str) -> Option<String> {
    let probe = json!({ argument: "pay_x" });
    if !admits(root, BY_NAME, &probe) {
        return Some("its propertyNames or patternProperties refuse it".to_owned());
    }
    let mut open = applied_in_place(root, root);
    for looked_at in 0.. {
        let Some(schema) = open.pop() else { break };
        if looked_at >= LOOKED_AT_MAX {
            return Some("it is too complex".to_owned());
        }
        let closers = [
            "propertyNames",
            "patternProperties",
            "additionalProperties",
            "unevaluatedProperties",
            "properties",
        ];
        if schema.contains_key("maxProperties") || !admits(schema, &closers, &probe) {
            return Some("a part of it is closed".to_owned());
        }
        open.extend(applied_in_place(root, schema));
    }
    None
}

/// Whether the named keywords of `schema` alone let `probe` pass. Keywords that refer elsewhere count as not.
fn admits(schema: &Map<String, Value>, keywords: &[&str], probe: &Value) -> bool {
    let kept = schema
        .iter()
        .filter(|(keyword, _)| keywords.contains(&keyword.as_str()));
    let mut kept: Map<String, Value> = kept.map(|(k, v)| (k.clone(), v.clone())).collect();
    if kept.is_empty() {
        return true;
    }
    kept.insert("type".to_owned(), "object".into());
    super::arguments::compile(&Value::Object(kept)).is_ok_and(|schema| schema.check(probe).is_ok())
}

fn applied_in_place<'a>(
    root: &'a Map<String, Value>,
    schema: &'a Map<String, Value>,
) -> Vec<&'a Map<String, Value>> {
    let direct = IN_PLACE.iter().filter_map(|keyword| schema.get(*keyword));
    let direct = direct.flat_map(|value| match value {
        Value::Array(items) => items.iter().collect(),
        one => vec![one],
    });
    let dependent = schema.get("dependentSchemas").and_then(Value::as_object);
    let dependent = dependent.into_iter().flat_map(Map::values);
    let reference = schema.get("$ref").and_then(Value::as_str);
    let referred = reference.and_then(|reference| local(root, reference));
    let all = direct.chain(dependent).chain(referred);
    all.filter_map(Value::as_object).collect()
}

/// What a `#/…` reference points at. A reference to the root is the root's business.
fn local<'a>(root: &'a Map<String, Value>, reference: &str) -> Option<&'a Value> {
    let (first, rest) = match reference.strip_prefix("#/")?.split_once('/') {
        Some((first, rest)) => (first, format!("/{rest}")),
        None => (reference.strip_prefix("#/")?, String::new()),
    };
    root.get(first)?.pointer(&rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(value: Value) -> Map<String, Value> {
        value.as_object().unwrap().clone()
    }

    #[test]
    fn the_argument_fits_beside_whatever_the_tool_allows() {
        let city = json!({ "city": { "type": "string" } });
        let cases = [
            json!({ "type": "object" }),
            json!({ "type": "object", "properties": city, "required": ["city"] }),
            json!({ "type": "object", "properties": city, "additionalProperties": false }),
            json!({ "type": "object", "properties": city, "unevaluatedProperties": false }),
            json!({ "type": "object", "additionalProperties": { "type": "string", "maxLength": 3 } }),
            json!({ "type": "object", "properties": city, "maxProperties": 1 }),
            json!({ "type": "object", "properties": city, "patternProperties": { "^x-": { "type": "integer" } } }),
            json!({ "type": "object", "allOf": [{ "properties": city }], "unevaluatedProperties": false }),
            json!({ "type": "object", "$ref": "#/$defs/a", "$defs": { "a": { "properties": city } } }),
        ];
        for own in cases {
            let own = object(own);
            let name = argument(&own);
            let published =
                Value::Object(added(&own, name).unwrap_or_else(|error| panic!("{own:?}: {error}")));
            let validator = super::super::arguments::compile(&published).unwrap();
            assert!(
                validator.check(&json!({ "city": "x" })).is_ok(),
                "{published}"
            );
            assert!(
                validator
                    .check(&json!({ "city": "x", "payment_id": "pay_x" }))
                    .is_ok(),
                "{published}"
            );
            assert!(
                validator
                    .check(&json!({ "city": "x", "payment_id": 3 }))
                    .is_err(),
                "{published}"
            );
        }
    }

    #[test]
    fn a_schema_without_room_is_refused_and_two_step_named() {
        let closed = json!({ "properties": { "a": {} }, "additionalProperties": false });
        let cases = [
            json!({ "type": "object", "propertyNames": { "maxLength": 3 } }),
            json!({ "type": "object", "patternProperties": { "": { "type": "integer" } } }),
            json!({ "type": "object", "allOf": [closed] }),
            json!({ "type": "object", "dependentSchemas": { "a": closed } }),
            json!({ "type": "object", "oneOf": [{ "required": ["a"] }, closed] }),
            json!({ "type": "object", "$ref": "#/$defs/a", "$defs": { "a": closed } }),
            json!({ "type": "object", "$ref": "#/$defs/a", "$defs": { "a": { "allOf": [{ "$ref": "#/$defs/b" }] }, "b": { "maxProperties": 2 } } }),
            json!({ "type": "object", "$ref": "#/$defs/a", "$defs": { "a": { "allOf": [{ "$ref": "#/$defs/a" }] } } }),
        ];
        for own in cases {
            let error = added(&object(own.clone()), "payment_id")
                .err()
                .unwrap_or_else(|| panic!("{own}"));
            assert!(error.contains("two_step"), "{error}");
        }
    }

    #[test]
    fn a_payment_id_of_the_tools_own_is_kept_and_ours_renamed() {
        let own = object(
            json!({ "type": "object", "properties": { "payment_id": { "type": "integer" } } }),
        );
        assert_eq!(argument(&own), "coinop_payment_id");
        let published = added(&own, argument(&own)).unwrap();
        assert_eq!(published["properties"]["payment_id"]["type"], "integer");
        assert_eq!(
            published["properties"]["coinop_payment_id"]["type"],
            "string"
        );
        let both = object(
            json!({ "type": "object", "properties": { "payment_id": {}, "coinop_payment_id": {} } }),
        );
        assert!(added(&both, argument(&both)).is_err());
    }
}
