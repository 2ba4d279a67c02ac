//! What nobody is waiting for, what goes on too long and what providers should not answer: it all comes to an end.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll, Wake};
use std::time::Duration;

use coinop_core::mode::AskStatus;
use coinop_core::money::{Amount, Money};
use coinop_core::step::{REFUND_ON_ITS_WAY_MS, STEP_PATIENCE_MS};
use futures::future::join_all;
use serde_json::json;
use tokio::sync::Notify;

use super::world::{
    CLAIM_WINDOW, Refunding, START, World, asked, component, invocation, price, text,
};
use super::{local, orphan, refusal};
use crate::catalog::Entry;
use crate::gate::Refusal;
use crate::ledger::{Components as _, Ledger as _};
use crate::plugin::Effects;
use crate::provider::Standing;

const DAY_MS: i64 = 86_400_000;

/// Quotes a call.
async fn quoted(world: &World) -> String {
    asked(&world.ask(json!({}), &local()).await, AskStatus::Required)
}

fn less() -> Money {
    Money {
        amount: Amount::from_nanos(1_000_000),
        ..price()
    }
}

#[tokio::test]
async fn what_is_found_paid_at_the_deadline_still_waits_for_its_caller() {
    let world = World::new().await;
    let id = quoted(&world).await;
    world.pass(60_000);
    world.paid();
    assert_eq!(world.gate.sweep_once().await, 1);
    assert_eq!(world.state(&id).await, "ready");
    world.pass(CLAIM_WINDOW.as_millis() as i64 - 1);
    assert_eq!(world.gate.sweep_once().await, 0);
    assert_eq!(text(&world.confirm(&id, &local()).await), "run 1 of {}");
}

/// Wakes a test instead of a task.
#[derive(Default)]
struct Woken(Notify);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.notify_one();
    }
}

#[tokio::test]
async fn a_caller_that_leaves_while_its_claim_is_committed_changes_nothing() {
    let mut world = World::new().await;
    world.effects = Effects::Effectful;
    let id = quoted(&world).await;
    world.paid();
    let entry = Entry::Confirm(world.listing("get_forecast"));
    let mut call = Box::pin(world.gate.call(invocation(
        entry,
        json!({"payment_id": id}),
        &local(),
    )));
    let woken = Arc::new(Woken::default());
    let waker = Arc::clone(&woken).into();
    while matches!(world.state(&id).await, "awaiting" | "ready") {
        let polled = call.as_mut().poll(&mut Context::from_waker(&waker));
        assert!(matches!(polled, Poll::Pending));
        // Whatever it waits for has happened, and it has not heard of it.
        woken.0.notified().await;
    }
    drop(call);
    assert_eq!(text(&world.confirm(&id, &local()).await), "run 1 of {}");
}

#[tokio::test]
async fn a_lost_run_of_a_blocked_component_is_refunded() {
    let world = World::new().await;
    let id = orphan(&world).await;
    let heir = world.another_host().await;
    heir.ledger
        .set_blocked(component(), true, START)
        .await
        .unwrap();
    world.pass(120_000);
    heir.gate.sweep_once().await;
    assert_eq!((heir.runs(), heir.state(&id).await), (1, "refunded"));
    heir.books_are_square().await;
}

#[tokio::test]
async fn a_lost_run_of_a_plugin_that_was_granted_something_since_is_refunded() {
    let world = World::new().await;
    let id = orphan(&world).await;
    world.runner.reaches_out.store(true, Ordering::SeqCst);
    let heir = world.another_host().await;
    world.pass(120_000);
    heir.gate.sweep_once().await;
    assert_eq!((heir.runs(), heir.state(&id).await), (1, "refunded"));
    heir.books_are_square().await;
}

