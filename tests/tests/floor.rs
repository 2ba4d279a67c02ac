//! The raw clients and the harness, tried on the bare server: a fault of theirs shows here first.

use coinop_tests::client::Client;
use coinop_tests::era::Era;
use coinop_tests::host::HttpHost;
use coinop_tests::paths;
use coinop_tests::script::{Language, Script, Target};
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
        check(&Client::Stdio(Box::new(client))).await;
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

#[tokio::test]
async fn real_clients_in_both_eras_on_both_transports() {
    let bare = paths::binary("bare");
    let mut serve_http = Command::new(&bare);
    serve_http.arg("--http");
    let host = HttpHost::start(serve_http).await;
    for language in [Language::Python, Language::Node] {
        for era in [Era::Legacy, Era::Modern] {
            let program = bare.to_str().unwrap().to_owned();
            for target in [Target::Stdio(vec![program]), Target::Http(&host)] {
                let mut client = Script::start(language, era, target).await;
                assert_eq!(client.tools().await, ["echo"]);
                let answer = client.call("echo", json!({ "text": "€" })).await;
                assert_eq!(answer.text(), "€", "{language:?} {era:?}");
                assert!(client.call("echo", json!({})).await.is_refused());
                client.quit().await;
            }
        }
    }
}
