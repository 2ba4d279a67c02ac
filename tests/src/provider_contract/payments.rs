//! Payments: made once a key, and what they come to is final.

use coinop::provider::{CreatePayment, PaymentRef, Standing};

use super::{Act, Till, made, paid, price, request, status};

/// Whoever asks, however often.
pub async fn the_same_key_gives_the_same_payment(till: &dyn Till) {
    let first = made(till, 1).await;
    for _ in 0..2 {
        assert_eq!(made(till, 1).await.reference, first.reference);
        let online = till.account().create(&request(1)).await.unwrap();
        assert_eq!(online.reference, first.reference);
    }
    assert_ne!(made(till, 2).await.reference, first.reference);
}

/// Pending until somebody pays.
pub async fn nobody_has_paid_at_first(till: &dyn Till) {
    let payment = made(till, 1).await;
    assert_eq!(status(till, &payment).await, Standing::Pending);
}

/// Neither a change of mind nor calling it off undoes it.
pub async fn what_is_paid_stays_paid(till: &dyn Till) {
    let payment = paid(till, 1).await;
    till.act(&payment, Act::Decline).await;
    let canceled = till.account().cancel(&payment).await.unwrap();
    assert_eq!(canceled, Standing::Paid(price()));
    assert_eq!(status(till, &payment).await, Standing::Paid(price()));
}

/// The first decision stands.
pub async fn what_was_declined_is_never_paid(till: &dyn Till) {
    let payment = made(till, 1).await;
    till.act(&payment, Act::Decline).await;
    assert_eq!(status(till, &payment).await, Standing::Declined);
    till.act(&payment, Act::Pay).await;
    assert_eq!(status(till, &payment).await, Standing::Declined);
}

/// And calling it off twice is calling it off.
pub async fn what_was_called_off_takes_no_money(till: &dyn Till) {
    let payment = made(till, 1).await;
    for _ in 0..2 {
        let canceled = till.account().cancel(&payment).await.unwrap();
        assert_eq!(canceled, Standing::Canceled);
    }
    till.act(&payment, Act::Pay).await;
    assert_eq!(status(till, &payment).await, Standing::Canceled);
}

/// An error, or pending: never paid.
pub async fn what_was_never_made_is_not_paid(till: &dyn Till) {
    let CreatePayment { key, price, .. } = request(9);
    let payment = PaymentRef {
        key,
        reference: "never_made".to_owned(),
        price,
        credential: None,
    };
    let stands = till.account().status(&payment).await;
    assert!(
        matches!(stands, Err(_) | Ok(Standing::Pending)),
        "{stands:?}"
    );
}
