//! Waiting for a payment, in a request that a client keeps open. A wait is a future and nothing else: it holds no thread
//! and no connection to the ledger.

mod pace;
mod watchers;

use std::time::Duration;

use coinop_core::Millis;
use coinop_core::call::CallState;
use coinop_core::ids::PaymentId;
use coinop_core::mode::{Ask, AskStatus, Printed};

use self::pace::{Due, Pace};
pub(super) use self::watchers::{Watcher, Watchers};
use super::drive::{Drive, Ending, Purpose, Trouble};
use super::paid::Caller;
use super::{Gate, Reply};
use crate::clock::rfc3339;
use crate::ledger::CallKey;
use crate::sandbox::Stage;

/// A wait under way: it outlasts the turn's steps in between.
pub(super) struct Watching {
    watcher: Watcher,
    pace: Pace,
}

/// Why a pause ended.
enum Woken {
    /// The call has changed.
    Told,
    /// The time is over.
    Rested,
    /// The caller does not wait any longer.
    Cancelled,
    /// The host does not wait any longer.
    Stopping,
}

impl Gate {
    fn watching(&self, call: &coinop_core::ids::CallId) -> Watching {
        Watching {
            watcher: self.watchers.watch(call),
            pace: Pace::from(self.parts.clock.now()),
        }
    }

    /// Ends every wait of this host: its callers are told to come back.
    pub fn stop_waiting(&self) {
        self.waiting.cancel();
    }

    /// Waits until the payment is not awaited any more: it is paid, declined or expired. For ever where there is no such
    /// payment: whoever waits has a bound.
    pub async fn until_decided(&self, payment: &PaymentId) {
        let ledger = &self.parts.ledger;
        let key = || CallKey::Payment(payment.clone());
        let Ok(Some(record)) = ledger.find(key()).await else {
            return std::future::pending().await;
        };
        let Watching {
            mut watcher,
            mut pace,
        } = self.watching(&record.call.id);
        loop {
            match pace.due(self.parts.clock.now()) {
                Due::Tell => {}
                Due::Nothing(ms) => tokio::select! {
                    biased;
                    () = watcher.changed() => pace.hurry(),
                    () = self.parts.clock.sleep(millis(ms)) => {}
                },
                // A ledger or a provider that is away for a moment is met again at the next look.
                Due::Look => match ledger.find(key()).await {
                    Ok(Some(record)) if !is_open(&record.call.state) => return,
                    _ => {}
                },
                Due::Ask => {
                    if let Ok(Some(record)) = ledger.find(key()).await {
                        let _ = Drive::new(self, record, Purpose::Look).rest().await;
                    }
                }
            }
        }
    }
}

impl Drive<'_> {
    /// Waits at most `ms` until the payment may have changed, telling the client meanwhile what it waits for.
    pub(super) async fn watch(
        &mut self,
        ms: Millis,
        ask: &Ask,
        caller: Option<&Caller>,
    ) -> Result<Option<Ending>, Trouble> {
        if !self.commit().await? {
            return Ok(None);
        }
        let Some(caller) = caller else {
            return Ok(Some(Ending::Rest));
        };
        let until = self.dialog.waited_ms + ms;
        let mut watching = match self.watching.take() {
            Some(watching) => watching,
            None => self.gate.watching(&self.call.id),
        };
        let ended = loop {
            let now = self.gate.parts.clock.now();
            let left = (until - self.dialog.waited_ms).min(self.call.quote.expires_at - now);
            if left <= 0 {
                // Its time is over, or the offer's: the provider has the last word.
                self.checked = false;
                break None;
            }
            match watching.pace.due(now) {
                // The plugin was set aside: its link is not shown again.
                Due::Tell if self.is_aside().is_some() => break Some(Ending::Ask(ask.clone())),
                Due::Tell => self.tell(caller, ask),
                Due::Look if self.has_changed().await? => break None,
                Due::Look => {}
                Due::Ask => {
                    self.checked = false;
                    break None;
                }
                Due::Nothing(ms) => match self.pause(ms.min(left), &mut watching, caller).await {
                    Woken::Rested => {}
                    Woken::Told => watching.pace.hurry(),
                    Woken::Cancelled => break Some(Ending::Cancelled),
                    Woken::Stopping => {
                        self.dialog.manners.wait_ms = 0;
                        self.dialog.waited_ms = self.dialog.waited_ms.max(1);
                        break None;
                    }
                },
            }
        };
        self.watching = Some(watching);
        Ok(ended)
    }

    async fn pause(&mut self, ms: Millis, watching: &mut Watching, caller: &Caller) -> Woken {
        let clock = &self.gate.parts.clock;
        let from = clock.now();
        let woken = tokio::select! {
            biased;
            () = caller.cancel.cancelled() => Woken::Cancelled,
            () = self.gate.waiting.cancelled() => Woken::Stopping,
            () = watching.watcher.changed() => Woken::Told,
            () = clock.sleep(millis(ms)) => Woken::Rested,
        };
        // A clock that is set back must not lengthen the wait by more than this pause.
        self.dialog.waited_ms += (clock.now() - from).max(0);
        woken
    }

    fn tell(&self, caller: &Caller, ask: &Ask) {
        if let (
            Some(progress),
            Reply::Ask {
                payment_url, test, ..
            },
        ) = (&caller.progress, self.ask_reply(ask.clone()))
        {
            let line = ask.line(&Printed {
                payment_url: &payment_url,
                expires_at: &rfc3339(ask.expires_at),
                test,
            });
            progress.note(Stage::Waiting, &line);
        }
    }

    /// Tells a client that was asked, or has waited, that its call is paid and goes on.
    pub(super) fn tell_of_start(&mut self, caller: Option<&Caller>) {
        let waited = self.watching.take().is_some();
        if let Some(progress) = caller.and_then(|caller| caller.progress.as_ref())
            && (waited || self.dialog.asked > 0)
        {
            let mut ask = Ask::running(self.mode(), &self.call);
            ask.status = AskStatus::Running;
            let printed = Printed {
                payment_url: "",
                expires_at: "",
                test: false,
            };
            progress.note(Stage::Starting, &ask.line(&printed));
        }
    }
}

/// Whether the payment may still be made.
fn is_open(state: &CallState) -> bool {
    matches!(state, CallState::Quoted | CallState::Awaiting)
}

fn millis(ms: Millis) -> Duration {
    Duration::from_millis(ms.max(1).unsigned_abs())
}
