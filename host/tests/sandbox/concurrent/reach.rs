//! What WASI 0.3 leads to: what is granted, as of 0.2, and nothing else.

use std::net::{IpAddr, Ipv4Addr, TcpListener, UdpSocket};
use std::os::unix::fs::symlink;
use std::sync::Arc;
use std::{fs, io};

use coinop::grants::{Access, DirGrant, EnvGrant};
use coinop::outbound::{Dialer, Resolve};
use futures::FutureExt as _;
use futures::future::BoxFuture;
use serde_json::{Value, json};

use super::granted;
use crate::servers::{Does, Server, ok};
use crate::support::{Call, guest, sandbox_with};

/// Says of every name that it is this machine.
struct Inwards;

impl Resolve for Inwards {
    fn resolve(&self, _: &str) -> BoxFuture<'static, io::Result<Vec<IpAddr>>> {
        async { Ok(vec![Ipv4Addr::LOCALHOST.into()]) }.boxed()
    }
}

/// A call with grants of sockets.
async fn with_sockets(sockets: &[String]) -> Call {
    let mut call = Call::of("concurrent").await;
    call.grants.sockets = sockets.iter().map(|text| text.parse().unwrap()).collect();
    call
}

/// What the operator would add, after a call.
async fn lines(call: &Call, tool: &str, arguments: Value) -> Vec<Option<String>> {
    let report = call.report(tool, arguments).await;
    report
        .denials
        .into_iter()
        .map(|denial| denial.line)
        .collect()
}

#[tokio::test]
async fn without_a_grant_no_request_is_sent_and_the_operator_hears_of_it() {
    let server = Server::that(ok("hello")).await;
    let origin = server.origin();
    let call = granted(&[]).await;
    let url = json!({ "url": format!("{origin}/secret") });
    let told = call.text("fetch", url.clone()).await;
    assert_eq!(told, "error: ErrorCode::HttpRequestDenied");
    let line = format!("http = [\"GET {origin}\"]");
    assert_eq!(lines(&call, "fetch", url).await, [Some(line)]);
    assert_eq!(server.connections(), 0);
}

#[tokio::test]
async fn a_grant_is_for_its_method_and_a_name_leads_to_public_addresses_only() {
    let server = Server::that(ok("hello")).await;
    let origin = server.origin();
    let named = format!("http://rebind.example:{}", server.port);
    let sandbox = sandbox_with(Dialer::new(Arc::new(Inwards), None));
    let component = sandbox.load("concurrent", guest("concurrent")).await;
    let mut call = Call::of_component(component.unwrap());
    call.grants.http = [&origin, &named]
        .map(|at| format!("GET {at}").parse().unwrap())
        .into();
    let fetch = async |url: &str, method: &str| {
        let arguments = json!({ "url": url, "method": method, "body": "" });
        call.text("fetch", arguments).await
    };
    assert_eq!(fetch(&origin, "GET").await, "200 hello");
    let denied = "error: ErrorCode::HttpRequestDenied";
    assert_eq!(fetch(&origin, "POST").await, denied);
    let inside = fetch(&named, "GET").await;
    assert_eq!(inside, "error: ErrorCode::DestinationIpProhibited");
    let scheme = fetch(&origin.replace("http", "ftp"), "GET").await;
    assert!(scheme.starts_with("error: "), "{scheme}");
    assert_eq!(server.heads().len(), 1);
}

#[tokio::test]
async fn a_redirect_is_an_answer_like_any_other() {
    let inner = Server::that(ok("inner")).await;
    let head = format!("HTTP/1.1 302 Found\r\nlocation: {}/\r\n", inner.origin());
    let server = Server::that(Does::Answers(format!("{head}content-length: 0\r\n\r\n"))).await;
    let call = granted(&[format!("GET {}", server.origin())]).await;
    let told = call.text("fetch", json!({ "url": server.origin() })).await;
    assert_eq!(told, "302 ");
    assert_eq!(inner.connections(), 0);
}

