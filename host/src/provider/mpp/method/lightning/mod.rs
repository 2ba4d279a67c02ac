//! lightning/charge: the challenge is an invoice, the payload its preimage. Whoever knows it has paid.
//!
//! Nobody is asked: the preimage's hash is the invoice's, and only the paid node gives it away
//! (draft-lightning-charge-00). One departure from that draft: a preimage is believed for a day after the challenge's
//! time. Its invoice could be paid in time only, the money cannot go back, and refusing it would keep it for nothing.

pub(in crate::provider::mpp) mod bolt11;
mod node;
mod unpaid;

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use coinop_core::Millis;
use coinop_core::money::{Amount, Currency, Money, MoneyError};
use coinop_core::principal::Principal;
use data_encoding::HEXLOWER;
use futures::FutureExt as _;
use futures::future::BoxFuture;
use serde::Deserialize;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use self::node::Node;
use self::unpaid::{Invoice, Turn, Unpaid};
use super::{Method, Presented};
use crate::config::Secret;
use crate::provider::mpp::binding::Binding;
use crate::provider::mpp::challenge::{Echo, Terms};
use crate::provider::mpp::receipt::{Keep, Proof};
use crate::provider::mpp::reject::unproven;
use crate::provider::rail::{Funds, Offer, Rejected, Verified};
use crate::provider::x402::asset::Rate;
use crate::provider::{NotChargeable, PaymentRef, ProviderError, Settled, Standing};

const NAME: &str = "lightning";
const ONE: Amount = Amount::from_nanos(1_000_000_000);
const SATS_PER_BITCOIN: Amount = Amount::from_nanos(100_000_000 * ONE.nanos());
/// How long after its time a preimage is believed, milliseconds.
const GRACE_MS: Millis = 24 * 60 * 60 * 1000;
/// Longest memo of an invoice, characters: BOLT 11 has room for 639 bytes.
const MEMO_CHARS_MAX: usize = 120;

/// `[accounts.NAME.lightning]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Settings {
    network: Network,
    invoices: Invoices,
    /// The currency of prices, where they are not in bitcoin.
    currency: Option<String>,
    /// What one unit of it is worth, in satoshis.
    sats_per_unit: Option<String>,
}

/// Where invoices are made.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Invoices {
    url: String,
    key: Secret,
}

/// A Lightning network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Network {
    Mainnet,
    Testnet,
    Signet,
    Regtest,
}

impl Network {
    /// As the protocol writes it.
    fn name(self) -> &'static str {
        match self {
            Self::Mainnet => "mainnet",
            Self::Testnet => "testnet",
            Self::Signet => "signet",
            Self::Regtest => "regtest",
        }
    }

    /// As an invoice writes it.
    fn currency(self) -> &'static str {
        match self {
            Self::Mainnet => "bc",
            Self::Testnet => "tb",
            Self::Signet => "tbs",
            Self::Regtest => "bcrt",
        }
    }
}

/// Lightning payments to one node.
pub(crate) struct Lightning {
    network: Network,
    node: Node,
    /// A currency and what one unit of it is worth, in satoshis.
    rate: Option<(Currency, Amount)>,
    unpaid: Mutex<Unpaid>,
}

impl Lightning {
    pub(crate) fn new(settings: &Settings) -> Result<Self, String> {
        let rate = match (&settings.currency, &settings.sats_per_unit) {
            (None, None) => None,
            (Some(currency), Some(sats)) => {
                let currency: Currency = currency.parse().map_err(of("currency"))?;
                let sats: Amount = sats.parse().map_err(of("sats_per_unit"))?;
                Some((currency, sats))
            }
            _ => {
                return Err(
                    "lightning.currency and lightning.sats_per_unit belong together: without them only prices in BTC or SAT are paid by Lightning"
                        .to_owned(),
                );
            }
        };
        Ok(Self {
            network: settings.network,
            node: Node::new(settings).map_err(of("invoices"))?,
            rate,
            unpaid: Mutex::default(),
        })
    }

    /// The price in satoshis: by the rate that the operator set, never by another.
    fn sats(&self, price: &Money) -> Result<u64, NotChargeable> {
        let per_unit = match price.currency.code() {
            "BTC" => SATS_PER_BITCOIN,
            "SAT" => ONE,
            _ => match self.rate {
                Some((currency, sats)) if currency == price.currency => sats,
                _ => {
                    return Err(NotChargeable::Currency {
                        provider: NAME,
                        currency: price.currency,
                    });
                }
            },
        };
        let rate = Rate {
            currency: price.currency,
            per_unit,
            decimals: 0,
        };
        let sats = u64::try_from(rate.base_units(price)?);
        sats.map_err(|_| MoneyError::TooLarge(price.to_string()).into())
    }

