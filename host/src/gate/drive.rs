//! The loop: ask core for the next step, perform it, record what happened, ask again.
//!
//! Events gather on a local copy of the call and are committed together as soon as something outside depends on them:
//! before a run, before a provider is asked to do something, before a caller is answered. When another host was
//! faster, the commit is refused, the fresh call is taken and the loop decides again.

mod claim;
mod commit;

use coinop_core::Millis;
use coinop_core::call::{Call, CallState, Cause, Event, Failure};
use coinop_core::mode::{self, Ask, Mode};
use coinop_core::payment::{PaymentEvent, PaymentState};
use coinop_core::peer::Dialog;
use coinop_core::step::{Situation, Step, due_at, next};

use super::money::key_holds;
use super::paid::{Caller, RunSpec, no_account, not_recorded, set_aside, unavailable};
use super::watch::Watching;
use super::{BUSY, Gate, Refusal, Reply};
use crate::failpoint::failpoint_of;
use crate::ledger::{AdvanceError, Delivery, LedgerError, Record};
use crate::provider::ProviderError;
use crate::quarantine::SetAside;

/// Steps of one turn at most: far more than any path has, few enough to end a livelock.
const STEPS_MAX: usize = 64;

/// Why a call is driven.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// Its tool was called.
    Ask,
    /// Its payment was presented.
    Redeem,
    /// Its payment may have changed: record that and stop before running anything.
    Look,
    /// As [`Purpose::Look`], because its provider says so: an answer is insisted on, and money that is late is looked for.
    Told,
    /// Its run ended here: bring the money to rest.
    Finish,
    /// A host came by: finish what another left.
    Sweep,
    /// A person ordered something: do it now.
    Operate,
}

/// How far a turn came.
pub(super) enum Ending {
    /// The caller is asked to pay, or told to wait.
    Ask(Ask),
    /// The outcome.
    Outcome(Delivery),
    /// There was an outcome, and it is no longer stored.
    Forgotten,
    /// The call ended without one, or is owed.
    Ended,
    /// Nothing to do for this purpose.
    Rest,
    /// The caller cancelled its wait.
    Cancelled,
}

/// Why a turn could not go on. The call is as last committed.
#[derive(Debug, thiserror::Error)]
pub(super) enum Trouble {
    #[error(transparent)]
    Ledger(#[from] AdvanceError),
    #[error("the account {0:?} is not configured")]
    Account(String),
    #[error(transparent)]
    Provider(#[from] ProviderError),
    #[error("the tool's code is not ready: {0}")]
    NotReady(String),
    #[error("no place is free for the run: {0}")]
    Busy(String),
    #[error("the call keeps changing")]
    Unsteady,
}

impl From<Failure> for Trouble {
    /// What kept a run from being prepared.
    fn from(failure: Failure) -> Self {
        match failure.kind == BUSY {
            true => Self::Busy(failure.message),
            false => Self::NotReady(failure.message),
        }
    }
}

impl From<LedgerError> for Trouble {
    fn from(error: LedgerError) -> Self {
        Self::Ledger(error.into())
    }
}

/// One turn with one call.
pub(super) struct Drive<'a> {
    pub(super) gate: &'a Gate,
    /// The call as last committed, with its arguments.
    stored: Record,
    /// How it runs, read from there once.
    spec: Option<RunSpec>,
    /// When that was read.
    read_at: Millis,
    /// The call with the gathered events applied.
    pub(super) call: Call,
    gathered: Vec<Event>,
    pub(super) purpose: Purpose,
    pub(super) checked: bool,
    /// Whether this turn opened the call and has not asked for its payment, so that nobody can have asked yet.
    pub(super) is_new: bool,
    blocked: bool,
    /// Looks taken at a run of another host.
    looks: u32,
    /// Whether this turn started the compensation or the ordered refund, so that nobody can have asked the provider for
    /// it yet.
    pub(super) remedy_started: bool,
    /// Whether this turn was the first to try a compensation: nothing can have been sent back before.
    pub(super) first_try: bool,
    /// When the call last changed before this turn started another try: the tries before were over then.
    pub(super) tried_until: Option<Millis>,
    /// Whether reserved money was to be taken in this turn already, by it or by the task that it waited for.
    pub(super) tried_to_settle: bool,
    /// How far the conversation with the caller's client has come.
    pub(super) dialog: Dialog,
    /// The mode that the operator chose for this client.
    chosen: Option<&'static dyn Mode>,
    /// The wait for the payment that is under way.
    pub(super) watching: Option<Watching>,
}

impl<'a> Drive<'a> {
    pub(super) fn new(gate: &'a Gate, record: Record, purpose: Purpose) -> Self {
        Self {
            gate,
            call: record.call.clone(),
            spec: spec_of(&record),
            stored: record,
            read_at: gate.parts.clock.now(),
            gathered: Vec::new(),
            purpose,
            checked: false,
            is_new: false,
            blocked: false,
            looks: 0,
            remedy_started: false,
            first_try: false,
            tried_until: None,
            tried_to_settle: false,
            dialog: Dialog::default(),
            chosen: None,
            watching: None,
        }
    }

