//! Hosts that die at the worst moments, and hosts that share a ledger.

use coinop_tests::books::Books;
use coinop_tests::client::Client;
use coinop_tests::era::Era;
use coinop_tests::home::Home;
use coinop_tests::pay::{is_served, pay, pay_by_command};
use coinop_tests::wait::{until, within};
use serde_json::json;

#[tokio::test]
async fn kill_between_payment_and_confirm_loses_nothing() {
    let home = Home::new().plugin("echo").mode("two_step");
    let client = home.stdio(Era::Legacy).await;
    let payment = client
        .call("echo_paid", json!({ "text": "still mine" }))
        .await
        .payment();
    pay(&payment.url).await;
    client.stdio().kill().await;

    let client = home.stdio(Era::Legacy).await;
    let paid = client
        .call("confirm_echo_paid", json!({ "payment_id": payment.id }))
        .await;
    assert_eq!(paid.text(), "still mine", "{}", paid.0);
    assert_eq!(Books::of(&home).runs(&payment.id), 1);
    assert_eq!(Books::of(&home).imbalances(), 0);
}

/// `before-reply`: the outcome is committed, the answer is not sent.
#[tokio::test]
async fn kill_between_run_and_reply_delivers_the_stored_outcome() {
    let mut home = Home::new().plugin("echo").mode("two_step");
    let client = home.stdio(Era::Legacy).await;
    let payment = client
        .call("echo_paid", json!({ "text": "ran once" }))
        .await
        .payment();
    pay(&payment.url).await;
    client.stdio().kill().await;

    home.env("COINOP_FAILPOINT", "before-reply");
    let doomed = home.stdio(Era::Legacy).await.stdio();
    let confirm = json!({ "name": "confirm_echo_paid", "arguments": { "payment_id": payment.id } });
    let (_, answer) = doomed.send("tools/call", confirm).await;
    let answer = within("the host's death", answer).await;
    assert!(
        answer.is_err(),
        "the host was to die before it answered: {answer:?}"
    );
    doomed.ended().await;
    assert_eq!(Books::of(&home).runs(&payment.id), 1);

    home.clear_env();
    let client = home.stdio(Era::Legacy).await;
    let paid = client
        .call("confirm_echo_paid", json!({ "payment_id": payment.id }))
        .await;
    assert_eq!(paid.text(), "ran once", "{}", paid.0);
    assert_eq!(Books::of(&home).runs(&payment.id), 1);
    assert_eq!(Books::of(&home).imbalances(), 0);
}

/// The quote names the old component: it is what runs, though the file is gone.
#[tokio::test]
async fn a_quote_survives_replacement_and_restart() {
    let home = Home::new().plugin("echo").mode("two_step");
    let client = home.stdio(Era::Legacy).await;
    let payment = client
        .call("echo_paid", json!({ "text": "old" }))
        .await
        .payment();
    client.stdio().kill().await;
    std::fs::remove_file(home.plugin_path("echo")).unwrap();
    home.put_plugin("echo-v2", "echo");

    pay_by_command(&home, &payment.id).await;
    let client = home.stdio(Era::Legacy).await;
    let paid = client
        .call("confirm_echo_paid", json!({ "payment_id": payment.id }))
        .await;
    assert_eq!(paid.text(), "old", "{}", paid.0);
}

#[tokio::test]
async fn two_hosts_share_a_ledger() {
    let home = Home::new().plugin("echo").mode("two_step");
    let (one, other) = tokio::join!(home.stdio(Era::Legacy), home.stdio(Era::Modern));
    let payment = one
        .call("echo_paid", json!({ "text": "shared" }))
        .await
        .payment();
    pay(&payment.url).await;
    let paid = other
        .call("confirm_echo_paid", json!({ "payment_id": payment.id }))
        .await;
    assert_eq!(paid.text(), "shared", "{}", paid.0);
    let again = one
        .call("confirm_echo_paid", json!({ "payment_id": payment.id }))
        .await;
    assert_eq!(again.text(), "shared", "{}", again.0);
    assert_eq!(Books::of(&home).runs(&payment.id), 1);
}

