//! What a person orders is done once, whatever the provider answers and whoever dies in between.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;

use coinop_core::call::{Call, Event, RefundEnd, RefundOrder};
use coinop_core::ids::CallId;
use coinop_core::mode::AskStatus;
use coinop_core::money::Amount;
use coinop_core::principal::Principal;
use coinop_core::step::{REFUND_ON_ITS_WAY_MS, STEP_PATIENCE_MS};
use serde_json::json;

use super::local;
use super::world::{Refunding, START, World, asked, price, text};
use crate::gate::drive::{Drive, Purpose};
use crate::gate::{NotDone, Operated, Operator as _, RefundRequest};
use crate::ledger::{Change, Ledger as _};
use crate::provider::{Refunded, Standing};

const HOUR_MS: i64 = 3_600_000;

/// A call that `principal` paid and was given; its payment's id.
async fn delivered(world: &World, principal: &Principal) -> String {
    let id = asked(&world.ask(json!({}), principal).await, AskStatus::Required);
    world.paid();
    assert_eq!(text(&world.confirm(&id, principal).await), "run 1 of {}");
    id
}

/// A paid call whose tool failed and whose refund was refused until hosts gave up.
async fn stuck(world: &World, principal: &Principal) -> String {
    world.runner.fails.store(true, Ordering::SeqCst);
    let scripted = [Refunding::Refused; 8];
    world.bank.refunding.lock().unwrap().extend(scripted);
    let id = asked(&world.ask(json!({}), principal).await, AskStatus::Required);
    world.paid();
    world.confirm(&id, principal).await;
    for _ in 0..9 {
        world.pass(4 * HOUR_MS);
        world.gate.sweep_once().await;
    }
    assert_eq!(world.state(&id).await, "attention");
    id
}

impl World {
    async fn call_id(&self, id: &str) -> CallId {
        self.record(id).await.call.id
    }

    async fn refund(&self, id: &str, nanos: Option<i64>) -> Result<Operated, NotDone> {
        let request = RefundRequest {
            amount: nanos.map(Amount::from_nanos),
            currency: None,
            reason: "goodwill\nof the house".into(),
        };
        self.gate.refund(self.call_id(id).await, request).await
    }

    fn keys_asked(&self) -> Vec<String> {
        self.bank.refunds_asked.lock().unwrap().clone()
    }

    pub(super) fn script(&self, refunding: Refunding) {
        self.bank.refunding.lock().unwrap().push_back(refunding);
    }

    /// What the bank says became of a refund from now on.
    fn refund_stands(&self, key: &str, refunded: Refunded) {
        let standings = BTreeMap::from([(key.to_owned(), refunded)]);
        *self.bank.refund_standings.lock().unwrap() = Some(standings);
    }

    /// The provider sent back what the ledger says, and the books are square.
    async fn agrees(&self, id: &str) -> Call {
        let call = self.record(id).await.call;
        assert_eq!(call.payment.refunded.nanos(), self.bank.sent_back());
        self.books_are_square().await;
        call
    }
}

#[tokio::test]
async fn a_delivered_call_is_refunded_in_parts_and_no_further() {
    for principal in [local(), Principal::anonymous()] {
        let world = World::new().await;
        let id = delivered(&world, &principal).await;
        let part = world.refund(&id, Some(1_000_000)).await.unwrap();
        assert_eq!(part.refund.unwrap().to_string(), "0.001 USD");
        assert!(part.trouble.is_none() && part.call.refund.is_none());
        let too_much = world.refund(&id, Some(2_000_001)).await.unwrap_err();
        assert!(
            too_much.to_string().contains("0.002 USD that can still"),
            "{too_much}"
        );
        assert_eq!(world.agrees(&id).await.refunds_ordered, 1);
        world.refund(&id, None).await.unwrap();
        let nothing = world.refund(&id, None).await.unwrap_err();
        assert!(nothing.to_string().contains("went back already"));
        let call = world.agrees(&id).await;
        assert_eq!(call.payment.refunded, price().amount);
        assert_eq!(call.past_refunds[0].order.reason, "goodwill of the house");
        assert_eq!(
            world.keys_asked(),
            [format!("{id}-refund-1"), format!("{id}-refund-2")]
        );
        let again = text(&world.confirm(&id, &principal).await);
        assert_eq!(again, "run 1 of {}", "what was delivered stays delivered");
    }
}

