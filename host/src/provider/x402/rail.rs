//! The rail: what may be paid, whether what is presented pays it, and the receipt.

use coinop_core::payment::Payment;
use coinop_core::principal::Principal;
use futures::FutureExt as _;
use futures::future::BoxFuture;
use serde_json::{Value, json};

use super::X402;
use super::challenge;
use super::check::{self, SignatureBy};
use super::evm::address::hex;
use super::facilitator::Checked;
use super::kept::Kept;
use super::payload::{self, Envelope, Signed, Version};
use super::reason::Reason;
use super::settings::VerifyBy;
use super::terms::{MIME_TYPE, Method, Requirement, Resource};
use crate::provider::ProviderError;
use crate::provider::rail::{
    Challenge, Credential, Funds, Offer, Protocol, Rail, RailReceipt, Rejected, Verified,
};

/// What is said where nothing was paid.
const ERROR: &str = "Payment required to access this tool";

impl X402 {
    /// What `offer` asks for, without its challenge.
    async fn requirement(&self, offer: &Offer) -> Result<Requirement<'_>, ProviderError> {
        let amount = self.rate.base_units(&offer.price);
        let amount = amount.map_err(|error| ProviderError::Refused(error.to_string()))?;
        let fee_payer = match self.terms.method {
            Method::Transaction => {
                let said = self.facilitator.fee_payer(&self.terms.network.caip2).await;
                Some(said.map_err(ProviderError::Unreachable)?)
            }
            _ => None,
        };
        Ok(Requirement {
            terms: &self.terms,
            amount,
            challenge: None,
            fee_payer,
        })
    }

    async fn challenge_for(&self, offer: &Offer) -> Result<Challenge, ProviderError> {
        let mut requirement = self.requirement(offer).await?;
        let sealed = challenge::seal(offer, &requirement);
        let unsealed = || ProviderError::Busy("this host has no secret to seal offers with".into());
        requirement.challenge = Some(sealed.ok_or_else(unsealed)?);
        let resource = resource(offer);
        let v2 = json!({
            "x402Version": 2,
            "error": ERROR,
            "resource": {
                "url": resource.url, "description": resource.description, "mimeType": MIME_TYPE,
            },
            "accepts": [requirement.v2()],
            "extensions": { "payment-identifier": payment_identifier() },
        });
        let v1 = requirement.v1(resource).map(
            |requirement| json!({ "x402Version": 1, "error": ERROR, "accepts": [requirement] }),
        );
        Ok(Challenge::X402 { v2, v1 })
    }

    async fn verify_for(&self, offer: &Offer, json: &Value) -> Result<Verified, Rejected> {
        let envelope = Envelope::read(json)?;
        let requirement = self.requirement(offer).await;
        let mut requirement = requirement.map_err(|e| Rejected::Unavailable(e.to_string()))?;
        let now_s = offer.now.div_euclid(1000);
        let signature_by = match self.verify {
            VerifyBy::Facilitator => SignatureBy::Facilitator,
            VerifyBy::Local | VerifyBy::Both => SignatureBy::Us,
        };
        let held = check::check(&envelope, &requirement, now_s, signature_by)?;
        self.check_challenge(&envelope, offer, &requirement)?;
        requirement.challenge = envelope.challenge.map(str::to_owned);
        let kept = Kept::new(&envelope, json, &requirement, resource(offer));
        let mut kept = kept.ok_or(Reason::Network)?;
        let payer = match self.verify {
            VerifyBy::Local => self.ask_chain(&kept).await.map(|()| None)?,
            VerifyBy::Facilitator | VerifyBy::Both => self.ask_facilitator(&kept).await?,
        };
        kept.payer = held.payer.map(|payer| payer.checksummed()).or(payer);
        kept.verified_at_s = now_s;
        let lives_s = i64::from(self.terms.max_timeout_s);
        kept.valid_until_s = held.valid_until_s.unwrap_or(now_s + lives_s);
        let reference = self
            .reference_of(&envelope)
            .ok_or(Reason::Payload("no nonce"))?;
        let network = &self.terms.network.caip2;
        let keep = serde_json::to_string(&kept);
        Ok(Verified {
            reference,
            payer: kept
                .payer
                .as_deref()
                .map_or_else(Principal::anonymous, |payer| {
                    Principal::wallet(network, payer)
                }),
            funds: Funds::Reserved(offer.price),
            keep: keep.map_err(|error| Rejected::Unavailable(error.to_string()))?,
            valid_until: kept.valid_until_s.saturating_mul(1000),
        })
    }

    /// A payment of version 2 says which offer it answers. One of version 1 cannot: it buys the call it comes with, whose
    /// price it matches, and its nonce buys that once.
    fn check_challenge(
        &self,
        envelope: &Envelope<'_>,
        offer: &Offer,
        requirement: &Requirement<'_>,
    ) -> Result<(), Reason> {
        match (envelope.version, envelope.challenge) {
            (Version::V1, _) => Ok(()),
            (Version::V2, Some(challenge)) => challenge::check(challenge, offer, requirement),
            (Version::V2, None) if self.require_challenge => {
                Err(Reason::Challenge("extra.challengeId is not echoed"))
            }
            (Version::V2, None) => Ok(()),
        }
    }

    /// Asks the facilitator as well; who pays, as it says.
    async fn ask_facilitator(&self, kept: &Kept) -> Result<Option<String>, Rejected> {
        match self.facilitator.verify(kept).await {
            Checked::Holds(payer) => Ok(payer),
            // We checked that ourselves: it says so too when it cannot reach its chain.
            Checked::Invalid(code) if self.verify == VerifyBy::Both && blames_signature(&code) => {
                Err(Rejected::Unavailable(format!(
                    "the facilitator says {code}"
                )))
            }
            Checked::Invalid(code) => Err(Rejected::Invalid {
                message: "the facilitator does not take the payment".to_owned(),
                code,
            }),
            Checked::Unknown(reason) => Err(Rejected::Unavailable(reason)),
        }
    }

    /// Asks the chain, where no facilitator is asked who would: a nonce that was used pays for nothing more. It may have
    /// paid this very payee for something else a moment ago, and would pass for paid once it is to be settled.
    async fn ask_chain(&self, kept: &Kept) -> Result<(), Rejected> {
        let Some((chain, trace)) = self.chain.as_ref().zip(kept.trace(&self.terms)) else {
            return Ok(());
        };
        match chain.is_untouched(&trace).await {
            Ok(true) => Ok(()),
            Ok(false) => Err(Reason::Used.into()),
            Err(silence) => Err(Rejected::Unavailable(silence)),
        }
    }

    /// The payment's name: network, asset, payer and nonce, each in its one spelling.
    fn reference_of(&self, envelope: &Envelope<'_>) -> Option<String> {
        let network = &self.terms.network.caip2;
        match (&self.terms.method, envelope.signed().ok()?) {
            (Method::Eip3009(to, _), Signed::Eip3009(transfer, _)) => {
                let (asset, from, nonce) = (to.asset, transfer.from, hex(&transfer.nonce));
                Some(format!("{network}:{asset}:{from}:{nonce}"))
            }
            // The nonces of Permit2 are one payer's for all tokens.
            (Method::Permit2(..), Signed::Permit2(permit)) => Some(format!(
                "{network}:permit2:{}:{}",
                permit.from, permit.nonce
            )),
            (Method::Transaction, Signed::Transaction(digest)) => {
                Some(format!("{network}:{}", hex(&digest)))
            }
            _ => None,
        }
    }

    fn is_ours(&self, envelope: &Envelope<'_>) -> bool {
        let asset = envelope
            .asset
            .is_none_or(|asset| self.terms.is_asset(asset));
        self.terms.network.is(envelope.network) && asset
    }
}

