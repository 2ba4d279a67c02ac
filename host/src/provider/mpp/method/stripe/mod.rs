//! stripe/charge: the payload is a shared payment token, which Stripe charges to the card behind it.
//!
//! A token cannot be checked without charging it, and checking must not take money. So a call runs on a token's word and
//! the card is charged afterwards; a declined card means a run for nothing. Sellers of what costs them something choose
//! `settle = "upfront"`: then the card is charged before the run.

mod api;
#[cfg(test)]
mod tests;
mod units;

use std::sync::Arc;
use std::time::Duration;

use coinop_core::Millis;
use coinop_core::digest::Digest;
use coinop_core::money::Money;
use coinop_core::principal::Principal;
use futures::FutureExt as _;
use futures::future::BoxFuture;
use serde::Deserialize;
use serde_json::{Value, json};

use self::api::{Api, Intent, List, MadeRefund, Posted};
use self::units::Unit;
use super::{Method, Presented};
use crate::clock::Clock;
use crate::config::Secret;
use crate::provider::mpp::challenge::{Echo, Terms};
use crate::provider::mpp::receipt::{Keep, Proof};
use crate::provider::mpp::reject::{invalid, unproven};
use crate::provider::rail::{Funds, Offer, Rejected, Verified};
use crate::provider::{
    NotChargeable, PaymentRef, ProviderError, Refund, Refunded, Settled, Standing,
};

const NAME: &str = "stripe";
/// Stripe's own address.
const API: &str = "https://api.stripe.com";
/// Longest token: with the challenge's id it makes an idempotency key, of at most 255 characters.
const TOKEN_CHARS_MAX: usize = 200;
/// How long Stripe certainly remembers an idempotency key: a little less than the day it promises.
const KEY_WINDOW_MS: Millis = 23 * 60 * 60 * 1000;
/// Refunds of one payment that are looked through: Stripe's largest page, far beyond what the host makes.
const REFUNDS_MAX: &str = "100";

/// `[accounts.NAME.stripe]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Settings {
    secret_key: Secret,
    /// The seller's profile at Stripe, for which tokens are made.
    network_id: String,
    /// The currency of prices.
    currency: String,
    /// Where the API is, for tests.
    api: Option<String>,
    /// What may stand behind a token.
    payment_method_types: Option<Vec<String>>,
}

/// Card payments into one account at Stripe.
pub(crate) struct Stripe {
    api: Api,
    unit: Unit,
    network_id: String,
    payment_method_types: Vec<String>,
    is_test: bool,
    clock: Arc<dyn Clock>,
}

impl Stripe {
    pub(crate) fn new(settings: &Settings, clock: Arc<dyn Clock>) -> Result<Self, String> {
        let secret = settings.secret_key.clone();
        let key = secret.expose();
        let is_test = key.starts_with("sk_test_") || key.starts_with("rk_test_");
        let card = || vec!["card".to_owned()];
        Ok(Self {
            unit: Unit::of(&settings.currency)
                .map_err(|error| format!("stripe.currency: {error}"))?,
            api: Api::new(settings.api.as_deref().unwrap_or(API), secret)?,
            network_id: settings.network_id.clone(),
            payment_method_types: settings.payment_method_types.clone().unwrap_or_else(card),
            is_test,
            clock,
        })
    }

    fn request(&self, count: i64) -> Value {
        json!({
            "amount": count.to_string(),
            "currency": self.unit.code(),
            "methodDetails": {
                "networkId": self.network_id,
                "paymentMethodTypes": self.payment_method_types,
            },
        })
    }

    fn check(&self, presented: &Presented<'_>) -> Result<Verified, Rejected> {
        let (offer, echo) = (presented.offer, presented.echo);
        let asked = self.unit.count(&offer.price).map(|c| self.request(c));
        if asked.as_ref() != Ok(&echo.request) {
            return Err(invalid(
                "invalid-challenge",
                "payments are taken on other terms since it was made",
            ));
        }
        let spt = token(presented.payload)
            .ok_or_else(|| unproven("payload.spt is not a shared payment token"))?;
        Ok(Verified {
            reference: reference(&echo.id, spt),
            payer: Principal::anonymous(),
            funds: Funds::Reserved(offer.price),
            keep: Keep::Stripe {
                challenge: echo.id.clone(),
                spt: spt.to_owned(),
                at: offer.now,
            }
            .to_text(),
            valid_until: presented.expires_at,
        })
    }