/// A host that was stopped holds what it read before; meanwhile the refund had failed for good and was credited instead.
#[tokio::test]
async fn a_host_that_was_stopped_before_its_refund_looks_again_before_it_sends_it() {
    let world = World::new().await;
    let ada = Principal::api_key("ada");
    let id = asked(&world.ask(json!({}), &ada).await, AskStatus::Required);
    world.paid();
    world.runner.fails.store(true, Ordering::SeqCst);
    world.script(Refunding::Pending);
    world.confirm(&id, &ada).await;
    let read = world.record(&id).await;
    assert_eq!(read.call.state.name(), "compensating");
    let stopped = Drive::new(&world.gate, read, Purpose::Sweep);

    let other = world.another_host().await;
    world.refund_stands(&format!("{id}-compensation"), Refunded::Failed);
    world.script(Refunding::Failed);
    world.pass(60_000);
    other.gate.sweep_once().await;
    other.gate.credit(world.call_id(&id).await).await.unwrap();
    world.pass(10 * 60_000);
    other.gate.sweep_once().await;
    assert_eq!(world.state(&id).await, "credited");

    stopped.rest().await.unwrap();
    assert_eq!(world.bank.sent_back(), 0, "it was credited already");
    assert_eq!(world.state(&id).await, "credited");
}

#[tokio::test]
async fn a_host_that_dies_between_order_and_provider_is_continued_with_the_same_key() {
    for lists_refunds in [true, false] {
        let world = World::new().await;
        let id = delivered(&world, &local()).await;
        if !lists_refunds {
            *world.bank.refund_standings.lock().unwrap() = None;
        }
        let call = world.record(&id).await.call;
        let refund = RefundOrder {
            key: call.next_refund_key(),
            amount: Amount::from_nanos(1_000_000),
            reason: "goodwill".into(),
            at: START,
        };
        let order = Change {
            call: call.id,
            events: vec![Event::RefundOrdered { refund }],
            outcome: None,
            at: START,
        };
        world.ledger.advance(order).await.unwrap();
        assert_eq!(world.gate.sweep_once().await, 0, "its host has its time");
        let busy = world.refund(&id, None).await.unwrap_err();
        assert!(busy.to_string().contains("0.001 USD was ordered"), "{busy}");
        world.pass(STEP_PATIENCE_MS);
        world.another_host().await.gate.sweep_once().await;
        let call = world.agrees(&id).await;
        assert_eq!(call.payment.refunded.nanos(), 1_000_000);
        assert_eq!(world.keys_asked(), [format!("{id}-refund-1")]);
    }
}

#[tokio::test]
async fn a_refund_whose_answer_was_lost_is_made_once() {
    for lists_refunds in [true, false] {
        let world = World::new().await;
        let id = delivered(&world, &local()).await;
        if !lists_refunds {
            *world.bank.refund_standings.lock().unwrap() = None;
        }
        world.script(Refunding::AnswerLost);
        let lost = world.refund(&id, Some(1_000_000)).await.unwrap();
        assert!(lost.trouble.unwrap().contains("the answer was lost"));
        assert_eq!(world.record(&id).await.call.refunds_ordered, 1);
        for _ in 0..3 {
            world.pass(STEP_PATIENCE_MS);
            world.another_host().await.gate.sweep_once().await;
        }
        let call = world.agrees(&id).await;
        assert_eq!(call.payment.refunded.nanos(), 1_000_000);
        let asked = if lists_refunds { 1 } else { 2 };
        assert_eq!(world.keys_asked(), vec![format!("{id}-refund-1"); asked]);
    }
}

/// Where the bank forgets keys at once: found, it is made; not found, it is never sent again, and ends in time.
#[tokio::test]
async fn an_ordered_refund_is_never_asked_for_again_under_a_forgotten_key() {
    for arrives in [true, false] {
        let world = World::new().await;
        *world.bank.key_window.lock().unwrap() = Some(std::time::Duration::ZERO);
        let id = delivered(&world, &local()).await;
        world.script(match arrives {
            true => Refunding::AnswerLost,
            false => Refunding::OnItsWay,
        });
        world.refund(&id, Some(1_000_000)).await.unwrap();
        let part = if arrives { 1_000_000 } else { 0 };
        world.pass(REFUND_ON_ITS_WAY_MS - 1);
        world.gate.sweep_once().await;
        let call = world.agrees(&id).await;
        assert_eq!(call.refund.is_none(), arrives, "it may be on its way");
        world.pass(HOUR_MS);
        world.gate.sweep_once().await;
        let call = world.agrees(&id).await;
        let end = match arrives {
            true => RefundEnd::Made,
            false => RefundEnd::Refused,
        };
        assert_eq!(call.past_refunds[0].end, end);
        assert_eq!(call.payment.refunded.nanos(), part);
        assert_eq!(world.keys_asked(), [format!("{id}-refund-1")]);
    }
}

