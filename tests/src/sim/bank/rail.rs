//! The bank as payers use it who bring the payment with the call: a signature is worth its price until it ends.

use coinop::provider::ProviderError;
use coinop::provider::rail::{
    Challenge, Credential, Funds, Offer, Protocol, Rail, RailReceipt, Rejected, Verified,
};
use coinop_core::Millis;
use coinop_core::payment::Payment;
use coinop_core::principal::{Principal, PrincipalKind};
use futures::future::{BoxFuture, ready};
use serde_json::{Value, json};

use super::{Books, Line};

/// A signature for a call of what `account` sells, by `from`, nobody in particular where that is empty.
pub(crate) fn sign(account: &str, nonce: u64, from: &str, valid_until: Millis) -> Credential {
    let json =
        json!({"account": account, "nonce": nonce, "from": from, "valid_until": valid_until});
    Credential {
        protocol: Protocol::X402,
        json,
    }
}

impl Rail for Line {
    fn protocol(&self) -> Protocol {
        Protocol::X402
    }

    fn challenge<'a>(
        &'a self,
        offer: &'a Offer,
    ) -> BoxFuture<'a, Result<Challenge, ProviderError>> {
        let v2 = json!({"amount": offer.price.decimal(), "payTo": self.account});
        Box::pin(ready(Ok(Challenge::X402 { v2, v1: None })))
    }

    fn recognizes(&self, credential: &Credential) -> bool {
        credential.json["account"] == self.account
    }

    fn reference(&self, credential: &Credential) -> Option<String> {
        Some(format!("sig-{}", credential.json["nonce"].as_u64()?))
    }

    fn verify<'a>(
        &'a self,
        offer: &'a Offer,
        credential: &'a Credential,
    ) -> BoxFuture<'a, Result<Verified, Rejected>> {
        Box::pin(async move {
            let (price, valid_until) = (offer.price, credential.json["valid_until"].as_i64());
            let (reference, valid_until) = self
                .reference(credential)
                .zip(valid_until)
                .ok_or_else(|| invalid("it is no signature".to_owned()))?;
            let signed = reference.clone();
            let effect =
                move |books: &mut Books, now: Millis| books.sign(&signed, price, valid_until, now);
            match self.ask("verify", &reference, effect).await {
                Ok(()) => Ok(Verified {
                    payer: payer(&credential.json["from"]),
                    funds: Funds::Reserved(price),
                    keep: credential.json.to_string(),
                    valid_until,
                    reference,
                }),
                Err(ProviderError::Refused(reason)) => Err(invalid(reason)),
                Err(error) => Err(Rejected::Unavailable(error.to_string())),
            }
        })
    }

    fn receipt(&self, payment: &Payment) -> Option<RailReceipt> {
        Some(RailReceipt {
            protocol: Protocol::X402,
            json: json!({"transaction": payment.reference.as_ref()?}),
        })
    }
}

fn payer(from: &Value) -> Principal {
    match from.as_str() {
        None | Some("") => Principal::anonymous(),
        Some(address) => Principal {
            kind: PrincipalKind::Wallet,
            issuer: "bank".to_owned(),
            subject: address.to_owned(),
        },
    }
}

fn invalid(message: String) -> Rejected {
    let code = "invalid_payload".to_owned();
    Rejected::Invalid { code, message }
}
