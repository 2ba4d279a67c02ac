//! Endless, slow and huge: bounded by bytes, by waits, by the run's wall time.

use std::time::Duration;

use coinop::sandbox::RunError;
use serde_json::json;

use super::{granted, lines, refused, told};
use crate::servers::{Does, Server, ok};

const ENDLESS: Does = Does::NeverStops("HTTP/1.1 200 OK\r\n\r\n");
const STALLED: Does = Does::FallsSilent("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhel");

#[tokio::test]
async fn an_endless_answer_ends_at_the_runs_bytes() {
    let server = Server::that(ENDLESS).await;
    let mut call = granted(&[server.origin()]).await;
    call.limits.http_bytes_max = 1 << 20;
    let seen = told(&call, "drain", json!({ "url": server.origin() })).await;
    let error = seen["error"].as_str().unwrap();
    assert_eq!(
        error,
        "HTTP response body size exceeds limit: 1048576 bytes"
    );
    assert!(seen["bytes"].as_u64().unwrap() <= 1 << 20, "{seen}");
    server.left().await;
    let denied = lines(&call, "drain", json!({ "url": server.origin() })).await;
    let wanted = "move more than 1048576 bytes over HTTP in one run (limits.http_kib)";
    assert_eq!(denied, [(wanted.to_owned(), None)]);
}

#[tokio::test]
async fn what_a_guest_sends_counts_too() {
    let server = Server::that(Does::Swallows).await;
    let mut call = granted(&[server.origin()]).await;
    call.limits.http_bytes_max = 64 << 10;
    let upload = json!({ "url": server.origin(), "method": "POST", "bytes": 1 << 20 });
    let seen = told(&call, "upload", upload).await;
    assert_eq!(
        seen["error"], "ErrorCode::HttpRequestBodySize(Some(65536))",
        "{seen}"
    );
    assert!(seen["sent"].as_u64().unwrap() < 1 << 20, "{seen}");
    server.left().await;
}

#[tokio::test]
async fn a_request_leaves_no_handle_behind() {
    let call = granted(&[]).await;
    // More than a run may have handles, each with options of its own.
    let series = json!({ "url": "http://127.0.0.1:1", "count": 600 });
    let seen = told(&call, "series", series).await;
    assert_eq!(seen.as_array().unwrap().len(), 600);
}

#[tokio::test]
async fn all_answers_of_a_run_count_together() {
    let server = Server::that(ok("ten bytes.")).await;
    let mut call = granted(&[server.origin()]).await;
    call.limits.http_bytes_max = 25;
    let series = json!({ "url": server.origin(), "count": 3 });
    let seen = told(&call, "series", series).await;
    assert_eq!(
        (&seen[0]["body"], &seen[1]["body"]),
        (&json!("ten bytes."), &json!("ten bytes."))
    );
    assert_eq!(
        seen[2]["error"],
        "HTTP response body size exceeds limit: 25 bytes"
    );
}

#[tokio::test]
async fn requests_beyond_the_limit_are_not_sent() {
    let server = Server::that(ok("hello")).await;
    let mut call = granted(&[server.origin()]).await;
    call.limits.http_requests_max = 2;
    let series = json!({ "url": server.origin(), "count": 3 });
    let seen = told(&call, "series", series.clone()).await;
    assert_eq!(
        (&seen[1]["status"], &seen[2]["error"]),
        (&json!(200), &json!("ErrorCode::HttpRequestDenied"))
    );
    assert_eq!(server.heads().len(), 2);
    let denied = lines(&call, "series", series).await;
    let wanted = "send more than 2 requests in one run (limits.http_requests)";
    assert_eq!(denied, [(wanted.to_owned(), None)]);
}

#[tokio::test]
async fn waiting_for_a_server_counts_as_wall_time_and_its_end_closes_the_connection() {
    for does in [STALLED, Does::Swallows, ENDLESS] {
        let server = Server::that(does).await;
        let mut call = granted(&[server.origin()]).await;
        call.limits.wall_ms_max = 1000;
        call.limits.http_bytes_max = usize::MAX;
        let report = call
            .report("drain", json!({ "url": server.origin() }))
            .await;
        assert_eq!(report.result, Err(RunError::WallTime { limit_ms: 1000 }));
        assert!(report.wall < Duration::from_secs(20), "{:?}", report.wall);
        server.left().await;
    }
}

#[tokio::test]
async fn a_guest_may_be_less_patient_than_its_run() {
    let silent = Server::that(Does::Swallows).await;
    let stalled = Server::that(STALLED).await;
    let call = granted(&[silent.origin(), stalled.origin()]).await;
    for (server, wait, error) in [
        (&silent, "first_byte_ms", "ErrorCode::ConnectionReadTimeout"),
        (&stalled, "between_bytes_ms", "connection read timeout"),
    ] {
        let seen = told(&call, "drain", json!({ "url": server.origin(), wait: 50 })).await;
        assert_eq!(seen["error"], error, "{wait}");
        server.left().await;
    }
}

#[tokio::test]
async fn more_connections_than_a_run_may_have_wait_for_their_turn() {
    let server = Server::that(ok("hello")).await;
    let call = granted(&[server.origin()]).await;
    let seen = told(
        &call,
        "crowd",
        json!({ "url": server.origin(), "count": 40 }),
    )
    .await;
    // The guest reads the first answers only when it has sent all requests, so the last ones wait for those.
    let all = seen.as_array().unwrap();
    assert!(all.iter().all(|status| status == 200), "{seen}");
    assert!(server.connections() <= 40, "{}", server.connections());
}

#[tokio::test]
async fn connections_of_a_run_are_counted() {
    let silent = Server::that(Does::Swallows).await;
    let mut call = granted(&[silent.origin()]).await;
    call.limits.wall_ms_max = 1000;
    let crowd = json!({ "url": silent.origin(), "count": 40 });
    let error = call.error("crowd", crowd).await;
    assert_eq!(error, RunError::WallTime { limit_ms: 1000 });
    let connections = silent.connections();
    assert!((1..=8).contains(&connections), "{connections}");
}

#[tokio::test]
async fn heads_have_a_size() {
    let server = Server::that(ok("hello")).await;
    let call = granted(&[server.origin()]).await;
    let path = "a".repeat(17 << 10);
    let error = refused(&call, &format!("{}/{path}", server.origin())).await;
    assert_eq!(error, "ErrorCode::HttpRequestUriTooLong");
    let headers = json!({ "x-long": "a".repeat(65 << 10) });
    let seen = told(
        &call,
        "fetch",
        json!({ "url": server.origin(), "headers": headers }),
    )
    .await;
    let error = seen["error"].as_str().unwrap();
    assert!(
        error.starts_with("ErrorCode::HttpRequestHeaderSectionSize"),
        "{error}"
    );
    assert_eq!(server.connections(), 0);
}
