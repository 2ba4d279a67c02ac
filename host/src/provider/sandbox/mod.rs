//! The embedded provider: pretended money, decided on the host's own page.
//!
//! It tells of what happens as a real provider does, by signed webhooks, which its courier carries to the host's own door.
//!
//! Two kinds: `sandbox` takes the money at once, `sandbox-hold` reserves it and takes it after the run. A payment needs
//! no creation: its reference is a hash of its id, so that the provider's books never show what redeems.

pub mod courier;
pub mod desk;
pub mod event;
pub mod outbox;
pub mod purse;
pub mod signature;
pub mod slip;
mod statement;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use coinop_core::money::{Amount, Money};
use data_encoding::BASE32_NOPAD;
use futures::FutureExt as _;
use futures::future::BoxFuture;
use serde::Deserialize;
use sha2::{Digest as _, Sha256};

use self::desk::Desk;
use self::event::{EventKind, SlipEvent};
use self::purse::{Purse, SlipRefund};
use self::slip::{HoldEnd, Slip, SlipState};
use super::registry::{Maker, from_settings};
use super::{
    Capabilities, CreatePayment, CreatedPayment, Decision, NotChargeable, PaymentRef, Period,
    Provider, ProviderError, Refund, Refunded, Settled, Standing, StatementPage, Webhook,
    WebhookError, WebhookNotice,
};

/// The largest charge: a million units of any currency. Beyond it, somebody mistook a unit.
const AMOUNT_MAX: Amount = Amount::from_nanos(1_000_000_000_000_000);
/// The smallest charge: what coinop counts in.
const AMOUNT_MIN: Amount = Amount::from_nanos(1);
/// Bytes of the hash that make up a reference: as many random bits as the id has.
const REFERENCE_BYTES: usize = 16;

/// When the sandbox takes the money.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flow {
    /// When the payer pays.
    Pay,
    /// Reserved when the payer pays, taken after the run.
    Hold,
}

impl Flow {
    /// The kind in configuration, and as shown to callers.
    pub fn kind(self) -> &'static str {
        match self {
            Self::Pay => "sandbox",
            Self::Hold => "sandbox-hold",
        }
    }

    fn paid(self) -> SlipState {
        match self {
            Self::Pay => SlipState::Paid,
            Self::Hold => SlipState::Reserved,
        }
    }
}

/// The settings of a sandbox account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// Who pays.
    pub pays: Pays,
    /// Whether it sends money back; without, who is owed gets credit.
    pub refunds: bool,
    /// What it keeps of each payment, in the payment's currency.
    #[serde(deserialize_with = "decimal")]
    pub fee: Amount,
    /// How its statement differs from the ledger; it agrees where nobody says.
    pub disagrees: Option<Disagrees>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            pays: Pays::ByHand,
            refunds: true,
            fee: Amount::ZERO,
            disagrees: None,
        }
    }
}

/// How a statement is made to differ from the ledger, so that reconciliation can be seen to find it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Disagrees {
    /// A payment brought another amount.
    Amount,
    /// A payment is not on it.
    Missing,
    /// A payment is on it that nobody asked for.
    Unknown,
    /// More went back of a payment.
    Refund,
}

/// An amount written as a decimal text.
fn decimal<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Amount, D::Error> {
    let text = String::deserialize(deserializer)?;
    text.parse().map_err(serde::de::Error::custom)
}

/// Who pays a pretended payment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Pays {
    /// Somebody, on the payment page or by `coinop payments pay`.
    #[default]
    ByHand,
    /// Nobody needs to: every payment counts as paid. For benchmarks and unattended tests.
    AtOnce,
}

/// A sandbox account.
pub struct Sandbox {
    flow: Flow,
    settings: Settings,
    purse: Arc<dyn Purse>,
    sender: Option<Sender>,
}

/// Where an account's webhooks come from, and whose they are.
struct Sender {
    account: String,
    desk: Arc<Desk>,
}

/// Makes accounts of one flow, all of which keep their money in the desk's purse and send webhooks.
pub fn maker(flow: Flow, desk: Arc<Desk>) -> Maker {
    from_settings(move |account: &str, settings| {
        let purse = Arc::clone(desk.purse());
        Ok(Sandbox::new(flow, settings, purse).sending(account, Arc::clone(&desk)))
    })
}

