//! Many calls at a time: lists and audits.

use coinop::ledger::Filter;

use super::{ACCOUNT, Desk, caller};

/// Lists are filtered, the latest first, and bounded.
pub async fn the_latest_calls_of_a_filter_come_first(desk: &Desk<'_>) {
    let mut opened = Vec::new();
    for _ in 0..3 {
        opened.push(desk.opened(&caller("ann")).await);
        desk.pass(100).await;
    }
    desk.paid(&opened[1]).await;
    let middle = desk.now() - 50;
    let mut other = desk.draft(&caller("ann"));
    other.call.quote.account = "other".into();
    opened.push(desk.open(other).await.unwrap().record);
    let listed = async |filter: Filter, limit| {
        let listed = desk.there.list(filter, limit).await.unwrap();
        let place = |id| {
            opened
                .iter()
                .position(|record| record.call.id == id)
                .unwrap()
        };
        listed
            .into_iter()
            .map(|record| place(record.call.id))
            .collect::<Vec<_>>()
    };
    let state = |name: &str| Filter {
        state: Some(name.into()),
        ..Filter::default()
    };
    assert_eq!(listed(Filter::default(), 10).await, [3, 2, 1, 0]);
    assert_eq!(listed(Filter::default(), 2).await, [3, 2]);
    assert_eq!(listed(state("ready"), 10).await, [1]);
    assert_eq!(listed(state("awaiting"), 10).await, [3, 2, 0]);
    assert_eq!(listed(state("no such state"), 10).await, [0; 0]);
    let account = Filter {
        account: Some(ACCOUNT.into()),
        ..state("awaiting")
    };
    assert_eq!(listed(account, 10).await, [2, 0]);
    let since = Filter {
        since: Some(middle),
        ..Filter::default()
    };
    assert_eq!(listed(since, 10).await, [3]);
    let until = Filter {
        until: Some(middle),
        ..Filter::default()
    };
    assert_eq!(listed(until, 10).await, [2, 1, 0]);
    let first = &opened[0];
    let hidden = desk
        .there
        .postpone(first.call.id.clone(), first.version, None);
    hidden.await.unwrap();
    let due = Filter {
        due: true,
        ..Filter::default()
    };
    assert_eq!(listed(due, 10).await, [3, 2, 1]);
}

/// An audit reads everything, in pages, once.
pub async fn an_audit_pages_through_everything(desk: &Desk<'_>) {
    assert!(desk.there.audit(None, 10).await.unwrap().is_empty());
    for _ in 0..5 {
        desk.opened(&caller("ann")).await;
    }
    let paid = desk.paid(&desk.opened(&caller("ann")).await).await;
    let delivered = desk.delivered(&paid, "sun").await;
    let (mut all, mut after) = (Vec::new(), None);
    loop {
        let page = desk.there.audit(after, 4).await.unwrap();
        assert!(page.len() <= 4);
        let Some(last) = page.last() else { break };
        after = Some(last.record.call.id.clone());
        all.extend(page);
    }
    let ids: Vec<&str> = all
        .iter()
        .map(|audited| audited.record.call.id.as_str())
        .collect();
    assert_eq!(ids.len(), 6);
    let receipts_since = desk.there.receipts_since().await.unwrap();
    assert!(
        receipts_since <= desk.now(),
        "the key was there before the first delivery"
    );
    assert!(ids.is_sorted(), "{ids:?}");
    for audited in &all {
        let is_delivered = audited.record.call.id == delivered.record.call.id;
        assert_eq!(audited.has_outcome, is_delivered);
        assert_eq!(
            audited.receipt.as_deref(),
            delivered.receipt.as_deref().filter(|_| is_delivered)
        );
        assert_eq!(audited.due_at.is_none(), is_delivered);
        assert_eq!(audited.entries.len(), if is_delivered { 4 } else { 0 });
        let kept = audited.record.arguments.is_some();
        assert_eq!(kept, !is_delivered, "arguments are erased when a call ends");
    }
}
