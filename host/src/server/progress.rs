//! A guest's progress on its way to the client: never blocks the guest, never goes back, never loses the last word.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use rmcp::model::{ProgressNotificationParam, ProgressToken};
use rmcp::service::{Peer, RoleServer};
use tokio::sync::Notify;

use crate::sandbox::ProgressSink;
use crate::wire::result::capped;

/// Reports that wait to be sent; beyond this the newest waiting one is replaced.
const WAITING_MAX: usize = 32;
/// Longest message shown, bytes.
const MESSAGE_BYTES_MAX: usize = 1 << 10;
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
    highest: Option<f64>,
    ended: bool,
}

enum Next {
    Report(Report),
    Wait,
    End,
}

impl Queue {
    /// Takes a report in, unless it does not increase (the protocol demands that it does).
    fn push(&mut self, report: Report) {
        let increases = self.highest.is_none_or(|highest| report.progress > highest);
        if !report.progress.is_finite() || !increases {
            return;
        }
        self.highest = Some(report.progress);
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
        self.lock().push(report);
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
    fn a_flood_keeps_its_last_word() {
        let sent = waiting((0..1000).map(f64::from));
        assert_eq!(sent.len(), WAITING_MAX);
        assert_eq!(sent.last(), Some(&999.0));
    }
}
