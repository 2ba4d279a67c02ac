//! The transitions of a call: which event leads where, and what it changes. Every pair that is not listed is illegal.

use super::{
    Call, CallState, Cause, Event, IllegalEvent, PastRefund, REFUNDS_MAX, RefundEnd, Remedy,
};
use crate::Millis;
use crate::payment::{Payment, PaymentEvent, PaymentState};

impl Call {
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
            Event::Shown { viewer } => self.viewer = Some(viewer.clone()),
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
                Event::Shown { .. } => "shown".to_owned(),
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
            ) if self.backs_a_run() && lease_until > at => running(owner, *lease_until),
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
            ) if self.failures <= self.quote.retries && self.backs_a_run() && lease_until > at => {
                running(owner, *lease_until)
            }
            (state, E::Shown { .. }) if state.is_open() => state.clone(),
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
                    && self.payment.state != PaymentState::Disputed
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
            // Taken before the run, as the seller chose: nothing may be claimed until it is here.
            (S::Ready, E::SettleStarted | E::SettleUnknown) if self.quote.upfront => S::Ready,
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
            // The provider's own charge changes no promise, and neither does its proof.
            (state, E::FeeCharged { .. } | E::Proved { .. }) => state.clone(),
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
