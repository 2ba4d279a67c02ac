//! Calls are recorded once, and found.

use coinop::ledger::transition::GIVEN_AGAIN_MS;
use coinop::ledger::{AdvanceError, CallKey, Caps};
use coinop_core::call::CallState;
use coinop_core::payment::PaymentEvent;
use coinop_core::principal::Principal;
use futures::future::join_all;

use super::{ACCOUNT, Desk, caller, component, usd};

/// Asked again with the same arguments, a known caller gets the call that is open.
pub async fn a_known_caller_gets_its_open_call_again(desk: &Desk<'_>) {
    let draft = |who: &str, arguments: &str| desk.draft_of(&caller(who), arguments, usd("1"));
    let first = desk.open(draft("ann", "{}")).await.unwrap();
    assert!(!first.existing);
    let again = desk
        .there
        .open(draft("ann", "{}"), Caps::default())
        .await
        .unwrap();
    assert!(again.existing);
    assert_eq!(again.record.call, first.record.call);
    assert_eq!(again.record.arguments.as_deref(), Some("{}"));
    for other in [
        draft("bob", "{}"),
        draft("ann", "{\"x\":1}"),
        desk.draft_of(&caller("ann"), "{}", usd("2")),
    ] {
        assert!(!desk.open(other).await.unwrap().existing);
    }
    let paid = desk.paid(&first.record).await;
    let again = desk.open(draft("ann", "{}")).await.unwrap();
    assert!(again.existing, "a paid call is still open");
    assert_eq!(again.record.version, paid.version);
}

/// Asked for by twenty at once on two hosts, it is one call.
pub async fn opened_at_once_it_is_one_call(desk: &Desk<'_>) {
    let drafts = (0..20).map(|n| {
        let store = if n % 2 == 0 { &desk.here } else { &desk.there };
        store.open(
            desk.draft_of(&caller("ann"), "{}", usd("1")),
            Caps::default(),
        )
    });
    let opened: Vec<_> = join_all(drafts)
        .await
        .into_iter()
        .map(Result::unwrap)
        .collect();
    assert_eq!(opened.iter().filter(|opened| !opened.existing).count(), 1);
    for one in &opened {
        assert_eq!(one.record.call.id, opened[0].record.call.id);
    }
}

/// Anonymous callers have nothing in common.
pub async fn strangers_never_share(desk: &Desk<'_>) {
    let draft = || desk.draft_of(&Principal::anonymous(), "{}", usd("1"));
    let (one, two) = (
        desk.open(draft()).await.unwrap(),
        desk.open(draft()).await.unwrap(),
    );
    assert!(!two.existing);
    assert_ne!(one.record.call.id, two.record.call.id);
}

/// A call that ended is not in the way of the next one.
pub async fn an_ended_call_makes_room(desk: &Desk<'_>) {
    let draft = || desk.draft_of(&caller("ann"), "{}", usd("1"));
    let first = desk.open(draft()).await.unwrap().record;
    let declined = desk
        .advanced(&first, vec![PaymentEvent::Declined.into()])
        .await;
    assert_eq!(declined.call.state, CallState::Declined);
    let second = desk.open(draft()).await.unwrap();
    assert!(!second.existing);
    assert_ne!(second.record.call.id, first.call.id);
}

/// A caller that the balance paid for knows no payment's id: asking for the same again soon means the same call.
pub async fn what_the_balance_covered_is_given_again_for_a_while(desk: &Desk<'_>) {
    let (ann, price) = (caller("ann"), usd("0.4"));
    let funding = desk.paid(&desk.opened(&ann).await).await;
    desk.credited(&funding).await;
    let fresh = desk.draft_from_balance(&ann, price);
    let again = || desk.draft_of(&ann, &fresh.arguments, price);
    let covered = desk.open(fresh.clone()).await.unwrap().record;
    desk.delivered(&covered, "sun").await;
    let found = desk.there.open(again(), Caps::default()).await.unwrap();
    assert!(found.existing);
    assert_eq!(found.record.call.id, covered.call.id);
    assert_eq!(found.record.call.state, CallState::Deliverable);

    desk.pass(GIVEN_AGAIN_MS).await;
    let tries = (0..6).map(|n| {
        let store = if n % 2 == 0 { &desk.here } else { &desk.there };
        store.open(again(), Caps::default())
    });
    let opened = join_all(tries).await.into_iter().map(Result::unwrap);
    let opened: Vec<_> = opened.collect();
    assert_eq!(opened.iter().filter(|opened| !opened.existing).count(), 1);
    for one in &opened {
        assert_ne!(one.record.call.id, covered.call.id);
        assert_eq!(one.record.call.id, opened[0].record.call.id);
    }
}

/// Nothing is sold whose code is not there, or that the operator blocked.
pub async fn what_is_not_kept_or_is_blocked_is_not_sold(desk: &Desk<'_>) {
    let mut unknown = desk.draft(&caller("ann"));
    unknown.call.quote.component = coinop_core::digest::Digest::of(b"never kept");
    let refused = desk.open(unknown).await.unwrap_err();
    assert!(matches!(refused, AdvanceError::Ledger(_)), "{refused:?}");
    desk.there
        .set_blocked(component(), true, desk.now())
        .await
        .unwrap();
    let refused = desk.open(desk.draft(&caller("ann"))).await.unwrap_err();
    assert!(matches!(refused, AdvanceError::Blocked), "{refused:?}");
    let mut paid = desk.draft(&caller("ann"));
    let received = paid.call.due();
    let received = PaymentEvent::Paid { received };
    paid.call.apply(&received.into()).unwrap();
    desk.open(paid).await.unwrap();
    desk.there
        .set_blocked(component(), false, desk.now())
        .await
        .unwrap();
    desk.opened(&caller("ann")).await;
}

