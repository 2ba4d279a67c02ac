//! Streamable HTTP, by plain requests.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::routing::get;
use coinop_core::digest::Digest;
use reqwest::header::{ACCEPT, CONTENT_TYPE};
use reqwest::{Response, StatusCode};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use super::lines::{INITIALIZE, INITIALIZED, call, modern_meta};
use crate::catalog::Problem;
use crate::outbound;
use crate::quarantine::{Cause, End, Quarantine, Rules};
use crate::server::http::{Anonymous, ApiKey, Replies, Settings, serve};
use crate::server::testing::{Fixture, TOOLS, snapshot};

/// A served port and a client of it.
pub(super) struct Shop {
    pub(super) fixture: Fixture,
    pub(super) address: SocketAddr,
    pub(super) http: reqwest::Client,
    serving: JoinHandle<std::io::Result<()>>,
}

impl Shop {
    pub(super) async fn open(settings: Settings) -> Self {
        let fixture = Fixture::new();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let pages = Router::new().route("/pay/{link}", get(async || "a page"));
        let serving = tokio::spawn(serve(listener, fixture.server.clone(), settings, pages));
        let http = outbound::loopback(Duration::from_secs(60)).unwrap();
        Self {
            fixture,
            address,
            http,
            serving,
        }
    }

    pub(super) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub(super) async fn get(&self, path: &str) -> Response {
        self.http.get(self.url(path)).send().await.unwrap()
    }

    pub(super) async fn post(
        &self,
        headers: &[(&str, &str)],
        body: impl Into<reqwest::Body>,
    ) -> Response {
        self.request(headers, body).await
    }

    /// A request that owns what it needs.
    fn request<B: Into<reqwest::Body>>(
        &self,
        headers: &[(&str, &str)],
        body: B,
    ) -> impl Future<Output = Response> + Send + 'static + use<B> {
        let mut request = self
            .http
            .post(self.url("/mcp"))
            .header(CONTENT_TYPE, "application/json")
            .body(body);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        async move { request.send().await.unwrap() }
    }

    /// Sends a call that is not answered by itself, and drops the connection while it runs.
    async fn abandon(&self, headers: &[(&str, &str)], body: String) {
        let call = tokio::spawn(self.request(headers, body));
        self.until_in_flight().await;
        call.abort();
        assert!(call.await.unwrap_err().is_cancelled());
    }

    async fn until_in_flight(&self) {
        while self.fixture.server.calls_in_flight() == 0 {
            tokio::task::yield_now().await;
        }
    }

    /// Opens a legacy session and returns its id.
    pub(super) async fn session(&self, headers: &[(&str, &str)]) -> String {
        let response = self.post(headers, INITIALIZE).await;
        assert_eq!(response.status(), StatusCode::OK);
        let id = response.headers()["mcp-session-id"]
            .to_str()
            .unwrap()
            .to_owned();
        let mut headers = headers.to_vec();
        headers.push(("mcp-session-id", &id));
        assert_eq!(
            self.post(&headers, INITIALIZED).await.status(),
            StatusCode::ACCEPTED
        );
        id
    }
}