    /// For a call that was read some time ago.
    pub(super) fn read_earlier(mut self, at: Millis) -> Self {
        self.read_at = at;
        self
    }

    /// For a call opened in this very turn: nobody has asked for its payment, and its caller has not seen the link yet, so
    /// the provider need not be asked whether somebody paid.
    pub(super) fn take_for_new(&mut self) {
        self.is_new = true;
        self.checked = true;
    }

    /// Takes the turn for a caller and says how it went.
    pub(super) async fn reply(mut self, caller: &Caller) -> Reply {
        self.dialog = caller.dialog;
        self.chosen = caller.mode;
        let ending = self.turn(Some(caller)).await;
        failpoint_of("before-reply", &self.call.id);
        match ending {
            Ok(Ending::Outcome(delivery)) => self.delivered(delivery),
            Ok(Ending::Forgotten) => Reply::Refused(Refusal::NoLongerStored),
            Ok(Ending::Ask(ask)) => self.unless_set_aside(ask),
            Ok(Ending::Ended | Ending::Rest)
                if self.blocked
                    && matches!(self.call.state, CallState::Ready | CallState::Withheld) =>
            {
                Reply::Refused(Refusal::Blocked)
            }
            Ok(Ending::Ended | Ending::Rest) => Reply::Refused(Refusal::of_ended(&self.call)),
            Ok(Ending::Cancelled) => Reply::Cancelled,
            Err(Trouble::Ledger(error)) => not_recorded(&error),
            Err(Trouble::Account(name)) => no_account(&name),
            // Asked to pay once more, the caller would pay twice.
            Err(Trouble::Provider(error)) if self.is_being_settled() => {
                tracing::warn!(call = %self.call.id, %error, "a payment that came with its call is not settled yet");
                self.ask_reply(Ask::running(self.mode(), &self.call))
            }
            Err(Trouble::Provider(error)) => {
                tracing::warn!(call = %self.call.id, %error, "the provider did not help");
                unavailable("The payment provider does not answer.".to_owned())
            }
            Err(Trouble::NotReady(reason)) => {
                tracing::error!(call = %self.call.id, reason, "a paid call cannot be run here yet");
                unavailable("The tool cannot be run at the moment.".to_owned())
            }
            Err(Trouble::Busy(reason)) => {
                tracing::debug!(call = %self.call.id, reason, "a paid call finds no place");
                unavailable(
                    "Too many calls run and wait at the moment; the payment stays good.".to_owned(),
                )
            }
            Err(Trouble::Unsteady) => unavailable("The payment keeps changing.".to_owned()),
        }
    }

    /// Takes the turn for nobody in particular.
    pub(super) async fn rest(mut self) -> Result<(), Trouble> {
        self.turn(None).await.map(drop)
    }

    /// For a refund that was ordered just now: no turn before can have asked the provider for it.
    pub(super) fn take_for_ordered(&mut self) {
        self.remedy_started = true;
    }

    /// Takes the turn for a person, and gives the call after it with what kept the turn from its end.
    pub(super) async fn operate(mut self) -> (Call, Option<Trouble>) {
        let trouble = self.turn(None).await.err();
        // What was gathered and not committed did not happen.
        (self.stored.call, trouble)
    }

    /// Takes the turn and gives the call after it.
    pub(super) async fn call_after(mut self) -> Result<Call, LedgerError> {
        match self.turn(None).await {
            Ok(_) => Ok(self.call),
            Err(Trouble::Ledger(AdvanceError::Ledger(error))) => Err(error),
            Err(other) => Err(LedgerError::Unavailable(other.to_string())),
        }
    }

