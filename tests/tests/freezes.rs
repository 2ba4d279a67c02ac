//! Faults of other hosts, impossible here: one plugin's call that holds up anybody else.

use std::time::{Duration, Instant};

use coinop_tests::client::Client;
use coinop_tests::era::Era;
use coinop_tests::home::Home;
use coinop_tests::process::cpu_time;
use coinop_tests::stdio::StdioClient;
use coinop_tests::wait::{until, within};
use serde_json::{Value, json};

/// Far below the 44 ms of Nagle's algorithm against delayed acknowledgements, far above a call.
const CALL_MAX: Duration = Duration::from_millis(20);

/// Calls that are sent and left alone.
async fn start(client: &StdioClient, tool: &str, arguments: Value, count: usize) -> Vec<u64> {
    let mut ids = Vec::new();
    for _ in 0..count {
        let params = json!({ "name": tool, "arguments": arguments });
        let (id, answer) = client.send("tools/call", params).await;
        // Somebody must hold the receiver, or the answer would count as garbage.
        tokio::spawn(answer);
        ids.push(id);
    }
    ids
}

#[tokio::test]
async fn replies_over_http_do_not_wait_for_acknowledgements() {
    let home = Home::new().plugin("echo");
    let host = home.http().await;
    for era in [Era::Legacy, Era::Modern] {
        let client = host.client(era).await;
        client.call("echo", json!({ "text": "warm" })).await;
        let mut times = Vec::new();
        for _ in 0..41 {
            let started = Instant::now();
            client.call("echo", json!({ "text": "x" })).await;
            times.push(started.elapsed());
        }
        times.sort();
        assert!(
            times[20] < CALL_MAX,
            "{era:?}: the median call took {:?}",
            times[20]
        );
    }
}

#[tokio::test]
async fn looping_tools_stop_and_freeze_nobody() {
    let home = Home::new()
        .plugin("echo")
        .plugin("misbehave")
        .config("[limits]\ncpu_ms = 1500\n");
    let client = home.stdio(Era::Legacy).await;
    let looping = async {
        let calls = (0..4).map(|_| client.call("loop", json!({})));
        futures::future::join_all(calls).await
    };
    let others = async {
        for n in 0..5 {
            let text = n.to_string();
            assert_eq!(
                client.call("echo", json!({ "text": text })).await.text(),
                text
            );
        }
        Instant::now()
    };
    let (looped, others_done) = tokio::join!(async { (looping.await, Instant::now()) }, others);
    assert!(
        others_done < looped.1,
        "the other plugin waited for the loops"
    );
    for answer in looped.0 {
        assert!(answer.is_refused(), "{}", answer.0);
    }
}

#[tokio::test]
async fn a_cancelled_loop_stops_burning() {
    let home = Home::new()
        .plugin("misbehave")
        .config("[limits]\ncpu_ms = 60000\nwall_ms = 60000\n");
    let client = home.stdio(Era::Legacy).await.stdio();
    let id = start(&client, "loop", json!({}), 1).await[0];
    let pid = client.pid();
    let before = cpu_time(pid);
    until("the loop to burn", async || {
        (cpu_time(pid) - before > Duration::from_millis(300)).then_some(())
    })
    .await;
    client
        .notify(
            "notifications/cancelled",
            json!({ "requestId": id, "reason": "enough" }),
        )
        .await;
    until("the loop to stop", async || {
        let before = cpu_time(pid);
        tokio::time::sleep(Duration::from_millis(200)).await;
        (cpu_time(pid) - before < Duration::from_millis(40)).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_full_plugin_freezes_neither_ping_nor_the_list_nor_other_plugins() {
    let home = Home::new()
        .plugin("echo")
        .plugin("misbehave")
        .config("[limits]\nconcurrent_runs = 2\n");
    let client = home.stdio(Era::Legacy).await.stdio();
    // Two run, the others queue; none of them may hold what the requests below need.
    start(&client, "sleep", json!({ "ms": 15_000 }), 40).await;
    let started = Instant::now();
    for _ in 0..10 {
        assert!(client.request("ping", json!({})).await["result"].is_object());
        let listed = client.request("tools/list", json!({})).await;
        assert!(listed["result"]["tools"].is_array(), "{listed}");
        let echo = json!({ "name": "echo", "arguments": { "text": "free" } });
        let answer = client.request("tools/call", echo).await;
        assert_eq!(answer["result"]["content"][0]["text"], "free", "{answer}");
    }
    assert!(
        started.elapsed() < Duration::from_secs(10),
        "took {:?}",
        started.elapsed()
    );
}

#[tokio::test]
async fn the_list_does_not_ask_plugins() {
    let home = Home::new().plugin("misbehave");
    let host = home.http().await;
    let Client::Http(busy) = host.client(Era::Modern).await else {
        unreachable!("over HTTP")
    };
    let other = host.client(Era::Legacy).await;
    let looping = tokio::spawn(async move {
        let call = json!({ "name": "loop", "arguments": {} });
        let _ = busy.try_request("tools/call", call).await;
    });
    until("the loop to burn", async || {
        (cpu_time(host.pid()) > Duration::from_millis(500)).then_some(())
    })
    .await;
    assert!(other.tools().await.contains(&"loop".to_owned()));
    assert!(!looping.is_finished(), "the list waited for the loop");
    looping.abort();
}

#[tokio::test]
async fn a_sleeping_tool_ends_at_its_wall_clock_limit() {
    let home = Home::new()
        .plugin("misbehave")
        .config("[limits]\nwall_ms = 500\n");
    let client = home.stdio(Era::Modern).await;
    let answer = within(
        "the sleeper's end",
        client.call("sleep", json!({ "ms": 50_000 })),
    )
    .await;
    assert!(answer.is_refused(), "{}", answer.0);
}