/// A call is found by its id, its payment, its link and the provider's reference, and by nothing else.
pub async fn a_call_is_found_by_every_key_it_has(desk: &Desk<'_>) {
    let record = desk.opened(&caller("ann")).await;
    let (call, other) = (&record.call, desk.draft(&caller("ann")).call);
    let reference = |account: &str, reference: &str| CallKey::Reference {
        account: account.into(),
        reference: reference.into(),
    };
    let known = call.payment.reference.clone().unwrap();
    for key in [
        CallKey::Call(call.id.clone()),
        CallKey::Payment(call.payment.id.clone()),
        CallKey::Link(call.payment.link.clone()),
        reference(ACCOUNT, &known),
    ] {
        let found = desk.there.find(key).await.unwrap().unwrap();
        assert_eq!(found.call, *call);
        assert_eq!((found.version, found.updated_at), (1, record.updated_at));
        assert_eq!(found.arguments, record.arguments);
    }
    for key in [
        CallKey::Call(other.id),
        CallKey::Payment(other.payment.id),
        CallKey::Link(other.payment.link),
        reference("other", &known),
        reference(ACCOUNT, ""),
        reference(ACCOUNT, "a\0b"),
        reference(ACCOUNT, "' OR 1=1 --"),
    ] {
        assert!(desk.there.find(key).await.unwrap().is_none());
    }
}

/// Two payments of one account never have the same reference.
pub async fn a_reference_means_one_payment(desk: &Desk<'_>) {
    let with_reference = |account: &str| {
        let mut new = desk.draft(&caller("ann"));
        new.call.payment.reference = Some("the same".into());
        new.call.quote.account = account.into();
        new
    };
    desk.open(with_reference(ACCOUNT)).await.unwrap();
    assert!(desk.open(with_reference(ACCOUNT)).await.is_err());
    desk.open(with_reference("another")).await.unwrap();
}

/// A payment that came with the call is one call, whoever presents it again and for whatever, and shares with no other.
pub async fn a_payment_that_came_with_its_call_is_one_call(desk: &Desk<'_>) {
    let bought = |reference: &str, arguments: &str| {
        desk.draft_with_payment(&caller("ann"), reference, arguments, usd("1"))
    };
    let presented = (0..8).map(|n| {
        let store = if n % 2 == 0 { &desk.here } else { &desk.there };
        store.open(bought("nonce 1", "{}"), Caps::default())
    });
    let opened = join_all(presented).await.into_iter().map(Result::unwrap);
    let opened: Vec<_> = opened.collect();
    assert_eq!(opened.iter().filter(|opened| !opened.existing).count(), 1);
    let first = &opened[0].record.call;
    assert!(opened.iter().all(|one| one.record.call == *first));
    let elsewhere = bought("nonce 1", "{\"x\":1}");
    let other = desk.open(elsewhere).await.unwrap();
    assert!(other.existing, "spent on another call");
    assert_eq!(other.record.call.id, first.id);
    let mut another = bought("nonce 1", "{}");
    another.call.quote.account = "another".into();
    let other = desk.open(another).await.unwrap();
    assert!(other.existing, "spent at another account");
    assert_eq!(other.record.call.id, first.id);
    let key = || CallKey::Brought("nonce 1".into());
    let found = desk.there.find(key()).await.unwrap().unwrap();
    assert_eq!(found.call, *first);
    let second = desk.open(bought("nonce 2", "{}")).await.unwrap();
    assert!(!second.existing, "each payment is a purchase of its own");
    let link = desk.draft_of(&caller("ann"), "{}", usd("1"));
    assert!(!desk.open(link).await.unwrap().existing);
}

/// A payer's name for a purchase has one payment, unless that took nothing.
pub async fn a_named_purchase_has_one_payment(desk: &Desk<'_>) {
    let bought = |who: &str, reference: &str| {
        let mut new = desk.draft_with_payment(&caller(who), reference, "{}", usd("1"));
        new.call.payment.identifier = Some("pay_0123456789abcdef".into());
        new
    };
    let first = desk.open(bought("ann", "nonce 1")).await.unwrap().record;
    let again = desk.open(bought("ann", "nonce 2")).await.unwrap();
    assert!(again.existing, "paid for by another payment");
    assert_eq!(again.record.call.id, first.call.id);
    let same = desk.open(bought("ann", "nonce 1")).await.unwrap();
    assert_eq!(same.record.call.id, first.call.id);
    assert!(!desk.open(bought("bob", "nonce 3")).await.unwrap().existing);
    let given_back = [PaymentEvent::ReleaseStarted, PaymentEvent::Released];
    let given_back = given_back.map(Into::into).to_vec();
    desk.advanced(&first, given_back).await;
    let next = desk.open(bought("ann", "nonce 4")).await.unwrap();
    assert!(!next.existing, "nothing was taken for it");
}

/// However its call ended, a payment that came with it buys nothing more.
pub async fn a_spent_payment_is_found_for_ever(desk: &Desk<'_>) {
    let bought = || desk.draft_with_payment(&caller("ann"), "nonce", "{}", usd("1"));
    let record = desk.open(bought()).await.unwrap().record;
    let back = [PaymentEvent::ReleaseStarted, PaymentEvent::Released];
    let back = back.map(Into::into).to_vec();
    let ended = desk.advanced(&record, back).await;
    assert_eq!(ended.call.state, CallState::Withheld);
    desk.pass(GIVEN_AGAIN_MS).await;
    let again = desk.there.open(bought(), Caps::default()).await.unwrap();
    assert!(again.existing);
    assert_eq!(again.record.call, ended.call);
}
