//! An input schema in short: each argument with its type, and a question mark where it may be left out.

use serde_json::{Map, Value};

/// Longest type that is written out, characters.
const TYPE_CHARS_MAX: usize = 60;
/// How deep alternatives, items and references are followed.
const DEPTH_MAX: usize = 4;

/// The arguments, the required ones first.
pub(super) fn arguments(schema: &str) -> Vec<String> {
    let schema: Value = serde_json::from_str(schema).unwrap_or_default();
    let none = Map::new();
    let properties = schema["properties"].as_object().unwrap_or(&none);
    let is_required = |name: &str| {
        let required = schema["required"].as_array();
        required.is_some_and(|names| names.iter().any(|n| n == name))
    };
    let (required, optional): (Vec<_>, Vec<_>) =
        properties.iter().partition(|(name, _)| is_required(name));
    let told = |(name, of): (&String, &Value), mark: &str| {
        format!("{}{mark}: {}", printable(name), kind(of, &schema))
    };
    let required = required.into_iter().map(|property| told(property, ""));
    let optional = optional.into_iter().map(|property| told(property, "?"));
    required.chain(optional).collect()
}

/// A schema's type in a word or two; `root` is what its references mean.
fn kind(schema: &Value, root: &Value) -> String {
    let shown = printable(&kind_within(schema, root, DEPTH_MAX));
    match shown.chars().count() > TYPE_CHARS_MAX {
        true => shown.chars().take(TYPE_CHARS_MAX).chain(['…']).collect(),
        false => shown,
    }
}

fn kind_within(schema: &Value, root: &Value, depth: usize) -> String {
    let Some(depth) = depth.checked_sub(1) else {
        return "any".to_owned();
    };
    let reference = schema["$ref"].as_str();
    if let Some(meant) = reference.and_then(|text| root.pointer(text.strip_prefix('#')?)) {
        return kind_within(meant, root, depth);
    }
    let alternatives = schema["anyOf"].as_array().or(schema["oneOf"].as_array());
    if let Some(alternatives) = alternatives {
        let mut kinds: Vec<String> = alternatives
            .iter()
            .map(|one| kind_within(one, root, depth))
            .collect();
        kinds.dedup();
        return kinds.join(" | ");
    }
    match (&schema["type"], &schema["enum"], &schema["const"]) {
        (_, Value::Array(choices), _) => {
            let choices: Vec<String> = choices.iter().map(ToString::to_string).collect();
            choices.join(" | ")
        }
        (_, _, constant) if !constant.is_null() => constant.to_string(),
        (Value::String(name), ..) if name == "array" => match &schema["items"] {
            items @ Value::Object(_) => format!("list of {}", kind_within(items, root, depth)),
            _ => "list".to_owned(),
        },
        (Value::String(name), ..) => name.clone(),
        (Value::Array(names), ..) => {
            let names: Vec<&str> = names.iter().filter_map(Value::as_str).collect();
            names.join(" | ")
        }
        _ => "any".to_owned(),
    }
}

/// A plugin's words on a terminal: without control characters.
pub(super) fn printable(text: &str) -> String {
    let shown = |c: char| match c.is_control() {
        true => c.escape_default().collect::<String>(),
        false => c.to_string(),
    };
    text.chars().map(shown).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn arguments_are_told_in_a_word_each() {
        let schema = json!({
            "type": "object",
            "required": ["city"],
            "properties": {
                "days": { "type": "integer" },
                "city": { "type": "string" },
                "units": { "enum": ["metric", "imperial"] },
                "tags": { "type": "array", "items": { "type": ["string", "null"] } },
                "odd\u{1b}[2J": {},
                "loud": { "anyOf": [{ "type": "boolean" }, { "type": "null" }] },
                "places": { "type": "array", "items": { "$ref": "#/$defs/Place" } },
                "round": { "$ref": "#/$defs/Round" },
            },
            "$defs": {
                "Place": { "type": "object" },
                "Round": { "oneOf": [{ "$ref": "#/$defs/Round" }, { "type": "null" }] },
            },
        });
        assert_eq!(
            arguments(&schema.to_string()),
            [
                "city: string",
                "days?: integer",
                "loud?: boolean | null",
                "odd\\u{1b}[2J?: any",
                "places?: list of object",
                "round?: any | null",
                "tags?: list of string | null",
                "units?: \"metric\" | \"imperial\"",
            ]
        );
        assert_eq!(arguments("{}"), Vec::<String>::new());
    }
}
