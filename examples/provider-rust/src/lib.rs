//! A payment provider as a component: the rail of Acme Pay, a service with links, refunds of any part, webhooks and a
//! statement, such as many have. docs/providers.md explains each decision in it.
//!
//! `api` is the service's JSON, `http` the way there and what each of its failures means for money, `money` its minor
//! units, `settings` what the operator says, `webhook` the signature. This file is the contract, function by function.

mod api;
mod http;
mod money;
mod settings;
mod webhook;

#[allow(missing_docs)]
mod bindings {
    wit_bindgen::generate!({
        path: ["../../wit", "../../wit/provider"],
        world: "coinop:provider/provider-with-statements",
        generate_all,
    });
}

use bindings::coinop::provider::provider_types::{
    ChargeableCurrency, CreatedPayment, Failure, Moment, NewPayment, NewRefund, PaymentReference,
    ProviderDescription, RefundStanding, RefundSupport, Standing, StatementPage, Webhook,
    WebhookNotice, WebhookRefusal,
};
use bindings::exports::coinop::provider::{payments, statements};
use http::{Effect, Request};
use settings::Settings;

/// Acme keeps idempotency keys for a day.
const KEY_WINDOW_S: u32 = 24 * 60 * 60;
/// A card payment that was begun in time may be confirmed so much later.
const LATE_WINDOW_S: u32 = 15 * 60;
/// A link is good for an hour.
const LIFETIME_MAX_S: u32 = 60 * 60;

struct Acme;

bindings::export!(Acme with_types_in bindings);

impl payments::Guest for Acme {
    fn describe() -> Result<ProviderDescription, String> {
        let settings = Settings::read()?;
        let currency = |(code, decimals): &(&str, u32)| ChargeableCurrency {
            code: (*code).to_owned(),
            decimals: *decimals,
            minimum: None,
            maximum: Some("10000".to_owned()),
        };
        Ok(ProviderDescription {
            name: "acme".to_owned(),
            test_money: settings.key.starts_with("test_"),
            currencies: money::CURRENCIES.iter().map(currency).collect(),
            refunds: RefundSupport::Partial,
            cancels: true,
            webhooks: settings.webhook_secret.is_some(),
            key_window_s: KEY_WINDOW_S,
            late_window_s: LATE_WINDOW_S,
            lifetime_max_s: LIFETIME_MAX_S,
            meta: None,
        })
    }

    fn create(payment: NewPayment) -> Result<CreatedPayment, Failure> {
        let body = api::NewPayment::of(&payment)?;
        let made: api::Payment = Request::post("/v1/payments", Effect::MovesMoney)
            .key(&payment.key)
            .json(&body)
            .send()?;
        made.created(&payment.key, Effect::MovesMoney)
    }

    fn find(key: String) -> Result<Option<CreatedPayment>, Failure> {
        let found: api::Payments = Request::get("/v1/payments")
            .query("reference", &key)
            .send()?;
        let found = found.with(&key)?;
        found
            .map(|payment| payment.created(&key, Effect::Looks))
            .transpose()
    }

    fn status(payment: PaymentReference) -> Result<Standing, Failure> {
        let stands: api::Payment = Request::get(&api::path(&payment)).send()?;
        stands.standing(&payment, Effect::Looks)
    }

    fn cancel(payment: PaymentReference) -> Result<Standing, Failure> {
        let path = format!("{}/cancel", api::path(&payment));
        let stands: api::Payment = Request::post(&path, Effect::MovesMoney).send()?;
        stands.standing(&payment, Effect::MovesMoney)
    }

    fn refund(refund: NewRefund) -> Result<RefundStanding, Failure> {
        let path = format!("{}/refunds", api::path(&refund.payment));
        let made: api::Refund = Request::post(&path, Effect::MovesMoney)
            .key(&refund.key)
            .json(&api::NewRefund::of(&refund)?)
            .send()?;
        made.standing(&refund.key)
    }

    fn refund_status(refund: NewRefund) -> Result<Option<RefundStanding>, Failure> {
        let path = format!("{}/refunds", api::path(&refund.payment));
        let found: api::Refunds = Request::get(&path).query("key", &refund.key).send()?;
        found.with(&refund.key)
    }

    fn verify_webhook(webhook: Webhook) -> Result<WebhookNotice, WebhookRefusal> {
        let settings = Settings::read().map_err(WebhookRefusal::Unavailable)?;
        let secret = settings.webhook_secret.ok_or(WebhookRefusal::Unsupported)?;
        webhook::verify(&webhook, secret.as_bytes())
    }
}

impl statements::Guest for Acme {
    fn statement(
        since: Moment,
        until: Moment,
        cursor: Option<String>,
    ) -> Result<StatementPage, Failure> {
        let mut request = Request::get("/v1/statement")
            .query("since", &format!("{since:.0}"))
            .query("until", &format!("{until:.0}"));
        if let Some(cursor) = cursor {
            request = request.query("cursor", &cursor);
        }
        request.send::<api::Statement>()?.page()
    }
}
