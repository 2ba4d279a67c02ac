//! JSON over HTTP to what listens on loopback.

use std::net::SocketAddr;

use serde_json::{Value, json};

use crate::http::Connection;
use crate::wait::within;

/// Posts `body` to a path; the status, and the answer where it is JSON.
pub(super) async fn post(addr: SocketAddr, path: &str, body: &Value) -> (u16, Value) {
    let answer = async {
        let mut connection = Connection::open(addr).await?;
        let headers = "content-type: application/json\r\nconnection: close\r\n";
        let body = body.to_string();
        connection
            .send("POST", path, headers, body.as_bytes())
            .await
    };
    let answer = within("an answer", answer).await.expect("it answers");
    let json = serde_json::from_slice(&answer.body).unwrap_or_default();
    (answer.status, json)
}

/// Asks a node.
pub(super) async fn ask(node: SocketAddr, method: &str, params: Value) -> Value {
    let body = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params });
    let (_, mut answer) = post(node, "/", &body).await;
    assert!(answer["error"].is_null(), "{method}: {}", answer["error"]);
    answer["result"].take()
}