/// What a facilitator says of a signature, in the words of the official ones.
fn blames_signature(code: &str) -> bool {
    code.starts_with("invalid_exact_evm") && code.ends_with("signature")
}

fn resource(offer: &Offer) -> Resource<'_> {
    Resource {
        url: &offer.resource,
        description: &offer.description,
    }
}

/// The declaration of the extension by which payers name their purchases.
fn payment_identifier() -> Value {
    json!({
        "info": { "required": false },
        "schema": {
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "type": "object",
            "properties": {
                "required": { "type": "boolean" },
                "id": {
                    "type": "string", "minLength": 16, "maxLength": 128, "pattern": "^[a-zA-Z0-9_-]+$",
                },
            },
            "required": ["required"],
        },
    })
}

impl Rail for X402 {
    fn protocol(&self) -> Protocol {
        Protocol::X402
    }

    fn challenge<'a>(
        &'a self,
        offer: &'a Offer,
    ) -> BoxFuture<'a, Result<Challenge, ProviderError>> {
        self.challenge_for(offer).boxed()
    }

    fn recognizes(&self, credential: &Credential) -> bool {
        let envelope = Envelope::read(&credential.json);
        credential.protocol == Protocol::X402 && envelope.is_ok_and(|it| self.is_ours(&it))
    }

    fn reference(&self, credential: &Credential) -> Option<String> {
        self.reference_of(&Envelope::read(&credential.json).ok()?)
    }

    fn identifier(&self, credential: &Credential) -> Option<String> {
        payload::identifier(&credential.json).map(str::to_owned)
    }

    fn verify<'a>(
        &'a self,
        offer: &'a Offer,
        credential: &'a Credential,
    ) -> BoxFuture<'a, Result<Verified, Rejected>> {
        self.verify_for(offer, &credential.json).boxed()
    }

    fn receipt(&self, payment: &Payment) -> Option<RailReceipt> {
        receipt_of(payment.proof.as_deref()?)
    }
}

/// The proof is a settlement response already; one that is not a success is no receipt.
fn receipt_of(proof: &str) -> Option<RailReceipt> {
    let json: Value = serde_json::from_str(proof).ok()?;
    (json["success"] == true).then_some(RailReceipt {
        protocol: Protocol::X402,
        json,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_settlement_is_its_own_receipt() {
        let proof = r#"{"success":true,"transaction":"0xa","network":"eip155:84532","payer":"0xb","amount":"10000"}"#;
        let receipt = receipt_of(proof).unwrap();
        assert_eq!(receipt.protocol, Protocol::X402);
        assert_eq!(receipt.json.to_string().len(), proof.len());
        assert_eq!(receipt.json["transaction"], "0xa");
    }

    #[test]
    fn what_is_not_settled_has_no_receipt() {
        let pending = r#"{"success":false,"errorReason":"settlement_pending","transaction":"0xa"}"#;
        for proof in [pending, "junk", "{}", "null"] {
            assert_eq!(receipt_of(proof), None);
        }
    }
}
