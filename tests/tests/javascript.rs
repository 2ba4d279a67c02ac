//! Plugins in JavaScript and TypeScript, through the program: what they answer, reach and throw, and what is paid for it.

use std::process::Stdio;
use std::time::Duration;

use coinop_tests::books::Books;
use coinop_tests::era::Era;
use coinop_tests::home::Home;
use coinop_tests::pay::pay;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};

/// Compiling the engine with `fetch`, for the first call of all, takes a debug build many seconds of a busy machine.
const COMPILED: Duration = Duration::from_secs(600);

struct Done {
    ok: bool,
    stdout: String,
    stderr: String,
}

/// `coinop call`, which charges nobody.
async fn call(home: &Home, tool: &str, arguments: &Value) -> Done {
    let arguments = arguments.to_string();
    let mut command = home.coinop(&["call", tool, &arguments, "--json", "--config"]);
    command.arg(home.path("coinop.toml"));
    command.arg("--plugins").arg(home.path("plugins"));
    command.arg("--state").arg(home.ledger());
    command
        .arg("--cache")
        .arg(coinop_tests::paths::shared_cache());
    command.kill_on_drop(true).stdin(Stdio::null());
    let ended = tokio::time::timeout(COMPILED, command.output()).await;
    let output = ended.expect("coinop ends").unwrap();
    Done {
        ok: output.status.success(),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

fn outcome(done: &Done) -> Value {
    assert!(done.ok, "{}", done.stderr);
    serde_json::from_str(&done.stdout).unwrap()
}

fn structured(outcome: &Value) -> Value {
    outcome["structuredContent"].clone()
}

/// A service on loopback that knows the holidays of DE, gives nonsense for XX, and is busy for YY.
async fn service() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(answer(stream));
        }
    });
    port
}

async fn answer(mut stream: TcpStream) -> std::io::Result<()> {
    let (reader, mut writer) = stream.split();
    let mut lines = BufReader::new(reader).lines();
    let first = lines.next_line().await?.unwrap_or_default();
    while lines
        .next_line()
        .await?
        .is_some_and(|line| !line.is_empty())
    {}
    let (status, body) = match first.split(' ').nth(1) {
        Some("/api/PublicHolidays/2027/DE") => (
            200,
            r#"[{"date":"2027-01-01","localName":"Neujahr","name":"New Year's Day","global":true},
                {"date":"2027-01-06","localName":"Heilige Drei Könige","name":"Epiphany","global":false}]"#,
        ),
        Some("/api/PublicHolidays/2027/XX") => (200, r#"{"holidays":"none"}"#),
        Some("/api/PublicHolidays/2027/YY") => (503, ""),
        _ => (404, ""),
    };
    let head = format!(
        "HTTP/1.1 {status} Status\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
        body.len()
    );
    writer.write_all(head.as_bytes()).await?;
    writer.write_all(body.as_bytes()).await
}

fn holidays(country: &str) -> Value {
    json!({ "country": country, "year": 2027 })
}

#[tokio::test]
async fn the_example_with_fetch_asks_its_service_where_it_may() {
    let port = service().await;
    let settings = format!(
        "[plugins.holidays]\nprice = \"0.02 USD\"\nsettings = {{ base_url = \"http://127.0.0.1:{port}/api\" }}\n"
    );
    let home = Home::new().plugin("holidays").config(&settings);
    let denied = call(&home, "public_holidays", &holidays("DE")).await;
    assert!(!denied.ok, "{}", denied.stdout);
    for words in [
        format!("not allowed to send GET http://127.0.0.1:{port}"),
        "public_holidays failed: TypeError: NetworkError".to_owned(),
    ] {
        assert!(
            denied.stderr.contains(&words),
            "{words:?} is not in {}",
            denied.stderr
        );
    }

    home.configure(&format!(
        "{settings}[plugins.holidays.grants]\nhttp = [\"GET http://127.0.0.1:{port}\"]\n"
    ));
    let told = call(&home, "public_holidays", &holidays("DE")).await;
    assert!(told.stderr.contains("asking for the holidays"));
    let told = outcome(&told);
    let text = told["content"][0]["text"].as_str().unwrap();
    assert!(text.contains("2027-01-06  Epiphany (regional)"), "{text}");
    let holidays_told = &structured(&told)["holidays"];
    assert_eq!(holidays_told[1]["localName"], "Heilige Drei Könige");

    let busy = call(&home, "public_holidays", &holidays("YY")).await;
    assert!(
        busy.stderr.contains("the service answers 503"),
        "{}",
        busy.stderr
    );
    let unknown = call(&home, "public_holidays", &holidays("ZZ")).await;
    assert!(
        unknown.stderr.contains("knows no country ZZ"),
        "{}",
        unknown.stderr
    );
    // An exception that nobody catches, after an `await`: its words for the caller, its stack for the operator.
    let nonsense = call(&home, "public_holidays", &holidays("XX")).await;
    let (log, said) = nonsense
        .stderr
        .split_once("coinop: public_holidays failed")
        .unwrap_or_else(|| panic!("{}", nonsense.stderr));
    assert_eq!(said.trim(), ": TypeError: the service gave no list");
    assert!(log.contains("holidays.js:"), "{log}");
}