    /// The call's open invoice, or a new one.
    async fn invoice(&self, offer: &Offer, sat: u64) -> Result<Invoice, ProviderError> {
        let call = Binding::call(offer);
        match self.unpaid().turn(&call, offer.now) {
            Turn::Found(invoice) => return Ok(invoice),
            Turn::TooMany => {
                return Err(ProviderError::Busy(
                    "too many invoices were asked for in this minute".into(),
                ));
            }
            Turn::Make => {}
        }
        let memo: String = offer.tool.chars().take(MEMO_CHARS_MAX).collect();
        let made = self.node.invoice(sat, &memo, offer.now, offer.expires_at);
        let invoice = made.await?;
        self.unpaid().made(call, invoice.clone(), offer.now);
        Ok(invoice)
    }

    fn unpaid(&self) -> std::sync::MutexGuard<'_, Unpaid> {
        self.unpaid.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn check(&self, presented: &Presented<'_>) -> Result<Verified, Rejected> {
        let hash = payment_hash(presented.payload)
            .ok_or_else(|| unproven("payload.preimage is not 64 lower-case hex digits"))?;
        let asked = presented.echo.request["methodDetails"]["paymentHash"].as_str();
        if asked != Some(&hash) {
            return Err(unproven("the preimage is not the one of the invoice"));
        }
        let (offer, challenge) = (presented.offer, presented.echo.id.clone());
        self.unpaid().paid(&Binding::call(offer), &hash);
        let proof = Proof {
            method: NAME.to_owned(),
            challenge_id: challenge.clone(),
            reference: hash.clone(),
            at: offer.now,
        };
        Ok(Verified {
            reference: format!("{NAME}:{hash}"),
            payer: Principal::anonymous(),
            funds: Funds::Received {
                money: offer.price,
                proof: proof.to_text(),
            },
            keep: Keep::Lightning { challenge }.to_text(),
            valid_until: presented.expires_at + GRACE_MS,
        })
    }
}

fn of<E: std::fmt::Display>(key: &'static str) -> impl Fn(E) -> String {
    move |error| format!("lightning.{key}: {error}")
}

/// SHA-256 of the payload's preimage, in hex.
fn payment_hash(payload: &Value) -> Option<String> {
    let preimage = HEXLOWER.decode(payload.get("preimage")?.as_str()?.as_bytes());
    let preimage: [u8; 32] = preimage.ok()?.try_into().ok()?;
    Some(HEXLOWER.encode(&Sha256::digest(preimage)))
}

impl Method for Lightning {
    fn name(&self) -> &'static str {
        NAME
    }

    fn is_test(&self) -> bool {
        self.network != Network::Mainnet
    }

    fn authorizes(&self) -> bool {
        false
    }

    fn owns(&self, reference: &str) -> bool {
        reference.starts_with("lightning:")
    }

    fn timeout(&self) -> Duration {
        node::WAIT * 2
    }

    fn grace_ms(&self) -> Millis {
        GRACE_MS
    }

    fn chargeable(&self, price: &Money) -> Result<(), NotChargeable> {
        self.sats(price).map(drop)
    }

    fn terms<'a>(&'a self, offer: &'a Offer) -> BoxFuture<'a, Result<Terms, ProviderError>> {
        async {
            let sat = self.sats(&offer.price);
            let sat = sat.map_err(|error| ProviderError::Refused(error.to_string()))?;
            let invoice = self.invoice(offer, sat).await?;
            let request = json!({
                "amount": sat.to_string(),
                "currency": "sat",
                "methodDetails": {
                    "invoice": invoice.text,
                    "paymentHash": invoice.payment_hash,
                    "network": self.network.name(),
                },
            });
            let expires_at = invoice.expires_at;
            Ok(Terms {
                request,
                expires_at,
            })
        }
        .boxed()
    }

    /// Made of what only the payer knows, not of what the invoice says: that, others have seen too.
    fn reference(&self, _echo: &Echo, payload: &Value) -> Option<String> {
        Some(format!("{NAME}:{}", payment_hash(payload)?))
    }

    fn verify<'a>(&'a self, presented: Presented<'a>) -> BoxFuture<'a, Result<Verified, Rejected>> {
        std::future::ready(self.check(&presented)).boxed()
    }

    fn status<'a>(
        &'a self,
        payment: &'a PaymentRef,
    ) -> BoxFuture<'a, Result<Standing, ProviderError>> {
        std::future::ready(Ok(Standing::Paid(payment.price))).boxed()
    }

    fn release<'a>(
        &'a self,
        payment: &'a PaymentRef,
    ) -> BoxFuture<'a, Result<Standing, ProviderError>> {
        std::future::ready(Ok(Standing::Paid(payment.price))).boxed()
    }

    fn settle<'a>(
        &'a self,
        payment: &'a PaymentRef,
    ) -> BoxFuture<'a, Result<Settled, ProviderError>> {
        std::future::ready(Ok(Standing::Paid(payment.price).into())).boxed()
    }
}
