//! What a simulated bank offers: every combination that a real one might have.

use std::time::Duration;

use coinop::provider::Capabilities;
use coinop_core::Millis;

use crate::sim::dice::Dice;

const MINUTE: Millis = 60_000;
const HOUR: Millis = 60 * MINUTE;

/// The terms of one account.
#[derive(Clone, Debug)]
pub(crate) struct Terms {
    /// Payments are asked for, rather than made by the host alone.
    pub online: bool,
    /// It has a payment page of its own.
    pub own_page: bool,
    /// It reserves, and takes when told.
    pub authorizes: bool,
    /// Its payers may bring the payment with the call.
    pub rail: bool,
    /// It sends money back.
    pub refunds: bool,
    /// It says what became of a refund.
    pub tells_refunds: bool,
    /// It finds a payment by the host's own reference.
    pub looks_up: bool,
    /// It ends a payment that nobody paid in time, without being told.
    pub expires: bool,
    /// A refund that it gave up can be asked for again with the same key.
    pub retries_refunds: bool,
    /// How long it remembers a key, milliseconds, `None` for ever.
    pub key_window: Option<Millis>,
    /// How long after its end a payment may still bring money, milliseconds.
    pub late_window: Millis,
    /// How long it lets the host wait, milliseconds.
    pub timeout: Millis,
    /// How often a refund takes its time, per mille.
    pub slow_refunds: u64,
}

impl Terms {
    /// The terms of a seed.
    pub(crate) fn of(dice: &Dice) -> Self {
        Self {
            online: dice.chance(600),
            own_page: dice.chance(400),
            authorizes: dice.chance(350),
            rail: dice.chance(500),
            refunds: dice.chance(900),
            tells_refunds: dice.chance(700),
            looks_up: dice.chance(600),
            expires: dice.chance(500),
            retries_refunds: dice.chance(500),
            key_window: *dice.pick(&[None, Some(0), Some(HOUR), Some(24 * HOUR)]),
            late_window: *dice.pick(&[0, 20 * MINUTE, 24 * HOUR]),
            timeout: dice.between(1_000, 15_000),
            slow_refunds: dice.below(400),
        }
    }

    /// The same, as the host reads them.
    pub(crate) fn capabilities(&self) -> Capabilities {
        let duration = |ms: Millis| Duration::from_millis(ms.unsigned_abs());
        Capabilities {
            authorizes: self.authorizes,
            refunds: self.refunds,
            webhooks: false,
            test: true,
            pays_on_host_page: !self.own_page,
            links: true,
            key_window: self.key_window.map(duration),
            late_window: duration(self.late_window),
            timeout: duration(self.timeout),
            lifetime_max: Duration::from_secs(3_600),
        }
    }
}