#[tokio::test]
async fn requests_and_bytes_are_counted() {
    let endless = "HTTP/1.1 200 OK\r\ntransfer-encoding: identity\r\nconnection: close\r\n\r\n";
    let server = Server::that(Does::NeverStops(endless)).await;
    let mut call = granted(&[server.origin()]).await;
    call.limits.http_bytes_max = 100_000;
    let told = call.text("fetch", json!({ "url": server.origin() })).await;
    assert!(
        told.starts_with("error: ErrorCode::HttpResponseBodySize"),
        "{told}"
    );

    let server = Server::that(Does::Swallows).await;
    call = granted(&[server.origin()]).await;
    call.limits.http_bytes_max = 100_000;
    let upload = json!({ "url": server.origin(), "method": "POST", "body": "x".repeat(200_000) });
    let told = call.text("fetch", upload).await;
    assert!(
        told.starts_with("error: ErrorCode::HttpRequestBodySize"),
        "{told}"
    );

    let server = Server::that(ok("hello")).await;
    call = granted(&[format!("GET {}", server.origin())]).await;
    call.limits.http_requests_max = 1;
    let urls = json!({ "first": server.origin(), "second": server.origin() });
    let told = call.text("fetch_both", urls).await;
    assert_eq!(told.matches("200 hello").count(), 1, "{told}");
    assert_eq!(told.matches("HttpRequestDenied").count(), 1, "{told}");
}

#[tokio::test]
async fn sockets_lead_where_they_are_granted_and_nowhere_else() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let datagrams = UdpSocket::bind("127.0.0.1:0").unwrap();
    let tcp = listener.local_addr().unwrap().to_string();
    let udp = datagrams.local_addr().unwrap().to_string();
    let (to_tcp, to_udp) = (json!({ "address": tcp }), json!({ "address": udp }));

    let none = with_sockets(&[]).await;
    let denied = "error: ErrorCode::AccessDenied";
    assert_eq!(none.text("connect", to_tcp.clone()).await, denied);
    assert_eq!(none.text("send", to_udp.clone()).await, denied);
    assert_eq!(none.text("listen", json!({})).await, denied);
    let line = format!("sockets = [\"tcp://{tcp}\"]");
    assert_eq!(lines(&none, "connect", to_tcp.clone()).await, [Some(line)]);

    let some = with_sockets(&[format!("tcp://{tcp}"), format!("udp://{udp}")]).await;
    assert_eq!(some.text("connect", to_tcp).await, "connected");
    assert_eq!(some.text("send", to_udp.clone()).await, "sent");
    assert_eq!(some.text("connect", to_udp).await, denied);
    assert_eq!(some.text("listen", json!({})).await, denied);
}

#[tokio::test]
async fn a_run_makes_so_many_sockets_and_no_more() {
    let made = async |call: Call| call.text("sockets", json!({})).await;
    assert_eq!(made(with_sockets(&[]).await).await, "4");
    let granted = with_sockets(&["tcp://127.0.0.1:1".to_owned()]).await;
    assert_eq!(made(granted).await, "256");
}

#[tokio::test]
async fn a_run_waits_for_so_many_datagrams_and_for_none_without_a_grant() {
    let receive = async |sockets: &[String]| {
        let call = with_sockets(sockets).await;
        call.text("receive", json!({ "times": 200 })).await
    };
    let denied = "0, then Some(Err(ErrorCode::AccessDenied))";
    assert_eq!(receive(&[]).await, denied);
    assert_eq!(receive(&["tcp://127.0.0.1:1".to_owned()]).await, denied);
    assert_eq!(
        receive(&["udp://127.0.0.1:1".to_owned()]).await,
        r#"64, then Some(Err(ErrorCode::Other(Some("too many datagrams are waited for"))))"#
    );
    let none = with_sockets(&[]).await;
    let line = "sockets = [\"udp://HOST:PORT\"]".to_owned();
    let once = json!({ "times": 1 });
    assert_eq!(lines(&none, "receive", once).await, [Some(line)]);
}

