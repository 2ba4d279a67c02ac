//! An account that callers pay themselves: credentials are small JSON texts, money and faults are scripted.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU32, Ordering};
use std::time::Duration;

use coinop_core::Millis;
use coinop_core::money::Money;
use coinop_core::payment::Payment;
use coinop_core::principal::{Principal, PrincipalKind};
use futures::future::BoxFuture;
use serde_json::{Value, json};

use super::world::price;
use crate::provider::rail::*;
use crate::provider::*;

/// What a request to take money meets.
#[derive(Clone, Copy)]
pub(super) enum Taking {
    /// It is taken, and the answer is lost.
    AnswerLost,
    /// Nothing is taken, and there is no answer.
    Lost,
    /// Nothing is said before the patience of whoever asks ends.
    Silent,
    /// It is refused for good.
    Refused,
}

#[derive(Default)]
pub(super) struct Till {
    /// How often it was asked to check, to take and to give back.
    pub(super) verified: AtomicU32,
    pub(super) settled: AtomicU32,
    pub(super) released: AtomicU32,
    /// What checking answers instead of looking.
    pub(super) verifying: Mutex<Option<Rejected>>,
    /// What the next requests to take money meet; what is not scripted is done.
    pub(super) taking: Mutex<VecDeque<Taking>>,
    /// Hears of silent requests.
    pub(super) asked: tokio::sync::Notify,
    /// What was taken, by reference.
    pub(super) taken: Mutex<BTreeMap<String, Money>>,
    /// What was kept of the credentials whose money was to be taken.
    pub(super) kept: Mutex<Vec<Option<String>>>,
    /// Until when signatures hold, by the world's clock.
    pub(super) valid_until: AtomicI64,
    /// Says nothing of what may be paid.
    pub(super) is_mute: AtomicBool,
    /// Has no links, so that its rail is the only way.
    pub(super) has_links: AtomicBool,
    /// The offers that were made or checked.
    pub(super) offers: Mutex<Vec<Offer>>,
}

impl Till {
    pub(super) fn count(counter: &AtomicU32) -> u32 {
        counter.load(Ordering::SeqCst)
    }

    fn standing(&self, reference: &str) -> Option<Standing> {
        let taken = self.taken.lock().unwrap();
        taken.get(reference).copied().map(Standing::Paid)
    }
}

/// The payer of every wallet payment.
pub(super) fn wallet() -> Principal {
    Principal {
        kind: PrincipalKind::Wallet,
        issuer: "till".into(),
        subject: "0xada".into(),
    }
}

/// A signature over the price.
pub(super) fn signed(nonce: &str) -> Credential {
    Credential {
        protocol: Protocol::X402,
        json: json!({"nonce": nonce, "from": "0xada"}),
    }
}

/// A proof of money that has moved, by nobody in particular.
pub(super) fn moved(nonce: &str) -> Credential {
    Credential {
        protocol: Protocol::X402,
        json: json!({"nonce": nonce, "preimage": "secret"}),
    }
}

impl Rail for Till {
    fn protocol(&self) -> Protocol {
        Protocol::X402
    }
    fn challenge<'a>(
        &'a self,
        offer: &'a Offer,
    ) -> BoxFuture<'a, Result<Challenge, ProviderError>> {
        Box::pin(async move {
            if self.is_mute.load(Ordering::SeqCst) {
                return Err(ProviderError::Unreachable("scripted".into()));
            }
            self.offers.lock().unwrap().push(offer.clone());
            Ok(Challenge::X402 {
                v2: json!({"amount": offer.price.decimal()}),
                v1: None,
            })
        })
    }
    fn recognizes(&self, credential: &Credential) -> bool {
        credential.json.get("nonce").is_some_and(Value::is_string)
    }
    fn reference(&self, credential: &Credential) -> Option<String> {
        let nonce = credential.json.get("nonce")?.as_str()?;
        Some(format!("till:{nonce}"))
    }
    fn identifier(&self, credential: &Credential) -> Option<String> {
        Some(credential.json.get("purchase")?.as_str()?.to_owned())
    }
    fn verify<'a>(
        &'a self,
        offer: &'a Offer,
        credential: &'a Credential,
    ) -> BoxFuture<'a, Result<Verified, Rejected>> {
        Box::pin(async move {
            self.verified.fetch_add(1, Ordering::SeqCst);
            self.offers.lock().unwrap().push(offer.clone());
            if let Some(scripted) = self.verifying.lock().unwrap().clone() {
                return Err(scripted);
            }
            let reference = self.reference(credential).unwrap();
            let received = credential.json.get("preimage").is_some();
            let asked = credential.json["asked"].as_str();
            let money = asked.map_or(offer.price, |it| Money::parse(it, "USD").unwrap());
            if received {
                let mut taken = self.taken.lock().unwrap();
                taken.insert(reference.clone(), money);
            }
            Ok(Verified {
                reference,
                payer: match received {
                    true => Principal::anonymous(),
                    false => wallet(),
                },
                funds: match received {
                    true => Funds::Received {
                        money,
                        proof: "{\"preimage\":1}".into(),
                    },
                    false => Funds::Reserved(offer.price),
                },
                keep: credential.json.to_string(),
                valid_until: self.valid_until.load(Ordering::SeqCst),
            })
        })
    }
    fn receipt(&self, payment: &Payment) -> Option<RailReceipt> {
        Some(RailReceipt {
            protocol: Protocol::X402,
            json: serde_json::from_str(payment.proof.as_deref()?).ok()?,
        })
    }
}

