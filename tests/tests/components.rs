//! Components that were made for other hosts, sold as they are: checked, priced by a sidecar, listed, paid and run.

use coinop_tests::era::Era;
use coinop_tests::home::Home;
use coinop_tests::pay::pay;
use serde_json::{Value, json};

const SIDECAR: &str = r#"
price = "0.01 USD"

[tools.get_weather]
title = "Weather"
description = "The weather in a city."
annotations = { read_only = true }

[tools.filesystem_get_file_info]
name = "file_info"
price = "free"
"#;

fn home() -> Home {
    let home = Home::new().plugin("other-host").mode("two_step");
    std::fs::write(home.path("plugins").join("other-host.toml"), SIDECAR).unwrap();
    home
}

#[tokio::test]
async fn check_says_what_becomes_of_each_function() {
    let home = Home::new().plugin("other-host");
    let said = check(&home).await;
    for line in [
        "[plugins.other-host.tools.get_weather] price = \"0.10 USD\"",
        "note: other-host.wasm: the function local:other-host/shells@1.0.0#open is no tool: its answer contains a resource",
    ] {
        assert!(said.contains(line), "{line}\n{said}");
    }
    std::fs::write(home.path("plugins").join("other-host.toml"), SIDECAR).unwrap();
    let said = check(&home).await;
    for line in [
        "get_weather: 0.01 USD",
        "file_info: free",
        "time_get_current_time: 0.01 USD",
    ] {
        assert!(said.contains(line), "{line}\n{said}");
    }
    assert!(!said.contains("problem:"), "{said}");
}

async fn check(home: &Home) -> String {
    let mut command = home.coinop(&["check", "--plugins"]);
    command.arg(home.path("plugins"));
    let output = command.output().await.unwrap();
    let said = [output.stdout, output.stderr].concat();
    String::from_utf8_lossy(&said).into_owned()
}

#[tokio::test]
async fn a_function_is_listed_in_the_sidecars_words() {
    let home = home();
    let client = home.stdio(Era::Legacy).await;
    let listed = client.request("tools/list", json!({})).await;
    let tools = listed["result"]["tools"].as_array().unwrap();
    let weather = tools
        .iter()
        .find(|tool| tool["name"] == "get_weather")
        .unwrap();
    assert_eq!(weather["title"], "Weather");
    assert_eq!(weather["annotations"]["readOnlyHint"], true);
    let description = weather["description"].as_str().unwrap();
    assert!(
        description.starts_with("The weather in a city.\n\nCosts 0.01 USD"),
        "{description}"
    );
    assert_eq!(weather["inputSchema"]["required"], json!(["city"]));
}

#[tokio::test]
async fn a_function_is_sold_and_delivers_its_value() {
    let home = home();
    let client = home.stdio(Era::Legacy).await;
    let asked = client.call("get_weather", json!({ "city": "Oslo" })).await;
    let payment = asked.payment();
    pay(&payment.url).await;
    let confirm = json!({ "payment_id": payment.id });
    let answer = client.call("confirm_get_weather", confirm).await;
    assert_eq!(answer.text(), "It is mild in Oslo.");
    let structured: &Value = &answer.result()["structuredContent"];
    assert_eq!(*structured, json!({ "result": "It is mild in Oslo." }));
    let free = client.call("file_info", json!({ "path": "/large" })).await;
    let expected = json!({ "size": "18446744073709551615", "modified": null, "kind": "file" });
    assert_eq!(free.result()["structuredContent"]["result"], expected);
}

#[tokio::test]
async fn an_error_of_its_own_is_given_back_in_its_words() {
    let home = home();
    let client = home.stdio(Era::Legacy).await;
    let asked = client
        .call("get_weather", json!({ "city": "Atlantis" }))
        .await;
    let payment = asked.payment();
    pay(&payment.url).await;
    let confirm = json!({ "payment_id": payment.id });
    let answer = client.call_settled("confirm_get_weather", confirm).await;
    assert!(answer.is_error(), "{}", answer.text());
    assert!(
        answer.text().contains("there is no weather in Atlantis"),
        "{}",
        answer.text()
    );
    assert!(
        answer.text().contains("0.01 USD went back to the payer"),
        "{}",
        answer.text()
    );
}

#[tokio::test]
async fn arguments_that_do_not_fit_the_types_cost_nothing() {
    let home = home();
    let client = home.stdio(Era::Legacy).await;
    for arguments in [
        json!({}),
        json!({ "city": 3 }),
        json!({ "city": "Oslo", "zip": 1 }),
    ] {
        let answer = client.call("get_weather", arguments).await;
        assert!(
            answer.is_refused() && answer.asked().is_none(),
            "{}",
            answer.text()
        );
    }
}
