//! Faults of other hosts, impossible here: what leaks from one call into another, into memory or onto the wire.

use coinop_tests::era::Era;
use coinop_tests::home::Home;
use coinop_tests::process::resident_bytes;
use coinop_tests::script::{Language, Script, Target};
use coinop_tests::stdio::StdioClient;
use serde_json::{Value, json};

async fn echoes(client: &StdioClient, count: usize) -> Vec<String> {
    let mut answers = Vec::with_capacity(count);
    for n in 0..count {
        let params = json!({ "name": "echo", "arguments": { "text": n.to_string() } });
        answers.push(client.send("tools/call", params).await.1);
    }
    let mut texts = Vec::with_capacity(count);
    for answer in answers {
        let answer: Value = coinop_tests::wait::within("an answer", answer)
            .await
            .unwrap();
        texts.push(
            answer["result"]["content"][0]["text"]
                .as_str()
                .unwrap_or_default()
                .to_owned(),
        );
    }
    texts
}

#[tokio::test]
async fn no_pipelined_request_is_lost() {
    let home = Home::new().plugin("echo");
    let client = home.stdio(Era::Legacy).await.stdio();
    // Fewer than may run and wait at a time: none is told that the tool is busy.
    let texts = echoes(&client, 1000).await;
    for (n, text) in texts.iter().enumerate() {
        assert_eq!(*text, n.to_string());
    }
}

/// A client that writes its requests and closes stdin still gets every answer.
#[tokio::test]
async fn requests_before_the_end_of_stdin_are_answered() {
    let home = Home::new().plugin("echo");
    let client = home.stdio(Era::Legacy).await.stdio();
    let mut answers = Vec::new();
    for n in 0..200 {
        let params = json!({ "name": "echo", "arguments": { "text": n.to_string() } });
        answers.push(client.send("tools/call", params).await.1);
    }
    assert!(client.quit().await.success());
    for (n, answer) in answers.into_iter().enumerate() {
        let answer = answer
            .await
            .unwrap_or_else(|_| panic!("answer {n} was lost"));
        assert_eq!(
            answer["result"]["content"][0]["text"],
            n.to_string(),
            "{answer}"
        );
    }
}

/// Three kilobytes a request, as rmcp once leaked, would be 18 MB here, each time. What an allocator takes when one more
/// thread gets work, it takes once.
#[tokio::test]
async fn memory_is_flat_over_many_calls() {
    let home = Home::new().plugin("echo");
    let client = home.stdio(Era::Legacy).await.stdio();
    for _ in 0..4 {
        echoes(&client, 500).await;
    }
    let mut grown = Vec::new();
    for _ in 0..3 {
        let before = resident_bytes(client.pid());
        for _ in 0..12 {
            echoes(&client, 500).await;
        }
        grown.push(resident_bytes(client.pid()).saturating_sub(before) >> 10);
        if grown.last().is_some_and(|kib| *kib < 6 << 10) {
            return;
        }
    }
    panic!("grew by {grown:?} KiB over 6000 calls each");
}

#[tokio::test]
async fn a_guests_stdout_never_reaches_the_protocol() {
    let home = Home::new().plugin("misbehave");
    let client = home.stdio(Era::Legacy).await.stdio();
    for _ in 0..3 {
        let call = json!({ "name": "stdout", "arguments": {} });
        let answer = client.request("tools/call", call).await;
        assert_eq!(
            answer["result"]["content"][0]["text"], "printed",
            "{answer}"
        );
    }
    client.request("ping", json!({})).await;
    assert_eq!(client.garbage(), Vec::<String>::new());
}

#[tokio::test]
async fn a_guest_keeps_no_state_for_the_next_caller() {
    let home = Home::new().plugin("misbehave");
    let host = home.http().await;
    let (one, other) = (
        host.client(Era::Modern).await,
        host.client(Era::Legacy).await,
    );
    for client in [&one, &other, &one] {
        assert_eq!(client.call("count", json!({})).await.text(), "1");
    }
}

