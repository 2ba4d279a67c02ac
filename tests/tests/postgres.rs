//! Hosts that share a PostgreSQL database.

use coinop_tests::client::Client;
use coinop_tests::era::Era;
use coinop_tests::home::Home;
use coinop_tests::host::HttpHost;
use coinop_tests::pay::pay;
use coinop_tests::postgres::{Cluster, Stop, connect};
use coinop_tests::wait::until;
use futures::future::join_all;
use serde_json::{Value, json};

/// How often a run of this payment's call was started.
async fn runs(url: &str, payment: &str) -> u64 {
    let admin = connect(url).await;
    let row = admin
        .query_one("SELECT body FROM call WHERE payment_id = $1", &[&payment])
        .await;
    let body: String = row.unwrap().get(0);
    let call: Value = serde_json::from_str(&body).unwrap();
    call["epoch"].as_u64().unwrap()
}

async fn confirmed(client: &Client, id: &str) -> String {
    loop {
        let answer = client
            .call("confirm_echo_paid", json!({ "payment_id": id }))
            .await;
        match answer.asked() {
            Some(asked) => assert_eq!(asked.status, "running", "{}", answer.0),
            None => return answer.text(),
        }
    }
}

#[tokio::test]
async fn paid_on_one_host_it_is_confirmed_on_another_once() {
    let url = Cluster::shared().await.database().await;
    let home = Home::new().plugin("echo").mode("two_step").database(&url);
    // Both make the schema at the same time.
    let (one, two) = tokio::join!(home.http(), home.http());
    let (here, there) = (one.client(Era::Modern).await, two.client(Era::Legacy).await);
    let payment = here
        .call("echo_paid", json!({ "text": "shared" }))
        .await
        .payment();
    pay(&payment.url).await;
    let confirms = (0..40).map(|n| confirmed(if n % 2 == 0 { &there } else { &here }, &payment.id));
    for text in join_all(confirms).await {
        assert_eq!(text, "shared");
    }
    assert_eq!(runs(&url, &payment.id).await, 1);
    let healthz = async |host: &HttpHost| host.get("/healthz").await.text();
    assert_eq!(healthz(&one).await, healthz(&two).await, "one ledger");
}

#[tokio::test]
async fn a_host_says_so_while_its_database_is_away_and_then_works_on() {
    let cluster = Cluster::own().await;
    let url = cluster.database().await;
    let home = Home::new().plugin("echo").mode("two_step").database(&url);
    let host = home.http().await;
    let client = host.client(Era::Modern).await;
    let payment = client
        .call("echo_paid", json!({ "text": "kept" }))
        .await
        .payment();
    pay(&payment.url).await;
    until("readiness", async || {
        (host.get("/readyz").await.status == 200).then_some(())
    })
    .await;

    cluster.stop(Stop::Fast).await;
    let ready = host.get("/readyz").await;
    assert_eq!(ready.status, 503, "{}", ready.text());
    assert_eq!(
        host.get("/healthz").await.status,
        200,
        "the process is well"
    );
    assert_eq!(host.get("/metrics").await.status, 200);
    for (tool, arguments) in [
        ("echo_paid", json!({ "text": "more" })),
        ("confirm_echo_paid", json!({ "payment_id": payment.id })),
    ] {
        let refused = client.call(tool, arguments).await;
        assert!(refused.is_refused(), "{}", refused.0);
        assert!(
            refused.text().contains("ledger is not available"),
            "{}",
            refused.text()
        );
    }

    cluster.start().await;
    until("readiness", async || {
        (host.get("/readyz").await.status == 200).then_some(())
    })
    .await;
    assert_eq!(confirmed(&client, &payment.id).await, "kept");
    assert_eq!(runs(&url, &payment.id).await, 1);
}
