//! What needs a person is in the queue, and every command there settles it.

use coinop_tests::books::Books;
use coinop_tests::era::Era;
use coinop_tests::wait::until;
use rusqlite::Connection;
use serde_json::{Value, json};

use crate::desk::{Desk, NO_REFUNDS, SHOP, half_refunded, home, stuck};

#[tokio::test]
async fn what_hosts_give_up_is_in_the_queue_with_what_settles_it() {
    let home = home(NO_REFUNDS);
    let host = home.http().await;
    let client = host.client(Era::Legacy).await;
    let desk = Desk::of(&home);
    let nothing = desk.run(&["payments", "attention"]).await.ok();
    assert_eq!(nothing, "Nothing needs a person.\n");
    let (first, second) = (stuck(&client).await, stuck(&client).await);
    let queue = desk.queue().await;
    assert_eq!(queue.len(), 2, "{queue:?}");
    assert_eq!(queue[0]["owed"][0]["amount"], "0.50");
    let call = queue[0]["call"].as_str().unwrap();
    // This provider gives no refunds, and nobody in particular has no balance.
    let commands = [
        format!("coinop payments retry {call}"),
        format!("coinop payments close {call} --note TEXT"),
    ];
    assert_eq!(queue[0]["commands"], json!(commands));
    let told = desk.run(&["payments", "attention"]).await.ok();
    assert!(
        told.contains(&commands[1]) && told.contains("0.50 USD"),
        "{told}"
    );
    let no = desk.payments("refund", &first.id, &[]).await.no(1);
    assert!(no.contains("gives no refunds"), "{no}");
    let no = desk.payments("credit", &first.id, &[]).await.no(1);
    assert!(no.contains("anonymous"), "{no}");
    let still = desk.payments("retry", &first.id, &[]).await.no(1);
    assert!(still.contains("attention"), "{still}");
    let noteless = desk.payments("close", &first.id, &[]).await.no(2);
    assert!(noteless.contains("--note"), "{noteless}");

    let able = desk.with("able.toml", SHOP);
    let queue = able.queue().await;
    let item = queue.iter().find(|item| item["call"] == call).unwrap();
    let refund = format!("coinop payments refund {call}");
    assert_eq!(item["commands"][1], refund, "{item}");
    let part = able
        .payments("refund", &first.id, &["--amount", "0.1"])
        .await;
    assert!(part.no(1).contains("all of it goes back"));
    let done = able.payments("refund", &first.id, &[]).await.ok();
    assert_eq!(done, "Refunded: 0.50 USD for trap.\n");
    let note = ["--note", "paid back in cash"];
    let closed = desk.payments("close", &second.id, &note).await.ok();
    assert!(closed.contains("refunded"), "{closed}");
    assert_eq!(desk.shown(&second.id).await["note"], "paid back in cash");
    assert_eq!(desk.queue().await, Vec::<Value>::new());
    assert!(desk.checks().await.contains("Everything holds."));
    // The provider knows nothing of the cash, and is not asked to.
    let equal = able.run(&["reconcile"]).await.ok();
    assert!(equal.contains("Equal."), "{equal}");
}

#[tokio::test]
async fn a_call_that_a_dead_host_left_is_taken_up_without_a_host() {
    let mut home = home(SHOP);
    let id = half_refunded(&mut home).await;
    let desk = Desk::of(&home);
    assert_eq!(desk.shown(&id).await["state"], "compensating");
    assert_eq!(desk.queue().await.len(), 1);
    let said = desk.payments("retry", &id, &[]).await.ok();
    assert_eq!(said, "Refunded: 0.50 USD for trap.\n");
    let ended = desk.payments("retry", &id, &[]).await.no(1);
    assert!(ended.contains("has ended"), "{ended}");
    assert!(desk.checks().await.contains("Everything holds."));
    assert!(desk.run(&["reconcile"]).await.ok().contains("Equal."));
}

#[tokio::test]
async fn what_is_owed_to_somebody_known_becomes_a_balance() {
    let mut home = home(SHOP);
    let id = half_refunded(&mut home).await;
    let desk = Desk::of(&home);
    // As if hosts had tried for a week.
    let db = Connection::open(home.ledger()).unwrap();
    let sql = "UPDATE call SET state = 'attention', due_at = NULL, body = json_set(body, '$.state', json_object(
                   'state', 'attention', 'reason', 'scripted', 'from', json_extract(body, '$.state')))
               WHERE payment_id = ?1";
    assert_eq!(db.execute(sql, [&id]).unwrap(), 1);
    drop(db);
    let queue = desk.queue().await;
    let commands = queue[0]["commands"].to_string();
    assert!(commands.contains("payments credit"), "{commands}");
    let said = desk.payments("credit", &id, &[]).await.ok();
    assert!(said.starts_with("Ordered: "), "{said}");
    // A host looks again when nothing can be on its way any more.
    home.env("COINOP_CLOCK_SHIFT_MS", "1200000");
    let client = home.stdio(Era::Legacy).await;
    let desk = Desk::of(&home);
    until("the balance", async || {
        (desk.shown(&id).await["state"] == "credited").then_some(())
    })
    .await;
    let holds = desk.checks().await;
    assert!(holds.contains("Everything holds."), "{holds}");
    let free = client.call("echo_paid", json!({"text": "free"})).await;
    assert_eq!(free.text(), "free", "its balance pays: {}", free.0);
    let equal = desk.run(&["reconcile"]).await.ok();
    assert!(equal.contains("Equal."), "{equal}");
    assert_eq!(Books::of(&home).imbalances(), 0);
}
