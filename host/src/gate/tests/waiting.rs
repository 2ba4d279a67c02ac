//! Requests that wait for their payment: woken by whoever sees it first, bounded by their own time, and free of questions
//! that nobody needs.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};

use coinop_core::mode::{AskStatus, Manner};
use coinop_core::peer::{Answer, Dialog, Manners, Peer};
use coinop_core::principal::Principal;
use serde_json::json;
use tokio_util::sync::CancellationToken;

use super::world::{World, asked, invocation, text};
use super::{Refusal, Reply, local, refusal};
use crate::catalog::Entry;
use crate::clock::Clock as _;
use crate::gate::page::Cashier as _;
use crate::gate::{Invocation, Resumption};
use crate::ledger::CallKey;
use crate::ledger::Ledger as _;
use crate::provider::Decision;
use crate::sandbox::{ProgressSink, Stage};

/// Keeps what a client would see.
#[derive(Default)]
struct Screen {
    words: Mutex<Vec<(Stage, String)>>,
    told: tokio::sync::Notify,
}

impl ProgressSink for Screen {
    fn report(&self, _: f64, _: Option<f64>, _: Option<&str>) {}

    fn note(&self, stage: Stage, message: &str) {
        let mut words = self.words.lock().unwrap();
        words.push((stage, message.to_owned()));
        self.told.notify_one();
    }
}

impl Screen {
    fn stages(&self) -> Vec<Stage> {
        let words = self.words.lock().unwrap();
        words.iter().map(|(stage, _)| *stage).collect()
    }
}

async fn world(mode: &'static str) -> Arc<World> {
    let mut world = World::new().await;
    world.mode = mode;
    Arc::new(world)
}

/// A call of a client that listens to progress and shows forms and links.
fn call(world: &World, screen: &Arc<Screen>) -> Invocation {
    let entry = Entry::Tool(world.listing("get_forecast"));
    Invocation {
        progress: Some(screen.clone()),
        dialog: Dialog {
            peer: Peer {
                progress: true,
                form: true,
                url: true,
                ..Peer::default()
            },
            ..Dialog::default()
        },
        ..invocation(entry, json!({}), &local())
    }
}

/// Starts a call that waits, and waits until it does.
async fn waiting(world: &Arc<World>) -> (tokio::task::JoinHandle<Reply>, Arc<Screen>, String) {
    let screen = Arc::<Screen>::default();
    let (gate, invocation) = (world.gate.clone(), call(world, &screen));
    let reply = tokio::spawn(async move { gate.call(invocation).await });
    screen.told.notified().await;
    let id = {
        let words = screen.words.lock().unwrap();
        let at = words[0].1.find("pay_").unwrap();
        words[0].1[at..at + 30].to_owned()
    };
    (reply, screen, id)
}

async fn pays_on_the_page(world: &World, id: &str) {
    let link = world.record(id).await.call.payment.link.clone();
    world.gate.decide(link, Decision::Pay).await.unwrap();
}

#[tokio::test]
async fn a_payment_on_the_page_ends_a_wait_at_once() {
    let world = world("progress").await;
    let (reply, screen, id) = waiting(&world).await;
    // The clock stands still: nothing but the push can end it.
    pays_on_the_page(&world, &id).await;
    assert_eq!(text(&reply.await.unwrap()), "run 1 of {}");
    assert_eq!(screen.stages(), [Stage::Waiting, Stage::Starting]);
    let words = screen.words.lock().unwrap();
    for part in [
        "0.003 USD",
        "get_forecast",
        "http://pay.test/pay/lnk_",
        &id,
        "TEST",
    ] {
        assert!(words[0].1.contains(part), "{part} is not in {}", words[0].1);
    }
}

#[tokio::test]
async fn another_callers_turn_ends_a_wait_at_once() {
    let world = world("progress").await;
    let (reply, _, id) = waiting(&world).await;
    world.paid();
    let other = text(&world.confirm(&id, &local()).await);
    assert_eq!(text(&reply.await.unwrap()), other);
    assert_eq!(world.runs(), 1);
}

#[tokio::test]
async fn a_wait_ends_after_its_time_and_the_same_link_still_stands() {
    let world = world("progress").await;
    world.clock.run_ahead();
    let (reply, screen, id) = waiting(&world).await;
    let started = world.clock.now();
    let reply = reply.await.unwrap();
    assert_eq!(asked(&reply, AskStatus::Pending), id);
    let waited = world.clock.now() - started;
    assert!((49_000..=51_000).contains(&waited), "{waited}");
    assert_eq!(screen.stages(), [Stage::Waiting; 4]);
    // Asked at 3, 7.5, 14.25, 24.4 and 39.4 seconds, and once more at the end.
    assert_eq!(world.bank.checks.load(Ordering::SeqCst), 6);
}

