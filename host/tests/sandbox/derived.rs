//! Components made for other hosts: what their functions become, and that every value arrives as it was sent.

use coinop::plugin::{Contract, LeftOut, ToolDecl};
use coinop::sandbox::{FailureKind, LoadError, RunError};
use coinop_core::outcome::Content;
use serde_json::{Value, json};

use crate::support::{Call, assembled, load, load_error};

fn schema(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

async fn tool(guest: &str, name: &str) -> ToolDecl {
    let component = load(guest).await;
    let tools = &component.manifest().tools;
    tools.iter().find(|tool| tool.name == name).unwrap().clone()
}

#[tokio::test]
async fn every_exported_function_is_a_tool() {
    let component = load("other-host").await;
    let tools = &component.manifest().tools;
    let mut names: Vec<&str> = tools.iter().map(|tool| tool.name.as_str()).collect();
    names.sort_unstable();
    assert_eq!(
        names,
        [
            "eval",
            "fetch",
            "filesystem_delete_file",
            "filesystem_get_file_info",
            "filesystem_list_directory",
            "get_weather",
            "time_get_current_time",
        ]
    );
    assert!(tools.iter().all(|tool| tool.price.is_none()));
}

#[tokio::test]
async fn functions_with_resources_are_left_out_and_named() {
    let component = load("other-host").await;
    let Contract::Derived { left_out } = &component.manifest().contract else {
        panic!("{:?}", component.manifest().contract);
    };
    let shells = "local:other-host/shells@1.0.0";
    let expected = [
        ("[constructor]shell", "its answer"),
        ("[method]shell.run", "its parameter self"),
        ("open", "its answer"),
    ];
    let expected = expected.map(|(function, what)| LeftOut {
        function: format!("{shells}#{function}"),
        why: format!("{what} contains a resource, which has no form in JSON"),
    });
    for left_out in left_out {
        assert!(expected.contains(left_out), "{left_out:?}");
    }
    assert_eq!(left_out.len(), expected.len());
}

#[tokio::test]
async fn schemas_follow_the_types() {
    let weather = tool("other-host", "get_weather").await;
    assert_eq!(
        weather.description,
        "Calls get-weather(city: string) -> result<string, string>."
    );
    assert_eq!(
        schema(&weather.input_schema),
        json!({
            "type": "object",
            "properties": { "city": { "type": "string" } },
            "required": ["city"],
            "additionalProperties": false,
        })
    );
    assert_eq!(
        schema(&weather.output_schema.unwrap()),
        json!({
            "type": "object",
            "properties": { "result": { "type": "string" } },
            "required": ["result"],
            "additionalProperties": false,
        })
    );
    let records = tool("values", "echo_records").await;
    let person = &schema(&records.input_schema)["properties"]["v"];
    assert_eq!(person["required"], json!(["name", "home-town"]));
    assert_eq!(person["additionalProperties"], json!(false));
    assert_eq!(
        person["properties"]["age"],
        json!({ "anyOf": [{ "type": "integer", "minimum": 0, "maximum": 255 }, { "type": "null" }] })
    );
}

#[tokio::test]
async fn a_result_is_an_answer_or_a_declared_failure() {
    let call = Call::of("other-host").await;
    let answer = call.outcome("get_weather", json!({ "city": "Oslo" })).await;
    assert_eq!(answer.content, [Content::text("It is mild in Oslo.")]);
    assert_eq!(
        schema(&answer.structured.unwrap()),
        json!({ "result": "It is mild in Oslo." })
    );
    let error = call
        .error("get_weather", json!({ "city": "Atlantis" }))
        .await;
    let kind = FailureKind::Failed;
    let message = "there is no weather in Atlantis".to_owned();
    assert_eq!(error, RunError::Failed { kind, message });
    let locked = call
        .error("filesystem_get_file_info", json!({ "path": "/locked" }))
        .await;
    assert_eq!(
        locked.to_string(),
        r#"{"tag":"denied","val":"it is locked"}"#
    );
}

#[tokio::test]
async fn functions_that_answer_nothing_say_that_they_are_done() {
    let call = Call::of("values").await;
    assert_eq!(call.text("answer_nothing", json!({})).await, "Done.");
    let fail = |fail: bool| json!({ "fail": fail });
    assert_eq!(call.text("answer_bare", fail(false)).await, "Done.");
    assert_eq!(call.text("answer_only_failure", fail(false)).await, "Done.");
    assert_eq!(call.text("answer_only_success", fail(false)).await, "7");
    for (tool, message) in [
        ("answer_bare", "the tool failed without saying why"),
        ("answer_only_failure", "7"),
        ("answer_only_success", "the tool failed without saying why"),
    ] {
        let error = call.error(tool, fail(true)).await;
        assert!(matches!(error, RunError::Failed { .. }), "{error:?}");
        assert_eq!(error.to_string(), message);
    }
}

/// Sends `value` as `v` and expects it back.
async fn comes_back(call: &Call, tool: &str, value: Value) {
    let answer = call.outcome(tool, json!({ "v": value })).await;
    let structured = schema(&answer.structured.unwrap());
    assert_eq!(structured, json!({ "result": value }), "{tool}");
}

#[tokio::test]
async fn every_value_comes_back_as_it_was_sent() {
    let call = Call::of("values").await;
    let small = json!([-128, 255, -32768, 65535, -2147483648_i64, 4294967295_u32]);
    comes_back(&call, "echo_small", small).await;
    let least = json!(["-9223372036854775808", "18446744073709551615"]);
    comes_back(&call, "echo_wide", least).await;
    let safe = json!([-9007199254740991_i64, 9007199254740991_i64]);
    comes_back(&call, "echo_wide", safe).await;
    comes_back(&call, "echo_floats", json!([0.1, 0.1])).await;
    comes_back(&call, "echo_floats", json!(["NaN", "-Infinity"])).await;
    comes_back(&call, "echo_chars", json!("🪙")).await;
    comes_back(&call, "echo_strings", json!("\u{0}\"é")).await;
    comes_back(&call, "echo_bytes", json!("AAH/")).await;
    comes_back(&call, "echo_lists", json!([[], ["a", ""]])).await;
    let person = json!({ "name": "Ada", "age": null,
        "home-town": { "name": "London", "position": [51.5, -0.125] } });
    comes_back(&call, "echo_records", person).await;
    let forms = json!([
        { "tag": "point" },
        { "tag": "circle", "val": 2.5 },
        { "tag": "polygon", "val": [[0, 1], [2, 3]] },
        { "tag": "nested", "val": null },
        { "tag": "nested", "val": "dark-blue" },
    ]);
    comes_back(&call, "echo_variants", forms).await;
    comes_back(&call, "echo_enums", json!("green")).await;
    comes_back(&call, "echo_flags", json!(["read", "run-it"])).await;
    comes_back(&call, "echo_flags", json!([])).await;
    comes_back(&call, "echo_bools", json!(true)).await;
}

#[tokio::test]
async fn options_and_results_within_values() {
    let call = Call::of("values").await;
    let options = [
        (json!({}), json!([null, null])),
        (json!({ "v": null, "w": "x" }), json!([null, "x"])),
        (
            json!({ "v": { "some": null } }),
            json!([{ "some": null }, null]),
        ),
        (json!({ "v": { "some": 3 } }), json!([{ "some": 3 }, null])),
    ];
    for (arguments, expected) in options {
        let answer = call.outcome("echo_options", arguments).await;
        let structured = schema(&answer.structured.unwrap());
        assert_eq!(structured["result"], expected);
    }
    let arguments = json!({
        "v": [{ "tag": "ok", "val": 1 }, { "tag": "err", "val": "no" }],
        "w": [{ "tag": "ok" }, { "tag": "err" }],
    });
    let answer = call.outcome("echo_results", arguments.clone()).await;
    let structured = schema(&answer.structured.unwrap());
    assert_eq!(
        structured["result"],
        json!([arguments["v"], arguments["w"]])
    );
}

#[tokio::test]
async fn a_value_that_does_not_fit_is_named_by_its_place() {
    let call = Call::of("values").await;
    let cases = [
        ("echo_bools", json!({}), "lacks \"v\""),
        (
            "echo_bools",
            json!({ "v": true, "x": 1 }),
            "has a field that its type does not have",
        ),
        (
            "echo_small",
            json!({ "v": [0, 256, 0, 0, 0, 0] }),
            "/v/1: must be between 0 and 255 (u8)",
        ),
        (
            "echo_variants",
            json!({ "v": [{ "tag": "circle" }] }),
            "/v/0: \"circle\" lacks \"val\"",
        ),
        (
            "echo_bytes",
            json!({ "v": "A" }),
            "/v: must be base64, with padding",
        ),
        (
            "echo_records",
            json!({ "v": { "name": "x", "home-town": { "name": 3 } } }),
            "/v/home-town/name: must be a text",
        ),
    ];
    for (tool, arguments, message) in cases {
        let error = call.error(tool, arguments).await;
        assert_eq!(error, RunError::InvalidArguments(message.to_owned()));
    }
}

#[tokio::test]
async fn floats_that_are_no_numbers_are_texts() {
    let call = Call::of("values").await;
    assert_eq!(
        call.text("answer_not_a_number", json!({})).await,
        r#"["NaN","Infinity","-Infinity",-0.0,0.1]"#
    );
}

#[tokio::test]
async fn limits_hold_as_for_every_plugin() {
    let mut call = Call::of("values").await;
    let large = call
        .outcome("answer_flood", json!({ "bytes": 1_000_000 }))
        .await;
    assert_eq!(
        large.structured.unwrap().len(),
        1_333_336 + r#"{"result":""}"#.len()
    );
    call.limits.output_bytes_max = 64 << 10;
    let error = call.error("answer_flood", json!({ "bytes": 50_000 })).await;
    assert_eq!(error, RunError::Output { limit: 64 << 10 });
    let error = call
        .error("answer_flood", json!({ "bytes": 20_000_000 }))
        .await;
    assert_eq!(error, RunError::Output { limit: 64 << 10 });
    let report = call.report("answer_panic", json!({})).await;
    assert!(matches!(report.result, Err(RunError::Trap { .. })));
    assert!(report.log.text.contains("the table of values is gone"));
}

#[tokio::test]
async fn what_was_not_granted_is_refused_and_noted() {
    let call = Call::of("other-host").await;
    let report = call
        .report("fetch", json!({ "url": "https://example.com/a" }))
        .await;
    assert!(
        matches!(report.result, Err(RunError::Failed { .. })),
        "{:?}",
        report.result
    );
    assert_eq!(report.denials.len(), 1, "{:?}", report.denials);
    let files = call
        .error("filesystem_list_directory", json!({ "path": "/" }))
        .await;
    assert!(matches!(files, RunError::Failed { .. }), "{files:?}");
}

#[tokio::test]
async fn components_without_a_usable_function_are_refused() {
    let error = load_error("resources.wasm", assembled("only-resources.wat")).await;
    assert!(matches!(error, LoadError::NoTools { .. }), "{error}");
    assert!(
        error
            .to_string()
            .contains("make: its answer contains a resource"),
        "{error}"
    );
    for (file, what) in [
        ("command.wat", "command-line program"),
        ("http-server.wat", "HTTP server"),
    ] {
        let error = load_error("program.wasm", assembled(file)).await;
        assert!(matches!(error, LoadError::Program { .. }), "{error}");
        assert!(error.to_string().contains(what), "{error}");
    }
}
