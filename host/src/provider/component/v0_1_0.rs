//! `coinop:provider@0.1`: the only file that names its generated bindings. Translates to the host's own types.
//!
//! A later version gets a file like this one; this one then only changes to keep meaning the same.

use coinop_core::Millis;
use coinop_core::money::{Amount, Money};

use super::terms::{DescribedCurrency, Description, Refunds};
use crate::provider::{
    CreatedPayment, Period, ProviderError, Refunded, Standing, StatementLine, StatementPage,
    WebhookError, WebhookNotice,
};
use crate::sandbox::service::{Interface, Service, Work};

#[allow(missing_docs, unreachable_pub, unused_qualifications, clippy::all)]
mod bindings {
    wasmtime::component::bindgen!({
        path: ["../wit", "../wit/provider"],
        world: "coinop:provider/provider-exports",
        exports: { default: async },
    });
}

use bindings::coinop::provider::provider_types as wit;
use bindings::exports::coinop::provider::{payments, statements};

/// Longest URL of a payment, bytes.
const URL_BYTES_MAX: usize = 2048;
/// Longest reference, bytes.
const REFERENCE_BYTES_MAX: usize = 255;
/// Lines of one page of a statement.
const LINES_MAX: usize = 1000;
/// The largest whole number that is exact in floating point.
const MILLIS_MAX: f64 = 9_007_199_254_740_991.0;

/// What a component of this version exports.
pub(super) const INTERFACE: Interface = Interface {
    what: "payment provider",
    name: "coinop:provider/payments",
    version: "0.1",
};

/// Its functions, looked up once.
#[derive(Clone)]
pub(super) struct Exports {
    payments: payments::GuestIndices,
    statements: Option<statements::GuestIndices>,
}

/// A payment to be made, as the provider is told of it.
#[derive(Clone, Debug)]
pub(super) struct NewPayment {
    pub(super) key: String,
    pub(super) price: Money,
    pub(super) description: String,
    pub(super) expires_at: Millis,
    pub(super) return_url: Option<String>,
    pub(super) webhook_url: Option<String>,
}

/// A payment that was made.
#[derive(Clone, Debug)]
pub(super) struct Reference {
    pub(super) key: String,
    pub(super) reference: String,
    pub(super) price: Money,
}

/// Money to be sent back.
#[derive(Clone, Debug)]
pub(super) struct NewRefund {
    pub(super) payment: Reference,
    pub(super) key: String,
    pub(super) amount: Money,
    pub(super) reason: String,
}

/// What a function answered, translated; its words as they came, secrets and all. Work that gave none has no answer at all.
pub(super) type Answer<T> = Result<T, ProviderError>;

impl Exports {
    /// # Errors
    /// A function is missing, or has another shape.
    pub(super) fn of(service: &Service) -> Result<Self, String> {
        let payments = payments::GuestIndices::new(service.pre());
        let statements = statements::GuestIndices::new(service.pre());
        Ok(Self {
            payments: payments.map_err(|error| error.to_string())?,
            statements: statements.ok(),
        })
    }

    pub(super) fn describe(&self) -> Work<Result<Description, String>> {
        let payments = self.payments.clone();
        Box::new(move |store, instance| {
            Box::pin(async move {
                let guest = payments.load(&mut *store, &instance)?;
                let described = guest.call_describe(store).await?;
                Ok(described.map(description))
            })
        })
    }

    pub(super) fn create(&self, payment: NewPayment) -> Work<Answer<CreatedPayment>> {
        let payments = self.payments.clone();
        Box::new(move |store, instance| {
            Box::pin(async move {
                let payment = wit::NewPayment {
                    key: payment.key,
                    price: money(&payment.price),
                    description: payment.description,
                    expires_at: payment.expires_at as f64,
                    return_url: payment.return_url,
                    webhook_url: payment.webhook_url,
                };
                let guest = payments.load(&mut *store, &instance)?;
                let made = guest.call_create(store, &payment).await?;
                Ok(made
                    .map_err(|why| failure(why, "make payments"))
                    .and_then(created))
            })
        })
    }

