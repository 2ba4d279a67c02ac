//! Failures: of the world behind the provider, before it did what it was asked and after. The same key makes it good.

use coinop::provider::{ProviderError, Refunded, Standing};

use super::{Asked, Fault, Till, amount, paid, price, refund, status};

/// The first attempt did nothing, and must not pass for a refusal.
pub async fn a_refund_that_failed_before_its_effect_is_made_once(till: &dyn Till) {
    let payment = paid(till, 1).await;
    let order = refund(&payment, "k1", "0.40");
    till.fail(Asked::Refund, Fault::Before);
    let failed = till.account().refund(&order).await;
    assert!(is_open(&failed), "{failed:?}");
    assert_eq!(till.account().refund_standing(&order).await.unwrap(), None);
    assert_eq!(till.account().refund(&order).await.unwrap(), Refunded::Done);
    assert_eq!(till.sent_back(&payment).await, amount("0.40"));
}

/// The first attempt did it: whether it was done is unknown, and then found.
pub async fn a_refund_whose_answer_was_lost_is_made_once(till: &dyn Till) {
    let payment = paid(till, 1).await;
    let order = refund(&payment, "k1", "0.40");
    till.fail(Asked::Refund, Fault::After);
    let lost = till.account().refund(&order).await;
    assert!(
        matches!(lost, Err(ProviderError::Unreachable(_))),
        "{lost:?}"
    );
    let found = till.account().refund_standing(&order).await.unwrap();
    assert_eq!(found, Some(Refunded::Done));
    assert_eq!(till.account().refund(&order).await.unwrap(), Refunded::Done);
    assert_eq!(till.sent_back(&payment).await, amount("0.40"));
}

/// Neither paid nor unpaid, until it can be asked again.
pub async fn a_status_that_failed_says_nothing(till: &dyn Till) {
    let payment = paid(till, 1).await;
    for fault in [Fault::Before, Fault::After] {
        till.fail(Asked::Standing, fault);
        let failed = till.account().status(&payment).await;
        assert!(is_open(&failed), "{failed:?}");
        assert_eq!(status(till, &payment).await, Standing::Paid(price()));
    }
}

/// Whether asking again is right.
pub(super) fn is_open<T>(answer: &Result<T, ProviderError>) -> bool {
    matches!(
        answer,
        Err(ProviderError::Busy(_) | ProviderError::Unreachable(_))
    )
}
