//! The example in Python, `examples/python`: against a service that is made up, by calls that cost nothing and by paid
//! ones.

use std::net::Ipv4Addr;
use std::process::Stdio;
use std::time::Duration;

use axum::Router;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use coinop_tests::books::Books;
use coinop_tests::era::Era;
use coinop_tests::home::Home;
use coinop_tests::paths;
use coinop_tests::pay::pay;
use coinop_tests::wait::within;
use data_encoding::BASE64;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::OnceCell;
use tokio::time::timeout;

/// Compiling Python takes seconds on a quiet machine.
const COMPILE_MAX: Duration = Duration::from_secs(300);

/// A service like PyPI on a port of its own, for as long as the test runs. Returns its origin.
async fn pypi() -> String {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    let app = Router::new().route("/pypi/{name}/json", get(package));
    tokio::spawn(async move { axum::serve(listener, app).await });
    origin
}

async fn package(Path(name): Path<String>) -> Response {
    let told = |info: Value| json!({ "info": info }).to_string().into_response();
    match name.as_str() {
        "flask" => told(json!({ "version": "3.1.2" })),
        "attrs" => told(json!({ "version": "25.4.0" })),
        "renewed" => json!({ "in": "another form" }).to_string().into_response(),
        "long" => "x".repeat(5 << 20).into_response(),
        "down" => StatusCode::SERVICE_UNAVAILABLE.into_response(),
        _ => StatusCode::NOT_FOUND.into_response(),
    }
}

/// A host's folder with the plugin, whose service is at `origin`, and this grant.
async fn home(origin: &str, grants: &str) -> Home {
    static COMPILED: OnceCell<()> = OnceCell::const_new();
    COMPILED.get_or_init(compile).await;
    let home = Home::new().plugin("freshness");
    home.config(&format!(
        "[plugins.freshness]\nsettings = {{ base_url = \"{origin}/pypi\" }}\n{grants}"
    ))
}

async fn granted(origin: &str) -> Home {
    let grant = format!("[plugins.freshness.grants]\nhttp = [\"GET {origin}\"]\n");
    home(origin, &grant).await
}

/// Compiles the plugin into the shared cache. Python is large: tests that did so side by side would wait for each other.
async fn compile() {
    let home = Home::new();
    let mut command = home.coinop(&["check"]);
    command
        .arg(paths::guest("freshness"))
        .arg("--cache")
        .arg(paths::shared_cache());
    command.kill_on_drop(true);
    let checked = timeout(COMPILE_MAX, command.output()).await;
    let checked = checked.expect("it is compiled in time").unwrap();
    assert!(checked.status.success(), "{checked:?}");
}

fn packages(used: &[(&str, &str)]) -> Value {
    let packages = used
        .iter()
        .map(|(name, version)| json!({ "name": name, "version": version }));
    json!({ "packages": packages.collect::<Vec<Value>>() })
}

/// `coinop call`: whether it went well, stdout and stderr.
async fn call(home: &Home, tool: &str, arguments: &Value) -> (bool, String, String) {
    let mut command = home.coinop(&["call", tool, &arguments.to_string(), "--json"]);
    command.arg("--plugin").arg(home.plugin_path("freshness"));
    command.arg("--config").arg(home.path("coinop.toml"));
    command.arg("--state").arg(home.ledger());
    command.arg("--cache").arg(paths::shared_cache());
    command.kill_on_drop(true).stdin(Stdio::null());
    let output = within("coinop's end", command.output()).await.unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (
        output.status.success(),
        text(&output.stdout),
        text(&output.stderr),
    )
}

#[tokio::test]
async fn it_asks_where_it_may_and_tells_how_far_it_is() {
    let home = granted(&pypi().await).await;
    let used = packages(&[("flask", "2.3.0"), ("attrs", "25.4.0")]);
    let (ok, told, progress) = call(&home, "outdated", &used).await;
    assert!(ok, "{progress}");
    assert!(progress.contains("[0/2] asking for flask"), "{progress}");
    let outcome: Value = serde_json::from_str(&told).unwrap();
    let text = &outcome["content"][0]["text"];
    assert_eq!(text, "flask 2.3.0 is behind 3.1.2 (major).");
    let found = &outcome["structuredContent"];
    assert_eq!(found["outdated"], 1, "{outcome}");
    assert_eq!(found["packages"][1]["step"], "none", "{outcome}");
}

#[tokio::test]
async fn it_draws() {
    let home = granted(&pypi().await).await;
    let (ok, told, why) = call(&home, "badge", &json!({ "package": "attrs" })).await;
    assert!(ok, "{why}");
    let outcome: Value = serde_json::from_str(&told).unwrap();
    let image = &outcome["content"][0];
    assert_eq!(image["mimeType"], "image/svg+xml", "{outcome}");
    let data = image["data"].as_str().unwrap().as_bytes();
    let drawn = String::from_utf8(BASE64.decode(data).unwrap()).unwrap();
    assert!(
        drawn.starts_with("<svg") && drawn.contains(">25.4.0<"),
        "{drawn}"
    );
}

#[tokio::test]
async fn whatever_goes_wrong_is_said() {
    let home = granted(&pypi().await).await;
    for (name, version, words) in [
        ("unheard-of", "1.0", "there is no package 'unheard-of'"),
        ("down", "1.0", "answered with status 503"),
        ("renewed", "1.0", "KeyError: 'info'"),
        ("long", "1.0", "answered with more than 4194304 bytes"),
        ("../flask", "1.0", "invalid arguments"),
    ] {
        let (ok, _, told) = call(&home, "outdated", &packages(&[(name, version)])).await;
        assert!(!ok && told.contains(words), "{words:?} is not in {told}");
        let has_traceback = told.contains("Traceback");
        assert_eq!(has_traceback, name == "renewed", "{told}");
    }
}

#[tokio::test]
async fn what_is_not_granted_is_named_for_the_operator() {
    let origin = pypi().await;
    let home = home(&origin, "").await;
    let (ok, _, told) = call(&home, "outdated", &packages(&[("flask", "1.0")])).await;
    assert!(!ok, "{told}");
    for words in [
        format!("http = [\"GET {origin}\"]"),
        "has not granted requests".to_owned(),
    ] {
        assert!(told.contains(&words), "{words:?} is not in {told}");
    }
}

#[tokio::test]
async fn an_exception_is_a_declared_failure_and_the_money_goes_back() {
    let home = granted(&pypi().await).await.mode("two_step");
    let client = home.stdio(Era::Legacy).await;
    for (name, states, takings) in [
        ("renewed", vec!["refunded"], 0),
        ("flask", vec!["deliverable", "refunded"], 20_000_000),
    ] {
        let asked = client.call("outdated", packages(&[(name, "1.0")])).await;
        let payment = asked.payment();
        pay(&payment.url).await;
        let confirm = json!({ "payment_id": payment.id });
        let told = client.call_settled("confirm_outdated", confirm).await;
        let is_failure = name == "renewed";
        assert_eq!(told.is_error(), is_failure, "{}", told.0);
        assert_eq!(told.text().contains("KeyError: 'info'"), is_failure);
        assert!(!told.0.to_string().contains("Traceback"), "{}", told.0);
        let books = Books::of(&home);
        let mut found = books.states();
        found.sort();
        assert_eq!(found, states);
        assert_eq!(books.takings("USD"), takings, "{}", told.0);
        assert_eq!(books.imbalances(), 0);
    }
}
