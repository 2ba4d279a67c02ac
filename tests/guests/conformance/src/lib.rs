//! The tools that the protocol's own test suites call. Names, arguments and answers are fixed by the suites.
//!
//! A tool whose suite has the server ask the user for something is sold: a payment is the one thing for which this
//! host turns to the user, so the suite is asked to pay and gets its answer once it has paid.

use std::time::Duration;

use serde_json::{Value, json};

wit_bindgen::generate!({ path: "../../../wit", world: "coinop:plugin/plugin" });

mod schema;

use coinop::plugin::progress;
use coinop::plugin::tool_types::{
    Annotations, Content, Effects, EmbeddedResource, Failure, Media, Money, Price, ResourceBody,
};
use exports::coinop::plugin::tools::{Context, Guest, Output, Tool};

/// Sold: what the suites call to be asked for something.
const SOLD: [&str; 8] = [
    "test_elicitation",
    "test_input_required_result_capabilities",
    "test_input_required_result_elicitation",
    "test_input_required_result_multi_round",
    "test_input_required_result_request_state",
    "test_input_required_result_tampered_state",
    "test_streaming_elicitation",
    "test_trigger_tool_change",
];

/// Free, and without arguments.
const FREE: [(&str, &str); 8] = [
    ("test_simple_text", "Answers with a text."),
    ("test_image_content", "Answers with a picture."),
    ("test_audio_content", "Answers with a sound."),
    ("test_embedded_resource", "Answers with a resource."),
    (
        "test_multiple_content_types",
        "Answers with three kinds of content.",
    ),
    ("test_error_handling", "Answers with an error."),
    ("test_logging_tool", "Writes to its log."),
    ("test_tool_with_progress", "Reports progress three times."),
];

/// A picture of one pixel.
const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\x02\0\0\0\x90wS\xde\0\0\0\x0cIDATx\x9cc\xf8\xcf\xc0\0\0\x03\x01\x01\0\xc9\xfe\x92\xef\0\0\0\0IEND\xaeB`\x82";

/// A sound of no length.
const WAV: &[u8] =
    b"RIFF\x24\0\0\0WAVEfmt \x10\0\0\0\x01\0\x01\0\x40\x1f\0\0\x40\x1f\0\0\x01\0\x08\0data\0\0\0\0";

struct Conformance;
export!(Conformance);

impl Guest for Conformance {
    fn list_tools() -> Vec<Tool> {
        let none = json!({ "type": "object", "properties": {} });
        let free = FREE.map(|(name, description)| tool(name, description, &none, Price::Free));
        // Some suites send the arguments of their own question along.
        let sold = SOLD.map(|name| tool(name, "Answers when it is paid for.", &none, cent()));
        let mut tools: Vec<Tool> = free.into_iter().chain(sold).collect();
        let description = "Takes arguments that need all of JSON Schema 2020-12.";
        let full = schema::full();
        tools.push(tool(
            "json_schema_2020_12_tool",
            description,
            &full,
            Price::Free,
        ));
        let description = "Takes arguments that HTTP headers repeat.";
        let mirrored = schema::mirrored();
        tools.push(tool(
            "test_custom_headers",
            description,
            &mirrored,
            Price::Free,
        ));
        tools
    }

    fn call_tool(name: String, arguments: String, _context: Context) -> Result<Output, Failure> {
        Ok(match name.as_str() {
            "test_simple_text" => text("This is a simple text response for testing."),
            "test_image_content" => answer(vec![image()]),
            "test_audio_content" => answer(vec![Content::Audio(media(WAV, "audio/wav"))]),
            "test_embedded_resource" => answer(vec![resource(
                "test://embedded-resource",
                "text/plain",
                "This is an embedded resource content.",
            )]),
            "test_multiple_content_types" => answer(vec![
                Content::Text("Multiple content types test:".into()),
                image(),
                resource(
                    "test://mixed-content-resource",
                    "application/json",
                    r#"{"test":"data","value":123}"#,
                ),
            ]),
            "test_error_handling" => Output {
                is_error: true,
                ..text("This tool intentionally returns an error for testing")
            },
            "test_logging_tool" => {
                // For the operator's eyes: it must not reach the client.
                eprintln!("this line is logged");
                text("Written to the log.")
            }
            "test_tool_with_progress" => in_three_steps(),
            "json_schema_2020_12_tool" | "test_custom_headers" => text(&arguments),
            sold if SOLD.contains(&sold) => text("Paid for."),
            other => return Err(Failure::InvalidArguments(format!("no tool {other}"))),
        })
    }
}

fn in_three_steps() -> Output {
    for (step, done) in [0.0, 50.0, 100.0].into_iter().enumerate() {
        if step > 0 {
            // Reports closer to each other than a tenth of a second are not all passed on.
            std::thread::sleep(Duration::from_millis(150));
        }
        progress::report(done, Some(100.0), None);
    }
    text("All three steps are done.")
}

fn tool(name: &str, description: &str, schema: &Value, price: Price) -> Tool {
    Tool {
        name: name.into(),
        title: None,
        description: description.into(),
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

fn cent() -> Price {
    Price::PerCall(Money {
        amount: "0.01".into(),
        currency: "USD".into(),
    })
}

fn answer(content: Vec<Content>) -> Output {
    Output {
        content,
        structured: None,
        is_error: false,
        meta: None,
    }
}

fn text(text: &str) -> Output {
    answer(vec![Content::Text(text.into())])
}

fn media(data: &[u8], mime: &str) -> Media {
    Media {
        data: data.to_vec(),
        mime_type: mime.into(),
    }
}

fn image() -> Content {
    Content::Image(media(PNG, "image/png"))
}

fn resource(uri: &str, mime: &str, body: &str) -> Content {
    Content::EmbeddedResource(EmbeddedResource {
        uri: uri.into(),
        mime_type: Some(mime.into()),
        body: ResourceBody::Text(body.into()),
    })
}
