//! Claimed runs of this host: each runs in a task of its own, whoever listens; many callers wait for one.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use coinop_core::Millis;
use coinop_core::call::{Call, CallState, Event, Failure};
use coinop_core::ids::CallId;
use coinop_core::outcome::Outcome;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::drive::{Drive, Purpose};
use super::paid::RunSpec;
use super::{Gate, Job, Ready};
use crate::clock::Clock;
use crate::failpoint::failpoint_of;
use crate::ledger::{AdvanceError, Advanced, CallKey, Change, Delivery, LedgerError, Record};
use crate::sandbox::ProgressSink;

/// How long a caller waits between two looks at a run that is not here: another host's, or one that has just ended.
const ELSEWHERE_LOOK: Duration = Duration::from_millis(100);
/// How often it looks before it is told that the call is running.
pub(super) const ELSEWHERE_LOOKS_MAX: u32 = 20;
/// Attempts at storing an outcome; together they outlast the lease's margin.
const STORE_ATTEMPTS_MAX: u32 = 8;

/// Margin of a claim beyond the run's wall-clock limit, for storing its outcome, milliseconds.
const LEASE_MARGIN_MS: i64 = 10_000;

/// A claim that this host made.
struct Claimed {
    record: Record,
    /// Until when it holds at least, by this host's own clock: counted from before it was asked for.
    holds_until: Millis,
}

/// What a claimed run takes along.
pub(super) struct Prepared {
    pub(super) arguments: String,
    pub(super) progress: Option<Arc<dyn ProgressSink>>,
    pub(super) ready: Ready,
}

/// A run that has ended and been stored.
pub(super) struct Finished {
    pub(super) record: Record,
    pub(super) delivery: Option<Delivery>,
}

#[derive(Clone)]
enum Progress {
    /// Reserved: somebody is about to claim.
    Claiming,
    /// Claimed and running.
    Running,
    /// Stored.
    Finished(Arc<Finished>),
}

/// The claimed runs of this host, by call.
#[derive(Default)]
pub(super) struct Runs {
    slots: Mutex<HashMap<CallId, watch::Receiver<Progress>>>,
}

/// The one task that may claim a call here. Dropping it makes room for the next.
pub(super) struct Slot {
    runs: Arc<Runs>,
    call: CallId,
    progress: watch::Sender<Progress>,
}

/// How waiting ended.
pub(super) enum Waited {
    /// The run was stored.
    Finished(Arc<Finished>),
    /// The run ended without being stored, or nobody runs it here any more: read the call again.
    Unknown,
    /// Another host runs it.
    Elsewhere,
    /// The caller does not wait any longer.
    Cancelled,
}

impl Runs {
    /// Reserves the right to claim `call` in this host; `None` while somebody else has it.
    pub(super) fn reserve(self: &Arc<Self>, call: &CallId) -> Option<Slot> {
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        if slots.contains_key(call) {
            return None;
        }
        let (progress, receiver) = watch::channel(Progress::Claiming);
        slots.insert(call.clone(), receiver);
        Some(Slot {
            runs: Arc::clone(self),
            call: call.clone(),
            progress,
        })
    }

    /// Whether this host claims or runs `call` just now.
    pub(super) fn has(&self, call: &CallId) -> bool {
        self.slot(call).is_some()
    }

    fn slot(&self, call: &CallId) -> Option<watch::Receiver<Progress>> {
        let slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        slots.get(call).cloned()
    }

    /// Waits until whoever reserved `call` has claimed it or given up.
    pub(super) async fn settled(&self, call: &CallId) {
        if let Some(mut slot) = self.slot(call) {
            let _ = slot.wait_for(|p| !matches!(p, Progress::Claiming)).await;
        }
    }

    /// Waits until nobody here is at `call`, whatever came of it.
    pub(super) async fn ended(&self, call: &CallId) {
        if let Some(mut slot) = self.slot(call) {
            let _ = slot.wait_for(|p| matches!(p, Progress::Finished(_))).await;
        }
    }

