//! Who is made whole how: balance instead of a refund, balance spent first, and retries before either.

use std::sync::atomic::Ordering;

use coinop_core::call::Remedy;
use coinop_core::mode::AskStatus;
use coinop_core::money::{Amount, Money};
use coinop_core::principal::Principal;
use serde_json::json;

use super::world::{World, asked, price, text};
use super::{local, refusal};
use crate::gate::page::{Cashier as _, PageState};
use crate::gate::{CallerCaps, Refusal, Reply};
use crate::ledger::transition::GIVEN_AGAIN_MS;
use crate::ledger::{Caps, Ledger as _};
use crate::plugin::Effects;

fn usd(amount: &str) -> Money {
    Money::parse(amount, "USD").unwrap()
}

impl World {
    async fn crediting() -> Self {
        Self::crediting_within(Caps::default()).await
    }

    async fn crediting_within(known: Caps) -> Self {
        let mut world = Self::capped(CallerCaps {
            known,
            ..CallerCaps::default()
        })
        .await;
        world.on_failure = Remedy::Credit;
        world
    }

    /// Pays for a call that fails, and returns what the caller is told.
    async fn fails_once(&self, n: u32, caller: &Principal) -> (String, Reply) {
        self.unpaid();
        let reply = self.ask(json!({"n": n}), caller).await;
        let id = asked(&reply, AskStatus::Required);
        self.paid_with(self.record(&id).await.call.due());
        self.runner.fails_next.store(1, Ordering::SeqCst);
        let reply = self.confirm(&id, caller).await;
        self.unpaid();
        (id, reply)
    }

    async fn sum_is_zero(&self) {
        let balances = self.ledger.balances().await.unwrap();
        let sum: i64 = balances.iter().map(|b| b.amount.nanos()).sum();
        assert_eq!(sum, 0, "{balances:?}");
    }
}

#[tokio::test]
async fn what_was_credited_pays_for_the_next_call_at_once() {
    let world = World::crediting().await;
    let (id, reply) = world.fails_once(1, &local()).await;
    assert!(
        matches!(refusal(&reply), Refusal::Credited { price: p, .. } if *p == price()),
        "{reply:?}"
    );
    let told = refusal(&reply).to_string();
    assert!(
        told.contains("0.003 USD was credited to your balance"),
        "{told}"
    );
    assert_eq!(world.state(&id).await, "credited");
    assert!(world.bank.refunds.lock().unwrap().is_empty());
    assert_eq!(world.balance(&local()).await, price().amount);
    world.books_are_square().await;

    let Reply::Outcome(delivery) = world.ask(json!({"n": 2}), &local()).await else {
        panic!("the balance covers it");
    };
    assert_eq!(world.bank.asked.lock().unwrap().len(), 1, "no second link");
    assert_eq!(world.balance(&local()).await, Amount::ZERO);
    let keys = world.ledger.receipt_keys().await.unwrap();
    let receipt = keys.verify(&delivery.receipt.unwrap()).unwrap();
    assert_eq!(receipt.from_balance.as_deref(), Some("0.003"));
    assert_eq!(
        (receipt.amount.as_str(), receipt.provider.as_str()),
        ("0.003", "credit")
    );
    asked(
        &world.ask(json!({"n": 3}), &local()).await,
        AskStatus::Required,
    );
    world.books_are_square().await;
}

#[tokio::test]
async fn a_covered_call_whose_answer_was_lost_is_given_again_and_not_charged_again() {
    let mut world = World::crediting().await;
    world.price = usd("0.006");
    world.fails_once(1, &local()).await;
    world.price = price();
    let runs = world.runs();
    let first = text(&world.ask(json!({"n": 7}), &local()).await);
    assert_eq!(world.balance(&local()).await, price().amount);
    world.pass(GIVEN_AGAIN_MS - 1);
    let there = world.another_host().await;
    assert_eq!(text(&there.ask(json!({"n": 7}), &local()).await), first);
    assert_eq!(world.balance(&local()).await, price().amount);
    assert_eq!(world.runs(), runs + 1);

    world.pass(1);
    let anew = world.ask(json!({"n": 7}), &local()).await;
    assert!(matches!(anew, Reply::Outcome(_)), "{anew:?}");
    assert_eq!(world.balance(&local()).await, Amount::ZERO);
    assert_eq!(world.runs(), runs + 2);
    world.books_are_square().await;
}

#[tokio::test]
async fn a_covered_call_that_fails_gives_the_balance_back() {
    let world = World::crediting().await;
    world.fails_once(1, &local()).await;
    world.runner.fails_next.store(1, Ordering::SeqCst);
    let reply = world.ask(json!({"n": 2}), &local()).await;
    assert!(
        refusal(&reply)
            .to_string()
            .contains("0.003 USD was credited"),
        "{reply:?}"
    );
    assert_eq!(world.balance(&local()).await, price().amount);
    assert_eq!(world.bank.asked.lock().unwrap().len(), 1);
    world.books_are_square().await;
}

