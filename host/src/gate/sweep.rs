//! The sweeper: finishes what callers, crashes and other hosts left, and forgets what has been kept long enough.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::Gate;
use super::drive::{Drive, Purpose, Trouble};

/// Time between two rounds.
const ROUND: Duration = Duration::from_secs(2);
/// Calls looked at in one round.
const CALLS_MAX: u32 = 64;
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
            match Drive::new(self, record, Purpose::Sweep).rest().await {
                Ok(()) => {}
                // Not ours to finish: another host has the account.
                Err(Trouble::Account(_)) => {}
                Err(error) => tracing::warn!(%call, %error, "a due call could not be finished yet"),
            }
        }
        count
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
