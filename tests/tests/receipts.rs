//! Proof of what was bought: with every paid result, verified without the host, whole in the exports.

use std::process::{Output, Stdio};

use coinop_core::outcome::Outcome;
use coinop_tests::answer::Answer;
use coinop_tests::client::Client;
use coinop_tests::era::Era;
use coinop_tests::home::Home;
use coinop_tests::paths;
use coinop_tests::pay::{page, pay};
use coinop_tests::script::{Language, Script};
use coinop_tests::wait::within;
use serde_json::{Map, Value, json};
use tokio::io::AsyncWriteExt;

const KEYS: &str = "/.well-known/coinop-receipts.json";

/// Free tools that answer with every kind of content, and with structure, at a price.
const PRICED: &str = "[plugins.echo.tools.kinds]\nprice = \"0.02 USD\"\n\
                      [plugins.echo.tools.sum]\nprice = \"0.03 USD\"\n";

fn home() -> Home {
    Home::new().plugin("echo").mode("two_step").config(PRICED)
}

/// Calls, pays and confirms; the delivery.
async fn buy(client: &Client, tool: &str, arguments: Value) -> (String, Answer) {
    let payment = client.call(tool, arguments).await.payment();
    pay(&payment.url).await;
    let delivered = confirm(client, tool, &payment.id).await;
    (payment.id, delivered)
}

async fn confirm(client: &Client, tool: &str, payment: &str) -> Answer {
    let confirm = json!({ "payment_id": payment });
    client.call(&format!("confirm_{tool}"), confirm).await
}

fn receipt(answer: &Answer) -> &Value {
    let receipt = &answer.result()["_meta"]["coinop/receipt"];
    assert!(receipt["jws"].is_string(), "no receipt: {}", answer.0);
    receipt
}

/// What a client computes from what it received.
fn digest(result: &Value) -> String {
    let mut signed = Map::new();
    for key in ["content", "isError", "structuredContent"] {
        if let Some(value) = result.get(key) {
            signed.insert(key.to_owned(), value.clone());
        }
    }
    Outcome::digest_of(&signed).to_string()
}

/// Runs `coinop` without a ledger, on a file of `home`.
async fn verify(home: &Home, text: &str, more: &[&str]) -> (Option<i32>, String) {
    std::fs::write(home.path("receipts"), text).unwrap();
    let arguments = [&["receipts", "verify", "receipts"], more].concat();
    run(home, &arguments).await
}

async fn run(home: &Home, arguments: &[&str]) -> (Option<i32>, String) {
    let mut command = home.coinop(arguments);
    let running = command.kill_on_drop(true).stdin(Stdio::null()).output();
    let Output {
        status,
        stdout,
        stderr,
    } = within("coinop's end", running).await.unwrap();
    let said = [stdout, stderr].concat();
    (status.code(), String::from_utf8(said).unwrap())
}

/// Every era: what is delivered is what the receipt signs, each time.
async fn is_proven(client: &Client) {
    for (tool, arguments) in [
        ("echo_paid", json!({ "text": "wörth a cent 🦀" })),
        ("kinds", json!({})),
        ("sum", json!({ "a": 0.1, "b": 0.2 })),
    ] {
        let (payment, delivered) = buy(client, tool, arguments).await;
        let receipt = receipt(&delivered);
        assert_eq!(
            receipt["result"],
            digest(delivered.result()),
            "{}",
            delivered.0
        );
        assert_eq!(
            (&receipt["tool"], &receipt["plugin"]),
            (&json!(tool), &json!("echo"))
        );
        let again = confirm(client, tool, &payment).await;
        assert_eq!(again.result(), delivered.result());
    }
    let free = client.call("echo", json!({ "text": "nothing" })).await;
    assert!(
        free.result()["_meta"]["coinop/receipt"].is_null(),
        "{}",
        free.0
    );
}

#[tokio::test]
async fn every_paid_result_is_proven_on_stdio() {
    for era in [Era::Legacy, Era::Modern] {
        let home = home();
        is_proven(&home.stdio(era).await).await;
    }
}

#[tokio::test]
async fn every_paid_result_is_proven_over_http() {
    let home = home();
    let host = home.http().await;
    for era in [Era::Legacy, Era::Modern] {
        is_proven(&host.client(era).await).await;
    }
}

/// RFC 8785 and SHA-256 by another hand, over what a published client hands to its user.
const RECOMPUTE: &str = r#"
import hashlib, json, sys

def canonical(value):
    if isinstance(value, dict):
        keys = sorted(value, key=lambda key: key.encode("utf-16-be"))
        return "{" + ",".join(canonical(key) + ":" + canonical(value[key]) for key in keys) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(canonical, value)) + "]"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return json.dumps(value, ensure_ascii=False)

result = json.load(sys.stdin)
signed = {key: result[key] for key in ("content", "isError", "structuredContent") if key in result}
print(hashlib.sha256(canonical(signed).encode()).hexdigest())
"#;

async fn recomputed(result: &Value) -> String {
    let mut python = tokio::process::Command::new(paths::python());
    python
        .args(["-c", RECOMPUTE])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped());
    let mut child = python.kill_on_drop(true).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin
        .write_all(result.to_string().as_bytes())
        .await
        .unwrap();
    drop(stdin);
    let output = within("python's end", child.wait_with_output())
        .await
        .unwrap();
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

