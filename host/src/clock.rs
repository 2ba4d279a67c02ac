//! The time, as core wants it: milliseconds since the Unix epoch; and waiting for it to pass.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use coinop_core::Millis;
use futures::future::BoxFuture;

/// Tells the time. A trait, so that tests can make a quote expire.
pub trait Clock: Send + Sync {
    /// Now.
    fn now(&self) -> Millis;

    /// Waits. Only a clock whose time is not the machine's has to say how.
    fn sleep(&self, time: Duration) -> BoxFuture<'static, ()> {
        Box::pin(tokio::time::sleep(time))
    }
}

/// What `answer` says within `patience`, `None` when it says nothing.
pub async fn within<T>(
    clock: &dyn Clock,
    patience: Duration,
    answer: impl Future<Output = T>,
) -> Option<T> {
    tokio::select! {
        biased;
        answer = answer => Some(answer),
        () = clock.sleep(patience) => None,
    }
}

/// The machine's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Millis {
        SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(0, |since| {
                i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
            })
    }
}

/// `millis` by RFC 3339, UTC, whole seconds.
pub fn rfc3339(millis: Millis) -> String {
    let seconds = millis.div_euclid(1000);
    jiff::Timestamp::from_second(seconds).map_or_else(|_| seconds.to_string(), |at| at.to_string())
}
