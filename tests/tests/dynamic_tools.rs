//! DYNAMIC_TOOLS: whoever has an open payment for a tool sees its confirm tool in its place, and nobody else does.

use coinop_tests::books::Books;
use coinop_tests::client::Client;
use coinop_tests::era::Era;
use coinop_tests::home::Home;
use coinop_tests::pay::{decline, pay};
use coinop_tests::stdio::StdioClient;
use coinop_tests::wait::until;
use futures::future::join_all;
use serde_json::{Value, json};

const CHANGED: &str = "notifications/tools/list_changed";
const ADA: &str = "key-of-ada-0123456789";
const BOB: &str = "key-of-bob-0123456789";
/// Concurrent confirms of one payment.
const CONFIRMS: usize = 8;

fn home() -> Home {
    Home::new().plugin("echo").mode("dynamic_tools")
}

/// With two API keys, and anonymous callers.
fn home_with_keys() -> Home {
    let mut home = home().config(
        "[http]\nanonymous = true\n[http.keys.ada]\nkey = { env = \"ADA\" }\n[http.keys.bob]\nkey = { env = \"BOB\" }\n",
    );
    home.env("ADA", ADA);
    home.env("BOB", BOB);
    home
}

/// Whether the list has the tool, and whether it has the confirm tool.
async fn listed(client: &Client, tool: &str) -> (bool, bool) {
    let tools = client.tools().await;
    let has = |name: &str| tools.iter().any(|tool| tool == name);
    (has(tool), has(&format!("confirm_{tool}")))
}

const TOOL: (bool, bool) = (true, false);
const CONFIRM: (bool, bool) = (false, true);
const BOTH: (bool, bool) = (true, true);

async fn asked(client: &Client, text: &str) -> coinop_tests::answer::PaymentAsked {
    let answer = client.call("echo_paid", json!({ "text": text })).await;
    answer.payment()
}

async fn confirmed(client: &Client, id: &str) -> Value {
    loop {
        let confirm = json!({ "payment_id": id });
        let answer = client.call("confirm_echo_paid", confirm).await;
        match answer.asked() {
            Some(asked) => assert_eq!(asked.status, "running", "{}", answer.0),
            None => return answer.result().clone(),
        }
    }
}

/// The host's listing itself changes: every client hears of that, after whatever it heard before.
fn change_for_all(home: &Home) {
    home.put_plugin("shout", "shout");
}

fn stdio(client: &Client) -> &StdioClient {
    match client {
        Client::Stdio(client) => client,
        Client::Http(_) => panic!("a client on stdio"),
    }
}

#[tokio::test]
async fn on_stdio_a_connection_has_its_own_list() {
    let home = home();
    let (one, two) = (home.stdio(Era::Legacy).await, home.stdio(Era::Legacy).await);
    for client in [&one, &two] {
        assert_eq!(listed(client, "echo_paid").await, TOOL);
    }
    let payment = asked(&one, "sun").await;
    stdio(&one).notification(CHANGED).await;
    assert_eq!(listed(&one, "echo_paid").await, CONFIRM);
    assert_eq!(listed(&one, "slow_paid").await, TOOL);
    assert_eq!(listed(&two, "echo_paid").await, TOOL);

    assert_eq!(
        asked(&one, "sun").await.id,
        payment.id,
        "the hidden tool is the same call"
    );
    pay(&payment.url).await;
    assert_eq!(
        confirmed(&one, &payment.id).await["content"][0]["text"],
        "sun"
    );
    stdio(&one).notification(CHANGED).await;
    assert_eq!(listed(&one, "echo_paid").await, TOOL);

    change_for_all(&home);
    for client in [&one, &two] {
        stdio(client).notification(CHANGED).await;
        assert!(stdio(client).take_notification(CHANGED).is_none());
    }
}

