//! The sandbox's desk: what the accounts of one host and the courier share. The purse, the time, the secrets that
//! webhooks are signed with, and a bell.

use std::sync::Arc;

use arc_swap::ArcSwapOption;
use coinop_core::Millis;
use tokio::sync::Notify;

use super::purse::{Purse, PurseError};
use crate::clock::Clock;

/// The name of the secrets that the sandbox's webhooks are signed with, in the ledger that the hosts share.
pub const WEBHOOK_SECRET: &str = "sandbox-webhook";
/// How old the secrets at hand may be, milliseconds: forged webhooks come in floods, and must not each ask the store.
const SECRETS_AGE_MS_MAX: u64 = 1_000;

/// The secrets that count, the latest first.
pub(super) type Secrets = Arc<[Vec<u8>]>;

/// What the accounts of one host and the courier share.
pub struct Desk {
    purse: Arc<dyn Purse>,
    clock: Arc<dyn Clock>,
    bell: Notify,
    secrets: ArcSwapOption<(Millis, Secrets)>,
}

impl Desk {
    /// A desk over a purse.
    pub fn new(purse: Arc<dyn Purse>, clock: Arc<dyn Clock>) -> Self {
        Self {
            purse,
            clock,
            bell: Notify::new(),
            secrets: ArcSwapOption::empty(),
        }
    }

    pub(super) fn purse(&self) -> &Arc<dyn Purse> {
        &self.purse
    }

    pub(super) fn now(&self) -> Millis {
        self.clock.now()
    }

    /// Says that there may be something in the outbox.
    pub(super) fn ring(&self) {
        self.bell.notify_one();
    }

    /// Waits until somebody rings, or has rung since the last time.
    pub(super) async fn rung(&self) {
        self.bell.notified().await;
    }

    /// The secrets that count, at most a second old. A host that has not heard of a new one yet still knows
    /// the one before, which signs as well.
    pub(super) async fn secrets(&self) -> Result<Secrets, PurseError> {
        let now = self.now();
        if let Some(at_hand) = self.secrets.load_full()
            && now.abs_diff(at_hand.0) < SECRETS_AGE_MS_MAX
        {
            return Ok(Arc::clone(&at_hand.1));
        }
        let read: Secrets = self.purse.webhook_secrets(now).await?.into();
        let at_hand = Arc::new((now, Arc::clone(&read)));
        self.secrets.store(Some(at_hand));
        Ok(read)
    }
}