#[tokio::test]
async fn a_run_that_kills_its_hosts_is_not_repeated_for_ever() {
    let world = World::new().await;
    let id = orphan(&world).await;
    *world.runner.hold.lock().unwrap() = Some(Arc::default());
    for _ in 0..6 {
        world.pass(120_000);
        world.another_host().await.gate.sweep_once().await;
    }
    assert_eq!((world.runs(), world.state(&id).await), (3, "refunded"));
    world.books_are_square().await;
}

#[tokio::test]
async fn a_run_that_is_alive_is_not_lost_while_the_machine_slept() {
    let mut world = World::new().await;
    world.effects = Effects::Effectful;
    let id = quoted(&world).await;
    world.paid();
    let hold = Arc::new(Notify::new());
    *world.runner.hold.lock().unwrap() = Some(hold.clone());
    let caller = local();
    let (reply, ()) = tokio::join!(world.confirm(&id, &caller), async {
        world.runner.started.notified().await;
        world.pass(120_000);
        world.gate.sweep_once().await;
        hold.notify_one();
    });
    assert_eq!(text(&reply), "run 1 of {}");
}

#[tokio::test]
async fn a_reservation_of_another_amount_is_given_back() {
    for sweeping in [false, true] {
        let world = World::build(true, false).await;
        let id = quoted(&world).await;
        *world.bank.standing.lock().unwrap() = Standing::Authorized(less());
        if sweeping {
            world.pass(60_000);
            world.gate.sweep_once().await;
        }
        let reply = world.confirm(&id, &local()).await;
        assert_eq!(refusal(&reply), &Refusal::Declined);
        assert_eq!(world.bank.releases.load(Ordering::SeqCst), 1);
        assert_eq!(world.runs(), 0);
    }
}

#[tokio::test]
async fn settling_that_is_refused_gives_the_reservation_back() {
    let world = World::build(true, false).await;
    let id = quoted(&world).await;
    world.paid();
    *world.bank.settling.lock().unwrap() = Some(Err("the card expired".into()));
    let reply = world.confirm(&id, &local()).await;
    assert!(
        matches!(refusal(&reply), Refusal::Withheld { .. }),
        "{reply:?}"
    );
    assert_eq!(world.bank.releases.load(Ordering::SeqCst), 1);
    world.books_are_square().await;
}

#[tokio::test]
async fn settling_that_takes_another_amount_is_refunded() {
    let world = World::build(true, false).await;
    let id = quoted(&world).await;
    world.paid();
    *world.bank.settling.lock().unwrap() = Some(Ok(Standing::Paid(less())));
    let reply = world.confirm(&id, &local()).await;
    assert!(
        refusal(&reply).to_string().contains("0.001 USD went back"),
        "{reply:?}"
    );
    world.books_are_square().await;
}

#[tokio::test]
async fn nothing_runs_on_a_reservation_that_may_have_been_given_back() {
    let world = World::build(true, false).await;
    let id = quoted(&world).await;
    world.paid();
    world.pass(60_000);
    world.gate.sweep_once().await;
    assert_eq!(world.state(&id).await, "ready");
    world.pass(CLAIM_WINDOW.as_millis() as i64);
    world.bank.down.store(true, Ordering::SeqCst);
    world.gate.sweep_once().await;
    world.bank.down.store(false, Ordering::SeqCst);
    let reply = world.confirm(&id, &local()).await;
    assert!(
        matches!(refusal(&reply), Refusal::Withheld { .. }),
        "{reply:?}"
    );
    assert_eq!(world.runs(), 0);
    world.books_are_square().await;
}

#[tokio::test]
async fn what_a_host_called_off_before_it_died_has_expired() {
    let world = World::new().await;
    let id = quoted(&world).await;
    *world.bank.standing.lock().unwrap() = Standing::Canceled;
    world.pass(60_000);
    world.gate.sweep_once().await;
    assert_eq!(world.state(&id).await, "expired");
}

