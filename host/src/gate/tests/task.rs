//! Calls that are polled as tasks.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use coinop_core::mode::AskStatus;
use coinop_core::principal::Principal;
use serde_json::json;
use tokio::sync::Notify;

use super::world::{START, World, asked, text};
use crate::gate::{Refusal, Reply, Task, TaskStage, TaskWish};

fn ada() -> Principal {
    Principal::token("https://auth.example", "ada")
}

/// A world in which Ada has called a paid tool, and the payment's id.
async fn called() -> (World, String) {
    let mut world = World::new().await;
    world.mode = "auto";
    let id = asked(&world.ask(json!({}), &ada()).await, AskStatus::Required);
    (world, id)
}

async fn task(world: &World, id: &str, wish: TaskWish) -> Task {
    let found = world.gate.task(id, &ada(), wish).await.unwrap();
    found.expect("it is hers")
}

async fn poll(world: &World, id: &str) -> TaskStage {
    task(world, id, TaskWish::Poll).await.stage
}

fn outcome(stage: &TaskStage) -> String {
    match stage {
        TaskStage::Ended(reply) => text(reply),
        other => panic!("expected an outcome, got {other:?}"),
    }
}

fn is_declined(stage: &TaskStage) -> bool {
    matches!(stage, TaskStage::Ended(Reply::Refused(Refusal::Declined)))
}

#[tokio::test]
async fn a_task_waits_for_its_payment_and_runs_once_however_many_poll() {
    let (world, id) = called().await;
    let waiting = task(&world, &id, TaskWish::Poll).await;
    let TaskStage::Awaiting(ask) = &waiting.stage else {
        panic!("{waiting:?}");
    };
    assert_eq!(asked(ask, AskStatus::Pending), id);
    assert_eq!(
        (waiting.created_at, waiting.kept_until),
        (START, START + 60_000)
    );
    assert_eq!(world.runs(), 0);

    world.paid();
    let glanced = task(&world, &id, TaskWish::Glance).await;
    assert!(matches!(glanced.stage, TaskStage::Awaiting(_)));
    assert_eq!(world.runs(), 0, "a glance moves nothing");
    world.pass(5_000);
    let polls = (0..8).map(|_| poll(&world, &id));
    for stage in futures::future::join_all(polls).await {
        match stage {
            TaskStage::Working(None) => {}
            ended => assert_eq!(outcome(&ended), "run 1 of {}"),
        }
    }
    let done = task(&world, &id, TaskWish::Poll).await;
    assert_eq!(outcome(&done.stage), "run 1 of {}");
    assert_eq!(done.kept_until, START + 5_000 + 3_600_000);
    let another_host = world.another_host().await;
    assert_eq!(outcome(&poll(&another_host, &id).await), "run 1 of {}");
    assert_eq!(world.runs(), 1);
    world.books_are_square().await;
}

#[tokio::test]
async fn whoever_polls_is_answered_before_a_long_run_ends() {
    let (world, id) = called().await;
    let hold = Arc::new(Notify::new());
    *world.runner.hold.lock().unwrap() = Some(hold.clone());
    world.paid();
    assert!(matches!(poll(&world, &id).await, TaskStage::Working(None)));
    assert_eq!(world.state(&id).await, "running");
    // It is not stopped by a wish, and not waited for again.
    for wish in [TaskWish::CallOff, TaskWish::Poll] {
        let running = task(&world, &id, wish).await;
        assert!(matches!(running.stage, TaskStage::Working(None)));
    }
    hold.notify_one();
    let stage = loop {
        match poll(&world, &id).await {
            TaskStage::Working(None) => tokio::task::yield_now().await,
            stage => break stage,
        }
    };
    assert_eq!(outcome(&stage), "run 1 of {}");
}

#[tokio::test]
async fn a_task_is_nobody_elses() {
    let (world, id) = called().await;
    world.paid();
    let strangers = [
        Principal::token("https://auth.example", "eve"),
        Principal::token("https://other.example", "ada"),
        Principal::api_key("ada"),
        Principal::anonymous(),
    ];
    for wish in [TaskWish::Glance, TaskWish::Poll, TaskWish::CallOff] {
        for stranger in &strangers {
            let found = world.gate.task(&id, stranger, wish).await.unwrap();
            assert!(found.is_none(), "{stranger} {wish:?}");
        }
        for unknown in ["", "no id", "pay_00000000000000000000000000"] {
            let found = world.gate.task(unknown, &ada(), wish).await.unwrap();
            assert!(found.is_none(), "{unknown:?} {wish:?}");
        }
    }
    assert_eq!((world.runs(), world.state(&id).await), (0, "awaiting"));
    assert_eq!(outcome(&poll(&world, &id).await), "run 1 of {}");
}

#[tokio::test]
async fn an_unpaid_task_is_called_off_and_a_paid_one_is_not() {
    let (world, id) = called().await;
    let off = task(&world, &id, TaskWish::CallOff).await;
    assert!(is_declined(&off.stage), "{off:?}");
    assert!(is_declined(&poll(&world, &id).await));
    assert_eq!((world.runs(), world.state(&id).await), (0, "declined"));

    let (world, id) = called().await;
    world.paid();
    let paid = task(&world, &id, TaskWish::CallOff).await;
    assert_eq!(outcome(&paid.stage), "run 1 of {}");
    let again = task(&world, &id, TaskWish::CallOff).await;
    assert!(!is_declined(&again.stage));
    assert_eq!(outcome(&poll(&world, &id).await), "run 1 of {}");
}

#[tokio::test]
async fn a_paid_task_whose_code_is_being_loaded_is_not_asked_to_pay() {
    let (world, id) = called().await;
    let loading = Arc::new(Notify::new());
    *world.runner.loading.lock().unwrap() = Some(loading.clone());
    world.paid();
    for _ in 0..2 {
        let stage = poll(&world, &id).await;
        assert!(matches!(stage, TaskStage::Working(None)), "{stage:?}");
    }
    *world.runner.loading.lock().unwrap() = None;
    loading.notify_one();
    let done = loop {
        match poll(&world, &id).await {
            TaskStage::Working(None) => tokio::task::yield_now().await,
            stage => break stage,
        }
    };
    assert_eq!(outcome(&done), "run 1 of {}");
    assert_eq!(world.runs(), 1);
}

#[tokio::test]
async fn what_keeps_a_paid_task_waiting_is_said_and_no_end() {
    let (world, id) = called().await;
    world.paid();
    world.runner.has_no_code.store(true, Ordering::SeqCst);
    let stage = poll(&world, &id).await;
    assert!(
        matches!(stage, TaskStage::Working(Some(Refusal::Unavailable { .. }))),
        "{stage:?}"
    );
    world.runner.has_no_code.store(false, Ordering::SeqCst);
    assert_eq!(outcome(&poll(&world, &id).await), "run 1 of {}");
}
