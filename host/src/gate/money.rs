//! The steps that talk to a provider: asking for a payment, looking at it, taking it, giving it back.
//!
//! Each commits what was gathered before it asks, so that the intent is on record before the effect, and gathers what
//! came of it.

use std::sync::Arc;

use coinop_core::call::{Call, CallState, Event, Remedy};
use coinop_core::money::Money;
use coinop_core::payment::{PaymentEvent, PaymentState};

use super::drive::{Drive, Ending, Trouble};
use super::paid::create_payment;
use crate::failpoint::failpoint;
use crate::provider::{PaymentRef, Provider, ProviderError, Refund, Refunded, Standing};

/// Failed attempts at compensation before a person must look.
const COMPENSATION_ATTEMPTS_MAX: u32 = 8;

impl Drive<'_> {
    fn provider(&self) -> Result<Arc<dyn Provider>, Trouble> {
        let name = &self.call.quote.account;
        let provider = self.gate.account(name).cloned();
        provider.ok_or_else(|| Trouble::Account(name.clone()))
    }

    fn payment(&self) -> Result<PaymentRef, Trouble> {
        payment_ref(&self.call).ok_or(Trouble::Unsteady)
    }

    pub(super) async fn request(&mut self) -> Result<(), Trouble> {
        if !self.commit().await? {
            return Ok(());
        }
        let provider = self.provider()?;
        let request = create_payment(&self.call);
        match within(provider.as_ref(), provider.create(&request)).await {
            Ok(created) => self.gather(
                PaymentEvent::Created {
                    reference: created.reference,
                    url: created.url,
                }
                .into(),
            ),
            Err(ProviderError::Unreachable(reason)) => {
                Err(ProviderError::Unreachable(reason).into())
            }
            Err(refused) => {
                tracing::warn!(call = %self.call.id, error = %refused, "the provider made no payment");
                self.gather(PaymentEvent::Failed.into())
            }
        }
    }

    pub(super) async fn check(&mut self) -> Result<(), Trouble> {
        let provider = self.provider()?;
        let payment = self.payment()?;
        let standing = within(provider.as_ref(), provider.status(&payment)).await;
        let overdue = self.gate.parts.clock.now() >= self.call.quote.expires_at;
        self.checked = true;
        match standing {
            Ok(standing) => self.gather_standing(standing).await,
            // Unknown means pending, never paid; and never expired either.
            Err(error) if !overdue => {
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
            Standing::Authorized(reserved) if reserved != self.call.quote.price => {
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

    /// Calls an overdue payment off, so that its link takes no money any more, and ends the call.
    pub(super) async fn expire(&mut self) -> Result<(), Trouble> {
        let provider = self.provider()?;
        let payment = self.payment()?;
        match within(provider.as_ref(), provider.cancel(&payment)).await {
            Ok(standing @ (Standing::Paid(_) | Standing::Authorized(_))) => {
                self.gather_standing(standing).await
            }
            // Its link may still take money.
            Ok(Standing::Pending) => {
                Err(ProviderError::Unreachable("the payment is not called off".into()).into())
            }
            Ok(_) | Err(ProviderError::Unsupported { .. }) => {
                self.gather(PaymentEvent::Expired.into())
            }
            Err(error) => Err(error.into()),
        }
    }

    pub(super) async fn settle(&mut self) -> Result<(), Trouble> {
        if self.call.state == CallState::Executed {
            self.gather(PaymentEvent::SettleStarted.into())?;
        }
        if !self.commit().await? {
            return Ok(());
        }
        failpoint("before-settle");
        let provider = self.provider()?;
        let payment = self.payment()?;
        match within(provider.as_ref(), provider.settle(&payment)).await {
            Ok(Standing::Paid(received)) => self.gather(PaymentEvent::Settled { received }.into()),
            Ok(
                Standing::Released
                | Standing::Canceled
                | Standing::Expired
                | Standing::Declined
                | Standing::Failed,
            ) => self.gather(PaymentEvent::Released.into()),
            Ok(Standing::Pending | Standing::Authorized(_)) => {
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
                if self.call.payment.state == PaymentState::Settling {
                    self.gather(PaymentEvent::SettleUnknown.into())?;
                    self.commit().await?;
                }
                Err(error.into())
            }
        }
    }

    pub(super) async fn release(&mut self) -> Result<(), Trouble> {
        if !self.commit().await? {
            return Ok(());
        }
        match self.give_back().await? {
            None => self.gather(PaymentEvent::Released.into()),
            Some(_) => {
                Err(ProviderError::Refused("what was reserved is taken already".into()).into())
            }
        }
    }

    /// Has a reservation given back: `None` once it is, the money when it was taken already.
    async fn give_back(&self) -> Result<Option<Money>, Trouble> {
        let provider = self.provider()?;
        let payment = self.payment()?;
        match within(provider.as_ref(), provider.release(&payment)).await? {
            Standing::Paid(received) => Ok(Some(received)),
            Standing::Authorized(_) | Standing::Pending => {
                Err(ProviderError::Unreachable("the reservation is still held".into()).into())
            }
            _ => Ok(None),
        }
    }

    pub(super) async fn make_good(&mut self, remedy: Remedy) -> Result<Option<Ending>, Trouble> {
        if !self.commit().await? {
            return Ok(None);
        }
        let attempts = match self.call.state {
            CallState::Compensating { attempts, .. } => attempts,
            _ => return Ok(None),
        };
        let provider = self.provider()?;
        let refundable = remedy == Remedy::Refund && provider.capabilities().refunds;
        if !refundable || attempts >= COMPENSATION_ATTEMPTS_MAX {
            let reason =
                format!("{attempts} attempts at a refund failed, or the provider gives none");
            self.gather(Event::Exhausted { reason })?;
            return self.end(Ending::Ended).await;
        }
        let refund = self.refund()?;
        failpoint("before-refund");
        match within(provider.as_ref(), provider.refund(&refund)).await {
            Ok(Refunded::Done) => self.gather(
                PaymentEvent::Refunded {
                    amount: refund.amount,
                }
                .into(),
            )?,
            Ok(Refunded::Pending) => {}
            Err(error) => {
                tracing::warn!(call = %self.call.id, %error, "a refund failed; it stays due");
                self.gather(Event::CompensationFailed)?;
            }
        }
        self.end(Ending::Ended).await
    }

    fn refund(&self) -> Result<Refund, Trouble> {
        let received = self.call.payment.received.ok_or(Trouble::Unsteady)?;
        let left = received.amount.checked_sub(self.call.payment.refunded);
        Ok(Refund {
            payment: self.payment()?,
            // One compensation a call, so one key: asked twice, it goes back once.
            key: format!("{}-compensation", self.call.payment.id),
            amount: left.ok_or(Trouble::Unsteady)?,
            reason: "the paid call did not deliver".to_owned(),
        })
    }
}

/// A provider's answer, or its silence after its own timeout.
async fn within<T>(
    provider: &dyn Provider,
    answer: impl Future<Output = Result<T, ProviderError>>,
) -> Result<T, ProviderError> {
    let patience = provider.capabilities().timeout;
    match tokio::time::timeout(patience, answer).await {
        Ok(answer) => answer,
        Err(_) => Err(ProviderError::Unreachable(format!(
            "no answer within {patience:?}"
        ))),
    }
}

/// How the provider knows a call's payment, once it does.
pub(super) fn payment_ref(call: &Call) -> Option<PaymentRef> {
    Some(PaymentRef {
        key: call.payment.id.clone(),
        reference: call.payment.reference.clone()?,
        price: call.quote.price,
    })
}
