//! Rows for books: whole, safe to open, and verified by the receipts in them.

use coinop_core::principal::Principal;
use serde_json::{Value, json};

use super::*;
use crate::cli::moment::moment;
use crate::cli::testing::{AT, Shop, call};

fn args(format: Format) -> ExportArgs {
    ExportArgs {
        format,
        since: None,
        until: None,
        account: None,
        output: None,
    }
}

async fn exported(shop: &Shop, args: ExportArgs) -> String {
    let mut out = Vec::new();
    export(&args, &shop.ledger, &mut out).await.unwrap();
    String::from_utf8(out).unwrap()
}

async fn objects(shop: &Shop, args: ExportArgs) -> Vec<Value> {
    serde_json::from_str(&exported(shop, args).await).unwrap()
}

#[tokio::test]
async fn a_call_is_a_row_with_everything_the_books_need() {
    let shop = Shop::new().await;
    let [_, two, _] = shop.deliver_three().await;
    let ada = call(2, Principal::api_key("ada"));
    let rows = objects(&shop, args(Format::Json)).await;
    assert_eq!(rows.len(), 3);
    let row = rows.iter().find(|row| row["call"] == ada.id.as_str());
    let expected = json!({
        "call": ada.id, "created_at": "2026-11-20T10:32:07Z", "updated_at": "2026-11-20T10:33:05Z",
        "state": "deliverable", "tool": "-get_forecast", "plugin": "weather",
        "component": ada.quote.component, "principal": "api_key:ada", "mode": "two_step",
        "price": "0.003", "currency": "USD", "from_balance": null,
        "payment": ada.payment.id, "payment_state": "paid", "provider": "sandbox", "account": "main",
        "reference": format!("=sbx_{}", ada.id), "received": "0.003", "received_currency": "USD",
        "refunded": null, "fee": null, "delivered_at": "2026-11-20T10:33:05Z",
        "receipt_chain": shop.ledger.id(), "receipt_number": 2, "receipt_jws": two,
    });
    assert_eq!(row, Some(&expected));
}

#[tokio::test]
async fn nobodys_payment_id_is_exported() {
    let shop = Shop::new().await;
    let paid = call(1, Principal::anonymous());
    shop.deliver(paid.clone()).await;
    let open = shop.open(call(2, Principal::anonymous())).await;
    for format in [Format::Json, Format::Csv] {
        let text = exported(&shop, args(format)).await;
        assert!(
            text.contains(paid.id.as_str()) && text.contains(open.id.as_str()),
            "{text}"
        );
        for call in [&paid, &open] {
            assert!(!text.contains(call.payment.id.as_str()), "{text}");
            assert!(!text.contains(call.payment.link.as_str()), "{text}");
        }
    }
}

#[tokio::test]
async fn the_table_has_every_column_and_computes_nothing() {
    let shop = Shop::new().await;
    let heading = format!("{}\n", COLUMNS.join(","));
    assert_eq!(exported(&shop, args(Format::Csv)).await, heading);
    assert_eq!(exported(&shop, args(Format::Json)).await, "[\n]\n");

    shop.deliver_three().await;
    let text = exported(&shop, args(Format::Csv)).await;
    let mut table = csv::Reader::from_reader(text.as_bytes());
    assert_eq!(table.headers().unwrap(), COLUMNS.as_slice());
    let rows: Vec<_> = table.records().map(Result::unwrap).collect();
    assert_eq!(rows.len(), 3);
    for row in &rows {
        assert!(
            !row.iter()
                .any(|cell| cell.starts_with(['=', '+', '-', '@'])),
            "{row:?}"
        );
        assert_eq!(&row[4], "'-get_forecast");
        assert!(row[16].starts_with("'=sbx_call_"), "{row:?}");
    }
    // The same columns in both forms, in the same order.
    let json = exported(&shop, args(Format::Json)).await;
    let first = json.lines().nth(1).unwrap();
    let places = COLUMNS.map(|column| first.find(&format!("\"{column}\":")).unwrap());
    assert!(places.is_sorted(), "{first}");
    assert_eq!(
        objects(&shop, args(Format::Json)).await[0]
            .as_object()
            .unwrap()
            .len(),
        COLUMNS.len()
    );
}

#[tokio::test]
async fn calls_are_chosen_by_time_and_account() {
    let shop = Shop::new().await;
    shop.deliver_three().await;
    let of = |since: Option<i64>, until: Option<i64>, account: Option<&str>| ExportArgs {
        since,
        until,
        account: account.map(str::to_owned),
        ..args(Format::Json)
    };
    for (chosen, count) in [
        (of(Some(AT + 2000), None, None), 2),
        (of(None, Some(AT + 2000), None), 1),
        (of(Some(AT + 2000), Some(AT + 3000), Some("main")), 1),
        (of(Some(moment("2026-11-21").unwrap()), None, None), 0),
        (of(Some(moment("2026-11-20").unwrap()), None, None), 3),
        (of(None, None, Some("other")), 0),
    ] {
        assert_eq!(
            objects(&shop, chosen.clone()).await.len(),
            count,
            "{chosen:?}"
        );
    }
}

#[tokio::test]
async fn more_than_a_page_is_exported_whole_into_a_file() {
    let shop = Shop::new().await;
    let count = PAGE as usize + 1;
    for n in 0..count {
        let mut call = call(1, Principal::anonymous());
        let mut bytes = [0; 16];
        bytes[..8].copy_from_slice(&(n as u64).to_le_bytes());
        call.id = coinop_core::ids::CallId::from_random(bytes);
        call.payment.id = coinop_core::ids::PaymentId::from_random(bytes);
        call.payment.link = coinop_core::ids::LinkToken::from_random(bytes);
        shop.open(call).await;
    }
    let path = shop.folder.path().join("books.csv");
    let into = ExportArgs {
        output: Some(path.clone()),
        ..args(Format::Csv)
    };
    let said = exported(&shop, into).await;
    assert_eq!(
        said,
        format!("Exported {count} calls to {}.\n", path.display())
    );
    let table = std::fs::read_to_string(path).unwrap();
    let calls: std::collections::BTreeSet<&str> = table.lines().skip(1).collect();
    assert_eq!(calls.len(), count);
}

#[test]
fn what_begins_like_a_formula_is_text() {
    for formula in ["=1+1", "+1", "-1", "@SUM(A1)", "＝1"] {
        assert_eq!(guarded(formula), format!("'{formula}"));
    }
    for text in ["", "a=1", "'=1", "get_forecast"] {
        assert_eq!(guarded(text), text);
    }
    assert_eq!(shown("\t=1\r"), "\u{fffd}=1\u{fffd}");
}
