//! Webhooks: believed when they are signed, of now, and whole; and even then no more than a hint.

use coinop::clock::{Clock as _, SystemClock};
use coinop::provider::{Standing, Webhook, WebhookError, WebhookNotice};

use super::{Post, Till, made, status};

/// An hour, milliseconds.
const HOUR_MS: i64 = 3_600_000;

async fn verify(till: &dyn Till, post: &Post, now: i64) -> Result<WebhookNotice, WebhookError> {
    let webhook = Webhook {
        headers: &post.headers,
        body: &post.body,
        now,
    };
    till.account().verify_webhook(webhook).await
}

/// What counts is the provider's record.
pub async fn a_genuine_one_names_its_payment_and_changes_nothing(till: &dyn Till) {
    assert!(till.account().capabilities().webhooks);
    let (payment, now) = (made(till, 1).await, SystemClock.now());
    let post = till.webhook("evt_1", &payment.reference, now).await;
    let notice = verify(till, &post, now).await.unwrap();
    assert_eq!(notice.event_id, "evt_1");
    assert_eq!(notice.reference, payment.reference);
    assert_eq!(status(till, &payment).await, Standing::Pending);
}

/// So that it can be dropped.
pub async fn a_replayed_one_has_the_same_name(till: &dyn Till) {
    let now = SystemClock.now();
    let post = till.webhook("evt_1", "p", now).await;
    let first = verify(till, &post, now).await.unwrap();
    assert_eq!(verify(till, &post, now + 1_000).await.unwrap(), first);
}

/// With another body, another signature, or none.
pub async fn a_forged_one_is_refused(till: &dyn Till) {
    let now = SystemClock.now();
    let genuine = till.webhook("evt_1", "p", now).await;
    let other = till.webhook("evt_2", "q", now).await;
    let bare = Post {
        headers: Vec::new(),
        ..genuine.clone()
    };
    let swapped = Post {
        headers: other.headers.clone(),
        ..genuine.clone()
    };
    let mut altered = genuine.clone();
    altered.body.push(b' ');
    let empty = Post {
        body: Vec::new(),
        ..genuine.clone()
    };
    for forged in [bare, swapped, altered, empty] {
        let verified = verify(till, &forged, now).await;
        assert_eq!(verified, Err(WebhookError::Signature), "{forged:?}");
    }
    assert!(verify(till, &genuine, now).await.is_ok());
}

/// Of an hour ago, and of an hour to come.
pub async fn one_of_another_time_is_refused(till: &dyn Till) {
    let now = SystemClock.now();
    let post = till.webhook("evt_1", "p", now).await;
    for then in [now - HOUR_MS, now + HOUR_MS] {
        assert_eq!(
            verify(till, &post, then).await,
            Err(WebhookError::Signature)
        );
    }
}
