//! Statements: every payment that brought money, page by page.

use std::collections::BTreeMap;

use coinop::clock::{Clock as _, SystemClock};
use coinop::provider::Period;

use super::{Till, amount, made, paid, price, refund};

/// With what went back of it; what nobody paid is not on it.
pub async fn what_came_in_is_stated(till: &dyn Till) {
    let since = SystemClock.now();
    let mut payments = Vec::new();
    for seed in 1..=5 {
        payments.push(paid(till, seed).await);
    }
    made(till, 6).await;
    let order = refund(&payments[0], "k1", "0.40");
    till.account().refund(&order).await.unwrap();
    let period = Period {
        since,
        until: SystemClock.now() + 1,
    };
    let mut stated = BTreeMap::new();
    let mut cursor = None;
    loop {
        let page = till.account().statement(period, cursor).await.unwrap();
        for line in page.lines {
            assert_eq!(line.received, price());
            let stated_before = stated.insert(line.reference, line.refunded);
            assert_eq!(stated_before, None, "a line is stated once");
        }
        match page.next {
            Some(next) => cursor = Some(next),
            None => break,
        }
    }
    let refunded = |index: usize| if index == 0 { "0.40" } else { "0" };
    let expected = payments.iter().enumerate();
    let expected = expected.map(|(index, it)| (it.reference.clone(), amount(refunded(index))));
    assert_eq!(stated, expected.collect());
}
