//! Sends HTTP requests, well and badly. Answers tell what the guest saw: statuses, bodies, error codes.

mod client;

use serde_json::{Value, json};

wit_bindgen::generate!({
    path: "../../../wit",
    world: "coinop:plugin/plugin-with-http",
    generate_all,
});

use coinop::plugin::tool_types::{Annotations, Content, Effects, Failure, Price};
use exports::coinop::plugin::tools::{Context, Guest, Output, Tool};
use wasi::config::store;

/// Redirects that are followed.
const HOPS_MAX: u32 = 5;

struct Reach;
export!(Reach);

impl Guest for Reach {
    fn list_tools() -> Vec<Tool> {
        let tools = [
            ("fetch", "Sends one request and reads the answer."),
            (
                "follow",
                "Sends one request and follows redirects by itself.",
            ),
            (
                "drain",
                "Reads an answer for ever, and says how far it came.",
            ),
            ("upload", "Sends many bytes, and says how far it came."),
            (
                "crowd",
                "Sends many requests at once, then reads the answers.",
            ),
            ("series", "Sends requests one after the other."),
            ("config", "Reads a setting by wasi:config."),
        ];
        tools
            .map(|(name, description)| tool(name, description))
            .into()
    }

    fn call_tool(name: String, arguments: String, _context: Context) -> Result<Output, Failure> {
        let arguments: Value = serde_json::from_str(&arguments)
            .map_err(|e| Failure::InvalidArguments(e.to_string()))?;
        let seen = match name.as_str() {
            "fetch" => told(client::fetch(&arguments)),
            "follow" => told(follow(&arguments)),
            "drain" => client::drain(&arguments),
            "upload" => client::upload(&arguments),
            "crowd" => client::crowd(&arguments),
            "series" => series(&arguments),
            "config" => setting(&arguments),
            other => return Err(Failure::InvalidArguments(format!("no tool {other}"))),
        };
        Ok(Output {
            content: vec![Content::Text(seen.to_string())],
            structured: None,
            is_error: false,
            meta: None,
        })
    }
}

fn told(answer: Result<Value, String>) -> Value {
    answer.unwrap_or_else(|error| json!({ "error": error }))
}

fn follow(arguments: &Value) -> Result<Value, String> {
    let mut asked = arguments.clone();
    for _ in 0..HOPS_MAX {
        let answer = client::fetch(&asked)?;
        match answer["headers"]["location"].as_str() {
            Some(location) => asked["url"] = location.into(),
            None => return Ok(answer),
        }
    }
    Err("too many redirects".to_owned())
}

fn series(arguments: &Value) -> Value {
    let count = arguments["count"].as_u64().unwrap_or(1);
    let answers = (0..count).map(|_| told(client::fetch(arguments)));
    Value::Array(answers.collect())
}

fn setting(arguments: &Value) -> Value {
    let key = arguments["key"].as_str().unwrap_or_default();
    match store::get(key) {
        Ok(value) => json!({ "value": value }),
        Err(error) => json!({ "error": format!("{error:?}") }),
    }
}

fn tool(name: &str, description: &str) -> Tool {
    Tool {
        name: name.into(),
        title: None,
        description: description.into(),
        input_schema: json!({ "type": "object" }).to_string(),
        output_schema: None,
        annotations: Annotations {
            read_only: None,
            destructive: None,
            idempotent: None,
            open_world: Some(true),
        },
        effects: Effects::Unspecified,
        price: Some(Price::Free),
        meta: None,
    }
}
