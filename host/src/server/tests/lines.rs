//! stdio, line by line.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{
    AsyncBufReadExt, AsyncWriteExt, BufReader, DuplexStream, Lines, ReadHalf, WriteHalf,
};

use crate::server::stdio::{LINE_BYTES_MAX, serve_on};
use crate::server::testing::Fixture;

/// A client that writes raw lines.
pub(super) struct Client {
    pub(super) fixture: Fixture,
    read: Lines<BufReader<ReadHalf<DuplexStream>>>,
    write: WriteHalf<DuplexStream>,
}

pub(in crate::server) const INITIALIZE: &str = r#"{"jsonrpc":"2.0","id":"init","method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"test","version":"0"}}}"#;
pub(in crate::server) const INITIALIZED: &str =
    r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#;

/// Modern requests carry what legacy ones said once.
pub(super) fn modern_meta() -> Value {
    json!({
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientCapabilities": {},
        "io.modelcontextprotocol/clientInfo": {"name": "test", "version": "0"},
    })
}

impl Client {
    /// A connection on which nothing was said.
    pub(super) fn connect() -> Self {
        Self::connect_to(Fixture::new())
    }

    /// As [`Client::connect`], to a server of one's own.
    pub(super) fn connect_to(fixture: Fixture) -> Self {
        let (near, far) = tokio::io::duplex(64 << 10);
        let (read, write) = tokio::io::split(far);
        tokio::spawn(serve_on(fixture.server.clone(), read, write));
        let (read, write) = tokio::io::split(near);
        Self {
            fixture,
            read: BufReader::new(read).lines(),
            write,
        }
    }

    /// A connection after the legacy handshake.
    pub(super) async fn legacy() -> Self {
        let mut client = Self::connect();
        client.send(INITIALIZE).await;
        assert_eq!(
            client.receive().await["result"]["serverInfo"]["name"],
            "coinop"
        );
        client.send(INITIALIZED).await;
        client
    }

    pub(super) async fn send(&mut self, line: impl AsRef<[u8]>) {
        self.write.write_all(line.as_ref()).await.unwrap();
        self.write.write_all(b"\n").await.unwrap();
    }

    pub(super) async fn receive(&mut self) -> Value {
        let line = tokio::time::timeout(Duration::from_secs(10), self.read.next_line()).await;
        serde_json::from_str(&line.unwrap().unwrap().unwrap()).unwrap()
    }

    pub(super) async fn ask(&mut self, line: impl AsRef<[u8]>) -> Value {
        self.send(line).await;
        self.receive().await
    }
}

pub(in crate::server) fn call(id: u32, tool: &str, params: Value) -> String {
    let mut all = json!({"name": tool, "arguments": {}});
    all.as_object_mut()
        .unwrap()
        .extend(params.as_object().unwrap().clone());
    json!({"jsonrpc": "2.0", "id": id, "method": "tools/call", "params": all}).to_string()
}

fn error(answer: &Value) -> (i64, &Value) {
    (answer["error"]["code"].as_i64().unwrap(), &answer["id"])
}

#[tokio::test]
async fn tools_are_listed_in_a_stable_order_in_both_eras() {
    let mut legacy = Client::legacy().await;
    let listed = legacy
        .ask(r#"{"jsonrpc":"2.0","id":1,"method":"tools/list"}"#)
        .await;
    let mut modern = Client::connect();
    let request = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {"_meta": modern_meta()}});
    let listed_modern = modern.ask(request.to_string()).await;
    for listed in [&listed, &listed_modern] {
        let tools = listed["result"]["tools"].as_array().unwrap();
        let names: Vec<_> = tools
            .iter()
            .map(|tool| tool["name"].as_str().unwrap())
            .collect();
        assert_eq!(names, ["confirm_paid", "echo", "paid", "steps", "wait"]);
    }
    assert_eq!(listed_modern["result"]["resultType"], "complete");
}

#[tokio::test]
async fn a_call_is_answered_and_the_caller_is_the_local_user() {
    let mut client = Client::legacy().await;
    let answer = client
        .ask(call(1, "echo", json!({"arguments": {"a": "é"}})))
        .await;
    assert_eq!(
        answer["result"]["content"][0]["text"],
        r#"local:user {"a":"é"}"#
    );
    let answer = client.ask(call(2, "paid", json!({}))).await;
    assert_eq!(
        answer["result"]["structuredContent"]["status"],
        "payment_required"
    );
}

#[tokio::test]
async fn malformed_lines_are_answered_and_the_connection_lives_on() {
    let mut client = Client::connect();
    for bad in [
        &b"{"[..],
        b"nonsense",
        b"{\"id\":1,\"a\":\"\xff\xfe\"}",
        b"\xf0\x9f",
    ] {
        let answer = client.ask(bad).await;
        assert_eq!(error(&answer), (-32700, &Value::Null), "{bad:?}");
        assert!(answer.as_object().unwrap().contains_key("id"));
    }
    assert_eq!(client.ask(INITIALIZE).await["id"], "init");
    client.send(INITIALIZED).await;
    assert_eq!(error(&client.ask("}").await).0, -32700);
    assert_eq!(client.ask(call(3, "echo", json!({}))).await["id"], 3);
}

