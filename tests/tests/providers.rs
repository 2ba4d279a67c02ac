//! Every provider keeps the same contract: the one in the host, and one that is a component.

use std::sync::{Arc, Mutex};

use axum::http::Method;
use coinop::clock::SystemClock;
use coinop::provider::component::{self, Component, Pinning, Settings};
use coinop::provider::sandbox::desk::Desk;
use coinop::provider::sandbox::event::SlipEvent;
use coinop::provider::sandbox::outbox::{TakeEvents, TakenEvents};
use coinop::provider::sandbox::purse::{MemoryPurse, Place, Purse, PurseError, SlipRefund, Taken};
use coinop::provider::sandbox::slip::{HoldEnd, Slip};
use coinop::provider::sandbox::{Flow, Sandbox, Settings as SandboxSettings, signature};
use coinop::provider::{Decision, PaymentRef, Period, Provider, ProviderError, Refunded};
use coinop::sandbox::service::Services;
use coinop::sandbox::{Capacity, SandboxSettings as EngineSettings};
use coinop_core::Millis;
use coinop_core::money::{Amount, Money};
use coinop_tests::acme::{self, Acme};
use coinop_tests::provider_contract::remote::{Creation, Service};
use coinop_tests::provider_contract::{Act, Asked, Fault, Post, Till};
use coinop_tests::{paths, provider_contract, remote_provider_contract};
use futures::FutureExt as _;
use futures::future::BoxFuture;
use serde_json::json;

provider_contract!(sandbox, Pretended::new());
provider_contract!(acme_account, Rail::new().await);
remote_provider_contract!(acme_service, Rail::new().await);

/// The sandbox provider, over a purse that fails when it is told to.
struct Pretended {
    purse: Arc<FailingPurse>,
    account: Arc<Sandbox>,
}

impl Pretended {
    fn new() -> Self {
        let purse = Arc::new(FailingPurse::default());
        let desk = Arc::new(Desk::new(purse.clone(), Arc::new(SystemClock)));
        let account = Sandbox::new(Flow::Pay, SandboxSettings::default(), purse.clone());
        let account = Arc::new(account.sending("pretended", desk));
        Self { purse, account }
    }
}

impl Till for Pretended {
    fn account(&self) -> Arc<dyn Provider> {
        self.account.clone()
    }

    fn act<'a>(&'a self, payment: &'a PaymentRef, act: Act) -> BoxFuture<'a, ()> {
        let decision = match act {
            Act::Pay => Decision::Pay,
            Act::Decline => Decision::Decline,
        };
        async move {
            self.account.decide(payment, decision).await.unwrap();
        }
        .boxed()
    }

    fn fail(&self, asked: Asked, fault: Fault) {
        *self.purse.fault.lock().unwrap() = Some((asked, fault));
    }

    fn webhook<'a>(
        &'a self,
        event: &'a str,
        reference: &'a str,
        at_ms: i64,
    ) -> BoxFuture<'a, Post> {
        async move {
            let secrets = self.purse.webhook_secrets(at_ms).await.unwrap();
            let body = json!({ "id": event, "type": "payment.paid", "reference": reference });
            let body = body.to_string().into_bytes();
            let signed = signature::sign(&secrets, at_ms / 1_000, &body);
            let headers = vec![("coinop-signature".to_owned(), signed)];
            Post { headers, body }
        }
        .boxed()
    }

    fn sent_back<'a>(&'a self, payment: &'a PaymentRef) -> BoxFuture<'a, Amount> {
        async {
            let slip = self.purse.inner.slip(&payment.reference).await.unwrap();
            slip.map_or(Amount::ZERO, |slip| slip.refunded)
        }
        .boxed()
    }
}

/// A purse whose next question fails.
#[derive(Default)]
struct FailingPurse {
    inner: MemoryPurse,
    fault: Mutex<Option<(Asked, Fault)>>,
}

