//! JSON Schemas (draft 2020-12) of a function's arguments and of its answer. `docs/components.md` has the table.

use serde_json::{Map, Value, json};

use super::shape::{Answer, Field, Integer, Shape, Signature};

/// The floats that JSON has no number for.
pub(super) const NON_FINITE: [&str; 3] = ["NaN", "Infinity", "-Infinity"];
/// Base64 with padding, every text that the decoder takes and no other.
const BASE64: &str =
    "^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}[AEIMQUYcgkosw048]=|[A-Za-z0-9+/][AQgw]==)?$";
/// Decimal texts as they are written, without a sign or zeros in front.
const UNSIGNED: &str = "^(?:0|[1-9][0-9]{0,19})$";
const SIGNED: &str = "^(?:0|-?[1-9][0-9]{0,18})$";

/// Which way a value goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    /// Towards the function. Models read this one: floats are plain numbers.
    Arguments,
    /// From the function: a float may be one that JSON has no number for.
    Answer,
}

/// The schema of a function's arguments: an object.
pub(super) fn of_arguments(signature: &Signature) -> Value {
    record(&signature.params, Side::Arguments)
}

/// The schema of a function's answer, `{"result": …}`; `None` when it answers without a value.
pub(super) fn of_answer(answer: &Answer) -> Option<Value> {
    let result = of(answer.value()?, Side::Answer);
    Some(json!({
        "type": "object",
        "properties": { "result": result },
        "required": ["result"],
        "additionalProperties": false,
    }))
}

/// The schema of one type.
pub(super) fn of(shape: &Shape, side: Side) -> Value {
    match shape {
        Shape::Bool => json!({ "type": "boolean" }),
        Shape::Integer(integer) => of_integer(*integer),
        Shape::Float32 => float(
            json!({ "type": "number", "minimum": f32::MIN, "maximum": f32::MAX }),
            side,
        ),
        Shape::Float64 => float(json!({ "type": "number" }), side),
        Shape::Char => json!({ "type": "string", "minLength": 1, "maxLength": 1 }),
        Shape::String => json!({ "type": "string" }),
        Shape::Bytes => {
            json!({ "type": "string", "contentEncoding": "base64", "pattern": BASE64 })
        }
        Shape::List(item) => json!({ "type": "array", "items": of(item, side) }),
        Shape::Tuple(items) => tuple(items, side),
        Shape::Record(fields) => record(fields, side),
        Shape::Variant(cases) => {
            let cases = cases.iter().map(|c| (c.name.as_str(), c.shape.as_ref()));
            tagged(cases, side)
        }
        Shape::Enum(names) => json!({ "type": "string", "enum": names }),
        Shape::Flags(names) => json!({
            "type": "array",
            "items": { "type": "string", "enum": names },
            "uniqueItems": true,
        }),
        Shape::Option(some) => option(some, side),
        Shape::Result { ok, err } => tagged([("ok", ok.as_deref()), ("err", err.as_deref())], side),
    }
}

fn of_integer(integer: Integer) -> Value {
    let (min, max) = integer.number_bounds();
    // Both fit: number bounds are within ±2⁵³.
    let number = json!({ "type": "integer", "minimum": min as i64, "maximum": max as i64 });
    if !integer.is_wide() {
        return number;
    }
    let pattern = if integer == Integer::S64 {
        SIGNED
    } else {
        UNSIGNED
    };
    json!({ "anyOf": [number, { "type": "string", "pattern": pattern }] })
}

fn float(number: Value, side: Side) -> Value {
    match side {
        Side::Arguments => number,
        Side::Answer => json!({ "anyOf": [number, { "type": "string", "enum": NON_FINITE }] }),
    }
}

fn tuple(items: &[Shape], side: Side) -> Value {
    let schemas: Vec<Value> = items.iter().map(|item| of(item, side)).collect();
    json!({
        "type": "array",
        "prefixItems": schemas,
        "items": false,
        "minItems": items.len(),
        "maxItems": items.len(),
    })
}

fn record(fields: &[Field], side: Side) -> Value {
    let properties: Map<String, Value> = fields
        .iter()
        .map(|field| (field.name.clone(), of(&field.shape, side)))
        .collect();
    let required: Vec<&str> = fields
        .iter()
        .filter(|field| !field.is_optional())
        .map(|field| field.name.as_str())
        .collect();
    let mut schema = json!({
        "type": "object",
        "properties": properties,
        "additionalProperties": false,
    });
    if !required.is_empty() {
        schema["required"] = json!(required);
    }
    schema
}

/// `{"tag": "case"}`, with the case's value as `val` where it has one.
fn tagged<'a>(cases: impl IntoIterator<Item = (&'a str, Option<&'a Shape>)>, side: Side) -> Value {
    let case = |(name, shape): (&str, Option<&Shape>)| match shape {
        None => json!({
            "type": "object",
            "properties": { "tag": { "const": name } },
            "required": ["tag"],
            "additionalProperties": false,
        }),
        Some(shape) => json!({
            "type": "object",
            "properties": { "tag": { "const": name }, "val": of(shape, side) },
            "required": ["tag", "val"],
            "additionalProperties": false,
        }),
    };
    let cases: Vec<Value> = cases.into_iter().map(case).collect();
    json!({ "anyOf": cases })
}

/// `null` or the value; an option in an option is `{"some": …}`, since `null` could not say which of the two is none.
fn option(some: &Shape, side: Side) -> Value {
    let inner = of(some, side);
    let some = match some {
        Shape::Option(_) => json!({
            "type": "object",
            "properties": { "some": inner },
            "required": ["some"],
            "additionalProperties": false,
        }),
        _ => inner,
    };
    json!({ "anyOf": [some, { "type": "null" }] })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::derived::introspect::DEPTH_MAX;
    use crate::sandbox::derived::shape::Case;
    use crate::sandbox::schema::Schema;

    /// A schema is JSON too, which may be nested 128 deep; here with what a payment adds to it, and to spare.
    #[test]
    fn the_deepest_type_has_a_schema() {
        let variant = |shape| {
            Shape::Variant(vec![Case {
                name: "a".to_owned(),
                shape: Some(shape),
            }])
        };
        let option = |shape| Shape::Option(Box::new(shape));
        for wrap in [&variant as &dyn Fn(Shape) -> Shape, &option] {
            let deepest = (1..DEPTH_MAX).fold(Shape::Bool, |shape, _| wrap(shape));
            let mut schema = of_answer(&Answer::Value(deepest)).unwrap();
            for _ in 0..3 {
                schema = json!({ "type": "object", "anyOf": [schema] });
            }
            assert!(Schema::compile(&schema.to_string()).is_ok());
        }
    }
}