#[tokio::test]
async fn a_python_user_recomputes_what_the_receipt_signs() {
    let home = home();
    let mut client = Script::on_stdio(Language::Python, Era::Modern, &home).await;
    client.tools().await;
    for (tool, arguments) in [("kinds", json!({})), ("sum", json!({ "a": 1, "b": 2 }))] {
        let payment = client.call(tool, arguments).await.payment();
        pay(&payment.url).await;
        let confirm = json!({ "payment_id": payment.id });
        let delivered = client.call(&format!("confirm_{tool}"), confirm).await;
        let signed = receipt(&delivered)["result"].clone();
        assert_eq!(
            recomputed(delivered.result()).await,
            signed,
            "{}",
            delivered.0
        );
    }
    client.quit().await;
}

#[tokio::test]
async fn receipts_are_verified_offline_and_a_changed_byte_is_refused() {
    let home = home();
    let host = home.http().await;
    let client = host.client(Era::Modern).await;
    let (_, delivered) = buy(&client, "echo_paid", json!({ "text": "proof" })).await;
    let keys = host.get(KEYS).await;
    assert_eq!(keys.status, 200);
    assert_eq!(
        keys.header("content-type"),
        Some("application/jwk-set+json")
    );
    assert!(
        keys.header("cache-control").unwrap().contains("max-age"),
        "{}",
        keys.head
    );
    std::fs::write(home.path("keys.json"), &keys.body).unwrap();

    let url = format!("http://{}{KEYS}", host.address);
    let receipt = receipt(&delivered).clone();
    let jws = receipt["jws"].as_str().unwrap();
    let whole = delivered.0.to_string();
    for text in [jws, &receipt.to_string(), &whole] {
        let (code, said) = verify(&home, text, &["--keys", &url]).await;
        assert_eq!(code, Some(0), "{said}");
    }
    host.kill().await;

    let offline = ["--keys", "keys.json"];
    for text in [jws, &receipt.to_string(), &whole] {
        let (code, said) = verify(&home, text, &offline).await;
        assert_eq!(code, Some(0), "{said}");
    }
    let middle = jws.len() / 2;
    let other = if jws.as_bytes()[middle] == b'A' {
        "B"
    } else {
        "A"
    };
    let changed = format!("{}{other}{}", &jws[..middle], &jws[middle + 1..]);
    let cheaper = receipt.to_string().replace("\"0.01\"", "\"0.00\"");
    for (text, why) in [
        (changed, "the signature does not hold"),
        (cheaper, "amount reads \"0.00\""),
        (whole.replace("proof", "prooF"), "the result it stands in"),
    ] {
        let (code, said) = verify(&home, &text, &offline).await;
        assert_eq!(code, Some(1), "{said}");
        assert!(said.contains(why), "{said}");
    }
}

#[tokio::test]
async fn receipts_of_both_sides_of_a_rotation_are_one_chain_and_so_are_the_exports() {
    let home = home();
    // On stdio the keys are on the listener of the payment pages.
    let client = home.stdio(Era::Legacy).await;
    let state = home.ledger();
    let state = ["--state", state.to_str().unwrap()];
    let mut receipts = Vec::new();
    let mut base = String::new();
    for n in 0..4 {
        if n == 2 {
            let (code, said) = run(&home, &[&["receipts", "rotate"], &state[..]].concat()).await;
            assert_eq!(code, Some(0), "{said}");
        }
        let asked = client
            .call("sum", json!({ "a": n, "b": n }))
            .await
            .payment();
        pay(&asked.url).await;
        let delivered = confirm(&client, "sum", &asked.id).await;
        receipts.push(receipt(&delivered).to_string());
        base = asked.url.split_once("/pay/").unwrap().0.to_owned();
    }
    let key = |receipt: &String| -> Value {
        let receipt: Value = serde_json::from_str(receipt).unwrap();
        receipt["jws"]
            .as_str()
            .unwrap()
            .split('.')
            .next()
            .unwrap()
            .into()
    };
    assert_eq!(key(&receipts[0]), key(&receipts[1]));
    assert_ne!(
        key(&receipts[1]),
        key(&receipts[2]),
        "the header names the new key"
    );
    std::fs::write(
        home.path("keys.json"),
        page(&format!("{base}{KEYS}")).await.body,
    )
    .unwrap();

    let all = receipts.join("\n");
    let (code, said) = verify(&home, &all, &["--keys", "keys.json", "--complete"]).await;
    assert_eq!(
        (code, said.as_str()),
        (
            Some(0),
            "4 receipts of 1 chain: all hold, and none is missing from between.\n"
        )
    );
    let (code, said) = verify(
        &home,
        &receipts[..3].join("\n"),
        &[&["--complete"], &state[..]].concat(),
    )
    .await;
    assert_eq!(code, Some(1), "the last is missing: {said}");

    for format in ["json", "csv"] {
        let export = ["payments", "export", "--format", format, "--output", format];
        let (code, said) = run(&home, &[&export, &state[..]].concat()).await;
        assert_eq!(code, Some(0), "{said}");
        let verify = ["receipts", "verify", format, "--complete"];
        let (code, said) = run(&home, &[&verify, &state[..]].concat()).await;
        assert_eq!(code, Some(0), "{said}");
        assert!(said.starts_with("4 receipts"), "{said}");
    }
}
