//! Refunds: once a key, and no more than came.

use coinop::provider::{ProviderError, Refunded};
use futures::future::join_all;

use super::{Till, amount, made, paid, refund};

/// The same key twice is one refund; another key is another one.
pub async fn any_part_goes_back_once_a_key(till: &dyn Till) {
    let (account, payment) = (till.account(), paid(till, 1).await);
    for _ in 0..2 {
        let sent = account.refund(&refund(&payment, "k1", "0.40")).await;
        assert_eq!(sent.unwrap(), Refunded::Done);
    }
    assert_eq!(till.sent_back(&payment).await, amount("0.40"));
    let rest = account.refund(&refund(&payment, "k2", "0.59")).await;
    assert_eq!(rest.unwrap(), Refunded::Done);
    assert_eq!(till.sent_back(&payment).await, amount("0.99"));
}

/// A refusal, and nothing is sent.
pub async fn no_more_goes_back_than_came(till: &dyn Till) {
    let (account, payment) = (till.account(), paid(till, 1).await);
    account
        .refund(&refund(&payment, "k1", "0.40"))
        .await
        .unwrap();
    let too_much = account.refund(&refund(&payment, "k2", "0.60")).await;
    assert!(
        matches!(too_much, Err(ProviderError::Refused(_))),
        "{too_much:?}"
    );
    assert_eq!(till.sent_back(&payment).await, amount("0.40"));
}

/// Likewise.
pub async fn nothing_goes_back_of_what_was_not_paid(till: &dyn Till) {
    let payment = made(till, 1).await;
    let sent = till.account().refund(&refund(&payment, "k", "0.10")).await;
    assert!(matches!(sent, Err(ProviderError::Refused(_))), "{sent:?}");
    assert_eq!(till.sent_back(&payment).await, amount("0"));
}

/// And is not found before it is made.
pub async fn a_refund_is_found_by_its_key(till: &dyn Till) {
    let (account, payment) = (till.account(), paid(till, 1).await);
    let order = refund(&payment, "k1", "0.40");
    assert_eq!(account.refund_standing(&order).await.unwrap(), None);
    account.refund(&order).await.unwrap();
    let found = account.refund_standing(&order).await.unwrap();
    assert_eq!(found, Some(Refunded::Done));
    let other = refund(&payment, "k2", "0.40");
    assert_eq!(account.refund_standing(&other).await.unwrap(), None);
}

/// Several hosts may come to the same refund.
pub async fn asked_for_at_once_it_goes_back_once(till: &dyn Till) {
    let (account, payment) = (till.account(), paid(till, 1).await);
    let order = refund(&payment, "k1", "0.40");
    let sent = join_all((0..8).map(|_| account.refund(&order))).await;
    assert!(sent.iter().all(Result::is_ok), "{sent:?}");
    assert_eq!(till.sent_back(&payment).await, amount("0.40"));
}
