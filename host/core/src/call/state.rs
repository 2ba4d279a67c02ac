//! Where a call can stand, and the words for what went wrong and what makes up for it.

use serde::{Deserialize, Serialize};

use crate::Millis;
use crate::money::Amount;

/// The states of a call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "state")]
pub enum CallState {
    /// Offered; the provider has not been asked yet, or has not answered.
    Quoted,
    /// Waiting for the payer.
    Awaiting,
    /// Paid, or authorised and reserved: one claim away from running.
    Ready,
    /// Claimed: a host runs it until the lease ends.
    Running {
        /// Which host process holds the claim.
        owner: String,
        /// When the claim is void.
        lease_until: Millis,
    },
    /// The outcome is stored; the money is not final.
    Executed,
    /// The run failed by what the host saw or the tool declared: see [`Call::failure`].
    ToolFailed,
    /// The run was lost and must not be repeated: nobody knows what it did.
    Indeterminate,
    /// The outcome is stored; reserved money is being taken.
    Settling,
    /// The outcome is stored, paid for, and delivered as often as it is asked for. The good end.
    Deliverable,
    /// The reservation was given back and nothing delivered. An end.
    Withheld,
    /// Money arrived after the call had ended without it.
    LatePaid,
    /// Somebody is owed.
    CompensationDue {
        /// Why.
        cause: Cause,
        /// How often compensation failed so far.
        attempts: u32,
        /// When it was tried for the first time, if it was: its key may have been used since then.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        tried_at: Option<Millis>,
        /// What a person ordered against the seller's own rule, or what was tried before.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        ordered: Option<Remedy>,
    },
    /// Compensation is under way.
    Compensating {
        /// Why.
        cause: Cause,
        /// How.
        remedy: Remedy,
        /// How often compensation failed before.
        attempts: u32,
        /// When it was tried for the first time: its key may have been used since then.
        #[serde(default)]
        tried_at: Millis,
    },
    /// The money went back. An end.
    Refunded {
        /// Why.
        cause: Cause,
    },
    /// The money became the principal's balance. An end.
    Credited {
        /// Why.
        cause: Cause,
    },
    /// Not paid, by somebody's decision. An end, unless money arrives late.
    Declined,
    /// Not paid in time. An end, unless money arrives late.
    Expired,
    /// Everything automatic was tried; a person must look.
    Attention {
        /// What was tried.
        reason: String,
        /// Where it stood, so that it can be taken up again.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        from: Option<Box<CallState>>,
    },
}

/// A refund that a person ordered for a call that was delivered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefundOrder {
    /// Its idempotency key at the provider.
    pub key: String,
    /// How much, in the currency received.
    pub amount: Amount,
    /// Why, one line.
    pub reason: String,
    /// When it was ordered.
    pub at: Millis,
}

/// Refunds that may be ordered of one call, so that what is kept of it stays small.
pub const REFUNDS_MAX: u32 = 50;

/// An ordered refund that came to an end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PastRefund {
    /// What was ordered.
    #[serde(flatten)]
    pub order: RefundOrder,
    /// What became of it.
    pub end: RefundEnd,
}

/// What became of an ordered refund.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefundEnd {
    /// The money went back.
    Made,
    /// The provider refused for good; the money is still with it.
    Refused,
}

/// Why a run failed, in the host's own terms and bounded text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// A stable word: `trap`, `cpu_time`, `declared`, …
    pub kind: String,
    /// For the caller.
    pub message: String,
}

/// Why somebody is owed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// The run failed.
    ToolFailed,
    /// The run was lost.
    RunLost,
    /// The money came after the end.
    LatePaid,
    /// The money received is not the price.
    WrongAmount,
    /// Paid, and never called for.
    Unclaimed,
    /// The operator blocked the component.
    Blocked,
}

/// How somebody is made whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Remedy {
    /// The provider sends the money back.
    Refund,
    /// The money becomes balance.
    Credit,
}

impl CallState {
    /// The word in the ledger, in logs and on the command line.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Quoted => "quoted",
            Self::Awaiting => "awaiting",
            Self::Ready => "ready",
            Self::Running { .. } => "running",
            Self::Executed => "executed",
            Self::ToolFailed => "tool_failed",
            Self::Indeterminate => "indeterminate",
            Self::Settling => "settling",
            Self::Deliverable => "deliverable",
            Self::Withheld => "withheld",
            Self::LatePaid => "late_paid",
            Self::CompensationDue { .. } => "compensation_due",
            Self::Compensating { .. } => "compensating",
            Self::Refunded { .. } => "refunded",
            Self::Credited { .. } => "credited",
            Self::Declined => "declined",
            Self::Expired => "expired",
            Self::Attention { .. } => "attention",
        }
    }

    /// Whether the call has ended: no host will do anything more unless something new happens outside.
    pub fn is_end(&self) -> bool {
        matches!(
            self,
            Self::Deliverable
                | Self::Withheld
                | Self::Refunded { .. }
                | Self::Credited { .. }
                | Self::Declined
                | Self::Expired
        )
    }

    /// Whether asking again with the same arguments means this call: it is still on its way to an outcome.
    pub fn is_open(&self) -> bool {
        matches!(
            self,
            Self::Quoted
                | Self::Awaiting
                | Self::Ready
                | Self::Running { .. }
                | Self::Executed
                | Self::Settling
        )
    }
}

impl Cause {
    /// What somebody is owed for in `state`, when something is.
    pub(super) fn of(state: &CallState) -> Option<Self> {
        match state {
            CallState::ToolFailed => Some(Self::ToolFailed),
            CallState::Indeterminate | CallState::Running { .. } => Some(Self::RunLost),
            CallState::LatePaid => Some(Self::LatePaid),
            CallState::Ready => Some(Self::Unclaimed),
            CallState::CompensationDue { cause, .. } | CallState::Compensating { cause, .. } => {
                Some(*cause)
            }
            CallState::Attention {
                from: Some(from), ..
            } => Self::of(from),
            _ => None,
        }
    }
}
