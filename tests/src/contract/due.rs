//! Calls that a host should look at are given to one host at a time.

use std::collections::BTreeSet;

use coinop::app::Store;
use coinop::ledger::{Record, TakeDue};
use futures::future::join_all;

use super::{ACCOUNT, Desk, caller};

const HOUR: i64 = 3_600_000;

async fn take(desk: &Desk<'_>, store: &dyn Store, accounts: &[&str], limit: u32) -> Vec<Record> {
    let now = desk.now();
    let take = TakeDue {
        now,
        until: now + 120_000,
        accounts: accounts.iter().map(|name| (*name).to_owned()).collect(),
        limit,
    };
    store.take_due(take).await.unwrap()
}

fn ids<'a>(records: impl IntoIterator<Item = &'a Record>) -> Vec<String> {
    records
        .into_iter()
        .map(|record| record.call.id.to_string())
        .collect()
}

/// Forty due calls, taken by two hosts at once until there are none: each is taken once, and all are.
pub async fn two_hosts_never_take_the_same_call(desk: &Desk<'_>) {
    let opened = join_all((0..40).map(|_| async { desk.opened(&caller("ann")).await })).await;
    desk.pass(HOUR).await;
    let host = async |store: &dyn Store| {
        let mut taken = Vec::new();
        loop {
            let some = take(desk, store, &[ACCOUNT], 3).await;
            assert!(some.len() <= 3);
            if some.is_empty() {
                return taken;
            }
            taken.extend(some);
        }
    };
    let (one, two) = futures::future::join(host(&*desk.here), host(&*desk.there)).await;
    // One of them may have been passed over while the other held it.
    let rest = host(&*desk.here).await;
    let all = ids(one.iter().chain(&two).chain(&rest));
    assert_eq!(all.len(), 40);
    assert_eq!(
        all.into_iter().collect::<BTreeSet<_>>(),
        ids(&opened).into_iter().collect()
    );
}

/// What is not due, or is paid into an account that the host does not have, is not taken; the longest due comes first.
pub async fn a_host_takes_what_is_due_in_its_accounts(desk: &Desk<'_>) {
    assert!(take(desk, &*desk.here, &[ACCOUNT], 10).await.is_empty());
    let first = desk.opened(&caller("ann")).await;
    desk.pass(1_000).await;
    let second = desk.opened(&caller("ann")).await;
    let mut other = desk.draft(&caller("ann"));
    other.call.quote.account = "other".into();
    let other = desk.open(other).await.unwrap().record;
    assert!(
        take(desk, &*desk.here, &[ACCOUNT, "other"], 10)
            .await
            .is_empty(),
        "not due yet"
    );
    desk.pass(HOUR).await;
    assert!(take(desk, &*desk.here, &[], 10).await.is_empty());
    assert!(take(desk, &*desk.here, &["unknown"], 10).await.is_empty());
    assert_eq!(
        ids(&take(desk, &*desk.here, &[ACCOUNT], 1).await),
        ids([&first])
    );
    assert_eq!(
        ids(&take(desk, &*desk.there, &[ACCOUNT], 10).await),
        ids([&second])
    );
    assert_eq!(
        ids(&take(desk, &*desk.there, &["other"], 10).await),
        ids([&other])
    );
    assert!(
        take(desk, &*desk.here, &[ACCOUNT, "other"], 10)
            .await
            .is_empty()
    );
    // Nobody came back to what was taken: it is given out again.
    desk.pass(120_001).await;
    assert_eq!(
        ids(&take(desk, &*desk.there, &[ACCOUNT], 10).await),
        ids([&first, &second])
    );
}

/// What a host looked at in vain is put off; a call that changed meanwhile brings a time of its own.
pub async fn what_was_looked_at_is_put_off_unless_it_changed(desk: &Desk<'_>) {
    let (stays, changes) = (
        desk.opened(&caller("ann")).await,
        desk.opened(&caller("ann")).await,
    );
    desk.pass(HOUR).await;
    assert_eq!(take(desk, &*desk.here, &[ACCOUNT], 10).await.len(), 2);
    let paid = desk.paid(&changes).await;
    let until = Some(desk.now() + 10 * HOUR);
    desk.here
        .postpone(stays.call.id.clone(), stays.version, until)
        .await
        .unwrap();
    desk.here
        .postpone(changes.call.id.clone(), changes.version, until)
        .await
        .unwrap();
    // Paid and not claimed, it is due when its claim window ends.
    desk.pass(HOUR + 1_000).await;
    assert_eq!(
        ids(&take(desk, &*desk.there, &[ACCOUNT], 10).await),
        ids([&paid])
    );
    desk.pass(9 * HOUR).await;
    assert_eq!(take(desk, &*desk.there, &[ACCOUNT], 10).await.len(), 2);
    desk.here
        .postpone(stays.call.id.clone(), stays.version, None)
        .await
        .unwrap();
    desk.here
        .postpone(paid.call.id.clone(), paid.version, None)
        .await
        .unwrap();
    desk.pass(1_000 * HOUR).await;
    assert!(take(desk, &*desk.there, &[ACCOUNT], 10).await.is_empty());
}
