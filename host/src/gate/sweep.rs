//! The sweeper: finishes what callers, crashes and other hosts left, and forgets what has been kept long enough.

use std::time::Duration;

use coinop_core::Millis;
use coinop_core::call::Event;
use coinop_core::ids::CallId;
use coinop_core::step::due_at;
use tokio_util::sync::CancellationToken;

use super::Gate;
use super::drive::{Drive, Purpose, Trouble};
use crate::ledger::{AdvanceError, Change};

/// Time between two rounds.
const ROUND: Duration = Duration::from_secs(2);
/// Calls looked at in one round.
const CALLS_MAX: u32 = 64;
/// How long a call that could not be finished is put off at least and at most, milliseconds.
const PUT_OFF_MS_MIN: Millis = 30_000;
const PUT_OFF_MS_MAX: Millis = 60 * 60 * 1_000;
/// How long hosts try before a person must look, milliseconds.
const GIVE_UP_MS: Millis = 7 * 24 * 60 * 60 * 1_000;
/// Rounds between two rounds of forgetting.
const ROUNDS_PER_FORGETTING: u32 = 30;

/// Sweeps until `stop`.
pub(super) async fn run(gate: Gate, stop: CancellationToken) {
    let mut rounds = 0_u32;
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(ROUND) => {}
        }
        gate.sweep_once().await;
        if rounds.is_multiple_of(ROUNDS_PER_FORGETTING) {
            gate.forget_once().await;
        }
        rounds = rounds.wrapping_add(1);
    }
}

impl Gate {
    /// One round: every call that is due is driven one turn further. Returns how many were looked at.
    pub(super) async fn sweep_once(&self) -> usize {
        let now = self.parts.clock.now();
        let due = match self.parts.ledger.due(now, CALLS_MAX).await {
            Ok(due) => due,
            Err(error) => {
                tracing::warn!(%error, "the ledger cannot be swept");
                return 0;
            }
        };
        let count = due.len();
        for record in due {
            let call = record.call.id.clone();
            let due_at = due_at(&record.call, record.updated_at).unwrap_or(now);
            match Drive::new(self, record, Purpose::Sweep).rest().await {
                Ok(()) => {}
                // Not ours to finish: another host has the account.
                Err(Trouble::Account(_)) => {}
                Err(error) => tracing::warn!(%call, %error, "a due call could not be finished yet"),
            }
            if let Err(error) = self.make_room(&call, due_at).await {
                tracing::warn!(%call, %error, "a due call could not be put off");
            }
        }
        count
    }

    /// Puts off what is still due after its turn, the longer the longer it is overdue, so that the others have theirs;
    /// what stays so for too long is for a person.
    async fn make_room(&self, call: &CallId, due_at: Millis) -> Result<(), AdvanceError> {
        let now = self.parts.clock.now();
        let overdue_ms = now.saturating_sub(due_at);
        let until = now + (overdue_ms / 4).clamp(PUT_OFF_MS_MIN, PUT_OFF_MS_MAX);
        let still_due = self.parts.ledger.postpone(call.clone(), now, until).await?;
        if !still_due || overdue_ms < GIVE_UP_MS {
            return Ok(());
        }
        tracing::error!(%call, "a call has been stuck for days: it needs a person's attention");
        let reason = "no host could finish it for days".to_owned();
        let change = Change {
            call: call.clone(),
            events: vec![Event::Exhausted { reason }],
            outcome: None,
            at: now,
        };
        self.parts.ledger.advance(change).await.map(drop)
    }

    async fn forget_once(&self) {
        let kept = i64::try_from(self.parts.retention.as_millis()).unwrap_or(i64::MAX);
        let before = self.parts.clock.now().saturating_sub(kept);
        match self.parts.ledger.forget(before).await {
            Ok(0) => {}
            Ok(outcomes) => tracing::info!(outcomes, "forgot outcomes past their retention"),
            Err(error) => tracing::warn!(%error, "old outcomes could not be forgotten"),
        }
    }
}