    pub(super) fn find(&self, key: String) -> Work<Answer<Option<CreatedPayment>>> {
        let payments = self.payments.clone();
        Box::new(move |store, instance| {
            Box::pin(async move {
                let guest = payments.load(&mut *store, &instance)?;
                let found = guest.call_find(store, &key).await?;
                let found = found.map_err(|why| failure(why, "look a payment up"));
                Ok(found.and_then(|found| found.map(created).transpose()))
            })
        })
    }

    pub(super) fn status(&self, payment: Reference) -> Work<Answer<Standing>> {
        let payments = self.payments.clone();
        Box::new(move |store, instance| {
            Box::pin(async move {
                let guest = payments.load(&mut *store, &instance)?;
                let stands = guest.call_status(store, &reference(payment)).await?;
                let stands = stands.map_err(|why| failure(why, "say how a payment stands"));
                Ok(stands.and_then(standing))
            })
        })
    }

    pub(super) fn cancel(&self, payment: Reference) -> Work<Answer<Standing>> {
        let payments = self.payments.clone();
        Box::new(move |store, instance| {
            Box::pin(async move {
                let guest = payments.load(&mut *store, &instance)?;
                let stands = guest.call_cancel(store, &reference(payment)).await?;
                let stands = stands.map_err(|why| failure(why, "call a payment off"));
                Ok(stands.and_then(standing))
            })
        })
    }

    pub(super) fn refund(&self, order: NewRefund) -> Work<Answer<Refunded>> {
        let payments = self.payments.clone();
        Box::new(move |store, instance| {
            Box::pin(async move {
                let guest = payments.load(&mut *store, &instance)?;
                let stands = guest.call_refund(store, &refund(order)).await?;
                let stands = stands.map_err(|why| failure(why, "send money back"));
                Ok(stands.map(refunded))
            })
        })
    }

    pub(super) fn refund_status(&self, order: NewRefund) -> Work<Answer<Option<Refunded>>> {
        let payments = self.payments.clone();
        Box::new(move |store, instance| {
            Box::pin(async move {
                let guest = payments.load(&mut *store, &instance)?;
                let stands = guest.call_refund_status(store, &refund(order)).await?;
                let stands = stands.map_err(|why| failure(why, "list refunds"));
                Ok(stands.map(|stands| stands.map(refunded)))
            })
        })
    }

    pub(super) fn verify_webhook(
        &self,
        headers: Vec<(String, String)>,
        body: Vec<u8>,
        at: Millis,
    ) -> Work<Result<WebhookNotice, WebhookError>> {
        let payments = self.payments.clone();
        Box::new(move |store, instance| {
            Box::pin(async move {
                let webhook = wit::Webhook {
                    headers,
                    body,
                    received_at: at as f64,
                };
                let guest = payments.load(&mut *store, &instance)?;
                let verified = guest.call_verify_webhook(store, &webhook).await?;
                Ok(verified.map(notice).map_err(refusal))
            })
        })
    }

    /// `None` where it gives no statements.
    pub(super) fn statement(
        &self,
        period: Period,
        cursor: Option<String>,
    ) -> Option<Work<Answer<StatementPage>>> {
        let statements = self.statements.clone()?;
        Some(Box::new(move |store, instance| {
            Box::pin(async move {
                let (since, until) = (period.since as f64, period.until as f64);
                let guest = statements.load(&mut *store, &instance)?;
                let cursor = cursor.as_deref();
                let stated = guest.call_statement(store, since, until, cursor).await?;
                let stated = stated.map_err(|why| failure(why, "give a statement"));
                Ok(stated.and_then(page))
            })
        }))
    }
}

fn description(said: wit::ProviderDescription) -> Description {
    let currency = |said: wit::ChargeableCurrency| DescribedCurrency {
        code: said.code,
        decimals: said.decimals,
        minimum: said.minimum,
        maximum: said.maximum,
    };
    Description {
        name: said.name,
        test_money: said.test_money,
        currencies: said.currencies.into_iter().map(currency).collect(),
        refunds: match said.refunds {
            wit::RefundSupport::None => Refunds::None,
            wit::RefundSupport::Full => Refunds::Full,
            wit::RefundSupport::Partial => Refunds::Partial,
        },
        cancels: said.cancels,
        webhooks: said.webhooks,
        key_window_s: said.key_window_s,
        late_window_s: said.late_window_s,
        lifetime_max_s: said.lifetime_max_s,
    }
}

