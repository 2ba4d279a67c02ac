//! Providers: who moves the money. They know nothing of modes, the ledger or plugins.
//!
//! Every call that has an effect carries an idempotency key, and the gate records its intent before and its outcome
//! after. An answer that a provider does not understand counts as pending, never as paid.

pub mod component;
pub mod mpp;
pub mod rail;
pub mod registry;
pub mod sandbox;
pub mod x402;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use coinop_core::digest::Digest;
use coinop_core::ids::{LinkToken, PaymentId};
use coinop_core::money::{Amount, Money};
use futures::future::BoxFuture;

/// A provider account: one merchant at one provider, by name in the configuration.
///
/// Methods return boxed futures, so that accounts of different kinds sit in one registry.
pub trait Provider: Send + Sync {
    /// The kind shown to callers, such as `sandbox`.
    fn kind(&self) -> &'static str;

    /// What it can do.
    fn capabilities(&self) -> Capabilities;

    /// The component that it is, where it is one.
    fn code(&self) -> Option<&Code> {
        None
    }

    /// Whether it can charge `price` exactly.
    ///
    /// # Errors
    /// The reason, for the operator: the tool is not listed.
    fn chargeable(&self, price: &Money) -> Result<(), NotChargeable>;

    /// Makes a payment without asking anybody, where the provider's payments need no creation of their own. The gate
    /// then records intent and payment in one commit. `None` where [`Provider::create`] must be called.
    fn create_offline(&self, _request: &CreatePayment) -> Option<CreatedPayment> {
        None
    }

    /// Makes a payment; the same key with the same request gives the same payment.
    fn create<'a>(
        &'a self,
        request: &'a CreatePayment,
    ) -> BoxFuture<'a, Result<CreatedPayment, ProviderError>>;

    /// Finds a payment that [`Provider::create`] may have made, by our own reference: for a host that died around the
    /// request and comes back when the key no longer holds, or asks again and gets no answer that says. `None`: the
    /// provider has none.
    fn lookup<'a>(
        &'a self,
        _request: &'a CreatePayment,
    ) -> BoxFuture<'a, Result<Option<CreatedPayment>, ProviderError>> {
        unsupported("look a payment up")
    }

    /// How a payment stands, by the provider's own record.
    fn status<'a>(
        &'a self,
        payment: &'a PaymentRef,
    ) -> BoxFuture<'a, Result<Standing, ProviderError>>;

    /// Calls a pending payment off, so that its link no longer takes money.
    fn cancel<'a>(
        &'a self,
        payment: &'a PaymentRef,
    ) -> BoxFuture<'a, Result<Standing, ProviderError>>;

    /// Sends money back; the same key never sends it twice.
    fn refund<'a>(&'a self, refund: &'a Refund) -> BoxFuture<'a, Result<Refunded, ProviderError>>;

    /// What became of a refund that may have been asked for before, `None` when the provider has none with that key.
    fn refund_standing<'a>(
        &'a self,
        _refund: &'a Refund,
    ) -> BoxFuture<'a, Result<Option<Refunded>, ProviderError>> {
        unsupported("list refunds")
    }

    /// What the provider has on record for a period, the next page after `cursor`: for reconciliation.
    fn statement<'a>(
        &'a self,
        _period: Period,
        _cursor: Option<String>,
    ) -> BoxFuture<'a, Result<StatementPage, ProviderError>> {
        unsupported("give a statement")
    }

    /// Takes reserved money: after the run, or before it where the seller chose so. Asked again after an answer was lost,
    /// perhaps by another host while the first request is still on its way: money that was taken is told as paid, whoever
    /// had it taken, and a refusal means that it was not and will not be.
    fn settle<'a>(
        &'a self,
        _payment: &'a PaymentRef,
    ) -> BoxFuture<'a, Result<Settled, ProviderError>> {
        unsupported("settle")
    }

    /// The rail, where callers of this account bring the payment with the call.
    fn rail(&self) -> Option<&dyn rail::Rail> {
        None
    }

    /// Gives reserved money back.
    fn release<'a>(
        &'a self,
        _payment: &'a PaymentRef,
    ) -> BoxFuture<'a, Result<Standing, ProviderError>> {
        unsupported("release")
    }

    /// The payer decides on the host's own page; the first decision stands. Only where
    /// [`Capabilities::pays_on_host_page`].
    fn decide<'a>(
        &'a self,
        _payment: &'a PaymentRef,
        _decision: Decision,
    ) -> BoxFuture<'a, Result<Standing, ProviderError>> {
        unsupported("be paid on the host's page")
    }

    /// Verifies a webhook and says which payment it is about. The caller then asks [`Provider::status`]: a webhook is a
    /// hint, not a proof. Forged ones come in floods: nothing is asked of a store or a network for each of them.
    fn verify_webhook<'a>(
        &'a self,
        _webhook: Webhook<'a>,
    ) -> BoxFuture<'a, Result<WebhookNotice, WebhookError>> {
        Box::pin(std::future::ready(Err(WebhookError::Unsupported)))
    }
}

