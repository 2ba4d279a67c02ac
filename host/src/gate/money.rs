//! The steps that ask a provider for a payment, look at it, take it, or give a reservation back. Making somebody whole
//! is `remedy`'s.
//!
//! Each commits what was gathered before it asks, so that the intent is on record before the effect, and gathers what
//! came of it.

use std::sync::Arc;

use coinop_core::Millis;
use coinop_core::call::Call;
use coinop_core::money::Money;
use coinop_core::payment::{PaymentEvent, PaymentState};
use coinop_core::step::STEP_PATIENCE_MS;

use super::drive::{Drive, Purpose, Trouble};
use super::paid::create_payment;
use crate::clock;
use crate::failpoint::failpoint_of;
use crate::provider::{
    CreatePayment, CreatedPayment, PaymentRef, Provider, ProviderError, Settled, Standing,
};

impl Drive<'_> {
    pub(super) fn provider(&self) -> Result<Arc<dyn Provider>, Trouble> {
        let name = &self.call.quote.account;
        let provider = self.gate.account(name).cloned();
        provider.ok_or_else(|| Trouble::Account(name.clone()))
    }

    pub(super) fn payment(&self) -> Result<PaymentRef, Trouble> {
        let payment = payment_ref(&self.call).ok_or(Trouble::Unsteady)?;
        let credential = self.spec().and_then(|spec| spec.credential.as_deref());
        Ok(PaymentRef {
            credential: credential.map(Arc::from),
            ..payment
        })
    }

    pub(super) async fn request(&mut self) -> Result<(), Trouble> {
        if !self.commit().await? {
            return Ok(());
        }
        let provider = self.provider()?;
        let request = create_payment(&self.call);
        let age_ms = self.gate.parts.clock.now() - self.call.created_at;
        let is_first = std::mem::take(&mut self.is_new) && !self.is_stale();
        // Outside the key's window the same request might make a second payment: what there is is looked up instead.
        let made = if is_first || key_holds(provider.as_ref(), age_ms) {
            let create = provider.create(&request);
            let id = self.call.id.as_str();
            match self.effect(provider.as_ref(), "create", id, create).await {
                // Made by an earlier request, that differed in what the configuration says: a service may never give it
                // for this one.
                Err(ProviderError::Unreachable(why)) if !is_first => {
                    let found = self.look_up(provider.as_ref(), &request).await;
                    let found = found.ok().flatten();
                    found.map(Some).ok_or(ProviderError::Unreachable(why))
                }
                made => made.map(Some),
            }
        } else {
            self.look_up(provider.as_ref(), &request).await
        };
        match made {
            Ok(Some(created)) => self.gather(
                PaymentEvent::Created {
                    reference: created.reference,
                    url: created.url,
                }
                .into(),
            ),
            // The turn that opened the call may be at it just now.
            Ok(None) if age_ms < STEP_PATIENCE_MS => {
                let reason = "it has no such payment yet, and may just be asked for it";
                Err(ProviderError::Busy(reason.into()).into())
            }
            // Nobody has seen its link: whatever the provider may have made cannot be paid.
            Ok(None) | Err(ProviderError::Unsupported { .. }) => {
                self.gather(PaymentEvent::Expired.into())
            }
            Err(ProviderError::Refused(reason)) => {
                tracing::warn!(call = %self.call.id, reason, "the provider made no payment");
                self.gather(PaymentEvent::Failed.into())
            }
            Err(error) => Err(error.into()),
        }
    }

    async fn look_up(
        &self,
        provider: &dyn Provider,
        request: &CreatePayment,
    ) -> Result<Option<CreatedPayment>, ProviderError> {
        let found = provider.lookup(request);
        let id = self.call.id.as_str();
        self.effect(provider, "lookup", id, found).await
    }

    /// Looks whether money arrived for a call that ended without it. Nothing else can change its end.
    pub(super) async fn check_late(&mut self) -> Result<(), Trouble> {
        self.checked = true;
        let provider = self.provider()?;
        let Ok(payment) = self.payment() else {
            return Ok(());
        };
        match self
            .effect(
                provider.as_ref(),
                "late-status",
                self.call.id.as_str(),
                provider.status(&payment),
            )
            .await?
        {
            Standing::Paid(received) => self.gather(PaymentEvent::Paid { received }.into()),
            Standing::Authorized(_) => match self.give_back().await? {
                Some(received) => self.gather(PaymentEvent::Paid { received }.into()),
                None => Ok(()),
            },
            _ => Ok(()),
        }
    }

    pub(super) async fn check(&mut self) -> Result<(), Trouble> {
        let provider = self.provider()?;
        let payment = self.payment()?;
        let standing = self
            .effect(
                provider.as_ref(),
                "status",
                self.call.id.as_str(),
                provider.status(&payment),
            )
            .await;
        let overdue = self.gate.parts.clock.now() >= self.call.quote.expires_at;
        self.checked = true;
        match standing {
            // Called off after its time by a host that did not live to record it: nobody declined.
            Ok(Standing::Canceled) if overdue => self.gather(PaymentEvent::Expired.into()),
            Ok(standing) => self.gather_standing(standing).await,
            // Unknown means pending, never paid; and never expired either.
            Err(error) if !overdue && self.purpose != Purpose::Told => {
                tracing::warn!(call = %self.call.id, %error, "the provider did not say how a payment stands");
                Ok(())
            }
            Err(error) => Err(error.into()),
        }
    }

    async fn gather_standing(&mut self, standing: Standing) -> Result<(), Trouble> {
        let event = match standing {
            Standing::Pending => return Ok(()),
            Standing::Paid(received) => PaymentEvent::Paid { received },
            Standing::Authorized(reserved) if reserved != self.call.due() => {
                tracing::warn!(call = %self.call.id, %reserved, "a reservation is not the price and goes back");
                match self.give_back().await? {
                    Some(received) => PaymentEvent::Paid { received },
                    None => PaymentEvent::Canceled,
                }
            }
            Standing::Authorized(reserved) => PaymentEvent::Authorized { reserved },
            Standing::Failed => PaymentEvent::Failed,
            Standing::Declined => PaymentEvent::Declined,
            Standing::Canceled | Standing::Released => PaymentEvent::Canceled,
            Standing::Expired => PaymentEvent::Expired,
        };
        self.gather(event.into())
    }

    /// Has the payment called off, so that its link takes no money any more, and ends the call with `end`. One that was paid
    /// all the same is paid.
    pub(super) async fn call_off(&mut self, end: PaymentEvent) -> Result<(), Trouble> {
        let provider = self.provider()?;
        let payment = self.payment()?;
        let canceled = self
            .effect(
                provider.as_ref(),
                "cancel",
                self.call.id.as_str(),
                provider.cancel(&payment),
            )
            .await;
        match canceled {
            Ok(standing @ (Standing::Paid(_) | Standing::Authorized(_))) => {
                self.gather_standing(standing).await
            }
            // Its link may still take money.
            Ok(Standing::Pending) => {
                Err(ProviderError::Unreachable("the payment is not called off".into()).into())
            }
            Ok(_) | Err(ProviderError::Unsupported { .. }) => self.gather(end.into()),
            Err(error) => Err(error.into()),
        }
    }

    /// Takes reserved money. Of several who come for it at once one asks the provider, and the others look what came of it.
    pub(super) async fn settle(&mut self) -> Result<(), Trouble> {
        if self.tried_to_settle && self.call.payment.state.is_settling() {
            let reason = "whether the money was taken is not known yet";
            return Err(ProviderError::Unreachable(reason.into()).into());
        }
        let runs = &self.gate.runs;
        // A run that has ended here settles under the reservation that it ran under.
        let _alone = match self.purpose {
            Purpose::Finish => None,
            _ => match runs.reserve(&self.call.id) {
                Some(slot) => Some(slot),
                None => {
                    runs.ended(&self.call.id).await;
                    self.tried_to_settle = true;
                    return self.reread().await;
                }
            },
        };
        self.take_reserved().await?;
        // On record before the others look.
        self.commit().await.map(drop)
    }

    async fn take_reserved(&mut self) -> Result<(), Trouble> {
        if self.call.payment.state == PaymentState::Authorized {
            self.gather(PaymentEvent::SettleStarted.into())?;
        }
        if !self.commit().await? {
            return Ok(());
        }
        self.tried_to_settle = true;
        let provider = self.provider()?;
        let payment = self.payment()?;
        let settled = self
            .effect(
                provider.as_ref(),
                "settle",
                self.call.id.as_str(),
                provider.settle(&payment),
            )
            .await;
        if let Ok(Settled {
            proof: Some(proof), ..
        }) = &settled
        {
            let proof = proof.clone();
            self.gather(PaymentEvent::Proved { proof }.into())?;
        }
        match settled.map(|settled| settled.standing) {
            Ok(Standing::Paid(received)) => self.gather(PaymentEvent::Settled { received }.into()),
            Ok(
                Standing::Released
                | Standing::Canceled
                | Standing::Expired
                | Standing::Declined
                | Standing::Failed,
            ) => self.gather(PaymentEvent::Released.into()),
            Ok(Standing::Pending | Standing::Authorized(_)) => {
                self.not_known_yet().await?;
                Err(ProviderError::Unreachable("settling is not finished".into()).into())
            }
            // A final no, or one to something that was done before: giving the reservation back tells them apart.
            Err(ProviderError::Refused(reason)) => {
                tracing::warn!(call = %self.call.id, reason, "the provider refused to settle");
                let event = match self.give_back().await? {
                    Some(received) => PaymentEvent::Settled { received },
                    None => PaymentEvent::Released,
                };
                self.gather(event.into())
            }
            Err(error) => {
                self.not_known_yet().await?;
                Err(error.into())
            }
        }
    }

    /// Records that nobody knows whether the money was taken, with whatever the provider gave as proof so far.
    async fn not_known_yet(&mut self) -> Result<(), Trouble> {
        if self.call.payment.state == PaymentState::Settling {
            self.gather(PaymentEvent::SettleUnknown.into())?;
        }
        self.commit().await.map(drop)
    }

    pub(super) async fn release(&mut self) -> Result<(), Trouble> {
        // On record first: whoever comes for the call meanwhile must not run it on money that is on its way back.
        if self.call.payment.state == PaymentState::Authorized {
            self.gather(PaymentEvent::ReleaseStarted.into())?;
        }
        if !self.commit().await? {
            return Ok(());
        }
        match self.give_back().await? {
            None => self.gather(PaymentEvent::Released.into()),
            // It was taken after all: it is owed like any other payment.
            Some(received) => self.gather(PaymentEvent::Settled { received }.into()),
        }
    }

    /// Has a reservation given back: `None` once it is, the money when it was taken already.
    async fn give_back(&self) -> Result<Option<Money>, Trouble> {
        let provider = self.provider()?;
        let payment = self.payment()?;
        let released = self
            .effect(
                provider.as_ref(),
                "release",
                self.call.id.as_str(),
                provider.release(&payment),
            )
            .await;
        match released? {
            Standing::Paid(received) => Ok(Some(received)),
            Standing::Authorized(_) | Standing::Pending => {
                Err(ProviderError::Unreachable("the reservation is still held".into()).into())
            }
            _ => Ok(None),
        }
    }

    /// A provider's answer to `what`, or its silence after its own timeout. Tests kill hosts on either side of it.
    pub(super) async fn effect<T>(
        &self,
        provider: &dyn Provider,
        what: &str,
        about: &str,
        answer: impl Future<Output = Result<T, ProviderError>>,
    ) -> Result<T, ProviderError> {
        failpoint_of(format_args!("before-{what}"), about);
        let patience = provider.capabilities().timeout;
        let silent = || ProviderError::Unreachable(format!("no answer within {patience:?}"));
        let answer = clock::within(self.gate.parts.clock.as_ref(), patience, answer);
        let answer = answer.await.unwrap_or_else(|| Err(silent()));
        failpoint_of(format_args!("after-{what}"), about);
        answer
    }
}

/// Whether a request made `age_ms` ago may be repeated with the same key. Made in the future, by another host's clock, it
/// was made just now.
pub(super) fn key_holds(provider: &dyn Provider, age_ms: Millis) -> bool {
    let window = provider.capabilities().key_window;
    window.is_none_or(|window| i128::from(age_ms.max(0)) < window.as_millis() as i128)
}

/// How the provider knows a call's payment, once it does.
pub(super) fn payment_ref(call: &Call) -> Option<PaymentRef> {
    Some(PaymentRef {
        key: call.payment.id.clone(),
        reference: call.payment.reference.clone()?,
        price: call.due(),
        credential: None,
    })
}
