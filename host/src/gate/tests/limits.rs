//! Caps: refused before anything is recorded, told with the time at which they free, enforced by hosts together.

use coinop_core::mode::AskStatus;
use coinop_core::money::Money;
use coinop_core::principal::Principal;
use serde_json::json;

use super::world::{START, World, asked, price, text};
use super::{local, refusal};
use crate::gate::{CallerCaps, CapScope, Capped, Refusal, Reply};
use crate::ledger::{Caps, Filter, Ledger as _, LimitReached};
use crate::provider::Standing;

const DAY_MS: i64 = 86_400_000;

fn usd(amount: &str) -> Money {
    Money::parse(amount, "USD").unwrap()
}

fn known(caps: Caps) -> CallerCaps {
    CallerCaps {
        known: caps,
        ..CallerCaps::default()
    }
}

fn capped(reply: &Reply) -> Capped {
    match refusal(reply) {
        Refusal::Limit(capped) => **capped,
        other => panic!("expected a limit, got {other:?}"),
    }
}

impl World {
    async fn asks(&self, n: u32, principal: &Principal) -> Reply {
        self.ask(json!({"n": n}), principal).await
    }

    /// Asks and must get a new payment or the one that is open.
    async fn gets(&self, n: u32, principal: &Principal) -> String {
        asked(&self.asks(n, principal).await, AskStatus::Required)
    }

    async fn calls(&self) -> usize {
        let all = self.ledger.list(Filter::default(), 100);
        all.await.unwrap().len()
    }
}

#[tokio::test]
async fn open_payments_are_capped_and_an_open_one_is_still_shown() {
    let world = World::capped(known(Caps {
        open_max: Some(2),
        ..Caps::default()
    }))
    .await;
    let first = world.gets(1, &local()).await;
    world.pass(1_000);
    world.gets(2, &local()).await;
    let limit = capped(&world.asks(3, &local()).await);
    let frees_at = START + 60_000;
    assert_eq!(limit.limit, LimitReached::Open { max: 2, frees_at });
    assert_eq!(
        (limit.scope, limit.frees_at()),
        (CapScope::Caller, Some(frees_at))
    );
    assert_eq!(
        world.calls().await,
        2,
        "a refused call leaves nothing behind"
    );
    assert_eq!(world.gets(1, &local()).await, first);
    world.gets(3, &Principal::api_key("ada")).await;

    world.paid();
    text(&world.confirm(&first, &local()).await);
    world.unpaid();
    world.gets(3, &local()).await;
}

#[tokio::test]
async fn an_open_payment_that_expires_makes_room_when_it_was_said() {
    let world = World::capped(known(Caps {
        open_max: Some(1),
        ..Caps::default()
    }))
    .await;
    world.gets(1, &local()).await;
    let frees_at = capped(&world.asks(2, &local()).await).frees_at().unwrap();
    world.pass(frees_at - START);
    assert_eq!(world.gate.sweep_once().await, 1);
    world.gets(2, &local()).await;
}

#[tokio::test]
async fn links_within_a_minute_are_capped() {
    let world = World::capped(known(Caps {
        links_per_minute_max: Some(2),
        ..Caps::default()
    }))
    .await;
    world.gets(1, &local()).await;
    world.pass(10_000);
    world.gets(2, &local()).await;
    let frees_at = START + 60_000;
    let limit = capped(&world.asks(3, &local()).await);
    assert_eq!(limit.limit, LimitReached::Links { max: 2, frees_at });
    world.pass(49_999);
    capped(&world.asks(3, &local()).await);
    world.pass(1);
    world.gets(3, &local()).await;
    capped(&world.asks(4, &local()).await);
}

#[tokio::test]
async fn a_call_that_costs_too_much_is_refused_for_good() {
    let caps = Caps {
        per_call_max: vec![usd("0.002"), Money::parse("1", "EUR").unwrap()],
        ..Caps::default()
    };
    let mut world = World::capped(known(caps)).await;
    let limit = capped(&world.asks(1, &local()).await);
    assert_eq!(limit.limit, LimitReached::PerCall { max: usd("0.002") });
    assert_eq!((limit.price, limit.frees_at()), (price(), None));
    assert_eq!(world.calls().await, 0);
    world.price = usd("0.002");
    world.gets(1, &local()).await;
    world.price = Money::parse("1", "EUR").unwrap();
    world.gets(1, &local()).await;
}

#[tokio::test]
async fn spending_within_a_day_is_capped_and_what_was_not_charged_does_not_count() {
    let caps = Caps {
        per_day_max: vec![usd("0.007")],
        ..Caps::default()
    };
    let world = World::capped(known(caps)).await;
    let declined = world.gets(1, &local()).await;
    let delivered = world.gets(2, &local()).await;
    let limit = capped(&world.asks(3, &local()).await);
    let (max, spent, frees_at) = (usd("0.007"), usd("0.006"), DAY_MS);
    assert_eq!(
        limit.limit,
        LimitReached::PerDay {
            max,
            spent,
            frees_at
        }
    );
    world.gets(3, &Principal::api_key("ada")).await;

    *world.bank.standing.lock().unwrap() = Standing::Declined;
    assert_eq!(
        refusal(&world.confirm(&declined, &local()).await),
        &Refusal::Declined
    );
    world.paid();
    text(&world.confirm(&delivered, &local()).await);
    world.unpaid();
    let failed = world.gets(3, &local()).await;
    capped(&world.asks(4, &local()).await);
    world.paid();
    world
        .runner
        .fails_next
        .store(1, std::sync::atomic::Ordering::SeqCst);
    refusal(&world.confirm(&failed, &local()).await);
    assert_eq!(world.state(&failed).await, "refunded");
    world.unpaid();
    world.gets(4, &local()).await;
    capped(&world.asks(5, &local()).await);
    world.pass(DAY_MS - START);
    world.gets(5, &local()).await;
    world.gets(6, &local()).await;
    capped(&world.asks(7, &local()).await);
}

#[tokio::test]
async fn two_hosts_enforce_one_cap() {
    let here = World::capped(known(Caps {
        open_max: Some(5),
        ..Caps::default()
    }))
    .await;
    let there = here.another_host().await;
    let caller = local();
    let asks = (0..20).map(|n| {
        let host = if n % 2 == 0 { &here } else { &there };
        host.asks(n, &caller)
    });
    let replies = futures::future::join_all(asks).await;
    let open = replies.iter().filter(|r| matches!(r, Reply::Ask { .. }));
    assert_eq!(open.count(), 5);
    let refused = replies.iter().filter(|r| matches!(r, Reply::Refused(_)));
    assert_eq!(refused.map(capped).count(), 15);
    assert_eq!(here.calls().await, 5);
}

#[tokio::test]
async fn strangers_share_a_cap_and_a_key_may_have_its_own() {
    let open = |max| Caps {
        open_max: Some(max),
        ..Caps::default()
    };
    let world = World::capped(CallerCaps {
        known: open(1),
        anonymous: open(2),
        keys: [("ci".to_owned(), open(3))].into(),
    })
    .await;
    let (nobody, ci, ada) = (
        Principal::anonymous(),
        Principal::api_key("ci"),
        Principal::api_key("ada"),
    );
    for (principal, max) in [(&nobody, 2), (&ci, 3), (&ada, 1), (&local(), 1)] {
        for n in 0..max {
            world.gets(n, principal).await;
        }
        let limit = capped(&world.asks(max, principal).await);
        assert!(matches!(limit.limit, LimitReached::Open { max: m, .. } if m == max));
        let shared = limit.scope == CapScope::Anonymous;
        assert_eq!(shared, !principal.is_known());
    }
}