    /// Charges the token once. While Stripe remembers the key it is asked with it; later, what was made is looked up, and
    /// what was not made is not made any more.
    async fn charge(&self, payment: &PaymentRef) -> Result<Settled, ProviderError> {
        let kept = Keep::read(payment.credential.as_deref())?;
        let Keep::Stripe { challenge, spt, at } = kept else {
            return Err(ProviderError::Refused(
                "the payment is of another method".into(),
            ));
        };
        let intent = if self.clock.now() - at < KEY_WINDOW_MS {
            let count = self.unit.count(&payment.price);
            let count = count.map_err(|error| ProviderError::Refused(error.to_string()))?;
            let form = self.charge_form(&payment.reference, &challenge, &spt, count);
            let key = format!("{challenge}_{spt}");
            match self.api.post("payment_intents", &key, &form).await? {
                Posted::Done(intent) => intent,
                Posted::Refused(reason) => {
                    tracing::info!(
                        payment = payment.reference,
                        reason,
                        "Stripe refused to charge a token"
                    );
                    return Ok(Standing::Declined.into());
                }
            }
        } else {
            match self.find(&payment.reference).await? {
                Some(intent) => intent,
                None => return Ok(Standing::Released.into()),
            }
        };
        self.became(intent, challenge).await
    }

    fn charge_form(
        &self,
        reference: &str,
        challenge: &str,
        spt: &str,
        count: i64,
    ) -> Vec<(String, String)> {
        let count = count.to_string();
        let code = self.unit.code();
        let fixed = [
            ("amount", count.as_str()),
            ("currency", &code),
            ("confirm", "true"),
            ("capture_method", "automatic"),
            ("shared_payment_granted_token", spt),
            ("metadata[machine_payment]", "true"),
            ("metadata[mpp_challenge_id]", challenge),
            ("metadata[coinop_reference]", reference),
        ];
        let fixed = fixed.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let kinds = self.payment_method_types.iter().enumerate();
        let kinds = kinds.map(|(n, kind)| (format!("payment_method_types[{n}]"), kind.clone()));
        fixed.into_iter().chain(kinds).collect()
    }

    /// What a PaymentIntent's status means. One that waits for its payer is called off: nobody is there to act, and it must
    /// not be paid after the call ended unpaid.
    async fn became(&self, intent: Intent, challenge: String) -> Result<Settled, ProviderError> {
        match intent.status.as_str() {
            "succeeded" if intent.currency == self.unit.code() => {
                let received = self.unit.money(intent.amount_received);
                let proof = Proof {
                    method: NAME.to_owned(),
                    challenge_id: challenge,
                    reference: intent.id,
                    at: self.clock.now(),
                };
                Ok(Settled {
                    standing: Standing::Paid(received),
                    proof: Some(proof.to_text()),
                })
            }
            "canceled" => Ok(Standing::Declined.into()),
            "requires_action" | "requires_payment_method" | "requires_confirmation" => {
                let path = format!("payment_intents/{}/cancel", intent.id);
                let key = format!("cancel_{}", intent.id);
                match self.api.post::<Intent>(&path, &key, &[]).await? {
                    Posted::Done(intent) if intent.status == "canceled" => {
                        Ok(Standing::Declined.into())
                    }
                    _ => Ok(Standing::Pending.into()),
                }
            }
            _ => Ok(Standing::Pending.into()),
        }
    }

    /// The PaymentIntent of a reference. Stripe's search lags behind by up to a minute.
    async fn find(&self, reference: &str) -> Result<Option<Intent>, ProviderError> {
        let query = format!("metadata['coinop_reference']:'{reference}'");
        let query = [("query", query.as_str()), ("limit", "2")];
        let found: List<Intent> = self.api.get("payment_intents/search", &query).await?;
        Ok(found.data.into_iter().next())
    }

    async fn found(&self, reference: &str) -> Result<Intent, ProviderError> {
        let not_yet = || ProviderError::Unreachable("Stripe does not find the payment".into());
        self.find(reference).await?.ok_or_else(not_yet)
    }