#[tokio::test]
async fn the_example_in_the_small_engine_draws() {
    let home = Home::new()
        .plugin("barcode")
        .config("[plugins.barcode]\nprice = \"0.01 USD\"\nsettings = { scale = \"2\" }\n");
    let drawn = call(&home, "barcode", &json!({ "number": "400638133393" })).await;
    assert!(drawn.stderr.contains("[1/1] drawn"), "{}", drawn.stderr);
    let drawn = outcome(&drawn);
    assert_eq!(structured(&drawn)["number"], "4006381333931");
    let image = &drawn["content"][1];
    assert_eq!(image["mimeType"], "image/png");
    // The signature of a PNG and its header, in base64: 234 by 100 pixels.
    let data = image["data"].as_str().unwrap();
    assert!(
        data.starts_with("iVBORw0KGgoAAAANSUhEUgAAAOoAAABk"),
        "{}",
        &data[..40]
    );
    let slip = call(&home, "barcode", &json!({ "number": "4006381333930" })).await;
    assert!(
        !slip.ok && slip.stderr.contains("its check digit would be 1"),
        "{}",
        slip.stderr
    );
}

#[tokio::test]
async fn a_buyer_gets_the_money_back_where_a_tool_throws() {
    let home = Home::new()
        .plugin("barcode")
        .mode("two_step")
        .config("[plugins.barcode]\nprice = \"0.01 USD\"\nsettings = { scale = \"huge\" }\n");
    let client = home.stdio(Era::Modern).await;
    let payment = client
        .call("barcode", json!({ "number": "400638133393" }))
        .await
        .payment();
    pay(&payment.url).await;
    let confirm = json!({ "payment_id": payment.id });
    let failed = client.call_settled("confirm_barcode", confirm).await;
    assert!(failed.is_error(), "{}", failed.0);
    let text = failed.text();
    assert!(
        text.contains("RangeError: the setting `scale` is not 1 to 10"),
        "{text}"
    );
    assert!(!text.contains("barcode.js"), "no stack: {text}");
    assert_eq!(Books::of(&home).states(), ["refunded"]);
}

#[tokio::test]
async fn an_agreement_is_paid_for_and_delivered() {
    let home = Home::new().plugin("contract").mode("two_step");
    let client = home.stdio(Era::Modern).await;
    let mut request = json!({
        "kind": "services",
        "parties": [{ "name": "Acme Inc.", "form": "a Delaware corporation" }, { "name": "Zoë & Söhne" }],
        "effective_date": "2027-02-30",
        "purpose": "design and build the website",
        "governing_law": "England and Wales",
        "fees": { "basis": "fixed", "amount": "12500.00", "currency": "GBP" },
    });
    let asked = client.call("generate_contract", request.clone()).await;
    let offer = &asked.result()["structuredContent"];
    assert_eq!(
        (&offer["amount"], &offer["currency"]),
        (&json!("1.25"), &json!("USD"))
    );
    let payment = asked.payment();
    pay(&payment.url).await;
    let confirm = json!({ "payment_id": payment.id });
    let refused = client.call("confirm_generate_contract", confirm).await;
    assert!(
        refused.text().contains("`effective_date` is 2027-02-30"),
        "{}",
        refused.0
    );

    request["effective_date"] = "2027-03-01".into();
    let payment = client.call("generate_contract", request).await.payment();
    pay(&payment.url).await;
    let confirm = json!({ "payment_id": payment.id });
    let delivered = client.call("confirm_generate_contract", confirm).await;
    let text = delivered.text();
    for words in [
        "# Services Agreement",
        "Not legal advice",
        "**Zoë & Söhne**",
        "a fixed fee of GBP 12,500.00 for the Services",
        "the courts of England and Wales have exclusive jurisdiction",
    ] {
        assert!(text.contains(words), "{words:?} is not in {text}");
    }
    let structured = &delivered.result()["structuredContent"];
    assert_eq!(structured["last_day"], "2028-02-29");
    assert_eq!(structured["clauses"].as_array().unwrap().len(), 14);
    assert_eq!(Books::of(&home).states(), ["refunded", "deliverable"]);
}