#[tokio::test]
async fn on_stdio_an_open_call_follows_its_user_to_the_next_connection() {
    let home = home();
    let one = home.stdio(Era::Legacy).await;
    assert_eq!(listed(&one, "echo_paid").await, TOOL);
    let payment = asked(&one, "sun").await;
    stdio(&one).notification(CHANGED).await;
    assert_eq!(listed(&one, "echo_paid").await, CONFIRM);

    let two = home.stdio(Era::Legacy).await;
    assert_eq!(listed(&two, "echo_paid").await, TOOL);
    assert_eq!(asked(&two, "sun").await.id, payment.id);
    stdio(&two).notification(CHANGED).await;
    assert_eq!(listed(&two, "echo_paid").await, CONFIRM);
    // Another process changed it: noticed by a look, without a word between them.
    stdio(&one).notification(CHANGED).await;
    assert_eq!(listed(&one, "echo_paid").await, TOOL);
}

#[tokio::test]
async fn over_http_a_session_has_its_own_list() {
    let home = home();
    let host = home.http().await;
    let (one, two) = (
        host.client(Era::Legacy).await,
        host.client(Era::Legacy).await,
    );
    let (to_one, to_two) = (one.list_changes().await, two.list_changes().await);
    for client in [&one, &two] {
        assert_eq!(listed(client, "echo_paid").await, TOOL);
    }
    let payment = asked(&one, "sun").await;
    to_one.nth(CHANGED, 1).await;
    assert_eq!(listed(&one, "echo_paid").await, CONFIRM);
    assert_eq!(listed(&two, "echo_paid").await, TOOL);
    assert_eq!(asked(&one, "sun").await.id, payment.id);
    assert_ne!(
        asked(&two, "sun").await.id,
        payment.id,
        "strangers share nothing"
    );
    to_two.nth(CHANGED, 1).await;

    pay(&payment.url).await;
    let results = join_all((0..CONFIRMS).map(|_| confirmed(&one, &payment.id))).await;
    assert!(
        results.iter().all(|result| *result == results[0]),
        "{results:?}"
    );
    assert_eq!(Books::of(&home).runs(&payment.id), 1);
    to_one.nth(CHANGED, 2).await;
    assert_eq!(listed(&one, "echo_paid").await, TOOL);
    assert_eq!(listed(&two, "echo_paid").await, CONFIRM);

    change_for_all(&home);
    to_one.nth(CHANGED, 3).await;
    to_two.nth(CHANGED, 2).await;
    assert_eq!((to_one.count(CHANGED), to_two.count(CHANGED)), (3, 2));
}

#[tokio::test]
async fn a_declined_payment_brings_the_tool_back() {
    let home = home();
    let host = home.http().await;
    let client = host.client(Era::Legacy).await;
    let changes = client.list_changes().await;
    assert_eq!(listed(&client, "echo_paid").await, TOOL);
    let payment = asked(&client, "sun").await;
    changes.nth(CHANGED, 1).await;
    assert_eq!(listed(&client, "echo_paid").await, CONFIRM);
    decline(&payment.url).await;
    changes.nth(CHANGED, 2).await;
    assert_eq!(listed(&client, "echo_paid").await, TOOL);
    assert_ne!(asked(&client, "sun").await.id, payment.id);
}

#[tokio::test]
async fn an_offer_that_ends_brings_the_tool_back() {
    let home = home().config("[quotes]\nlifetime_s = 30\n");
    let client = home.stdio(Era::Legacy).await;
    assert_eq!(listed(&client, "echo_paid").await, TOOL);
    asked(&client, "sun").await;
    stdio(&client).notification(CHANGED).await;
    assert_eq!(listed(&client, "echo_paid").await, CONFIRM);
    stdio(&client).notification(CHANGED).await;
    assert_eq!(listed(&client, "echo_paid").await, TOOL);
}

#[tokio::test]
async fn a_failed_run_brings_the_tool_back() {
    let home = Home::new().plugin("misbehave").mode("dynamic_tools");
    let home = home.config("[plugins.misbehave.tools.trap]\nprice = \"0.01 USD\"\n");
    let client = home.stdio(Era::Legacy).await;
    assert_eq!(listed(&client, "trap").await, TOOL);
    let payment = client.call("trap", json!({})).await.payment();
    stdio(&client).notification(CHANGED).await;
    assert_eq!(listed(&client, "trap").await, CONFIRM);
    pay(&payment.url).await;
    let confirm = json!({ "payment_id": payment.id });
    let told = client.call("confirm_trap", confirm).await;
    assert!(told.is_refused(), "{}", told.0);
    stdio(&client).notification(CHANGED).await;
    assert_eq!(listed(&client, "trap").await, TOOL);
}

