//! The sandbox: loads components and runs them, fresh for every call. It knows nothing of money.

/// Hears of a run's progress. Must not block.
pub trait ProgressSink: Send + Sync {
    /// `progress` increases with every report; `total` is known or not.
    fn report(&self, progress: f64, total: Option<f64>, message: Option<&str>);
}
