//! The listing of misbehave: a name and a line for each way.

use serde_json::json;

use crate::coinop::plugin::tool_types::{Annotations, Effects, Price, Tool};

const WAYS: &[(&str, &str)] = &[
    ("trap", "Panics with a secret on stderr."),
    ("exit", "Leaves with exit code 0."),
    ("loop", "Computes for ever."),
    ("sleep", "Sleeps for `ms`."),
    ("naps", "Sleeps `count` times for a millisecond."),
    ("allocate", "Allocates until it is stopped."),
    (
        "allocate_politely",
        "Allocates until it is refused, and copes.",
    ),
    ("overflow", "Recurses `depth` times."),
    ("big", "Answers with `bytes` of text."),
    ("blocks", "Answers with `count` empty blocks."),
    ("print", "Prints for ever."),
    ("stdout", "Prints a protocol message on stdout."),
    (
        "mojibake",
        "Prints `bytes` of three-byte characters, then panics.",
    ),
    ("structured", "Answers with the structured content `json`."),
    ("raw", "Answers with the raw block `json`."),
    ("meta", "Answers with the meta `json`."),
    ("bad_utf8", "Answers with a string that is not UTF-8."),
    ("flood", "Reports progress `count` times."),
    ("backwards", "Reports progress that shrinks, and worse."),
    ("count", "Answers with how often this instance was called."),
    ("fail", "Declares a failure of `kind` with `message`."),
    ("is_error", "Answers that something is wrong."),
    (
        "look_around",
        "Tries files, environment, arguments and sockets.",
    ),
    ("context", "Tells its context."),
    ("setting", "Tells the setting `key`."),
    ("meter", "Meters three pages."),
];

pub(crate) fn tools() -> Vec<Tool> {
    WAYS.iter()
        .map(|(name, description)| tool(name, description))
        .collect()
}

fn tool(name: &str, description: &str) -> Tool {
    Tool {
        name: name.into(),
        title: None,
        description: description.into(),
        input_schema: json!({ "type": "object" }).to_string(),
        output_schema: (name == "structured").then(|| {
            json!({
                "type": "object",
                "properties": { "n": { "type": "integer" } },
                "required": ["n"],
            })
            .to_string()
        }),
        annotations: Annotations {
            read_only: None,
            destructive: None,
            idempotent: None,
            open_world: None,
        },
        effects: Effects::Unspecified,
        price: Some(Price::Free),
        meta: None,
    }
}