/// The headers a modern call of `tool` carries.
pub(super) fn modern(tool: &str) -> [(&'static str, &str); 3] {
    [
        ("mcp-protocol-version", "2026-07-28"),
        ("mcp-method", "tools/call"),
        ("mcp-name", tool),
    ]
}

pub(super) async fn json_of(response: Response) -> Value {
    assert_eq!(response.headers()[CONTENT_TYPE], "application/json");
    serde_json::from_str(&response.text().await.unwrap()).unwrap()
}

pub(super) fn key(name: &str) -> ApiKey {
    ApiKey {
        name: name.to_owned(),
        sha256: Digest::of(format!("key-of-{name}").as_bytes()),
    }
}

const ADA: (&str, &str) = ("authorization", "Bearer key-of-ada");
const BOB: (&str, &str) = ("x-api-key", "key-of-bob");

fn with_keys() -> Settings {
    Settings {
        api_keys: vec![key("ada"), key("bob")],
        ..Settings::default()
    }
}

#[tokio::test]
async fn both_eras_are_answered_in_json_and_know_the_caller() {
    let shop = Shop::open(with_keys()).await;
    let session = shop.session(&[ADA]).await;
    let answer = shop
        .post(
            &[ADA, ("mcp-session-id", &session)],
            call(1, "echo", json!({})),
        )
        .await;
    assert_eq!(
        json_of(answer).await["result"]["content"][0]["text"],
        "api_key:ada {}"
    );

    let mut headers = modern("echo").to_vec();
    headers.push(BOB);
    let answer = shop
        .post(&headers, call(1, "echo", json!({"_meta": modern_meta()})))
        .await;
    assert_eq!(
        json_of(answer).await["result"]["content"][0]["text"],
        "api_key:bob {}"
    );
    let answer = shop
        .post(
            &modern("echo"),
            call(1, "echo", json!({"_meta": modern_meta()})),
        )
        .await;
    assert_eq!(
        json_of(answer).await["result"]["content"][0]["text"],
        "anonymous {}"
    );
}

#[tokio::test]
async fn an_answer_with_progress_is_streamed_in_both_eras() {
    let shop = Shop::open(Settings::default()).await;
    let session = shop.session(&[]).await;
    let meta = json!({"progressToken": 1});
    let legacy = shop
        .post(
            &[("mcp-session-id", &session)],
            call(1, "steps", json!({"_meta": meta})),
        )
        .await;
    let mut meta = modern_meta();
    meta["progressToken"] = json!(1);
    let modern = shop
        .post(&modern("steps"), call(1, "steps", json!({"_meta": meta})))
        .await;
    for response in [legacy, modern] {
        assert_eq!(response.headers()[CONTENT_TYPE], "text/event-stream");
        let text = response.text().await.unwrap();
        assert_eq!(text.matches("notifications/progress").count(), 3, "{text}");
        assert!(
            text.find("\"progress\":3").unwrap() < text.find("done").unwrap(),
            "{text}"
        );
    }
}

#[tokio::test]
async fn event_streams_can_be_asked_for() {
    let shop = Shop::open(Settings {
        replies: Replies::EventStream,
        ..Settings::default()
    })
    .await;
    let session = shop.session(&[]).await;
    let answer = shop
        .post(&[("mcp-session-id", &session)], call(1, "echo", json!({})))
        .await;
    assert_eq!(answer.headers()[CONTENT_TYPE], "text/event-stream");
    assert!(answer.text().await.unwrap().contains("anonymous {}"));
}

#[tokio::test]
async fn what_is_no_request_is_answered_by_the_book() {
    let shop = Shop::open(Settings::default()).await;
    let cases: [(&[u8], i64, Value); 5] = [
        (b"{", -32700, Value::Null),
        (b"{\"id\":1,\"x\":\"\xff\"}", -32700, Value::Null),
        (
            br#"{"jsonrpc":"2.0","id":9,"method":"ping","method":"tools/call"}"#,
            -32600,
            Value::Null,
        ),
        (
            br#"{"jsonrpc":"2.0","id":9,"method":"tools/call","params":{"a":1,"a":2}}"#,
            -32600,
            json!(9),
        ),
        (br#"{"jsonrpc":"2.0","id":9}"#, -32600, json!(9)),
    ];
    for (body, code, id) in cases {
        let response = shop.post(&[], body).await;
        assert_eq!(response.status(), StatusCode::BAD_REQUEST);
        let answer = json_of(response).await;
        assert_eq!(
            (&answer["error"]["code"], &answer["id"]),
            (&json!(code), &id),
            "{body:?}"
        );
    }
    let long = shop
        .post(&[], vec![b' '; Settings::default().body_bytes_max + 1])
        .await;
    assert_eq!(long.status(), StatusCode::PAYLOAD_TOO_LARGE);
    let plain = shop
        .http
        .post(shop.url("/mcp"))
        .body("{}")
        .send()
        .await
        .unwrap();
    assert_eq!(plain.status(), StatusCode::UNSUPPORTED_MEDIA_TYPE);
}

#[tokio::test]
async fn foreign_hosts_and_origins_are_refused() {
    let shop = Shop::open(Settings {
        allowed_hosts: vec!["shop.example".into()],
        ..Settings::default()
    })
    .await;
    for (header, value, status) in [
        ("host", "evil.example", StatusCode::FORBIDDEN),
        ("host", "shop.example:444", StatusCode::OK),
        ("origin", "https://evil.example", StatusCode::FORBIDDEN),
        ("origin", "null", StatusCode::FORBIDDEN),
        ("origin", "http://localhost:6274", StatusCode::OK),
    ] {
        let response = shop.post(&[(header, value)], INITIALIZE).await;
        assert_eq!(response.status(), status, "{header}: {value}");
    }
    let page = shop
        .http
        .get(shop.url("/pay/x"))
        .header("host", "evil.example")
        .send()
        .await
        .unwrap();
    assert_eq!(page.status(), StatusCode::FORBIDDEN);
    assert_eq!(shop.get("/pay/x").await.text().await.unwrap(), "a page");
}

#[tokio::test]
async fn a_wrong_key_is_refused_and_no_key_where_one_is_needed() {
    let shop = Shop::open(with_keys()).await;
    let wrong = shop.post(&[("x-api-key", "guess")], INITIALIZE).await;
    assert_eq!(wrong.status(), StatusCode::UNAUTHORIZED);
    assert!(
        wrong.headers()["www-authenticate"]
            .to_str()
            .unwrap()
            .contains("invalid_token")
    );
    let shop = Shop::open(Settings {
        anonymous: Anonymous::Refused,
        ..with_keys()
    })
    .await;
    assert_eq!(
        shop.post(&[], INITIALIZE).await.status(),
        StatusCode::UNAUTHORIZED
    );
    assert_eq!(shop.post(&[BOB], INITIALIZE).await.status(), StatusCode::OK);
}

#[tokio::test]
async fn a_session_is_unknown_to_everybody_but_its_owner() {
    let shop = Shop::open(with_keys()).await;
    let id = shop.session(&[ADA]).await;
    let theirs = [("mcp-session-id", id.as_str())];
    let unknown = [("mcp-session-id", "3e9c2f34-7b5b-4b3c-9c39-53b6f2a0a001")];
    for headers in [[theirs[0], BOB], [unknown[0], BOB], [unknown[0], ADA]] {
        let response = shop.post(&headers, call(1, "echo", json!({}))).await;
        assert_eq!(response.status(), StatusCode::NOT_FOUND, "{headers:?}");
        assert_eq!(
            response.text().await.unwrap(),
            "Not Found: Session not found"
        );
    }
    for method in [reqwest::Method::GET, reqwest::Method::DELETE] {
        let request = shop
            .http
            .request(method, shop.url("/mcp"))
            .header(ACCEPT, "text/event-stream");
        let response = request.header("mcp-session-id", &id).send().await.unwrap();
        assert_eq!(response.status(), StatusCode::NOT_FOUND);
    }
    let response = shop
        .post(&[theirs[0], ADA], call(1, "echo", json!({})))
        .await;
    assert_eq!(response.status(), StatusCode::OK);
}

#[tokio::test]
async fn there_are_no_more_sessions_than_are_allowed() {
    let shop = Shop::open(Settings {
        sessions_max: 1,
        ..Settings::default()
    })
    .await;
    let id = shop.session(&[]).await;
    let refused = shop.post(&[], INITIALIZE).await;
    assert_eq!(refused.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert!(refused.headers().contains_key("retry-after"));
    let close = shop
        .http
        .delete(shop.url("/mcp"))
        .header("mcp-session-id", &id);
    assert_eq!(close.send().await.unwrap().status(), StatusCode::ACCEPTED);
    shop.session(&[]).await;
}

#[tokio::test]
async fn a_modern_caller_who_goes_away_cancels_and_a_legacy_one_does_not() {
    let mut shop = Shop::open(Settings::default()).await;
    let session = shop.session(&[]).await;
    let body = call(1, "wait", json!({"_meta": modern_meta()}));
    shop.abandon(&modern("wait"), body).await;
    assert_eq!(shop.fixture.ended.recv().await.unwrap(), "wait");

    let headers = [("mcp-session-id", session.as_str())];
    shop.abandon(&headers, call(7, "wait", json!({}))).await;
    let answer = shop.post(&headers, call(8, "echo", json!({}))).await;
    assert_eq!(answer.status(), StatusCode::OK);
    assert_eq!(shop.fixture.ended.recv().await.unwrap(), "echo");
    let cancel =
        json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 7}});
    shop.post(&headers, cancel.to_string()).await;
    assert_eq!(shop.fixture.ended.recv().await.unwrap(), "wait");
}

