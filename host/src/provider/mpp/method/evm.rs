//! evm/charge: the payload is a signed transfer of a token (EIP-3009), whose nonce is a hash of the challenge.
//!
//! It is x402's `exact` payment with another envelope, so it is put into that envelope and left to the x402 account
//! inside: checked, settled by its facilitator, and looked up on its chain there. What is added here is the nonce, which
//! binds a transfer to one challenge.

use std::sync::Arc;
use std::time::Duration;

use coinop_core::money::Money;
use futures::FutureExt as _;
use futures::future::BoxFuture;
use serde_json::{Value, json};

use super::{Method, Presented};
use crate::clock::Clock;
use crate::provider::mpp::challenge::{Echo, Terms};
use crate::provider::mpp::receipt::{Keep, Proof};
use crate::provider::mpp::reject::{invalid, unproven};
use crate::provider::rail::{Challenge, Credential, Offer, Protocol, Rail, Rejected, Verified};
use crate::provider::x402::evm::address::hex;
use crate::provider::x402::evm::typed_data::keccak;
use crate::provider::x402::terms::Method::Eip3009;
use crate::provider::x402::{self, X402};
use crate::provider::{NotChargeable, PaymentRef, Provider, ProviderError, Settled, Standing};

const NAME: &str = "evm";
/// What all names of EVM chains begin with (CAIP-2).
const NAMESPACE: &str = "eip155:";

/// Transfers of one token on one chain.
pub(crate) struct Evm {
    exact: X402,
    clock: Arc<dyn Clock>,
}

impl Evm {
    pub(crate) fn new(
        settings: x402::settings::Settings,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, String> {
        let exact = X402::new(settings, Arc::clone(&clock)).map_err(|e| format!("evm.{e}"))?;
        match exact.terms().method {
            Eip3009(..) => Ok(Self { exact, clock }),
            _ => Err("evm.network and evm.transfer must be of an EVM chain and eip3009".to_owned()),
        }
    }

    /// What x402 would require for the offer.
    async fn requirement(&self, offer: &Offer) -> Result<Value, ProviderError> {
        match self.exact.challenge(offer).await? {
            Challenge::X402 { mut v2, .. } => Ok(v2["accepts"][0].take()),
            Challenge::Mpp(_) => Err(ProviderError::Refused("another protocol".into())),
        }
    }

    /// The same in the protocol's words.
    fn request(&self, requirement: &Value) -> Option<Value> {
        let chain_id: u64 = requirement["network"]
            .as_str()?
            .strip_prefix(NAMESPACE)?
            .parse()
            .ok()?;
        Some(json!({
            "amount": requirement["amount"],
            "currency": requirement["asset"],
            "recipient": requirement["payTo"],
            "methodDetails": {
                "chainId": chain_id,
                "credentialTypes": ["authorization"],
                "decimals": self.exact.decimals(),
            },
        }))
    }

    async fn check(&self, presented: Presented<'_>) -> Result<Verified, Rejected> {
        let unavailable = |error: ProviderError| Rejected::Unavailable(error.to_string());
        let Presented {
            offer,
            echo,
            payload,
            ..
        } = presented;
        let requirement = self.requirement(offer).await.map_err(unavailable)?;
        if self.request(&requirement).as_ref() != Some(&echo.request) {
            return Err(invalid(
                "invalid-challenge",
                "payments are taken on other terms since it was made",
            ));
        }
        if payload["type"] != "authorization" {
            return Err(unproven("payload.type is not \"authorization\""));
        }
        if !is_bound(payload, echo) {
            return Err(unproven("the transfer's nonce is not the challenge's"));
        }
        let credential = rewrapped(requirement, payload);
        let verified = self.exact.verify(offer, &credential).await;
        let verified = verified.map_err(|rejected| match rejected {
            invalid @ Rejected::Invalid { .. } => unproven(&invalid.to_string()),
            unavailable => unavailable,
        })?;
        let keep = Keep::Evm {
            challenge: echo.id.clone(),
            exact: verified.keep,
        };
        Ok(Verified {
            keep: keep.to_text(),
            ..verified
        })
    }

    async fn take(&self, payment: &PaymentRef) -> Result<Settled, ProviderError> {
        let (challenge_id, payment) = inner(payment)?;
        let settled = self.exact.settle(&payment).await?;
        let transaction = settled.proof.as_deref().and_then(transaction);
        let proof = transaction.map(|reference| Proof {
            method: NAME.to_owned(),
            challenge_id,
            reference,
            at: self.clock.now(),
        });
        Ok(Settled {
            standing: settled.standing,
            proof: proof.map(|proof| proof.to_text()),
        })
    }
}

/// The challenge of a payment, and the payment as the account inside knows it.
fn inner(payment: &PaymentRef) -> Result<(String, PaymentRef), ProviderError> {
    let Keep::Evm { challenge, exact } = Keep::read(payment.credential.as_deref())? else {
        return Err(ProviderError::Refused(
            "the payment is of another method".into(),
        ));
    };
    let payment = PaymentRef {
        credential: Some(exact.into()),
        ..payment.clone()
    };
    Ok((challenge, payment))
}

/// The transaction of a settlement response that is a success.
fn transaction(proof: &str) -> Option<String> {
    let proof: Value = serde_json::from_str(proof).ok()?;
    let transaction = proof["transaction"].as_str()?;
    (proof["success"] == true).then(|| transaction.to_owned())
}

/// A payload in x402's envelope.
fn rewrapped(requirement: Value, payload: &Value) -> Credential {
    let part = |key: &str| payload[key].clone();
    let authorization = json!({
        "from": part("from"),
        "to": part("to"),
        "value": part("value"),
        "validAfter": part("validAfter"),
        "validBefore": part("validBefore"),
        "nonce": part("nonce"),
    });
    Credential {
        protocol: Protocol::X402,
        json: json!({
            "x402Version": 2,
            "accepted": requirement,
            "payload": { "signature": part("signature"), "authorization": authorization },
        }),
    }
}

/// Whether the transfer's nonce is the hash of the challenge: as mppx makes it, or as pympp 0.16 does.
fn is_bound(payload: &Value, echo: &Echo) -> bool {
    let joined = format!("{}{}", echo.id, echo.realm);
    let listed = json!([echo.id, echo.realm]).to_string();
    let nonce = payload["nonce"].as_str().map(str::to_ascii_lowercase);
    let hash = |text: &str| hex(&keccak(text.as_bytes()));
    nonce.is_some_and(|nonce| nonce == hash(&joined) || nonce == hash(&listed))
}

impl Method for Evm {
    fn name(&self) -> &'static str {
        NAME
    }

