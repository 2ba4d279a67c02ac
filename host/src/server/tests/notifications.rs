//! What the server says unasked: progress, changes of the listing; and what a cancelled call hears: nothing.

use serde_json::{Value, json};

use super::lines::{Client, call, modern_meta};

#[tokio::test]
async fn progress_is_shown_in_order_and_before_the_answer() {
    let mut client = Client::legacy().await;
    client
        .send(call(1, "steps", json!({"_meta": {"progressToken": "p"}})))
        .await;
    for step in 1..=3 {
        let note = client.receive().await;
        assert_eq!(note["method"], "notifications/progress");
        let expected = json!({"progressToken": "p", "progress": f64::from(step), "total": 3.0, "message": "a step"});
        assert_eq!(note["params"], expected);
    }
    assert_eq!(client.receive().await["id"], 1);
}

#[tokio::test]
async fn a_cancelled_call_stops_and_others_go_on() {
    let mut client = Client::legacy().await;
    client.send(call(1, "wait", json!({}))).await;
    client.send(call(2, "echo", json!({}))).await;
    assert_eq!(client.receive().await["id"], 2);
    assert_eq!(client.fixture.ended.recv().await.unwrap(), "echo");
    let cancel =
        json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 1}});
    client.send(cancel.to_string()).await;
    assert_eq!(client.fixture.ended.recv().await.unwrap(), "wait");
    client.send(call(3, "echo", json!({}))).await;
    assert_eq!(client.receive().await["id"], 3);
}

#[tokio::test]
async fn a_legacy_client_hears_of_every_change_of_the_listing() {
    let mut client = Client::legacy().await;
    let announcing = tokio::spawn(client.fixture.server.clone().announce());
    // An answer to a later message proves that the handshake was taken in.
    client.send(call(1, "echo", json!({}))).await;
    client.receive().await;
    for _ in 0..2 {
        client.fixture.add_tool();
        assert_eq!(
            client.receive().await["method"],
            "notifications/tools/list_changed"
        );
    }
    client.fixture.server.closing().cancel();
    announcing.await.unwrap();
}

#[tokio::test]
async fn a_modern_client_hears_of_changes_it_listens_for() {
    let mut client = Client::connect();
    let listen = |id: u32, filter: Value| {
        let params = json!({"_meta": modern_meta(), "notifications": filter});
        json!({"jsonrpc": "2.0", "id": id, "method": "subscriptions/listen", "params": params})
            .to_string()
    };
    client
        .send(listen(1, json!({"toolsListChanged": true})))
        .await;
    let acknowledged = client.receive().await;
    assert_eq!(
        acknowledged["method"],
        "notifications/subscriptions/acknowledged"
    );
    client
        .send(call(2, "echo", json!({"_meta": modern_meta()})))
        .await;
    assert_eq!(client.receive().await["id"], 2);
    client.fixture.add_tool();
    let changed = client.receive().await;
    assert_eq!(changed["method"], "notifications/tools/list_changed");
    assert_eq!(
        changed["params"]["_meta"]["io.modelcontextprotocol/subscriptionId"],
        1
    );
}
