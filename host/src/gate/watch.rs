//! Waiting for a payment, in a request that a client keeps open.

use std::time::Duration;

use coinop_core::mode::Ask;

use super::drive::{Drive, Ending, Trouble};
use super::paid::Caller;

/// Between two looks.
const LOOK: Duration = Duration::from_millis(250);

impl Drive<'_> {
    /// Waits at most `ms` until the payment may have changed, then looks again.
    pub(super) async fn watch(
        &mut self,
        ms: i64,
        _ask: &Ask,
        caller: Option<&Caller>,
    ) -> Result<Option<Ending>, Trouble> {
        if !self.commit().await? {
            return Ok(None);
        }
        let Some(caller) = caller else {
            return Ok(Some(Ending::Rest));
        };
        let pause = LOOK.min(Duration::from_millis(ms.max(1).unsigned_abs()));
        tokio::select! {
            biased;
            () = caller.cancel.cancelled() => return Ok(Some(Ending::Cancelled)),
            () = self.gate.parts.clock.sleep(pause) => {}
        }
        self.dialog.waited_ms += pause.as_millis() as i64;
        self.reread().await?;
        Ok(None)
    }
}