#[tokio::test]
async fn only_the_rest_is_asked_for_and_the_balance_returns_when_nobody_pays() {
    let mut world = World::crediting().await;
    world.fails_once(1, &local()).await;
    world.price = usd("0.005");
    let reply = world.ask(json!({"n": 2}), &local()).await;
    let Reply::Ask { ask, .. } = &reply else {
        panic!("{reply:?}")
    };
    assert_eq!((ask.price, ask.due()), (usd("0.005"), usd("0.002")));
    let id = ask.payment_id.to_string();
    assert_eq!(world.bank.asked.lock().unwrap()[1], usd("0.002"));
    assert_eq!(world.balance(&local()).await, Amount::ZERO);
    let link = world.record(&id).await.call.payment.link.clone();
    let page = world.gate.page(link).await.unwrap().unwrap();
    assert_eq!((page.price, page.due), (usd("0.005"), usd("0.002")));
    world.sum_is_zero().await;

    world.pass(60_000);
    world.gate.sweep_once().await;
    assert_eq!(world.state(&id).await, "expired");
    assert_eq!(world.balance(&local()).await, price().amount);
    world.books_are_square().await;

    let id = asked(
        &world.ask(json!({"n": 2}), &local()).await,
        AskStatus::Required,
    );
    world.paid_with(usd("0.002"));
    text(&world.confirm(&id, &local()).await);
    assert_eq!(world.balance(&local()).await, Amount::ZERO);
    world.books_are_square().await;
}

#[tokio::test]
async fn each_part_goes_back_where_it_came_from() {
    let mut world = World::crediting().await;
    world.fails_once(1, &local()).await;
    (world.price, world.on_failure) = (usd("0.005"), Remedy::Refund);
    let (id, reply) = world.fails_once(2, &local()).await;
    let told = refusal(&reply).to_string();
    assert!(
        told.contains("0.002 USD went back to the payer and 0.003 USD to your balance"),
        "{told}"
    );
    assert_eq!(world.state(&id).await, "refunded");
    assert_eq!(world.balance(&local()).await, price().amount);
    world.on_failure = Remedy::Credit;
    let (_, reply) = world.fails_once(3, &local()).await;
    let told = refusal(&reply).to_string();
    assert!(told.contains("0.005 USD was credited"), "{told}");
    assert_eq!(world.balance(&local()).await, usd("0.005").amount);
    world.books_are_square().await;
}

#[tokio::test]
async fn twenty_calls_at_once_spend_a_balance_once() {
    let world = World::crediting().await;
    let there = world.another_host().await;
    // All three are open before the first is credited, so that none is paid from another's balance.
    for n in 0..3 {
        let reply = world.ask(json!({"n": n}), &local()).await;
        asked(&reply, AskStatus::Required);
    }
    world.paid();
    world.runner.fails.store(true, Ordering::SeqCst);
    for n in 0..3 {
        let reply = world.ask(json!({"n": n}), &local()).await;
        assert!(matches!(refusal(&reply), Refusal::Credited { .. }));
    }
    world.unpaid();
    world.runner.fails.store(false, Ordering::SeqCst);
    assert_eq!(world.balance(&local()).await, usd("0.009").amount);

    let caller = local();
    let asks = (100..120).map(|n| {
        let host = if n % 2 == 0 { &world } else { &there };
        host.ask(json!({"n": n}), &caller)
    });
    let replies = futures::future::join_all(asks).await;
    let delivered = replies.iter().filter(|r| matches!(r, Reply::Outcome(_)));
    assert_eq!(delivered.count(), 3);
    let links = replies.iter().filter(|r| matches!(r, Reply::Ask { .. }));
    assert_eq!(links.count(), 17, "{replies:?}");
    assert_eq!(world.balance(&local()).await, Amount::ZERO);
    world.books_are_square().await;
}

#[tokio::test]
async fn without_refunds_a_known_caller_is_credited_and_a_stranger_needs_a_person() {
    let world = World::new().await;
    world.bank.keeps.store(true, Ordering::SeqCst);
    let ada = Principal::api_key("ada");
    let (id, reply) = world.fails_once(1, &ada).await;
    assert!(matches!(refusal(&reply), Refusal::Credited { .. }));
    assert_eq!(
        (world.state(&id).await, world.balance(&ada).await),
        ("credited", price().amount)
    );
    world.books_are_square().await;

    let nobody = Principal::anonymous();
    let (id, reply) = world.fails_once(2, &nobody).await;
    let told = refusal(&reply).to_string();
    assert!(
        told.contains("0.003 USD needs the operator's attention"),
        "{told}"
    );
    assert_eq!(world.state(&id).await, "attention");
    let link = world.record(&id).await.call.payment.link.clone();
    let page = world.gate.page(link).await.unwrap().unwrap();
    assert_eq!((page.state, page.on_failure), (PageState::Attention, None));
    let owed = world.ledger.balances().await.unwrap();
    let owed = owed.iter().find(|b| b.book == "undelivered").unwrap();
    assert_eq!(owed.amount, price().amount.checked_neg().unwrap());
    assert!(world.bank.refunds.lock().unwrap().is_empty());
    world.sum_is_zero().await;
}

