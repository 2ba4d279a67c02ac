//! Which of a guest's progress reports are passed on.
//!
//! MCP wants progress to grow; a guest may report a million times a second. Both are settled here, so that no listener
//! has to.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::ProgressSink;
use super::log::cut;

/// Reports closer together than this are dropped, except the one that completes the total.
const INTERVAL_MIN: Duration = Duration::from_millis(100);
/// Bytes of one message.
const MESSAGE_BYTES_MAX: usize = 1024;

/// The progress of one run.
pub(super) struct Progress {
    sink: Arc<dyn ProgressSink>,
    last: f64,
    last_at: Option<Instant>,
}

impl Progress {
    pub(super) fn new(sink: Arc<dyn ProgressSink>) -> Self {
        Self {
            sink,
            last: -1.0,
            last_at: None,
        }
    }

    /// Passes a report on, or drops it.
    pub(super) fn report(&mut self, progress: f64, total: Option<f64>, message: Option<&str>) {
        let total = total.filter(|total| total.is_finite() && *total >= 0.0);
        if !self.passes(Instant::now(), progress, total) {
            return;
        }
        let message = message.map(|text| cut(text, MESSAGE_BYTES_MAX));
        self.sink.report(progress, total, message);
    }

    fn passes(&mut self, now: Instant, progress: f64, total: Option<f64>) -> bool {
        let grows = progress.is_finite() && progress >= 0.0 && progress > self.last;
        let completes = total.is_some_and(|total| progress >= total && self.last < total);
        let due = self
            .last_at
            .is_none_or(|at| now.duration_since(at) >= INTERVAL_MIN);
        let passes = grows && (due || completes);
        if passes {
            self.last = progress;
            self.last_at = Some(now);
        }
        passes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Deaf;
    impl ProgressSink for Deaf {
        fn report(&self, _: f64, _: Option<f64>, _: Option<&str>) {}
    }

    /// Reports as (milliseconds, progress, total); the progress values that pass.
    fn check(reports: &[(u64, f64, Option<f64>)], expected: &[f64]) {
        let mut progress = Progress::new(Arc::new(Deaf));
        let start = Instant::now();
        let passed: Vec<f64> = reports
            .iter()
            .filter(|(ms, value, total)| {
                progress.passes(start + Duration::from_millis(*ms), *value, *total)
            })
            .map(|(_, value, _)| *value)
            .collect();
        assert_eq!(passed, expected);
    }

    #[test]
    fn only_growing_finite_values_pass() {
        check(
            &[
                (0, 0.0, None),
                (200, 2.0, None),
                (400, 1.0, None),
                (600, f64::NAN, None),
                (800, f64::INFINITY, None),
                (1000, -3.0, None),
                (1200, 2.0, None),
                (1400, 2.5, None),
            ],
            &[0.0, 2.0, 2.5],
        );
    }

    #[test]
    fn floods_are_thinned_and_the_end_passes_once() {
        check(
            &[
                (0, 1.0, Some(10.0)),
                (1, 2.0, Some(10.0)),
                (99, 3.0, Some(10.0)),
                (100, 4.0, Some(10.0)),
                (101, 10.0, Some(10.0)),
                (102, 11.0, Some(10.0)),
            ],
            &[1.0, 4.0, 10.0],
        );
    }
}
