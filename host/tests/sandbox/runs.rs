//! What one run gives its caller: the answer, or a typed error for each way to misbehave.

use std::sync::Arc;
use std::time::Duration;

use coinop::sandbox::{FailureKind, RunError};
use coinop_core::outcome::Content;
use serde_json::{Value, json};

use crate::support::{Call, Heard, text_of};

#[tokio::test]
async fn echo_answers() {
    let echo = Call::of("echo").await;
    let text = "thirty-two bytes of text, or so.";
    assert_eq!(echo.text("echo", json!({ "text": text })).await, text);
}

#[tokio::test]
async fn every_kind_of_content_arrives() {
    let outcome = Call::of("echo").await.outcome("kinds", json!({})).await;
    let kinds: Vec<Value> = outcome
        .content
        .iter()
        .map(|block| serde_json::to_value(block).unwrap())
        .collect();
    assert_eq!(
        Value::Array(kinds),
        json!([
            { "type": "text", "text": "text" },
            { "type": "image", "data": "iVBORw==", "mime_type": "image/png" },
            { "type": "audio", "data": "UklGRg==", "mime_type": "audio/wav" },
            { "type": "embedded_text", "uri": "memo:1", "mime_type": "text/plain", "text": "a memo" },
            { "type": "embedded_blob", "uri": "memo:2", "mime_type": "application/octet-stream", "blob": "AQID" },
            { "type": "resource_link", "uri": "https://example.com/", "name": "example",
              "description": null, "mime_type": "text/html" },
            { "type": "raw", "json": "{\"annotations\":{\"audience\":[\"user\"]},\"text\":\"raw\",\"type\":\"text\"}" },
            { "type": "text", "text": "imagine a hologram" },
        ])
    );
}

