//! Plugins that keep failing: nobody is asked to pay for them, and what is paid already runs or is made good.

use std::sync::atomic::Ordering;

use coinop_core::mode::AskStatus;
use coinop_core::principal::Principal;
use serde_json::json;

use super::credentials::{self, calls};
use super::till::{Till, moved, signed};
use super::world::{CLAIM_WINDOW, World, asked, text};
use super::{local, refusal};
use crate::gate::{Refusal, Reply};

impl World {
    fn keeps_failing(&self, does: bool) {
        self.runner.sets_aside.store(does, Ordering::SeqCst);
    }
}

/// The refusal says that nothing was lost, and when to try again.
fn is_set_aside(reply: &Reply) {
    let text = refusal(reply).to_string();
    assert_eq!(
        text,
        "The plugin weather keeps failing, so it is not called for the moment. Nothing was lost; try again in 30 \
         seconds."
    );
    assert!(matches!(
        refusal(reply),
        Refusal::Unavailable {
            retry_after_s: 30,
            ..
        }
    ));
}

#[tokio::test]
async fn nobody_is_asked_to_pay() {
    let world = World::new().await;
    world.keeps_failing(true);
    for principal in [local(), Principal::anonymous()] {
        is_set_aside(&world.ask(json!({}), &principal).await);
    }
    assert!(calls(&world).await.is_empty(), "nothing was opened");
    world.keeps_failing(false);
    asked(&world.ask(json!({}), &local()).await, AskStatus::Required);
}

#[tokio::test]
async fn an_open_payment_is_not_asked_for_any_more_and_once_paid_it_runs() {
    let world = World::new().await;
    let id = asked(&world.ask(json!({}), &local()).await, AskStatus::Required);
    world.keeps_failing(true);
    is_set_aside(&world.ask(json!({}), &local()).await);
    is_set_aside(&world.confirm(&id, &local()).await);
    assert_eq!(calls(&world).await.len(), 1);
    world.paid();
    assert_eq!(text(&world.ask(json!({}), &local()).await), "run 1 of {}");
    assert_eq!(text(&world.confirm(&id, &local()).await), "run 1 of {}");
    world.books_are_square().await;
}

#[tokio::test]
async fn what_was_paid_and_fails_is_made_good() {
    let world = World::new().await;
    let id = asked(&world.ask(json!({}), &local()).await, AskStatus::Required);
    world.keeps_failing(true);
    world.runner.fails.store(true, Ordering::SeqCst);
    world.paid();
    let reply = world.confirm(&id, &local()).await;
    assert!(
        matches!(refusal(&reply), Refusal::Refunded { .. }),
        "{reply:?}"
    );
    world.books_are_square().await;
}

#[tokio::test]
async fn what_was_paid_and_is_never_called_for_is_swept_up() {
    let world = World::new().await;
    let id = asked(&world.ask(json!({}), &local()).await, AskStatus::Required);
    world.keeps_failing(true);
    world.paid();
    world.pass(61_000);
    world.gate.sweep_once().await;
    world.pass(CLAIM_WINDOW.as_millis() as i64 + 1_000);
    for _ in 0..3 {
        world.gate.sweep_once().await;
        world.pass(60_000);
    }
    assert_eq!((world.state(&id).await, world.runs()), ("refunded", 0));
    world.books_are_square().await;
}

#[tokio::test]
async fn a_reservation_is_not_taken_up_and_money_that_moved_is_run_for() {
    let world = credentials::world().await;
    world.keeps_failing(true);
    is_set_aside(&world.ask(json!({"city": "Oslo"}), &local()).await);
    is_set_aside(&credentials::pay(&world, signed("1")).await);
    assert!(calls(&world).await.is_empty());
    assert_eq!(Till::count(&world.till.settled), 0);
    let reply = credentials::pay(&world, moved("2")).await;
    assert!(matches!(reply, Reply::Settled { .. }), "{reply:?}");
    assert_eq!(world.runs(), 1);
    world.keeps_failing(false);
    let reply = credentials::pay(&world, signed("1")).await;
    assert!(matches!(reply, Reply::Settled { .. }), "{reply:?}");
}

#[tokio::test]
async fn a_rejected_payment_is_not_answered_with_what_to_pay() {
    let world = credentials::world().await;
    *world.till.verifying.lock().unwrap() = Some(crate::provider::rail::Rejected::Invalid {
        code: "invalid_signature".into(),
        message: "scripted".into(),
    });
    world.keeps_failing(true);
    is_set_aside(&credentials::pay(&world, moved("1")).await);
    is_set_aside(&credentials::pay(&world, signed("1")).await);
}
