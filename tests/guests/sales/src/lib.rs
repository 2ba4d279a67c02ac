//! Tools that cost a cent each, for tests that kill hosts: one for every way in which a paid run ends.
//!
//! An answer names the moment of its run, so that two runs never give the same one. The argument `ms` makes a run take
//! that long.

use std::time::{Duration, SystemTime};

wit_bindgen::generate!({ path: "../../../wit", world: "coinop:plugin/plugin" });

use coinop::plugin::tool_types::{Annotations, Content, Effects, Money, Price};
use exports::coinop::plugin::tools::{Context, Failure, Guest, Output, Tool};

struct Sales;
export!(Sales);

impl Guest for Sales {
    fn list_tools() -> Vec<Tool> {
        vec![
            tool("tell", "Tells when it ran; pure.", Effects::Pure),
            tool(
                "send",
                "Tells when it ran; says that it must not run twice.",
                Effects::Effectful,
            ),
            tool("fail", "Declares a failure.", Effects::Pure),
            tool("trap", "Panics.", Effects::Pure),
        ]
    }

    fn call_tool(name: String, arguments: String, _context: Context) -> Result<Output, Failure> {
        let arguments: serde_json::Value = serde_json::from_str(&arguments)
            .map_err(|e| Failure::InvalidArguments(e.to_string()))?;
        std::thread::sleep(Duration::from_millis(arguments["ms"].as_u64().unwrap_or(0)));
        match name.as_str() {
            "tell" | "send" => Ok(now()),
            "fail" => Err(Failure::Failed("it did not work".into())),
            "trap" => panic!("it could not go on"),
            other => Err(Failure::InvalidArguments(format!("no tool {other}"))),
        }
    }
}

fn tool(name: &str, description: &str, effects: Effects) -> Tool {
    Tool {
        name: name.into(),
        title: None,
        description: description.into(),
        input_schema: r#"{"type":"object"}"#.into(),
        output_schema: None,
        annotations: Annotations {
            read_only: None,
            destructive: None,
            idempotent: None,
            open_world: None,
        },
        effects,
        price: Some(Price::PerCall(Money {
            amount: "0.01".into(),
            currency: "USD".into(),
        })),
        meta: None,
    }
}

fn now() -> Output {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    let nanos = since.map_or(0, |since| since.as_nanos());
    Output {
        content: vec![Content::Text(format!("ran at {nanos} ns"))],
        structured: None,
        is_error: false,
        meta: None,
    }
}
