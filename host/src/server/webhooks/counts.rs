//! How many webhooks came, and what came of them: for `/metrics`, and to warn of forged ones without filling the log.

use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::gate::{Heard, Unheard};

/// Counters of one process.
#[derive(Debug, Default)]
pub struct Counts {
    looked: AtomicU64,
    before: AtomicU64,
    not_ours: AtomicU64,
    not_understood: AtomicU64,
    refused: AtomicU64,
    failed: AtomicU64,
}

impl Counts {
    pub(super) fn heard(&self, heard: Heard) {
        let counter = match heard {
            Heard::Looked => &self.looked,
            Heard::Before => &self.before,
            Heard::NotOurs => &self.not_ours,
            Heard::NotUnderstood => &self.not_understood,
        };
        counter.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn failed(&self) {
        self.failed.fetch_add(1, Ordering::Relaxed);
    }

    /// Warns of the first, the second, the fourth, the eighth: a wrong secret is noticed, a flood fills no disk.
    pub(super) fn refused(&self, account: &str, reason: &Unheard) {
        let refused = self.refused.fetch_add(1, Ordering::Relaxed) + 1;
        if refused.is_power_of_two() {
            tracing::warn!(account, refused, %reason, "webhooks are refused");
        }
    }

    /// The counters in Prometheus' text form.
    pub fn text(&self) -> String {
        let mut text = "# HELP coinop_webhooks_total Webhooks that came, by what came of them.\n\
                        # TYPE coinop_webhooks_total counter\n"
            .to_owned();
        for (result, counter) in [
            ("looked", &self.looked),
            ("seen_before", &self.before),
            ("not_ours", &self.not_ours),
            ("not_understood", &self.not_understood),
            ("refused", &self.refused),
            ("failed", &self.failed),
        ] {
            let count = counter.load(Ordering::Relaxed);
            let _ = writeln!(text, "coinop_webhooks_total{{result=\"{result}\"}} {count}");
        }
        text
    }
}
