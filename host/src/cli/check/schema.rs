//! An input schema in short: each argument with its type, and a question mark where it may be left out.

use serde_json::{Map, Value};

/// Longest type that is written out, characters.
const TYPE_CHARS_MAX: usize = 60;

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
        format!("{}{mark}: {}", printable(name), kind(of))
    };
    let required = required.into_iter().map(|property| told(property, ""));
    let optional = optional.into_iter().map(|property| told(property, "?"));
    required.chain(optional).collect()
}

/// A schema's type in a word or two.
fn kind(schema: &Value) -> String {
    let kind = match (&schema["type"], &schema["enum"], &schema["const"]) {
        (_, Value::Array(choices), _) => {
            let choices: Vec<String> = choices.iter().map(ToString::to_string).collect();
            choices.join(" | ")
        }
        (_, _, constant) if !constant.is_null() => constant.to_string(),
        (Value::String(name), ..) if name == "array" => match &schema["items"] {
            items @ Value::Object(_) => format!("list of {}", kind(items)),
            _ => "list".to_owned(),
        },
        (Value::String(name), ..) => name.clone(),
        (Value::Array(names), ..) => {
            let names: Vec<&str> = names.iter().filter_map(Value::as_str).collect();
            names.join(" | ")
        }
        _ => "any".to_owned(),
    };
    let shown = printable(&kind);
    match shown.chars().count() > TYPE_CHARS_MAX {
        true => shown.chars().take(TYPE_CHARS_MAX).chain(['…']).collect(),
        false => shown,
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
            },
        });
        assert_eq!(
            arguments(&schema.to_string()),
            [
                "city: string",
                "days?: integer",
                "odd\\u{1b}[2J?: any",
                "tags?: list of string | null",
                "units?: \"metric\" | \"imperial\"",
            ]
        );
        assert_eq!(arguments("{}"), Vec::<String>::new());
    }
}
