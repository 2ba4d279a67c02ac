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

/// The machine's clock. Debug builds move it by `COINOP_CLOCK_SHIFT_MS`, so that a test can start a host an hour later.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Millis {
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(0, |since| {
                i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
            });
        now.saturating_add(shift_ms())
    }
}

#[cfg(debug_assertions)]
fn shift_ms() -> Millis {
    static SHIFT_MS: std::sync::OnceLock<Millis> = std::sync::OnceLock::new();
    *SHIFT_MS.get_or_init(|| {
        let shift = std::env::var("COINOP_CLOCK_SHIFT_MS").ok();
        shift.map_or(0, |ms| {
            ms.parse().expect("COINOP_CLOCK_SHIFT_MS is a number")
        })
    })
}

#[cfg(not(debug_assertions))]
fn shift_ms() -> Millis {
    0
}

/// `millis` by RFC 3339, UTC, whole seconds.
pub fn rfc3339(millis: Millis) -> String {
    let seconds = millis.div_euclid(1000);
    jiff::Timestamp::from_second(seconds).map_or_else(|_| seconds.to_string(), |at| at.to_string())
}
