//! One tool call from quote to its end: the aggregate whose transitions decide who is owed what.
//!
//! [`Call::apply`] is the only way its state changes. An event that is not legal in the present state changes nothing
//! and is an error, so two hosts that race write the same history: the second finds the state moved on and asks again.

use serde::{Deserialize, Serialize};

use crate::Millis;
use crate::ids::CallId;
use crate::payment::{IllegalPayment, Payment, PaymentEvent, PaymentState};
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
    /// When it was quoted.
    pub created_at: Millis,
    /// Who pays how.
    pub payment: Payment,
    /// The fence: how many times a run was claimed. A run may only report under its own epoch.
    pub epoch: u32,
    /// Why its last run failed, when one did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<Failure>,
    /// Where it stands.
    pub state: CallState,
}

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
    },
    /// Compensation is under way.
    Compensating {
        /// Why.
        cause: Cause,
        /// How.
        remedy: Remedy,
        /// How often compensation failed before.
        attempts: u32,
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
    },
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

impl Call {
    /// The one transition function. On an error nothing has changed.
    ///
    /// # Errors
    /// [`IllegalEvent`] for every pair of state and event that is not listed.
    pub fn apply(&mut self, event: &Event) -> Result<(), IllegalEvent> {
        let state = match event {
            Event::Payment { what } => return self.apply_payment(what),
            other => self.after(other).ok_or_else(|| self.illegal(event))?,
        };
        match event {
            Event::Claimed { .. } => self.epoch += 1,
            Event::ToolFailed { failure, .. } => self.failure = Some(failure.clone()),
            _ => {}
        }
        self.state = state;
        Ok(())
    }

    fn illegal(&self, event: &Event) -> IllegalEvent {
        IllegalEvent::Call {
            state: self.state.name(),
            event: match event {
                // Errors are logged; what a tool says may repeat its arguments, and is not.
                Event::ToolFailed { .. } => "tool_failed".to_owned(),
                other => format!("{other:?}"),
            },
        }
    }

    /// The state after an event that is not the payment's, `None` when illegal.
    fn after(&self, event: &Event) -> Option<CallState> {
        use CallState as S;
        use Event as E;
        Some(match (&self.state, event) {
            (
                S::Ready,
                E::Claimed {
                    owner,
                    at,
                    lease_until,
                    ..
                },
            ) if self.payment.state.backs_a_run() && lease_until > at => {
                running(owner, *lease_until)
            }
            (
                S::Running {
                    lease_until: old, ..
                },
                E::Claimed {
                    owner,
                    at,
                    lease_until,
                    rerun: true,
                },
            ) if at >= old && lease_until > at => running(owner, *lease_until),
            (S::Running { .. } | S::Indeterminate, E::Executed { epoch })
                if *epoch == self.epoch =>
            {
                S::Executed
            }
            (S::Running { .. } | S::Indeterminate, E::ToolFailed { epoch, .. })
                if *epoch == self.epoch =>
            {
                S::ToolFailed
            }
            (S::Running { lease_until, .. }, E::RunLost { epoch, at })
                if *epoch == self.epoch && at >= lease_until =>
            {
                S::Indeterminate
            }
            (S::Executed, E::Concluded) if self.payment.state == PaymentState::Paid => {
                S::Deliverable
            }
            (
                S::ToolFailed,
                E::CompensationDue {
                    cause: cause @ Cause::ToolFailed,
                },
            )
            | (
                S::Indeterminate,
                E::CompensationDue {
                    cause: cause @ Cause::RunLost,
                },
            )
            | (
                S::LatePaid,
                E::CompensationDue {
                    cause: cause @ Cause::LatePaid,
                },
            )
            | (
                S::Ready,
                E::CompensationDue {
                    cause: cause @ (Cause::Unclaimed | Cause::Blocked),
                },
            ) if self.payment.state.is_taken() => S::CompensationDue {
                cause: *cause,
                attempts: 0,
            },
            (S::CompensationDue { cause, attempts }, E::CompensationStarted { remedy }) => {
                S::Compensating {
                    cause: *cause,
                    remedy: *remedy,
                    attempts: *attempts,
                }
            }
            (
                S::Compensating {
                    cause, attempts, ..
                },
                E::CompensationFailed,
            ) => S::CompensationDue {
                cause: *cause,
                attempts: attempts + 1,
            },
            (
                S::Compensating {
                    cause,
                    remedy: Remedy::Credit,
                    ..
                },
                E::Credited,
            ) => S::Credited { cause: *cause },
            (state, E::Exhausted { reason })
                if !state.is_end() && !matches!(state, S::Attention { .. }) =>
            {
                S::Attention {
                    reason: reason.clone(),
                }
            }
            _ => return None,
        })
    }

    fn apply_payment(&mut self, event: &PaymentEvent) -> Result<(), IllegalEvent> {
        let mut payment = self.payment.clone();
        payment.apply(event)?;
        let state = self
            .after_payment(&payment, event)
            .ok_or_else(|| self.illegal(&event.clone().into()))?;
        self.payment = payment;
        self.state = state;
        Ok(())
    }

    /// The call's state once its payment has had `event`, `None` when the two do not go together.
    fn after_payment(&self, payment: &Payment, event: &PaymentEvent) -> Option<CallState> {
        use CallState as S;
        use PaymentEvent as E;
        Some(match (&self.state, event) {
            (S::Quoted, E::Created { .. }) => S::Awaiting,
            (S::Awaiting, E::Paid { received }) if *received == self.quote.price => S::Ready,
            // A wrong reservation is not accepted: nothing was taken, and it is given back.
            (S::Awaiting, E::Authorized { reserved }) if *reserved == self.quote.price => S::Ready,
            (S::Quoted | S::Awaiting, E::Failed | E::Declined | E::Canceled) => S::Declined,
            (S::Quoted | S::Awaiting, E::Expired) => S::Expired,
            (S::Declined | S::Expired, E::Paid { .. }) => S::LatePaid,
            (S::Executed, E::SettleStarted) => S::Settling,
            (S::Settling, E::SettleUnknown) => S::Settling,
            (S::Settling, E::Settled { received }) if *received == self.quote.price => {
                S::Deliverable
            }
            (S::Awaiting, E::Paid { .. }) | (S::Settling, E::Settled { .. }) => {
                S::CompensationDue {
                    cause: Cause::WrongAmount,
                    attempts: 0,
                }
            }
            // Nothing was taken: settling was refused, the run gave nothing, or nobody came for it.
            (S::Settling | S::ToolFailed | S::Indeterminate | S::Ready, E::Released) => S::Withheld,
            (
                S::Compensating {
                    cause,
                    remedy: Remedy::Refund,
                    ..
                },
                E::Refunded { .. },
            ) if payment.state == PaymentState::Refunded => S::Refunded { cause: *cause },
            // Goodwill and disputes are entries after the end; they do not take the outcome back.
            (S::Deliverable, E::Refunded { .. }) => S::Deliverable,
            (state, E::Disputed) if state.is_end() => state.clone(),
            _ => return None,
        })
    }
}

fn running(owner: &str, lease_until: Millis) -> CallState {
    CallState::Running {
        owner: owner.to_owned(),
        lease_until,
    }
}

#[cfg(test)]
pub(crate) mod tests;