fn unsupported<'a, T: Send + 'a>(
    operation: &'static str,
) -> BoxFuture<'a, Result<T, ProviderError>> {
    Box::pin(async move { Err(ProviderError::Unsupported { operation }) })
}

/// The component that a provider is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Code {
    /// Its file.
    pub file: PathBuf,
    /// SHA-256 of its bytes when it was loaded.
    pub digest: Digest,
    /// What it may reach, each as a phrase.
    pub reaches: Vec<String>,
}

/// What a provider can do, and how patient it is.
#[derive(Clone, Copy, Debug)]
pub struct Capabilities {
    /// It reserves money and takes it after the run.
    pub authorizes: bool,
    /// It can send money back.
    pub refunds: bool,
    /// It sends webhooks.
    pub webhooks: bool,
    /// Its money is pretended.
    pub test: bool,
    /// The payer decides on the host's own page.
    pub pays_on_host_page: bool,
    /// It makes payments with a link. An account without is paid by its rail alone.
    pub links: bool,
    /// How long the provider remembers an idempotency key, `None` for ever.
    pub key_window: Option<Duration>,
    /// How long after its end a payment may still bring money.
    pub late_window: Duration,
    /// Longest wait for one answer.
    pub timeout: Duration,
    /// How long a payment can be paid at most.
    pub lifetime_max: Duration,
}

/// A payment to be made.
#[derive(Clone, Debug)]
pub struct CreatePayment {
    /// The payment's id: the idempotency key, and our reference at the provider.
    pub key: PaymentId,
    /// The token of the host's own page for it.
    pub link: LinkToken,
    /// How much.
    pub price: Money,
    /// What for, one line for the payer.
    pub description: String,
    /// When it must be paid, milliseconds since the Unix epoch.
    pub expires_at: i64,
}

/// A payment as the provider made it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CreatedPayment {
    /// The provider's reference.
    pub reference: String,
    /// Where to pay; `None` for the host's own page.
    pub url: Option<String>,
}

/// A payment the provider knows.
#[derive(Clone, Debug)]
pub struct PaymentRef {
    /// The payment's id: the idempotency key.
    pub key: PaymentId,
    /// The provider's reference.
    pub reference: String,
    /// The price, for providers that must be told again.
    pub price: Money,
    /// What [`rail::Verified::keep`] was, where the caller brought the payment.
    pub credential: Option<Arc<str>>,
}

/// What became of taking reserved money.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settled {
    /// How the payment stands.
    pub standing: Standing,
    /// The provider's proof that the money moved, JSON of its own.
    pub proof: Option<String>,
}

impl From<Standing> for Settled {
    fn from(standing: Standing) -> Self {
        let proof = None;
        Self { standing, proof }
    }
}

/// What a payer decides on the host's own page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Pay, or reserve.
    Pay,
    /// Decline.
    Decline,
}

/// How a payment stands at the provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Nobody has paid, or the provider says something we do not understand.
    Pending,
    /// Money arrived.
    Paid(Money),
    /// Money is reserved.
    Authorized(Money),
    /// The reservation was given back, or never existed any more.
    Released,
    /// It cannot be paid any more.
    Failed,
    /// The payer refused.
    Declined,
    /// It was called off.
    Canceled,
    /// Its time ran out.
    Expired,
}

