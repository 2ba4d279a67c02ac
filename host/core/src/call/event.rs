//! What can happen to a call.

use serde::{Deserialize, Serialize};

use super::{Cause, Failure, RefundOrder, Remedy};
use crate::Millis;
use crate::payment::{IllegalPayment, PaymentEvent};

/// What happened to a call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "event")]
pub enum Event {
    /// Something happened to its payment.
    Payment {
        /// What.
        what: PaymentEvent,
    },
    /// A host takes the right to run it.
    Claimed {
        /// Which host process.
        owner: String,
        /// When.
        at: Millis,
        /// Until when the claim holds.
        lease_until: Millis,
        /// Whether a lost run may be repeated (pure or idempotent tools).
        rerun: bool,
    },
    /// Its caller came for it from elsewhere: it changes the list of that viewer now, and no other's.
    Shown {
        /// The viewer.
        viewer: String,
    },
    /// The run of `epoch` produced an outcome, which is stored with this event.
    Executed {
        /// The fence.
        epoch: u32,
    },
    /// The run of `epoch` failed.
    ToolFailed {
        /// The fence.
        epoch: u32,
        /// Why.
        failure: Failure,
    },
    /// The lease of `epoch` ended without a report, and the run must not be repeated.
    RunLost {
        /// The fence.
        epoch: u32,
        /// When this was decided.
        at: Millis,
    },
    /// The stored outcome is paid for.
    Concluded,
    /// Somebody is owed.
    CompensationDue {
        /// Why; must fit the state.
        cause: Cause,
    },
    /// The remedy is about to be applied.
    CompensationStarted {
        /// Which.
        remedy: Remedy,
        /// When.
        at: Millis,
    },
    /// The remedy could not be applied; it stays due.
    CompensationFailed,
    /// The money became balance.
    Credited,
    /// Everything automatic was tried.
    Exhausted {
        /// What was tried.
        reason: String,
    },
    /// A person had a call taken up again where it was stuck.
    TakenUp,
    /// A person chose how somebody who is owed is made whole.
    RemedyOrdered {
        /// How.
        remedy: Remedy,
    },
    /// A person settled a stuck call outside of coinop: what was taken went back by hand, or was never taken.
    ClosedByHand {
        /// What was done, one line.
        note: String,
    },
    /// A person ordered a refund of a delivered call.
    RefundOrdered {
        /// How much; a key of its own.
        refund: RefundOrder,
    },
    /// The provider made an ordered refund.
    RefundMade {
        /// Its key: two hosts that both saw it made record it once.
        key: String,
    },
    /// The provider refused an ordered refund for good.
    RefundRefused {
        /// Its key.
        key: String,
    },
}

impl From<PaymentEvent> for Event {
    fn from(what: PaymentEvent) -> Self {
        Self::Payment { what }
    }
}

/// An event that this call cannot have now. Nothing was changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IllegalEvent {
    /// The call's state does not allow it.
    #[error("a call that is {state} cannot have the event {event}")]
    Call {
        /// The state's name.
        state: &'static str,
        /// The event, without a tool's words.
        event: String,
    },
    /// The payment's state does not allow it.
    #[error(transparent)]
    Payment(#[from] IllegalPayment),
}
