//! What happened, on its way into the ledger: gathered on the local copy, committed together, taken as the ledger has it.

use coinop_core::Millis;
use coinop_core::call::Event;

use super::{Drive, Ending, Trouble};
use crate::ledger::{AdvanceError, Advanced, CallKey, Change, Record};

/// Age of what was read at which it is read again before money is sent, milliseconds: far less than the time that a
/// refund on its way keeps its call from being credited.
const STALE_MS: Millis = 60_000;

impl Drive<'_> {
    pub(in crate::gate) async fn end(&mut self, ending: Ending) -> Result<Option<Ending>, Trouble> {
        let committed = self.commit().await?;
        Ok(committed.then_some(ending))
    }

    /// Applies an event to the local copy.
    pub(in crate::gate) fn gather(&mut self, event: Event) -> Result<(), Trouble> {
        if let Err(error) = self.call.apply(&event) {
            // The provider said something that does not fit: nothing is changed, and it is looked at again later.
            tracing::warn!(call = %self.call.id, %error, "an event was refused");
            return Err(Trouble::Unsteady);
        }
        self.gathered.push(event);
        Ok(())
    }

    /// Makes the gathered events durable. `false`: somebody was faster, and the call is now theirs.
    pub(in crate::gate) async fn commit(&mut self) -> Result<bool, Trouble> {
        if self.gathered.is_empty() {
            return Ok(true);
        }
        let change = self.change();
        let advanced = self.gate.parts.ledger.advance(change).await;
        self.committed(advanced)
    }

    /// The gathered events, to be committed.
    pub(super) fn change(&mut self) -> Change {
        Change {
            call: self.call.id.clone(),
            events: std::mem::take(&mut self.gathered),
            outcome: None,
            at: self.gate.parts.clock.now(),
        }
    }

    pub(super) fn committed(
        &mut self,
        advanced: Result<Advanced, AdvanceError>,
    ) -> Result<bool, Trouble> {
        match advanced {
            Ok(advanced) => {
                self.gate
                    .tell_viewers(Some(&self.stored.call), &advanced.record.call);
                self.take(advanced.record);
                self.gate.watchers.tell(&self.call.id);
                let (call, tool) = (&self.call.id, &self.call.quote.tool);
                tracing::debug!(%call, %tool, "{}", self.call.state.name());
                Ok(true)
            }
            Err(AdvanceError::Illegal { record, .. }) => {
                self.start_over(*record);
                Ok(false)
            }
            Err(AdvanceError::Blocked) => {
                self.call.clone_from(&self.stored.call);
                self.checked = false;
                self.blocked = true;
                Ok(false)
            }
            Err(error) => Err(error.into()),
        }
    }

    pub(super) fn take(&mut self, record: Record) {
        self.call.clone_from(&record.call);
        // It is written once and erased once.
        if record.run_spec.is_none() {
            self.spec = None;
        }
        self.stored = record;
        self.read_at = self.gate.parts.clock.now();
    }

    /// Takes the call as somebody else left it: what this turn knew of it counts no more.
    fn start_over(&mut self, record: Record) {
        self.take(record);
        self.gathered.clear();
        self.checked = false;
        self.is_new = false;
        self.remedy_started = false;
        self.first_try = false;
        self.tried_until = None;
    }

    pub(in crate::gate) async fn reread(&mut self) -> Result<(), Trouble> {
        let key = CallKey::Call(self.call.id.clone());
        let record = self.gate.parts.ledger.find(key).await?;
        self.start_over(record.ok_or(AdvanceError::Missing)?);
        Ok(())
    }

    /// Looks whether somebody else has changed the call; takes it as it is now if so. A ledger that is away for a moment
    /// says nothing.
    pub(in crate::gate) async fn has_changed(&mut self) -> Result<bool, Trouble> {
        let key = CallKey::Call(self.call.id.clone());
        let record = match self.gate.parts.ledger.find(key).await {
            Ok(record) => record.ok_or(AdvanceError::Missing)?,
            Err(error) => {
                tracing::debug!(call = %self.call.id, %error, "a wait could not look at the ledger");
                return Ok(false);
            }
        };
        let has_changed = record.version != self.stored.version;
        match has_changed {
            true => self.start_over(record),
            false => self.read_at = self.gate.parts.clock.now(),
        }
        Ok(has_changed)
    }

    /// Whether the call may have moved on since it was read: this host was stopped, or busy with others. What cannot be
    /// taken back is not asked of a provider then.
    pub(in crate::gate) fn is_stale(&self) -> bool {
        self.gate.parts.clock.now().saturating_sub(self.read_at) >= STALE_MS
    }
}
