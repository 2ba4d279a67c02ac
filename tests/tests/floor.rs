//! The raw clients and the harness, tried on the bare server: a fault of theirs shows here first.

use coinop_tests::client::Client;
use coinop_tests::era::Era;
use coinop_tests::host::HttpHost;
use coinop_tests::paths;
use coinop_tests::stdio::StdioClient;
use serde_json::json;
use tokio::process::Command;

async fn check(client: &Client) {
    assert_eq!(client.tools().await, ["echo"]);
    let answer = client.call("echo", json!({ "text": "€" })).await;
    assert_eq!(answer.text(), "€");
    assert!(client.call("echo", json!({})).await.is_refused());
}

#[tokio::test]
async fn stdio_in_both_eras() {
    for era in [Era::Legacy, Era::Modern] {
        let client = StdioClient::start(Command::new(paths::binary("bare")), era).await;
        check(&Client::Stdio(client)).await;
    }
}

#[tokio::test]
async fn http_in_both_eras() {
    let mut command = Command::new(paths::binary("bare"));
    command.arg("--http");
    let host = HttpHost::start(command).await;
    for era in [Era::Legacy, Era::Modern] {
        check(&host.client(era).await).await;
    }
}
