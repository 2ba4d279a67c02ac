//! The steps that make somebody whole: a refund or a credit for what was not delivered, and refunds that a person ordered.
//!
//! What was sent cannot be taken back. So the intent is on record before anything is sent, the provider's record counts
//! where something may have been sent before, and a host that was stopped reads the call again first.

use coinop_core::Millis;
use coinop_core::call::{Call, CallState, Event, Remedy};
use coinop_core::payment::PaymentEvent;
use coinop_core::step::REFUND_ON_ITS_WAY_MS;

use super::drive::{Drive, Ending, Trouble};
use super::money::{key_holds, payment_ref};
use crate::provider::{ProviderError, Refund, Refunded};

/// A refund that may have been asked for before.
#[derive(Clone, Copy, Debug)]
struct Asked {
    /// Whether the provider surely knows its key: asked again, it is the same refund.
    key_holds: bool,
    /// What is done when the key may be forgotten, and the provider has no such refund.
    unfound: Unfound,
}

/// What comes of a refund that the provider does not find, and may not know again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Unfound {
    /// It may be on its way.
    NotYet,
    /// Whatever was sent has arrived or is lost: it is asked for again, once.
    Again,
    /// Likewise, and it is not asked for again.
    Never,
}

impl Drive<'_> {
    /// Carries a remedy out. A refund that an earlier turn may have asked for is looked up before it is asked for again.
    pub(super) async fn make_good(&mut self, remedy: Remedy) -> Result<Option<Ending>, Trouble> {
        if remedy == Remedy::Credit && (self.first_try || self.call.held().is_zero()) {
            // One commit with its start: a call that has a try behind it may have been sent a refund.
            self.gather(Event::Credited)?;
            return self.end(Ending::Ended).await;
        }
        if !self.is_current().await? {
            return Ok(None);
        }
        let CallState::Compensating { tried_at, .. } = self.call.state else {
            return Ok(None);
        };
        let refund = compensation(&self.call).ok_or(Trouble::Unsteady)?;
        if remedy == Remedy::Credit {
            return self.credit_unless_sent_back(&refund).await;
        }
        let asked = (!self.first_try).then(|| self.compensated_before(tried_at));
        match self.send_back(&refund, asked).await {
            Ok(Refunded::Done) => {
                let amount = refund.amount;
                self.gather(PaymentEvent::Refunded { amount }.into())?;
            }
            Ok(Refunded::Pending) => {}
            Ok(Refunded::Failed) => {
                tracing::warn!(call = %self.call.id, "the provider gave a refund up; it stays due");
                self.gather(Event::CompensationFailed)?;
            }
            Err(error) => {
                tracing::warn!(call = %self.call.id, %error, "a refund failed; it stays due");
                self.gather(Event::CompensationFailed)?;
            }
        }
        self.end(Ending::Ended).await
    }

    /// Makes the money balance where a refund was tried before: only once the provider says that it sent nothing back.
    async fn credit_unless_sent_back(
        &mut self,
        refund: &Refund,
    ) -> Result<Option<Ending>, Trouble> {
        let provider = self.provider()?;
        let standing = self.effect(
            provider.as_ref(),
            "refund-standing",
            &refund.key,
            provider.refund_standing(refund),
        );
        match standing.await {
            Ok(None | Some(Refunded::Failed)) => self.gather(Event::Credited)?,
            Ok(Some(Refunded::Done | Refunded::Pending)) => {
                self.gather(Event::CompensationFailed)?;
                let remedy = Remedy::Refund;
                self.gather(Event::RemedyOrdered { remedy })?;
                return Ok(None);
            }
            Err(ProviderError::Unsupported { .. }) => {
                let reason =
                    "a refund may have been sent, and the provider does not say".to_owned();
                self.gather(Event::Exhausted { reason })?;
            }
            Err(error) => {
                tracing::warn!(call = %self.call.id, %error, "the provider did not say whether a refund was sent");
                self.gather(Event::CompensationFailed)?;
            }
        }
        self.end(Ending::Ended).await
    }

    /// Commits what was gathered. `false` where the call must be looked at anew before money is sent for it.
    async fn is_current(&mut self) -> Result<bool, Trouble> {
        if !self.commit().await? {
            return Ok(false);
        }
        if self.is_stale() {
            self.reread().await?;
            return Ok(false);
        }
        Ok(true)
    }

    /// Makes the refund that a person ordered.
    pub(super) async fn refund_ordered(&mut self) -> Result<Option<Ending>, Trouble> {
        if !self.is_current().await? {
            return Ok(None);
        }
        let Some(order) = self.call.refund.clone() else {
            return Ok(None);
        };
        let refund = Refund {
            payment: self.payment()?,
            key: order.key.clone(),
            amount: order.amount,
            received: self.call.payment.received.ok_or(Trouble::Unsteady)?,
            reason: order.reason,
        };
        if !self.provider()?.capabilities().refunds {
            tracing::warn!(call = %self.call.id, "a refund was ordered of a provider that gives none");
            self.gather(Event::RefundRefused { key: order.key })?;
            return self.end(Ending::Ended).await;
        }
        let asked = (!self.remedy_started).then(|| self.ordered_before(order.at));
        match self.send_back(&refund, asked).await {
            Ok(Refunded::Done) => self.gather(Event::RefundMade { key: order.key })?,
            Ok(Refunded::Pending) => return self.end(Ending::Rest).await,
            Ok(Refunded::Failed) | Err(ProviderError::Refused(_)) => {
                tracing::warn!(call = %self.call.id, "the provider refused an ordered refund");
                self.gather(Event::RefundRefused { key: order.key })?;
            }
            Err(error) => return Err(error.into()),
        }
        self.end(Ending::Ended).await
    }

    /// What earlier tries at a compensation mean for this one.
    fn compensated_before(&self, first: Millis) -> Asked {
        let now = self.gate.parts.clock.now();
        // A host that carries a try on does not know when the one before it asked.
        let is_over = |at: Millis| now - at >= REFUND_ON_ITS_WAY_MS;
        Asked {
            key_holds: self.knows_key(now - first),
            unfound: match self.tried_until.is_some_and(is_over) {
                true => Unfound::Again,
                false => Unfound::NotYet,
            },
        }
    }

    /// What earlier requests for a refund that was ordered at `at` mean for this one. Since none of them leaves a mark on
    /// the call, there are none outside the key's window.
    fn ordered_before(&self, at: Millis) -> Asked {
        let age_ms = self.gate.parts.clock.now() - at;
        Asked {
            key_holds: self.knows_key(age_ms),
            unfound: match age_ms - REFUND_ON_ITS_WAY_MS {
                over_ms if over_ms >= 0 && !self.knows_key(over_ms) => Unfound::Never,
                _ => Unfound::NotYet,
            },
        }
    }

    fn knows_key(&self, age_ms: Millis) -> bool {
        let provider = self.provider();
        provider.is_ok_and(|provider| key_holds(provider.as_ref(), age_ms))
    }

    /// Sends money back once: where it may have been asked for before, the provider's record counts first.
    async fn send_back(
        &self,
        refund: &Refund,
        asked: Option<Asked>,
    ) -> Result<Refunded, ProviderError> {
        let unknown = || ProviderError::Unreachable("the account is not configured".into());
        let provider = self.provider().map_err(|_| unknown())?;
        if let Some(asked) = asked {
            match self
                .effect(
                    provider.as_ref(),
                    "refund-standing",
                    &refund.key,
                    provider.refund_standing(refund),
                )
                .await
            {
                Ok(Some(standing)) if standing != Refunded::Failed => return Ok(standing),
                Ok(_) if asked.key_holds || asked.unfound == Unfound::Again => {}
                Ok(Some(standing)) => return Ok(standing),
                Ok(None) if asked.unfound == Unfound::Never => {
                    let reason = "it has no such refund, and may not know its key any more";
                    return Err(ProviderError::Refused(reason.into()));
                }
                Ok(None) => {
                    let reason = "it has no such refund yet, and one may be on its way";
                    return Err(ProviderError::Busy(reason.into()));
                }
                Err(ProviderError::Unsupported { .. }) if asked.key_holds => {}
                // Refusing to say is not refusing to refund.
                Err(ProviderError::Refused(reason)) => {
                    return Err(ProviderError::Unreachable(reason));
                }
                // Never a key blindly outside its window: it might send the money twice.
                Err(error) => return Err(error),
            }
        }
        self.effect(
            provider.as_ref(),
            "refund",
            &refund.key,
            provider.refund(refund),
        )
        .await
    }
}

/// The refund that compensates a call.
pub(super) fn compensation(call: &Call) -> Option<Refund> {
    Some(Refund {
        payment: payment_ref(call)?,
        // One compensation a call, so one key: asked twice, it goes back once.
        key: format!("{}-compensation", call.payment.id),
        amount: call.held(),
        received: call.payment.received?,
        reason: "the paid call did not deliver".to_owned(),
    })
}
