//! The command over a real ledger and a cashier that plays along.

use std::sync::{Arc, Mutex};

use clap::Parser as _;
use coinop_core::call::{
    Call, CallState, Cause, Failure, PastRefund, RefundEnd, RefundOrder, Remedy,
};
use coinop_core::digest::Digest;
use coinop_core::entry::Book;
use coinop_core::ids::{CallId, PaymentId};
use coinop_core::money::Money;
use coinop_core::principal::Principal;
use futures::FutureExt as _;
use futures::future::BoxFuture;

use super::*;
use crate::cli::testing::{self, AT};
use crate::gate::{NotDone, Operated, PageState, PageView, RefundRequest, Remedial};
use crate::ledger::sqlite::SqliteLedger;
use crate::ledger::{Audited, Caps, Components as _, LedgerError, NewCall, Posted};
use crate::provider::Decision;

#[derive(clap::Parser)]
struct Cli {
    #[command(flatten)]
    payments: PaymentsArgs,
}

fn call(seed: u8, principal: Principal) -> Call {
    let mut call = testing::call(seed, principal);
    call.quote.tool = "get_forecast".into();
    call.created_at = AT + i64::from(seed);
    call
}

fn anonymous() -> Call {
    call(1, Principal::anonymous())
}

fn adas() -> Call {
    let mut call = call(2, Principal::api_key("ada"));
    call.quote.price = Money::parse("12.50", "USD").unwrap();
    call.quote.tool = "summarize\u{1b}[2J".into();
    call
}

struct Till(Mutex<PageView>);

impl Cashier for Till {
    fn page(&self, _: LinkToken) -> BoxFuture<'_, Result<Option<PageView>, LedgerError>> {
        async { Ok(Some(self.0.lock().unwrap().clone())) }.boxed()
    }

    fn decide(
        &self,
        _: LinkToken,
        decision: Decision,
    ) -> BoxFuture<'_, Result<Option<PageView>, LedgerError>> {
        let mut view = self.0.lock().unwrap();
        if view.state == PageState::Open {
            view.state = match decision {
                Decision::Pay => PageState::Paid,
                Decision::Decline => PageState::Declined,
            };
        }
        let view = view.clone();
        async { Ok(Some(view)) }.boxed()
    }
}

/// An operator who is away: what one does is tested with the gate, and from the command line end to end.
struct Away;

impl Operator for Away {
    fn refund(&self, _: CallId, _: RefundRequest) -> BoxFuture<'_, Result<Operated, NotDone>> {
        async { Err(NotDone::Missing) }.boxed()
    }
    fn credit(&self, _: CallId) -> BoxFuture<'_, Result<Operated, NotDone>> {
        async { Err(NotDone::Missing) }.boxed()
    }
    fn retry(&self, _: CallId) -> BoxFuture<'_, Result<Operated, NotDone>> {
        async { Err(NotDone::Missing) }.boxed()
    }
    fn close(&self, _: CallId, _: String) -> BoxFuture<'_, Result<Operated, NotDone>> {
        async { Err(NotDone::Missing) }.boxed()
    }
    fn remedials(&self, _: &Call) -> Vec<Remedial> {
        vec![Remedial::Retry, Remedial::Close]
    }
}

struct Bench {
    ledger: SqliteLedger,
    till: Till,
    _folder: tempfile::TempDir,
}

/// A ledger that holds a call of nobody's and one of ada's.
async fn bench() -> Bench {
    let folder = tempfile::tempdir().unwrap();
    let ledger = SqliteLedger::open(&folder.path().join("ledger"), AT).unwrap();
    let component: Arc<[u8]> = Arc::from(&b"component"[..]);
    let digest = Digest::of(&component);
    ledger.keep_component(digest, component, AT).await.unwrap();
    for call in [anonymous(), adas()] {
        let new = NewCall {
            call,
            arguments: r#"{"secret":1}"#.into(),
            run_spec: "{}".into(),
        };
        ledger.open(new, Caps::default()).await.unwrap();
    }
    let till = Till(Mutex::new(PageView {
        refunded: Money::parse("0", "USD").unwrap(),
        tool: "get_forecast".into(),
        plugin: "weather".into(),
        payer: None,
        price: Money::parse("0.003", "USD").unwrap(),
        due: Money::parse("0.003", "USD").unwrap(),
        provider: "sandbox".into(),
        provider_url: None,
        expires_at: AT + 900_000,
        test: true,
        pays_here: true,
        authorizes: false,
        on_failure: Some(Remedy::Refund),
        state: PageState::Open,
    }));
    Bench {
        ledger,
        till,
        _folder: folder,
    }
}