#[tokio::test]
async fn a_stranger_has_no_balance_and_gets_the_money_back() {
    let world = World::crediting().await;
    let nobody = Principal::anonymous();
    let (id, _) = world.fails_once(1, &nobody).await;
    assert_eq!(world.state(&id).await, "refunded");
    assert_eq!(world.bank.refunds.lock().unwrap().len(), 1);
    assert_eq!(world.balance(&nobody).await, Amount::ZERO);
}

#[tokio::test]
async fn a_reservation_is_released_and_never_becomes_balance() {
    let mut world = World::build(true, false).await;
    world.on_failure = Remedy::Credit;
    let id = asked(&world.ask(json!({}), &local()).await, AskStatus::Required);
    world.paid();
    world.runner.fails_next.store(1, Ordering::SeqCst);
    refusal(&world.confirm(&id, &local()).await);
    assert_eq!(world.state(&id).await, "withheld");
    assert_eq!(world.balance(&local()).await, Amount::ZERO);
    world.books_are_square().await;
}

#[tokio::test]
async fn a_covered_call_needs_no_room_for_a_link() {
    let world = World::crediting_within(Caps {
        open_max: Some(1),
        links_per_minute_max: Some(2),
        ..Caps::default()
    })
    .await;
    world.fails_once(1, &local()).await;
    for n in 2..5 {
        world.runner.fails_next.store(1, Ordering::SeqCst);
        let reply = world.ask(json!({"n": n}), &local()).await;
        assert!(matches!(refusal(&reply), Refusal::Credited { .. }));
    }
    text(&world.ask(json!({"n": 5}), &local()).await);
    let reply = world.ask(json!({"n": 6}), &local()).await;
    assert!(matches!(refusal(&reply), Refusal::Limit(_)), "{reply:?}");
}

#[tokio::test]
async fn what_is_paid_from_the_balance_counts_as_spent() {
    let world = World::crediting_within(Caps {
        per_day_max: vec![usd("0.003")],
        ..Caps::default()
    })
    .await;
    world.fails_once(1, &local()).await;
    text(&world.ask(json!({"n": 2}), &local()).await);
    let reply = world.ask(json!({"n": 3}), &local()).await;
    assert!(
        refusal(&reply)
            .to_string()
            .contains("0.003 of 0.003 USD a day"),
        "{reply:?}"
    );
}

#[tokio::test]
async fn a_run_that_fails_twice_is_retried_under_the_same_payment() {
    let mut world = World::new().await;
    world.retries = 2;
    let id = asked(&world.ask(json!({}), &local()).await, AskStatus::Required);
    world.paid();
    world.runner.fails_next.store(2, Ordering::SeqCst);
    assert_eq!(text(&world.confirm(&id, &local()).await), "run 3 of {}");
    let call = world.record(&id).await.call;
    assert_eq!((call.epoch, call.failures, world.runs()), (3, 2, 3));
    assert_eq!(world.bank.asked.lock().unwrap().len(), 1);
    assert!(world.bank.refunds.lock().unwrap().is_empty());
    assert_eq!(world.state(&id).await, "deliverable");
    world.books_are_square().await;
}

#[tokio::test]
async fn a_run_that_always_fails_is_made_good_once() {
    let mut world = World::new().await;
    world.retries = 2;
    let id = asked(&world.ask(json!({}), &local()).await, AskStatus::Required);
    world.paid();
    world.runner.fails.store(true, Ordering::SeqCst);
    let reply = world.confirm(&id, &local()).await;
    assert!(matches!(refusal(&reply), Refusal::Refunded { .. }));
    assert_eq!(
        refusal(&world.confirm(&id, &local()).await),
        refusal(&reply)
    );
    world.pass(3_600_000);
    world.gate.sweep_once().await;
    assert_eq!((world.runs(), world.state(&id).await), (3, "refunded"));
    let refunds = world.bank.refunds.lock().unwrap().clone();
    assert_eq!(
        refunds.values().copied().collect::<Vec<_>>(),
        [price().amount.nanos()]
    );
    world.books_are_square().await;
}

#[tokio::test]
async fn an_effectful_tool_is_never_retried() {
    let mut world = World::new().await;
    (world.retries, world.effects) = (5, Effects::Effectful);
    let (id, reply) = world.fails_once(1, &local()).await;
    assert!(matches!(refusal(&reply), Refusal::Refunded { .. }));
    assert_eq!((world.runs(), world.record(&id).await.call.epoch), (1, 1));
    world.books_are_square().await;
}

#[tokio::test]
async fn a_quote_keeps_the_remedy_it_was_made_with() {
    let mut world = World::crediting().await;
    let id = asked(&world.ask(json!({}), &local()).await, AskStatus::Required);
    (world.on_failure, world.retries) = (Remedy::Refund, 3);
    world.paid();
    world.runner.fails.store(true, Ordering::SeqCst);
    refusal(&world.confirm(&id, &local()).await);
    assert_eq!((world.runs(), world.state(&id).await), (1, "credited"));
}