#[tokio::test]
async fn a_granted_name_leads_where_the_hosts_resolver_says() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let sandbox = sandbox_with(Dialer::new(Arc::new(Inwards), None));
    let component = sandbox.load("concurrent", guest("concurrent")).await;
    let mut call = Call::of_component(component.unwrap());
    let grant = format!("tcp://db.example:{}", address.port());
    call.grants.sockets = vec![grant.parse().unwrap()];
    let host = json!({ "host": "db.example" });
    assert!(call.text("lookup", host).await.contains("(127, 0, 0, 1)"));
    let to = json!({ "address": address.to_string() });
    assert_eq!(call.text("connect", to).await, "connected");
}

#[tokio::test]
async fn only_names_that_are_granted_are_looked_up() {
    let lookup = async |call: &Call, host: &str| {
        let host = json!({ "host": host });
        call.text("lookup", host).await
    };
    let none = with_sockets(&[]).await;
    let denied = "error: ErrorCode::AccessDenied";
    assert_eq!(lookup(&none, "localhost").await, denied);
    let address = lookup(&none, "127.0.0.1").await;
    assert!(address.starts_with("error: "), "{address}");
    let line = "sockets = [\"tcp://localhost:PORT\"]".to_owned();
    let host = json!({ "host": "localhost" });
    assert_eq!(lines(&none, "lookup", host).await, [Some(line)]);

    let some = with_sockets(&["tcp://localhost:80".to_owned()]).await;
    assert!(lookup(&some, "LocalHost.").await.contains("(127, 0, 0, 1)"));
    assert_eq!(lookup(&some, "secret.example.com").await, denied);
}

#[tokio::test]
async fn directories_are_what_they_are_granted_for_and_nothing_leads_out() {
    let home = tempfile::tempdir().unwrap();
    let inside = home.path().join("inside");
    fs::create_dir(&inside).unwrap();
    fs::write(inside.join("note"), "a note").unwrap();
    fs::write(home.path().join("secret"), "a secret").unwrap();
    symlink(home.path().join("secret"), inside.join("door")).unwrap();
    let call = async |access| {
        let mut call = Call::of("concurrent").await;
        call.grants.dirs = vec![DirGrant {
            path: inside.clone(),
            guest_path: "/data".to_owned(),
            access,
        }];
        call
    };
    let reads = call(Access::Read).await;
    let read = async |path: &str| reads.text("read", json!({ "path": path })).await;
    assert_eq!(read("note").await, "a note");
    for path in ["../secret", "door", "/etc/passwd", "x/../../secret"] {
        assert!(read(path).await.starts_with("error: "), "{path}");
    }
    let new = json!({ "path": "new", "text": "hello" });
    let refused = reads.text("write", new.clone()).await;
    assert!(refused.starts_with("error: "), "{refused}");
    assert!(!inside.join("new").exists());

    let writes = call(Access::Write).await;
    assert_eq!(writes.text("write", new).await, "written");
    assert_eq!(fs::read_to_string(inside.join("new")).unwrap(), "hello");

    let none = Call::of("concurrent").await;
    let note = json!({ "path": "note" });
    assert_eq!(none.text("read", note).await, "error: no directory");
}

#[tokio::test]
async fn only_the_variables_that_are_granted_are_seen() {
    let mut call = Call::of("concurrent").await;
    assert_eq!(call.text("environment", json!({})).await, "([], [])");
    let mode = EnvGrant::Text("fast".into());
    call.grants.env = [("MODE".to_owned(), mode)].into();
    assert_eq!(
        call.text("environment", json!({})).await,
        r#"([("MODE", "fast")], [])"#
    );
}