    /// Waits for the run of `call`.
    pub(super) async fn wait(
        &self,
        call: &CallId,
        cancel: &CancellationToken,
        clock: &dyn Clock,
    ) -> Waited {
        let Some(mut slot) = self.slot(call) else {
            return tokio::select! {
                biased;
                () = cancel.cancelled() => Waited::Cancelled,
                () = clock.sleep(ELSEWHERE_LOOK) => Waited::Elsewhere,
            };
        };
        let finished = tokio::select! {
            biased;
            finished = slot.wait_for(|p| matches!(p, Progress::Finished(_))) => match finished {
                Ok(progress) => match &*progress {
                    Progress::Finished(finished) => Some(Arc::clone(finished)),
                    _ => None,
                },
                Err(_) => None,
            },
            () = cancel.cancelled() => return Waited::Cancelled,
        };
        finished.map_or(Waited::Unknown, Waited::Finished)
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let mut slots = self
            .runs
            .slots
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        slots.remove(&self.call);
    }
}

impl Gate {
    /// Commits a claim and starts its run. Both in a task of their own: a caller that goes away between them must not
    /// leave a claim that nobody runs.
    pub(super) async fn claim_and_run(
        &self,
        claim: Change,
        slot: Slot,
        spec: RunSpec,
        prepared: Prepared,
    ) -> Result<Advanced, AdvanceError> {
        let gate = self.clone();
        let claiming = self.tasks.spawn(async move {
            let holds_until = claim.at + lease_ms(&spec);
            let advanced = gate.parts.ledger.advance(claim).await?;
            failpoint_of("after-claim", &advanced.record.call.id);
            let record = advanced.record.clone();
            let claimed = Claimed {
                record,
                holds_until,
            };
            gate.spawn_run(slot, claimed, spec, prepared);
            Ok(advanced)
        });
        let closed = |_| Err(LedgerError::Closed.into());
        claiming.await.unwrap_or_else(closed)
    }

    /// Runs a claimed call in a task of its own and brings its money to rest. The caller may go away.
    fn spawn_run(&self, slot: Slot, mut claimed: Claimed, spec: RunSpec, prepared: Prepared) {
        slot.progress.send_replace(Progress::Running);
        let gate = self.clone();
        self.tasks.spawn(async move {
            let (stored, outcome) = loop {
                let job = job(&claimed.record, &spec, &prepared);
                let (call, epoch) = (claimed.record.call.id.clone(), claimed.record.call.epoch);
                if gate.parts.clock.now() >= claimed.holds_until {
                    // The host was stopped in between: the call is somebody else's by now, and may be made good.
                    tracing::warn!(%call, "a claim ended before its run began");
                    return;
                }
                failpoint_of("before-run", format_args!("{call} {epoch}"));
                let result = gate.parts.runner.run(job).await.map(Arc::new);
                failpoint_of("after-run", format_args!("{call} {epoch}"));
                let Some(stored) = gate.store(&claimed.record, &result).await else {
                    return;
                };
                match gate.try_again(&stored.record, &spec).await {
                    Some(again) => claimed = again,
                    None => break (stored, result.ok()),
                }
            };
            drop(prepared);
            let finished = gate.bring_to_rest(stored, outcome).await;
            slot.progress
                .send_replace(Progress::Finished(Arc::new(finished)));
        });
    }

    /// Claims a failed run once more where the seller allows it; `None` when it has had its tries, or somebody else took
    /// the call on.
    async fn try_again(&self, failed: &Record, spec: &RunSpec) -> Option<Claimed> {
        if !self.repeatable(&failed.call, spec) || !failed.call.may_try_again() {
            return None;
        }
        let at = self.parts.clock.now();
        let claim = Change {
            call: failed.call.id.clone(),
            events: vec![self.claim_event(&failed.call, spec, at)],
            outcome: None,
            at,
        };
        let advanced = self.parts.ledger.advance(claim).await.ok()?;
        Some(Claimed {
            record: advanced.record,
            holds_until: at + lease_ms(spec),
        })
    }