#[tokio::test]
async fn a_payment_that_was_not_called_off_is_not_expired() {
    let world = World::new().await;
    let id = quoted(&world).await;
    world.bank.cannot_cancel.store(true, Ordering::SeqCst);
    world.pass(60_000);
    world.gate.sweep_once().await;
    assert_eq!(world.state(&id).await, "awaiting");
    world.paid();
    assert_eq!(text(&world.confirm(&id, &local()).await), "run 1 of {}");
}

#[tokio::test]
async fn what_cannot_be_finished_makes_room_and_ends_with_a_person() {
    let world = World::new().await;
    let id = quoted(&world).await;
    world.bank.down.store(true, Ordering::SeqCst);
    world.pass(60_000);
    assert_eq!(world.gate.sweep_once().await, 1);
    assert_eq!(world.gate.sweep_once().await, 0, "others have their turn");
    world.pass(DAY_MS);
    assert_eq!(world.gate.sweep_once().await, 1, "and it has another");
    assert_eq!(world.state(&id).await, "awaiting");
    world.pass(7 * DAY_MS);
    world.gate.sweep_once().await;
    assert_eq!(world.state(&id).await, "attention");
    world.pass(DAY_MS);
    assert_eq!(world.gate.sweep_once().await, 0);
}

#[tokio::test]
async fn a_tool_that_is_gone_does_not_take_arguments_that_cannot_be_compared() {
    let mut world = World::new().await;
    world.mode = "resubmit";
    let id = quoted(&world).await;
    world.paid();
    let arguments = json!({"payment_id": id, "n": 9_007_199_254_740_993_i64});
    let reply = world
        .gate
        .call_unlisted(
            "get_forecast",
            arguments.as_object().unwrap(),
            local(),
            tokio_util::sync::CancellationToken::new(),
        )
        .await;
    assert!(reply.is_none(), "{reply:?}");
    assert_eq!(world.runs(), 0);
}

#[tokio::test]
async fn an_outcome_is_kept_until_it_is_paid_for() {
    let world = World::build(true, false).await;
    let id = quoted(&world).await;
    world.paid();
    *world.bank.settling.lock().unwrap() = Some(Ok(Standing::Pending));
    world.confirm(&id, &local()).await;
    assert_eq!(world.state(&id).await, "settling");
    assert_eq!(world.ledger.forget(START + 8 * DAY_MS).await.unwrap(), 0);
    *world.bank.settling.lock().unwrap() = None;
    assert_eq!(text(&world.confirm(&id, &local()).await), "run 1 of {}");
}

#[tokio::test]
async fn what_is_past_its_retention_is_forgotten_as_fast_as_it_comes() {
    // More than one batch of any store.
    const CALLS: usize = 250;
    let world = World::new().await;
    let caller = local();
    let asks = (0..CALLS).map(|n| world.ask(json!({ "n": n }), &caller));
    let replies = join_all(asks).await;
    world.paid();
    let confirms = replies.iter().map(async |reply| {
        let id = asked(reply, AskStatus::Required);
        world.confirm(&id, &caller).await
    });
    join_all(confirms).await;
    assert_eq!(world.runs() as usize, CALLS);
    assert!(!world.gate.forget_some().await, "all of it is kept");
    world.pass(2 * 3_600_000);
    assert!(world.gate.forget_some().await);
    assert!(!world.gate.forget_some().await, "nothing is left");
}

#[tokio::test]
async fn erased_arguments_are_not_left_in_the_file() {
    let world = World::new().await;
    world.runner.fails.store(true, Ordering::SeqCst);
    for n in 0..8 {
        *world.bank.standing.lock().unwrap() = Standing::Pending;
        let patient = "Ada Lovelace ".repeat(n * 500);
        let arguments = json!({"patient": patient});
        let id = asked(&world.ask(arguments, &local()).await, AskStatus::Required);
        world.paid();
        let reply = world.confirm(&id, &local()).await;
        assert!(matches!(refusal(&reply), Refusal::Refunded { .. }));
    }
    let holds = |bytes: &[u8]| bytes.windows(12).any(|window| window == b"Ada Lovelace");
    assert!(!world.files_at_the_end().await.iter().any(|f| holds(f)));
}

