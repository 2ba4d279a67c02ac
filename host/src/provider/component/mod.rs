//! Accounts whose provider is a WebAssembly component: a rail that is added without building the host anew.
//!
//! The component is other people's code, held like a plugin: a fresh instance for every question, limits, no network but
//! what the operator grants. It is trusted with the account's money, as the service behind it is, and with nothing else:
//! what it answers is checked here, and what it does not answer is "unknown" where money may have moved and "not now"
//! where none could.

mod ask;
mod settings;
mod terms;
mod v0_1_0;

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use coinop_core::money::Money;
use futures::FutureExt as _;
use futures::future::BoxFuture;
use tokio::sync::Semaphore;

use self::ask::{About, Desk, PATIENCE};
pub use self::settings::{Pinning, Settings};
use self::terms::Terms;
use self::v0_1_0::{Exports, INTERFACE, NewPayment, NewRefund, Reference};
use super::registry::{Maker, from_settings_in_time};
use super::{
    Capabilities, Code, CreatePayment, CreatedPayment, NotChargeable, PaymentRef, Period, Provider,
    ProviderError, Refund, Refunded, Standing, StatementPage, Webhook, WebhookError, WebhookNotice,
};
use crate::sandbox::service::Services;

/// The kind in configuration.
pub const KIND: &str = "component";

/// Webhooks looked at at a time: a flood of forged ones leaves room for questions about money.
const WEBHOOKS_AT_ONCE_MAX: usize = 8;
/// Longest description of a payment and reason of a refund that a component is told, bytes.
const TEXT_BYTES_MAX: usize = 1024;

/// What accounts of this kind share.
pub struct Host {
    /// Where components are loaded.
    pub services: Services,
    /// What links to this host start with, where others reach it; without a slash at the end.
    pub public_base: Option<String>,
    /// Whether components must be pinned.
    pub pinning: Pinning,
}

/// Makes accounts of this kind.
pub fn maker(host: Arc<Host>) -> Maker {
    from_settings_in_time(move |account: String, settings: Settings| {
        let host = Arc::clone(&host);
        async move { Component::open(&host, &account, settings).await }
    })
}

/// An account whose provider is a component.
pub struct Component {
    desk: Desk,
    exports: Exports,
    terms: Terms,
    code: Code,
    /// What return and webhook URLs start with.
    public_base: Option<String>,
    webhooks: Semaphore,
}

impl Component {
    /// Loads the component of `settings` and asks what it is.
    ///
    /// # Errors
    /// One line that names the setting, the file and what to do.
    pub async fn open(host: &Host, account: &str, settings: Settings) -> Result<Self, String> {
        let bytes = settings.read(host.pinning).await?;
        let grants = settings.grants.grants()?;
        let file = settings.component.display().to_string();
        let service = host.services.load(&file, bytes, INTERFACE).await;
        let service = service.map_err(|error| format!("component: {error}"))?;
        let in_file = |why: String| format!("component: {file}: {why}");
        let exports = Exports::of(&service).map_err(in_file)?;
        let code = Code {
            file: settings.component.clone(),
            digest: *service.digest(),
            reaches: grants.phrases(),
        };
        let all = settings.settings.iter();
        let secrets = settings.settings.values().filter_map(|it| it.secret());
        let desk = Desk {
            account: account.to_owned(),
            secrets: secrets.map(str::to_owned).collect(),
            settings: all
                .map(|(name, it)| (name.clone(), it.value().to_owned()))
                .collect(),
            service,
            grants,
            told: Mutex::new(BTreeSet::new()),
        };
        let said = desk.question(About::Itself, exports.describe()).await;
        let said = said.map_err(|silence| in_file(format!("asked what it is: {silence}")))?;
        let said = said.map_err(|why| format!("settings: {file} says: {}", desk.shown(why)))?;
        let wrong = |why| format!("what it says of itself is wrong: {}", desk.shown(why));
        let terms = Terms::of(said, PATIENCE).map_err(|why| in_file(wrong(why)))?;
        Ok(Self {
            terms,
            desk,
            exports,
            code,
            public_base: host.public_base.clone(),
            webhooks: Semaphore::new(WEBHOOKS_AT_ONCE_MAX),
        })
    }

    fn payment(&self, request: &CreatePayment) -> NewPayment {
        let base = self.public_base.as_deref();
        NewPayment {
            key: request.key.as_str().to_owned(),
            price: request.price,
            description: bounded(&request.description),
            expires_at: request.expires_at,
            return_url: base.map(|base| format!("{base}/pay/{}?returned", request.link.as_str())),
            webhook_url: base.and_then(|base| webhook_url(base, &self.desk.account)),
        }
    }

    async fn verify(&self, webhook: Webhook<'_>) -> Result<WebhookNotice, WebhookError> {
        if !self.terms.capabilities().webhooks {
            return Err(WebhookError::Unsupported);
        }
        let busy = |_| WebhookError::Unavailable("too many webhooks at a time".to_owned());
        let _turn = self.webhooks.try_acquire().map_err(busy)?;
        let (headers, body) = (webhook.headers.to_vec(), webhook.body.to_vec());
        let work = self.exports.verify_webhook(headers, body, webhook.now);
        let said = self.desk.question(About::Webhook, work).await;
        let said = said.map_err(|silence| WebhookError::Unavailable(silence.to_string()))?;
        said.map_err(|refusal| match refusal {
            WebhookError::Unavailable(why) => WebhookError::Unavailable(self.desk.shown(why)),
            refusal => refusal,
        })
    }
}