impl Bench {
    async fn try_run(&self, line: &str) -> Result<String, PaymentsError> {
        let words = ["payments"].into_iter().chain(line.split(' '));
        let args = Cli::try_parse_from(words).unwrap().payments;
        let mut out = Vec::new();
        let desk = Desk {
            ledger: &self.ledger,
            cashier: &self.till,
            operator: &Away,
            pay_base: "https://pay.example".into(),
        };
        run(&args, &desk, &mut out).await?;
        Ok(String::from_utf8(out).unwrap())
    }

    async fn run(&self, line: &str) -> String {
        self.try_run(line).await.unwrap()
    }
}

#[tokio::test]
async fn the_list_is_an_aligned_table_the_latest_first() {
    let (one, two) = (anonymous(), adas());
    let expected = format!(
        "CREATED               STATE       PRICE  TOOL           CALLER       PAYMENT    CALL\n\
         2026-11-20T10:32:05Z  quoted  12.50 USD  summarize\u{fffd}[2J  api_key:ada  pay_aiba…  {}\n\
         2026-11-20T10:32:05Z  quoted  0.003 USD  get_forecast   anonymous    pay_aeaq…  {}\n",
        two.id, one.id
    );
    assert_eq!(bench().await.run("list").await, expected);
}

#[tokio::test]
async fn the_list_is_bounded_and_chosen_by_state() {
    let bench = bench().await;
    assert_eq!(bench.run("list --limit 1").await.lines().count(), 2);
    assert_eq!(bench.run("list --only quoted").await.lines().count(), 3);
    assert_eq!(
        bench.run("list --only refunded").await,
        "No such calls are on record.\n"
    );
    assert_eq!(bench.run("list --only refunded --json").await, "[]\n");
    for wrong in [
        "list --only payed",
        "list --limit 0",
        "list --limit 1000000",
    ] {
        let words = ["payments"].into_iter().chain(wrong.split(' '));
        assert!(Cli::try_parse_from(words).is_err(), "{wrong}");
    }
}

#[tokio::test]
async fn what_redeems_is_shown_to_nobody_who_did_not_ask() {
    let bench = bench().await;
    let (nobodys, adas) = (anonymous(), adas());
    let redeems = nobodys.payment.id.as_str();
    for line in [
        "list".to_owned(),
        "list --json".to_owned(),
        format!("show {}", nobodys.id),
        format!("show {} --json", nobodys.payment.link),
        format!("show {redeems}"),
    ] {
        let shown = bench.run(&line).await;
        assert!(!shown.contains(redeems), "{shown}");
        assert!(shown.contains("pay_aeaq"), "{shown}");
        assert!(!shown.contains("secret"), "{shown}");
    }
    let revealed = bench.run(&format!("show {} --reveal", nobodys.id)).await;
    assert!(revealed.contains(redeems), "{revealed}");
    let known = bench.run(&format!("show {}", adas.id)).await;
    assert!(known.contains(adas.payment.id.as_str()), "{known}");
}

#[tokio::test]
async fn a_call_is_found_by_call_payment_link_and_address() {
    let bench = bench().await;
    let call = anonymous();
    let link = &call.payment.link;
    for id in [
        call.id.to_string(),
        call.payment.id.to_string(),
        link.to_string(),
        format!("http://127.0.0.1:7402/pay/{link}"),
        format!("https://x.example/coinop/pay/{link}/return?returned=1"),
    ] {
        let shown = bench.run(&format!("show {id} --json")).await;
        let shown: serde_json::Value = serde_json::from_str(&shown).unwrap();
        assert_eq!(shown["call"], call.id.as_str(), "{id}");
    }
}

