//! What an operator types: `demo`, `call`, `block`, `payments` and `serve`, with their exit codes.

use std::process::Output;

use coinop_tests::books::Books;
use coinop_tests::era::Era;
use coinop_tests::home::Home;
use coinop_tests::pay::{pay, pay_by_command};
use coinop_tests::wait::{until, within};
use serde_json::json;

struct Done {
    code: Option<i32>,
    stdout: String,
    stderr: String,
}

impl From<Output> for Done {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code(),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}

/// Runs `coinop` on the plugins and the ledger of `home`.
async fn run(home: &Home, arguments: &[&str]) -> Done {
    let mut command = home.coinop(arguments);
    command.arg("--plugins").arg(home.path("plugins"));
    command.arg("--state").arg(home.ledger());
    command
        .kill_on_drop(true)
        .stdin(std::process::Stdio::null());
    within("coinop's end", command.output())
        .await
        .unwrap()
        .into()
}

#[tokio::test]
async fn the_demo_walks_one_paid_call() {
    let home = Home::new().plugin("weather");
    let demo = run(&home, &["demo", "--once", "--http", "127.0.0.1:0"]).await;
    assert_eq!(demo.code, Some(0), "{}", demo.stderr);
    let steps = [
        "0.003 USD per call",
        "Payment required: 0.003 USD for get_forecast (TEST",
        "calls confirm_payment",
        "Oslo, Norway",
    ];
    let mut rest = demo.stdout.as_str();
    for step in steps {
        let (_, after) = rest
            .split_once(step)
            .unwrap_or_else(|| panic!("{step:?} is not told in its turn:\n{}", demo.stdout));
        rest = after;
    }
    assert_eq!(Books::of(&home).imbalances(), 0);
}

#[tokio::test]
async fn a_demo_without_its_plugin_says_how_to_have_it() {
    let home = Home::new();
    let demo = run(&home, &["demo", "--once", "--http", "127.0.0.1:0"]).await;
    assert_eq!(demo.code, Some(1));
    assert!(demo.stderr.contains("cargo xtask demo"), "{}", demo.stderr);
}