    /// The outcome, with the rail's own receipt where the caller brought the payment.
    fn delivered(&self, delivery: Delivery) -> Reply {
        if self.call.payment.credential.is_none() {
            return Reply::Outcome(delivery);
        }
        let provider = self.gate.account(&self.call.quote.account);
        let rail = provider.and_then(|provider| provider.rail());
        // What the balance covered was not paid by the rail.
        let by_rail = self.call.payment.received.is_some();
        let receipt = rail.filter(|_| by_rail);
        let receipt = receipt.and_then(|rail| rail.receipt(&self.call.payment));
        Reply::Settled { delivery, receipt }
    }

    /// Whether another turn, here or on another host, is just asking for the money that this caller brought. A second
    /// request beside the first might be refused because the first succeeded. A turn that ends a run may find it so too:
    /// whoever presents the payment to another host at that moment sees the stored outcome first.
    fn is_settled_by_others(&self) -> bool {
        let committed = self.stored.call.payment.state == PaymentState::Settling;
        let has_patience = due_at(&self.stored.call, self.stored.updated_at)
            .is_some_and(|due_at| self.gate.parts.clock.now() < due_at);
        matches!(self.purpose, Purpose::Redeem | Purpose::Finish)
            && self.call.payment.credential.is_some()
            && committed
            && has_patience
    }

    fn is_being_settled(&self) -> bool {
        self.call.payment.credential.is_some() && self.call.payment.state.is_settling()
    }

    /// Nobody is asked to pay for a plugin that keeps failing. What is paid is told as ever.
    fn unless_set_aside(&self, ask: Ask) -> Reply {
        match self.is_aside() {
            Some(aside) => set_aside(&aside),
            None => self.ask_reply(ask),
        }
    }

    /// Why its payment is not asked for, where the plugin keeps failing.
    pub(super) fn is_aside(&self) -> Option<SetAside> {
        let unpaid = matches!(self.call.state, CallState::Quoted | CallState::Awaiting);
        let (quote, runner) = (&self.call.quote, &self.gate.parts.runner);
        let aside = || runner.refuses(&quote.component, &quote.plugin);
        unpaid.then(aside).flatten()
    }

    pub(super) fn ask_reply(&self, ask: Ask) -> Reply {
        let provider = self.gate.account(&self.call.quote.account);
        let base = self.gate.parts.pay_base.load();
        let payment_url = match &self.call.payment.url {
            Some(url) => url.clone(),
            None => format!("{base}/pay/{}", self.call.payment.link),
        };
        Reply::Ask {
            ask: Box::new(ask),
            payment_url,
            test: provider.is_none_or(|p| p.capabilities().test),
        }
    }

    async fn turn(&mut self, caller: Option<&Caller>) -> Result<Ending, Trouble> {
        let mut steps = 0;
        while steps < STEPS_MAX {
            let step = self.decide();
            // A wait has its own bound, and looks at the provider more often than any other turn has steps.
            steps = match step {
                Step::Watch { .. } => 0,
                _ => steps + 1,
            };
            if let Some(ending) = self.perform(step, caller).await? {
                return Ok(ending);
            }
        }
        Err(Trouble::Unsteady)
    }

    fn decide(&self) -> Step {
        if self.blocked && self.call.state == CallState::Ready {
            return if self.call.payment.state.is_taken() {
                Step::Owe(Cause::Blocked)
            } else {
                Step::Release
            };
        }
        // A person who asks, and a provider that tells, have a reason, however long ago it ended.
        let told = matches!(self.purpose, Purpose::Told | Purpose::Operate);
        if told && !self.checked && self.may_be_late() {
            return Step::CheckLate;
        }
        let now = self.gate.parts.clock.now();
        let situation = Situation {
            now,
            updated_at: self.changed_at(),
            checked: self.checked,
            redeeming: self.purpose == Purpose::Redeem,
            sweeping: matches!(self.purpose, Purpose::Sweep | Purpose::Operate),
            running_here: self.gate.runs.has(&self.call.id),
            repeatable: !self.blocked
                && self
                    .spec()
                    .is_some_and(|spec| self.gate.repeatable(&self.call, spec)),
            can_refund: self
                .gate
                .account(&self.call.quote.account)
                .is_none_or(|provider| provider.capabilities().refunds),
            key_holds: self.refund_key_holds(now),
            remedy_started: self.remedy_started,
            dialog: self.dialog,
        };
        next(&self.call, self.mode(), &situation)
    }

    /// When the call last changed, in the ledger or by what was gathered.
    fn changed_at(&self) -> Millis {
        match self.gathered.is_empty() {
            true => self.stored.updated_at,
            false => self.gate.parts.clock.now(),
        }
    }

