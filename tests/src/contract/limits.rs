//! Caps of a principal, and when they free.

use coinop::ledger::{AdvanceError, Caps, LimitReached};
use coinop_core::call::{Cause, Event, Failure, Remedy};
use coinop_core::payment::PaymentEvent;
use futures::future::join_all;

use super::{Desk, caller, usd};

const MINUTE: i64 = 60_000;
const DAY: i64 = 86_400_000;

async fn open(
    desk: &Desk<'_>,
    who: &str,
    caps: &Caps,
) -> Result<coinop::ledger::Record, LimitReached> {
    open_at(desk, who, "1", caps).await
}

async fn open_at(
    desk: &Desk<'_>,
    who: &str,
    price: &str,
    caps: &Caps,
) -> Result<coinop::ledger::Record, LimitReached> {
    let mut new = desk.draft(&caller(who));
    new.call.quote.price = usd(price);
    match desk.here.open(new, caps.clone()).await {
        Ok(opened) => Ok(opened.record),
        Err(AdvanceError::Limit(limit)) => Err(limit),
        Err(other) => panic!("{other:?}"),
    }
}

/// Payments that wait for their payer.
pub async fn payments_that_wait_are_counted_until_they_end(desk: &Desk<'_>) {
    let caps = Caps {
        open_max: Some(2),
        ..Caps::default()
    };
    let first = open(desk, "ann", &caps).await.unwrap();
    desk.pass(5).await;
    let second = open(desk, "ann", &caps).await.unwrap();
    let expected = LimitReached::Open {
        max: 2,
        frees_at: desk
            .there
            .find(coinop::ledger::CallKey::Call(first.call.id.clone()))
            .await
            .unwrap()
            .unwrap()
            .call
            .quote
            .expires_at,
    };
    let refused = open(desk, "ann", &caps).await.unwrap_err();
    let LimitReached::Open { max: 2, frees_at } = refused else {
        panic!("{refused:?}");
    };
    // Where time was made to pass, the offers' own ends were moved.
    let LimitReached::Open {
        frees_at: of_first, ..
    } = expected
    else {
        unreachable!()
    };
    assert!((of_first - frees_at).abs() <= 5 && frees_at < second.call.quote.expires_at);
    assert!(
        open(desk, "bob", &caps).await.is_ok(),
        "each has caps of their own"
    );
    let again = desk
        .here
        .open(desk.draft_of(&caller("cyd"), "{}", usd("1")), caps.clone())
        .await
        .unwrap();
    open(desk, "cyd", &caps).await.unwrap();
    let same = desk
        .here
        .open(desk.draft_of(&caller("cyd"), "{}", usd("1")), caps.clone())
        .await
        .unwrap();
    assert!(same.existing, "an open call is always shown again");
    assert_eq!(same.record.call.id, again.record.call.id);
    desk.paid(&first).await;
    open(desk, "ann", &caps).await.unwrap();
    assert!(open(desk, "ann", &caps).await.is_err());
    desk.advanced(&second, vec![PaymentEvent::Declined.into()])
        .await;
    open(desk, "ann", &caps).await.unwrap();
}

/// Links within a minute.
pub async fn links_are_counted_for_a_minute(desk: &Desk<'_>) {
    let caps = Caps {
        links_per_minute_max: Some(2),
        ..Caps::default()
    };
    let first = open(desk, "ann", &caps).await.unwrap();
    desk.advanced(&first, vec![PaymentEvent::Declined.into()])
        .await;
    desk.pass(MINUTE / 2).await;
    open(desk, "ann", &caps).await.unwrap();
    let refused = open(desk, "ann", &caps).await.unwrap_err();
    let LimitReached::Links { max: 2, frees_at } = refused else {
        panic!("{refused:?}");
    };
    let left = frees_at - desk.now();
    assert!((MINUTE / 2 - 5_000..=MINUTE / 2).contains(&left), "{left}");
    desk.pass(left + 1).await;
    open(desk, "ann", &caps).await.unwrap();
    assert!(open(desk, "ann", &caps).await.is_err());
}