impl Provider for Till {
    fn kind(&self) -> &'static str {
        "till"
    }
    fn capabilities(&self) -> Capabilities {
        Capabilities {
            authorizes: true,
            refunds: false,
            webhooks: false,
            test: true,
            pays_on_host_page: false,
            links: self.has_links.load(Ordering::SeqCst),
            key_window: None,
            late_window: Duration::ZERO,
            timeout: Duration::from_secs(1),
            lifetime_max: Duration::from_secs(3_600),
        }
    }
    fn chargeable(&self, _: &Money) -> Result<(), NotChargeable> {
        Ok(())
    }
    fn rail(&self) -> Option<&dyn Rail> {
        Some(self)
    }
    fn create<'a>(
        &'a self,
        _: &'a CreatePayment,
    ) -> BoxFuture<'a, Result<CreatedPayment, ProviderError>> {
        Box::pin(async { Err(ProviderError::Refused("it has no links".into())) })
    }
    fn status<'a>(
        &'a self,
        payment: &'a PaymentRef,
    ) -> BoxFuture<'a, Result<Standing, ProviderError>> {
        Box::pin(async move {
            let standing = self.standing(&payment.reference);
            Ok(standing.unwrap_or(Standing::Authorized(price())))
        })
    }
    fn cancel<'a>(&'a self, _: &'a PaymentRef) -> BoxFuture<'a, Result<Standing, ProviderError>> {
        Box::pin(async { Ok(Standing::Canceled) })
    }
    fn refund<'a>(&'a self, _: &'a Refund) -> BoxFuture<'a, Result<Refunded, ProviderError>> {
        Box::pin(async { Err(ProviderError::Refused("it sends nothing back".into())) })
    }
    fn settle<'a>(
        &'a self,
        payment: &'a PaymentRef,
    ) -> BoxFuture<'a, Result<Settled, ProviderError>> {
        Box::pin(async move {
            self.settled.fetch_add(1, Ordering::SeqCst);
            let kept = payment.credential.as_deref().map(str::to_owned);
            self.kept.lock().unwrap().push(kept);
            let scripted = self.taking.lock().unwrap().pop_front();
            let lost = || Err(ProviderError::Unreachable("scripted".into()));
            let take = || {
                let mut taken = self.taken.lock().unwrap();
                taken.insert(payment.reference.clone(), payment.price);
            };
            match scripted {
                Some(Taking::Lost) => return lost(),
                Some(Taking::Silent) => {
                    self.asked.notify_one();
                    std::future::pending().await
                }
                Some(Taking::Refused) => return Err(ProviderError::Refused("no funds".into())),
                Some(Taking::AnswerLost) => {
                    take();
                    return lost();
                }
                None => take(),
            }
            Ok(Settled {
                standing: Standing::Paid(payment.price),
                proof: Some("{\"transaction\":\"0x1\"}".into()),
            })
        })
    }
    fn release<'a>(
        &'a self,
        payment: &'a PaymentRef,
    ) -> BoxFuture<'a, Result<Standing, ProviderError>> {
        Box::pin(async move {
            self.released.fetch_add(1, Ordering::SeqCst);
            let standing = self.standing(&payment.reference);
            Ok(standing.unwrap_or(Standing::Released))
        })
    }
}

/// When a signature made now ends.
pub(super) const VALID_MS: Millis = 60_000;