#[tokio::test]
async fn a_guest_sees_nothing_of_the_host() {
    let home = Home::new().plugin("misbehave");
    let client = home.stdio(Era::Modern).await;
    let answer = client.call("look_around", json!({})).await;
    let seen: Value = serde_json::from_str(&answer.text()).unwrap();
    let nothing = json!({
        "arguments": 0, "environment": 0, "root": false, "passwd": false,
        "written": false, "connected": false, "stdin": 0,
    });
    assert_eq!(seen, nothing);
}

/// The log is cut at a number of bytes that falls into the middle of a character.
#[tokio::test]
async fn a_log_cut_within_a_character_harms_nobody() {
    let home = Home::new()
        .plugin("misbehave")
        .config("[limits]\nlog_kib = 1\n[quarantine]\nenabled = false\n");
    let client = home.stdio(Era::Legacy).await;
    for bytes in [1020, 1023, 1024, 1025, 100_000] {
        let answer = client.call("mojibake", json!({ "bytes": bytes })).await;
        assert!(answer.is_refused(), "{}", answer.0);
    }
    assert_eq!(client.call("count", json!({})).await.text(), "1");
}

/// What a guest says on stderr is for the operator.
#[tokio::test]
async fn a_callers_answer_holds_nothing_of_the_guests_log() {
    let home = Home::new().plugin("misbehave");
    let client = home.stdio(Era::Legacy).await;
    let answer = client.call("trap", json!({})).await;
    assert!(answer.is_refused(), "{}", answer.0);
    assert!(!answer.0.to_string().contains("hunter2"), "{}", answer.0);
}

/// The component is replaced while no host runs: its own code must run, not what was compiled of the old one.
#[tokio::test]
async fn replaced_code_is_never_stale() {
    let home = Home::new().own_cache().plugin("echo");
    let client = home.stdio(Era::Legacy).await;
    client.call("echo", json!({ "text": "compile" })).await;
    client.stdio().quit().await;

    let path = home.plugin_path("echo");
    let modified = std::fs::metadata(&path).unwrap().modified().unwrap();
    home.put_plugin("echo-v2", "echo");
    std::fs::File::options()
        .write(true)
        .open(&path)
        .unwrap()
        .set_modified(modified)
        .unwrap();

    let client = home.stdio(Era::Legacy).await;
    assert!(client.tools().await.contains(&"shout".to_owned()));
    assert_eq!(
        client.call("shout", json!({ "text": "new" })).await.text(),
        "NEW"
    );
    let beside: Vec<_> = std::fs::read_dir(path.parent().unwrap())
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert_eq!(
        beside,
        ["echo.wasm"],
        "native code has no place beside plugins"
    );
}

/// The first listing is no change: a client that lists after its greeting has it.
#[tokio::test]
async fn a_start_is_not_told_as_a_change() {
    let home = Home::new().plugin("echo");
    let client = home.stdio(Era::Legacy).await.stdio();
    client.request("tools/list", json!({})).await;
    assert_eq!(echoes(&client, 50).await.len(), 50);
    let told = client.take_notification("notifications/tools/list_changed");
    assert_eq!(told, None);
    home.put_plugin("echo-v2", "echo");
    client
        .notification("notifications/tools/list_changed")
        .await;
}

#[tokio::test]
async fn every_client_hears_of_a_change() {
    let home = Home::new().plugin("echo");
    let host = home.http().await;
    let mut clients = Vec::new();
    for (language, era) in [
        (Language::Python, Era::Legacy),
        (Language::Node, Era::Legacy),
        (Language::Node, Era::Modern),
    ] {
        let mut client = Script::start(language, era, Target::Http(&host)).await;
        client.tools().await;
        clients.push(client);
    }
    home.put_plugin("echo-v2", "echo");
    for mut client in clients {
        assert!(
            client
                .tools_after_change()
                .await
                .contains(&"shout".to_owned())
        );
    }
}