#[tokio::test]
async fn the_link_of_a_plugin_that_is_set_aside_is_not_shown_again() {
    let world = world("progress").await;
    let (reply, screen, id) = waiting(&world).await;
    world.runner.sets_aside.store(true, Ordering::SeqCst);
    let call = world.record(&id).await.call.id;
    world.clock.run_ahead();
    world.gate.watchers.tell(&call);
    let reply = reply.await.unwrap();
    let told = refusal(&reply).to_string();
    assert!(told.contains("keeps failing"), "{told}");
    assert_eq!(screen.stages(), [Stage::Waiting], "it was shown once");
    // Whoever paid meanwhile has paid for a run.
    world.paid();
    assert_eq!(text(&world.confirm(&id, &local()).await), "run 1 of {}");
}

#[tokio::test]
async fn a_payment_whose_news_is_lost_is_found_by_asking() {
    let world = world("progress").await;
    let (reply, _, id) = waiting(&world).await;
    let call = world.record(&id).await.call.id;
    world.paid();
    world.clock.run_ahead();
    // The wait is in a pause of the clock that stood still; what wakes it is no news of the payment.
    world.gate.watchers.tell(&call);
    assert_eq!(text(&reply.await.unwrap()), "run 1 of {}");
}

#[tokio::test]
async fn a_wait_sees_what_another_host_commits() {
    let world = world("progress").await;
    let other = world.another_host().await;
    let (reply, _, id) = waiting(&world).await;
    pays_on_the_page(&other, &id).await;
    world.clock.run_ahead();
    assert_eq!(text(&reply.await.unwrap()), "run 1 of {}");
}

#[tokio::test]
async fn a_wait_is_as_long_as_the_operator_wants_whatever_a_turn_has_steps() {
    let world = world("progress").await;
    world.clock.run_ahead();
    let screen = Arc::<Screen>::default();
    let mut invocation = call(&world, &screen);
    // Ten minutes; the offer ends after one.
    invocation.dialog.manners = Manners {
        wait_ms: 600_000,
        ..Manners::default()
    };
    let started = world.clock.now();
    let reply = world.gate.call(invocation).await;
    assert_eq!(refusal(&reply), &Refusal::Expired);
    let waited = world.clock.now() - started;
    assert!((60_000..=61_000).contains(&waited), "{waited}");
}

#[tokio::test]
async fn a_wait_costs_no_more_than_its_pace_however_long_it_is() {
    let mut world = World::build(false, false).await;
    world.mode = "progress";
    world.gate = world.gate_with_lifetime(std::time::Duration::from_secs(3_600));
    world.clock.run_ahead();
    let screen = Arc::<Screen>::default();
    let mut invocation = call(&world, &screen);
    invocation.dialog.manners.wait_ms = 3_000_000;
    let reply = world.gate.call(invocation).await;
    asked(&reply, AskStatus::Pending);
    let checks = world.bank.checks.load(Ordering::SeqCst);
    assert!((180..=210).contains(&checks), "every 15 seconds: {checks}");
}

#[tokio::test]
async fn who_cancels_a_wait_leaves_the_payment_open() {
    let world = world("progress").await;
    let screen = Arc::<Screen>::default();
    let invocation = call(&world, &screen);
    let cancel = invocation.cancel.clone();
    let gate = world.gate.clone();
    let reply = tokio::spawn(async move { gate.call(invocation).await });
    screen.told.notified().await;
    cancel.cancel();
    assert!(matches!(reply.await.unwrap(), Reply::Cancelled));
    let id = asked(&world.ask(json!({}), &local()).await, AskStatus::Required);
    assert_eq!(world.state(&id).await, "awaiting");
}

#[tokio::test]
async fn a_host_that_stops_lets_nobody_wait() {
    let world = world("progress").await;
    let (reply, _, id) = waiting(&world).await;
    world.gate.stop_waiting();
    assert_eq!(asked(&reply.await.unwrap(), AskStatus::Pending), id);
    let screen = Arc::<Screen>::default();
    let later = world.gate.call(call(&world, &screen)).await;
    assert_eq!(asked(&later, AskStatus::Pending), id);
}

#[tokio::test]
async fn a_ledger_that_is_away_for_a_moment_ends_no_wait() {
    let world = world("progress").await;
    let (reply, screen, id) = waiting(&world).await;
    let call = world.record(&id).await.call.id;
    world.sql("ALTER TABLE call RENAME TO away");
    let key = CallKey::Payment(id.parse().unwrap());
    assert!(world.ledger.find(key).await.is_err());
    // It looks in vain until its second word.
    world.clock.run_ahead();
    world.gate.watchers.tell(&call);
    screen.told.notified().await;
    world.clock.stand_still();
    world.sql("ALTER TABLE away RENAME TO call");
    world.gate.watchers.tell(&call);
    pays_on_the_page(&world, &id).await;
    assert_eq!(text(&reply.await.unwrap()), "run 1 of {}");
}

