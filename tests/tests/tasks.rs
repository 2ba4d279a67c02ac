//! Tasks at a real host: a modern client that gave up waiting follows its paid call by polling, across hosts.

use coinop_core::digest::Digest;
use coinop_tests::answer::Answer;
use coinop_tests::books::Books;
use coinop_tests::client::Client;
use coinop_tests::era::Era;
use coinop_tests::home::Home;
use coinop_tests::pay::{is_served, pay};
use serde_json::{Value, json};

fn home() -> Home {
    Home::new().plugin("echo").config("mode = \"auto\"\n")
}

/// What a client that opens links and takes up tasks declares.
fn capabilities() -> Value {
    json!({
        "elicitation": { "form": {}, "url": {} },
        "extensions": { "io.modelcontextprotocol/tasks": {} },
    })
}

async fn send(client: &Client, method: &str, mut params: Value) -> Value {
    params["_meta"] = json!({ "io.modelcontextprotocol/clientCapabilities": capabilities() });
    client.request(method, params).await
}

async fn get(client: &Client, task: &str) -> Value {
    let answer = send(client, "tasks/get", json!({ "taskId": task })).await;
    answer["result"].clone()
}

/// Calls a paid tool, has its user close the link unpaid, and gives the task that comes of it, with the link.
async fn task(client: &Client, text: &str) -> (String, String) {
    let call = json!({ "name": "echo_paid", "arguments": { "text": text } });
    let asked = send(client, "tools/call", call.clone()).await;
    let asked = &asked["result"];
    assert_eq!(asked["resultType"], "input_required", "{asked}");
    let mut again = call;
    again["requestState"] = asked["requestState"].clone();
    again["inputResponses"] = json!({ "pay": { "action": "cancel" } });
    let made = send(client, "tools/call", again).await;
    let made = &made["result"];
    assert_eq!(made["resultType"], "task", "{made}");
    assert_eq!(made["status"], "input_required");
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let link = text(&asked["inputRequests"]["pay"]["params"]["url"]);
    assert!(text(&made["statusMessage"]).contains(&link));
    assert!(made["ttlMs"].as_u64().unwrap() > 0);
    (text(&made["taskId"]), link)
}

/// Polls until the task has ended.
async fn ended(client: &Client, id: &str) -> Value {
    let polling = async {
        loop {
            let task = get(client, id).await;
            match task["status"].as_str() {
                Some("working" | "input_required") => tokio::task::yield_now().await,
                _ => return task,
            }
        }
    };
    coinop_tests::wait::within("the task's end", polling).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_task_outlives_the_host_that_made_it() {
    let home = home();
    let client = home.stdio(Era::Modern).await;
    let (id, link) = task(&client, "kept").await;
    let waiting = get(&client, &id).await;
    assert_eq!(waiting["status"], "input_required", "{waiting}");
    assert_eq!(
        waiting["inputRequests"]["pay"]["params"]["url"],
        json!(link)
    );
    pay(&link).await;
    client.stdio().kill().await;

    let client = home.stdio(Era::Modern).await;
    let done = ended(&client, &id).await;
    assert_eq!(done["status"], "completed", "{done}");
    let result = Answer(json!({ "result": done["result"] }));
    assert!(result.text().contains("kept"), "{done}");
    assert!(
        done["result"]["_meta"]["coinop/receipt"].is_object(),
        "{done}"
    );
    assert_eq!(ended(&client, &id).await["result"], done["result"]);
    assert_eq!(Books::of(&home).runs(&id), 1);
    assert_eq!(Books::of(&home).imbalances(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn many_who_poll_at_once_make_one_run() {
    let home = home();
    let host = home.http().await;
    let client = host.client(Era::Modern).await;
    let (id, link) = task(&client, "once").await;
    pay(&link).await;
    let polls = (0..8).map(|_| ended(&client, &id));
    for done in futures::future::join_all(polls).await {
        assert_eq!(done["status"], "completed", "{done}");
    }
    assert_eq!(Books::of(&home).runs(&id), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_task_is_its_callers_and_nobody_elses() {
    let keys = ["ada", "eve"].map(|name| {
        let hash = Digest::of(format!("key-of-{name}").as_bytes());
        format!("[http.keys.{name}]\nsha256 = \"{hash}\"\n")
    });
    let config = format!("mode = \"auto\"\n{}", keys.concat());
    let home = Home::new().plugin("echo").config(&config);
    let host = home.http().await;
    let ada = host.client_with_key(Era::Modern, "key-of-ada").await;
    let eve = host.client_with_key(Era::Modern, "key-of-eve").await;
    let (id, link) = task(&ada, "mine").await;
    pay(&link).await;
    for method in ["tasks/get", "tasks/update", "tasks/cancel"] {
        let ask = async |client: &Client, id: &str| {
            let params =
                json!({ "taskId": id, "inputResponses": { "pay": { "action": "decline" } } });
            send(client, method, params).await["error"].clone()
        };
        let foreign = ask(&eve, &id).await;
        assert_eq!(foreign["code"], -32602, "{method}: {foreign}");
        for unknown in ["pay_00000000000000000000000000", "no id"] {
            assert_eq!(ask(&eve, unknown).await, foreign, "{method}");
            assert_eq!(ask(&ada, unknown).await, foreign, "{method}");
        }
    }
    assert_eq!(Books::of(&home).runs(&id), 0);
    assert_eq!(ended(&ada, &id).await["status"], "completed");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_task_is_called_off_by_its_client_or_its_user_before_it_is_paid() {
    let home = home();
    let client = home.stdio(Era::Modern).await;
    let decline = json!({ "pay": { "action": "decline" } });
    for (method, responses) in [("tasks/cancel", Value::Null), ("tasks/update", decline)] {
        let (id, link) = task(&client, method).await;
        let mut params = json!({ "taskId": id });
        if !responses.is_null() {
            params["inputResponses"] = responses;
        }
        let acknowledged = send(&client, method, params).await;
        assert_eq!(
            acknowledged["result"]["resultType"], "complete",
            "{acknowledged}"
        );
        let off = get(&client, &id).await;
        assert_eq!(off["status"], "cancelled", "{off}");
        let message = off["statusMessage"].as_str().unwrap();
        assert!(message.contains("Nothing was charged"), "{message}");
        assert_eq!(Books::of(&home).runs(&id), 0);
        assert!(is_served(&link).await, "the page says that it is off");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_declares_no_tasks_has_none() {
    let home = home();
    let client = home.stdio(Era::Modern).await;
    let (id, _) = task(&client, "declared").await;
    let refused = client.request("tasks/get", json!({ "taskId": id })).await;
    assert_eq!(refused["error"]["code"], -32021, "{refused}");
    let asked = client.call("echo_paid", json!({ "text": "plain" })).await;
    assert_eq!(asked.payment().status, "payment_required");
    let tasks_only = json!({ "extensions": { "io.modelcontextprotocol/tasks": {} } });
    let call = json!({
        "name": "echo_paid",
        "arguments": { "text": "the link must be seen" },
        "_meta": { "io.modelcontextprotocol/clientCapabilities": tasks_only },
    });
    let asked = Answer(client.request("tools/call", call).await);
    assert!(asked.text().contains(&asked.payment().url), "{asked:?}");
}
