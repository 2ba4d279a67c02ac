//! A call as a task: polled rather than waited for. It has no state of its own: whoever polls moves the call on, as a
//! caller that presents the payment would, and is answered before the run ends.

use std::time::Duration;

use coinop_core::Millis;
use coinop_core::call::CallState;
use coinop_core::ids::PaymentId;
use coinop_core::mode::{self, AskStatus, Turn};
use coinop_core::peer::{Answer, Dialog};
use coinop_core::principal::Principal;
use coinop_core::quote::Presented;
use tokio_util::sync::CancellationToken;

use super::drive::{Drive, Purpose};
use super::paid::Caller;
use super::{Gate, Refusal, Reply};
use crate::clock;
use crate::ledger::{CallKey, LedgerError, Record};

/// How long whoever polls waits for the call to move on: a short run is answered at once, a long one later.
const PROMPT: Duration = Duration::from_secs(1);
/// The mode in which a payer's no calls the payment off.
const HEARS_NO: &str = "elicitation";

/// What the caller of a task wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TaskWish {
    /// To see it as it is stored.
    Glance,
    /// To see it moved on as far as it goes by now.
    Poll,
    /// That it is not paid for any more. What is paid goes on.
    CallOff,
}

/// A call, as who polls it is told.
#[derive(Debug)]
pub struct Task {
    /// The payment's id, and the task's.
    pub id: PaymentId,
    /// When the call was made.
    pub created_at: Millis,
    /// When it last changed.
    pub updated_at: Millis,
    /// Until when it can be paid, or its outcome fetched.
    pub kept_until: Millis,
    /// How far it is.
    pub stage: TaskStage,
}

/// How far a task is.
#[derive(Debug)]
pub enum TaskStage {
    /// It waits for its payment: always a [`Reply::Ask`].
    Awaiting(Reply),
    /// It runs, or is about to; with what keeps it waiting, where something does.
    Working(Option<Refusal>),
    /// Nothing is to come any more but this.
    Ended(Reply),
}

impl Gate {
    /// The task that is the call of payment `id`, `None` where this principal has none: unknown, malformed and foreign
    /// ids look the same.
    ///
    /// # Errors
    /// The ledger does not answer.
    pub async fn task(
        &self,
        id: &str,
        principal: &Principal,
        wish: TaskWish,
    ) -> Result<Option<Task>, LedgerError> {
        let Some(record) = self.call_of(id, principal).await? else {
            return Ok(None);
        };
        let unpaid = is_unpaid(&record.call.state);
        // A run of this host moves on by itself; more who wait for it would help nobody.
        let moves = match wish {
            TaskWish::Glance => false,
            TaskWish::Poll => !self.runs.has(&record.call.id),
            TaskWish::CallOff => unpaid,
        };
        if !moves {
            let stage = self.stored_stage(&record);
            return Ok(Some(self.told(&record, stage)));
        }
        let reply = self.moved_on(id, principal, wish).await;
        let Some(record) = self.call_of(id, principal).await? else {
            return Ok(None);
        };
        let stage = self.stage(&record, reply);
        Ok(Some(self.told(&record, stage)))
    }

    async fn call_of(
        &self,
        id: &str,
        principal: &Principal,
    ) -> Result<Option<Record>, LedgerError> {
        let Ok(id) = id.parse::<PaymentId>() else {
            return Ok(None);
        };
        let found = self.parts.ledger.find(CallKey::Payment(id)).await?;
        Ok(found.filter(|record| {
            let quote = &record.call.quote;
            let presented = Presented {
                principal,
                tool: &quote.tool,
                arguments: None,
            };
            quote.admits(&presented).is_ok()
        }))
    }

    /// Presents the payment, in a task of the gate's: whoever polls may go away, and need not wait for the run. `None`
    /// when it takes longer than that.
    async fn moved_on(&self, id: &str, principal: &Principal, wish: TaskWish) -> Option<Reply> {
        let said_no = wish == TaskWish::CallOff;
        let caller = Caller {
            principal: principal.clone(),
            progress: None,
            cancel: CancellationToken::new(),
            dialog: Dialog {
                answer: said_no.then_some(Answer::Declined),
                ..Dialog::default()
            },
            mode: said_no.then(|| mode::by_name(HEARS_NO).ok()).flatten(),
            viewer: None,
        };
        let (gate, id) = (self.clone(), id.to_owned());
        let redeeming = async move { gate.redeem(&id, None, None, caller).await };
        let redeeming = self.tasks.spawn(redeeming);
        let moved = clock::within(self.parts.clock.as_ref(), PROMPT, redeeming).await;
        moved?.ok()
    }

    /// The stage of a call that was moved on to `reply`.
    fn stage(&self, record: &Record, reply: Option<Reply>) -> TaskStage {
        match reply {
            // It may be paid, and that not be recorded yet.
            Some(Reply::Refused(refusal @ Refusal::Unavailable { .. })) => {
                TaskStage::Working(Some(refusal))
            }
            Some(
                ended @ (Reply::Outcome(_)
                | Reply::Settled { .. }
                | Reply::Challenge(_)
                | Reply::Refused(_)),
            ) => TaskStage::Ended(ended),
            Some(Reply::Ask { .. } | Reply::Cancelled) | None => self.stored_stage(record),
        }
    }

    /// The stage of a call as it is stored. One that this host is about to run is paid, whatever is stored of it.
    fn stored_stage(&self, record: &Record) -> TaskStage {
        let call = &record.call;
        if call.state != CallState::Awaiting || self.runs.has(&call.id) {
            return TaskStage::Working(None);
        }
        let turn = mode::MODES[0].turn(call, AskStatus::Pending, &Dialog::default());
        match turn {
            Turn::Ask(ask) => {
                let drive = Drive::new(self, record.clone(), Purpose::Look);
                TaskStage::Awaiting(drive.ask_reply(ask))
            }
            Turn::Wait { .. } | Turn::CallOff => TaskStage::Working(None),
        }
    }

    fn told(&self, record: &Record, stage: TaskStage) -> Task {
        let call = &record.call;
        let retention_ms = i64::try_from(self.parts.retention.as_millis()).unwrap_or(i64::MAX);
        let kept_until = match is_unpaid(&call.state) {
            true => call.quote.expires_at,
            false => record.updated_at.saturating_add(retention_ms),
        };
        Task {
            id: call.payment.id.clone(),
            created_at: call.created_at,
            updated_at: record.updated_at,
            kept_until,
            stage,
        }
    }
}

fn is_unpaid(state: &CallState) -> bool {
    matches!(state, CallState::Quoted | CallState::Awaiting)
}
