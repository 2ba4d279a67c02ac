//! Delivered calls are refunded; others say what to do instead.

use coinop_tests::era::Era;
use coinop_tests::pay::pay;
use serde_json::json;

use crate::desk::{Desk, SHOP, delivered, home};

#[tokio::test]
async fn a_delivered_call_is_refunded_in_parts_and_no_further() {
    let home = home(SHOP);
    let host = home.http().await;
    let client = host.client(Era::Modern).await;
    let payment = delivered(&client).await;
    let desk = Desk::of(&home);
    let part = ["--amount", "0.004", "--reason", "slow"];
    let said = desk.payments("refund", &payment.id, &part).await.ok();
    assert_eq!(
        said,
        "Refunded: 0.004 USD for echo_paid; 0.006 USD can still go back.\n"
    );
    for (rest, code, why) in [
        (
            ["--amount", "0.0061"],
            1,
            "0.006 USD that can still go back",
        ),
        (["--amount", "0.001 EUR"], 1, "paid in USD, not in EUR"),
        (["--amount", "0"], 1, "more than nothing"),
        (["--amount", "1,5"], 2, "1,5"),
    ] {
        let refused = desk.payments("refund", &payment.id, &rest).await;
        let said = refused.no(code);
        assert!(said.contains(why), "{rest:?}: {said}");
    }
    let shown = desk.shown(&payment.id).await;
    assert_eq!(shown["refunds"].as_array().unwrap().len(), 1, "{shown}");
    assert_eq!(shown["refunds"][0]["reason"], "slow");
    assert_eq!(shown["refunds"][0]["state"], "made");
    assert_eq!(shown["receipt"]["number"], 1);
    let rest = desk.payments("refund", &payment.url, &[]).await.ok();
    assert!(rest.contains("0.006 USD for echo_paid; 0.00 USD"), "{rest}");
    let none = desk.payments("refund", &payment.id, &[]).await.no(1);
    assert!(none.contains("went back already"), "{none}");

    let sheet = desk.payments("show", &payment.id, &[]).await.ok();
    for line in ["0.01 USD refunded", "Refunds    0.004 USD made", "refunds "] {
        assert!(sheet.contains(line), "{line}:\n{sheet}");
    }
    let again = json!({ "payment_id": payment.id });
    let again = client.call("confirm_echo_paid", again).await;
    assert_eq!(again.text(), "x", "what was delivered stays delivered");
    let holds = desk.checks().await;
    assert!(holds.contains("Everything holds."), "{holds}");
    let equal = desk.run(&["reconcile"]).await.ok();
    assert!(
        equal.contains("0.01 USD received, 0.01 USD refunded"),
        "{equal}"
    );
}

#[tokio::test]
async fn what_is_not_delivered_yet_says_what_to_do() {
    let home = home(SHOP);
    let client = home.stdio(Era::Legacy).await;
    let open = client.call("echo_paid", json!({"text": "x"})).await;
    let open = open.payment();
    let desk = Desk::of(&home);
    let shown = desk.shown(&open.id).await;
    let (token, pay_at) = (open.url.rsplit('/').next().unwrap(), &shown["pay_at"]);
    let pay_at = pay_at.as_str().unwrap();
    assert!(pay_at.ends_with(&format!("/pay/{token}")), "{pay_at}");
    let unpaid = desk.payments("refund", &open.id, &[]).await.no(1);
    assert!(unpaid.contains("nobody has paid"), "{unpaid}");
    pay(&open.url).await;
    let ready = desk.payments("refund", &open.id, &[]).await.no(1);
    assert!(ready.contains("waits for its caller"), "{ready}");
    assert!(desk.shown(&open.id).await["pay_at"].is_null());
    for command in ["refund", "credit", "retry"] {
        let unknown = "call_aaaaaaaaaaaaaaaaaaaaaaaaaa";
        let missing = desk.payments(command, unknown, &[]).await.no(1);
        assert!(missing.contains("payments list"), "{missing}");
        desk.payments(command, "call_short", &[]).await.no(2);
    }
    let holds = desk.checks().await;
    assert!(holds.contains("waiting for its caller until"), "{holds}");
}
