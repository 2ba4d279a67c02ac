//! Outcomes are kept with their receipts, and forgotten when their time is over.

use std::collections::BTreeMap;

use coinop::ledger::Change;
use coinop_core::call::{Event, RefundOrder};
use coinop_core::digest::Digest;
use coinop_core::payment::PaymentEvent;
use coinop_core::receipt::Receipt;
use futures::future::join_all;

use super::{ACCOUNT, Desk, caller, outcome, usd};

/// What was delivered is there for the other host, with a receipt that says so.
pub async fn an_outcome_is_delivered_with_its_receipt(desk: &Desk<'_>) {
    let opened = desk.opened(&caller("ann")).await;
    assert!(
        desk.there
            .outcome(opened.call.id.clone())
            .await
            .unwrap()
            .is_none()
    );
    let paid = desk.paid(&opened).await;
    let delivered = desk.delivered(&paid, "sun").await;
    let text = delivered.receipt.expect("a receipt is issued");
    let stored = desk
        .there
        .outcome(opened.call.id.clone())
        .await
        .unwrap()
        .unwrap();
    assert_eq!(*stored.outcome, outcome("sun"));
    assert_eq!(stored.receipt.as_ref(), Some(&text));
    let receipt = desk
        .there
        .receipt_keys()
        .await
        .unwrap()
        .verify(&text)
        .unwrap();
    assert_eq!(receipt.call, opened.call.id);
    assert_eq!(receipt.ledger, desk.here.id());
    assert_eq!(receipt.result, outcome("sun").digest());
    assert_eq!(
        (receipt.account.as_str(), receipt.amount.as_str()),
        (ACCOUNT, "1.00")
    );
    assert_eq!(receipt.issued_at, delivered.record.updated_at);
    assert_eq!(receipt.quoted_at, opened.call.created_at);
    assert_eq!(whole_chains(desk).await, 1);
    // Reserved money is taken after the outcome is stored: the receipt comes with the last of it.
    let reserved = desk.opened(&caller("ann")).await;
    let authorized = PaymentEvent::Authorized { reserved: usd("1") };
    let reserved = desk.advanced(&reserved, vec![authorized.into()]).await;
    let claimed = desk
        .here
        .advance(desk.claim(&reserved, "host"))
        .await
        .unwrap()
        .record;
    let executed = Change {
        outcome: Some(outcome("rain").into()),
        ..desk.change(
            &claimed,
            vec![
                Event::Executed { epoch: 1 },
                PaymentEvent::SettleStarted.into(),
            ],
        )
    };
    let executed = desk.here.advance(executed).await.unwrap();
    assert_eq!(executed.receipt, None, "the money is not final");
    let settled = desk.change(
        &executed.record,
        vec![PaymentEvent::Settled { received: usd("1") }.into()],
    );
    let settled = desk.there.advance(settled).await.unwrap();
    let text = settled.receipt.expect("a receipt is issued");
    let receipt = desk
        .here
        .receipt_keys()
        .await
        .unwrap()
        .verify(&text)
        .unwrap();
    assert_eq!(receipt.result, outcome("rain").digest());
    assert_eq!(whole_chains(desk).await, 2);
}

/// Thirty deliveries of two hosts at once: every receipt has its place in a chain without gaps.
pub async fn receipts_issued_at_once_form_whole_chains(desk: &Desk<'_>) {
    let deliveries = (0..30).map(async |n| {
        let store = if n % 2 == 0 { &desk.here } else { &desk.there };
        let paid = desk.paid(&desk.opened(&caller("ann")).await).await;
        desk.delivered_on(store, &paid, "sun").await
    });
    for delivered in join_all(deliveries).await {
        assert!(delivered.receipt.is_some());
    }
    assert_eq!(whole_chains(desk).await, 30);
}

