//! The sandbox's purse: pretended money is decided once and goes back once.

use coinop::provider::Period;
use coinop::provider::sandbox::event::{EventKind, SlipEvent};
use coinop::provider::sandbox::outbox::{TakeEvents, TakenEvents, next_attempt_at};
use coinop::provider::sandbox::purse::{PurseError, SlipRefund};
use coinop::provider::sandbox::slip::{HoldEnd, Slip, SlipState};
use futures::future::join_all;

use super::{Desk, usd};

fn slip(state: SlipState) -> Slip {
    Slip::new(state, usd("1.00"))
}

fn refund(key: &str, reference: &str, amount: &str) -> SlipRefund {
    SlipRefund {
        key: key.into(),
        reference: reference.into(),
        amount: usd(amount).amount,
    }
}

/// The first decision stands, and so does the first end of a reservation.
pub async fn the_first_decision_stands(desk: &Desk<'_>) {
    let (here, there) = (&desk.here, &desk.there);
    let paid = slip(SlipState::Paid);
    assert_eq!(here.slip("a").await, Ok(None));
    assert_eq!(here.decide("a", paid, None).await, Ok(paid));
    assert_eq!(
        there.decide("a", slip(SlipState::Declined), None).await,
        Ok(paid)
    );
    assert_eq!(there.slip("a").await, Ok(Some(paid)));
    for other in ["b", "", "a\0b"] {
        assert_eq!(
            there.slip(other).await,
            Ok(None),
            "other payments stay apart"
        );
    }
    here.decide("h", slip(SlipState::Reserved), None)
        .await
        .unwrap();
    let taken = there.end_hold("h", HoldEnd::Take, None).await.unwrap();
    assert_eq!(taken.state, SlipState::Taken);
    assert_eq!(here.end_hold("h", HoldEnd::Release, None).await, Ok(taken));
    assert_eq!(here.slip("h").await, Ok(Some(taken)));
    let missing = here.end_hold("none", HoldEnd::Take, None).await;
    assert_eq!(missing, Err(PurseError::NothingTaken));
}

/// A key is one refund; no more goes back than was taken.
pub async fn a_refund_goes_out_once_a_key(desk: &Desk<'_>) {
    let (here, there) = (&desk.here, &desk.there);
    here.decide("a", slip(SlipState::Paid), None).await.unwrap();
    here.decide("b", slip(SlipState::Paid), None).await.unwrap();
    let part = here.refund(refund("k1", "a", "0.4"), None).await.unwrap();
    assert_eq!(part.refunded, usd("0.4").amount);
    assert_eq!(there.refund(refund("k1", "a", "0.4"), None).await, Ok(part));
    for other in [refund("k1", "a", "0.5"), refund("k1", "b", "0.4")] {
        assert_eq!(there.refund(other, None).await, Err(PurseError::KeyReused));
    }
    let more = there.refund(refund("k2", "a", "0.7"), None).await;
    assert!(
        matches!(more, Err(PurseError::MoreThanTaken { .. })),
        "{more:?}"
    );
    assert_eq!(there.slip("a").await, Ok(Some(part)));
    let rest = there.refund(refund("k3", "a", "0.6"), None).await.unwrap();
    assert_eq!(rest.refunded, usd("1").amount);
    let nothing = there.refund(refund("k4", "none", "0.1"), None).await;
    assert_eq!(nothing, Err(PurseError::NothingTaken));
}