impl FailingPurse {
    fn fault(&self, asked: Asked) -> Option<Fault> {
        let mut fault = self.fault.lock().unwrap();
        fault
            .take_if(|(of, _)| *of == asked)
            .map(|(_, fault)| fault)
    }

    async fn failing<T>(
        &self,
        asked: Asked,
        act: BoxFuture<'_, Result<T, PurseError>>,
    ) -> Result<T, PurseError> {
        let lost = || Err(PurseError::Unavailable("told to".to_owned()));
        match self.fault(asked) {
            None => act.await,
            Some(Fault::Before) => lost(),
            Some(Fault::After) => {
                act.await?;
                lost()
            }
        }
    }
}

impl Purse for FailingPurse {
    fn slip<'a>(&'a self, reference: &'a str) -> BoxFuture<'a, Result<Option<Slip>, PurseError>> {
        self.failing(Asked::Standing, self.inner.slip(reference))
            .boxed()
    }

    fn decide<'a>(
        &'a self,
        reference: &'a str,
        decision: Slip,
        event: Option<SlipEvent>,
    ) -> BoxFuture<'a, Result<Slip, PurseError>> {
        self.inner.decide(reference, decision, event)
    }

    fn end_hold<'a>(
        &'a self,
        reference: &'a str,
        end: HoldEnd,
        event: Option<SlipEvent>,
    ) -> BoxFuture<'a, Result<Slip, PurseError>> {
        self.inner.end_hold(reference, end, event)
    }

    fn refund(
        &self,
        refund: SlipRefund,
        event: Option<SlipEvent>,
    ) -> BoxFuture<'_, Result<Slip, PurseError>> {
        self.failing(Asked::Refund, self.inner.refund(refund, event))
            .boxed()
    }

    fn take_events(&self, take: TakeEvents) -> BoxFuture<'_, Result<TakenEvents, PurseError>> {
        self.inner.take_events(take)
    }

    fn event_sent(&self, id: String) -> BoxFuture<'_, Result<(), PurseError>> {
        self.inner.event_sent(id)
    }

    fn webhook_secrets(&self, at: Millis) -> BoxFuture<'_, Result<Vec<Vec<u8>>, PurseError>> {
        self.inner.webhook_secrets(at)
    }

    fn refund_made<'a>(
        &'a self,
        key: &'a str,
    ) -> BoxFuture<'a, Result<Option<SlipRefund>, PurseError>> {
        self.inner.refund_made(key)
    }

    fn statement(
        &self,
        period: Period,
        after: Option<Place>,
        limit: u32,
    ) -> BoxFuture<'_, Result<Vec<Taken>, PurseError>> {
        self.inner.statement(period, after, limit)
    }
}

/// `examples/provider-rust`, and the service it asks.
struct Rail {
    acme: Acme,
    account: Arc<Component>,
}

impl Rail {
    async fn new() -> Self {
        let acme = Acme::start().await;
        let settings = json!({
            "component": paths::guest("acme"),
            "settings": {
                "api": acme.url,
                "key": { "secret": acme::KEY },
                "webhook_secret": { "secret": acme::WEBHOOK_SECRET },
            },
            "grants": { "http": [acme.url] },
        });
        let settings: Settings = serde_json::from_value(settings).unwrap();
        let account = Component::open(&host(), "shop", settings).await.unwrap();
        let account = Arc::new(account);
        Self { acme, account }
    }
}

/// Few places: each reserves address space, and tests run side by side.
fn host() -> component::Host {
    let capacity = Capacity {
        memories_max: 16,
        waiting_max: 64,
    };
    component::Host {
        services: Services::new(EngineSettings {
            capacity,
            ..EngineSettings::new(paths::shared_cache())
        }),
        public_base: Some("https://tools.example.com".to_owned()),
        pinning: Pinning::Optional,
    }
}

/// Minor units of dollars.
fn cents(money: &Money) -> u64 {
    money.in_units_of(2).unwrap().try_into().unwrap()
}