fn bounded(text: &str) -> String {
    text[..text.floor_char_boundary(TEXT_BYTES_MAX)].to_owned()
}

fn webhook_url(base: &str, account: &str) -> Option<String> {
    let mut url = reqwest::Url::parse(base).ok()?;
    url.path_segments_mut()
        .ok()?
        .pop_if_empty()
        .extend(["webhooks", account]);
    Some(url.into())
}

fn reference(payment: &PaymentRef) -> Reference {
    Reference {
        key: payment.key.as_str().to_owned(),
        reference: payment.reference.clone(),
        price: payment.price,
    }
}

fn order(refund: &Refund) -> NewRefund {
    NewRefund {
        payment: reference(&refund.payment),
        key: refund.key.clone(),
        amount: refund.money(),
        reason: bounded(&refund.reason),
    }
}

impl Provider for Component {
    fn kind(&self) -> &'static str {
        self.terms.name
    }

    fn capabilities(&self) -> Capabilities {
        self.terms.capabilities()
    }

    fn code(&self) -> Option<&Code> {
        Some(&self.code)
    }

    fn chargeable(&self, price: &Money) -> Result<(), NotChargeable> {
        self.terms.chargeable(price)
    }

    fn create<'a>(
        &'a self,
        request: &'a CreatePayment,
    ) -> BoxFuture<'a, Result<CreatedPayment, ProviderError>> {
        let work = self.exports.create(self.payment(request));
        self.desk.ask(About::Money, work).boxed()
    }

    fn lookup<'a>(
        &'a self,
        request: &'a CreatePayment,
    ) -> BoxFuture<'a, Result<Option<CreatedPayment>, ProviderError>> {
        let work = self.exports.find(request.key.as_str().to_owned());
        self.desk.ask(About::Standing, work).boxed()
    }

    fn status<'a>(
        &'a self,
        payment: &'a PaymentRef,
    ) -> BoxFuture<'a, Result<Standing, ProviderError>> {
        let work = self.exports.status(reference(payment));
        self.desk.ask(About::Standing, work).boxed()
    }

    fn cancel<'a>(
        &'a self,
        payment: &'a PaymentRef,
    ) -> BoxFuture<'a, Result<Standing, ProviderError>> {
        async {
            if !self.terms.cancels {
                let operation = "call a payment off";
                return Err(ProviderError::Unsupported { operation });
            }
            let work = self.exports.cancel(reference(payment));
            self.desk.ask(About::Money, work).await
        }
        .boxed()
    }

    fn refund<'a>(&'a self, refund: &'a Refund) -> BoxFuture<'a, Result<Refunded, ProviderError>> {
        async {
            self.terms.refundable(refund)?;
            let work = self.exports.refund(order(refund));
            self.desk.ask(About::Money, work).await
        }
        .boxed()
    }

    fn refund_standing<'a>(
        &'a self,
        refund: &'a Refund,
    ) -> BoxFuture<'a, Result<Option<Refunded>, ProviderError>> {
        let work = self.exports.refund_status(order(refund));
        self.desk.ask(About::Standing, work).boxed()
    }

    fn statement<'a>(
        &'a self,
        period: Period,
        cursor: Option<String>,
    ) -> BoxFuture<'a, Result<StatementPage, ProviderError>> {
        async move {
            let operation = "give a statement";
            let work = self.exports.statement(period, cursor);
            let work = work.ok_or(ProviderError::Unsupported { operation })?;
            self.desk.ask(About::Standing, work).await
        }
        .boxed()
    }

    fn verify_webhook<'a>(
        &'a self,
        webhook: Webhook<'a>,
    ) -> BoxFuture<'a, Result<WebhookNotice, WebhookError>> {
        self.verify(webhook).boxed()
    }
}

#[cfg(test)]
mod tests {
    use coinop_core::ids::PaymentId;

    use super::*;

    #[test]
    fn what_goes_back_is_counted_in_the_currency_that_arrived() {
        let money = |amount, currency| Money::parse(amount, currency).unwrap();
        let refund = Refund {
            payment: PaymentRef {
                key: PaymentId::from_random([1; 16]),
                reference: "r".into(),
                price: money("100", "JPY"),
                credential: None,
            },
            key: "k".into(),
            amount: "60".parse().unwrap(),
            received: money("90", "USD"),
            reason: "test".into(),
        };
        let told = order(&refund);
        assert_eq!(told.amount, money("60", "USD"));
        assert_eq!(told.payment.price, money("100", "JPY"));
    }

    #[test]
    fn an_accounts_name_is_one_part_of_its_webhooks_path() {
        let url = |base, account| webhook_url(base, account).unwrap();
        assert_eq!(
            url("https://tools.example.com", "shop"),
            "https://tools.example.com/webhooks/shop"
        );
        assert_eq!(
            url("https://example.com/tools", "a b/c"),
            "https://example.com/tools/webhooks/a%20b%2Fc"
        );
    }

    #[test]
    fn texts_are_cut_between_characters() {
        assert_eq!(bounded(&"€".repeat(400)).len(), 1023);
        assert_eq!(bounded("short"), "short");
    }
}