fn resumed(world: &World, id: &str, answer: Answer, asked: u32) -> Invocation {
    let screen = Arc::<Screen>::default();
    let mut invocation = call(world, &screen);
    invocation.resumption = Some(Resumption {
        payment: id.parse().unwrap(),
        answer,
        asked,
    });
    invocation
}

fn manner(reply: &Reply) -> Manner {
    match reply {
        Reply::Ask { ask, .. } => ask.manner,
        other => panic!("expected a request, got {other:?}"),
    }
}

#[tokio::test]
async fn a_no_is_believed_when_the_provider_knows_of_no_payment() {
    for (paid, cannot_cancel) in [(false, false), (true, false), (false, true)] {
        let world = world("elicitation").await;
        let screen = Arc::<Screen>::default();
        let first = world.gate.call(call(&world, &screen)).await;
        assert_eq!(manner(&first), Manner::Form);
        let id = asked(&first, AskStatus::Required);
        if paid {
            world.paid();
        }
        world
            .bank
            .cannot_cancel
            .store(cannot_cancel, Ordering::SeqCst);
        let reply = world
            .gate
            .call(resumed(&world, &id, Answer::Declined, 1))
            .await;
        match (paid, cannot_cancel) {
            (true, _) => assert_eq!(text(&reply), "run 1 of {}"),
            (false, false) => assert_eq!(refusal(&reply), &Refusal::Declined),
            // Its link may still take money: nobody is told that it does not.
            (false, true) => {
                assert!(matches!(refusal(&reply), Refusal::Unavailable { .. }));
                assert_eq!(world.state(&id).await, "awaiting");
            }
        }
    }
}

#[tokio::test]
async fn a_cancelled_question_is_looked_up_and_leaves_the_link() {
    let world = world("elicitation").await;
    let screen = Arc::<Screen>::default();
    let id = asked(
        &world.gate.call(call(&world, &screen)).await,
        AskStatus::Required,
    );
    for answer in [Answer::Cancelled, Answer::Unasked] {
        let reply = world.gate.call(resumed(&world, &id, answer, 1)).await;
        assert_eq!(
            (manner(&reply), asked(&reply, AskStatus::Pending)),
            (Manner::Answer, id.clone())
        );
    }
    world.paid();
    let reply = world
        .gate
        .call(resumed(&world, &id, Answer::Cancelled, 1))
        .await;
    assert_eq!(text(&reply), "run 1 of {}");
}

#[tokio::test]
async fn a_resumption_redeems_nobody_elses_payment() {
    let world = world("elicitation").await;
    let screen = Arc::<Screen>::default();
    let id = asked(
        &world.gate.call(call(&world, &screen)).await,
        AskStatus::Required,
    );
    world.paid();
    let mut stranger = resumed(&world, &id, Answer::Accepted, 1);
    stranger.principal = Principal::api_key("bob");
    let reply = world.gate.call(stranger).await;
    assert_eq!(refusal(&reply), &Refusal::UnknownPayment);
    assert_eq!(world.runs(), 0);
}

#[tokio::test]
async fn eight_waits_on_one_payment_run_once() {
    let world = world("progress").await;
    let (first, _, id) = waiting(&world).await;
    let mut waits = vec![first];
    for _ in 1..8 {
        waits.push(waiting(&world).await.0);
    }
    pays_on_the_page(&world, &id).await;
    for reply in waits {
        assert_eq!(text(&reply.await.unwrap()), "run 1 of {}");
    }
    assert_eq!(world.runs(), 1);
}

#[tokio::test]
async fn until_decided_ends_with_the_payment_however_it_is_seen() {
    let world = world("elicitation").await;
    let screen = Arc::<Screen>::default();
    let id = asked(
        &world.gate.call(call(&world, &screen)).await,
        AskStatus::Required,
    );
    let payment = id.parse().unwrap();
    let decided = {
        let gate = world.gate.clone();
        tokio::spawn(async move { gate.until_decided(&payment).await })
    };
    tokio::task::yield_now().await;
    pays_on_the_page(&world, &id).await;
    decided.await.unwrap();
    // Paid at the provider, and nobody told.
    let other = {
        let mut again = call(&world, &screen);
        again.arguments = json!({"b": 1}).as_object().unwrap().clone();
        world.unpaid();
        asked(&world.gate.call(again).await, AskStatus::Required)
    };
    world.paid();
    world.clock.run_ahead();
    world.gate.until_decided(&other.parse().unwrap()).await;
    assert_eq!(world.state(&other).await, "ready");
    let unknown = "pay_aaaaaaaaaaaaaaaaaaaaaaaaaa".parse().unwrap();
    let never = world.gate.until_decided(&unknown);
    let bound = CancellationToken::new();
    bound.cancel();
    tokio::select! {
        biased;
        () = never => panic!("there is no such payment"),
        () = bound.cancelled() => {}
    }
}
