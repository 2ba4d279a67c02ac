//! Which requests are sent at all.

use serde_json::json;

use super::{fetched, granted, lines, refused, told};
use crate::servers::{Does, Server, ok};
use crate::support::Call;

#[tokio::test]
async fn a_plugin_without_grants_reaches_nothing_and_its_operator_hears_of_it() {
    let server = Server::that(ok("hello")).await;
    let call = granted(&[]).await;
    let url = format!("{}/secret?token=hunter2", server.origin());
    assert_eq!(refused(&call, &url).await, "ErrorCode::HttpRequestDenied");
    let origin = server.origin();
    assert_eq!(
        lines(&call, "series", json!({ "url": url, "count": 3 })).await,
        [(
            format!("send GET {origin}"),
            Some(format!("http = [\"GET {origin}\"]"))
        )]
    );
    assert_eq!(server.connections(), 0);
}

#[tokio::test]
async fn what_is_granted_is_sent_and_no_other_method() {
    let server = Server::that(ok("hello")).await;
    let call = granted(&[format!("GET {}", server.origin())]).await;
    let url = format!("{}/v1?q=1", server.origin());
    let seen = fetched(&call, &url).await;
    assert_eq!(
        (&seen["status"], &seen["body"]),
        (&json!(200), &json!("hello"))
    );
    let posted = told(
        &call,
        "fetch",
        json!({ "url": url, "method": "POST", "body": "x" }),
    )
    .await;
    assert_eq!(posted["error"], "ErrorCode::HttpRequestDenied");
    let heads = server.heads();
    assert_eq!(heads.len(), 1, "{heads:?}");
    assert!(
        heads[0].starts_with("GET /v1?q=1 HTTP/1.1\r\n"),
        "{heads:?}"
    );
}

#[tokio::test]
async fn the_line_that_is_told_allows_the_request() {
    let server = Server::that(ok("hello")).await;
    let url = server.origin();
    let denied = lines(&granted(&[]).await, "fetch", json!({ "url": url })).await;
    let line = denied[0].1.clone().unwrap();
    let table: toml::Table = line.parse().unwrap();
    let entry = table["http"][0].as_str().unwrap().to_owned();
    let seen = fetched(&granted(&[entry]).await, &url).await;
    assert_eq!(seen["status"], 200);
}

#[tokio::test]
async fn no_line_suggests_what_nobody_should_grant() {
    let call = granted(&[]).await;
    for (method, url) in [
        ("GET", "http://169.254.169.254/latest/meta-data/"),
        ("GET", "http://[fd00:ec2::254]/"),
        ("GET", "http://0.0.0.0:1/"),
        ("CONNECT", "http://example.com"),
    ] {
        let denied = lines(&call, "fetch", json!({ "url": url, "method": method })).await;
        assert!(matches!(&denied[..], [(_, None)]), "{url}: {denied:?}");
    }
}

#[tokio::test]
async fn a_redirect_is_shown_and_followed_only_where_a_grant_leads() {
    let private = Server::that(ok("secret")).await;
    let location = format!("{}/inside", private.origin());
    let redirect =
        format!("HTTP/1.1 302 Found\r\nlocation: {location}\r\ncontent-length: 0\r\n\r\n");
    let server = Server::that(Does::Answers(redirect)).await;
    let url = server.origin();

    let call = granted(std::slice::from_ref(&url)).await;
    assert_eq!(fetched(&call, &url).await["status"], 302);
    let followed = told(&call, "follow", json!({ "url": url })).await;
    assert_eq!(followed["error"], "ErrorCode::HttpRequestDenied");
    assert_eq!(private.connections(), 0);

    let call = granted(&[url.clone(), private.origin()]).await;
    let followed = told(&call, "follow", json!({ "url": url })).await;
    assert_eq!(followed["body"], "secret");
}

#[tokio::test]
async fn an_address_in_disguise_is_no_address() {
    let server = Server::that(ok("hello")).await;
    let port = server.port;
    let call = granted(&[server.origin(), format!("http://localhost:{port}")]).await;
    for authority in [
        format!("2130706433:{port}"),
        format!("0x7f000001:{port}"),
        format!("0x7f.0.0.1:{port}"),
        format!("0177.0.0.1:{port}"),
        format!("127.1:{port}"),
        format!("[::ffff:127.0.0.1]:{port}"),
        format!("user@127.0.0.1:{port}"),
        format!("127.0.0.1:{port}@evil.example"),
        format!("evil.example@127.0.0.1:{port}"),
    ] {
        let error = refused(&call, &format!("http://{authority}/")).await;
        let invalid = ["ErrorCode::HttpRequestUriInvalid", "refused: authority"];
        assert!(invalid.contains(&error.as_str()), "{authority}: {error}");
    }
    assert_eq!(server.connections(), 0);
    let seen = fetched(&call, &format!("http://LOCALHOST.:{port}/")).await;
    assert_eq!(seen["status"], 200, "{seen}");
    assert!(server.heads()[0].contains(&format!("host: localhost:{port}\r\n")));
}

#[tokio::test]
async fn settings_are_read_by_wasi_config_too() {
    let mut call = Call::of("reach").await;
    call.settings.insert("units".into(), "metric".into());
    let seen = told(&call, "config", json!({ "key": "units" })).await;
    assert_eq!(seen["value"], "metric");
}

#[tokio::test]
async fn importing_http_without_using_it_is_denied_nothing() {
    let call = granted(&[]).await;
    let imports = &call.component.manifest().imports;
    assert!(
        imports
            .iter()
            .any(|i| i.starts_with("wasi:http/outgoing-handler@")),
        "{imports:?}"
    );
    assert_eq!(lines(&call, "config", json!({ "key": "units" })).await, []);
}