/// Money to be sent back.
#[derive(Clone, Debug)]
pub struct Refund {
    /// The payment.
    pub payment: PaymentRef,
    /// The refund's own idempotency key.
    pub key: String,
    /// How much, in the currency received.
    pub amount: Amount,
    /// What arrived in all, which need not be the price nor in its currency.
    pub received: Money,
    /// Why, one line.
    pub reason: String,
}

impl Refund {
    /// What goes back, in the currency that arrived.
    pub fn money(&self) -> Money {
        Money {
            amount: self.amount,
            ..self.received
        }
    }
}

/// What became of a refund.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refunded {
    /// It went back, by this request or an earlier one with the same key.
    Done,
    /// The provider took the order and has not finished.
    Pending,
    /// The provider gave it up; the money is still here.
    Failed,
}

/// A period of time, milliseconds since the Unix epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Period {
    /// Its begin, included.
    pub since: i64,
    /// Its end, not included.
    pub until: i64,
}

/// A part of a statement.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StatementPage {
    /// Payments that brought money in the period.
    pub lines: Vec<StatementLine>,
    /// Where the next page begins, `None` for the last.
    pub next: Option<String>,
}

/// A payment that brought money, as the provider has it on record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatementLine {
    /// The provider's reference of the payment.
    pub reference: String,
    /// What arrived.
    pub received: Money,
    /// What went back since, in the currency received.
    pub refunded: Amount,
    /// What the provider charged, in the currency received.
    pub fee: Amount,
    /// When it arrived, milliseconds since the Unix epoch.
    pub at: i64,
}

/// A webhook as it arrived.
#[derive(Clone, Copy, Debug)]
pub struct Webhook<'a> {
    /// Header names, lower case, and values.
    pub headers: &'a [(String, String)],
    /// The body, byte for byte.
    pub body: &'a [u8],
    /// When it arrived, milliseconds since the Unix epoch.
    pub now: i64,
}

/// What a verified webhook is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebhookNotice {
    /// The provider's id of the event, for dropping duplicates.
    pub event_id: String,
    /// The provider's reference of the payment.
    pub reference: String,
}

/// Why a price cannot be charged.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotChargeable {
    /// Not exact in the provider's units, or not an amount.
    #[error(transparent)]
    Money(#[from] coinop_core::money::MoneyError),
    /// Less than the provider charges.
    #[error("{price} is less than the smallest charge of {provider}, {least}")]
    TooSmall {
        /// The price.
        price: Money,
        /// The provider's kind.
        provider: &'static str,
        /// The smallest charge.
        least: Money,
    },
    /// More than the provider charges.
    #[error("{price} is more than the largest charge of {provider}, {most}")]
    TooLarge {
        /// The price.
        price: Money,
        /// The provider's kind.
        provider: &'static str,
        /// The largest charge.
        most: Money,
    },
    /// Not a currency of the provider.
    #[error("{provider} does not charge in {currency}")]
    Currency {
        /// The provider's kind.
        provider: &'static str,
        /// The currency asked for.
        currency: coinop_core::money::Currency,
    },
}

/// Why a provider did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum ProviderError {
    /// It does not know how.
    #[error("the provider cannot {operation}")]
    Unsupported {
        /// What was asked.
        operation: &'static str,
    },
    /// It has no time now: ask again later with the same key.
    #[error("the provider asked to wait: {0}")]
    Busy(String),
    /// It said no, finally.
    #[error("the provider refused: {0}")]
    Refused(String),
    /// Whether it happened is unknown: ask again with the same key.
    #[error("the provider did not answer: {0}")]
    Unreachable(String),
}

/// Why a webhook is not believed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WebhookError {
    /// This provider sends none.
    #[error("this provider sends no webhooks")]
    Unsupported,
    /// The signature does not hold, or is too old.
    #[error("the webhook's signature does not hold")]
    Signature,
    /// It holds, and says nothing we know: sent again, it would say the same.
    #[error("the webhook is not understood")]
    Content,
    /// What it must be checked against cannot be had at the moment.
    #[error("the webhook cannot be checked: {0}")]
    Unavailable(String),
}
