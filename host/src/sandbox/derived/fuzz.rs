//! Random types and values: what is promised of every conversion and every schema.

use std::collections::HashSet;

use proptest::prelude::*;
use proptest::sample::Index;
use serde_json::{Value, json};
use wasmtime::component::Val;

use super::arbitrary::{changed, shape, value};
use super::describe;
use super::docs::{Docs, component};
use super::from_json::{self, Misfit};
use super::names::{self, Origin};
use super::schema::{self, Side};
use super::shape::{Answer, Field, Shape, Signature};
use super::to_json::{self, Unfit};
use crate::fuzz::{corpus, holds, json, mutated};
use crate::sandbox::schema::Schema;

const BYTES_MAX: usize = 1 << 20;

fn typed() -> impl Strategy<Value = (Shape, Val)> {
    shape().prop_flat_map(|shape| {
        let value = value(&shape);
        (Just(shape), value)
    })
}

fn to_json(shape: &Shape, value: &Val) -> Value {
    let text = to_json::text(shape, value, BYTES_MAX).unwrap();
    serde_json::from_str(&text).unwrap()
}

/// Whether the type's schema takes a value.
fn accepts(shape: &Shape, side: Side, value: &Value) -> bool {
    let schema = json!({ "type": "object", "properties": { "v": schema::of(shape, side) } });
    let schema = Schema::compile(&schema.to_string()).unwrap();
    schema.check(&json!({ "v": value })).is_ok()
}

/// A text of the digits of a 64-bit integer that is beyond its type: the one thing that a schema's pattern lets through.
fn is_too_great(misfit: &Misfit, json: &Value) -> bool {
    let at = json.pointer(&misfit.pointer);
    at.is_some_and(Value::is_string) && misfit.reason.starts_with("must be between")
}

fn has_non_finite(value: &Val) -> bool {
    match value {
        Val::Float32(float) => !float.is_finite(),
        Val::Float64(float) => !float.is_finite(),
        Val::List(values) | Val::Tuple(values) => values.iter().any(has_non_finite),
        Val::Record(fields) => fields.iter().any(|(_, value)| has_non_finite(value)),
        Val::Variant(_, value) | Val::Option(value) => value.as_deref().is_some_and(has_non_finite),
        Val::Result(Ok(value) | Err(value)) => value.as_deref().is_some_and(has_non_finite),
        _ => false,
    }
}

#[test]
fn a_value_comes_back_from_json_and_fits_its_schema() {
    holds(400, typed(), |(shape, value)| {
        let json = to_json(&shape, &value);
        let back = from_json::value(&shape, &json);
        prop_assert_eq!(back.as_ref(), Ok(&value), "{}", json);
        prop_assert!(accepts(&shape, Side::Answer, &json), "{}", json);
        // Arguments take numbers only.
        prop_assert_eq!(
            accepts(&shape, Side::Arguments, &json),
            !has_non_finite(&value)
        );
        Ok(())
    });
}

#[test]
fn what_the_schema_takes_converts_and_nothing_else() {
    let nearly = typed().prop_map(|(shape, value)| {
        let json = to_json(&shape, &value);
        (shape, json)
    });
    let cases = (nearly, any::<Index>(), json());
    holds(800, cases, |((shape, json), at, put)| {
        let json = changed(json, at, put);
        let accepted = accepts(&shape, Side::Answer, &json);
        match from_json::value(&shape, &json) {
            Ok(_) => prop_assert!(accepted, "converts, and its schema refuses {}", json),
            Err(misfit) => prop_assert!(
                !accepted || is_too_great(&misfit, &json),
                "its schema takes {}: {}",
                json,
                misfit
            ),
        }
        prop_assert!(accepted || !accepts(&shape, Side::Arguments, &json));
        Ok(())
    });
}

#[test]
fn a_text_is_never_longer_than_allowed() {
    holds(200, (typed(), 0..64_usize), |((shape, value), max)| {
        let whole = to_json::text(&shape, &value, BYTES_MAX).unwrap();
        let got = to_json::text(&shape, &value, max);
        match whole.len() <= max {
            true => prop_assert_eq!(got, Ok(whole)),
            false => prop_assert_eq!(got, Err(Unfit::TooLong)),
        }
        Ok(())
    });
}

#[test]
fn every_signature_has_schemas_and_a_sentence() {
    let params = prop::collection::btree_map("[a-z]{1,3}", shape(), 0..4);
    let signatures = (params, prop::option::of(shape()));
    holds(200, signatures, |(params, answer)| {
        let field = |(name, shape)| Field { name, shape };
        let signature = Signature {
            params: params.into_iter().map(field).collect(),
            answer: Answer::from(answer),
        };
        let arguments = schema::of_arguments(&signature).to_string();
        prop_assert!(Schema::compile(&arguments).is_ok());
        if let Some(answer) = schema::of_answer(&signature.answer) {
            prop_assert!(Schema::compile(&answer.to_string()).is_ok());
        }
        let origin = Origin {
            interface: None,
            function: "f".to_owned(),
        };
        prop_assert!(describe::sentence(&origin, &signature).len() < 700);
        Ok(())
    });
}

#[test]
fn names_are_valid_and_different() {
    let part = "[a-cA-C]{1,2}(-[a-c]{1,2})?";
    let interface = (part, part, prop::option::of(0..3_u8)).prop_map(|(package, name, version)| {
        let version = version.map(|n| format!("@{n}.0.0"));
        format!("ns:{package}/{name}{}", version.unwrap_or_default())
    });
    let function = prop_oneof![part, any::<String>(), "[a-z]{40,80}"];
    let origin = (prop::option::of(interface), function).prop_map(|(interface, function)| Origin {
        interface,
        function,
    });
    let origins = prop::collection::hash_set(origin, 1..20);
    holds(300, origins, |origins| {
        let origins: Vec<Origin> = origins.into_iter().collect();
        let given = names::of(&origins);
        let different: HashSet<&String> = given.iter().collect();
        prop_assert_eq!(different.len(), origins.len(), "{:?}", given);
        let valid = |name: &String| {
            let byte = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_';
            (1..=48).contains(&name.len()) && name.bytes().all(byte)
        };
        prop_assert!(given.iter().all(valid), "{:?}", given);
        Ok(())
    });
}

#[test]
fn docs_of_any_bytes() {
    let seeds: Vec<Vec<u8>> = corpus("docs").into_iter().map(|(_, json)| json).collect();
    let sections = (
        prop_oneof![Just(0_u8), Just(1), any::<u8>()],
        mutated(seeds),
    );
    holds(500, sections, |(version, json)| {
        let _ = Docs::read(&component(version, &json));
        Ok(())
    });
}
