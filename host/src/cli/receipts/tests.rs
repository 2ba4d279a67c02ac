//! The command over a real ledger, and over files that somebody tampered with.

use clap::{Parser as _, ValueEnum as _};
use coinop_core::ids::PaymentId;
use coinop_core::principal::Principal;
use coinop_core::receipt::object;
use serde_json::{Value, json};

use super::*;
use crate::cli::payments::export::{self, ExportArgs, Format};
use crate::cli::testing::{AT, Shop, call};

#[derive(clap::Parser)]
struct Cli {
    #[command(flatten)]
    receipts: ReceiptsArgs,
}

async fn try_run(
    ledger: Option<&dyn Ledger>,
    line: &str,
) -> Result<(Verdict, String), ReceiptsError> {
    let words = ["receipts"].into_iter().chain(line.split(' '));
    let args = Cli::try_parse_from(words).unwrap().receipts;
    let mut out = Vec::new();
    // Earlier than the ledger's first key: clocks go back.
    let verdict = run(&args, ledger, AT - 1, &mut out).await?;
    Ok((verdict, String::from_utf8(out).unwrap()))
}

impl Shop {
    async fn run(&self, line: &str) -> (Verdict, String) {
        try_run(Some(&self.ledger), line).await.unwrap()
    }

    /// What `verify` says of a file with this text.
    async fn verify(&self, text: &str) -> (Verdict, String) {
        let path = self.file("receipts", text);
        self.run(&format!("verify {path}")).await
    }
}

/// A receipt's object with one field changed.
fn changed(jws: &str, key: &str, value: Value) -> String {
    let mut receipt = object(jws);
    receipt.insert(key.to_owned(), value);
    Value::from(receipt).to_string()
}

#[tokio::test]
async fn receipts_hold_in_every_form() {
    let shop = Shop::new().await;
    let receipts = shop.deliver_three().await;
    let objects: Vec<Value> = receipts.iter().map(|jws| object(jws).into()).collect();
    let lines: Vec<String> = objects.iter().map(Value::to_string).collect();
    let result = |jws: &String| {
        json!({"content": [{"type": "text", "text": "sunny"}], "isError": false,
               "_meta": {"coinop/receipt": object(jws)}, "resultType": "complete"})
    };
    let results: Vec<Value> = receipts.iter().map(result).collect();
    let response = |result: &Value| json!({"jsonrpc": "2.0", "id": 1, "result": result});
    let responses: Vec<Value> = results.iter().map(response).collect();
    for text in [
        receipts.join("\n"),
        lines.join("\n"),
        serde_json::to_string_pretty(&objects).unwrap(),
        json!(receipts).to_string(),
        json!(results).to_string(),
        json!(responses).to_string(),
    ] {
        let (verdict, said) = shop.verify(&text).await;
        let expected = "3 receipts of 1 chain: all hold, and none is missing from between.\n";
        assert_eq!(
            (verdict, said.as_str()),
            (Verdict::Holds, expected),
            "{text}"
        );
    }
}

#[tokio::test]
async fn what_was_tampered_with_is_told_line_by_line() {
    let shop = Shop::new().await;
    let [one, two, three] = shop.deliver_three().await;
    let signature = three.rsplit_once('.').unwrap().1;
    let head = two.rsplit_once('.').unwrap().0;
    let text = [
        changed(&one, "amount", json!("0.3")),
        format!("\"{head}.{signature}\""),
        changed(&three, "note\u{1b}", json!(1)),
        json!("e30.e30.AA").to_string(),
    ];
    let (verdict, said) = shop.verify(&text.join("\n")).await;
    assert_eq!(verdict, Verdict::Fails);
    let calls = [1, 3].map(|seed| call(seed, Principal::anonymous()).id);
    let expected = format!(
        "entry 1: {}: amount reads \"0.3\", and \"0.003\" was signed\n\
         entry 2: the signature does not hold\n\
         entry 3: {}: note\u{fffd} is not among what was signed\n\
         entry 4: not a receipt\n\
         note: receipt 2 of the chain {} is not here\n\
         4 receipts of 1 chain: 4 faults, 1 not here.\n",
        calls[0],
        calls[1],
        shop.ledger.id()
    );
    assert_eq!(said, expected);
}

