//! Calls change by the core's own transitions, one change at a time.

use coinop::ledger::{AdvanceError, Change};
use coinop_core::call::{CallState, Event};
use coinop_core::payment::PaymentEvent;
use futures::future::join_all;

use super::{Desk, caller, component};

/// A change is there for the other host, with what it erases gone.
pub async fn a_change_is_stored_whole_and_counted(desk: &Desk<'_>) {
    let opened = desk.opened(&caller("ann")).await;
    let paid = desk.paid(&opened).await;
    assert_eq!((opened.version, paid.version), (1, 2));
    let stored = desk.stored(&opened).await;
    assert_eq!((&stored.call, stored.version), (&paid.call, 2));
    assert_eq!(stored.updated_at, paid.updated_at);
    assert!(stored.updated_at >= opened.updated_at);
    assert_eq!(
        (stored.arguments, stored.run_spec),
        (opened.arguments.clone(), opened.run_spec.clone())
    );
    let delivered = desk.delivered(&paid, "sun").await;
    assert_eq!(delivered.record.version, 4);
    let stored = desk.stored(&opened).await;
    assert_eq!(stored.call.state, CallState::Deliverable);
    assert_eq!((stored.arguments, stored.run_spec), (None, None));
}

/// Of several events all happen or none, and whoever is refused is told how the call stands.
pub async fn what_is_not_legal_changes_nothing(desk: &Desk<'_>) {
    let opened = desk.opened(&caller("ann")).await;
    let paid = PaymentEvent::Paid {
        received: opened.call.due(),
    };
    for events in [
        vec![Event::Concluded],
        vec![paid.clone().into(), Event::Concluded],
    ] {
        let refused = desk
            .here
            .advance(desk.change(&opened, events))
            .await
            .unwrap_err();
        let AdvanceError::Illegal { record, .. } = refused else {
            panic!("{refused:?}");
        };
        assert_eq!(
            (record.call.clone(), record.version),
            (opened.call.clone(), 1)
        );
        let stored = desk.stored(&opened).await;
        assert_eq!((stored.call, stored.version), (opened.call.clone(), 1));
    }
    let other = Change {
        call: desk.draft(&caller("ann")).call.id,
        ..desk.change(&opened, vec![paid.into()])
    };
    let missing = desk.here.advance(other).await.unwrap_err();
    assert!(matches!(missing, AdvanceError::Missing), "{missing:?}");
    assert!(desk.here.balances().await.unwrap().is_empty());
}

/// Fifty claims of two hosts at once: one wins, and the others are told who.
pub async fn of_fifty_claims_one_wins(desk: &Desk<'_>) {
    let paid = desk.paid(&desk.opened(&caller("ann")).await).await;
    let claims = (0..50).map(|n| {
        let store = if n % 2 == 0 { &desk.here } else { &desk.there };
        store.advance(desk.claim(&paid, &format!("host {n}")))
    });
    let claimed = join_all(claims).await;
    let winners: Vec<_> = claimed
        .iter()
        .flatten()
        .map(|won| &won.record.call)
        .collect();
    assert_eq!(winners.len(), 1);
    for lost in claimed.iter().filter_map(|claimed| claimed.as_ref().err()) {
        let AdvanceError::Illegal { record, .. } = lost else {
            panic!("{lost:?}");
        };
        assert_eq!(record.call.state, winners[0].state);
    }
    let stored = desk.stored(&paid).await;
    assert_eq!((stored.call.epoch, stored.version), (1, 3));
}

/// A block stops claims, and nothing else: what runs may end, and who is owed is made whole.
pub async fn a_blocked_component_is_not_claimed(desk: &Desk<'_>) {
    let ready = desk.paid(&desk.opened(&caller("ann")).await).await;
    let running = desk.paid(&desk.opened(&caller("ann")).await).await;
    let running = desk
        .here
        .advance(desk.claim(&running, "host"))
        .await
        .unwrap()
        .record;
    desk.there
        .set_blocked(component(), true, desk.now())
        .await
        .unwrap();
    let refused = desk
        .here
        .advance(desk.claim(&ready, "host"))
        .await
        .unwrap_err();
    assert!(matches!(refused, AdvanceError::Blocked), "{refused:?}");
    assert_eq!(desk.stored(&ready).await.call.state, CallState::Ready);
    let epoch = running.call.epoch;
    let change = Change {
        outcome: Some(super::outcome("sun").into()),
        ..desk.change(&running, vec![Event::Executed { epoch }, Event::Concluded])
    };
    desk.here.advance(change).await.unwrap();
    desk.there
        .set_blocked(component(), false, desk.now())
        .await
        .unwrap();
    desk.here.advance(desk.claim(&ready, "host")).await.unwrap();
}