fn money(money: &Money) -> wit::Money {
    wit::Money {
        amount: money.decimal(),
        currency: money.currency.to_string(),
    }
}

fn reference(payment: Reference) -> wit::PaymentReference {
    wit::PaymentReference {
        price: money(&payment.price),
        key: payment.key,
        reference: payment.reference,
    }
}

fn refund(order: NewRefund) -> wit::NewRefund {
    wit::NewRefund {
        amount: money(&order.amount),
        payment: reference(order.payment),
        key: order.key,
        reason: order.reason,
    }
}

/// Nobody has seen the link of a payment that is refused here, so nobody can pay it.
fn created(made: wit::CreatedPayment) -> Answer<CreatedPayment> {
    let refused = |what: &str| Err(ProviderError::Refused(format!("it answered with {what}")));
    if !is_reference(&made.reference) {
        return refused("a reference that is not 1 to 255 printable characters without blanks");
    }
    if !is_payable(&made.url) {
        return refused("a link that is no https URL of at most 2048 bytes");
    }
    Ok(CreatedPayment {
        reference: made.reference,
        url: Some(made.url),
    })
}

fn is_reference(text: &str) -> bool {
    (1..=REFERENCE_BYTES_MAX).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic())
}

/// A link that payers are sent to: encrypted, unless it leads to this very machine.
fn is_payable(url: &str) -> bool {
    let printable = url.len() <= URL_BYTES_MAX && url.bytes().all(|b| b.is_ascii_graphic());
    let Some(parsed) = reqwest::Url::parse(url).ok().filter(|_| printable) else {
        return false;
    };
    let own = || matches!(parsed.host_str(), Some("127.0.0.1" | "[::1]" | "localhost"));
    let plain = parsed.username().is_empty() && parsed.password().is_none();
    plain && (parsed.scheme() == "https" || (parsed.scheme() == "http" && own()))
}

fn standing(said: wit::Standing) -> Answer<Standing> {
    Ok(match said {
        wit::Standing::Pending | wit::Standing::Other(_) => Standing::Pending,
        wit::Standing::Paid(money) => Standing::Paid(received(&money)?),
        wit::Standing::Failed => Standing::Failed,
        wit::Standing::Declined => Standing::Declined,
        wit::Standing::Canceled => Standing::Canceled,
        wit::Standing::Expired => Standing::Expired,
    })
}

/// Money that arrived. What is no amount is no answer: neither paid nor unpaid.
fn received(money: &wit::Money) -> Answer<Money> {
    Money::parse(&money.amount, &money.currency).map_err(|error| {
        ProviderError::Unreachable(format!(
            "it says that money arrived, and not how much: {error}"
        ))
    })
}

fn refunded(said: wit::RefundStanding) -> Refunded {
    match said {
        wit::RefundStanding::Done => Refunded::Done,
        wit::RefundStanding::Pending | wit::RefundStanding::Other(_) => Refunded::Pending,
        wit::RefundStanding::Failed => Refunded::Failed,
    }
}

fn failure(said: wit::Failure, operation: &'static str) -> ProviderError {
    match said {
        wit::Failure::Unsupported => ProviderError::Unsupported { operation },
        wit::Failure::Refused(why) => ProviderError::Refused(why),
        wit::Failure::Unavailable(unavailable) => {
            let why = unavailable.message;
            ProviderError::Busy(match unavailable.retry_after_ms {
                Some(ms) => format!("{why} (for {ms} ms, it says)"),
                None => why,
            })
        }
        wit::Failure::UnknownOutcome(why) => ProviderError::Unreachable(why),
        wit::Failure::Other(other) => {
            ProviderError::Unreachable(format!("{}: {}", other.kind, other.message))
        }
    }
}

fn notice(said: wit::WebhookNotice) -> WebhookNotice {
    WebhookNotice {
        event_id: said.event_id,
        reference: said.payment_reference,
    }
}