    async fn send_back(&self, refund: &Refund) -> Result<Refunded, ProviderError> {
        let intent = self.found(&refund.payment.reference).await?;
        let count = self.unit.count_of(refund.amount);
        let count = count.map_err(|error| ProviderError::Refused(error.to_string()))?;
        let form = [
            ("payment_intent", intent.id),
            ("amount", count.to_string()),
            ("metadata[coinop_refund]", refund.key.clone()),
        ]
        .map(|(name, value)| (name.to_owned(), value));
        match self.api.post("refunds", &refund.key, &form).await? {
            Posted::Done(refund) => Ok(refund_state(&refund)),
            Posted::Refused(reason) => Err(ProviderError::Refused(reason)),
        }
    }

    async fn refund_made(&self, refund: &Refund) -> Result<Option<Refunded>, ProviderError> {
        let intent = self.found(&refund.payment.reference).await?;
        let query = [
            ("payment_intent", intent.id.as_str()),
            ("limit", REFUNDS_MAX),
        ];
        let made: List<MadeRefund> = self.api.get("refunds", &query).await?;
        let ours = |made: &&MadeRefund| made.metadata["coinop_refund"] == refund.key.as_str();
        Ok(made.data.iter().find(ours).map(refund_state))
    }
}

fn refund_state(refund: &MadeRefund) -> Refunded {
    match refund.status.as_str() {
        "succeeded" => Refunded::Done,
        "failed" | "canceled" => Refunded::Failed,
        _ => Refunded::Pending,
    }
}

/// A payload's token: of characters that a key may be made of.
fn token(payload: &Value) -> Option<&str> {
    let spt = payload.get("spt")?.as_str()?;
    let known = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
    let valid = spt.starts_with("spt_") && spt.len() <= TOKEN_CHARS_MAX && spt.bytes().all(known);
    valid.then_some(spt)
}

/// The payment's name. The token itself stays out of it: references are shown and logged.
fn reference(challenge: &str, spt: &str) -> String {
    let digest = Digest::of(spt.as_bytes()).to_string();
    format!("{NAME}:{challenge}_{}", &digest[..32])
}

impl Method for Stripe {
    fn name(&self) -> &'static str {
        NAME
    }

    fn is_test(&self) -> bool {
        self.is_test
    }

    fn authorizes(&self) -> bool {
        true
    }

    fn timeout(&self) -> Duration {
        // A charge that waits for its payer is called off in the same breath.
        api::WAIT * 2
    }

    fn refunds(&self) -> bool {
        true
    }

    fn owns(&self, reference: &str) -> bool {
        reference.starts_with("stripe:")
    }

    fn chargeable(&self, price: &Money) -> Result<(), NotChargeable> {
        self.unit.count(price).map(drop)
    }

    fn terms<'a>(&'a self, offer: &'a Offer) -> BoxFuture<'a, Result<Terms, ProviderError>> {
        let count = self.unit.count(&offer.price);
        let terms = count.map(|count| Terms {
            request: self.request(count),
            expires_at: offer.expires_at,
        });
        let terms = terms.map_err(|error| ProviderError::Refused(error.to_string()));
        std::future::ready(terms).boxed()
    }

    fn reference(&self, echo: &Echo, payload: &Value) -> Option<String> {
        Some(reference(&echo.id, token(payload)?))
    }

    fn verify<'a>(&'a self, presented: Presented<'a>) -> BoxFuture<'a, Result<Verified, Rejected>> {
        std::future::ready(self.check(&presented)).boxed()
    }

    fn status<'a>(
        &'a self,
        payment: &'a PaymentRef,
    ) -> BoxFuture<'a, Result<Standing, ProviderError>> {
        std::future::ready(Ok(Standing::Authorized(payment.price))).boxed()
    }

    /// A token that nobody charged. Whoever charges does not release: a declined charge ends there.
    fn release<'a>(
        &'a self,
        _payment: &'a PaymentRef,
    ) -> BoxFuture<'a, Result<Standing, ProviderError>> {
        std::future::ready(Ok(Standing::Released)).boxed()
    }

    fn settle<'a>(
        &'a self,
        payment: &'a PaymentRef,
    ) -> BoxFuture<'a, Result<Settled, ProviderError>> {
        self.charge(payment).boxed()
    }

    fn refund<'a>(&'a self, refund: &'a Refund) -> BoxFuture<'a, Result<Refunded, ProviderError>> {
        self.send_back(refund).boxed()
    }

    fn refund_standing<'a>(
        &'a self,
        refund: &'a Refund,
    ) -> BoxFuture<'a, Result<Option<Refunded>, ProviderError>> {
        self.refund_made(refund).boxed()
    }
}