#[tokio::test]
async fn ids_that_are_wrong_or_unknown_get_an_answer_to_act_on() {
    let bench = bench().await;
    let unknown = PaymentId::from_random([9; 16]);
    for (id, exit_code) in [("pay_abc", 2), (unknown.as_str(), 1)] {
        for command in ["show", "pay", "decline"] {
            let refused = bench.try_run(&format!("{command} {id}")).await;
            let error = refused.unwrap_err();
            assert_eq!(error.exit_code(), exit_code);
            let text = error.to_string();
            assert!(text.contains("coinop payments list"), "{text}");
            assert!(!text.contains(id), "{text}");
        }
    }
}

#[tokio::test]
async fn a_new_webhook_secret_leaves_the_one_before_good() {
    let bench = bench().await;
    let secrets = || bench.ledger.secrets(WEBHOOK_SECRET.into(), AT);
    let first = secrets().await.unwrap();
    assert_eq!(first.len(), 1);
    let told = bench.run("rotate-webhook-secret").await;
    assert!(told.contains("rotate twice"), "{told}");
    let second = secrets().await.unwrap();
    assert_eq!((second.len(), &second[1]), (2, &first[0]));
    bench.run("rotate-webhook-secret").await;
    let third = secrets().await.unwrap();
    assert_eq!((third.len(), &third[1]), (2, &second[0]));
}

#[tokio::test]
async fn a_payment_is_decided_once() {
    for (first, second, words) in [
        ("pay", "decline", ["Paid: ", "Paid already: ", "is paid"]),
        (
            "decline",
            "pay",
            ["Declined: ", "Declined already: ", "is declined"],
        ),
    ] {
        let bench = bench().await;
        let id = anonymous().id;
        for word in &words[..2] {
            let said = bench.run(&format!("{first} {id}")).await;
            assert_eq!(said, format!("{word}0.003 USD for get_forecast.\n"));
        }
        let refused = bench.try_run(&format!("{second} {id}")).await.unwrap_err();
        let text = refused.to_string();
        assert!(text.contains(words[2]), "{text}");
        assert!(
            text.contains(&format!("coinop payments show {id}")),
            "{text}"
        );
        assert_eq!(refused.exit_code(), 1);
    }
}

#[tokio::test]
async fn real_money_is_not_decided_here() {
    let bench = bench().await;
    {
        let mut view = bench.till.0.lock().unwrap();
        view.pays_here = false;
        view.provider = "stripe".into();
        view.provider_url = Some("https://checkout.example.com/1".into());
    }
    let refused = bench.try_run(&format!("pay {}", anonymous().id)).await;
    assert_eq!(
        refused.unwrap_err().to_string(),
        "this payment is made through stripe, not here: https://checkout.example.com/1"
    );
    assert_eq!(bench.till.0.lock().unwrap().state, PageState::Open);
}

#[tokio::test]
async fn a_payment_that_can_be_made_is_shown_with_its_address() {
    let bench = bench().await;
    let call = anonymous();
    let address = format!("https://pay.example/pay/{}", call.payment.link);
    let line = format!("show {}", call.id);
    let open = bench.run(&line).await;
    assert!(open.contains(&format!("Pay at     {address}\n")), "{open}");
    bench.till.0.lock().unwrap().state = PageState::Declined;
    let closed = bench.run(&line).await;
    assert!(!closed.contains(call.payment.link.as_str()), "{closed}");
}

#[tokio::test]
async fn a_quiet_queue_says_so() {
    let bench = bench().await;
    assert_eq!(bench.run("attention").await, "Nothing needs a person.\n");
    assert_eq!(bench.run("attention --json").await, "[]\n");
}

#[tokio::test]
async fn what_is_written_wrong_is_refused_by_the_command_line() {
    let id = anonymous().id;
    for wrong in [
        format!("close {id}"),
        format!("refund {id} --amount -1"),
        format!("refund {id} --amount much"),
        "refund".to_owned(),
    ] {
        let words = ["payments"].into_iter().chain(wrong.split(' '));
        assert!(Cli::try_parse_from(words).is_err(), "{wrong}");
    }
}