#[tokio::test]
async fn code_is_loaded_before_the_claim_and_not_on_its_time() {
    let world = World::new().await;
    let id = quoted(&world).await;
    world.paid();
    let loading = Arc::new(Notify::new());
    *world.runner.loading.lock().unwrap() = Some(loading.clone());
    let caller = local();
    let (reply, ()) = tokio::join!(world.confirm(&id, &caller), async {
        world.runner.started.notified().await;
        assert_eq!(world.state(&id).await, "awaiting");
        loading.notify_one();
    });
    assert_eq!(text(&reply), "run 1 of {}");
}

#[tokio::test]
async fn a_refund_for_a_block_is_told_as_a_refund() {
    let world = World::new().await;
    let id = quoted(&world).await;
    world
        .ledger
        .set_blocked(component(), true, START)
        .await
        .unwrap();
    world.paid();
    let reply = world.confirm(&id, &local()).await;
    assert!(
        matches!(refusal(&reply), Refusal::Refunded { .. }),
        "{reply:?}"
    );
}

#[tokio::test]
async fn a_refund_whose_answer_was_lost_goes_back_once() {
    let world = World::new().await;
    let id = quoted(&world).await;
    world.paid();
    world.runner.fails.store(true, Ordering::SeqCst);
    let lost = &world.bank.loses_refund_answers;
    lost.store(true, Ordering::SeqCst);
    world.confirm(&id, &local()).await;
    assert_eq!(world.state(&id).await, "compensation_due");
    lost.store(false, Ordering::SeqCst);
    world.pass(60_000);
    assert_eq!(world.gate.sweep_once().await, 1);
    assert_eq!(world.state(&id).await, "refunded");
    assert_eq!(world.bank.refunds.lock().unwrap().len(), 1, "one key");
    world.books_are_square().await;
}

/// The first request may arrive until then, and both would be made.
#[tokio::test]
async fn a_refund_that_may_be_on_its_way_is_not_asked_for_under_a_forgotten_key() {
    let world = forgetful().await;
    let id = quoted(&world).await;
    world.paid();
    world.runner.fails.store(true, Ordering::SeqCst);
    let on_its_way = [Refunding::OnItsWay; 2];
    world.bank.refunding.lock().unwrap().extend(on_its_way);
    world.confirm(&id, &local()).await;
    let asked = || world.bank.refunds_asked.lock().unwrap().len();
    for tries in [1, 2] {
        world.pass(REFUND_ON_ITS_WAY_MS - 1);
        world.gate.sweep_once().await;
        assert_eq!(asked(), tries, "it may be on its way");
        world.pass(REFUND_ON_ITS_WAY_MS);
        world.gate.sweep_once().await;
        assert_eq!(asked(), tries + 1, "it is lost");
    }
    assert_eq!(world.state(&id).await, "refunded");
    world.books_are_square().await;
}

/// It does not know when the host before it asked.
#[tokio::test]
async fn a_host_that_carries_a_refund_on_does_not_ask_for_it_under_a_forgotten_key() {
    let world = forgetful().await;
    let id = quoted(&world).await;
    world.paid();
    world.runner.fails.store(true, Ordering::SeqCst);
    world.script(Refunding::Pending);
    world.confirm(&id, &local()).await;
    assert_eq!(world.state(&id).await, "compensating");
    let heir = world.another_host().await;
    world.pass(2 * REFUND_ON_ITS_WAY_MS);
    heir.gate.sweep_once().await;
    let asked = || world.bank.refunds_asked.lock().unwrap().len();
    assert_eq!((asked(), heir.state(&id).await), (1, "compensation_due"));
    world.pass(REFUND_ON_ITS_WAY_MS);
    heir.gate.sweep_once().await;
    assert_eq!((asked(), heir.state(&id).await), (2, "refunded"));
}

