wit_bindgen::generate!({ path: "../../wit", world: "coinop:plugin/plugin", generate_all });

use coinop::plugin::tool_types::*;
use exports::coinop::plugin::tools::Guest;

struct Plugin;

impl Guest for Plugin {
    fn list_tools() -> Vec<Tool> {
        vec![Tool {
            name: "shout".into(),
            title: None,
            description: "Returns the text in capital letters.".into(),
            input_schema:
                r#"{"type":"object","properties":{"text":{"type":"string"}},"required":["text"]}"#
                    .into(),
            output_schema: None,
            annotations: Annotations {
                read_only: Some(true),
                destructive: None,
                idempotent: None,
                open_world: None,
            },
            effects: Effects::Pure,
            price: Some(Price::PerCall(Money {
                amount: "0.01".into(),
                currency: "USD".into(),
            })),
            meta: None,
        }]
    }

    fn call_tool(_name: String, arguments: String, _context: Context) -> Result<Output, Failure> {
        Ok(Output {
            content: vec![Content::Text(arguments.to_uppercase())],
            structured: None,
            is_error: false,
            meta: None,
        })
    }
}

export!(Plugin);