#[tokio::test]
async fn structured_content_and_meta_arrive() {
    let sum = Call::of("echo")
        .await
        .outcome("sum", json!({ "a": 1, "b": 2.5 }))
        .await;
    assert_eq!(sum.structured.as_deref(), Some(r#"{"sum":3.5}"#));
    assert_eq!(sum.meta.as_deref(), Some(r#"{"example.com/exact":false}"#));
    assert_eq!(text_of(&sum), r#"{"sum":3.5}"#);
}

#[tokio::test]
async fn a_run_is_told_its_id_its_time_and_nothing_else() {
    let told = Call::of("misbehave").await.text("context", json!({})).await;
    let told: Value = serde_json::from_str(&told).unwrap();
    assert_eq!(told["call_id"], "call_1");
    assert!((29_000..=30_000).contains(&told["remaining_ms"].as_u64().unwrap()));
    assert_eq!(
        (&told["caller"], &told["meta"]),
        (&Value::Null, &Value::Null)
    );
}

#[tokio::test]
async fn settings_are_handed_over_by_key() {
    let mut call = Call::of("misbehave").await;
    call.settings.insert("units".into(), "metric".into());
    assert_eq!(
        call.text("setting", json!({ "key": "units" })).await,
        "metric"
    );
    assert_eq!(
        call.text("setting", json!({ "key": "other" })).await,
        "(not set)"
    );
}

#[tokio::test]
async fn a_fresh_instance_for_every_call() {
    let call = Call::of("misbehave").await;
    for _ in 0..5 {
        assert_eq!(call.text("count", json!({})).await, "1");
    }
}

#[tokio::test]
async fn nothing_of_the_host_can_be_seen() {
    let seen = Call::of("misbehave")
        .await
        .text("look_around", json!({}))
        .await;
    let seen: Value = serde_json::from_str(&seen).unwrap();
    assert_eq!(
        seen,
        json!({ "arguments": 0, "environment": 0, "root": false, "passwd": false, "written": false,
            "connected": false, "stdin": 0 })
    );
}

#[tokio::test]
async fn metering_without_a_metered_price_is_harmless() {
    assert_eq!(
        Call::of("misbehave").await.text("meter", json!({})).await,
        "true"
    );
}

#[tokio::test]
async fn a_trap_tells_nothing_of_stderr() {
    let report = Call::of("misbehave").await.report("trap", json!({})).await;
    let error = report.result.unwrap_err();
    assert!(matches!(error, RunError::Trap { .. }), "{error}");
    assert!(!error.to_string().contains("hunter2"), "{error}");
    assert!(report.log.text.contains("hunter2"), "{}", report.log.text);
}

#[tokio::test]
async fn leaving_is_no_answer() {
    let error = Call::of("misbehave").await.error("exit", json!({})).await;
    assert_eq!(
        error.to_string(),
        "the tool crashed: it left with exit code 0 instead of answering"
    );
}

#[tokio::test]
async fn a_loop_ends_at_its_processor_time() {
    let mut call = Call::of("misbehave").await;
    call.limits.cpu_ms_max = 50;
    let report = call.report("loop", json!({})).await;
    assert_eq!(report.result, Err(RunError::CpuTime { limit_ms: 50 }));
    assert!(
        report.wall >= Duration::from_millis(50),
        "{:?}",
        report.wall
    );
}

#[tokio::test]
async fn a_sleeper_ends_at_its_wall_time() {
    let mut call = Call::of("misbehave").await;
    call.limits.wall_ms_max = 60;
    let report = call.report("sleep", json!({ "ms": 60_000 })).await;
    assert_eq!(report.result, Err(RunError::WallTime { limit_ms: 60 }));
    assert!(report.wall < Duration::from_secs(20), "{:?}", report.wall);
}

#[tokio::test]
async fn sleeping_costs_no_processor_time() {
    let mut call = Call::of("misbehave").await;
    call.limits.cpu_ms_max = 100;
    // Every nap ends beyond an epoch: counting ticks instead of time would call it 1,000 ms.
    assert_eq!(call.text("naps", json!({ "count": 200 })).await, "rested");
}

#[tokio::test]
async fn memory_beyond_the_limit_is_named() {
    let mut call = Call::of("misbehave").await;
    call.limits.memory_bytes_max = 16 << 20;
    match call.error("allocate", json!({})).await {
        RunError::Memory { requested, limit } => {
            assert!(
                requested > limit && limit == 16 << 20,
                "{requested} {limit}"
            );
        }
        other => panic!("{other}"),
    }
    assert_eq!(call.text("allocate_politely", json!({})).await, "enough");
}

#[tokio::test]
async fn a_guest_larger_than_its_limit_never_starts() {
    let mut call = Call::of("misbehave").await;
    call.limits.memory_bytes_max = 64 << 10;
    let error = call.error("count", json!({})).await;
    assert!(matches!(error, RunError::Memory { .. }), "{error}");
}

#[tokio::test]
async fn deep_recursion_is_named() {
    let call = Call::of("misbehave").await;
    let error = call
        .error("overflow", json!({ "depth": 100_000_000 }))
        .await;
    assert_eq!(error, RunError::StackOverflow);
    assert_eq!(call.text("overflow", json!({ "depth": 100 })).await, "100");
}

#[tokio::test]
async fn a_gigabyte_is_refused() {
    let mut call = Call::of("misbehave").await;
    let gigabyte = json!({ "bytes": 1 << 30 });
    let error = call.error("big", gigabyte.clone()).await;
    assert!(matches!(error, RunError::Memory { .. }), "{error}");
    call.limits.memory_bytes_max = 3 << 30;
    let limit = call.limits.output_bytes_max;
    assert_eq!(
        call.error("big", gigabyte).await,
        RunError::Output { limit }
    );
}

#[tokio::test]
async fn the_output_limit_is_exact() {
    let mut call = Call::of("misbehave").await;
    call.limits.output_bytes_max = 1000;
    assert_eq!(call.text("big", json!({ "bytes": 1000 })).await.len(), 1000);
    let error = call.error("big", json!({ "bytes": 1001 })).await;
    assert_eq!(error, RunError::Output { limit: 1000 });
    // Blocks without a byte in them still cost the host memory.
    let error = call.error("blocks", json!({ "count": 2_000_000 })).await;
    assert_eq!(error, RunError::Output { limit: 1000 });
}

#[tokio::test]
async fn printing_for_ever_fills_the_log_and_no_more() {
    let mut call = Call::of("misbehave").await;
    call.limits.cpu_ms_max = 50;
    call.limits.log_bytes_max = 1000;
    let report = call.report("print", json!({})).await;
    assert_eq!(report.result, Err(RunError::CpuTime { limit_ms: 50 }));
    assert_eq!(report.log.text.len(), 1000);
    assert!(report.log.dropped > 0);
}

#[tokio::test]
async fn what_a_good_call_prints_is_kept_for_the_operator() {
    let report = Call::of("misbehave")
        .await
        .report("stdout", json!({}))
        .await;
    assert_eq!(text_of(&report.result.unwrap()), "printed");
    assert!(
        report.log.text.starts_with("{\"jsonrpc\""),
        "{}",
        report.log.text
    );
    assert!(
        report.log.text.ends_with("on stderr\n"),
        "{}",
        report.log.text
    );
}

#[tokio::test]
async fn a_log_cut_within_a_character_is_no_panic() {
    let mut call = Call::of("misbehave").await;
    call.limits.log_bytes_max = 100;
    let report = call.report("mojibake", json!({ "bytes": 300 })).await;
    assert!(matches!(report.result, Err(RunError::Trap { .. })));
    assert_eq!(report.log.text, "€".repeat(33));
}

#[tokio::test]
async fn answers_that_are_not_valid_are_named() {
    let call = Call::of("misbehave").await;
    for (tool, arguments, reason) in [
        (
            "structured",
            json!({ "json": "{\"n\":" }),
            "structured content is not a JSON object",
        ),
        (
            "structured",
            json!({ "json": "[1]" }),
            "structured content is not a JSON object",
        ),
        (
            "structured",
            json!({ "json": "{\"n\":\"one\"}" }),
            "does not match its output schema: /n",
        ),
        ("structured", json!({}), "gave no structured content"),
        (
            "raw",
            json!({ "json": "{\"type\":\"video\"}" }),
            "not one of MCP's content blocks",
        ),
        (
            "meta",
            json!({ "json": "null" }),
            "meta is not a JSON object",
        ),
        ("bad_utf8", json!({}), "utf-8"),
    ] {
        let error = call.error(tool, arguments).await;
        assert!(
            matches!(error, RunError::InvalidOutput(_)),
            "{tool}: {error}"
        );
        assert!(error.to_string().contains(reason), "{tool}: {error}");
    }
    let good = call
        .outcome("structured", json!({ "json": "{\"n\":1}" }))
        .await;
    assert_eq!(good.structured.as_deref(), Some("{\"n\":1}"));
}

#[tokio::test]
async fn declared_failures_keep_their_kind() {
    let call = Call::of("misbehave").await;
    let cases = [
        ("failed", FailureKind::Failed),
        (
            "unavailable",
            FailureKind::Unavailable {
                retry_after_ms: Some(1500),
            },
        ),
        ("denied", FailureKind::Denied),
        ("timed-out", FailureKind::TimedOut),
        ("unsupported", FailureKind::Unsupported),
        ("other", FailureKind::Other("weather".into())),
    ];
    for (name, kind) in cases {
        let error = call
            .error("fail", json!({ "kind": name, "message": "sorry" }))
            .await;
        let message = "sorry".into();
        assert_eq!(error, RunError::Failed { kind, message });
    }
    let error = call
        .error(
            "fail",
            json!({ "kind": "invalid-arguments", "message": "which?" }),
        )
        .await;
    assert_eq!(error, RunError::InvalidArguments("which?".into()));
    let long = json!({ "kind": "failed", "message": "€".repeat(4000) });
    assert_eq!(call.error("fail", long).await.to_string(), "€".repeat(1365));
}

#[tokio::test]
async fn an_answer_that_says_error_is_an_answer() {
    let outcome = Call::of("misbehave")
        .await
        .outcome("is_error", json!({}))
        .await;
    assert!(outcome.is_error);
    assert_eq!(outcome.content, [Content::text("no such city")]);
}

#[tokio::test]
async fn a_tool_that_does_not_exist_is_named() {
    let error = Call::of("echo").await.error("ecoh", json!({})).await;
    assert_eq!(error, RunError::UnknownTool("ecoh".into()));
}

#[tokio::test]
async fn progress_is_heard_in_order() {
    let heard = Arc::new(Heard::default());
    let mut call = Call::of("echo").await;
    call.progress = Some(heard.clone());
    call.outcome("slow", json!({ "ms": 300 })).await;
    let heard = heard.0.lock().unwrap();
    assert!(heard.len() >= 2, "{heard:?}");
    assert!(
        heard.windows(2).all(|pair| pair[0].0 < pair[1].0),
        "{heard:?}"
    );
    let last = (10.0, Some(10.0), Some("step 10 of 10".to_owned()));
    assert_eq!(heard.last(), Some(&last));
}

#[tokio::test]
async fn a_flood_of_progress_is_thinned_and_its_messages_cut() {
    let heard = Arc::new(Heard::default());
    let mut call = Call::of("misbehave").await;
    call.progress = Some(heard.clone());
    let report = call.report("flood", json!({ "count": 20_000 })).await;
    report.result.unwrap();
    let heard = heard.0.lock().unwrap();
    let most = 2 + report.wall.as_millis() / 100;
    assert!(
        (heard.len() as u128) <= most,
        "{} in {:?}",
        heard.len(),
        report.wall
    );
    assert_eq!(heard[0].2.as_deref(), Some("é".repeat(512).as_str()));
    assert_eq!(heard.last().unwrap().0, 20_000.0);
}

#[tokio::test]
async fn progress_that_shrinks_is_not_passed_on() {
    let heard = Arc::new(Heard::default());
    let mut call = Call::of("misbehave").await;
    call.progress = Some(heard.clone());
    call.outcome("backwards", json!({})).await;
    let values: Vec<f64> = heard.0.lock().unwrap().iter().map(|r| r.0).collect();
    assert_eq!(values, [1.0, 3.0, 4.0]);
}
