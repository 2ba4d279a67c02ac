//! Coming to a run: taking a place, claiming, or waiting for whoever claimed first.

use std::time::Duration;

use coinop_core::call::CallState;
use coinop_core::mode::Ask;
use coinop_core::step::due_at;

use super::{Drive, Ending, Trouble};
use crate::gate::paid::{Caller, RunSpec};
use crate::gate::runs::{ELSEWHERE_LOOKS_MAX, Prepared, Waited};
use crate::gate::{BUSY, Errand};
use crate::ledger::LedgerError;

impl Drive<'_> {
    /// Claims the run and starts it. A caller waits for a place as long as its run may last; whoever comes by without one
    /// looks again later. `Some` when the caller gave up before the claim was made.
    pub(super) async fn claim(
        &mut self,
        caller: Option<&Caller>,
    ) -> Result<Option<Ending>, Trouble> {
        let Some((spec, arguments)) = self.spec.clone().zip(self.stored.arguments.clone()) else {
            return Err(LedgerError::Corrupt("a call to be run has no arguments".into()).into());
        };
        let Some(slot) = self.gate.runs.reserve(&self.call.id) else {
            // Another task of this host is at it: let it claim, then wait with everybody else.
            let settled = self.gate.runs.settled(&self.call.id);
            if unless_cancelled(caller, settled).await.is_none() {
                return Ok(Some(Ending::Cancelled));
            }
            return self.reread().await.map(|()| None);
        };
        let since = self.changed_at();
        let runner = &self.gate.parts.runner;
        let at_once = runner.prepare(self.errand(&spec, Duration::ZERO));
        let ready = match unless_cancelled(caller, at_once).await {
            None => return Ok(Some(Ending::Cancelled)),
            Some(Err(failure)) if failure.kind == BUSY && caller.is_some() => {
                // What was seen of the payment is recorded before a wait that may be long.
                if !self.gathered.is_empty() && !self.commit().await? {
                    return Ok(None);
                }
                let patience = Duration::from_millis(spec.limits.wall_ms_max);
                let in_turn = runner.prepare(self.errand(&spec, patience));
                match unless_cancelled(caller, in_turn).await {
                    None => return Ok(Some(Ending::Cancelled)),
                    Some(ready) => ready?,
                }
            }
            Some(ready) => ready?,
        };
        let at = self.gate.parts.clock.now();
        let reserved = self.call.state == CallState::Ready && !self.call.payment.state.is_taken();
        if reserved && due_at(&self.call, since).is_some_and(|ends_at| at >= ends_at) {
            // The reservation ended meanwhile: nothing would be taken for the run.
            return Ok(None);
        }
        self.gather(self.gate.claim_event(&self.call, &spec, at))?;
        let claim = self.change();
        let prepared = Prepared {
            arguments,
            progress: caller.and_then(|c| c.progress.clone()),
            ready,
        };
        let advanced = self.gate.claim_and_run(claim, slot, spec, prepared).await;
        self.committed(advanced).map(|_| None)
    }

    fn errand(&self, spec: &RunSpec, patience: Duration) -> Errand {
        Errand {
            component: self.call.quote.component,
            limits: spec.limits,
            patience,
        }
    }

    /// Waits for the run that somebody else claimed.
    pub(super) async fn wait(
        &mut self,
        caller: Option<&Caller>,
    ) -> Result<Option<Ending>, Trouble> {
        if !self.commit().await? {
            return Ok(None);
        }
        let Some(caller) = caller else {
            return Ok(Some(Ending::Rest));
        };
        let (runs, clock) = (&self.gate.runs, self.gate.parts.clock.as_ref());
        match runs.wait(&self.call.id, &caller.cancel, clock).await {
            Waited::Finished(finished) => {
                self.take(finished.record.clone());
                // Whoever ran it tried to take the money as well.
                self.tried_to_settle = true;
                match &finished.delivery {
                    Some(delivery) if self.call.state == CallState::Deliverable => {
                        Ok(Some(Ending::Outcome(delivery.clone())))
                    }
                    _ => Ok(None),
                }
            }
            Waited::Cancelled => Ok(Some(Ending::Cancelled)),
            Waited::Unknown => {
                self.reread().await?;
                Ok(None)
            }
            Waited::Elsewhere => {
                self.reread().await?;
                self.looks += 1;
                let running =
                    matches!(self.call.state, CallState::Running { .. }) || self.is_being_settled();
                let told = running && self.looks >= ELSEWHERE_LOOKS_MAX;
                let ask = || Ask::running(self.mode(), &self.call);
                Ok(told.then(|| Ending::Ask(ask())))
            }
        }
    }
}

/// What `work` comes to; `None` when the caller, if there is one, gives up first.
async fn unless_cancelled<T>(caller: Option<&Caller>, work: impl Future<Output = T>) -> Option<T> {
    match caller {
        None => Some(work.await),
        Some(caller) => tokio::select! {
            biased;
            done = work => Some(done),
            () = caller.cancel.cancelled() => None,
        },
    }
}