#[tokio::test]
async fn a_result_that_is_not_the_one_paid_for_is_told() {
    let shop = Shop::new().await;
    let [one, ..] = shop.deliver_three().await;
    let forged = json!({"content": [{"type": "text", "text": "rain"}], "isError": false,
                        "_meta": {"coinop/receipt": object(&one)}});
    let (verdict, said) = shop.verify(&forged.to_string()).await;
    assert_eq!(verdict, Verdict::Fails);
    assert!(
        said.contains("the result it stands in is not the one"),
        "{said}"
    );
}

#[tokio::test]
async fn gaps_are_told_and_are_faults_where_all_should_be_there() {
    let shop = Shop::new().await;
    let [one, two, three] = shop.deliver_three().await;
    let chain = shop.ledger.id();
    for (receipts, gap) in [
        (
            [&one, &three],
            format!("receipt 2 of the chain {chain} is not here\n"),
        ),
        (
            [&two, &three],
            format!("receipt 1 of the chain {chain} is not here\n"),
        ),
    ] {
        let path = shop.file("some", &receipts.map(String::as_str).join("\n"));
        let (verdict, said) = shop.run(&format!("verify {path}")).await;
        assert_eq!(verdict, Verdict::Holds);
        assert_eq!(
            said,
            format!("note: {gap}2 receipts of 1 chain: all hold; 1 not here.\n")
        );
        let (verdict, said) = shop.run(&format!("verify {path} --complete")).await;
        assert_eq!(verdict, Verdict::Fails);
        assert!(said.contains(&format!("missing: {gap}")), "{said}");
    }
    let path = shop.file("begun", &one);
    let (verdict, said) = shop.run(&format!("verify {path} --complete --json")).await;
    assert_eq!(verdict, Verdict::Fails);
    let said: Value = serde_json::from_str(&said).unwrap();
    assert_eq!(
        said["missing"],
        json!([{"chain": chain, "from": 2, "to": 3}])
    );
    assert_eq!(
        (&said["holds"], &said["receipts"]),
        (&json!(false), &json!(1))
    );
    let all = shop.file("all", &[one, two, three].join("\n"));
    let (verdict, _) = shop.run(&format!("verify {all} --complete")).await;
    assert_eq!(verdict, Verdict::Holds);
}

#[tokio::test]
async fn a_receipt_counts_once() {
    let shop = Shop::new().await;
    let [one, two, _] = shop.deliver_three().await;
    let (verdict, said) = shop.verify(&[one.as_str(), &two, &one].join("\n")).await;
    assert_eq!(verdict, Verdict::Fails);
    assert!(
        said.contains("the same receipt again: it is on line 1"),
        "{said}"
    );
}

#[tokio::test]
async fn receipts_before_and_after_a_rotation_hold_and_strange_ones_do_not() {
    let shop = Shop::new().await;
    let before = shop.deliver(call(1, Principal::anonymous())).await;
    let old = shop.file("old", &shop.run("keys").await.1);
    let (_, said) = shop.run("rotate").await;
    let after = shop.deliver(call(2, Principal::anonymous())).await;
    let key = said
        .split_once("key ")
        .unwrap()
        .1
        .split(' ')
        .next()
        .unwrap();
    let new = shop.run("keys").await.1;
    assert!(new.contains(key), "{new}");

    let both = shop.file("both", &format!("{before}\n{after}\n"));
    assert_eq!(
        shop.run(&format!("verify {both} --complete")).await.0,
        Verdict::Holds
    );
    let new = shop.file("new", &new);
    let offline = try_run(None, &format!("verify {both} --keys {new}")).await;
    assert_eq!(offline.unwrap().0, Verdict::Holds);

    let offline = try_run(None, &format!("verify {both} --keys {old}")).await;
    let (verdict, said) = offline.unwrap();
    assert_eq!(verdict, Verdict::Fails);
    assert!(
        said.contains(&format!("line 2: signed by the unknown key \"{key}\"")),
        "{said}"
    );
    let elsewhere = Shop::new().await.run(&format!("verify {both}")).await;
    assert_eq!(elsewhere.0, Verdict::Fails);
}