impl Till for Rail {
    fn account(&self) -> Arc<dyn Provider> {
        self.account.clone()
    }

    fn act<'a>(&'a self, payment: &'a PaymentRef, act: Act) -> BoxFuture<'a, ()> {
        match act {
            Act::Pay => self.acme.pay(&payment.reference, cents(&payment.price)),
            Act::Decline => self.acme.end(&payment.reference, "declined"),
        }
        std::future::ready(()).boxed()
    }

    fn fail(&self, asked: Asked, fault: Fault) {
        let method = match asked {
            Asked::Standing => Method::GET,
            Asked::Refund => Method::POST,
        };
        let fault = match fault {
            Fault::Before => acme::Fault::Before,
            Fault::After => acme::Fault::After,
        };
        self.acme.fail(method, fault);
    }

    fn webhook<'a>(
        &'a self,
        event: &'a str,
        reference: &'a str,
        at_ms: i64,
    ) -> BoxFuture<'a, Post> {
        let (signed, body) = Acme::webhook(event, reference, at_ms);
        let headers = vec![("acme-signature".to_owned(), signed)];
        std::future::ready(Post { headers, body }).boxed()
    }

    fn sent_back<'a>(&'a self, payment: &'a PaymentRef) -> BoxFuture<'a, Amount> {
        let cents = self.acme.books().sent_back(&payment.reference);
        let nanos = i64::try_from(cents).unwrap() * 10_000_000;
        std::future::ready(Amount::from_nanos(nanos)).boxed()
    }
}

impl Service for Rail {
    fn fail_creation(&self, how: Creation) {
        let fault = match how {
            Creation::Before => acme::Fault::Before,
            Creation::After => acme::Fault::After,
            Creation::Cut => acme::Fault::Cut,
            Creation::Busy => acme::Fault::Busy,
        };
        self.acme.fail(Method::POST, fault);
    }

    fn made_under(&self, key: &str) -> usize {
        let books = self.acme.books();
        let under = books.payments.iter().filter(|it| it.reference == key);
        under.count()
    }

    fn pay_other(&self, reference: &str, money: &Money) {
        self.acme.pay(reference, cents(money));
    }

    fn end(&self, reference: &str, status: &str) {
        self.acme.end(reference, status);
    }
}

#[tokio::test]
async fn a_component_is_told_where_payers_come_back_and_webhooks_go() {
    let rail = Rail::new().await;
    let request = provider_contract::request(1);
    rail.account.create(&request).await.unwrap();
    let made = rail.acme.payment_of(request.key.as_str()).unwrap();
    assert_eq!(
        made.webhook_url.as_deref(),
        Some("https://tools.example.com/webhooks/shop")
    );
    let back = made.return_url.unwrap();
    assert_eq!(
        back,
        format!(
            "https://tools.example.com/pay/{}?returned",
            request.link.as_str()
        )
    );
}

/// A service that does not filter, or whose filter has another name than its author thought.
#[tokio::test]
async fn a_list_of_others_says_nothing_of_a_key() {
    let rail = Rail::new().await;
    rail.acme.ignore_filters();
    let (account, payment) = (rail.account(), provider_contract::paid(&rail, 1).await);
    let found = account.lookup(&provider_contract::request(1)).await;
    assert_eq!(found.unwrap().unwrap().reference, payment.reference);
    let other = account.lookup(&provider_contract::request(2)).await;
    assert!(matches!(other, Err(ProviderError::Busy(_))), "{other:?}");

    let order = |key| provider_contract::refund(&payment, key, "0.40");
    account.refund(&order("k1")).await.unwrap();
    let made = account.refund_standing(&order("k1")).await.unwrap();
    assert_eq!(made, Some(Refunded::Done));
    let other = account.refund_standing(&order("k2")).await;
    assert!(matches!(other, Err(ProviderError::Busy(_))), "{other:?}");
}
