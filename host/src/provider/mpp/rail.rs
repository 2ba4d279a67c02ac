//! The account as a rail: what may be paid, and whether what is presented holds.

use coinop_core::payment::Payment;
use futures::FutureExt as _;
use futures::future::BoxFuture;
use serde_json::Value;

use super::Mpp;
use super::binding::Binding;
use super::challenge::{CHARGE, Echo, Heading, sealed};
use super::method::{Method, Presented};
use super::receipt::Proof;
use super::reject::{invalid, malformed};
use crate::provider::ProviderError;
use crate::provider::rail::{
    Challenge, Credential, Offer, Protocol, Rail, RailReceipt, Rejected, Verified,
};

/// Longest description in a challenge, characters: over HTTP it stands in a header.
const DESCRIPTION_CHARS_MAX: usize = 200;

impl Mpp {
    /// A challenge for each method that can charge the price now. A method in trouble keeps nobody from paying by another.
    async fn challenges(&self, offer: &Offer) -> Result<Vec<Value>, ProviderError> {
        let secret = offer.secrets.first();
        let secret = secret
            .ok_or_else(|| ProviderError::Refused("there is no secret to seal with".into()))?;
        let price = &offer.price;
        let able = self.methods.iter().filter(|m| m.chargeable(price).is_ok());
        let stated = able.map(async |method| (method, method.terms(offer).await));
        let (mut challenges, mut trouble) = (Vec::new(), None);
        let description = one_line(&offer.description);
        for (method, terms) in futures::future::join_all(stated).await {
            match terms {
                Ok(terms) => {
                    let heading = Heading {
                        realm: &self.realm,
                        method: method.name(),
                        description: &description,
                        opaque: &Binding::of(offer, crate::random::token()).to_opaque(),
                    };
                    challenges.push(sealed(&heading, &terms, secret));
                }
                Err(error) => {
                    tracing::warn!(account = offer.account, method = method.name(), %error, "a method is not offered");
                    trouble = Some(error);
                }
            }
        }
        match (challenges.is_empty(), trouble) {
            (false, _) => Ok(challenges),
            (true, Some(error)) => Err(error),
            (true, None) => Err(ProviderError::Refused(format!(
                "no method of the account charges {price}"
            ))),
        }
    }

    /// The method of an echo that is of this account's making, as far as can be told without its secret.
    fn method_for(&self, echo: &Echo) -> Option<&dyn Method> {
        let is_ours = Binding::read(&echo.opaque).is_some_and(|it| it.account == self.account);
        if echo.realm != self.realm || echo.intent != CHARGE || !is_ours {
            return None;
        }
        let named = self.methods.iter().find(|m| m.name() == echo.method);
        named.map(AsRef::as_ref)
    }

    fn read<'a>(&self, credential: &'a Credential) -> Option<(&dyn Method, Echo, &'a Value)> {
        if credential.protocol != Protocol::Mpp {
            return None;
        }
        let echo = Echo::read(&credential.json)?;
        let payload = credential.json.get("payload")?;
        Some((self.method_for(&echo)?, echo, payload))
    }

    async fn check(&self, offer: &Offer, credential: &Credential) -> Result<Verified, Rejected> {
        let (method, echo, payload) = self
            .read(credential)
            .ok_or_else(|| malformed("it does not answer a challenge of this account"))?;
        if !echo.is_sealed_by(&offer.secrets) {
            return Err(invalid(
                "invalid-challenge",
                "the challenge was not made here, or was changed",
            ));
        }
        // Sealed, so made here: what cannot be read now was made by another version.
        let unreadable = || invalid("invalid-challenge", "the challenge cannot be read any more");
        let binding = Binding::read(&echo.opaque).ok_or_else(unreadable)?;
        let expires_at = echo.expires_at().ok_or_else(unreadable)?;
        if offer.now >= expires_at + method.grace_ms() {
            return Err(invalid("payment-expired", "the challenge's time is over"));
        }
        // Money that has moved cannot be given back by saying no: what it was asked for holds, whatever the tool costs now,
        // and the tool's version of now serves.
        let asked = match method.authorizes() {
            true => None,
            false => Some(binding.as_asked(offer).ok_or_else(unreadable)?),
        };
        let offer = asked.as_ref().unwrap_or(offer);
        binding.admits(offer)?;
        let presented = Presented {
            offer,
            echo: &echo,
            payload,
            expires_at,
        };
        method.verify(presented).await
    }
}

/// A description that fits into a header.
fn one_line(description: &str) -> String {
    let printable = |c: char| if c.is_control() { ' ' } else { c };
    let chars = description.chars().take(DESCRIPTION_CHARS_MAX);
    chars.map(printable).collect()
}

impl Rail for Mpp {
    fn protocol(&self) -> Protocol {
        Protocol::Mpp
    }

    fn challenge<'a>(
        &'a self,
        offer: &'a Offer,
    ) -> BoxFuture<'a, Result<Challenge, ProviderError>> {
        async { Ok(Challenge::Mpp(self.challenges(offer).await?)) }.boxed()
    }

    fn recognizes(&self, credential: &Credential) -> bool {
        self.read(credential).is_some()
    }

    fn reference(&self, credential: &Credential) -> Option<String> {
        let (method, echo, payload) = self.read(credential)?;
        method.reference(&echo, payload)
    }

    fn verify<'a>(
        &'a self,
        offer: &'a Offer,
        credential: &'a Credential,
    ) -> BoxFuture<'a, Result<Verified, Rejected>> {
        self.check(offer, credential).boxed()
    }

    fn receipt(&self, payment: &Payment) -> Option<RailReceipt> {
        let proof = Proof::read(payment.proof.as_deref()?)?;
        Some(RailReceipt {
            protocol: Protocol::Mpp,
            json: proof.receipt(),
        })
    }
}