/// Follows every chain from its start to its head, and counts the receipts; each is of a call of its own.
async fn whole_chains(desk: &Desk<'_>) -> usize {
    let keys = desk.there.receipt_keys().await.unwrap();
    let mut calls = BTreeMap::new();
    for chain in desk.there.chains().await.unwrap() {
        let (mut previous, mut number) = (None, 0);
        while number < chain.count {
            // In pages of three, as a long chain is read.
            let page = desk
                .there
                .receipts(chain.id.clone(), number, 3)
                .await
                .unwrap();
            assert!(!page.is_empty() && page.len() <= 3);
            for text in page {
                let receipt: Receipt = keys.verify(&text).unwrap();
                number += 1;
                assert_eq!((receipt.number, receipt.previous), (number, previous));
                assert_eq!(receipt.chain, chain.id);
                previous = Some(Digest::of(text.as_bytes()));
                assert!(calls.insert(receipt.call, text).is_none());
            }
        }
        assert_eq!(chain.head, previous);
        let beyond = desk
            .there
            .receipts(chain.id.clone(), chain.count, 3)
            .await
            .unwrap();
        assert!(beyond.is_empty());
    }
    calls.len()
}

/// A new key signs from now on, on every host; what the old one signed stays valid.
pub async fn receipts_outlive_the_keys_rotation(desk: &Desk<'_>) {
    let deliver = async || {
        let paid = desk.paid(&desk.opened(&caller("ann")).await).await;
        desk.delivered(&paid, "sun").await.receipt.unwrap()
    };
    let before = deliver().await;
    let old_keys = desk.here.receipt_keys().await.unwrap();
    desk.there.rotate_receipt_key(desk.now()).await.unwrap();
    let after = deliver().await;
    let keys = desk.here.receipt_keys().await.unwrap();
    assert!(keys.verify(&before).is_ok() && keys.verify(&after).is_ok());
    assert!(old_keys.verify(&before).is_ok() && old_keys.verify(&after).is_err());
    assert_eq!(whole_chains(desk).await, 2);
}

/// Old outcomes of calls at rest go; whatever somebody still waits for stays, and so do receipts.
pub async fn only_what_is_at_rest_is_forgotten(desk: &Desk<'_>) {
    let deliver = async || {
        let paid = desk.paid(&desk.opened(&caller("ann")).await).await;
        desk.delivered(&paid, "sun").await.record
    };
    let (old, owed) = (deliver().await, deliver().await);
    let refund = RefundOrder {
        key: owed.call.next_refund_key(),
        amount: usd("1").amount,
        reason: "goodwill".into(),
        at: desk.now(),
    };
    desk.advanced(&owed, vec![Event::RefundOrdered { refund }])
        .await;
    let running = desk.paid(&desk.opened(&caller("ann")).await).await;
    let claimed = desk
        .here
        .advance(desk.claim(&running, "host"))
        .await
        .unwrap()
        .record;
    desk.pass(10_000).await;
    let fresh = deliver().await;
    let before = desk.now() - 5_000;
    assert_eq!(desk.there.forget(before).await.unwrap(), 1);
    assert_eq!(desk.there.forget(before).await.unwrap(), 0);
    let there = async |call| desk.here.outcome(call).await.unwrap().is_some();
    assert!(!there(old.call.id.clone()).await);
    assert!(there(owed.call.id.clone()).await && there(fresh.call.id.clone()).await);
    assert_eq!(desk.stored(&claimed).await.arguments, claimed.arguments);
    assert_eq!(whole_chains(desk).await, 3);
}

/// Forgetting takes a bounded number at a time, however many there are, and comes to an end.
pub async fn forgetting_is_bounded(desk: &Desk<'_>) {
    const CALLS: u64 = 230;
    let deliveries = (0..CALLS).map(async |_| {
        let paid = desk.paid(&desk.opened(&caller("ann")).await).await;
        desk.delivered(&paid, "sun").await
    });
    join_all(deliveries).await;
    desk.pass(10_000).await;
    let mut gone = Vec::new();
    while gone.last() != Some(&0) {
        gone.push(desk.here.forget(desk.now()).await.unwrap());
    }
    assert!(gone.len() > 2, "{gone:?}");
    assert_eq!(gone.iter().sum::<u64>(), CALLS);
}