    fn is_test(&self) -> bool {
        self.exact.capabilities().test
    }

    fn timeout(&self) -> Duration {
        self.exact.capabilities().timeout
    }

    fn authorizes(&self) -> bool {
        true
    }

    fn owns(&self, reference: &str) -> bool {
        reference.starts_with(NAMESPACE)
    }

    fn chargeable(&self, price: &Money) -> Result<(), NotChargeable> {
        self.exact.chargeable(price)
    }

    fn terms<'a>(&'a self, offer: &'a Offer) -> BoxFuture<'a, Result<Terms, ProviderError>> {
        async {
            let requirement = self.requirement(offer).await?;
            let request = self.request(&requirement);
            let request = request
                .ok_or_else(|| ProviderError::Refused("the account is on no EVM chain".into()))?;
            let expires_at = offer.expires_at;
            Ok(Terms {
                request,
                expires_at,
            })
        }
        .boxed()
    }

    /// Payer and nonce are on the chain for everybody to see. That the nonce is of the challenge is not: its id is known
    /// to the payer only.
    fn reference(&self, echo: &Echo, payload: &Value) -> Option<String> {
        if !is_bound(payload, echo) {
            return None;
        }
        let chain_id = echo.request["methodDetails"]["chainId"].as_u64()?;
        let accepted = json!({
            "scheme": "exact",
            "network": format!("{NAMESPACE}{chain_id}"),
            "asset": echo.request["currency"],
        });
        self.exact.reference(&rewrapped(accepted, payload))
    }

    fn verify<'a>(&'a self, presented: Presented<'a>) -> BoxFuture<'a, Result<Verified, Rejected>> {
        self.check(presented).boxed()
    }

    fn status<'a>(
        &'a self,
        payment: &'a PaymentRef,
    ) -> BoxFuture<'a, Result<Standing, ProviderError>> {
        async { self.exact.status(&inner(payment)?.1).await }.boxed()
    }

    fn release<'a>(
        &'a self,
        payment: &'a PaymentRef,
    ) -> BoxFuture<'a, Result<Standing, ProviderError>> {
        async { self.exact.release(&inner(payment)?.1).await }.boxed()
    }

    fn settle<'a>(
        &'a self,
        payment: &'a PaymentRef,
    ) -> BoxFuture<'a, Result<Settled, ProviderError>> {
        self.take(payment).boxed()
    }
}