fn refusal(said: wit::WebhookRefusal) -> WebhookError {
    match said {
        wit::WebhookRefusal::Forged => WebhookError::Signature,
        wit::WebhookRefusal::NotUnderstood => WebhookError::Content,
        wit::WebhookRefusal::Unsupported => WebhookError::Unsupported,
        wit::WebhookRefusal::Unavailable(why) | wit::WebhookRefusal::Other(why) => {
            WebhookError::Unavailable(why)
        }
    }
}

fn page(said: wit::StatementPage) -> Answer<StatementPage> {
    let no_answer = |what: String| ProviderError::Unreachable(what);
    if said.lines.len() > LINES_MAX {
        let lines = said.lines.len();
        return Err(no_answer(format!(
            "a page of {lines} lines; {LINES_MAX} is the most"
        )));
    }
    let lines = said.lines.into_iter().map(line);
    let lines = lines.collect::<Result<_, String>>().map_err(no_answer)?;
    let next = said.next;
    Ok(StatementPage { lines, next })
}

fn line(said: wit::StatementLine) -> Result<StatementLine, String> {
    let amount = |text: &str| text.parse::<Amount>().map_err(|error| error.to_string());
    let received = Money::parse(&said.received.amount, &said.received.currency);
    if !is_reference(&said.payment_reference) {
        return Err("a line of its statement has no reference".to_owned());
    }
    Ok(StatementLine {
        reference: said.payment_reference,
        received: received.map_err(|error| error.to_string())?,
        refunded: amount(&said.refunded)?,
        fee: amount(&said.fee)?,
        at: millis(said.at).ok_or("a line of its statement has no time")?,
    })
}

fn millis(moment: wit::Moment) -> Option<Millis> {
    let whole = moment.fract() == 0.0 && (0.0..=MILLIS_MAX).contains(&moment);
    whole.then_some(moment as Millis)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn payers_are_sent_to_encrypted_pages_only() {
        for url in [
            "https://pay.example.com/x?y=z",
            "http://127.0.0.1:4000/pay/1",
            "http://localhost/pay",
            "http://[::1]:1/",
        ] {
            assert!(is_payable(url), "{url}");
        }
        for url in [
            "",
            "pay",
            "http://pay.example.com/",
            "http://127.0.0.1.example.com/",
            "https://127.0.0.1@evil.example/",
            "javascript:alert(1)",
            "https://pay.example.com/a b",
            "https://pay.example.com/\u{202e}",
        ] {
            assert!(!is_payable(url), "{url}");
        }
        assert!(!is_payable(&format!(
            "https://a.example/{}",
            "x".repeat(URL_BYTES_MAX)
        )));
    }

    #[test]
    fn what_is_not_understood_is_neither_paid_nor_refunded() {
        let other = standing(wit::Standing::Other("authorized".into()));
        assert_eq!(other.unwrap(), Standing::Pending);
        let refund = refunded(wit::RefundStanding::Other("queued".into()));
        assert_eq!(refund, Refunded::Pending);
        let nothing = wit::Money {
            amount: "1e3".into(),
            currency: "USD".into(),
        };
        let paid = standing(wit::Standing::Paid(nothing));
        assert!(matches!(paid, Err(ProviderError::Unreachable(_))));
    }

    #[test]
    fn failures_mean_what_they_say() {
        let busy = wit::Failure::Unavailable(wit::Unavailable {
            message: "down".into(),
            retry_after_ms: Some(500),
        });
        let told = failure(busy, "x").to_string();
        assert!(told.contains("down (for 500 ms, it says)"), "{told}");
        let other = failure(
            wit::Failure::Other(wit::OtherFailure {
                kind: "frozen".into(),
                message: "m".into(),
            }),
            "x",
        );
        assert!(matches!(other, ProviderError::Unreachable(_)));
        let never = failure(wit::Failure::Unsupported, "fly").to_string();
        assert_eq!(never, "the provider cannot fly");
    }

    #[test]
    fn times_are_whole_milliseconds() {
        assert_eq!(millis(1_795_996_800_000.0), Some(1_795_996_800_000));
        for wrong in [f64::NAN, f64::INFINITY, -1.0, 0.5, 1e300] {
            assert_eq!(millis(wrong), None, "{wrong}");
        }
    }
}
