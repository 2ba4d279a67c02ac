//! The ledger beside the statement: equal, or different in every way there is.

use coinop_tests::era::Era;
use rusqlite::Connection;
use serde_json::json;

use crate::desk::{Desk, SHOP, delivered, home};

#[tokio::test]
async fn every_kind_of_disagreement_is_printed() {
    let home = home(SHOP);
    let host = home.http().await;
    let client = host.client(Era::Modern).await;
    for _ in 0..3 {
        delivered(&client).await;
    }
    let desk = Desk::of(&home);
    let equal = desk.run(&["reconcile", "--json"]).await;
    assert_eq!(
        (equal.code, &equal.json()["equal"]),
        (Some(0), &json!(true))
    );
    for (setting, word) in [
        ("amount", "received"),
        ("missing", "not_at_provider"),
        ("unknown", "not_in_ledger"),
        ("refund", "refunded"),
    ] {
        let toml = SHOP.replace(
            "kind = \"sandbox\"",
            &format!("kind = \"sandbox\"\ndisagrees = \"{setting}\""),
        );
        let other = desk.with("disagrees.toml", &toml);
        let main = ["reconcile", "--account", "main"];
        let found = other.run(&[&main[..], &["--json"]].concat()).await;
        assert_eq!(found.code, Some(1), "{setting}");
        let found = found.json();
        let differences = found["accounts"][0]["differences"].as_array().unwrap();
        assert_eq!(differences.len(), 1, "{setting}: {found}");
        assert_eq!(differences[0]["what"], word);
        let named = differences[0]["call"].is_string();
        assert_eq!(named, setting != "unknown", "{found}");
        let told = other.run(&main).await.stdout;
        assert!(told.contains("1 difference."), "{told}");
    }
    let nobody = desk.run(&["reconcile", "--account", "nobody"]).await.no(1);
    assert!(nobody.contains("nobody"), "{nobody}");
    let backwards = [
        "reconcile",
        "--since",
        "2026-01-02",
        "--until",
        "2026-01-01",
    ];
    desk.run(&backwards).await.no(1);
}

#[tokio::test]
async fn fees_are_recorded_from_the_statement() {
    let config = SHOP.replace("kind = \"sandbox\"", "kind = \"sandbox\"\nfee = \"0.002\"");
    let home = home(&config);
    let host = home.http().await;
    let payment = delivered(&host.client(Era::Modern).await).await;
    let desk = Desk::of(&home);
    let differs = desk.run(&["reconcile"]).await;
    assert_eq!(differs.code, Some(1));
    assert!(
        differs.stdout.contains("--record-fees"),
        "{}",
        differs.stdout
    );
    let recorded = desk.run(&["reconcile", "--record-fees"]).await.ok();
    assert!(recorded.contains("1 fee recorded"), "{recorded}");
    let equal = desk.run(&["reconcile"]).await.ok();
    assert!(equal.contains("0.002 USD fees"), "{equal}");
    let fee = &desk.shown(&payment.id).await["fee"]["amount"];
    assert_eq!(fee, "0.002");
    assert!(desk.checks().await.contains("Everything holds."));
}

#[tokio::test]
async fn money_that_the_ledger_missed_is_found_and_driven() {
    let home = home(SHOP);
    let client = home.stdio(Era::Legacy).await;
    let asked = client.call("echo_paid", json!({"text": "x"})).await;
    let id = asked.payment().id;
    client.stdio().kill().await;
    let desk = Desk::of(&home);
    let reference = desk.shown(&id).await["payment"]["reference"].clone();
    // The provider took it half an hour ago, and its word was lost.
    let db = Connection::open(home.ledger()).unwrap();
    let sql = "INSERT INTO sandbox_payment (reference, state, amount, currency, refunded, at)
               SELECT ?1, 'paid', 10000000, 'USD', 0, created_at - 1800000 FROM call WHERE payment_id = ?2";
    let inserted = db.execute(sql, [reference.as_str().unwrap(), &id]);
    assert_eq!(inserted.unwrap(), 1);
    drop(db);
    let found = desk.run(&["reconcile", "--json"]).await;
    assert_eq!(found.code, Some(1));
    let found = found.json();
    let accounts = found["accounts"].as_array().unwrap();
    let main = accounts.iter().find(|a| a["account"] == "main").unwrap();
    let difference = &main["differences"][0];
    assert_eq!(difference["what"], "unpaid", "{found}");
    let advice = difference["advice"].as_str().unwrap();
    assert!(advice.contains("coinop payments retry call_"), "{advice}");
    let call = difference["call"].as_str().unwrap();
    let said = desk.payments("retry", call, &[]).await.ok();
    assert!(said.contains("Now ready"), "{said}");
    assert!(desk.run(&["reconcile"]).await.ok().contains("Equal."));
}