/// Both hosts confirm the same payment at once: claims decide who runs.
#[tokio::test]
async fn two_hosts_race_for_one_run() {
    let home = Home::new().plugin("echo").mode("two_step");
    let (one, other) = tokio::join!(home.stdio(Era::Legacy), home.stdio(Era::Legacy));
    let payment = one.call("slow_paid", json!({ "ms": 200 })).await.payment();
    pay(&payment.url).await;
    let (first, second) = tokio::join!(finish(&one, &payment.id), finish(&other, &payment.id));
    assert_eq!(
        (first.as_str(), second.as_str()),
        ("waited 200 ms", "waited 200 ms")
    );
    assert_eq!(Books::of(&home).runs(&payment.id), 1);
}

async fn finish(client: &Client, payment: &str) -> String {
    until("the outcome", async || {
        let answer = client
            .call("confirm_slow_paid", json!({ "payment_id": payment }))
            .await;
        answer.asked().is_none().then(|| answer.text())
    })
    .await
}

/// Every MCP client starts its own host; one of them serves all payment pages, and when it ends another does.
#[tokio::test]
async fn pages_are_taken_over_when_their_host_ends() {
    let home = Home::new().plugin("echo").mode("two_step");
    let address = free_address();
    let holder = home.stdio_paying_at(&address, Era::Legacy).await;
    let first = holder
        .call("echo_paid", json!({ "text": "first" }))
        .await
        .payment();
    assert!(
        first.url.starts_with(&format!("http://{address}/")),
        "{}",
        first.url
    );

    let other = home.stdio_paying_at(&address, Era::Legacy).await;
    let payment = other
        .call("echo_paid", json!({ "text": "second" }))
        .await
        .payment();
    assert!(
        payment.url.starts_with(&format!("http://{address}/")),
        "{}",
        payment.url
    );
    assert!(
        is_served(&payment.url).await,
        "the holder serves the other's page"
    );

    holder.stdio().kill().await;
    until("the other host to serve the pages", async || {
        is_served(&payment.url).await.then_some(())
    })
    .await;
    pay(&payment.url).await;
    let paid = other
        .call("confirm_echo_paid", json!({ "payment_id": payment.id }))
        .await;
    assert_eq!(paid.text(), "second", "{}", paid.0);
}

/// A loopback address that nobody uses now.
fn free_address() -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().to_string()
}

#[tokio::test]
async fn a_client_that_quits_ends_its_host_in_order() {
    let home = Home::new().plugin("echo").mode("two_step");
    let client = home.stdio(Era::Legacy).await.stdio();
    let status = client.quit().await;
    assert!(status.success(), "{status}");
}

/// Asks a host to stop, as service managers and terminals do.
fn terminate(pid: u32) {
    let pid = pid.to_string();
    let kill = std::process::Command::new("kill").arg(&pid).status();
    assert!(kill.expect("there is a kill").success());
}

/// Both kinds of host answer what they run before they end.
#[tokio::test]
async fn a_host_that_is_asked_to_stop_answers_what_it_runs() {
    for http in [false, true] {
        let home = Home::new().plugin("echo").mode("two_step");
        let host = match http {
            true => Some(home.http().await),
            false => None,
        };
        let client = match &host {
            Some(host) => host.client(Era::Legacy).await,
            None => home.stdio(Era::Legacy).await,
        };
        let payment = client
            .call("slow_paid", json!({ "ms": 1_500 }))
            .await
            .payment();
        pay(&payment.url).await;
        let pid = match (&host, &client) {
            (Some(host), _) => host.pid(),
            (None, Client::Stdio(client)) => client.pid(),
            _ => unreachable!("a host without HTTP is on stdio"),
        };
        let stopping = async {
            let books = Books::of(&home);
            let running = async || (books.runs(&payment.id) == 1).then_some(());
            until("the run", running).await;
            terminate(pid);
        };
        let confirm = client.call("confirm_slow_paid", json!({ "payment_id": payment.id }));
        let (paid, ()) = tokio::join!(confirm, stopping);
        assert_eq!(paid.text(), "waited 1500 ms", "http: {http}: {}", paid.0);
    }
}