#[tokio::test]
async fn in_the_modern_era_a_principal_has_its_own_list_on_every_connection() {
    let home = home_with_keys();
    let host = home.http().await;
    let ada = host.client_with_key(Era::Modern, ADA).await;
    let also_ada = host.client_with_key(Era::Modern, ADA).await;
    let bob = host.client_with_key(Era::Modern, BOB).await;
    let nobody = host.client(Era::Modern).await;
    let (to_ada, to_bob) = (ada.list_changes().await, bob.list_changes().await);
    // Whoever is acknowledged is listening.
    to_ada
        .nth("notifications/subscriptions/acknowledged", 1)
        .await;
    to_bob
        .nth("notifications/subscriptions/acknowledged", 1)
        .await;
    for client in [&ada, &bob] {
        assert_eq!(listed(client, "echo_paid").await, TOOL);
    }
    let list = ada.request("tools/list", json!({})).await;
    let (scope, ttl) = (&list["result"]["cacheScope"], &list["result"]["ttlMs"]);
    assert_eq!((scope, ttl), (&json!("private"), &json!(0)));

    let payment = asked(&ada, "sun").await;
    to_ada.nth(CHANGED, 1).await;
    for client in [&ada, &also_ada] {
        assert_eq!(listed(client, "echo_paid").await, CONFIRM);
    }
    assert_eq!(listed(&bob, "echo_paid").await, TOOL);
    assert_eq!(asked(&also_ada, "sun").await.id, payment.id);

    // Nobody in particular sees both, and is served by two steps.
    assert_eq!(listed(&nobody, "echo_paid").await, BOTH);
    let other = asked(&nobody, "sun").await;
    assert_ne!(other.id, payment.id);
    assert_eq!(listed(&nobody, "echo_paid").await, BOTH);
    pay(&other.url).await;
    assert_eq!(
        confirmed(&nobody, &other.id).await["content"][0]["text"],
        "sun"
    );

    pay(&payment.url).await;
    let results = join_all(
        (0..CONFIRMS).map(|n| confirmed(if n % 2 == 0 { &ada } else { &also_ada }, &payment.id)),
    );
    let results = results.await;
    assert!(
        results.iter().all(|result| *result == results[0]),
        "{results:?}"
    );
    assert_eq!(Books::of(&home).runs(&payment.id), 1);
    to_ada.nth(CHANGED, 2).await;
    assert_eq!(listed(&ada, "echo_paid").await, TOOL);

    change_for_all(&home);
    to_ada.nth(CHANGED, 3).await;
    to_bob.nth(CHANGED, 1).await;
    assert_eq!((to_ada.count(CHANGED), to_bob.count(CHANGED)), (3, 1));
}

#[tokio::test]
async fn what_is_open_outlives_the_host() {
    let home = home_with_keys();
    let host = home.http().await;
    let ada = host.client_with_key(Era::Modern, ADA).await;
    let payment = asked(&ada, "sun").await;
    assert_eq!(listed(&ada, "echo_paid").await, CONFIRM);
    host.kill().await;

    let host = home.http().await;
    let ada = host.client_with_key(Era::Modern, ADA).await;
    assert_eq!(listed(&ada, "echo_paid").await, CONFIRM);
    assert_eq!(asked(&ada, "sun").await.id, payment.id);
    // The link is the first host's; the payment is the ledger's.
    let link = asked(&ada, "sun").await.url;
    pay(&link).await;
    assert_eq!(
        confirmed(&ada, &payment.id).await["content"][0]["text"],
        "sun"
    );
    until("the tool's return", async || {
        (listed(&ada, "echo_paid").await == TOOL).then_some(())
    })
    .await;
}
