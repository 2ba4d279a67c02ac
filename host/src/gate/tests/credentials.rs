//! Payments that callers bring with the call: each is one purchase, whatever is lost and whoever comes twice.

use std::sync::atomic::Ordering;

use coinop_core::mode::AskStatus;
use coinop_core::money::{Amount, Money};
use coinop_core::payment::PaymentState;
use futures::future::join_all;

use super::till::{Taking, Till, VALID_MS, moved, signed, wallet};
use super::*;
use crate::gate::drive::{Drive, Purpose};
use crate::gate::{CallerCaps, Challenged, Invocation};
use crate::ledger::{Caps, Filter, Record};
use crate::provider::rail::{Credential, RailReceipt, Rejected};

/// A world whose tools take payments that come with the call.
pub(super) async fn world() -> World {
    let mut world = World::new().await;
    world.mode = "x402";
    world.accepts = vec!["till".into()];
    world
}

fn paying(world: &World, tool: &str, arguments: serde_json::Value, by: Credential) -> Invocation {
    let entry = Entry::Tool(world.listing(tool));
    Invocation {
        credential: Some(by),
        ..invocation(entry, arguments, &Principal::anonymous())
    }
}

pub(super) async fn pay(world: &World, by: Credential) -> Reply {
    let invocation = paying(world, "get_forecast", json!({"city": "Oslo"}), by);
    world.gate.call(invocation).await
}

/// The text of an outcome that was paid by what came with the call, and the rail's receipt.
fn settled(reply: Reply) -> (String, Option<RailReceipt>) {
    match reply {
        Reply::Settled { delivery, receipt } => (text(&Reply::Outcome(delivery)), receipt),
        other => panic!("expected a settled outcome, got {other:?}"),
    }
}

fn challenged(reply: Reply) -> Challenged {
    match reply {
        Reply::Challenge(challenged) => *challenged,
        other => panic!("expected a challenge, got {other:?}"),
    }
}

fn rejection(reply: Reply) -> String {
    match challenged(reply).rejected {
        Some(Rejected::Invalid { code, .. }) => code,
        other => panic!("expected a reason, got {other:?}"),
    }
}

pub(super) async fn calls(world: &World) -> Vec<Record> {
    world.ledger.list(Filter::default(), 100).await.unwrap()
}

async fn only_call(world: &World) -> Record {
    let mut calls = calls(world).await;
    assert_eq!(calls.len(), 1);
    calls.pop().unwrap()
}

const FORECAST: &str = r#"run 1 of {"city":"Oslo"}"#;
const USED: &str = "invalid_exact_evm_nonce_already_used";

#[tokio::test]
async fn a_call_without_payment_is_told_what_to_pay_and_leaves_nothing() {
    let world = world().await;
    let arguments = json!({"city": "Oslo"});
    let reply = world.ask(arguments, &local()).await;
    let asked = challenged(reply);
    assert_eq!(
        (asked.tool.as_str(), asked.price),
        ("get_forecast", price())
    );
    assert_eq!((asked.challenges.len(), asked.test), (1, true));
    assert_eq!(asked.rejected, None);
    let offer = world.till.offers.lock().unwrap().pop().unwrap();
    assert_eq!(offer.resource, "http://pay.test/tools/get_forecast");
    assert_eq!((offer.account.as_str(), offer.secrets.len()), ("till", 1));
    assert!(calls(&world).await.is_empty());
    world.till.is_mute.store(true, Ordering::SeqCst);
    let reply = world.ask(json!({}), &local()).await;
    assert!(matches!(refusal(&reply), Refusal::Unavailable { .. }));
}

#[tokio::test]
async fn a_payment_buys_one_run_and_is_taken_after_it() {
    let world = world().await;
    let (first, receipt) = settled(pay(&world, signed("1")).await);
    assert_eq!(first, FORECAST);
    assert_eq!(receipt.unwrap().json, json!({"transaction": "0x1"}));
    let record = only_call(&world).await;
    assert_eq!(record.call.quote.principal, wallet());
    assert_eq!(record.call.state.name(), "deliverable");
    assert_eq!((record.arguments, record.run_spec), (None, None));
    let kept = world.till.kept.lock().unwrap().clone();
    assert_eq!(kept, [Some(signed("1").json.to_string())]);
    // Its signature has expired meanwhile, and is not looked at any more.
    *world.till.verifying.lock().unwrap() = Some(Rejected::Unavailable("scripted".into()));
    world.pass(VALID_MS * 2);
    let (again, receipt) = settled(pay(&world, signed("1")).await);
    assert_eq!(again, FORECAST);
    assert!(receipt.is_some());
    assert_eq!(world.runs(), 1);
    assert_eq!(Till::count(&world.till.settled), 1);
    world.books_are_square().await;
}