#[tokio::test]
async fn a_refund_that_is_refused_leaves_the_money_where_it_is() {
    for how in [Refunding::Refused, Refunding::Failed] {
        let world = World::new().await;
        let id = delivered(&world, &local()).await;
        world.script(how);
        let refused = world.refund(&id, None).await.unwrap_err();
        assert!(matches!(refused, NotDone::Refused(_)), "{refused}");
        let call = world.agrees(&id).await;
        assert_eq!(call.held(), price().amount);
        assert_eq!(call.past_refunds[0].end, RefundEnd::Refused);
        world.refund(&id, None).await.unwrap();
        assert_eq!(world.agrees(&id).await.held(), Amount::ZERO);
        assert_eq!(world.keys_asked().last(), Some(&format!("{id}-refund-2")));
    }
}

#[tokio::test]
async fn a_refund_that_takes_its_time_is_asked_after_and_not_asked_for_again() {
    let world = World::new().await;
    let id = delivered(&world, &local()).await;
    world.script(Refunding::Pending);
    let pending = world.refund(&id, None).await.unwrap();
    assert!(pending.call.refund.is_some() && pending.trouble.is_none());
    let key = format!("{id}-refund-1");
    world.refund_stands(&key, Refunded::Pending);
    for _ in 0..3 {
        world.pass(HOUR_MS);
        world.gate.sweep_once().await;
    }
    let retried = world.gate.retry(world.call_id(&id).await).await.unwrap();
    assert!(retried.call.refund.is_some());
    world.refund_stands(&key, Refunded::Done);
    let due_again = 24 * HOUR_MS;
    world.pass(due_again);
    world.gate.sweep_once().await;
    let call = world.record(&id).await.call;
    assert_eq!(call.payment.refunded, price().amount);
    assert_eq!(world.keys_asked(), [key]);
    world.books_are_square().await;
}

#[tokio::test]
async fn a_refund_that_fails_later_is_recorded_as_refused() {
    let world = World::new().await;
    let id = delivered(&world, &local()).await;
    world.script(Refunding::Pending);
    world.refund(&id, None).await.unwrap();
    world.refund_stands(&format!("{id}-refund-1"), Refunded::Failed);
    world.script(Refunding::Failed);
    world.pass(HOUR_MS);
    world.gate.sweep_once().await;
    let call = world.agrees(&id).await;
    assert_eq!(call.refund, None);
    assert_eq!(call.past_refunds[0].end, RefundEnd::Refused);
}

#[tokio::test]
async fn a_refund_is_never_given_up_while_the_provider_is_away() {
    let world = World::new().await;
    let id = delivered(&world, &local()).await;
    world.bank.down.store(true, Ordering::SeqCst);
    let waits = world.refund(&id, None).await.unwrap();
    assert!(waits.trouble.is_some());
    for _ in 0..9 {
        world.pass(24 * HOUR_MS);
        world.gate.sweep_once().await;
    }
    assert_eq!(world.state(&id).await, "deliverable");
    world.bank.down.store(false, Ordering::SeqCst);
    let done = world.gate.retry(world.call_id(&id).await).await.unwrap();
    assert_eq!(done.call.refund, None);
    assert_eq!(world.agrees(&id).await.held(), Amount::ZERO);
}

