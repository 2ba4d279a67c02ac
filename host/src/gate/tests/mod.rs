//! Paid calls through the gate, with a real ledger and scripted money.

mod aside;
mod credentials;
mod credit;
mod limits;
mod lists;
mod operate;
mod recovery;
mod task;
mod till;
mod waiting;
mod webhooks;
mod world;

use std::sync::Arc;
use std::sync::atomic::Ordering;

use coinop_core::mode::AskStatus;
use coinop_core::money::{Amount, Money};
use coinop_core::principal::Principal;
use serde_json::json;
use world::{CLAIM_WINDOW, START, World, asked, component, invocation, price, text};

use super::page::{Cashier, PageState};
use super::{Refusal, Reply};
use crate::catalog::Entry;
use crate::ledger::{Components as _, Ledger as _};
use crate::plugin::Effects;
use crate::provider::{Decision, Standing};

fn local() -> Principal {
    Principal::local()
}

fn refusal(reply: &Reply) -> &Refusal {
    match reply {
        Reply::Refused(refusal) => refusal,
        other => panic!("expected a refusal, got {other:?}"),
    }
}

#[tokio::test]
async fn a_call_is_quoted_paid_run_once_and_delivered_again() {
    let world = World::new().await;
    let before = world.ledger.commits();
    let id = asked(
        &world.ask(json!({"city": "Oslo"}), &local()).await,
        AskStatus::Required,
    );
    assert_eq!(
        asked(&world.confirm(&id, &local()).await, AskStatus::Pending),
        id
    );
    assert_eq!(world.runs(), 0);
    world.paid();
    let first = text(&world.confirm(&id, &local()).await);
    assert_eq!(first, r#"run 1 of {"city":"Oslo"}"#);
    assert_eq!(world.ledger.commits() - before, 3, "open, claim, outcome");
    assert_eq!(text(&world.confirm(&id, &local()).await), first);
    assert_eq!((world.runs(), world.state(&id).await), (1, "deliverable"));
    let record = world.record(&id).await;
    assert_eq!(
        (record.arguments, record.run_spec),
        (None, None),
        "erased at the end"
    );
    world.books_are_square().await;
}

#[tokio::test]
async fn a_thousand_confirms_of_one_payment_run_once() {
    let world = Arc::new(World::new().await);
    let id = asked(&world.ask(json!({}), &local()).await, AskStatus::Required);
    world.paid();
    let confirms = (0..1_000).map(|_| {
        let (world, id) = (world.clone(), id.clone());
        tokio::spawn(async move { text(&world.confirm(&id, &local()).await) })
    });
    for text in futures::future::join_all(confirms).await {
        assert_eq!(text.unwrap(), "run 1 of {}");
    }
    assert_eq!(world.runs(), 1);
    assert_eq!(world.record(&id).await.call.epoch, 1);
}

#[tokio::test]
async fn a_known_caller_has_one_open_payment_an_anonymous_one_a_new_one_each_time() {
    let world = World::new().await;
    let ada = Principal::api_key("ada");
    let first = asked(
        &world.ask(json!({"a": 1, "b": 2}), &ada).await,
        AskStatus::Required,
    );
    let again = asked(
        &world.ask(json!({"b": 2.0, "a": 1}), &ada).await,
        AskStatus::Required,
    );
    let other = asked(&world.ask(json!({"a": 2}), &ada).await, AskStatus::Required);
    assert_eq!(first, again);
    assert_ne!(first, other);
    let nobody = Principal::anonymous();
    let one = asked(&world.ask(json!({}), &nobody).await, AskStatus::Required);
    let two = asked(&world.ask(json!({}), &nobody).await, AskStatus::Required);
    assert_ne!(one, two);
}

#[tokio::test]
async fn a_payment_buys_nothing_else_and_is_not_consumed() {
    let mut world = World::new().await;
    world.mode = "resubmit";
    let (ada, bob) = (Principal::api_key("ada"), Principal::api_key("bob"));
    let id = asked(
        &world.ask(json!({"city": "Oslo"}), &ada).await,
        AskStatus::Required,
    );
    world.paid();
    let unknown = "pay_aaaaaaaaaaaaaaaaaaaaaaaaaa";
    let foreign = world
        .ask(json!({"city": "Oslo", "payment_id": id}), &bob)
        .await;
    let missing = world
        .ask(json!({"city": "Oslo", "payment_id": unknown}), &bob)
        .await;
    let malformed = world
        .ask(json!({"city": "Oslo", "payment_id": "x' OR 1"}), &bob)
        .await;
    assert_eq!(refusal(&foreign), &Refusal::UnknownPayment);
    assert_eq!(
        (refusal(&missing), refusal(&malformed)),
        (refusal(&foreign), refusal(&foreign))
    );
    let changed = world
        .ask(json!({"city": "Bergen", "days": 3, "payment_id": id}), &ada)
        .await;
    let fields = vec!["city".to_owned(), "days".to_owned()];
    assert_eq!(refusal(&changed), &Refusal::OtherArguments { fields });
    let tool = Entry::Tool(world.listing("summarize"));
    let elsewhere = world
        .invoke(tool, json!({"city": "Oslo", "payment_id": id}), &ada)
        .await;
    assert_eq!(
        refusal(&elsewhere),
        &Refusal::OtherTool {
            paid_for: "get_forecast".into()
        }
    );
    assert_eq!(world.runs(), 0);
    let redeemed = world
        .ask(json!({"payment_id": id, "city": "Oslo"}), &ada)
        .await;
    assert_eq!(text(&redeemed), r#"run 1 of {"city":"Oslo"}"#);
}

#[tokio::test]
async fn calling_again_after_paying_gives_what_was_paid_for() {
    let world = World::new().await;
    let id = asked(&world.ask(json!({}), &local()).await, AskStatus::Required);
    world.paid();
    assert_eq!(text(&world.ask(json!({}), &local()).await), "run 1 of {}");
    assert_eq!(text(&world.confirm(&id, &local()).await), "run 1 of {}");
    *world.bank.standing.lock().unwrap() = Standing::Pending;
    let next = asked(&world.ask(json!({}), &local()).await, AskStatus::Required);
    assert_ne!(next, id, "a finished call is not sold again");
}

#[tokio::test]
async fn a_failed_run_is_refunded_once() {
    let world = World::new().await;
    let id = asked(&world.ask(json!({}), &local()).await, AskStatus::Required);
    world.paid();
    world.runner.fails.store(true, Ordering::SeqCst);
    let reply = world.confirm(&id, &local()).await;
    assert!(
        refusal(&reply).to_string().contains("it trapped"),
        "{reply:?}"
    );
    assert!(
        refusal(&reply).to_string().contains("0.003 USD went back"),
        "{reply:?}"
    );
    let again = world.confirm(&id, &local()).await;
    assert_eq!(refusal(&again), refusal(&reply));
    let refunds = world.bank.refunds.lock().unwrap().clone();
    assert_eq!(refunds.values().copied().collect::<Vec<_>>(), [3_000_000]);
    assert_eq!((world.runs(), world.state(&id).await), (1, "refunded"));
    world.books_are_square().await;
}

#[tokio::test]
async fn a_refund_that_fails_stays_due_until_it_succeeds() {
    let world = World::new().await;
    let id = asked(&world.ask(json!({}), &local()).await, AskStatus::Required);
    assert!(matches!(
        world.confirm(&id, &local()).await,
        Reply::Ask { .. }
    ));
    let hold = Arc::new(tokio::sync::Notify::new());
    *world.runner.hold.lock().unwrap() = Some(hold.clone());
    world.paid();
    world.runner.fails.store(true, Ordering::SeqCst);
    let caller = local();
    let (reply, ()) = tokio::join!(world.confirm(&id, &caller), async {
        world.runner.started.notified().await;
        world.bank.down.store(true, Ordering::SeqCst);
        hold.notify_one();
    });
    assert!(
        matches!(refusal(&reply), Refusal::Compensating { .. }),
        "{reply:?}"
    );
    world.bank.down.store(false, Ordering::SeqCst);
    assert_eq!(world.gate.sweep_once().await, 0, "not due yet");
    world.pass(60_000);
    assert_eq!(world.gate.sweep_once().await, 1);
    assert_eq!(world.state(&id).await, "refunded");
    world.books_are_square().await;
}

#[tokio::test]
async fn declined_and_expired_calls_say_so_and_can_be_asked_anew() {
    let world = World::new().await;
    let declined = asked(&world.ask(json!({}), &local()).await, AskStatus::Required);
    *world.bank.standing.lock().unwrap() = Standing::Declined;
    assert_eq!(
        refusal(&world.confirm(&declined, &local()).await),
        &Refusal::Declined
    );
    *world.bank.standing.lock().unwrap() = Standing::Pending;
    let expired = asked(&world.ask(json!({}), &local()).await, AskStatus::Required);
    assert_ne!(declined, expired);
    world.pass(60_000);
    let renewed = asked(&world.ask(json!({}), &local()).await, AskStatus::Required);
    assert_ne!(expired, renewed);
    assert_eq!(
        refusal(&world.confirm(&expired, &local()).await),
        &Refusal::Expired
    );
    assert_eq!(world.runs(), 0);
}

#[tokio::test]
async fn money_that_arrives_with_the_last_tick_still_counts() {
    let world = World::new().await;
    let id = asked(&world.ask(json!({}), &local()).await, AskStatus::Required);
    world.pass(60_000);
    world.paid();
    assert_eq!(text(&world.confirm(&id, &local()).await), "run 1 of {}");
}

#[tokio::test]
async fn a_wrong_amount_is_sent_back() {
    let world = World::new().await;
    let id = asked(&world.ask(json!({}), &local()).await, AskStatus::Required);
    let less = Money {
        amount: Amount::from_nanos(1_000_000),
        ..price()
    };
    *world.bank.standing.lock().unwrap() = Standing::Paid(less);
    let reply = world.confirm(&id, &local()).await;
    assert!(
        refusal(&reply).to_string().contains("0.001 USD went back"),
        "{reply:?}"
    );
    assert_eq!(world.runs(), 0);
    world.books_are_square().await;
}

/// Whatever arrived instead of the price goes back as it came: by a provider that sends back whole payments only, too.
#[tokio::test]
async fn what_goes_back_is_what_arrived_and_not_the_price() {
    for (amount, currency) in [("0.001", "USD"), ("5", "USD"), ("100", "JPY")] {
        let world = World::new().await;
        world.bank.sends_back_whole.store(true, Ordering::SeqCst);
        let id = asked(&world.ask(json!({}), &local()).await, AskStatus::Required);
        let arrived = Money::parse(amount, currency).unwrap();
        *world.bank.standing.lock().unwrap() = Standing::Paid(arrived);
        world.confirm(&id, &local()).await;
        assert_eq!(world.state(&id).await, "refunded", "{arrived}");
        assert_eq!(*world.bank.sent.lock().unwrap(), [arrived]);
        world.books_are_square().await;
    }
}

#[tokio::test]
async fn a_silent_provider_means_pending_and_never_expired() {
    let world = World::new().await;
    let id = asked(&world.ask(json!({}), &local()).await, AskStatus::Required);
    world.bank.down.store(true, Ordering::SeqCst);
    assert_eq!(
        asked(&world.confirm(&id, &local()).await, AskStatus::Pending),
        id
    );
    world.pass(60_000);
    let reply = world.confirm(&id, &local()).await;
    assert!(
        matches!(refusal(&reply), Refusal::Unavailable { .. }),
        "{reply:?}"
    );
    assert_eq!(world.state(&id).await, "awaiting");
    world.bank.down.store(false, Ordering::SeqCst);
    world.paid();
    assert_eq!(text(&world.confirm(&id, &local()).await), "run 1 of {}");
}

#[tokio::test]
async fn reserved_money_is_taken_after_the_outcome_and_released_without_one() {
    for online in [false, true] {
        let world = World::build(true, online).await;
        let id = asked(
            &world.ask(json!({"n": 1}), &local()).await,
            AskStatus::Required,
        );
        world.paid();
        assert_eq!(
            text(&world.confirm(&id, &local()).await),
            r#"run 1 of {"n":1}"#
        );
        assert_eq!(world.bank.settles.load(Ordering::SeqCst), 1);
        assert_eq!(world.state(&id).await, "deliverable");
        world.runner.fails.store(true, Ordering::SeqCst);
        let id = asked_or_confirmed(&world).await;
        assert_eq!(world.state(&id).await, "withheld");
        assert_eq!(world.bank.settles.load(Ordering::SeqCst), 1);
        world.books_are_square().await;
    }
}

async fn asked_or_confirmed(world: &World) -> String {
    *world.bank.standing.lock().unwrap() = Standing::Pending;
    let id = asked(
        &world.ask(json!({"n": 2}), &local()).await,
        AskStatus::Required,
    );
    world.paid();
    let reply = world.confirm(&id, &local()).await;
    assert!(
        refusal(&reply).to_string().contains("Nothing was charged"),
        "{reply:?}"
    );
    id
}

#[tokio::test]
async fn settling_that_is_lost_is_asked_again_and_nothing_is_delivered_before() {
    let world = World::build(true, false).await;
    let id = asked(&world.ask(json!({}), &local()).await, AskStatus::Required);
    world.paid();
    let hold = Arc::new(tokio::sync::Notify::new());
    *world.runner.hold.lock().unwrap() = Some(hold.clone());
    let caller = local();
    let (reply, ()) = tokio::join!(world.confirm(&id, &caller), async {
        world.runner.started.notified().await;
        world.bank.down.store(true, Ordering::SeqCst);
        hold.notify_one();
    });
    assert!(
        matches!(refusal(&reply), Refusal::Unavailable { .. }),
        "{reply:?}"
    );
    assert_eq!(world.state(&id).await, "settling");
    world.bank.down.store(false, Ordering::SeqCst);
    assert_eq!(text(&world.confirm(&id, &local()).await), "run 1 of {}");
    assert_eq!(world.runs(), 1);
    world.books_are_square().await;
}

#[tokio::test]
async fn a_caller_that_leaves_after_the_claim_changes_nothing() {
    let world = World::new().await;
    let id = asked(&world.ask(json!({}), &local()).await, AskStatus::Required);
    world.paid();
    let hold = Arc::new(tokio::sync::Notify::new());
    *world.runner.hold.lock().unwrap() = Some(hold.clone());
    let entry = Entry::Confirm(world.listing("get_forecast"));
    let invocation = invocation(entry, json!({"payment_id": id}), &local());
    let cancel = invocation.cancel.clone();
    let (reply, ()) = tokio::join!(world.gate.call(invocation), async {
        world.runner.started.notified().await;
        cancel.cancel();
    });
    assert!(matches!(reply, Reply::Cancelled), "{reply:?}");
    hold.notify_one();
    assert_eq!(text(&world.confirm(&id, &local()).await), "run 1 of {}");
    assert_eq!(world.runs(), 1);
}

#[tokio::test]
async fn a_caller_that_cancels_while_code_is_loaded_claims_nothing() {
    let world = World::new().await;
    let id = asked(&world.ask(json!({}), &local()).await, AskStatus::Required);
    world.paid();
    *world.runner.loading.lock().unwrap() = Some(Arc::new(tokio::sync::Notify::new()));
    let entry = Entry::Confirm(world.listing("get_forecast"));
    let invocation = invocation(entry, json!({"payment_id": id}), &local());
    let cancel = invocation.cancel.clone();
    let (reply, ()) = tokio::join!(world.gate.call(invocation), async {
        world.runner.started.notified().await;
        cancel.cancel();
    });
    assert!(matches!(reply, Reply::Cancelled), "{reply:?}");
    assert_eq!((world.runs(), world.record(&id).await.call.epoch), (0, 0));
    *world.runner.loading.lock().unwrap() = None;
    assert_eq!(text(&world.confirm(&id, &local()).await), "run 1 of {}");
}

#[tokio::test]
async fn a_caller_that_cancels_behind_another_one_is_heard() {
    let world = World::new().await;
    let id = asked(&world.ask(json!({}), &local()).await, AskStatus::Required);
    world.paid();
    let loading = Arc::new(tokio::sync::Notify::new());
    *world.runner.loading.lock().unwrap() = Some(loading.clone());
    let invocation = || {
        let entry = Entry::Confirm(world.listing("get_forecast"));
        invocation(entry, json!({"payment_id": id}), &local())
    };
    let second = invocation();
    let cancel = second.cancel.clone();
    let (first, ()) = tokio::join!(world.gate.call(invocation()), async {
        world.runner.started.notified().await;
        cancel.cancel();
        let reply = world.gate.call(second).await;
        assert!(matches!(reply, Reply::Cancelled), "{reply:?}");
        loading.notify_one();
    });
    assert_eq!(text(&first), "run 1 of {}");
}

#[tokio::test]
async fn what_was_seen_of_a_payment_is_recorded_before_its_caller_waits_for_a_place() {
    let world = World::new().await;
    let id = asked(&world.ask(json!({}), &local()).await, AskStatus::Required);
    world.paid();
    world.runner.is_full.store(true, Ordering::SeqCst);
    let place = Arc::new(tokio::sync::Notify::new());
    *world.runner.loading.lock().unwrap() = Some(place.clone());
    let caller = local();
    let (reply, ()) = tokio::join!(world.confirm(&id, &caller), async {
        world.runner.started.notified().await;
        assert_eq!(world.state(&id).await, "ready");
        place.notify_one();
    });
    assert_eq!(text(&reply), "run 1 of {}");
    world.books_are_square().await;
}

#[tokio::test]
async fn a_host_without_the_code_consumes_nothing() {
    let world = World::new().await;
    let id = asked(&world.ask(json!({}), &local()).await, AskStatus::Required);
    world.paid();
    world.runner.has_no_code.store(true, Ordering::SeqCst);
    let reply = world.confirm(&id, &local()).await;
    assert!(
        matches!(refusal(&reply), Refusal::Unavailable { .. }),
        "{reply:?}"
    );
    assert_eq!(world.record(&id).await.call.epoch, 0);
    world.runner.has_no_code.store(false, Ordering::SeqCst);
    assert_eq!(text(&world.confirm(&id, &local()).await), "run 1 of {}");
}

#[tokio::test]
async fn two_hosts_share_one_ledger() {
    let one = World::new().await;
    let two = one.another_host().await;
    let id = asked(&one.ask(json!({}), &local()).await, AskStatus::Required);
    one.paid();
    let caller = local();
    let (a, b) = tokio::join!(one.confirm(&id, &caller), two.confirm(&id, &caller));
    for reply in [a, b] {
        match reply {
            Reply::Ask { ask, .. } => assert_eq!(ask.status, AskStatus::Running),
            outcome => assert_eq!(text(&outcome), "run 1 of {}"),
        }
    }
    assert_eq!(one.runs(), 1, "the runner is shared by both hosts");
    assert_eq!(text(&two.confirm(&id, &local()).await), "run 1 of {}");
}

/// Leaves a call running under a claim whose host is gone.
async fn orphan(world: &World) -> String {
    let id = asked(&world.ask(json!({}), &local()).await, AskStatus::Required);
    world.paid();
    let hold = Arc::new(tokio::sync::Notify::new());
    *world.runner.hold.lock().unwrap() = Some(hold);
    let entry = Entry::Confirm(world.listing("get_forecast"));
    let invocation = invocation(entry, json!({"payment_id": id}), &local());
    tokio::select! {
        reply = world.gate.call(invocation) => panic!("{reply:?}"),
        () = world.runner.started.notified() => {}
    }
    *world.runner.hold.lock().unwrap() = None;
    id
}

#[tokio::test]
async fn a_dead_hosts_run_is_repeated_when_that_is_safe() {
    let world = World::new().await;
    let id = orphan(&world).await;
    let heir = world.another_host().await;
    let running = heir.confirm(&id, &local()).await;
    assert_eq!(asked(&running, AskStatus::Running), id);
    world.pass(120_000);
    assert_eq!(text(&heir.confirm(&id, &local()).await), "run 2 of {}");
    assert_eq!(heir.record(&id).await.call.epoch, 2);
}

#[tokio::test]
async fn a_dead_hosts_run_is_refunded_when_repeating_is_not_safe() {
    let mut world = World::new().await;
    world.effects = Effects::Effectful;
    let id = orphan(&world).await;
    let heir = world.another_host().await;
    world.pass(120_000);
    heir.gate.sweep_once().await;
    assert_eq!((heir.runs(), heir.state(&id).await), (1, "refunded"));
    let reply = heir.confirm(&id, &local()).await;
    assert!(
        refusal(&reply).to_string().contains("interrupted"),
        "{reply:?}"
    );
    heir.books_are_square().await;
}

#[tokio::test]
async fn what_was_paid_and_never_called_for_goes_back() {
    let world = World::new().await;
    let id = asked(&world.ask(json!({}), &local()).await, AskStatus::Required);
    let link = world.record(&id).await.call.payment.link;
    world.gate.decide(link, Decision::Pay).await.unwrap();
    assert_eq!(world.state(&id).await, "ready");
    assert_eq!(world.gate.sweep_once().await, 0);
    world.pass(CLAIM_WINDOW.as_millis() as i64);
    assert_eq!(world.gate.sweep_once().await, 1);
    assert_eq!((world.runs(), world.state(&id).await), (0, "refunded"));
    world.books_are_square().await;
}

#[tokio::test]
async fn a_provider_that_is_silent_about_a_decision_is_not_waited_for_for_ever() {
    let world = World::new().await;
    let id = asked(&world.ask(json!({}), &local()).await, AskStatus::Required);
    let link = world.record(&id).await.call.payment.link;
    world.bank.is_silent.store(true, Ordering::SeqCst);
    let refused = world.gate.decide(link, Decision::Pay).await.unwrap_err();
    assert!(refused.to_string().contains("within 1s"), "{refused}");
    assert_eq!(world.state(&id).await, "awaiting");
}

#[tokio::test]
async fn the_page_pays_once_and_shows_where_the_call_stands() {
    let world = World::new().await;
    let id = asked(&world.ask(json!({}), &local()).await, AskStatus::Required);
    let link = world.record(&id).await.call.payment.link;
    let page = world.gate.page(link.clone()).await.unwrap().unwrap();
    assert_eq!(
        (page.state, page.price, page.test),
        (PageState::Open, price(), true)
    );
    let paid = world
        .gate
        .decide(link.clone(), Decision::Pay)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(paid.state, PageState::Paid);
    let late = world
        .gate
        .decide(link, Decision::Decline)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        late.state,
        PageState::Paid,
        "what is paid cannot be declined"
    );
    assert_eq!(text(&world.confirm(&id, &local()).await), "run 1 of {}");
    let stranger = coinop_core::ids::LinkToken::from_random([0; 16]);
    assert!(world.gate.page(stranger).await.unwrap().is_none());
}

#[tokio::test]
async fn a_blocked_component_is_neither_sold_nor_run() {
    let world = World::new().await;
    let id = asked(&world.ask(json!({}), &local()).await, AskStatus::Required);
    world
        .ledger
        .set_blocked(component(), true, START)
        .await
        .unwrap();
    let other = world.ask(json!({"n": 2}), &local()).await;
    assert_eq!(refusal(&other), &Refusal::Blocked);
    world.paid();
    let reply = world.confirm(&id, &local()).await;
    let told = refusal(&reply).to_string();
    assert!(
        told.contains("blocked") && told.contains("went back"),
        "{told}"
    );
    assert_eq!((world.runs(), world.state(&id).await), (0, "refunded"));
    world.books_are_square().await;
    world
        .ledger
        .set_blocked(component(), false, START)
        .await
        .unwrap();
    *world.bank.standing.lock().unwrap() = Standing::Pending;
    asked(
        &world.ask(json!({"n": 3}), &local()).await,
        AskStatus::Required,
    );
}

#[tokio::test]
async fn an_outcome_past_its_retention_is_never_charged_again() {
    let world = World::new().await;
    let id = asked(&world.ask(json!({}), &local()).await, AskStatus::Required);
    world.paid();
    text(&world.confirm(&id, &local()).await);
    assert_eq!(world.ledger.forget(START + 1).await.unwrap(), 1);
    assert_eq!(
        refusal(&world.confirm(&id, &local()).await),
        &Refusal::NoLongerStored
    );
    assert_eq!(world.runs(), 1);
}

#[tokio::test]
async fn a_tool_that_is_gone_still_answers_for_what_was_paid() {
    let world = World::new().await;
    let id = asked(&world.ask(json!({}), &local()).await, AskStatus::Required);
    world.paid();
    let arguments = json!({"payment_id": id});
    let arguments = arguments.as_object().unwrap();
    let cancel = tokio_util::sync::CancellationToken::new;
    let call = |name: &'static str, principal| {
        world
            .gate
            .call_unlisted(name, arguments, principal, cancel())
    };
    assert!(call("confirm_other", local()).await.is_none());
    assert!(
        call("confirm_get_forecast", Principal::anonymous())
            .await
            .is_none()
    );
    let reply = call("confirm_get_forecast", local()).await.unwrap();
    assert_eq!(text(&reply), "run 1 of {}");
}
