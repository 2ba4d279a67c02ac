//! Waiting on conditions, with a bound that fails the test instead of hanging it.

use std::time::{Duration, Instant};

/// The longest any test waits for one thing. Far above what is needed on a busy machine.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// Awaits `future`, or panics naming `what` after [`PATIENCE`].
pub async fn within<T>(what: &str, future: impl Future<Output = T>) -> T {
    match tokio::time::timeout(PATIENCE, future).await {
        Ok(value) => value,
        Err(_) => panic!("waited {PATIENCE:?} in vain for {what}"),
    }
}

/// Asks `probe` every 10 ms until it gives a value; panics naming `what` after [`PATIENCE`].
///
/// For conditions of another process that announces nothing: a port, a file, a row.
pub async fn until<T>(what: &str, mut probe: impl AsyncFnMut() -> Option<T>) -> T {
    let started = Instant::now();
    loop {
        if let Some(value) = probe().await {
            return value;
        }
        assert!(
            started.elapsed() < PATIENCE,
            "waited {PATIENCE:?} in vain for {what}"
        );
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
