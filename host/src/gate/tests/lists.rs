//! What lists have to do with calls: whose list an open call changes, and confirm tools that are not listed any more.

use coinop_core::mode::AskStatus;
use coinop_core::principal::Principal;
use serde_json::{Value, json};
use tokio::sync::broadcast::Receiver;
use tokio_util::sync::CancellationToken;

use super::local;
use super::world::{World, asked, invocation, text};
use crate::catalog::Entry;
use crate::gate::Reply;

async fn world_in(mode: &'static str) -> World {
    let mut world = World::new().await;
    world.mode = mode;
    world
}

async fn turning() -> World {
    world_in("dynamic_tools").await
}

/// Calls the paid tool as a reader of `viewer`'s list.
async fn ask(world: &World, viewer: &str, who: &Principal) -> Reply {
    let entry = Entry::Tool(world.listing("get_forecast"));
    let mut invocation = invocation(entry, json!({"city": "Oslo"}), who);
    invocation.viewer = Some(viewer.to_owned());
    world.gate.call(invocation).await
}

async fn open(world: &World, viewer: &str) -> Vec<String> {
    let turns = world.gate.turns(viewer).await.unwrap();
    assert_eq!(turns.open.is_empty(), turns.ends_in.is_none());
    turns.open.into_iter().collect()
}

fn heard(changes: &mut Receiver<String>) -> Vec<String> {
    std::iter::from_fn(|| changes.try_recv().ok()).collect()
}

async fn unlisted(world: &World, name: &str, arguments: Value, who: &Principal) -> Option<Reply> {
    let arguments = arguments.as_object().unwrap();
    world
        .gate
        .call_unlisted(name, arguments, who.clone(), CancellationToken::new())
        .await
}

#[tokio::test]
async fn a_viewer_hears_of_its_call_from_its_opening_to_its_end() {
    let world = turning().await;
    let mut changes = world.gate.viewers();
    let id = asked(&ask(&world, "one", &local()).await, AskStatus::Required);
    assert_eq!(heard(&mut changes), ["one"]);
    assert_eq!(open(&world, "one").await, ["get_forecast"]);
    assert!(open(&world, "two").await.is_empty());
    world.paid();
    text(&world.confirm(&id, &local()).await);
    assert!(heard(&mut changes).contains(&"one".to_owned()));
    assert!(open(&world, "one").await.is_empty());
}

#[tokio::test]
async fn an_offer_that_ended_is_nobodys_turn() {
    let world = turning().await;
    ask(&world, "one", &local()).await;
    world.pass(60_001);
    assert!(open(&world, "one").await.is_empty());
}

#[tokio::test]
async fn a_call_of_another_mode_changes_nobodys_list() {
    let world = World::new().await;
    let mut changes = world.gate.viewers();
    ask(&world, "one", &local()).await;
    assert!(heard(&mut changes).is_empty());
    assert!(open(&world, "one").await.is_empty());
}

#[tokio::test]
async fn the_hidden_tool_is_the_same_call_to_strangers_of_one_session_only() {
    let (world, nobody) = (turning().await, Principal::anonymous());
    let id = asked(&ask(&world, "one", &nobody).await, AskStatus::Required);
    let again = asked(&ask(&world, "one", &nobody).await, AskStatus::Required);
    assert_eq!(again, id);
    let other = asked(&ask(&world, "two", &nobody).await, AskStatus::Required);
    assert_ne!(other, id);
}

#[tokio::test]
async fn an_open_call_goes_to_the_list_of_who_came_for_it_last() {
    let world = turning().await;
    let id = asked(&ask(&world, "one", &local()).await, AskStatus::Required);
    let mut changes = world.gate.viewers();
    assert_eq!(
        asked(&ask(&world, "two", &local()).await, AskStatus::Required),
        id
    );
    assert_eq!(heard(&mut changes), ["one", "two"]);
    assert!(open(&world, "one").await.is_empty());
    assert_eq!(open(&world, "two").await, ["get_forecast"]);
}

#[tokio::test]
async fn the_one_confirm_tool_serves_whoever_paid_before_it_left_the_list() {
    let world = world_in("auto").await;
    let reply = world.ask(json!({"city": "Oslo"}), &local()).await;
    let Reply::Ask { ask, .. } = &reply else {
        panic!("{reply:?}")
    };
    assert!(
        ask.next_step.contains("call confirm_payment with"),
        "{}",
        ask.next_step
    );
    let id = asked(&reply, AskStatus::Required);
    world.paid();
    let confirm = || json!({"payment_id": id});
    let stranger = Principal::api_key("bob");
    let refused = unlisted(&world, "confirm_payment", confirm(), &stranger).await;
    assert!(refused.is_none());
    let unknown = json!({"payment_id": "pay_x"});
    assert!(
        unlisted(&world, "confirm_payment", unknown, &local())
            .await
            .is_none()
    );
    let given = unlisted(&world, "confirm_payment", confirm(), &local()).await;
    assert_eq!(text(&given.unwrap()), r#"run 1 of {"city":"Oslo"}"#);
}

#[tokio::test]
async fn a_confirm_tool_serves_what_was_paid_before_its_tool_changed_its_mode() {
    let world = World::new().await;
    let reply = world.ask(json!({"city": "Oslo"}), &local()).await;
    let id = asked(&reply, AskStatus::Required);
    world.paid();
    // Now its list has confirm_payment: both names redeem.
    let confirm = json!({"payment_id": id});
    let own = unlisted(&world, "confirm_get_forecast", confirm.clone(), &local()).await;
    let first = text(&own.unwrap());
    let me = local();
    let shared = world.invoke(Entry::ConfirmPayment, confirm.clone(), &me);
    assert_eq!(text(&shared.await), first);
    let other = unlisted(&world, "confirm_other", confirm, &local()).await;
    assert!(other.is_none());
    assert_eq!(world.runs(), 1);
}
