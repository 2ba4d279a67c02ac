//! x402: callers sign a transfer of a token and bring it with the call; a facilitator takes it to the chain after the
//! run. Versions 1 and 2; `exact` by EIP-3009, Permit2 and on Solana.
//!
//! A signature is checked here, against our own requirement and nothing a client says. From the moment a facilitator is
//! told to settle, only its success or the chain ends a payment: see [`settle`].

pub mod asset;
pub mod auth;
pub mod chain;
pub mod challenge;
pub mod check;
pub mod evm;
pub mod facilitator;
mod http;
pub mod kept;
pub mod network;
pub mod payload;
mod rail;
pub mod reason;
pub mod settings;
pub mod settle;
pub mod terms;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use coinop_core::money::Money;
use futures::FutureExt as _;
use futures::future::BoxFuture;
use serde_json::json;

use self::asset::Rate;
use self::chain::{Chain, Evidence};
use self::facilitator::{Facilitator, Taken};
use self::kept::Kept;
use self::settings::{Settings, VerifyBy};
use self::settle::Outcome;
use self::terms::Terms;
use super::rail::Rail;
use super::registry::{Maker, from_settings};
use super::{
    Capabilities, CreatePayment, CreatedPayment, NotChargeable, PaymentRef, Provider,
    ProviderError, Refund, Refunded, Settled, Standing, unsupported,
};
use crate::clock::Clock;

/// The kind in configuration, and as shown to callers.
pub const KIND: &str = "x402";
/// How long the chain may be asked after a facilitator's answer.
const CHAIN_WAIT: Duration = Duration::from_secs(60);

/// An x402 account.
pub struct X402 {
    terms: Terms,
    rate: Rate,
    verify: VerifyBy,
    require_challenge: bool,
    settle_timeout: Duration,
    facilitator: Facilitator,
    chain: Option<Chain>,
}

/// Makes accounts from their settings.
pub fn maker(clock: Arc<dyn Clock>) -> Maker {
    from_settings(move |_: &str, settings: Settings| X402::new(settings, clock.clone()))
}

impl X402 {
    /// The account of these settings.
    ///
    /// # Errors
    /// One line that names the setting.
    pub fn new(settings: Settings, clock: Arc<dyn Clock>) -> Result<Self, String> {
        let mut resolved = settings.resolve()?;
        let facilitator = Facilitator::new(&mut resolved, clock)?;
        let chain = match (resolved.rpc, resolved.terms.chain_id()) {
            (None, _) => None,
            (Some(url), Some(id)) => Some(Chain::new(url, id, resolved.confirmations)?),
            (Some(_), None) => return Err("rpc: is for EVM networks only".to_owned()),
        };
        Ok(Self {
            terms: resolved.terms,
            rate: resolved.rate,
            verify: resolved.verify,
            require_challenge: resolved.require_challenge,
            settle_timeout: resolved.settle_timeout,
            facilitator,
            chain,
        })
    }

    /// What it takes, and where.
    pub fn terms(&self) -> &Terms {
        &self.terms
    }

    /// The asset's decimals.
    pub fn decimals(&self) -> u32 {
        self.rate.decimals
    }

    async fn take(&self, payment: &PaymentRef) -> Result<Settled, ProviderError> {
        let kept = kept(payment)?;
        let taken = self.facilitator.settle(&kept).await;
        let evidence = self.evidence_of(&kept, &taken).await;
        match settle::decide(taken, evidence) {
            Outcome::Paid(transaction) => Ok(Settled {
                standing: Standing::Paid(payment.price),
                proof: Some(proof(&kept, &transaction, true)),
            }),
            Outcome::Pending(transaction) => Ok(Settled {
                standing: Standing::Pending,
                proof: Some(proof(&kept, &transaction, false)),
            }),
            Outcome::NeverPaid => Ok(Standing::Released.into()),
            Outcome::Unknown(reason) => Err(ProviderError::Unreachable(reason)),
        }
    }

    /// What the chain says, where it is to be asked: always, but for a success that is believed.
    async fn evidence_of(&self, kept: &Kept, taken: &Taken) -> Option<Evidence> {
        let chain = self.chain.as_ref()?;
        let trace = kept.trace(&self.terms)?;
        let transaction = match taken {
            Taken::Success { .. } if !chain.doubts_success() => return None,
            Taken::Success { transaction, .. } => Some(transaction.as_str()),
            Taken::Unproven { transaction, .. } => transaction.as_deref(),
        };
        Some(chain.evidence(kept, &trace, transaction).await)
    }