/// The price of one call.
pub async fn a_call_has_a_highest_price(desk: &Desk<'_>) {
    let caps = Caps {
        per_call_max: vec![usd("1")],
        ..Caps::default()
    };
    open_at(desk, "ann", "1", &caps).await.unwrap();
    let refused = open_at(desk, "ann", "1.000000001", &caps)
        .await
        .unwrap_err();
    assert_eq!(refused, LimitReached::PerCall { max: usd("1") });
}

/// What a day's calls may cost together: open ones count, unpaid and refunded ones do not, and tomorrow is another day.
pub async fn a_day_has_a_budget_and_gives_back_what_was_made_whole(desk: &Desk<'_>) {
    let caps = Caps {
        per_day_max: vec![usd("3")],
        ..Caps::default()
    };
    let (first, second) = (
        open(desk, "ann", &caps).await.unwrap(),
        open(desk, "ann", &caps).await.unwrap(),
    );
    let delivered = desk.paid(&open(desk, "ann", &caps).await.unwrap()).await;
    desk.delivered(&delivered, "sun").await;
    let refused = open(desk, "ann", &caps).await.unwrap_err();
    let LimitReached::PerDay {
        max,
        spent,
        frees_at,
    } = refused
    else {
        panic!("{refused:?}");
    };
    assert_eq!((max, spent), (usd("3"), usd("3")));
    assert_eq!(frees_at % DAY, 0);
    assert!((1..=DAY).contains(&(frees_at - desk.now())));
    assert!(open_at(desk, "ann", "0.000000001", &caps).await.is_err());
    desk.advanced(&first, vec![PaymentEvent::Declined.into()])
        .await;
    open(desk, "ann", &caps).await.unwrap();
    assert!(open(desk, "ann", &caps).await.is_err());
    refund(desk, &second).await;
    open(desk, "ann", &caps).await.unwrap();
    assert!(open(desk, "ann", &caps).await.is_err());
    desk.pass(DAY).await;
    open_at(desk, "ann", "3", &caps).await.unwrap();
    assert!(open(desk, "ann", &caps).await.is_err());
}

async fn refund(desk: &Desk<'_>, opened: &coinop::ledger::Record) {
    let paid = desk.paid(opened).await;
    let claimed = desk
        .here
        .advance(desk.claim(&paid, "host"))
        .await
        .unwrap()
        .record;
    let failure = Failure {
        kind: "trap".into(),
        message: "it trapped".into(),
    };
    let started = Event::CompensationStarted {
        remedy: Remedy::Refund,
        at: desk.now(),
    };
    let events = vec![
        Event::ToolFailed { epoch: 1, failure },
        Event::CompensationDue {
            cause: Cause::ToolFailed,
        },
        started,
        PaymentEvent::Refunded {
            amount: usd("1").amount,
        }
        .into(),
    ];
    desk.advanced(&claimed, events).await;
}

/// Thirty calls of two hosts at once: exactly as many are opened as the cap allows.
pub async fn hosts_enforce_caps_together(desk: &Desk<'_>) {
    let all = [
        Caps {
            open_max: Some(5),
            ..Caps::default()
        },
        Caps {
            links_per_minute_max: Some(5),
            ..Caps::default()
        },
        Caps {
            per_day_max: vec![usd("5")],
            ..Caps::default()
        },
    ];
    for (n, caps) in all.iter().enumerate() {
        let who = caller(&format!("caller {n}"));
        let calls = (0..30).map(|n| {
            let store = if n % 2 == 0 { &desk.here } else { &desk.there };
            store.open(desk.draft(&who), caps.clone())
        });
        let opened = join_all(calls).await;
        assert_eq!(opened.iter().flatten().count(), 5, "{caps:?}");
        for refused in opened.into_iter().filter_map(Result::err) {
            assert!(matches!(refused, AdvanceError::Limit(_)), "{refused:?}");
        }
    }
}
