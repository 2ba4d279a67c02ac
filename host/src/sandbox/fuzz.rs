//! Bytes that are no component, components that were damaged, and schemas that nobody wrote: the host says no and goes on.

use std::sync::Arc;

use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Map, Value, json};

use super::derived;
use super::schema::Schema;
use super::{Capacity, Sandbox, SandboxSettings, inspect};
use crate::fuzz::{corpus, holds, json, mutated};

/// The components of the corpus, assembled.
fn components() -> Vec<Vec<u8>> {
    let assembled = |(file, text): (std::path::PathBuf, Vec<u8>)| {
        let text = String::from_utf8(text).unwrap();
        wat::parse_str(&text).unwrap_or_else(|e| panic!("{}: {e}", file.display()))
    };
    corpus("components").into_iter().map(assembled).collect()
}

fn look_at(bytes: &[u8]) {
    let _ = inspect::inspect("a.wasm", bytes);
    derived::read_docs(bytes);
}

#[test]
fn any_bytes_are_looked_at() {
    let tail = prop::collection::vec(any::<u8>(), 0..200);
    let head = select(vec![
        &b""[..],
        b"\0asm",
        b"\0asm\x0d\0\x01\0",
        b"\0asm\x01\0\0\0",
    ]);
    holds(2_000, (head, tail), |(head, tail)| {
        look_at(&[head, &tail].concat());
        Ok(())
    });
}

#[test]
fn damaged_components_are_looked_at() {
    holds(2_000, mutated(components()), |bytes| {
        look_at(&bytes);
        Ok(())
    });
}

/// Compiled, linked, tried, listed: whatever is left of a component, loading it ends.
#[test]
fn damaged_components_are_loaded_or_refused() {
    let cache = tempfile::tempdir().unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let settings = SandboxSettings {
        capacity: Capacity {
            memories_max: 4,
            ..Capacity::default()
        },
        cache_bytes_max: 0,
        ..SandboxSettings::new(cache.path().join("cache"))
    };
    let sandbox = Sandbox::new(settings).unwrap();
    let load = |bytes: Vec<u8>| {
        let _inside = runtime.enter();
        runtime.block_on(sandbox.load("a.wasm", Arc::from(bytes)))
    };
    for component in components() {
        assert!(load(component).is_ok());
    }
    holds(100, mutated(components()), |bytes| {
        match load(bytes) {
            Ok(component) => prop_assert!(!component.manifest().tools.is_empty()),
            Err(error) => prop_assert!(error.to_string().starts_with("a.wasm: "), "{error}"),
        }
        Ok(())
    });
}

/// A schema made of keywords, with references between its parts.
fn schema() -> impl Strategy<Value = Value> {
    let target = select(vec![
        "#",
        "#/$defs/a",
        "#/$defs/b",
        "#/$defs/a/items",
        "#a",
        "#/%",
    ]);
    let kind = select(vec![
        "object", "array", "string", "number", "integer", "null",
    ]);
    let pattern = select(vec![
        "^a+$",
        "(a+)+$",
        "[",
        "\\d{1,999}",
        "(?=a)",
        "a{0,99999}",
    ]);
    let leaf = prop_oneof![
        3 => target.prop_map(|target| json!({ "$ref": target })),
        2 => kind.prop_map(|kind| json!({ "type": kind })),
        1 => pattern.prop_map(|pattern| json!({ "pattern": pattern })),
        1 => (0..9_u32).prop_map(|n| json!({ "minLength": n, "maxItems": n, "multipleOf": n })),
        1 => any::<bool>().prop_map(Value::Bool),
        1 => json(),
    ];
    let one = select(vec![
        "items",
        "not",
        "contains",
        "if",
        "then",
        "else",
        "propertyNames",
        "additionalProperties",
        "unevaluatedProperties",
        "unevaluatedItems",
    ]);
    let many = select(vec!["allOf", "anyOf", "oneOf", "prefixItems"]);
    let named = select(vec![
        "properties",
        "$defs",
        "patternProperties",
        "dependentSchemas",
    ]);
    leaf.prop_recursive(4, 40, 4, move |inner| {
        let parts = prop::collection::vec(inner.clone(), 1..4);
        prop_oneof![
            (one.clone(), inner.clone()).prop_map(|(keyword, part)| json!({ keyword: part })),
            (many.clone(), parts).prop_map(|(keyword, parts)| json!({ keyword: parts })),
            (named.clone(), inner.clone(), inner.clone())
                .prop_map(|(keyword, a, b)| json!({ keyword: { "a": a, "b": b } })),
            prop::collection::vec(inner, 2..4).prop_map(merged),
        ]
    })
}

/// All keywords of several schemas in one.
fn merged(schemas: Vec<Value>) -> Value {
    let objects = schemas.into_iter().filter_map(|schema| match schema {
        Value::Object(map) => Some(map),
        _ => None,
    });
    Value::Object(objects.flatten().collect())
}

fn rooted(schema: Value, definitions: (Value, Value)) -> Value {
    let mut root = match schema {
        Value::Object(map) => map,
        other => Map::from_iter([("allOf".to_owned(), json!([other]))]),
    };
    root.insert("type".to_owned(), json!("object"));
    let (a, b) = definitions;
    root.insert("$defs".to_owned(), json!({ "a": a, "b": b }));
    Value::Object(root)
}

#[test]
fn schemas_of_any_form_are_compiled_or_refused_and_checks_end() {
    let schemas = (schema(), (schema(), schema()));
    holds(300, (schemas, json()), |((schema, definitions), value)| {
        if let Ok(schema) = Schema::compile(&rooted(schema, definitions).to_string()) {
            let _ = schema.check(&value);
            let _ = schema.check(&json!({ "a": value, "b": [value] }));
        }
        Ok(())
    });
}

#[test]
fn damaged_schemas_are_compiled_or_refused() {
    let seeds: Vec<Vec<u8>> = corpus("schemas")
        .into_iter()
        .map(|(_, text)| text)
        .collect();
    for seed in &seeds {
        assert!(Schema::compile(std::str::from_utf8(seed).unwrap()).is_ok());
    }
    holds(300, (mutated(seeds), json()), |(text, value)| {
        let text = String::from_utf8_lossy(&text);
        if let Ok(schema) = Schema::compile(&text) {
            let _ = schema.check(&value);
        }
        Ok(())
    });
}