#[tokio::test]
async fn what_hosts_gave_up_is_refunded_taken_up_credited_or_closed() {
    for (what, ends) in [
        ("refund", "refunded"),
        ("retry", "refunded"),
        ("credit", "credited"),
        ("close", "refunded"),
    ] {
        let world = World::new().await;
        let ada = Principal::api_key("ada");
        let id = stuck(&world, &ada).await;
        let call = world.call_id(&id).await;
        let done = match what {
            "refund" => world.refund(&id, None).await,
            "retry" => world.gate.retry(call).await,
            "credit" => world.gate.credit(call).await,
            _ => world.gate.close(call, "paid back in cash".into()).await,
        };
        let state = done.unwrap().call.state;
        if what == "credit" {
            // A refund that was asked for may still be on its way to the provider.
            assert_eq!(state.name(), "compensation_due");
            world.pass(10 * 60_000);
            world.gate.sweep_once().await;
            assert_eq!(world.state(&id).await, ends);
        } else {
            assert_eq!(state.name(), ends, "{what}");
        }
        let credit = world
            .ledger
            .credit(ada, "main".into(), price().currency)
            .await;
        let credited = if what == "credit" {
            price().amount
        } else {
            Amount::ZERO
        };
        assert_eq!(credit.unwrap(), credited, "{what}");
        let sent_back = match what {
            "refund" | "retry" => price().amount.nanos(),
            _ => 0,
        };
        assert_eq!(world.bank.sent_back(), sent_back, "{what}");
        let note = world.record(&id).await.call.note;
        let expected = (what == "close").then_some("paid back in cash");
        assert_eq!(note.as_deref(), expected);
        world.books_are_square().await;
    }
}

#[tokio::test]
async fn who_was_refunded_after_all_is_not_credited_too() {
    let world = World::new().await;
    let id = stuck(&world, &local()).await;
    // The last of the attempts had an effect; its answer was lost.
    let key = format!("{id}-compensation");
    let call = world.call_id(&id).await;
    for standing in [None, Some(Refunded::Pending)] {
        match standing {
            None => *world.bank.refund_standings.lock().unwrap() = None,
            Some(standing) => world.refund_stands(&key, standing),
        }
        let unknown = world.gate.credit(call.clone()).await.unwrap_err();
        assert!(matches!(unknown, NotDone::RefundUnknown(_)), "{unknown}");
        assert_eq!(world.state(&id).await, "attention");
    }
    world.refund_stands(&key, Refunded::Done);
    let done = world.gate.credit(call).await.unwrap();
    assert_eq!(done.call.state.name(), "refunded");
    assert_eq!(done.refund, Some(price()));
    let credit = world
        .ledger
        .credit(local(), "main".into(), price().currency);
    assert_eq!(credit.await.unwrap(), Amount::ZERO);
    world.books_are_square().await;
}

#[tokio::test]
async fn nobody_in_particular_is_not_credited() {
    let world = World::new().await;
    let id = stuck(&world, &Principal::anonymous()).await;
    let call = world.call_id(&id).await;
    let no = world.gate.credit(call).await.unwrap_err();
    assert!(no.to_string().contains("anonymous"), "{no}");
    assert_eq!(world.state(&id).await, "attention");
    world.refund(&id, None).await.unwrap();
    assert_eq!(world.agrees(&id).await.state.name(), "refunded");
}

#[tokio::test]
async fn money_that_came_after_the_end_is_found_when_a_person_asks() {
    let world = World::new().await;
    let id = asked(&world.ask(json!({}), &local()).await, AskStatus::Required);
    world.pass(60_000);
    world.gate.sweep_once().await;
    assert_eq!(world.state(&id).await, "expired");
    let call = world.call_id(&id).await;
    let nothing = world.gate.retry(call.clone()).await.unwrap();
    assert_eq!(nothing.call.state.name(), "expired");
    *world.bank.standing.lock().unwrap() = Standing::Paid(price());
    let found = world.gate.retry(call).await.unwrap();
    assert_eq!(found.call.state.name(), "refunded");
    assert_eq!(world.agrees(&id).await.held(), Amount::ZERO);
}

#[tokio::test]
async fn a_person_runs_nothing() {
    let world = World::new().await;
    let id = super::orphan(&world).await;
    world.pass(120_000);
    let operator = world.another_host().await;
    let runs = operator.runs();
    let call = operator.call_id(&id).await;
    let left = operator.gate.retry(call.clone()).await.unwrap();
    assert_eq!((left.call.state.name(), operator.runs()), ("running", runs));
    let no = operator.refund(&id, None).await.unwrap_err();
    assert!(no.to_string().contains("wait for its end"), "{no}");
    let missing = CallId::from_random([9; 16]);
    let no = operator.gate.retry(missing).await.unwrap_err();
    assert!(matches!(no, NotDone::Missing));
}