    /// The claim of a run, at `at`.
    pub(super) fn claim_event(&self, call: &Call, spec: &RunSpec, at: Millis) -> Event {
        Event::Claimed {
            owner: self.owner.to_string(),
            at,
            lease_until: at + lease_ms(spec),
            rerun: self.repeatable(call, spec),
        }
    }

    /// Whether a run of the call may be started again: as it was quoted, and as things are now.
    pub(super) fn repeatable(&self, call: &Call, spec: &RunSpec) -> bool {
        let runner = &self.parts.runner;
        spec.repeatable && runner.may_repeat(&call.quote.plugin, spec.effects)
    }

    /// Makes the result durable under the claim's epoch; `None` when the claim was lost or the ledger stays away, and
    /// then whoever finds the dead lease goes on.
    async fn store(
        &self,
        record: &Record,
        result: &Result<Arc<Outcome>, Failure>,
    ) -> Option<Advanced> {
        let epoch = record.call.epoch;
        let (event, outcome) = match result {
            Ok(outcome) => (Event::Executed { epoch }, Some(Arc::clone(outcome))),
            Err(failure) => {
                let failure = failure.clone();
                (Event::ToolFailed { epoch, failure }, None)
            }
        };
        let mut events = vec![event];
        if outcome.is_some()
            && record.call.payment.state == coinop_core::payment::PaymentState::Paid
        {
            events.push(Event::Concluded);
        }
        for attempt in 0..STORE_ATTEMPTS_MAX {
            let change = Change {
                call: record.call.id.clone(),
                events: events.clone(),
                outcome: outcome.clone(),
                at: self.parts.clock.now(),
            };
            match self.parts.ledger.advance(change).await {
                Ok(stored) => {
                    self.watchers.tell(&stored.record.call.id);
                    let stored_call = &stored.record.call;
                    let (call, tool) = (&stored_call.id, &stored_call.quote.tool);
                    tracing::debug!(%call, %tool, "{}", stored_call.state.name());
                    self.tell_viewers(None, stored_call);
                    return Some(stored);
                }
                Err(AdvanceError::Ledger(error)) => {
                    tracing::error!(call = %record.call.id, %error, attempt, "an outcome could not be stored yet");
                    let pause = Duration::from_millis(50 << attempt);
                    self.parts.clock.sleep(pause).await;
                }
                Err(error) => {
                    tracing::error!(call = %record.call.id, %error, "a run's claim was lost; its result is dropped");
                    return None;
                }
            }
        }
        None
    }

    /// Settles, releases, tries again or refunds what the stored result calls for. What fails now stays due for the
    /// sweeper.
    async fn bring_to_rest(&self, stored: Advanced, outcome: Option<Arc<Outcome>>) -> Finished {
        let Advanced { record, receipt } = stored;
        if record.call.state.is_end() {
            let delivery = outcome.map(|outcome| Delivery { outcome, receipt });
            return Finished { record, delivery };
        }
        let call = record.call.id.clone();
        if let Err(error) = Drive::new(self, record.clone(), Purpose::Finish)
            .rest()
            .await
        {
            tracing::warn!(%call, %error, "the money of a call is not at rest yet");
        }
        let record = match self.parts.ledger.find(CallKey::Call(call.clone())).await {
            Ok(Some(now)) => now,
            _ => record,
        };
        let delivery = match record.call.state {
            CallState::Deliverable => self.parts.ledger.outcome(call).await.ok().flatten(),
            _ => None,
        };
        Finished { record, delivery }
    }
}

fn lease_ms(spec: &RunSpec) -> Millis {
    spec.limits.wall_ms_max as i64 + LEASE_MARGIN_MS
}

fn job(claimed: &Record, spec: &RunSpec, prepared: &Prepared) -> Job {
    Job {
        component: claimed.call.quote.component,
        plugin: claimed.call.quote.plugin.clone(),
        tool: spec.tool.clone(),
        arguments: prepared.arguments.clone(),
        execution_id: claimed.call.id.to_string(),
        principal: claimed.call.quote.principal.clone(),
        limits: spec.limits,
        settings: spec.settings.clone(),
        progress: prepared.progress.clone(),
        ready: Some(prepared.ready.clone()),
    }
}