/// Twenty at once on two hosts: one decision, and each refund once.
pub async fn decided_and_refunded_at_once_it_is_once(desk: &Desk<'_>) {
    let at = |n: usize| {
        if n.is_multiple_of(2) {
            &desk.here
        } else {
            &desk.there
        }
    };
    let states = [SlipState::Paid, SlipState::Declined];
    for round in 0..5 {
        let name = format!("p{round}");
        let decided =
            join_all((0..20).map(|n| at(n).decide(&name, slip(states[n / 2 % 2]), None))).await;
        assert!(
            decided.iter().all(|one| one == &decided[0] && one.is_ok()),
            "{decided:?}"
        );
    }
    desk.here
        .decide("a", slip(SlipState::Paid), None)
        .await
        .unwrap();
    let sent = join_all((0..20).map(|n| at(n).refund(refund("k", "a", "0.3"), None))).await;
    assert!(sent.iter().all(Result::is_ok), "{sent:?}");
    assert_eq!(
        desk.there.slip("a").await.unwrap().unwrap().refunded,
        usd("0.3").amount
    );
    let parts =
        join_all((0..20).map(|n| at(n).refund(refund(&format!("k{n}"), "a", "0.1"), None))).await;
    assert_eq!(parts.iter().flatten().count(), 7, "0.7 was left");
    assert_eq!(
        desk.there.slip("a").await.unwrap().unwrap().refunded,
        usd("1").amount
    );
}

/// What changes a payment is told once: the event is there with the change, one host takes it, and what was sent is gone.
pub async fn an_event_is_taken_by_one_host_until_it_is_sent(desk: &Desk<'_>) {
    let (here, there) = (&desk.here, &desk.there);
    let event = |id: &str| {
        Some(SlipEvent {
            id: id.into(),
            account: "tips".into(),
            kind: EventKind::Paid,
            reference: "e".into(),
            at: 1_000,
        })
    };
    let paid = slip(SlipState::Paid);
    here.decide("e", paid, event("evt_1")).await.unwrap();
    there.decide("e", paid, event("evt_2")).await.unwrap();
    let take = |account: &str, now| TakeEvents {
        now,
        accounts: vec![account.into()],
        limit: 10,
    };
    let others = there.take_events(take("other", 1_000)).await.unwrap();
    assert_eq!(others, TakenEvents::default());
    let (mine, yours) = tokio::join!(
        here.take_events(take("tips", 1_000)),
        there.take_events(take("tips", 1_000))
    );
    let taken: Vec<SlipEvent> = [mine.unwrap().events, yours.unwrap().events].concat();
    assert_eq!(taken, [event("evt_1").unwrap()]);
    let again = there.take_events(take("tips", next_attempt_at(1_000, 1)));
    assert_eq!(again.await.unwrap().events, taken, "it was not sent");
    here.event_sent("evt_1".into()).await.unwrap();
    let never = there.take_events(take("tips", 1_000_000)).await.unwrap();
    assert_eq!(never, TakenEvents::default());
    let secrets = here.webhook_secrets(1_000).await.unwrap();
    assert_eq!(secrets.len(), 1);
    assert_eq!(there.webhook_secrets(2_000).await, Ok(secrets));
}

/// The statement has what was taken, in order, and refunds are found by their keys.
pub async fn the_statement_has_what_was_taken(desk: &Desk<'_>) {
    let (here, there) = (&desk.here, &desk.there);
    for (reference, state) in [
        ("a", SlipState::Paid),
        ("h", SlipState::Reserved),
        ("d", SlipState::Declined),
    ] {
        here.decide(reference, slip(state), None).await.unwrap();
    }
    there.end_hold("h", HoldEnd::Take, None).await.unwrap();
    let sent = here.refund(refund("k1", "a", "0.4"), None).await.unwrap();
    let made = there.refund_made("k1").await;
    assert_eq!(made, Ok(Some(refund("k1", "a", "0.4"))));
    assert_eq!(there.refund_made("k2").await, Ok(None));
    let ever = Period {
        since: 0,
        until: i64::MAX,
    };
    let all = there.statement(ever, None, 10).await.unwrap();
    assert_eq!(all.len(), 2, "{all:?}");
    assert!(all[0].place < all[1].place, "{all:?}");
    let paid = all.iter().find(|one| one.place.reference == "a").unwrap();
    assert_eq!(paid.slip, sent);
    let first = there.statement(ever, None, 1).await.unwrap();
    assert_eq!(first, all[..1]);
    let rest = there
        .statement(ever, Some(first[0].place.clone()), 10)
        .await;
    assert_eq!(rest.unwrap(), all[1..]);
}
