//! A call's progress on its way to the client: never blocks whoever reports, never goes back, never loses the last word.
//!
//! Before a run the host has its say: that it waits for a payment, and that it waits no longer. Those words lie below
//! what any run reports, a thousandth apart, so that the guest's own numbers and totals arrive as they are.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use rmcp::model::{ProgressNotificationParam, ProgressToken};
use rmcp::service::{Peer, RoleServer};
use tokio::sync::Notify;

use crate::sandbox::{ProgressSink, Stage};
use crate::wire::result::capped;

/// Reports that wait to be sent; beyond this the newest waiting one is replaced.
const WAITING_MAX: usize = 32;
/// Longest message shown, bytes.
const MESSAGE_BYTES_MAX: usize = 1 << 10;
/// Longest word of the host's own, bytes: its link must not be cut.
const NOTE_BYTES_MAX: usize = 8 << 10;
/// How far apart two of the host's own words are, and a guest's report from what was said before it where it reports less.
const STEP: f64 = 0.001;
/// How long one notification may take; a client that stopped reading loses its progress, not its answer.
const SEND_WAIT: Duration = Duration::from_secs(2);

/// One report.
#[derive(Clone, Debug, PartialEq)]
struct Report {
    progress: f64,
    total: Option<f64>,
    message: Option<String>,
}

#[derive(Default)]
struct Queue {
    waiting: VecDeque<Report>,
    /// The highest that was told.
    told: Option<f64>,
    /// The highest that the guest has reported.
    reported: Option<f64>,
    ended: bool,
}

enum Next {
    Report(Report),
    Wait,
    End,
}

impl Queue {
    /// Takes a guest's report in, unless it does not increase (the protocol demands that it does).
    fn report(&mut self, mut report: Report) {
        let increases = self.reported.is_none_or(|last| report.progress > last);
        if !report.progress.is_finite() || !increases {
            return;
        }
        self.reported = Some(report.progress);
        // The first report of many guests is 0, and the host has said more before it.
        if let Some(told) = self.told.filter(|told| report.progress <= *told) {
            report.progress = told + STEP / 1_000.0;
        }
        self.push(report);
    }

    /// Takes a word of the host in.
    fn note(&mut self, message: String) {
        self.push(Report {
            progress: self.told.unwrap_or(0.0) + STEP,
            total: None,
            message: Some(message),
        });
    }

    fn push(&mut self, report: Report) {
        self.told = Some(report.progress);
        if self.waiting.len() == WAITING_MAX {
            self.waiting.pop_back();
        }
        self.waiting.push_back(report);
    }
}

/// The sink a run reports to.
#[derive(Default)]
pub(super) struct Bridge {
    queue: Mutex<Queue>,
    some: Notify,
}

impl ProgressSink for Bridge {
    fn report(&self, progress: f64, total: Option<f64>, message: Option<&str>) {
        let report = Report {
            progress,
            total: total.filter(|total| total.is_finite()),
            message: message.map(|message| capped(message.to_owned(), MESSAGE_BYTES_MAX)),
        };
        self.lock().report(report);
        self.some.notify_one();
    }

    fn note(&self, _stage: Stage, message: &str) {
        self.lock().note(capped(message.to_owned(), NOTE_BYTES_MAX));
        self.some.notify_one();
    }
}

impl Bridge {
    fn lock(&self) -> std::sync::MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn next(&self) -> Next {
        let mut queue = self.lock();
        match queue.waiting.pop_front() {
            Some(report) => Next::Report(report),
            None if queue.ended => Next::End,
            None => Next::Wait,
        }
    }

    /// Runs `call` and sends what it reports meanwhile; returns when both are done, so that no progress follows the
    /// answer. A client that does not take a report gets no further ones.
    pub(super) async fn during<T>(
        &self,
        peer: &Peer<RoleServer>,
        token: ProgressToken,
        call: impl Future<Output = T>,
    ) -> T {
        let call = async {
            let answer = call.await;
            self.lock().ended = true;
            self.some.notify_one();
            answer
        };
        let pump = async {
            let mut taken = true;
            loop {
                match self.next() {
                    Next::Report(report) => taken = taken && send(peer, &token, report).await,
                    Next::Wait => self.some.notified().await,
                    Next::End => break,
                }
            }
        };
        tokio::join!(call, pump).0
    }
}

/// Sends one report; false when the client does not take it.
async fn send(peer: &Peer<RoleServer>, token: &ProgressToken, report: Report) -> bool {
    let mut param = ProgressNotificationParam::new(token.clone(), report.progress);
    param.total = report.total;
    param.message = report.message;
    let sent = tokio::time::timeout(SEND_WAIT, peer.notify_progress(param)).await;
    matches!(sent, Ok(Ok(())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn waiting(reports: impl IntoIterator<Item = f64>) -> Vec<f64> {
        let bridge = Bridge::default();
        for progress in reports {
            bridge.report(progress, None, None);
        }
        let next = || match bridge.next() {
            Next::Report(report) => Some(report.progress),
            Next::Wait | Next::End => None,
        };
        std::iter::from_fn(next).collect()
    }

    #[test]
    fn progress_only_increases() {
        assert_eq!(
            waiting([1.0, 1.0, 0.5, f64::NAN, 2.0, f64::INFINITY, 3.0]),
            [1.0, 2.0, 3.0]
        );
    }

    #[test]
    fn the_hosts_words_come_first_and_every_report_of_the_guest_is_shown_after_them() {
        let bridge = Bridge::default();
        for _ in 0..3 {
            bridge.note(Stage::Waiting, "pay");
        }
        for progress in [0.0, 0.000_5, 0.5, 0.5, 1.0] {
            bridge.report(progress, Some(1.0), None);
        }
        let next = || match bridge.next() {
            Next::Report(report) => Some((report.progress, report.total)),
            Next::Wait | Next::End => None,
        };
        let sent: Vec<_> = std::iter::from_fn(next).collect();
        assert!(sent.windows(2).all(|two| two[0].0 < two[1].0), "{sent:?}");
        let totals: Vec<_> = sent.iter().map(|sent| sent.1).collect();
        assert_eq!(totals[..3], [None; 3]);
        assert_eq!(totals[3..], [Some(1.0); 4], "one did not increase");
        assert_eq!((sent[5].0, sent[6].0), (0.5, 1.0));
        assert!(sent[4].0 < 0.01, "{sent:?}");
    }

    #[test]
    fn a_flood_keeps_its_last_word() {
        let sent = waiting((0..1000).map(f64::from));
        assert_eq!(sent.len(), WAITING_MAX);
        assert_eq!(sent.last(), Some(&999.0));
    }
}
