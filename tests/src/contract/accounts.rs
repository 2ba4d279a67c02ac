//! Entries sum to zero, and balances are spent once.

use std::collections::BTreeMap;

use coinop::ledger::{AdvanceError, Caps};
use coinop_core::call::CallState;
use coinop_core::money::Amount;
use futures::future::join_all;

use super::{ACCOUNT, Desk, caller, usd};

/// What every account holds, by name.
async fn balances(desk: &Desk<'_>) -> BTreeMap<String, Amount> {
    let balances = desk.there.balances().await.unwrap();
    let held = balances
        .into_iter()
        .filter(|balance| !balance.amount.is_zero());
    held.map(|balance| (balance.book, balance.amount)).collect()
}

/// Each change's entries sum to zero, and the accounts say what is owed.
pub async fn entries_of_every_change_sum_to_zero(desk: &Desk<'_>) {
    let opened = desk.opened(&caller("ann")).await;
    assert!(balances(desk).await.is_empty());
    let paid = desk.paid(&opened).await;
    let held = balances(desk).await;
    let (one, owed) = (usd("1").amount, usd("1").amount.checked_neg().unwrap());
    assert_eq!((held["clearing"], held["undelivered"]), (one, owed));
    desk.delivered(&paid, "sun").await;
    let held = balances(desk).await;
    assert_eq!((held["clearing"], held["revenue"]), (one, owed));
    assert!(!held.contains_key("undelivered"));
    let audited = desk.there.audit(None, 10).await.unwrap();
    let entries = &audited[0].entries;
    let mut sums: BTreeMap<i64, Amount> = BTreeMap::new();
    for entry in entries {
        let sum = sums.entry(entry.change).or_default();
        *sum = sum.checked_add(entry.amount.amount).unwrap();
        assert_eq!(entry.amount.currency, usd("1").currency);
    }
    assert_eq!(
        sums.keys().copied().collect::<Vec<_>>(),
        [2, 4],
        "{entries:?}"
    );
    assert!(sums.values().all(|sum| sum.is_zero()), "{entries:?}");
    assert_eq!(entries[0].at, paid.updated_at);
}

/// A failed call's money becomes balance, which pays for the next call, and then it is gone.
pub async fn what_is_credited_can_be_spent_once(desk: &Desk<'_>) {
    let (ann, bob) = (caller("ann"), caller("bob"));
    let paid = desk.paid(&desk.opened(&ann).await).await;
    let credited = desk.credited(&paid).await;
    assert!(matches!(credited.call.state, CallState::Credited { .. }));
    assert_eq!(desk.credit(&ann).await, usd("1").amount);
    assert_eq!(desk.credit(&bob).await, Amount::ZERO);
    let credits = desk.there.credits().await.unwrap();
    assert_eq!(credits.len(), 1);
    assert_eq!(
        (&credits[0].principal, credits[0].account.as_str()),
        (&ann, ACCOUNT)
    );
    assert_eq!(credits[0].amount, usd("1"));
    let too_much = desk
        .open(desk.draft_from_balance(&ann, usd("1.01")))
        .await
        .unwrap_err();
    assert!(
        matches!(too_much, AdvanceError::CreditSpent),
        "{too_much:?}"
    );
    let none = desk
        .open(desk.draft_from_balance(&bob, usd("0.01")))
        .await
        .unwrap_err();
    assert!(matches!(none, AdvanceError::CreditSpent), "{none:?}");
    let covered = desk
        .open(desk.draft_from_balance(&ann, usd("0.4")))
        .await
        .unwrap()
        .record;
    assert_eq!(desk.credit(&ann).await, usd("0.6").amount);
    assert!(desk.delivered(&covered, "sun").await.receipt.is_some());
    desk.open(desk.draft_from_balance(&ann, usd("0.6")))
        .await
        .unwrap();
    assert_eq!(desk.credit(&ann).await, Amount::ZERO);
    assert!(desk.there.credits().await.unwrap().is_empty());
    assert!(!balances(desk).await.contains_key("credit"));
}

/// Twenty calls of two hosts at once, on a balance for three.
pub async fn a_balance_is_never_spent_twice_at_once(desk: &Desk<'_>) {
    let ann = caller("ann");
    for _ in 0..3 {
        let paid = desk.paid(&desk.opened(&ann).await).await;
        desk.credited(&paid).await;
    }
    let calls = (0..20).map(|n| {
        let store = if n % 2 == 0 { &desk.here } else { &desk.there };
        store.open(desk.draft_from_balance(&ann, usd("1")), Caps::default())
    });
    let opened = join_all(calls).await;
    assert_eq!(opened.iter().flatten().count(), 3);
    for refused in opened.into_iter().filter_map(Result::err) {
        assert!(matches!(refused, AdvanceError::CreditSpent), "{refused:?}");
    }
    assert_eq!(desk.credit(&ann).await, Amount::ZERO);
    let audited = desk.there.audit(None, 100).await.unwrap();
    assert_eq!(audited.len(), 6, "a refused call leaves nothing");
}