#[tokio::test]
async fn presented_eight_times_at_once_on_two_hosts_it_is_one_purchase() {
    let here = Arc::new(world().await);
    let mut there = here.another_host().await;
    (there.mode, there.accepts) = (here.mode, here.accepts.clone());
    let there = Arc::new(there);
    let all = (0..8).map(|n| {
        let host = if n % 2 == 0 { &here } else { &there };
        let host = host.clone();
        tokio::spawn(async move { settled(pay(&host, signed("1")).await).0 })
    });
    for text in join_all(all).await {
        assert_eq!(text.unwrap(), FORECAST);
    }
    assert_eq!(here.runs(), 1);
    assert_eq!(only_call(&here).await.call.epoch, 1);
    assert_eq!(here.till.taken.lock().unwrap().len(), 1);
    here.books_are_square().await;
}

#[tokio::test]
async fn presented_at_once_to_two_accounts_that_take_it_it_is_one_purchase() {
    let here = world().await;
    let mut there = here.another_host().await;
    (there.mode, there.accepts) = (here.mode, vec!["kiosk".into()]);
    let (one, other) = tokio::join!(pay(&here, signed("1")), pay(&there, signed("1")));
    assert_eq!([settled(one).0, settled(other).0], [FORECAST, FORECAST]);
    assert_eq!(here.runs(), 1);
    let invocation = paying(&there, "get_forecast", json!({"city": "Rome"}), signed("1"));
    assert_eq!(rejection(there.gate.call(invocation).await), USED);
    only_call(&here).await;
}

#[tokio::test]
async fn a_payment_that_is_signed_for_ever_holds_for_a_time_that_can_be_told() {
    let world = world().await;
    world.till.valid_until.store(i64::MAX, Ordering::SeqCst);
    settled(pay(&world, signed("1")).await);
    let expires_at = only_call(&world).await.call.quote.expires_at;
    assert!(crate::clock::rfc3339(expires_at).starts_with("1971-"));
    world.books_are_square().await;
}

#[tokio::test]
async fn money_that_moved_buys_the_call_at_the_price_that_was_asked() {
    for asked in ["0.10", "9.00"] {
        let world = world().await;
        let mut paid = moved("1");
        paid.json["asked"] = json!(asked);
        assert_eq!(settled(pay(&world, paid).await).0, FORECAST);
        let call = only_call(&world).await.call;
        assert_eq!(call.quote.price, Money::parse(asked, "USD").unwrap());
        assert_eq!(call.state.name(), "deliverable");
        world.books_are_square().await;
    }
}

#[tokio::test]
async fn money_that_moved_for_a_tool_that_was_blocked_is_owed() {
    let world = world().await;
    let blocking = world.ledger.set_blocked(component(), true, START);
    blocking.await.unwrap();
    assert!(matches!(
        refusal(&pay(&world, signed("1")).await),
        Refusal::Blocked
    ));
    assert!(calls(&world).await.is_empty());
    let reply = pay(&world, moved("2")).await;
    assert!(
        !refusal(&reply).to_string().contains("Nothing was charged"),
        "{reply:?}"
    );
    let record = only_call(&world).await;
    // Nobody in particular has no balance, and the till sends nothing back.
    assert_eq!(record.call.state.name(), "attention");
    assert_eq!(
        (world.runs(), record.call.payment.state),
        (0, PaymentState::Paid)
    );
}

#[tokio::test]
async fn a_purchase_that_its_payer_named_is_paid_once() {
    let world = world().await;
    let named = |nonce: &str| {
        let mut signed = signed(nonce);
        signed.json["purchase"] = json!("pay_0123456789abcdef");
        signed
    };
    settled(pay(&world, named("1")).await);
    assert_eq!(
        rejection(pay(&world, named("2")).await),
        "payment_identifier_conflict"
    );
    assert_eq!(settled(pay(&world, named("1")).await).0, FORECAST);
    assert_eq!((world.runs(), Till::count(&world.till.settled)), (1, 1));
    only_call(&world).await;
    world.books_are_square().await;
}

