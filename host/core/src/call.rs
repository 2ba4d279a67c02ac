//! One tool call from quote to its end: the aggregate whose transitions decide who is owed what.
//!
//! [`Call::apply`] is the only way its state changes. An event that is not legal in the present state changes nothing
//! and is an error, so two hosts that race write the same history: the second finds the state moved on and asks again.

mod event;
mod state;
mod transition;

use serde::{Deserialize, Serialize};

pub use self::event::{Event, IllegalEvent};
pub use self::state::{
    CallState, Cause, Failure, PastRefund, REFUNDS_MAX, RefundEnd, RefundOrder, Remedy,
};
use crate::Millis;
use crate::ids::CallId;
use crate::money::{Amount, Money};
use crate::payment::{Payment, PaymentState};
use crate::quote::Quote;

/// A paid call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Call {
    /// Its id, also what the plugin receives as its idempotency key.
    pub id: CallId,
    /// What was offered.
    pub quote: Quote,
    /// The mode that coordinates its payment.
    pub mode: String,
    /// Whose list of tools it changes while it is open (DYNAMIC_TOOLS): a session's or a principal's own handle.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub viewer: Option<String>,
    /// When it was quoted.
    pub created_at: Millis,
    /// Who pays how.
    pub payment: Payment,
    /// The fence: how many times a run was claimed. A run may only report under its own epoch.
    pub epoch: u32,
    /// The part of the price that comes from the principal's balance, in the price's currency; the provider is asked for
    /// the rest.
    #[serde(default, skip_serializing_if = "Amount::is_zero")]
    pub credit: Amount,
    /// How many of its runs failed.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub failures: u32,
    /// A refund that a person ordered after the end and that has not been made yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refund: Option<RefundOrder>,
    /// How many refunds were ordered: each has a key of its own.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub refunds_ordered: u32,
    /// The ordered refunds that came to an end, in order; [`REFUNDS_MAX`] at most.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub past_refunds: Vec<PastRefund>,
    /// What a person wrote who settled it by hand.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// Why its last run failed, when one did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<Failure>,
    /// Where it stands.
    pub state: CallState,
}

fn is_zero(count: &u32) -> bool {
    *count == 0
}

impl Call {
    /// A call that has just been offered.
    pub fn quoted(
        id: CallId,
        quote: Quote,
        mode: &str,
        created_at: Millis,
        payment: Payment,
    ) -> Self {
        Self {
            id,
            quote,
            mode: mode.to_owned(),
            viewer: None,
            created_at,
            payment,
            epoch: 0,
            credit: Amount::ZERO,
            failures: 0,
            refund: None,
            refunds_ordered: 0,
            past_refunds: Vec::new(),
            note: None,
            failure: None,
            state: CallState::Quoted,
        }
    }

    /// What the provider is asked for: the price less what comes from the balance.
    pub fn due(&self) -> Money {
        let rest = self.quote.price.amount.checked_sub(self.credit);
        Money {
            amount: rest.unwrap_or(Amount::ZERO),
            ..self.quote.price
        }
    }

    /// Whether a failed run is tried again before anybody is compensated; only where a run may be repeated at all.
    pub fn may_try_again(&self) -> bool {
        self.state == CallState::ToolFailed
            && self.failures <= self.quote.retries
            && self.backs_a_run()
    }

    /// Whether a run may be claimed on its payment: money that is here, or reserved where it is taken after the run.
    pub fn backs_a_run(&self) -> bool {
        match self.payment.state {
            PaymentState::Paid => true,
            PaymentState::Authorized => !self.quote.upfront,
            _ => false,
        }
    }

    /// What the provider took and has not given back, in the currency received; nothing where it took nothing.
    pub fn held(&self) -> Amount {
        let taken = match self.payment.received {
            Some(received) if self.payment.state.was_taken() => received.amount,
            _ => Amount::ZERO,
        };
        taken
            .checked_sub(self.payment.refunded)
            .unwrap_or(Amount::ZERO)
    }

    /// The idempotency key of the next refund that a person orders: of two orders made at the same time one is illegal.
    pub fn next_refund_key(&self) -> String {
        format!("{}-refund-{}", self.payment.id, self.refunds_ordered + 1)
    }
}

#[cfg(test)]
pub(crate) mod tests;