impl Sandbox {
    /// An account that keeps its money in `purse` and sends no webhooks.
    pub fn new(flow: Flow, settings: Settings, purse: Arc<dyn Purse>) -> Self {
        Self {
            flow,
            settings,
            purse,
            sender: None,
        }
    }

    /// The same account, which sends its webhooks by `desk` under its name in the configuration.
    #[must_use]
    pub fn sending(mut self, account: &str, desk: Arc<Desk>) -> Self {
        let account = account.to_owned();
        self.sender = Some(Sender { account, desk });
        self
    }

    /// Who tells of what happens: nobody where payments are paid at once, since nobody decides there.
    fn teller(&self) -> Option<&Sender> {
        let sender = self.sender.as_ref();
        sender.filter(|_| self.settings.pays == Pays::ByHand)
    }

    /// What a webhook will tell.
    fn event(&self, kind: EventKind, payment: &PaymentRef) -> Option<SlipEvent> {
        let teller = self.teller()?;
        Some(SlipEvent {
            id: format!("evt_{}", crate::random::token()),
            account: teller.account.clone(),
            kind,
            reference: payment.reference.clone(),
            at: teller.desk.now(),
        })
    }

    /// Wakes the courier of this process for what may be in the outbox now.
    fn ring(&self) {
        if let Some(teller) = self.teller() {
            teller.desk.ring();
        }
    }

    /// Decides `state` for a payment nobody has decided. Where payments are paid at once, that came first.
    async fn decide_first(
        &self,
        payment: &PaymentRef,
        state: SlipState,
    ) -> Result<Slip, ProviderError> {
        let state = match self.settings.pays {
            Pays::ByHand => state,
            Pays::AtOnce => self.flow.paid(),
        };
        let decision = Slip::new(state, payment.price);
        let event = EventKind::of_decision(state).and_then(|kind| self.event(kind, payment));
        let stands = self
            .purse
            .decide(&payment.reference, decision, event)
            .await?;
        self.ring();
        Ok(stands)
    }

    /// Writes down what was paid at once, so that what follows has something to stand on.
    async fn write_down(&self, payment: &PaymentRef) -> Result<(), ProviderError> {
        if self.settings.pays == Pays::AtOnce {
            self.decide_first(payment, self.flow.paid()).await?;
        }
        Ok(())
    }

    async fn end_hold(&self, payment: &PaymentRef, end: HoldEnd) -> Result<Slip, ProviderError> {
        self.write_down(payment).await?;
        let event = self.event(EventKind::of_end(end), payment);
        let stands = self.purse.end_hold(&payment.reference, end, event).await?;
        self.ring();
        Ok(stands)
    }
}

/// The reference of a payment: the same for the same id, and no way back.
fn reference(request: &CreatePayment) -> String {
    let mut hash = Sha256::new();
    hash.update(b"coinop sandbox payment\0");
    hash.update(request.key.as_str());
    let body = BASE32_NOPAD.encode(&hash.finalize()[..REFERENCE_BYTES]);
    format!("sbx_{}", body.to_ascii_lowercase())
}