#[tokio::test]
async fn each_payment_is_a_purchase_of_its_own() {
    let world = world().await;
    settled(pay(&world, signed("1")).await);
    let (second, _) = settled(pay(&world, signed("2")).await);
    assert_eq!(second, r#"run 2 of {"city":"Oslo"}"#);
    assert_eq!(calls(&world).await.len(), 2);
}

#[tokio::test]
async fn a_payment_buys_nothing_else_and_is_not_spent_by_trying() {
    let world = world().await;
    let hold = Arc::new(tokio::sync::Notify::new());
    *world.runner.hold.lock().unwrap() = Some(hold.clone());
    let tried = async {
        world.runner.started.notified().await;
        let elsewhere = paying(&world, "summarize", json!({"city": "Oslo"}), signed("1"));
        assert_eq!(rejection(world.gate.call(elsewhere).await), USED);
        let others = paying(
            &world,
            "get_forecast",
            json!({"city": "Bergen"}),
            signed("1"),
        );
        assert_eq!(rejection(world.gate.call(others).await), USED);
        *world.runner.hold.lock().unwrap() = None;
        hold.notify_one();
    };
    let (bought, ()) = tokio::join!(pay(&world, signed("1")), tried);
    assert_eq!(settled(bought).0, FORECAST);
    // The reference is known to the world once it is taken; the rest of the credential is not.
    let mut guessed = signed("1");
    guessed.json["from"] = json!("0xeve");
    assert_eq!(rejection(pay(&world, guessed).await), USED);
    assert_eq!((world.runs(), Till::count(&world.till.settled)), (1, 1));
    only_call(&world).await;
}

#[tokio::test]
async fn a_payment_that_does_not_hold_is_answered_with_what_would() {
    let world = world().await;
    let (code, message) = ("invalid_payload".to_owned(), "no".to_owned());
    let wrong = Rejected::Invalid { code, message };
    *world.till.verifying.lock().unwrap() = Some(wrong.clone());
    let asked = challenged(pay(&world, signed("1")).await);
    assert_eq!(asked.rejected, Some(wrong));
    assert_eq!(asked.challenges.len(), 1);
    let mut foreign = signed("1");
    foreign.json = json!({"other": 1});
    assert_eq!(rejection(pay(&world, foreign).await), "unsupported_scheme");
    assert!(calls(&world).await.is_empty());
}

#[tokio::test]
async fn a_payment_that_cannot_be_checked_is_never_answered_with_another_challenge() {
    let world = world().await;
    *world.till.verifying.lock().unwrap() = Some(Rejected::Unavailable("scripted".into()));
    let reply = pay(&world, signed("1")).await;
    assert!(
        refusal(&reply).to_string().contains("same payment again"),
        "{reply:?}"
    );
    assert!(calls(&world).await.is_empty());
    *world.till.verifying.lock().unwrap() = None;
    assert_eq!(settled(pay(&world, signed("1")).await).0, FORECAST);
}

#[tokio::test]
async fn a_payment_that_expired_or_is_not_the_price_is_not_recorded() {
    let world = world().await;
    world.till.valid_until.store(START, Ordering::SeqCst);
    assert_eq!(rejection(pay(&world, signed("1")).await), "invalid_payload");
    assert!(calls(&world).await.is_empty());
}

#[tokio::test]
async fn a_failed_run_takes_nothing() {
    let world = world().await;
    world.runner.fails.store(true, Ordering::SeqCst);
    let reply = pay(&world, signed("1")).await;
    assert!(
        matches!(refusal(&reply), Refusal::Withheld { .. }),
        "{reply:?}"
    );
    assert_eq!(Till::count(&world.till.settled), 0);
    assert_eq!(Till::count(&world.till.released), 1);
    let again = pay(&world, signed("1")).await;
    assert_eq!(refusal(&again), refusal(&reply));
    assert_eq!((world.runs(), only_call(&world).await.call.epoch), (1, 1));
    world.books_are_square().await;
}

#[tokio::test]
async fn a_settlement_that_is_refused_delivers_nothing() {
    let world = world().await;
    *world.till.taking.lock().unwrap() = [Taking::Refused].into();
    let reply = pay(&world, signed("1")).await;
    assert!(
        refusal(&reply).to_string().contains("was not taken"),
        "{reply:?}"
    );
    assert_eq!(only_call(&world).await.call.state.name(), "withheld");
    assert!(world.till.taken.lock().unwrap().is_empty());
    world.books_are_square().await;
}

#[tokio::test]
async fn while_nobody_knows_whether_it_was_taken_the_same_payment_is_to_be_presented_again() {
    for lost in [Taking::Lost, Taking::AnswerLost] {
        let world = world().await;
        *world.till.taking.lock().unwrap() = [lost].into();
        let reply = pay(&world, signed("1")).await;
        let id = asked(&reply, AskStatus::Running);
        match &reply {
            Reply::Ask { ask, .. } => assert!(ask.next_step.contains("the same payment")),
            other => panic!("{other:?}"),
        }
        assert_eq!(Till::count(&world.till.settled), 1);
        let stored = world.record(&id).await;
        assert_eq!(stored.call.payment.state, PaymentState::SettleUnknown);
        assert!(
            stored.run_spec.is_some(),
            "what is needed to take it is kept"
        );
        assert_eq!(world.gate.sweep_once().await, 0, "it is not due yet");
        world.pass(VALID_MS / 2);
        world.gate.sweep_once().await;
        assert_eq!(world.state(&id).await, "deliverable");
        assert_eq!(settled(pay(&world, signed("1")).await).0, FORECAST);
        assert_eq!((world.runs(), Till::count(&world.till.settled)), (1, 2));
        world.books_are_square().await;
    }
}

#[tokio::test]
async fn whoever_presents_it_again_has_its_settlement_looked_at_once() {
    let world = world().await;
    *world.till.taking.lock().unwrap() = [Taking::Lost, Taking::Lost].into();
    asked(&pay(&world, signed("1")).await, AskStatus::Running);
    asked(&pay(&world, signed("1")).await, AskStatus::Running);
    assert_eq!(Till::count(&world.till.settled), 2);
    assert_eq!(settled(pay(&world, signed("1")).await).0, FORECAST);
    assert_eq!(world.runs(), 1);
}

#[tokio::test]
async fn upfront_the_money_is_here_before_anything_runs() {
    let mut world = world().await;
    world.upfront = true;
    *world.till.taking.lock().unwrap() = [Taking::Lost].into();
    asked(&pay(&world, signed("1")).await, AskStatus::Running);
    assert_eq!(world.runs(), 0);
    world.pass(VALID_MS / 2);
    world.gate.sweep_once().await;
    assert_eq!(
        only_call(&world).await.call.payment.state,
        PaymentState::Paid
    );
    assert_eq!(world.runs(), 0, "it waits for its caller");
    assert_eq!(settled(pay(&world, signed("1")).await).0, FORECAST);
    assert_eq!(Till::count(&world.till.settled), 2);
    world.books_are_square().await;
}

#[tokio::test]
async fn upfront_presented_eight_times_at_once_it_is_taken_once() {
    let mut world = world().await;
    world.upfront = true;
    let world = Arc::new(world);
    let all = (0..8).map(|_| {
        let world = world.clone();
        tokio::spawn(async move { settled(pay(&world, signed("1")).await).0 })
    });
    for text in join_all(all).await {
        assert_eq!(text.unwrap(), FORECAST);
    }
    assert_eq!((world.runs(), Till::count(&world.till.settled)), (1, 1));
}

#[tokio::test]
async fn of_several_who_come_while_nobody_knows_one_asks() {
    let world = world().await;
    *world.till.taking.lock().unwrap() = [Taking::Lost].into();
    asked(&pay(&world, signed("1")).await, AskStatus::Running);
    let all = (0..4).map(|_| pay(&world, signed("1")));
    for reply in join_all(all).await {
        assert_eq!(settled(reply).0, FORECAST);
    }
    assert_eq!(Till::count(&world.till.settled), 2);
}

#[tokio::test]
async fn while_one_host_asks_for_the_money_another_does_not() {
    for upfront in [false, true] {
        let mut here = world().await;
        here.upfront = upfront;
        *here.till.taking.lock().unwrap() = [Taking::Silent].into();
        let mut there = here.another_host().await;
        (there.mode, there.accepts) = (here.mode, here.accepts.clone());
        let second = async {
            here.till.asked.notified().await;
            pay(&there, signed("1")).await
        };
        let (first, second) = tokio::join!(pay(&here, signed("1")), second);
        asked(&first, AskStatus::Running);
        asked(&second, AskStatus::Running);
        assert_eq!(Till::count(&here.till.settled), 1);
        assert_eq!(settled(pay(&there, signed("1")).await).0, FORECAST);
        assert_eq!(here.runs(), 1);
    }
}

/// Two hosts come upon the outcome of one run: the one that ran it, and the one that was first to ask for its money.
#[tokio::test]
async fn a_run_that_ends_while_another_host_asks_for_its_money_does_not_ask_too() {
    let here = world().await;
    *here.till.taking.lock().unwrap() = [Taking::Silent].into();
    let there = here.another_host().await;
    let ended = async {
        here.till.asked.notified().await;
        let record = only_call(&here).await;
        Drive::new(&there.gate, record, Purpose::Finish)
            .rest()
            .await
    };
    let (first, ended) = tokio::join!(pay(&here, signed("1")), ended);
    asked(&first, AskStatus::Running);
    assert!(ended.is_ok());
    assert_eq!(Till::count(&here.till.settled), 1);
}

#[tokio::test]
async fn nothing_is_run_on_a_signature_that_ended_while_it_waited_for_a_place() {
    let world = world().await;
    let place = Arc::new(tokio::sync::Notify::new());
    *world.runner.loading.lock().unwrap() = Some(place.clone());
    let (reply, ()) = tokio::join!(pay(&world, signed("1")), async {
        world.runner.started.notified().await;
        world.pass(VALID_MS * 2);
        place.notify_one();
    });
    assert!(!matches!(reply, Reply::Settled { .. }), "{reply:?}");
    assert_eq!((world.runs(), Till::count(&world.till.settled)), (0, 0));
    world.books_are_square().await;
}

#[tokio::test]
async fn upfront_a_refused_payment_runs_nothing() {
    let mut world = world().await;
    world.upfront = true;
    *world.till.taking.lock().unwrap() = [Taking::Refused].into();
    let reply = pay(&world, signed("1")).await;
    assert!(
        matches!(refusal(&reply), Refusal::Withheld { .. }),
        "{reply:?}"
    );
    assert_eq!(world.runs(), 0);
    world.books_are_square().await;
}

#[tokio::test]
async fn what_failed_after_it_was_paid_upfront_becomes_balance_and_pays_the_next_call() {
    let mut world = world().await;
    world.upfront = true;
    world.runner.fails_next.store(1, Ordering::SeqCst);
    let reply = pay(&world, signed("1")).await;
    assert!(
        matches!(refusal(&reply), Refusal::Credited { .. }),
        "{reply:?}"
    );
    let balance = || async {
        let ledger = world.ledger.clone();
        let of = ledger.credit(wallet(), "till".into(), price().currency);
        of.await.unwrap()
    };
    assert_eq!(balance().await, price().amount);
    let (text, receipt) = settled(pay(&world, signed("2")).await);
    assert_eq!(text, r#"run 2 of {"city":"Oslo"}"#);
    assert_eq!(receipt, None, "the rail moved nothing");
    assert_eq!(balance().await, Amount::ZERO);
    assert_eq!(
        Till::count(&world.till.settled),
        1,
        "the second was not taken"
    );
    world.pass(120_000);
    settled(pay(&world, signed("2")).await);
    assert_eq!(world.runs(), 2, "the balance paid for one call");
    world.books_are_square().await;
}

#[tokio::test]
async fn a_balance_below_the_price_is_left_alone() {
    let mut world = world().await;
    world.upfront = true;
    world.runner.fails_next.store(1, Ordering::SeqCst);
    pay(&world, signed("1")).await;
    world.price = Money::parse("0.004", "USD").unwrap();
    let (_, receipt) = settled(pay(&world, signed("2")).await);
    assert!(receipt.is_some());
    let taken = world.till.taken.lock().unwrap().clone();
    assert_eq!(taken.get("till:2"), Some(&world.price), "the whole price");
}

#[tokio::test]
async fn money_that_has_moved_already_buys_one_run_for_whoever_brings_the_proof() {
    let world = world().await;
    let (text, receipt) = settled(pay(&world, moved("1")).await);
    assert_eq!(text, FORECAST);
    assert_eq!(receipt.unwrap().json, json!({"preimage": 1}));
    settled(pay(&world, moved("1")).await);
    assert_eq!((world.runs(), Till::count(&world.till.settled)), (1, 0));
    let record = only_call(&world).await;
    assert!(!record.call.quote.principal.is_known());
    world.books_are_square().await;
}

#[tokio::test]
async fn a_reservation_that_nobody_runs_on_ends_with_its_signature() {
    let world = world().await;
    world.runner.has_no_code.store(true, Ordering::SeqCst);
    let reply = pay(&world, signed("1")).await;
    assert!(matches!(refusal(&reply), Refusal::Unavailable { .. }));
    assert_eq!(only_call(&world).await.call.state.name(), "ready");
    world.runner.has_no_code.store(false, Ordering::SeqCst);
    world.pass(VALID_MS);
    let reply = pay(&world, signed("1")).await;
    assert!(
        matches!(refusal(&reply), Refusal::Withheld { .. }),
        "{reply:?}"
    );
    assert_eq!(world.runs(), 0, "nothing would pay for it");
}

#[tokio::test]
async fn a_wallet_has_caps_and_what_moved_already_is_recorded_whatever_it_exceeds() {
    let caps = |amount| Caps {
        per_call_max: vec![Money::parse(amount, "USD").unwrap()],
        open_max: Some(0),
        links_per_minute_max: Some(0),
        ..Caps::default()
    };
    for (amount, expected) in [("0.001", false), ("1", true)] {
        let mut world = World::capped(CallerCaps {
            known: caps(amount),
            anonymous: caps("0.001"),
            ..CallerCaps::default()
        })
        .await;
        (world.mode, world.accepts) = ("x402", vec!["till".into()]);
        let reply = pay(&world, signed("1")).await;
        let limited = matches!(&reply, Reply::Refused(Refusal::Limit(_)));
        assert_eq!(limited, !expected, "{reply:?}");
        settled(pay(&world, moved("2")).await);
    }
}

#[tokio::test]
async fn auto_asks_a_client_for_a_payment_only_where_it_says_that_it_pays() {
    let mut world = world().await;
    world.mode = "auto";
    let call = |x402: bool| {
        let entry = Entry::Tool(world.listing("get_forecast"));
        let mut invocation = invocation(entry, json!({}), &local());
        invocation.dialog.peer.x402 = x402;
        world.gate.call(invocation)
    };
    asked(&call(false).await, AskStatus::Required);
    challenged(call(true).await);
    world.accepts.clear();
    let reply = world.ask(json!({}), &local()).await;
    asked(&reply, AskStatus::Required);
}

#[tokio::test]
async fn an_account_without_links_is_paid_by_its_rail_in_every_mode() {
    let mut world = World::new().await;
    (world.account, world.accepts) = ("till", vec!["till".into()]);
    world.till.has_links.store(false, Ordering::SeqCst);
    for mode in ["two_step", "resubmit", "auto"] {
        world.mode = mode;
        challenged(world.ask(json!({}), &local()).await);
        let (text, _) = settled(pay(&world, signed(mode)).await);
        assert!(text.starts_with("run "), "{text}");
    }
}

#[tokio::test]
async fn a_tool_that_takes_no_such_payment_asks_in_its_own_way_and_still_gives_what_was_bought() {
    let mut world = world().await;
    settled(pay(&world, signed("1")).await);
    world.mode = "two_step";
    world.accepts.clear();
    settled(pay(&world, signed("1")).await);
    asked(&pay(&world, signed("2")).await, AskStatus::Required);
    assert_eq!(Till::count(&world.till.verified), 1);
}

#[tokio::test]
async fn a_tool_that_is_gone_still_gives_what_was_bought_and_nothing_else() {
    let world = world().await;
    settled(pay(&world, signed("1")).await);
    let call = async |name: &str, city: &str, by: Credential| {
        let arguments = json!({"city": city});
        let arguments = arguments.as_object().unwrap();
        let cancel = Default::default();
        let gate = &world.gate;
        gate.call_unlisted_with(name, arguments, &by, cancel).await
    };
    let again = call("get_forecast", "Oslo", signed("1")).await;
    assert_eq!(settled(again.unwrap()).0, FORECAST);
    assert!(call("get_forecast", "Bergen", signed("1")).await.is_none());
    assert!(call("summarize", "Oslo", signed("1")).await.is_none());
    assert!(call("get_forecast", "Oslo", signed("2")).await.is_none());
    assert_eq!((world.runs(), Till::count(&world.till.verified)), (1, 1));
}

#[tokio::test]
async fn another_host_goes_on_with_a_payment_that_was_reserved() {
    let world = world().await;
    world.runner.has_no_code.store(true, Ordering::SeqCst);
    pay(&world, signed("1")).await;
    world.runner.has_no_code.store(false, Ordering::SeqCst);
    let mut other = world.another_host().await;
    (other.mode, other.accepts) = (world.mode, world.accepts.clone());
    assert_eq!(settled(pay(&other, signed("1")).await).0, FORECAST);
    assert_eq!(Till::count(&world.till.verified), 1);
}