#[tokio::test]
async fn what_comes_before_the_handshake_does_not_end_the_connection() {
    let mut client = Client::connect();
    let cancelled =
        r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}}"#;
    client.send(cancelled).await;
    let answer = client.ask(call(1, "echo", json!({}))).await;
    assert_eq!(error(&answer).0, -32602);
    client.send(cancelled).await;
    let discover = json!({"jsonrpc": "2.0", "id": 2, "method": "server/discover", "params": {"_meta": modern_meta()}});
    let answer = client.ask(discover.to_string()).await;
    assert!(
        answer["result"]["supportedVersions"]
            .as_array()
            .unwrap()
            .len()
            > 1
    );
    client.send(cancelled).await;
    assert_eq!(client.ask(INITIALIZE).await["id"], "init");
    assert_eq!(client.ask(call(3, "echo", json!({}))).await["id"], 3);
}

#[tokio::test]
async fn duplicate_keys_never_reach_a_tool() {
    let mut client = Client::legacy().await;
    let line = r#"{"jsonrpc":"2.0","id":5,"method":"tools/call","params":{"name":"echo","arguments":{"to":"me","to":"you"}}}"#;
    let answer = client.ask(line).await;
    assert_eq!(error(&answer), (-32600, &json!(5)));
    assert!(
        answer["error"]["message"]
            .as_str()
            .unwrap()
            .contains("\"to\"")
    );
    assert!(client.fixture.ended.try_recv().is_err());
}

#[tokio::test]
async fn an_endless_line_is_refused_once_and_dropped() {
    let mut client = Client::legacy().await;
    let long = format!(
        r#"{{"jsonrpc":"2.0","id":1,"method":"{}"}}"#,
        "x".repeat(2 * LINE_BYTES_MAX)
    );
    let answer = client.ask(long).await;
    assert_eq!(error(&answer), (-32600, &Value::Null));
    assert_eq!(client.ask(call(2, "echo", json!({}))).await["id"], 2);
}

#[tokio::test]
async fn batches_and_bare_values_are_refused() {
    let mut client = Client::legacy().await;
    for bad in [
        "[]",
        r#"[{"jsonrpc":"2.0","id":1,"method":"ping"}]"#,
        "3",
        r#"{"jsonrpc":"2.0","id":4}"#,
    ] {
        assert_eq!(error(&client.ask(bad).await).0, -32600, "{bad}");
    }
}

#[tokio::test]
async fn an_unknown_tool_is_named_beside_the_known_ones() {
    let mut client = Client::legacy().await;
    let answer = client.ask(call(1, "ech", json!({}))).await;
    assert_eq!(error(&answer).0, -32602);
    assert_eq!(answer["error"]["data"]["requested_tool"], "ech");
    assert_eq!(answer["error"]["data"]["available_tools"][1], "echo");
}

#[tokio::test]
async fn parameters_of_another_shape_are_not_taken_for_an_unknown_method() {
    let mut client = Client::legacy().await;
    for params in [
        json!({"name": "echo", "arguments": ["to", "me"]}),
        json!({"name": 5}),
        json!({}),
    ] {
        let request = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params});
        let answer = client.ask(request.to_string()).await;
        assert_eq!(error(&answer).0, -32602, "{params}");
        let message = answer["error"]["message"].as_str().unwrap();
        assert!(message.contains("arguments"), "{message}");
    }
    let unknown = r#"{"jsonrpc":"2.0","id":2,"method":"tools/sell"}"#;
    assert_eq!(error(&client.ask(unknown).await).0, -32601);
}

#[tokio::test]
async fn what_is_not_declared_is_not_there() {
    let mut client = Client::legacy().await;
    for method in ["prompts/list", "resources/list", "resources/templates/list"] {
        let answer = client
            .ask(json!({"jsonrpc": "2.0", "id": 1, "method": method}).to_string())
            .await;
        assert_eq!(error(&answer).0, -32601, "{method}");
    }
}

#[tokio::test]
async fn no_pipelined_request_is_lost() {
    const REQUESTS: u32 = 2_000;
    let mut client = Client::legacy().await;
    let lines: String = (0..REQUESTS)
        .map(|id| call(id, "echo", json!({})) + "\n")
        .collect();
    let mut write = client.write;
    let writer = tokio::spawn(async move {
        // Cut where no line ends, so that reads end inside messages and characters.
        for part in lines.as_bytes().chunks(4_099) {
            write.write_all(part).await.unwrap();
        }
        write
    });
    let mut seen = vec![false; REQUESTS as usize];
    for _ in 0..REQUESTS {
        let line = tokio::time::timeout(Duration::from_secs(30), client.read.next_line()).await;
        let answer: Value = serde_json::from_str(&line.unwrap().unwrap().unwrap()).unwrap();
        let id = answer["id"].as_u64().unwrap() as usize;
        assert!(answer["result"].is_object() && !std::mem::replace(&mut seen[id], true));
    }
    drop(writer.await.unwrap());
}

#[tokio::test]
async fn answers_in_flight_at_the_end_of_the_input_are_still_sent() {
    let mut client = Client::legacy().await;
    client.send(call(1, "echo", json!({}))).await;
    client.write.shutdown().await.unwrap();
    assert_eq!(client.receive().await["id"], 1);
}

#[tokio::test]
async fn a_client_quicker_than_the_first_scan_waits_for_it() {
    let mut client = Client::connect();
    client.fixture.ready.send_replace(false);
    client.send(INITIALIZE).await;
    client.receive().await;
    client.send(INITIALIZED).await;
    client
        .send(r#"{"jsonrpc":"2.0","id":1,"method":"tools/list"}"#)
        .await;
    client
        .send(r#"{"jsonrpc":"2.0","id":2,"method":"ping"}"#)
        .await;
    assert_eq!(client.receive().await["id"], 2);
    client.fixture.ready.send_replace(true);
    assert_eq!(
        client.receive().await["result"]["tools"]
            .as_array()
            .unwrap()
            .len(),
        5
    );
}