#[tokio::test]
async fn a_head_that_never_ends_is_not_waited_for() {
    let head_wait = Duration::from_millis(50);
    let shop = Shop::open(Settings {
        head_wait,
        ..Settings::default()
    })
    .await;
    let mut slow = tokio::net::TcpStream::connect(shop.address).await.unwrap();
    slow.write_all(b"POST /mcp HTTP/1.1\r\nHost: localh")
        .await
        .unwrap();
    let mut answer = Vec::new();
    slow.read_to_end(&mut answer).await.unwrap();
    assert_eq!(shop.post(&[], INITIALIZE).await.status(), StatusCode::OK);
}

#[tokio::test]
async fn connections_beyond_the_limit_wait_for_a_place() {
    let shop = Shop::open(Settings {
        connections_max: 1,
        ..Settings::default()
    })
    .await;
    let request = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n";
    let mut first = tokio::net::TcpStream::connect(shop.address).await.unwrap();
    first.write_all(request).await.unwrap();
    assert!(first.read(&mut [0; 1024]).await.unwrap() > 0);
    let mut second = tokio::net::TcpStream::connect(shop.address).await.unwrap();
    second.write_all(request).await.unwrap();
    first.write_all(request).await.unwrap();
    assert!(first.read(&mut [0; 1024]).await.unwrap() > 0);
    assert!(second.try_read(&mut [0; 1024]).is_err());
    drop(first);
    assert!(second.read(&mut [0; 1024]).await.unwrap() > 0);
}