#[test]
fn a_sheet_tells_the_whole_story() {
    let mut call = adas();
    call.state = CallState::Refunded {
        cause: Cause::ToolFailed,
    };
    call.epoch = 1;
    call.failure = Some(Failure {
        kind: "trap".into(),
        message: "wasm\u{1b}[31m unreachable".into(),
    });
    call.payment.reference = Some("sbx_1".into());
    call.payment.received = Some(call.quote.price);
    call.payment.refunded = call.quote.price.amount;
    call.payment.state = coinop_core::payment::PaymentState::Refunded;
    call.note = Some("settled by\nhand".into());
    call.credit = "2.50".parse().unwrap();
    call.payment.fee = "0.10".parse().unwrap();
    let order = RefundOrder {
        key: format!("{}-refund-1", call.payment.id),
        amount: "1".parse().unwrap(),
        reason: "goodwill".into(),
        at: AT,
    };
    let end = RefundEnd::Made;
    call.past_refunds.push(PastRefund { order, end });
    let (id, pay) = (call.id.clone(), call.payment.id.clone());
    let component = call.quote.component;
    let record = Record {
        call,
        arguments: None,
        run_spec: None,
        updated_at: AT + 5_000,
        version: 1,
    };
    let posted = |book, amount: &str| Posted {
        change: 2,
        book,
        amount: Money::parse(amount, "USD").unwrap(),
        at: AT,
    };
    let audited = Audited {
        record,
        due_at: None,
        entries: vec![posted(Book::Clearing, "12.50"), posted(Book::Fees, "0.10")],
        receipt: None,
        has_outcome: false,
    };
    let expected = format!(
        "Call       {id}\n\
         State      refunded: the money went back\n\
         Since      2026-11-20T10:32:10Z\n\
         Tool       summarize\u{fffd}[2J of the plugin weather\n\
         Component  sha256:{component}\n\
         Price      12.50 USD\n\
         Caller     api_key:ada\n\
         Mode       two_step\n\
         Payment    {pay}\n\
         {gap}refunded, 12.50 USD received or reserved, 12.50 USD refunded\n\
         {gap}through sandbox (account main), reference sbx_1\n\
         Created    2026-11-20T10:32:05Z\n\
         Expires    2026-11-20T10:47:05Z\n\
         Runs       1\n\
         Failure    trap: wasm\u{fffd}[31m unreachable\n\
         Reason     tool_failed\n\
         Note       settled by\u{fffd}hand\n\
         Balance    2.50 USD\n\
         Fee        0.10 USD\n\
         Refunds    1.00 USD made at 2026-11-20T10:32:05Z: goodwill\n\
         Entries    2026-11-20T10:32:05Z  clearing        12.50 USD\n\
         {gap}2026-11-20T10:32:05Z  fees             0.10 USD\n",
        gap = " ".repeat(11)
    );
    let story = story::Story::of(&audited, false, None);
    assert_eq!(sheet::sheet(&story), expected);
}

#[test]
fn every_state_can_be_asked_for() {
    let (cause, text) = (Cause::RunLost, String::new());
    let with_contents = [
        CallState::Running {
            owner: text.clone(),
            lease_until: 0,
        },
        CallState::CompensationDue {
            cause,
            attempts: 0,
            tried_at: None,
            ordered: None,
        },
        CallState::Refunded { cause },
        CallState::Credited { cause },
        CallState::Attention {
            reason: text,
            from: None,
        },
    ];
    let plain = STATES.iter().filter_map(|name| {
        serde_json::from_value::<CallState>(serde_json::json!({ "state": name })).ok()
    });
    let known: std::collections::BTreeSet<_> =
        plain.chain(with_contents).map(|s| s.name()).collect();
    // `Compensating` has a remedy, which says nothing about its name.
    assert_eq!(known.len() + 1, STATES.len());
    assert!(known.iter().all(|name| STATES.contains(name)));
}