impl Provider for Sandbox {
    fn kind(&self) -> &'static str {
        self.flow.kind()
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities {
            authorizes: self.flow == Flow::Hold,
            refunds: self.settings.refunds,
            webhooks: self.sender.is_some(),
            test: true,
            pays_on_host_page: true,
            links: true,
            key_window: None,
            late_window: Duration::ZERO,
            timeout: Duration::from_secs(10),
            // The books are at hand: asking costs nobody anything.
            lifetime_max: Duration::from_secs(24 * 60 * 60),
        }
    }

    fn chargeable(&self, price: &Money) -> Result<(), NotChargeable> {
        let (price, provider) = (*price, self.kind());
        let bound = |amount| Money { amount, ..price };
        if price.amount < AMOUNT_MIN {
            let least = bound(AMOUNT_MIN);
            return Err(NotChargeable::TooSmall {
                price,
                provider,
                least,
            });
        }
        if price.amount > AMOUNT_MAX {
            let most = bound(AMOUNT_MAX);
            return Err(NotChargeable::TooLarge {
                price,
                provider,
                most,
            });
        }
        Ok(())
    }

    fn create_offline(&self, request: &CreatePayment) -> Option<CreatedPayment> {
        Some(CreatedPayment {
            reference: reference(request),
            url: None,
        })
    }

    fn create<'a>(
        &'a self,
        request: &'a CreatePayment,
    ) -> BoxFuture<'a, Result<CreatedPayment, ProviderError>> {
        let created = CreatedPayment {
            reference: reference(request),
            url: None,
        };
        async { Ok(created) }.boxed()
    }

    fn status<'a>(
        &'a self,
        payment: &'a PaymentRef,
    ) -> BoxFuture<'a, Result<Standing, ProviderError>> {
        async {
            let slip = self.purse.slip(&payment.reference).await?;
            Ok(match (slip, self.settings.pays) {
                (Some(slip), _) => slip.standing(),
                (None, Pays::ByHand) => Standing::Pending,
                // Nothing is written until something follows: a benchmark's payments cost no commit of their own.
                (None, Pays::AtOnce) => Slip::new(self.flow.paid(), payment.price).standing(),
            })
        }
        .boxed()
    }

    fn cancel<'a>(
        &'a self,
        payment: &'a PaymentRef,
    ) -> BoxFuture<'a, Result<Standing, ProviderError>> {
        async {
            let slip = self.decide_first(payment, SlipState::Canceled).await?;
            Ok(slip.standing())
        }
        .boxed()
    }

    fn refund<'a>(&'a self, refund: &'a Refund) -> BoxFuture<'a, Result<Refunded, ProviderError>> {
        async {
            if !self.settings.refunds {
                return Err(ProviderError::Refused(
                    "this account gives no refunds".into(),
                ));
            }
            self.write_down(&refund.payment).await?;
            let entry = SlipRefund {
                key: refund.key.clone(),
                reference: refund.payment.reference.clone(),
                amount: refund.amount,
            };
            let event = self.event(EventKind::Refunded, &refund.payment);
            self.purse.refund(entry, event).await?;
            self.ring();
            Ok(Refunded::Done)
        }
        .boxed()
    }

    fn refund_standing<'a>(
        &'a self,
        refund: &'a Refund,
    ) -> BoxFuture<'a, Result<Option<Refunded>, ProviderError>> {
        async {
            let made = self.purse.refund_made(&refund.key).await?;
            Ok(made.map(|_| Refunded::Done))
        }
        .boxed()
    }

    fn statement<'a>(
        &'a self,
        period: Period,
        cursor: Option<String>,
    ) -> BoxFuture<'a, Result<StatementPage, ProviderError>> {
        self.state_page(period, cursor).boxed()
    }

    fn settle<'a>(
        &'a self,
        payment: &'a PaymentRef,
    ) -> BoxFuture<'a, Result<Settled, ProviderError>> {
        async {
            let taken = self.end_hold(payment, HoldEnd::Take).await?;
            Ok(taken.standing().into())
        }
        .boxed()
    }

    fn release<'a>(
        &'a self,
        payment: &'a PaymentRef,
    ) -> BoxFuture<'a, Result<Standing, ProviderError>> {
        async { Ok(self.end_hold(payment, HoldEnd::Release).await?.standing()) }.boxed()
    }

    fn decide<'a>(
        &'a self,
        payment: &'a PaymentRef,
        decision: Decision,
    ) -> BoxFuture<'a, Result<Standing, ProviderError>> {
        let state = match decision {
            Decision::Pay => self.flow.paid(),
            Decision::Decline => SlipState::Declined,
        };
        async move { Ok(self.decide_first(payment, state).await?.standing()) }.boxed()
    }

    fn verify_webhook<'a>(
        &'a self,
        webhook: Webhook<'a>,
    ) -> BoxFuture<'a, Result<WebhookNotice, WebhookError>> {
        async move {
            let sender = self.sender.as_ref().ok_or(WebhookError::Unsupported)?;
            let secrets = sender.desk.secrets().await;
            let secrets = secrets.map_err(|error| WebhookError::Unavailable(error.to_string()))?;
            if !signature::holds(&webhook, &secrets) {
                return Err(WebhookError::Signature);
            }
            event::notice(webhook.body).ok_or(WebhookError::Content)
        }
        .boxed()
    }
}
