//! The check of a backup, whole and tampered with.

use coinop_tests::era::Era;
use rusqlite::Connection;
use serde_json::json;

use crate::desk::{Desk, SHOP, delivered, half_refunded, home};

#[tokio::test]
async fn a_backup_is_checked_and_each_kind_of_tampering_names_the_call() {
    let mut home = home(SHOP);
    let id = half_refunded(&mut home).await;
    let host = home.http().await;
    let client = host.client(Era::Modern).await;
    let payment = delivered(&client).await;
    let desk = Desk::of(&home);
    let call = desk.shown(&payment.id).await["call"].clone();
    let call = call.as_str().unwrap();
    desk.payments("retry", &id, &[]).await;
    let backup = home.path("backup.db");
    let file = backup.to_str().unwrap();
    let wrote = desk.run(&["ledger", "backup", file]).await.ok();
    assert!(wrote.contains(file), "{wrote}");
    let again = desk.run(&["ledger", "backup", file]).await.no(1);
    assert!(again.contains("not overwritten"), "{again}");
    let good = desk.at(&backup).run(&["ledger", "check", "--json"]).await;
    assert_eq!((good.code, &good.json()["holds"]), (Some(0), &json!(true)));
    assert_eq!(good.json()["checked"]["calls"], 2);

    let where_call = format!("WHERE call = '{call}'");
    for (sql, what) in [
        (
            format!("UPDATE entry SET amount = amount + 1 {where_call} AND book = 'clearing'"),
            "not to nothing",
        ),
        (
            format!("UPDATE outcome SET body = replace(body, '\"x\"', '\"y\"') {where_call}"),
            "stored outcome",
        ),
        (format!("DELETE FROM outcome {where_call}"), "is gone"),
        (
            format!("DELETE FROM receipt {where_call}"),
            "without a receipt",
        ),
        (
            format!("UPDATE receipt SET body = replace(body, '.', '.A') {where_call}"),
            "its receipt: ",
        ),
        (
            format!(
                "UPDATE call SET body = replace(body, 'echo_paid', 'echo_free') WHERE id = '{call}'"
            ),
            "another tool",
        ),
    ] {
        let tampered = home.path("tampered.db");
        std::fs::copy(&backup, &tampered).unwrap();
        let db = Connection::open(&tampered).unwrap();
        assert!(db.execute(&sql, []).unwrap() > 0, "{sql}");
        drop(db);
        let checked = desk.at(&tampered).run(&["ledger", "check"]).await;
        assert_eq!(checked.code, Some(1), "{sql}");
        let named = |line: &&str| line.starts_with(&format!("FAULT {call}: "));
        let faults: Vec<&str> = checked.stdout.lines().filter(named).collect();
        assert!(
            faults.iter().any(|fault| fault.contains(what)),
            "{sql}: no fault says {what:?}:\n{}",
            checked.stdout
        );
        for file in ["tampered.db", "tampered.db-wal", "tampered.db-shm"] {
            let _ = std::fs::remove_file(home.path(file));
        }
    }
    let chain = home.path("chain.db");
    std::fs::copy(&backup, &chain).unwrap();
    let db = Connection::open(&chain).unwrap();
    db.execute("UPDATE chain SET count = count + 1", [])
        .unwrap();
    drop(db);
    let broken = desk.at(&chain).run(&["ledger", "check"]).await;
    assert!(
        broken.stdout.contains("FAULT the chain"),
        "{}",
        broken.stdout
    );
}
