//! What a person does with a call: refunds it, credits its caller, has it taken up again, closes it.
//!
//! Each works beside running hosts: the wish is recorded first, under the core's own rules, then carried out at once as
//! far as it goes. Whatever is left is carried on by the sweeper of any host that has the account.

mod plan;
#[cfg(test)]
mod plan_tests;

use coinop_core::call::{Call, CallState, Event, RefundEnd, RefundOrder, Remedy};
use coinop_core::ids::CallId;
use coinop_core::money::{Amount, Money};
use coinop_core::payment::PaymentEvent;
use futures::FutureExt as _;
use futures::future::BoxFuture;

use self::plan::Way;
pub use self::plan::{No, RefundRequest, Remedial};
use super::Gate;
use super::drive::{Drive, Purpose};
use super::remedy::compensation;
use crate::clock;
use crate::failpoint::failpoint;
use crate::ledger::{AdvanceError, CallKey, Change, LedgerError, Record};
use crate::provider::{ProviderError, Refunded};

/// Longest reason or note that is kept, characters.
const NOTE_CHARS_MAX: usize = 400;

/// The gate as an operator sees it.
pub trait Operator: Send + Sync {
    /// Has money go back to the payer: part or all of a call that was delivered, all of one that is owed.
    fn refund(
        &self,
        call: CallId,
        request: RefundRequest,
    ) -> BoxFuture<'_, Result<Operated, NotDone>>;

    /// Has what is owed become the caller's balance.
    fn credit(&self, call: CallId) -> BoxFuture<'_, Result<Operated, NotDone>>;

    /// Has a call taken up again where it was stuck, or its provider asked again now.
    fn retry(&self, call: CallId) -> BoxFuture<'_, Result<Operated, NotDone>>;

    /// Records that a stuck call was settled outside of coinop.
    fn close(&self, call: CallId, note: String) -> BoxFuture<'_, Result<Operated, NotDone>>;

    /// What of this can be done with a call as it stands.
    fn remedials(&self, call: &Call) -> Vec<Remedial>;
}

/// What came of it.
#[derive(Clone, Debug)]
pub struct Operated {
    /// The call afterwards.
    pub call: Call,
    /// The refund that was made or is ordered, in the currency received.
    pub refund: Option<Money>,
    /// What kept it from being finished now; a running host carries it on.
    pub trouble: Option<String>,
}

/// Why it was not done.
#[derive(Debug, thiserror::Error)]
pub enum NotDone {
    /// Not with this call as it stands. Nothing was recorded.
    #[error(transparent)]
    No(#[from] No),
    /// No such call.
    #[error("no such call is on record")]
    Missing,
    /// A host changed the call meanwhile. Nothing was recorded.
    #[error("the call changed at this very moment: look at it, and try again")]
    Changed,
    /// The account is not configured here. Nothing was recorded.
    #[error("the account {0:?} is not in this configuration: use the one that the hosts use")]
    Account(String),
    /// A refund may have been sent before, and the provider does not say. Nothing was recorded.
    #[error(
        "a refund of this call may have been made before ({0}): crediting it too would pay twice. Take it up again with \
         `coinop payments retry`, or close it once you know"
    )]
    RefundUnknown(String),
    /// The provider said no. The money is still with it.
    #[error("the provider refused the refund of {0}; nothing went back")]
    Refused(Money),
    /// The ledger failed.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

impl Operator for Gate {
    fn refund(
        &self,
        call: CallId,
        request: RefundRequest,
    ) -> BoxFuture<'_, Result<Operated, NotDone>> {
        async move {
            let record = self.to_be_operated(call).await?;
            let can_refund = self.refunds(&record.call)?;
            match plan::refund(&record.call, &request, can_refund)? {
                Way::Order(amount) => self.order_refund(record, amount, &request.reason).await,
                Way::Compensate => {
                    let remedy = Remedy::Refund;
                    self.carry_on(record, Some(Event::RemedyOrdered { remedy }))
                        .await
                }
            }
        }
        .boxed()
    }

    fn credit(&self, call: CallId) -> BoxFuture<'_, Result<Operated, NotDone>> {
        async move {
            let record = self.to_be_operated(call).await?;
            plan::credit(&record.call)?;
            if let Some(amount) = self.refunded_before(&record.call).await? {
                return self.record_refunded(record, amount).await;
            }
            let remedy = Remedy::Credit;
            self.carry_on(record, Some(Event::RemedyOrdered { remedy }))
                .await
        }
        .boxed()
    }

    fn retry(&self, call: CallId) -> BoxFuture<'_, Result<Operated, NotDone>> {
        async move {
            let record = self.to_be_operated(call).await?;
            let stuck = plan::retry(&record.call)?;
            self.carry_on(record, stuck.then_some(Event::TakenUp)).await
        }
        .boxed()
    }

    fn close(&self, call: CallId, note: String) -> BoxFuture<'_, Result<Operated, NotDone>> {
        async move {
            let record = self.to_be_operated(call).await?;
            plan::close(&record.call, &note)?;
            let note = one_line(&note);
            let closed = self
                .record_wish(record, vec![Event::ClosedByHand { note }])
                .await?;
            Ok(Operated::of(closed.call, None))
        }
        .boxed()
    }

    fn remedials(&self, call: &Call) -> Vec<Remedial> {
        plan::remedials(call, self.refunds(call).unwrap_or(false))
    }
}

