//! Tools and functions whose tasks wait side by side, by WASI 0.3: that they do, that they reach no more than others,
//! and that they end as others do.

mod files;
mod later;
mod misuse;
mod reach;

use std::sync::Arc;

use coinop::plugin::Contract;
use coinop::sandbox::RunError;
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use crate::support::{Call, Heard};

/// A call with grants of HTTP.
async fn granted(http: &[String]) -> Call {
    let mut call = Call::of("concurrent").await;
    call.grants.http = http.iter().map(|text| text.parse().unwrap()).collect();
    call
}

#[tokio::test]
async fn one_task_goes_on_while_another_waits() {
    let mut call = Call::of("concurrent").await;
    let heard = Arc::new(Heard::default());
    call.progress = Some(Arc::clone(&heard) as _);
    let order = call.text("interleave", json!({})).await;
    assert_eq!(order, "a1 b1 a2 b2");
    let heard = heard.0.lock().unwrap();
    assert_eq!(heard.last().unwrap().0, 4.0);
}

/// Answers nothing until there are two requests: whoever sends them one after another waits for ever.
async fn answers_two_at_a_time(listener: TcpListener) {
    let mut first = listener.accept().await.unwrap().0;
    let mut second = listener.accept().await.unwrap().0;
    for stream in [&mut second, &mut first] {
        read_head(stream).await;
    }
    for stream in [&mut second, &mut first] {
        let answer = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";
        stream.write_all(answer.as_bytes()).await.unwrap();
    }
}

async fn read_head(stream: &mut TcpStream) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.unwrap());
    }
}

#[tokio::test]
async fn two_requests_of_one_call_are_on_their_way_at_a_time() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    let server = tokio::spawn(answers_two_at_a_time(listener));
    let call = granted(&[format!("GET {origin}")]).await;
    let urls = json!({ "first": format!("{origin}/a"), "second": format!("{origin}/b") });
    let told = call.text("fetch_both", urls).await;
    assert_eq!(told, r#"(Ok("200 ok"), Ok("200 ok"))"#);
    server.await.unwrap();
}

#[tokio::test]
async fn a_declared_failure_is_one() {
    let error = Call::of("concurrent").await.error("fail", json!({})).await;
    assert!(matches!(error, RunError::Failed { .. }), "{error}");
    assert_eq!(error.to_string(), "call_1 did not work");
}

#[tokio::test]
async fn what_is_left_behind_ends_with_the_answer() {
    let call = Call::of("concurrent").await;
    let report = call.report("outlive", json!({})).await;
    assert!(report.result.is_ok(), "{:?}", report.result);
    assert!(!report.log.text.contains("it went on"), "{:?}", report.log);
}

#[tokio::test]
async fn asynchronous_functions_of_other_hosts_components_are_tools() {
    let call = Call::of("other-host-async").await;
    let Contract::Derived { left_out } = &call.component.manifest().contract else {
        panic!("{:?}", call.component.manifest().contract);
    };
    let left_out: Vec<_> = left_out.iter().map(|l| (&*l.function, &*l.why)).collect();
    assert_eq!(
        left_out,
        [(
            "local:other-host-async/sums#add-all",
            "its parameter numbers contains a stream, which has no form in JSON"
        )]
    );
    let told = call.text("wait_twice", json!({ "ms": 1 })).await;
    assert_eq!(told, "waited for 1 ms");
    assert_eq!(call.text("now", json!({})).await, "synchronously");
    assert_eq!(call.text("sums_add", json!({ "a": 1, "b": 2 })).await, "3");
    let failed = call.error("sums_add", json!({ "a": 1, "b": u32::MAX }));
    assert_eq!(failed.await.to_string(), "too large");
}

#[tokio::test]
async fn an_asynchronous_function_has_the_limits_of_every_run() {
    let mut call = Call::of("other-host-async").await;
    call.limits.wall_ms_max = 100;
    let error = call.error("wait_for_ever", json!({})).await;
    assert_eq!(error, RunError::WallTime { limit_ms: 100 });
}