    /// A reservation is only a signature. Whoever gives it back has not sent it to be settled, so there is nothing to
    /// undo; where there is a node, it is asked all the same whether somebody else did.
    async fn give_back(&self, payment: &PaymentRef) -> Result<Standing, ProviderError> {
        let (Some(chain), Ok(kept)) = (&self.chain, kept(payment)) else {
            return Ok(Standing::Released);
        };
        let Some(trace) = kept.trace(&self.terms) else {
            return Ok(Standing::Released);
        };
        let untouched = chain.is_untouched(&trace).await;
        if untouched.map_err(ProviderError::Unreachable)? {
            return Ok(Standing::Released);
        }
        match chain.evidence(&kept, &trace, None).await {
            Evidence::Moved(_) => Ok(Standing::Paid(payment.price)),
            Evidence::Never => Ok(Standing::Released),
            other => Err(ProviderError::Unreachable(format!(
                "the payment was touched: {other:?}"
            ))),
        }
    }
}

/// What was kept of the payment. Unreadable, it is no reason to believe that nothing was sent.
fn kept(payment: &PaymentRef) -> Result<Kept, ProviderError> {
    let unreadable = |why: String| ProviderError::Unreachable(format!("the kept payment: {why}"));
    let text = payment.credential.as_deref();
    let text = text.ok_or_else(|| unreadable("is missing".to_owned()))?;
    serde_json::from_str(text).map_err(|error| unreadable(error.to_string()))
}

/// The proof that is kept: x402's settlement response, which is the payer's receipt too.
fn proof(kept: &Kept, transaction: &str, success: bool) -> String {
    let mut proof = json!({
        "success": success,
        "transaction": transaction,
        "network": kept.network(),
        "amount": kept.amount(),
    });
    if let Some(payer) = &kept.payer {
        proof["payer"] = json!(payer);
    }
    if !success {
        proof["errorReason"] = json!("settlement_pending");
    }
    proof.to_string()
}

impl Provider for X402 {
    fn kind(&self) -> &'static str {
        KIND
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities {
            authorizes: true,
            refunds: false,
            webhooks: false,
            test: self.terms.network.test,
            pays_on_host_page: false,
            links: false,
            key_window: None,
            late_window: Duration::ZERO,
            timeout: self.settle_timeout + CHAIN_WAIT,
            lifetime_max: Duration::from_secs(24 * 60 * 60),
        }
    }

    fn chargeable(&self, price: &Money) -> Result<(), NotChargeable> {
        self.rate.base_units(price).map(drop)
    }

    /// There is no link to make: payers bring the payment.
    fn create<'a>(
        &'a self,
        _request: &'a CreatePayment,
    ) -> BoxFuture<'a, Result<CreatedPayment, ProviderError>> {
        unsupported("make payment links")
    }

    /// What was verified is reserved until it is settled; without it, nobody has paid.
    fn status<'a>(
        &'a self,
        payment: &'a PaymentRef,
    ) -> BoxFuture<'a, Result<Standing, ProviderError>> {
        let standing = match payment.credential {
            Some(_) => Standing::Authorized(payment.price),
            None => Standing::Pending,
        };
        async move { Ok(standing) }.boxed()
    }

    /// Nothing was sent anywhere: to call it off is to let it lie.
    fn cancel<'a>(
        &'a self,
        _payment: &'a PaymentRef,
    ) -> BoxFuture<'a, Result<Standing, ProviderError>> {
        async { Ok(Standing::Canceled) }.boxed()
    }

    fn refund<'a>(&'a self, _refund: &'a Refund) -> BoxFuture<'a, Result<Refunded, ProviderError>> {
        unsupported("send money back")
    }

    fn settle<'a>(
        &'a self,
        payment: &'a PaymentRef,
    ) -> BoxFuture<'a, Result<Settled, ProviderError>> {
        self.take(payment).boxed()
    }

    fn release<'a>(
        &'a self,
        payment: &'a PaymentRef,
    ) -> BoxFuture<'a, Result<Standing, ProviderError>> {
        self.give_back(payment).boxed()
    }

    fn rail(&self) -> Option<&dyn Rail> {
        Some(self)
    }
}
