//! One tool call from quote to its end: the aggregate whose transitions decide who is owed what.
//!
//! [`Call::apply`] is the only way its state changes. An event that is not legal in the present state changes nothing
//! and is an error, so two hosts that race write the same history: the second finds the state moved on and asks again.

use serde::{Deserialize, Serialize};

use crate::Millis;
use crate::ids::CallId;
use crate::money::{Amount, Money};
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

fn is_zero(count: &u32) -> bool {
    *count == 0
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
    fn of(state: &CallState) -> Option<Self> {
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
            && self.payment.state.backs_a_run()
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

    /// The one transition function. On an error nothing has changed.
    ///
    /// # Errors
    /// [`IllegalEvent`] for every pair of state and event that is not listed.
    pub fn apply(&mut self, event: &Event) -> Result<(), IllegalEvent> {
        let state = match event {
            Event::Payment { what } => return self.apply_payment(what),
            Event::RefundMade { key } => return self.apply_refund_made(key, event),
            other => self.after(other).ok_or_else(|| self.illegal(event))?,
        };
        match event {
            Event::Claimed { .. } => self.epoch += 1,
            Event::ToolFailed { failure, .. } => {
                self.failure = Some(failure.clone());
                self.failures += 1;
            }
            Event::RefundOrdered { refund } => {
                self.refund = Some(refund.clone());
                self.refunds_ordered += 1;
            }
            Event::RefundRefused { .. } => self.end_refund(RefundEnd::Refused),
            Event::ClosedByHand { note } => {
                self.note = Some(note.clone());
                self.close_payment();
            }
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
                // A refund's key holds the payment's id, which may be the right to redeem.
                Event::RefundOrdered { .. } => "refund_ordered".to_owned(),
                Event::RefundMade { .. } => "refund_made".to_owned(),
                Event::RefundRefused { .. } => "refund_refused".to_owned(),
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
            // The seller lets a failed run be tried again before anybody is compensated.
            (
                S::ToolFailed,
                E::Claimed {
                    owner,
                    at,
                    lease_until,
                    rerun: true,
                },
            ) if self.failures <= self.quote.retries
                && self.payment.state.backs_a_run()
                && lease_until > at =>
            {
                running(owner, *lease_until)
            }
            // An outcome that comes when its reservation is on its way back is nobody's: nothing would pay for it.
            (S::Running { .. } | S::Indeterminate, E::Executed { epoch })
                if *epoch == self.epoch && self.payment.state != PaymentState::Releasing =>
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
            ) if self.payment.state.is_taken() => owed(*cause),
            (
                S::CompensationDue {
                    cause,
                    attempts,
                    tried_at,
                    ..
                },
                E::CompensationStarted { remedy, at },
            ) => S::Compensating {
                cause: *cause,
                remedy: *remedy,
                attempts: *attempts,
                tried_at: tried_at.unwrap_or(*at),
            },
            // What was tried once may have happened: another remedy in its place might make somebody whole twice.
            (
                S::Compensating {
                    cause,
                    remedy,
                    attempts,
                    tried_at,
                },
                E::CompensationFailed,
            ) => S::CompensationDue {
                cause: *cause,
                attempts: attempts + 1,
                tried_at: Some(*tried_at),
                // What was begun is carried on: a refund that may be on its way does not turn into balance by itself.
                ordered: Some(*remedy),
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
                    from: Some(Box::new(state.clone())),
                }
            }
            (
                S::Attention {
                    from: Some(from), ..
                },
                E::TakenUp,
            ) => fresh(from),
            (
                S::CompensationDue {
                    cause, tried_at, ..
                },
                E::RemedyOrdered { remedy },
            ) => S::CompensationDue {
                cause: *cause,
                attempts: 0,
                tried_at: *tried_at,
                ordered: Some(*remedy),
            },
            (
                S::Attention {
                    from: Some(from), ..
                },
                E::RemedyOrdered { remedy },
            ) if self.payment.state.is_taken() => S::CompensationDue {
                cause: Cause::of(from)?,
                attempts: 0,
                tried_at: tried_at(from),
                ordered: Some(*remedy),
            },
            (state @ S::Attention { .. }, E::ClosedByHand { .. }) => {
                match self.payment.state.is_taken() {
                    true => S::Refunded {
                        cause: Cause::of(state).unwrap_or(Cause::RunLost),
                    },
                    false => S::Withheld,
                }
            }
            (S::Deliverable, E::RefundOrdered { refund })
                if self.refund.is_none()
                    && refund.key == self.next_refund_key()
                    && self.refunds_ordered < REFUNDS_MAX
                    && self.payment.state.is_taken()
                    && refund.amount.is_positive()
                    && refund.amount <= self.held() =>
            {
                S::Deliverable
            }
            (S::Deliverable, E::RefundRefused { key }) if self.has_ordered(key) => S::Deliverable,
            _ => return None,
        })
    }

    /// What a person settled outside: nothing of it is with the provider any more.
    fn close_payment(&mut self) {
        if self.payment.state.is_taken() {
            let held = self.held();
            self.payment.refunded = self
                .payment
                .refunded
                .checked_add(held)
                .unwrap_or(self.payment.refunded);
            self.payment.state = PaymentState::Refunded;
        } else {
            self.payment.state = PaymentState::Released;
        }
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

    fn has_ordered(&self, key: &str) -> bool {
        let order = self.refund.as_ref();
        order.is_some_and(|order| order.key == key)
    }

    fn apply_refund_made(&mut self, key: &str, event: &Event) -> Result<(), IllegalEvent> {
        let order = self.refund.as_ref().filter(|order| order.key == key);
        let amount = order.ok_or_else(|| self.illegal(event))?.amount;
        self.payment.apply(&PaymentEvent::Refunded { amount })?;
        self.end_refund(RefundEnd::Made);
        Ok(())
    }

    fn end_refund(&mut self, end: RefundEnd) {
        let past = self.refund.take().map(|order| PastRefund { order, end });
        self.past_refunds.extend(past);
    }

    /// The call's state once its payment has had `event`, `None` when the two do not go together.
    fn after_payment(&self, payment: &Payment, event: &PaymentEvent) -> Option<CallState> {
        use CallState as S;
        use PaymentEvent as E;
        Some(match (&self.state, event) {
            (S::Quoted, E::Created { .. }) => S::Awaiting,
            (S::Quoted, E::Covered) if self.due().amount.is_zero() => S::Ready,
            (S::Awaiting, E::Paid { received }) if *received == self.due() => S::Ready,
            // A wrong reservation is not accepted: nothing was taken, and it is given back.
            (S::Awaiting, E::Authorized { reserved }) if *reserved == self.due() => S::Ready,
            (S::Quoted | S::Awaiting, E::Failed | E::Declined | E::Canceled) => S::Declined,
            (S::Quoted | S::Awaiting, E::Expired) => S::Expired,
            (S::Declined | S::Expired, E::Paid { .. }) => S::LatePaid,
            (S::Executed, E::SettleStarted) => S::Settling,
            (S::Settling, E::SettleUnknown) => S::Settling,
            (S::Settling, E::Settled { received }) if *received == self.due() => S::Deliverable,
            (S::Awaiting, E::Paid { .. }) | (S::Settling, E::Settled { .. }) => {
                owed(Cause::WrongAmount)
            }
            // From here on it is given back, whoever comes for it meanwhile.
            (S::ToolFailed | S::Indeterminate | S::Ready, E::ReleaseStarted) => self.state.clone(),
            // Taken instead of given back, and not the price: nothing runs on it, now or again.
            (S::ToolFailed | S::Indeterminate | S::Ready, E::Settled { received })
                if *received != self.due() =>
            {
                owed(Cause::WrongAmount)
            }
            // The provider took what was only to be reserved: it is owed, whatever becomes of the run.
            (S::ToolFailed | S::Indeterminate | S::Ready, E::Settled { .. }) => self.state.clone(),
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
            // The provider's own charge changes no promise.
            (state, E::FeeCharged { .. }) => state.clone(),
            // Goodwill and disputes are entries after the end; they do not take the outcome back. While a refund is
            // ordered, only its own key says that it was made.
            (S::Deliverable, E::Refunded { .. }) if self.refund.is_none() => S::Deliverable,
            (state, E::Disputed) if state.is_end() => state.clone(),
            _ => return None,
        })
    }
}

fn owed(cause: Cause) -> CallState {
    CallState::CompensationDue {
        cause,
        attempts: 0,
        tried_at: None,
        ordered: None,
    }
}

/// Where a stuck call is taken up again: where it stood, with its attempts forgotten.
fn fresh(from: &CallState) -> CallState {
    match from {
        CallState::CompensationDue { cause, ordered, .. } => CallState::CompensationDue {
            cause: *cause,
            attempts: 0,
            tried_at: tried_at(from),
            ordered: *ordered,
        },
        CallState::Compensating { cause, remedy, .. } => CallState::CompensationDue {
            cause: *cause,
            attempts: 0,
            tried_at: tried_at(from),
            ordered: Some(*remedy),
        },
        other => other.clone(),
    }
}

fn tried_at(state: &CallState) -> Option<Millis> {
    match state {
        CallState::CompensationDue { tried_at, .. } => *tried_at,
        CallState::Compensating { tried_at, .. } => Some(*tried_at),
        _ => None,
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