#[tokio::test]
async fn the_receipt_of_a_call_is_shown_as_it_was_given() {
    let shop = Shop::new().await;
    let [one, two, _] = shop.deliver_three().await;
    let id = call(2, Principal::anonymous()).id;
    let (_, shown) = shop.run(&format!("show {id} --json")).await;
    let shown: Value = serde_json::from_str(&shown).unwrap();
    assert_eq!(shown, Value::from(object(&two)));
    let (_, sheet) = shop.run(&format!("show {id}")).await;
    for fact in [
        format!("Call       {id}\n"),
        format!("Receipt    number 2 of the chain {}\n", shop.ledger.id()),
        format!(
            "Follows    sha256:{}\n",
            coinop_core::digest::Digest::of(one.as_bytes())
        ),
        "Price      0.003 USD\n".to_owned(),
        format!("Paid       through sandbox (account main), reference =sbx_{id}\n"),
        "Issued     2026-11-20T10:33:05Z\n".to_owned(),
        format!("Signed     {two}\n"),
    ] {
        assert!(sheet.contains(&fact), "{fact}{sheet}");
    }
}

#[tokio::test]
async fn what_is_not_there_gets_an_answer_to_act_on() {
    let shop = Shop::new().await;
    let open = shop.open(call(1, Principal::anonymous())).await;
    let unknown = PaymentId::from_random([9; 16]);
    let empty = shop.file("empty", " \n");
    for (line, code, said) in [
        ("show pay_abc".to_owned(), 2, "coinop payments list"),
        (format!("show {unknown}"), 1, "coinop payments list"),
        (format!("show {}", open.id), 1, "it is quoted"),
        (format!("verify {empty}"), 1, "there is no receipt in"),
        (format!("verify {empty}.not"), 1, "cannot read"),
        (format!("verify {empty} --keys {empty}"), 1, "no keys from"),
    ] {
        let error = try_run(Some(&shop.ledger), &line).await.unwrap_err();
        assert_eq!(error.exit_code(), code, "{line}");
        assert!(error.to_string().contains(said), "{line}: {error}");
    }
    let error = try_run(None, &format!("verify {empty}")).await.unwrap_err();
    assert!(error.to_string().contains("--keys"), "{error}");
}

#[tokio::test]
async fn an_export_is_verified_column_by_column() {
    let shop = Shop::new().await;
    shop.deliver_three().await;
    shop.open(call(4, Principal::anonymous())).await;
    for format in ["json", "csv"] {
        let path = shop.folder.path().join(format);
        let args = ExportArgs {
            format: Format::from_str(format, true).unwrap(),
            since: None,
            until: None,
            account: None,
            output: Some(path.clone()),
        };
        let mut said = Vec::new();
        export::export(&args, &shop.ledger, &mut said)
            .await
            .unwrap();
        let path = path.to_str().unwrap();
        let (verdict, said) = shop.run(&format!("verify {path} --complete")).await;
        assert_eq!(verdict, Verdict::Holds, "{said}");

        let text = std::fs::read_to_string(path).unwrap();
        for (from, to, column) in [
            ("0.003", "0.004", "price"),
            ("main", "mine", "account"),
            ("weather", "=cmd", "plugin"),
            (
                "2026-11-20T10:33:05Z",
                "2026-11-21T10:33:05Z",
                "delivered_at",
            ),
        ] {
            let (verdict, said) = shop.verify(&text.replace(from, to)).await;
            assert_eq!(verdict, Verdict::Fails);
            assert!(said.contains(&format!("{column} reads \"{to}\"")), "{said}");
            let faults = said.lines().filter(|line| line.contains("reads"));
            assert_eq!(faults.count(), 3, "{said}");
        }
    }
}