    fn refund_key_holds(&self, now: Millis) -> bool {
        let CallState::CompensationDue { tried_at, .. } = self.call.state else {
            return true;
        };
        let provider = self.gate.account(&self.call.quote.account);
        let holds = |at| provider.is_none_or(|it| key_holds(it.as_ref(), now - at));
        tried_at.is_none_or(holds)
    }

    /// Whether money may have arrived for it after it ended without.
    fn may_be_late(&self) -> bool {
        matches!(self.call.state, CallState::Expired | CallState::Declined)
    }

    /// Performs one step; `Some` ends the turn.
    async fn perform(
        &mut self,
        step: Step,
        caller: Option<&Caller>,
    ) -> Result<Option<Ending>, Trouble> {
        match step {
            Step::Request => self.request().await?,
            Step::Ask(ask) => return self.end(Ending::Ask(ask)).await,
            Step::Watch { ms, ask } => return self.watch(ms, &ask, caller).await,
            Step::CallOff => self.call_off(PaymentEvent::Declined).await?,
            Step::Check => self.check().await?,
            Step::Expire => self.call_off(PaymentEvent::Expired).await?,
            // Whoever only looks, or has no code, leaves the run to its caller and to the hosts, and what leads to it.
            Step::Claim if self.only_looks() => return self.end(Ending::Rest).await,
            Step::Settle
                if self.only_looks()
                    && self.call.payment.state == PaymentState::Authorized
                    && self.call.state == CallState::Ready =>
            {
                return self.end(Ending::Rest).await;
            }
            Step::Claim => {
                self.tell_of_start(caller);
                return self.claim(caller).await;
            }
            Step::Wait => {
                self.tell_of_start(caller);
                return self.wait(caller).await;
            }
            Step::LoseRun => {
                let at = self.gate.parts.clock.now();
                let epoch = self.call.epoch;
                self.gather(Event::RunLost { epoch, at })?;
            }
            Step::Settle if self.is_settled_by_others() => {
                self.tried_to_settle = true;
                return self.wait(caller).await;
            }
            Step::Settle => self.settle().await?,
            Step::Conclude => self.gather(Event::Concluded)?,
            Step::Deliver => return self.deliver().await,
            Step::Release => self.release().await?,
            Step::Owe(cause) => self.gather(Event::CompensationDue { cause })?,
            Step::CheckLate => self.check_late().await?,
            Step::Compensate(remedy) => {
                let at = self.gate.parts.clock.now();
                self.remedy_started = true;
                self.first_try = matches!(
                    self.call.state,
                    CallState::CompensationDue { tried_at: None, .. }
                );
                self.tried_until = Some(self.changed_at());
                self.gather(Event::CompensationStarted { remedy, at })?;
            }
            Step::Remedy(remedy) => return self.make_good(remedy).await,
            Step::Refund => return self.refund_ordered().await,
            Step::GiveUp(reason) => {
                let reason = reason.to_owned();
                tracing::error!(call = %self.call.id, reason, "a call needs a person's attention");
                self.gather(Event::Exhausted { reason })?;
            }
            Step::Rest => return self.end(Ending::Rest).await,
            Step::Ended => return self.end(Ending::Ended).await,
        }
        Ok(None)
    }

    fn only_looks(&self) -> bool {
        matches!(
            self.purpose,
            Purpose::Look | Purpose::Told | Purpose::Finish | Purpose::Operate
        )
    }

    pub(super) fn spec(&self) -> Option<&RunSpec> {
        self.spec.as_ref()
    }

    pub(super) fn mode(&self) -> &'static dyn Mode {
        // A mode that a later version knew is told in the words of the one that every client can follow.
        let own = mode::by_name(&self.call.mode).unwrap_or(mode::MODES[0]);
        match self.chosen {
            Some(chosen) if own.name() == mode::AUTO => chosen,
            _ => own,
        }
    }

    async fn deliver(&mut self) -> Result<Option<Ending>, Trouble> {
        if !self.commit().await? {
            return Ok(None);
        }
        let outcome = self.gate.parts.ledger.outcome(self.call.id.clone()).await?;
        Ok(Some(outcome.map_or(Ending::Forgotten, Ending::Outcome)))
    }
}

/// How a call runs, `None` once that was erased.
fn spec_of(record: &Record) -> Option<RunSpec> {
    serde_json::from_str(record.run_spec.as_deref()?).ok()
}
