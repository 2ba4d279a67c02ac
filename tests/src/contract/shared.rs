//! What hosts share beside calls: secrets, webhook notes, components, the ledger's name.

use std::sync::Arc;

use coinop_core::digest::Digest;
use futures::future::join_all;

use super::{ACCOUNT, Desk, caller, component};

/// The first secret is made once, however many ask; of those made since the two latest count.
pub async fn secrets_are_shared_and_rotate(desk: &Desk<'_>) {
    let now = desk.now();
    let asked = (0..10).map(|n| {
        let store = if n % 2 == 0 { &desk.here } else { &desk.there };
        store.secrets("webhooks".into(), now)
    });
    let told: Vec<_> = join_all(asked)
        .await
        .into_iter()
        .map(Result::unwrap)
        .collect();
    let first = &told[0][0];
    assert!(first.len() >= 32);
    assert!(
        told.iter().all(|secrets| secrets == &vec![first.clone()]),
        "one for all"
    );
    let latest = async || desk.there.secrets("webhooks".into(), now).await.unwrap();
    desk.here
        .rotate_secret("webhooks".into(), now)
        .await
        .unwrap();
    let two = latest().await;
    assert_eq!((two.len(), &two[1]), (2, first));
    assert_ne!(&two[0], first);
    desk.here
        .rotate_secret("webhooks".into(), now)
        .await
        .unwrap();
    let three = latest().await;
    assert_eq!((three.len(), &three[1]), (2, &two[0]));
    // A host whose clock is slow makes the latest all the same.
    let slow = now - 3_600_000;
    desk.there
        .rotate_secret("webhooks".into(), slow)
        .await
        .unwrap();
    let four = latest().await;
    assert!(!three.contains(&four[0]) && four[1] == three[0]);
    let other = desk.there.secrets("other".into(), now).await.unwrap();
    assert!(other.len() == 1 && !three.contains(&other[0]));
}

/// A webhook that was dealt with is known to every host until it is old.
pub async fn webhooks_are_noted_once(desk: &Desk<'_>) {
    let seen = async |account: &str, id: &str| {
        desk.there
            .webhook_seen(account.into(), id.into())
            .await
            .unwrap()
    };
    assert!(!seen(ACCOUNT, "e1").await);
    for store in [&desk.here, &desk.there] {
        store
            .note_webhook(ACCOUNT.into(), "e1".into(), desk.now())
            .await
            .unwrap();
    }
    assert!(seen(ACCOUNT, "e1").await);
    assert!(
        !seen("other", "e1").await && !seen(ACCOUNT, "e2").await && !seen(ACCOUNT, "e1\0").await
    );
    desk.pass(10_000).await;
    desk.here
        .note_webhook(ACCOUNT.into(), "e2".into(), desk.now())
        .await
        .unwrap();
    desk.here.forget(desk.now() - 5_000).await.unwrap();
    assert!(!seen(ACCOUNT, "e1").await);
    assert!(seen(ACCOUNT, "e2").await);
}

/// A component stays while a host serves it, or a call that is on its way names it.
pub async fn components_are_kept_while_somebody_may_need_them(desk: &Desk<'_>) {
    let (old, served) = (Digest::of(b"old"), Digest::of(b"served"));
    let bytes = |bytes: &'static [u8]| Arc::<[u8]>::from(bytes);
    desk.here
        .keep_component(old, bytes(b"old"), desk.now())
        .await
        .unwrap();
    desk.here
        .keep_component(served, bytes(b"served"), desk.now())
        .await
        .unwrap();
    desk.there
        .keep_component(served, bytes(b"served"), desk.now())
        .await
        .unwrap();
    assert_eq!(
        desk.there.component(served).await.unwrap().as_deref(),
        Some(&b"served"[..])
    );
    assert_eq!(
        desk.there.component(Digest::of(b"other")).await.unwrap(),
        None
    );
    assert!(
        !desk
            .there
            .touch_component(Digest::of(b"other"), desk.now())
            .await
            .unwrap()
    );
    let opened = desk.opened(&caller("ann")).await;
    desk.pass(10_000).await;
    assert!(
        desk.there
            .touch_component(served, desk.now())
            .await
            .unwrap()
    );
    let forget = async || {
        desk.there.forget(desk.now() - 5_000).await.unwrap();
        let kept = async |digest| desk.here.component(digest).await.unwrap().is_some();
        (kept(old).await, kept(served).await, kept(component()).await)
    };
    assert_eq!(forget().await, (false, true, true));
    assert!(!desk.here.touch_component(old, desk.now()).await.unwrap());
    let paid = desk.paid(&opened).await;
    desk.delivered(&paid, "sun").await;
    assert_eq!(
        forget().await,
        (false, true, false),
        "no call needs it any more"
    );
}

/// What one host blocks, every host knows.
pub async fn a_block_holds_for_every_host(desk: &Desk<'_>) {
    assert!(desk.there.blocked().await.unwrap().is_empty());
    for _ in 0..2 {
        desk.here
            .set_blocked(component(), true, desk.now())
            .await
            .unwrap();
    }
    assert_eq!(desk.there.blocked().await.unwrap(), [component()]);
    desk.there
        .set_blocked(component(), false, desk.now())
        .await
        .unwrap();
    assert!(desk.here.blocked().await.unwrap().is_empty());
}

/// The ledger's name is its own, not a host's; and commits are counted.
pub async fn every_host_knows_the_ledger_by_one_name(desk: &Desk<'_>) {
    assert_eq!(desk.here.id(), desk.there.id());
    assert_eq!(desk.another().await.id(), desk.here.id());
    assert!(!desk.here.id().is_empty());
    let before = desk.here.commits();
    desk.opened(&caller("ann")).await;
    assert_eq!(desk.here.commits(), before + 1);
    assert!((desk.here.clock().now() - desk.now()).abs() < 60_000);
}
