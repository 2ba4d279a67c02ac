//! The sandbox's purse: pretended money is decided once and goes back once.

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
    assert_eq!(here.decide("a", paid).await, Ok(paid));
    assert_eq!(there.decide("a", slip(SlipState::Declined)).await, Ok(paid));
    assert_eq!(there.slip("a").await, Ok(Some(paid)));
    for other in ["b", "", "a\0b"] {
        assert_eq!(
            there.slip(other).await,
            Ok(None),
            "other payments stay apart"
        );
    }
    here.decide("h", slip(SlipState::Reserved)).await.unwrap();
    let taken = there.end_hold("h", HoldEnd::Take).await.unwrap();
    assert_eq!(taken.state, SlipState::Taken);
    assert_eq!(here.end_hold("h", HoldEnd::Release).await, Ok(taken));
    assert_eq!(here.slip("h").await, Ok(Some(taken)));
    let missing = here.end_hold("none", HoldEnd::Take).await;
    assert_eq!(missing, Err(PurseError::NothingTaken));
}

/// A key is one refund; no more goes back than was taken.
pub async fn a_refund_goes_out_once_a_key(desk: &Desk<'_>) {
    let (here, there) = (&desk.here, &desk.there);
    here.decide("a", slip(SlipState::Paid)).await.unwrap();
    here.decide("b", slip(SlipState::Paid)).await.unwrap();
    let part = here.refund(refund("k1", "a", "0.4")).await.unwrap();
    assert_eq!(part.refunded, usd("0.4").amount);
    assert_eq!(there.refund(refund("k1", "a", "0.4")).await, Ok(part));
    for other in [refund("k1", "a", "0.5"), refund("k1", "b", "0.4")] {
        assert_eq!(there.refund(other).await, Err(PurseError::KeyReused));
    }
    let more = there.refund(refund("k2", "a", "0.7")).await;
    assert!(
        matches!(more, Err(PurseError::MoreThanTaken { .. })),
        "{more:?}"
    );
    assert_eq!(there.slip("a").await, Ok(Some(part)));
    let rest = there.refund(refund("k3", "a", "0.6")).await.unwrap();
    assert_eq!(rest.refunded, usd("1").amount);
    let nothing = there.refund(refund("k4", "none", "0.1")).await;
    assert_eq!(nothing, Err(PurseError::NothingTaken));
}

/// Twenty at once on two hosts: one decision, and each refund once.
pub async fn decided_and_refunded_at_once_it_is_once(desk: &Desk<'_>) {
    let at = |n: usize| if n % 2 == 0 { &desk.here } else { &desk.there };
    let states = [SlipState::Paid, SlipState::Declined];
    for round in 0..5 {
        let name = format!("p{round}");
        let decided = join_all((0..20).map(|n| at(n).decide(&name, slip(states[n / 2 % 2])))).await;
        assert!(
            decided.iter().all(|one| one == &decided[0] && one.is_ok()),
            "{decided:?}"
        );
    }
    desk.here.decide("a", slip(SlipState::Paid)).await.unwrap();
    let sent = join_all((0..20).map(|n| at(n).refund(refund("k", "a", "0.3")))).await;
    assert!(sent.iter().all(Result::is_ok), "{sent:?}");
    assert_eq!(
        desk.there.slip("a").await.unwrap().unwrap().refunded,
        usd("0.3").amount
    );
    let parts = join_all((0..20).map(|n| at(n).refund(refund(&format!("k{n}"), "a", "0.1")))).await;
    assert_eq!(parts.iter().flatten().count(), 7, "0.7 was left");
    assert_eq!(
        desk.there.slip("a").await.unwrap().unwrap().refunded,
        usd("1").amount
    );
}