/// A bank that forgets every key at once.
async fn forgetful() -> World {
    let world = World::build(false, true).await;
    *world.bank.key_window.lock().unwrap() = Some(Duration::ZERO);
    world
}

#[tokio::test]
async fn a_provider_without_keys_is_asked_for_a_payment_once() {
    let world = forgetful().await;
    let id = quoted(&world).await;
    world.paid();
    assert_eq!(text(&world.confirm(&id, &local()).await), "run 1 of {}");
    assert_eq!(world.bank.made.lock().unwrap().len(), 1);
}

/// Another host's clock is behind that of the one that opened the call.
#[tokio::test]
async fn no_clock_makes_a_forgotten_key_hold() {
    let world = forgetful().await;
    world.bank.loses_payments.store(true, Ordering::SeqCst);
    world.ask(json!({}), &local()).await;
    world.pass(-30_000);
    let id = quoted(&world).await;
    assert_eq!(*world.bank.made.lock().unwrap(), [id]);
}

#[tokio::test]
async fn a_payment_whose_answer_was_lost_is_looked_up_where_keys_are_forgotten() {
    let world = forgetful().await;
    world.bank.loses_payments.store(true, Ordering::SeqCst);
    let lost = world.ask(json!({}), &local()).await;
    assert!(matches!(refusal(&lost), Refusal::Unavailable { .. }));
    let id = quoted(&world).await;
    assert_eq!(*world.bank.made.lock().unwrap(), [id]);
}

/// It would not give the payment for a request that says another return address than the one that made it.
#[tokio::test]
async fn a_payment_that_is_made_and_never_given_again_is_looked_up() {
    let world = World::build(false, true).await;
    world.bank.loses_payments.store(true, Ordering::SeqCst);
    let lost = world.ask(json!({}), &local()).await;
    assert!(matches!(refusal(&lost), Refusal::Unavailable { .. }));
    let id = quoted(&world).await;
    assert_eq!(world.record(&id).await.call.state.name(), "awaiting");
    assert!(world.bank.made.lock().unwrap().contains(&id));
}

/// Whoever comes for a call whose payment is being asked for finds none, and does not end the call for that.
#[tokio::test]
async fn a_payment_that_is_just_asked_for_is_not_given_up() {
    let world = forgetful().await;
    world.bank.down.store(true, Ordering::SeqCst);
    world.ask(json!({}), &local()).await;
    world.bank.down.store(false, Ordering::SeqCst);
    let early = world.ask(json!({}), &local()).await;
    assert!(matches!(refusal(&early), Refusal::Unavailable { .. }));
    world.pass(STEP_PATIENCE_MS);
    let id = quoted(&world).await;
    let made = world.bank.made.lock().unwrap().clone();
    assert_eq!(made, [id], "it was never made, so it is another call's");
}

#[tokio::test]
async fn nothing_runs_on_a_reservation_that_is_being_given_back() {
    let world = World::build(true, false).await;
    let other = world.another_host().await;
    let id = quoted(&world).await;
    world.paid();
    world.pass(15_000);
    world.gate.sweep_once().await;
    assert_eq!(world.state(&id).await, "ready");
    world.pass(CLAIM_WINDOW.as_millis() as i64);
    // Whether the provider gave it back before it went silent, nobody knows.
    world.bank.down.store(true, Ordering::SeqCst);
    world.gate.sweep_once().await;
    let reply = other.confirm(&id, &local()).await;
    let told = refusal(&reply);
    assert!(matches!(told, Refusal::Unavailable { .. }), "{told:?}");
    world.bank.down.store(false, Ordering::SeqCst);
    let reply = other.confirm(&id, &local()).await;
    let told = refusal(&reply);
    assert!(matches!(told, Refusal::Withheld { .. }), "{told:?}");
    assert_eq!(world.runs(), 0);
    world.books_are_square().await;
}
