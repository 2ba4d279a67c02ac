//! What is on the wire, and what of a server's bytes is believed.

use serde_json::json;

use super::{fetched, granted, refused, told};
use crate::servers::{Does, Server, ok};

#[tokio::test]
async fn a_request_is_what_the_guest_made_and_a_host_header_that_it_cannot_make() {
    let server = Server::that(ok("hello")).await;
    let call = granted(&[server.origin()]).await;
    let headers = json!({ "authorization": "Bearer hunter2", "x-own": "yes" });
    let asked = json!({ "url": format!("{}/a/../b?c=%20d", server.origin()), "headers": headers });
    let report = call.report("fetch", asked).await;
    assert!(report.result.is_ok());
    let expected = format!(
        "GET /a/../b?c=%20d HTTP/1.1\r\nhost: 127.0.0.1:{}\r\nauthorization: Bearer hunter2\r\nx-own: yes\r\n\r\n",
        server.port
    );
    assert_eq!(server.heads(), [expected]);
    for name in [
        "host",
        "connection",
        "transfer-encoding",
        "upgrade",
        "proxy-authorization",
    ] {
        let headers = json!({ name: "evil.example" });
        let seen = told(
            &call,
            "fetch",
            json!({ "url": server.origin(), "headers": headers }),
        )
        .await;
        assert_eq!(seen["error"], "HeaderError::Forbidden", "{name}");
    }
}

#[tokio::test]
async fn a_query_without_a_path_is_sent_to_the_root() {
    for (suffix, target) in [("", "/"), ("?q", "/?q"), ("/?q", "/?q")] {
        let server = Server::that(ok("hello")).await;
        let call = granted(&[server.origin()]).await;
        fetched(&call, &format!("{}{suffix}", server.origin())).await;
        let heads = server.heads();
        assert!(
            heads[0].starts_with(&format!("GET {target} HTTP/1.1\r\n")),
            "{heads:?}"
        );
    }
}

#[tokio::test]
async fn bodies_go_both_ways() {
    let echoed = "HTTP/1.1 201 Created\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n";
    let server = Server::that(Does::AnswersAndCloses(echoed.to_owned())).await;
    let call = granted(&[server.origin()]).await;
    let asked = json!({ "url": server.origin(), "method": "POST", "body": "some", "headers": { "content-length": "4" } });
    let seen = told(&call, "fetch", asked).await;
    assert_eq!(
        (&seen["status"], &seen["body"]),
        (&json!(201), &json!("hello world")),
        "{seen}"
    );
    assert!(server.heads()[0].contains("content-length: 4\r\n"));
}

#[tokio::test]
async fn a_connection_serves_a_runs_next_request_and_no_other_run() {
    let server = Server::that(ok("hello")).await;
    let call = granted(&[server.origin()]).await;
    let series = json!({ "url": server.origin(), "count": 3 });
    let seen = told(&call, "series", series.clone()).await;
    assert_eq!(seen[2]["status"], 200);
    assert_eq!(server.connections(), 1);
    told(&call, "series", series).await;
    assert_eq!(server.connections(), 2);
}

#[tokio::test]
async fn a_server_that_hangs_up_after_each_answer_is_called_again() {
    let answer = "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello";
    let server = Server::that(Does::AnswersAndCloses(answer.to_owned())).await;
    let call = granted(&[server.origin()]).await;
    let seen = told(
        &call,
        "series",
        json!({ "url": server.origin(), "count": 3 }),
    )
    .await;
    let statuses: Vec<_> = (0..3).map(|at| &seen[at]["status"]).collect();
    assert_eq!(statuses, [200, 200, 200], "{seen}");
}

#[tokio::test]
async fn bytes_that_are_no_answer_are_an_error_of_the_protocol() {
    let long = format!(
        "HTTP/1.1 200 OK\r\nx-long: {}\r\n\r\n",
        "a".repeat(80 << 10)
    );
    let many = format!("HTTP/1.1 200 OK\r\n{}\r\n", "x-many: 1\r\n".repeat(200));
    let cases: [(&str, &str); 8] = [
        (
            "SSH-2.0-OpenSSH_9.9\r\n\r\n",
            "ErrorCode::HttpProtocolError",
        ),
        ("<html>hello</html>", "ErrorCode::HttpProtocolError"),
        (
            "HTTP/1.1 999999 Odd\r\n\r\n",
            "ErrorCode::HttpProtocolError",
        ),
        (&long, "ErrorCode::HttpResponseHeaderSectionSize(None)"),
        (&many, "ErrorCode::HttpResponseHeaderSectionSize(None)"),
        (
            "HTTP/1.1 200 OK\r\ncontent-le",
            "ErrorCode::HttpResponseIncomplete",
        ),
        ("", "ErrorCode::HttpResponseIncomplete"),
        (
            "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: raw\r\n\r\n",
            "ErrorCode::HttpUpgradeFailed",
        ),
    ];
    for (bytes, error) in cases {
        let server = Server::that(Does::AnswersAndCloses(bytes.to_owned())).await;
        let call = granted(&[server.origin()]).await;
        let shown: String = bytes.chars().take(40).collect();
        assert_eq!(refused(&call, &server.origin()).await, error, "{shown:?}");
    }
}

#[tokio::test]
async fn an_answer_that_breaks_off_is_told_as_such() {
    for (bytes, body, error) in [
        (
            "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhello",
            "hello",
            "incomplete HTTP response",
        ),
        (
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n",
            "hello",
            "incomplete HTTP response",
        ),
        (
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n",
            "",
            "HTTP protocol error",
        ),
    ] {
        let server = Server::that(Does::AnswersAndCloses(bytes.to_owned())).await;
        let call = granted(&[server.origin()]).await;
        let seen = fetched(&call, &server.origin()).await;
        assert_eq!(
            (&seen["body"], &seen["error"]),
            (&json!(body), &json!(error)),
            "{bytes:?}"
        );
    }
}

#[tokio::test]
async fn nobody_there_is_a_refused_connection() {
    let gone = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let origin = format!("http://{}", gone.local_addr().unwrap());
    drop(gone);
    let call = granted(std::slice::from_ref(&origin)).await;
    let error = refused(&call, &origin).await;
    assert_eq!(error, "ErrorCode::ConnectionRefused");
}

#[tokio::test]
async fn plain_words_are_no_tls() {
    for (does, error) in [
        (
            Does::Greets("220 mail.example ESMTP\r\n"),
            "ErrorCode::TlsProtocolError",
        ),
        (Does::Greets(""), "ErrorCode::ConnectionTerminated"),
        (Does::Swallows, "ErrorCode::ConnectionTimeout"),
    ] {
        let server = Server::that(does).await;
        let origin = format!("https://127.0.0.1:{}", server.port);
        let call = granted(std::slice::from_ref(&origin)).await;
        let seen = told(&call, "fetch", json!({ "url": origin, "connect_ms": 1000 })).await;
        assert_eq!(seen["error"], error);
    }
}
