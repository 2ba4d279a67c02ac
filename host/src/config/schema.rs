//! The published JSON Schema of `coinop.toml`, made from the keys there are.

use serde_json::{Map, Value, json};

use super::callers::UNLIMITED;
use super::keys::{Kind, ROOT, Section};

/// An amount and a currency, as one text.
const MONEY: &str = "^\\s*[0-9]+(\\.[0-9]{1,9})?\\s+[A-Z][A-Z0-9]{2,7}\\s*$";

/// The schema, draft 2020-12; `docs/coinop.schema.json` is this, as text.
pub fn json_schema() -> Value {
    let mut root = section(&ROOT);
    root["$schema"] = json!("https://json-schema.org/draft/2020-12/schema");
    root["title"] = json!("coinop.toml");
    root
}

fn section(section: &Section) -> Value {
    let mut properties = Map::new();
    for key in section.keys {
        let mut schema = kind(&key.kind);
        schema["description"] = json!(key.doc);
        if matches!(key.kind, Kind::Former(_)) {
            schema["deprecated"] = json!(true);
        }
        properties.insert(key.name.to_owned(), schema);
    }
    json!({ "type": "object", "properties": properties, "additionalProperties": false })
}

fn kind(of: &Kind) -> Value {
    let text = json!({ "type": "string", "minLength": 1 });
    match of {
        Kind::Former(now) => kind(&now.kind),
        Kind::Bool => json!({ "type": "boolean" }),
        Kind::Text(_) => text,
        Kind::Word(words) => json!({ "enum": words }),
        Kind::Integer(least, most) => {
            json!({ "type": "integer", "minimum": least, "maximum": most })
        }
        Kind::Texts(_) => json!({ "type": "array", "items": text }),
        Kind::TextOrTexts(_) => json!({ "anyOf": [text, { "type": "array", "items": text }] }),
        Kind::Price => json!({ "anyOf": [
            { "const": "free" },
            { "type": "string", "pattern": MONEY },
            exactly(&["amount", "currency"]),
        ] }),
        Kind::Count(least, most) => json!({ "anyOf": [
            { "type": "integer", "minimum": least, "maximum": most },
            { "const": UNLIMITED },
        ] }),
        Kind::Caps => {
            let cap = json!({ "anyOf": [
                { "type": "string", "pattern": MONEY },
                exactly(&["amount", "currency"]),
            ] });
            json!({ "anyOf": [cap, { "type": "array", "items": cap }] })
        }
        Kind::TextOrSecret(_) => {
            json!({ "oneOf": [text, exactly(&["env"]), exactly(&["file"])] })
        }
        Kind::Secret => json!({ "oneOf": [exactly(&["env"]), exactly(&["file"])] }),
        Kind::Section(inner) => section(inner),
        Kind::Named(inner) => json!({ "type": "object", "additionalProperties": section(inner) }),
        Kind::Tables(inner) => json!({ "type": "array", "items": section(inner) }),
        Kind::Variables(_) => json!({ "type": "object", "additionalProperties":
            { "oneOf": [{ "type": "string" }, exactly(&["env"]), exactly(&["file"])] } }),
        Kind::Settings => json!({ "type": "object", "additionalProperties": { "type": "string" } }),
    }
}

fn exactly(keys: &[&str]) -> Value {
    let properties: Map<String, Value> = keys
        .iter()
        .map(|key| {
            (
                (*key).to_owned(),
                json!({ "type": "string", "minLength": 1 }),
            )
        })
        .collect();
    json!({ "type": "object", "properties": properties, "required": keys, "additionalProperties": false })
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn repository() -> &'static Path {
        Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
    }

    /// Writes the file anew with `COINOP_BLESS=1`.
    #[test]
    fn the_published_schema_is_this_one() {
        let path = repository().join("docs/coinop.schema.json");
        let text = serde_json::to_string_pretty(&json_schema()).unwrap() + "\n";
        if std::env::var_os("COINOP_BLESS").is_some() {
            std::fs::write(&path, &text).unwrap();
        }
        let published = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(
            published == text,
            "docs/coinop.schema.json is out of date: COINOP_BLESS=1 cargo test -p coinop schema"
        );
    }

    #[test]
    fn the_example_has_every_key_and_is_valid() {
        let text = std::fs::read_to_string(repository().join("examples/coinop.toml")).unwrap();
        let example: Value =
            serde_json::to_value(toml::from_str::<toml::Value>(&text).unwrap()).unwrap();
        let validator = jsonschema::validator_for(&json_schema()).unwrap();
        let errors: Vec<String> = validator
            .iter_errors(&example)
            .map(|e| e.to_string())
            .collect();
        assert_eq!(errors, Vec::<String>::new());

        let document = super::super::document::Document {
            path: "examples/coinop.toml".into(),
            text,
        };
        let table = document.parse().unwrap();
        assert_eq!(
            super::super::check::check(&document, table.get_ref(), &ROOT),
            []
        );
        toml::from_str::<super::super::raw::RawConfig>(&document.text).unwrap();
        let mut missing = Vec::new();
        collect_missing(&ROOT, Some(&example), "", &mut missing);
        // Shown once for the server; a plugin's are the same.
        missing.retain(|path| !path.starts_with(".plugins.limits."));
        // Instead of `jwks_url`, which is shown.
        missing.retain(|path| path != ".http.oauth.jwks");
        // One of three ways; the other two are shown as comments.
        let ways =
            ["bearer", "header", "value"].map(|key| format!(".accounts.facilitator_auth.{key}"));
        missing.retain(|path| !ways.contains(path));
        missing.retain(|path| !path.starts_with(".accounts.evm.facilitator_auth."));
        assert_eq!(missing, Vec::<String>::new());
    }

    fn collect_missing(
        section: &Section,
        value: Option<&Value>,
        path: &str,
        missing: &mut Vec<String>,
    ) {
        for key in section.keys {
            let path = format!("{path}.{}", key.name);
            let found = value.and_then(|v| v.get(key.name));
            if found.is_none() && !matches!(key.kind, Kind::Former(_)) {
                missing.push(path.clone());
            }
            match &key.kind {
                Kind::Section(inner) => collect_missing(inner, found, &path, missing),
                Kind::Named(inner) => {
                    // A key may be shown in any one of the named tables.
                    let all = found.and_then(Value::as_object).map(|tables| {
                        let merged = tables.values().filter_map(Value::as_object).flatten();
                        Value::Object(merged.map(|(k, v)| (k.clone(), v.clone())).collect())
                    });
                    collect_missing(inner, all.as_ref(), &path, missing);
                }
                Kind::Tables(inner) => {
                    // As above, of the list's tables.
                    let all = found.and_then(Value::as_array).map(|tables| {
                        let merged = tables.iter().filter_map(Value::as_object).flatten();
                        Value::Object(merged.map(|(k, v)| (k.clone(), v.clone())).collect())
                    });
                    collect_missing(inner, all.as_ref(), &path, missing);
                }
                _ => {}
            }
        }
    }
}