#[tokio::test]
async fn probes_tell_who_we_are_and_how_we_are() {
    let quarantine = Arc::<Quarantine>::default();
    let shop = Shop::open(Settings {
        ledger_id: "ledger-1".into(),
        quarantine: quarantine.clone(),
        ..Settings::default()
    })
    .await;
    let health = json_of(shop.get("/healthz").await).await;
    assert_eq!(
        (&health["product"], &health["ledger"]),
        (&json!("coinop"), &json!("ledger-1"))
    );
    assert_eq!(json_of(shop.get("/readyz").await).await["status"], "ready");

    let component = Digest::of(b"x");
    let fail = |cause| {
        quarantine
            .begin(component, "x", cause)
            .unwrap()
            .ended(End::Failed)
    };
    (0..Rules::default().failures_max).for_each(|_| fail(Cause::Called));
    let failing = json_of(shop.get("/readyz").await).await;
    assert_eq!(
        (&failing["status"], &failing["set_aside"]),
        (&json!("degraded"), &json!(1))
    );

    let mut bad = snapshot(0, TOOLS);
    bad.problems.push(Problem {
        file: "a.wasm".into(),
        message: "is text".into(),
        keeps_last_good: true,
    });
    shop.fixture.catalog.publish(bad, false);
    let degraded = shop.get("/readyz").await;
    assert_eq!(degraded.status(), StatusCode::OK);
    let degraded = json_of(degraded).await;
    assert_eq!(
        (&degraded["status"], &degraded["problems"][0]["file"]),
        (&json!("degraded"), &json!("a.wasm"))
    );

    shop.fixture.ready.send_replace(false);
    assert_eq!(
        shop.get("/readyz").await.status(),
        StatusCode::SERVICE_UNAVAILABLE
    );
}

#[tokio::test]
async fn a_shutdown_answers_what_is_in_flight_and_ends_streams() {
    let shop = Shop::open(Settings::default()).await;
    let session = shop.session(&[]).await;
    let stream = shop
        .http
        .get(shop.url("/mcp"))
        .header(ACCEPT, "text/event-stream");
    let stream = stream
        .header("mcp-session-id", &session)
        .send()
        .await
        .unwrap();
    // Not answered before the first scan: in flight when the server closes.
    shop.fixture.ready.send_replace(false);
    let headers = [("mcp-session-id", session.as_str())];
    let call = tokio::spawn(shop.request(&headers, call(1, "echo", json!({}))));
    shop.until_in_flight().await;
    shop.fixture.server.closing().cancel();
    shop.fixture.ready.send_replace(true);
    assert_eq!(json_of(call.await.unwrap()).await["id"], 1);
    stream.text().await.unwrap();
    shop.serving.await.unwrap().unwrap();
    assert!(tokio::net::TcpStream::connect(shop.address).await.is_err());
}
