//! What challenges are sealed with: the ledger's, remembered for a moment, so that a flood of calls without payment does
//! not ask the ledger for each.

use std::sync::{Mutex, PoisonError};

use coinop_core::Millis;

use crate::ledger::{Ledger, LedgerError};

/// The secrets' name in the ledger.
const NAME: &str = "challenge";
/// How long they are remembered, milliseconds. A challenge that another host sealed with a newer one is not believed for
/// that long, and its payer is asked anew.
const REMEMBERED_MS: Millis = 10_000;

/// The secrets as last read.
#[derive(Default)]
pub(in crate::gate) struct Secrets {
    last: Mutex<Option<(Millis, Vec<Vec<u8>>)>>,
}

impl Secrets {
    /// The secrets, the latest first.
    pub(super) async fn read(
        &self,
        ledger: &dyn Ledger,
        now: Millis,
    ) -> Result<Vec<Vec<u8>>, LedgerError> {
        if let Some(secrets) = self.remembered(now) {
            return Ok(secrets);
        }
        let secrets = ledger.secrets(NAME.to_owned(), now).await?;
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        *last = Some((now, secrets.clone()));
        Ok(secrets)
    }

    fn remembered(&self, now: Millis) -> Option<Vec<Vec<u8>>> {
        let last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let (read_at, secrets) = last.as_ref()?;
        let age_ms = now.saturating_sub(*read_at);
        (0..REMEMBERED_MS)
            .contains(&age_ms)
            .then(|| secrets.clone())
    }
}