impl Operated {
    fn of(call: Call, trouble: Option<String>) -> Self {
        Self {
            call,
            refund: None,
            trouble,
        }
    }
}

impl Gate {
    async fn to_be_operated(&self, call: CallId) -> Result<Record, NotDone> {
        let found = self.parts.ledger.find(CallKey::Call(call)).await?;
        found.ok_or(NotDone::Missing)
    }

    /// Whether the call's provider sends money back.
    fn refunds(&self, call: &Call) -> Result<bool, NotDone> {
        let account = &call.quote.account;
        let provider = self.account(account);
        let provider = provider.ok_or_else(|| NotDone::Account(account.clone()))?;
        Ok(provider.capabilities().refunds)
    }

    /// Orders a refund under a key of its own, and asks the provider for it. A host that dies between the two leaves the
    /// order, which the sweeper carries out with the same key.
    async fn order_refund(
        &self,
        record: Record,
        amount: Amount,
        reason: &str,
    ) -> Result<Operated, NotDone> {
        let order = RefundOrder {
            key: record.call.next_refund_key(),
            amount,
            reason: one_line(reason),
            at: self.parts.clock.now(),
        };
        let key = order.key.clone();
        let ordered = self
            .record_wish(record, vec![Event::RefundOrdered { refund: order }])
            .await?;
        failpoint("after-refund-order");
        let refund = plan::paid_in(&ordered.call, amount);
        let mut drive = Drive::new(self, ordered, Purpose::Operate);
        drive.take_for_ordered();
        let (call, trouble) = drive.operate().await;
        let ended = call.past_refunds.iter().find(|past| past.order.key == key);
        match ended.map(|past| past.end) {
            Some(RefundEnd::Refused) => Err(NotDone::Refused(refund)),
            _ => Ok(Operated {
                refund: Some(refund),
                ..Operated::of(call, trouble.map(|t| t.to_string()))
            }),
        }
    }

    /// Records a wish, if there is one to be recorded, and does what comes next.
    async fn carry_on(&self, record: Record, wish: Option<Event>) -> Result<Operated, NotDone> {
        self.refunds(&record.call)?;
        let record = match wish {
            Some(wish) => self.record_wish(record, vec![wish]).await?,
            None => record,
        };
        failpoint("after-wish");
        let (call, trouble) = Drive::new(self, record, Purpose::Operate).operate().await;
        Ok(Operated::of(call, trouble.map(|t| t.to_string())))
    }

    async fn record_wish(&self, record: Record, events: Vec<Event>) -> Result<Record, NotDone> {
        let change = Change {
            call: record.call.id.clone(),
            events,
            outcome: None,
            at: self.parts.clock.now(),
        };
        match self.parts.ledger.advance(change).await {
            Ok(advanced) => Ok(advanced.record),
            Err(AdvanceError::Missing) => Err(NotDone::Missing),
            Err(AdvanceError::Ledger(error)) => Err(error.into()),
            // Neither caps nor blocks nor balances stand in the way of these events.
            Err(_) => Err(NotDone::Changed),
        }
    }

    /// What the provider sent back of a call that is about to be credited, when an earlier attempt went through after
    /// all.
    async fn refunded_before(&self, call: &Call) -> Result<Option<Amount>, NotDone> {
        let Some(refund) = compensation(call).filter(|_| refund_tried(&call.state)) else {
            return Ok(None);
        };
        let account = &call.quote.account;
        let provider = self.account(account);
        let provider = provider.ok_or_else(|| NotDone::Account(account.clone()))?;
        let patience = provider.capabilities().timeout;
        let asked = provider.refund_standing(&refund);
        let silent = || Err(ProviderError::Unreachable("it did not answer".to_owned()));
        let told = clock::within(self.parts.clock.as_ref(), patience, asked).await;
        match told.unwrap_or_else(silent) {
            Ok(None | Some(Refunded::Failed)) => Ok(None),
            Ok(Some(Refunded::Done)) => Ok(Some(refund.amount)),
            Ok(Some(Refunded::Pending)) => {
                let under_way = "the provider has not finished it";
                Err(NotDone::RefundUnknown(under_way.to_owned()))
            }
            // It can give none, so it gave none.
            Err(ProviderError::Unsupported { .. }) if !provider.capabilities().refunds => Ok(None),
            Err(error) => Err(NotDone::RefundUnknown(error.to_string())),
        }
    }

    async fn record_refunded(&self, record: Record, amount: Amount) -> Result<Operated, NotDone> {
        let refund = plan::paid_in(&record.call, amount);
        let remedy = Remedy::Refund;
        let at = self.parts.clock.now();
        let events = vec![
            Event::RemedyOrdered { remedy },
            Event::CompensationStarted { remedy, at },
            PaymentEvent::Refunded { amount }.into(),
        ];
        let record = self.record_wish(record, events).await?;
        Ok(Operated {
            refund: Some(refund),
            ..Operated::of(record.call, None)
        })
    }
}

/// Whether a compensation of the call was begun at some time, so that its key may have been used.
fn refund_tried(state: &CallState) -> bool {
    match state {
        CallState::CompensationDue { tried_at, .. } => tried_at.is_some(),
        CallState::Compensating { .. } => true,
        CallState::Attention {
            from: Some(from), ..
        } => refund_tried(from),
        _ => false,
    }
}

/// A person's words on one line of bounded length.
fn one_line(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    words.join(" ").chars().take(NOTE_CHARS_MAX).collect()
}
