//! What tools say, brought into the form that is kept and compared; and texts of strangers made fit to be shown.

use coinop_core::price::Price;
use serde_json::Value;

use super::PinnedTool;
use crate::plugin::{Annotations, Effects, ToolDecl};

/// What `tools` say, in the plugin's order; `price` is what the plugin and its sidecar together ask for one.
pub fn tools<'a>(
    tools: impl IntoIterator<Item = &'a ToolDecl>,
    price: impl Fn(&ToolDecl) -> Option<Price>,
) -> Vec<PinnedTool> {
    let pinned = |tool: &ToolDecl| PinnedTool {
        name: tool.name.clone(),
        title: tool.title.clone(),
        price: price(tool).map(|price| price.to_string()),
        hints: hints(&tool.annotations, tool.effects),
        description: tool.description.clone(),
        input_schema: indented(&tool.input_schema),
        output_schema: tool.output_schema.as_deref().map(indented),
        meta: tool.meta.as_deref().map(indented),
    };
    tools.into_iter().map(pinned).collect()
}

fn hints(said: &Annotations, effects: Effects) -> Vec<String> {
    let Annotations {
        read_only,
        destructive,
        idempotent,
        open_world,
    } = *said;
    let flags = [
        ("read-only", read_only),
        ("destructive", destructive),
        ("idempotent", idempotent),
        ("open-world", open_world),
    ];
    let effects = match effects {
        Effects::Unspecified => None,
        Effects::Pure => Some("pure"),
        Effects::Idempotent => Some("idempotent"),
        Effects::Effectful => Some("effectful"),
    };
    let flags = flags
        .iter()
        .filter_map(|(name, said)| Some(format!("{name} = {}", (*said)?)));
    flags
        .chain(effects.map(|word| format!("effects = {word}")))
        .collect()
}

/// JSON with sorted keys, a line for each; what is no JSON stays as it is.
fn indented(json: &str) -> String {
    serde_json::from_str::<Value>(json)
        .and_then(|value| serde_json::to_string_pretty(&value))
        .unwrap_or_else(|_| json.to_owned())
}

/// `text` with everything spelled out that a terminal would obey or not show: control characters, changes of writing
/// direction, invisible letters. Ends of lines and tabs stay.
pub fn printable(text: &str) -> String {
    let hidden = |c: char| {
        (c.is_control() && !matches!(c, '\n' | '\t'))
            || matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{feff}')
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}')
            || matches!(c, '\u{e0000}'..='\u{e0fff}')
    };
    let shown = |c: char| match hidden(c) {
        true => c.escape_unicode().collect::<String>(),
        false => c.to_string(),
    };
    text.chars().map(shown).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn schemas_that_mean_the_same_are_the_same_text() {
        assert_eq!(
            indented(r#"{"b":1,"a":{}}"#),
            indented("{ \"a\": {}, \"b\": 1 }")
        );
        assert_eq!(indented("no json"), "no json");
    }

    #[test]
    fn hidden_letters_are_spelled_out() {
        let poisoned = "a\u{202e}b\u{1b}[2J\u{200b}\u{e0041}ü\n\t";
        assert_eq!(
            printable(poisoned),
            "a\\u{202e}b\\u{1b}[2J\\u{200b}\\u{e0041}ü\n\t"
        );
    }
}
