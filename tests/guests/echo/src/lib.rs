//! Good tools: an echo free and paid, a slow one, every kind of content.
//!
//! Built twice: as `echo`, and with the feature `v2` as `echo-v2`, which lists one tool more.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

wit_bindgen::generate!({ path: "../../../wit", world: "coinop:plugin/plugin" });

use coinop::plugin::progress;
use coinop::plugin::tool_types::{
    Annotations, Content, Effects, EmbeddedResource, Failure, Media, Money, OtherContent, Price,
    ResourceBody, ResourceLink,
};
use exports::coinop::plugin::tools::{Context, Guest, Output, Tool};

struct Echo;
export!(Echo);

impl Guest for Echo {
    fn list_tools() -> Vec<Tool> {
        let text = json!({
            "type": "object",
            "properties": { "text": { "type": "string" } },
            "required": ["text"],
            "additionalProperties": false,
        });
        let slow = json!({
            "type": "object",
            "properties": { "ms": { "type": "integer", "minimum": 0, "maximum": 60000 } },
            "required": ["ms"],
        });
        let none = json!({ "type": "object" });
        let version = if cfg!(feature = "v2") { 2 } else { 1 };
        let mut tools = vec![
            tool(
                "echo",
                format!("Answers with its text (version {version})."),
                &text,
                Price::Free,
            ),
            tool(
                "echo_paid",
                "Answers with its text, for a cent.".into(),
                &text,
                cents("0.01"),
            ),
            tool(
                "slow",
                "Waits, reports progress, answers.".into(),
                &slow,
                Price::Free,
            ),
            tool(
                "slow_paid",
                "Waits, reports progress, answers, for a cent.".into(),
                &slow,
                cents("0.01"),
            ),
            tool(
                "kinds",
                "Answers with every kind of content.".into(),
                &none,
                Price::Free,
            ),
            tool(
                "sum",
                "Adds two numbers, structured.".into(),
                &numbers(),
                Price::Free,
            ),
        ];
        if let Some(sum) = tools.last_mut() {
            sum.output_schema = Some(
                json!({
                    "type": "object",
                    "properties": { "sum": { "type": "number" } },
                    "required": ["sum"],
                })
                .to_string(),
            );
        }
        let mut unpriced = tool(
            "unpriced",
            "Leaves its price to the operator.".into(),
            &none,
            Price::Free,
        );
        unpriced.price = None;
        tools.push(unpriced);
        if cfg!(feature = "v2") {
            tools.push(tool(
                "shout",
                "Answers in capitals.".into(),
                &text,
                Price::Free,
            ));
        }
        tools
    }

    fn call_tool(name: String, arguments: String, _context: Context) -> Result<Output, Failure> {
        let arguments: Value = serde_json::from_str(&arguments)
            .map_err(|e| Failure::InvalidArguments(e.to_string()))?;
        match name.as_str() {
            "echo" | "echo_paid" => Ok(answer(vec![Content::Text(string(&arguments, "text"))])),
            "shout" => Ok(answer(vec![Content::Text(
                string(&arguments, "text").to_uppercase(),
            )])),
            "slow" | "slow_paid" => Ok(slow(arguments["ms"].as_u64().unwrap_or(0))),
            "kinds" => Ok(answer(kinds())),
            "sum" => Ok(sum(&arguments)),
            "unpriced" => Ok(answer(vec![Content::Text("worth something".into())])),
            other => Err(Failure::InvalidArguments(format!("no tool {other}"))),
        }
    }
}

fn tool(name: &str, description: String, schema: &Value, price: Price) -> Tool {
    Tool {
        name: name.into(),
        title: None,
        description,
        input_schema: schema.to_string(),
        output_schema: None,
        annotations: Annotations {
            read_only: Some(true),
            destructive: None,
            idempotent: Some(true),
            open_world: Some(false),
        },
        effects: Effects::Pure,
        price: Some(price),
        meta: None,
    }
}

fn cents(amount: &str) -> Price {
    Price::PerCall(Money {
        amount: amount.into(),
        currency: "USD".into(),
    })
}

fn numbers() -> Value {
    json!({
        "type": "object",
        "properties": { "a": { "type": "number" }, "b": { "type": "number" } },
        "required": ["a", "b"],
    })
}

fn string(arguments: &Value, key: &str) -> String {
    arguments[key].as_str().unwrap_or_default().to_owned()
}

fn answer(content: Vec<Content>) -> Output {
    Output {
        content,
        structured: None,
        is_error: false,
        meta: None,
    }
}

/// Ten steps, a report after each.
fn slow(ms: u64) -> Output {
    let started = Instant::now();
    for step in 1..=10 {
        std::thread::sleep(Duration::from_millis(ms * step / 10).saturating_sub(started.elapsed()));
        progress::report(step as f64, Some(10.0), Some(&format!("step {step} of 10")));
    }
    answer(vec![Content::Text(format!("waited {ms} ms"))])
}

fn sum(arguments: &Value) -> Output {
    let sum = arguments["a"].as_f64().unwrap_or(0.0) + arguments["b"].as_f64().unwrap_or(0.0);
    Output {
        content: Vec::new(),
        structured: Some(json!({ "sum": sum }).to_string()),
        is_error: false,
        meta: Some(json!({ "example.com/exact": false }).to_string()),
    }
}

fn kinds() -> Vec<Content> {
    let media = |bytes: &[u8], mime: &str| Media {
        data: bytes.to_vec(),
        mime_type: mime.into(),
    };
    let resource = |uri: &str, mime: &str, body| {
        Content::EmbeddedResource(EmbeddedResource {
            uri: uri.into(),
            mime_type: Some(mime.into()),
            body,
        })
    };
    vec![
        Content::Text("text".into()),
        Content::Image(media(b"\x89PNG", "image/png")),
        Content::Audio(media(b"RIFF", "audio/wav")),
        resource("memo:1", "text/plain", ResourceBody::Text("a memo".into())),
        resource(
            "memo:2",
            "application/octet-stream",
            ResourceBody::Blob(vec![1, 2, 3]),
        ),
        Content::ResourceLink(ResourceLink {
            uri: "https://example.com/".into(),
            name: "example".into(),
            description: None,
            mime_type: Some("text/html".into()),
        }),
        Content::RawJson(
            json!({ "type": "text", "text": "raw", "annotations": { "audience": ["user"] } })
                .to_string(),
        ),
        Content::Other(OtherContent {
            kind: "hologram".into(),
            data: "{}".into(),
            fallback: "imagine a hologram".into(),
        }),
    ]
}