#[tokio::test]
async fn a_paid_tool_is_tried_without_charge() {
    let home = Home::new().plugin("echo");
    let tried = run(&home, &["call", "echo_paid", r#"{"text":"for nothing"}"#]).await;
    assert_eq!(
        (tried.code, tried.stdout.as_str()),
        (Some(0), "for nothing\n")
    );
    assert!(!home.ledger().exists(), "nothing is written to the ledger");
    let wrong = run(&home, &["call", "echo_paid", r#"{"text":5}"#]).await;
    assert_eq!(wrong.code, Some(1));
    assert!(
        wrong.stderr.contains("invalid arguments for echo_paid"),
        "{}",
        wrong.stderr
    );
}

#[tokio::test]
async fn an_author_sees_what_the_guest_prints() {
    let home = Home::new().plugin("misbehave");
    let crashed = run(&home, &["call", "trap"]).await;
    assert_eq!(crashed.code, Some(1));
    assert!(crashed.stderr.contains("hunter2"), "{}", crashed.stderr);
    assert!(crashed.stderr.contains("trap failed"), "{}", crashed.stderr);
}

#[tokio::test]
async fn a_block_stops_a_running_host_and_returns_the_money() {
    let home = Home::new().plugin("echo").mode("two_step");
    let client = home.stdio(Era::Legacy).await;
    let payment = client
        .call("echo_paid", json!({ "text": "x" }))
        .await
        .payment();
    pay(&payment.url).await;
    let file = home.plugin_path("echo");
    let blocked = run(&home, &["block", file.to_str().unwrap()]).await;
    assert_eq!(blocked.code, Some(0), "{}", blocked.stderr);

    let confirm = json!({ "payment_id": payment.id });
    let told = client.call_settled("confirm_echo_paid", confirm).await;
    assert!(
        told.text().contains("blocked") && told.text().contains("went back"),
        "{}",
        told.0
    );
    assert_eq!(Books::of(&home).runs(&payment.id), 0);
    assert_eq!(Books::of(&home).imbalances(), 0);
    until("the tools to go", async || {
        let tools = client.tools().await;
        (!tools.contains(&"echo".to_owned())).then_some(())
    })
    .await;
}

#[tokio::test]
async fn pretended_money_is_refused_where_others_can_reach_it() {
    let home = Home::new().plugin("echo");
    let refused = run(&home, &["serve", "--http", "0.0.0.0:0"]).await;
    assert_eq!(refused.code, Some(1));
    assert!(
        refused.stderr.contains("--allow-test-payments"),
        "{}",
        refused.stderr
    );
}

#[tokio::test]
async fn pretended_money_is_refused_beside_real_money_too() {
    let account = |name: &str, network: &str| {
        format!(
            "[accounts.{name}]\nkind = \"x402\"\nnetwork = \"{network}\"\n\
             pay_to = \"0x209693Bc6afc0C5328bA36FaF03C514EF312287C\"\nfacilitator = \"http://127.0.0.1:9\"\n"
        )
    };
    let (real, test) = (account("real", "base"), account("test", "base-sepolia"));
    for (accept, of_plugin) in [("accept = [\"test\"]\n", ""), ("", "accept = [\"test\"]\n")] {
        let config = format!(
            "provider = \"real\"\n{accept}{real}{test}[plugins.echo]\nenabled = true\n{of_plugin}"
        );
        let home = Home::new().plugin("echo").config(&config);
        let file = home.path("coinop.toml");
        let file = file.to_str().unwrap();
        let public = [
            "serve",
            "--config",
            file,
            "--http",
            "127.0.0.1:0",
            "--public-url",
            "https://tools.example.test",
        ];
        let refused = run(&home, &public).await;
        assert_eq!(refused.code, Some(1), "{config}");
        assert!(refused.stderr.contains("\"test\""), "{}", refused.stderr);
    }
}

#[tokio::test]
async fn a_port_in_use_and_a_wrong_address_are_told() {
    let home = Home::new().plugin("echo");
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let refused = run(&home, &["serve", "--http", &address]).await;
    assert_eq!(refused.code, Some(1));
    assert!(
        refused.stderr.contains(&address) && refused.stderr.contains("--http"),
        "{}",
        refused.stderr
    );
    let wrong = run(&home, &["serve", "--http", "7402"]).await;
    assert_eq!(wrong.code, Some(2));
    assert!(wrong.stderr.contains("127.0.0.1:7402"), "{}", wrong.stderr);
}

#[tokio::test]
async fn payments_of_a_ledger_that_is_not_there_make_none() {
    let home = Home::new();
    let listed = run(&home, &["payments", "list"]).await;
    assert_eq!(listed.code, Some(1));
    assert!(listed.stderr.contains("--state"), "{}", listed.stderr);
    assert!(!home.ledger().exists());
}

/// Neither the arguments nor what redeems is in the log, however much of it is asked for.
#[tokio::test]
async fn the_log_holds_no_secrets() {
    let mut home = Home::new().plugin("echo").mode("two_step");
    home.env("COINOP_LOG", "trace");
    let client = home.stdio(Era::Legacy).await;
    let payment = client
        .call("echo_paid", json!({ "text": "my-secret-argument" }))
        .await
        .payment();
    pay_by_command(&home, &payment.id).await;
    let confirm = json!({ "payment_id": payment.id });
    let paid = client.call("confirm_echo_paid", confirm).await;
    assert_eq!(paid.text(), "my-secret-argument");
    let log = client.stdio().log.text();
    assert!(log.contains("echo_paid"), "nothing is logged:\n{log}");
    let token = payment.url.rsplit('/').next().unwrap();
    for secret in ["my-secret-argument", payment.id.as_str(), token] {
        assert!(!log.contains(secret), "the log has {secret}:\n{log}");
    }
}

#[tokio::test]
async fn behind_a_proxy_links_are_public_and_probes_tell_no_secrets() {
    let home = Home::new()
        .plugin("echo")
        .mode("two_step")
        .argument("--public-url")
        .argument("https://tools.example.test")
        .argument("--allow-test-payments");
    let host = home.http().await;
    let client = host.client(Era::Modern).await;
    let asked = client
        .call("echo_paid", json!({"text": "x"}))
        .await
        .payment();
    assert!(
        asked.url.starts_with("https://tools.example.test/pay/lnk_"),
        "{}",
        asked.url
    );
    // One tool of this plugin has no price, which is a problem with a file's name in it.
    let ready: serde_json::Value = serde_json::from_str(&host.get("/readyz").await.text()).unwrap();
    assert_eq!(ready["status"], "degraded");
    assert_eq!(ready["problems"], 1, "{ready}");
}
