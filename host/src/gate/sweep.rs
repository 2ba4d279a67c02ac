//! The sweeper: finishes what callers, crashes and other hosts left, and forgets what has been kept long enough.

use std::time::Duration;

use coinop_core::Millis;
use coinop_core::call::{CallState, Event};
use coinop_core::ids::CallId;
use coinop_core::step::{due_at, look_again_at};
use futures::StreamExt as _;
use tokio_util::sync::CancellationToken;

use super::Gate;
use super::drive::{Drive, Purpose};
use crate::ledger::{AdvanceError, CallKey, Change, LedgerError, Record, TakeDue};

/// Time between two rounds.
const ROUND: Duration = Duration::from_secs(2);
/// Calls taken in one round.
const CALLS_MAX: u32 = 64;
/// Calls looked at at a time: a provider that is slow for one does not hold the others up.
const AT_ONCE_MAX: usize = 8;
/// For how long what one host takes is kept from the others: longer than any provider is waited for, milliseconds.
const TAKEN_MS: Millis = 120_000;
/// How long hosts try before a person must look, milliseconds.
const GIVE_UP_MS: Millis = 7 * 24 * 60 * 60 * 1_000;
/// Pause before a provider that did not answer the last look at an ended call is asked once more, milliseconds.
const ASK_ONCE_MORE_MS: Millis = 60 * 60 * 1_000;
/// How long after its end a call is looked at at the very most, milliseconds: a provider may be gone for good.
const WATCHED_MS_MAX: Millis = 90 * 24 * 60 * 60 * 1_000;
/// Rounds between two looks for what may be forgotten, once nothing is left.
const ROUNDS_PER_FORGETTING: u32 = 30;
/// Batches forgotten in one round, so that a busy host keeps up with what it stores and sweeps in between.
const BATCHES_MAX: u32 = 8;

/// Sweeps until `stop`: at once, since the host before may have been killed, and then round after round.
pub(super) async fn run(gate: Gate, stop: CancellationToken) {
    let mut rounds_to_forgetting = 0;
    let mut away = false;
    loop {
        // Told when it goes and when it is back, not every round in between.
        let swept = gate.sweep().await;
        match &swept {
            Ok(_) if away => tracing::info!("the ledger answers again"),
            Ok(_) => {}
            Err(error) if !away => tracing::warn!(%error, "the ledger cannot be swept"),
            Err(error) => tracing::debug!(%error, "the ledger cannot be swept yet"),
        }
        away = swept.is_err();
        rounds_to_forgetting = match rounds_to_forgetting {
            0 if gate.forget_some().await => 0,
            0 => ROUNDS_PER_FORGETTING - 1,
            rounds => rounds - 1,
        };
        tokio::select! {
            biased;
            () = stop.cancelled() => return,
            () = gate.parts.clock.sleep(ROUND) => {}
        }
    }
}

impl Gate {
    /// One round: every call that is due, and whose account this host has, is driven one turn further. Returns how many
    /// were looked at.
    pub async fn sweep_once(&self) -> usize {
        self.sweep().await.unwrap_or(0)
    }

    async fn sweep(&self) -> Result<usize, LedgerError> {
        let now = self.parts.clock.now();
        let take = TakeDue {
            now,
            until: now + TAKEN_MS,
            accounts: self.parts.accounts.keys().cloned().collect(),
            limit: CALLS_MAX,
        };
        let due = self.parts.ledger.take_due(take).await?;
        let count = due.len();
        let looks = futures::stream::iter(due).map(|record| self.look(record, now));
        looks.buffer_unordered(AT_ONCE_MAX).collect::<()>().await;
        Ok(count)
    }

    async fn look(&self, record: Record, read_at: Millis) {
        let (before, call) = (record.version, record.call.id.clone());
        let drive = Drive::new(self, record, Purpose::Sweep).read_earlier(read_at);
        let looked = drive.rest().await;
        if let Err(error) = &looked {
            tracing::warn!(%call, %error, "a due call could not be finished yet");
        }
        if let Err(error) = self.make_room(&call, before, looked.is_ok()).await {
            tracing::warn!(%call, %error, "a due call could not be put off");
        }
    }

    /// Puts off what has not changed in its turn, so that the others have theirs; what stays so for too long is for a
    /// person.
    async fn make_room(
        &self,
        call: &CallId,
        version: i64,
        looked: bool,
    ) -> Result<(), AdvanceError> {
        let ledger = &self.parts.ledger;
        let key = CallKey::Call(call.clone());
        let Some(record) = ledger.find(key).await?.filter(|r| r.version == version) else {
            return Ok(());
        };
        let now = self.parts.clock.now();
        let stuck_since = match record.call.state {
            // Looked at from time to time, and nothing has to come of it.
            CallState::Expired | CallState::Declined => now,
            // A refund that was ordered stays ordered, and is in the operator's queue already.
            CallState::Deliverable => now,
            CallState::Awaiting => record.call.quote.expires_at,
            _ => due_at(&record.call, record.updated_at).unwrap_or(now),
        };
        let stuck = now.saturating_sub(stuck_since) >= GIVE_UP_MS;
        if stuck {
            tracing::error!(%call, "a call has been stuck for days: it needs a person's attention");
            let reason = "no host could finish it for days".to_owned();
            let change = Change {
                call: call.clone(),
                events: vec![Event::Exhausted { reason }],
                outcome: None,
                at: now,
            };
            return ledger.advance(change).await.map(drop);
        }
        let again = match look_again_at(&record.call, record.updated_at, now) {
            // The last look counts once the provider has answered it; for as long as anything is tried.
            None if !looked && now < record.updated_at.saturating_add(WATCHED_MS_MAX) => {
                Some(now + ASK_ONCE_MORE_MS)
            }
            again => again,
        };
        ledger.postpone(call.clone(), version, again).await?;
        Ok(())
    }

    /// Forgets what is past its retention, a few batches of it. Whether there may be more.
    pub(super) async fn forget_some(&self) -> bool {
        let kept = i64::try_from(self.parts.retention.as_millis()).unwrap_or(i64::MAX);
        let before = self.parts.clock.now().saturating_sub(kept);
        let mut outcomes = 0;
        for _ in 0..BATCHES_MAX {
            match self.parts.ledger.forget(before).await {
                Ok(0) => break,
                Ok(batch) => outcomes += batch,
                Err(error) => {
                    tracing::warn!(%error, "old outcomes could not be forgotten");
                    return false;
                }
            }
        }
        if outcomes > 0 {
            tracing::info!(outcomes, "forgot outcomes past their retention");
        }
        outcomes > 0
    }
}
