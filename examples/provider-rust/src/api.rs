//! Acme's JSON, and what it means in the host's words.

use serde::{Deserialize, Serialize};

use crate::bindings::coinop::provider::provider_types as wit;
use crate::bindings::coinop::provider::provider_types::{
    CreatedPayment, Failure, Money, PaymentReference, RefundStanding, Standing, Unavailable,
};
use crate::money::{decimal, minor};

/// `/v1/payments/ID`. References come from Acme itself, which makes them of letters, digits and `_`.
pub(crate) fn path(payment: &PaymentReference) -> String {
    format!("/v1/payments/{}", payment.reference)
}

/// A payment to be made. The same for the same key, so that Acme sees one request however often it is sent.
#[derive(Serialize)]
pub(crate) struct NewPayment<'a> {
    amount: u64,
    currency: &'a str,
    reference: &'a str,
    description: &'a str,
    expires_at: u64,
    return_url: Option<&'a str>,
    webhook_url: Option<&'a str>,
}

impl<'a> NewPayment<'a> {
    pub(crate) fn of(payment: &'a wit::NewPayment) -> Result<Self, Failure> {
        Ok(Self {
            amount: units(&payment.price)?,
            currency: &payment.price.currency,
            reference: &payment.key,
            description: &payment.description,
            expires_at: payment.expires_at as u64,
            return_url: payment.return_url.as_deref(),
            webhook_url: payment.webhook_url.as_deref(),
        })
    }
}

fn units(money: &Money) -> Result<u64, Failure> {
    minor(money).ok_or_else(|| {
        let Money { amount, currency } = money;
        Failure::Refused(format!("{amount} {currency} cannot be counted"))
    })
}

/// Payments with one reference: one, or none.
#[derive(Deserialize)]
pub(crate) struct Payments {
    pub(crate) payments: Vec<Payment>,
}

/// A payment as Acme has it.
#[derive(Deserialize)]
pub(crate) struct Payment {
    id: String,
    url: String,
    reference: String,
    status: String,
    received: Option<Sum>,
}

#[derive(Deserialize)]
struct Sum {
    amount: u64,
    currency: String,
}

impl Sum {
    fn money(&self) -> Result<Money, Failure> {
        let currency = self.currency.clone();
        match decimal(self.amount, &currency) {
            Some(amount) => Ok(Money { amount, currency }),
            None => Err(senseless(format!("money in {currency}"))),
        }
    }
}

impl Payment {
    pub(crate) fn created(self) -> CreatedPayment {
        CreatedPayment {
            reference: self.id,
            url: self.url,
        }
    }

    /// How it stands. Unknown means pending, never paid; and another payment's standing is none.
    pub(crate) fn standing(&self, asked: &PaymentReference) -> Result<Standing, Failure> {
        if self.id != asked.reference || self.reference != asked.key {
            return Err(senseless("another payment".to_owned()));
        }
        Ok(match (self.status.as_str(), &self.received) {
            ("paid", Some(received)) => Standing::Paid(received.money()?),
            ("paid", None) => return Err(senseless("a paid payment without money".to_owned())),
            ("failed", _) => Standing::Failed,
            ("declined", _) => Standing::Declined,
            ("canceled", _) => Standing::Canceled,
            ("expired", _) => Standing::Expired,
            _ => Standing::Pending,
        })
    }
}

fn senseless(what: String) -> Failure {
    Failure::Unavailable(Unavailable {
        message: format!("Acme answered with {what}"),
        retry_after_ms: None,
    })
}

/// Money to be sent back.
#[derive(Serialize)]
pub(crate) struct NewRefund<'a> {
    amount: u64,
    currency: &'a str,
    reason: &'a str,
}

impl<'a> NewRefund<'a> {
    pub(crate) fn of(refund: &'a wit::NewRefund) -> Result<Self, Failure> {
        Ok(Self {
            amount: units(&refund.amount)?,
            currency: &refund.amount.currency,
            reason: &refund.reason,
        })
    }
}

/// Refunds with one key: one, or none.
#[derive(Deserialize)]
pub(crate) struct Refunds {
    pub(crate) refunds: Vec<Refund>,
}

/// A refund as Acme has it.
#[derive(Deserialize)]
pub(crate) struct Refund {
    status: String,
}

impl Refund {
    pub(crate) fn standing(&self) -> RefundStanding {
        match self.status.as_str() {
            "done" => RefundStanding::Done,
            "failed" => RefundStanding::Failed,
            _ => RefundStanding::Pending,
        }
    }
}

/// A page of Acme's statement.
#[derive(Deserialize)]
pub(crate) struct Statement {
    lines: Vec<Line>,
    next: Option<String>,
}

#[derive(Deserialize)]
struct Line {
    payment: String,
    received: Sum,
    refunded: u64,
    fee: u64,
    at: u64,
}

impl Statement {
    pub(crate) fn page(self) -> Result<wit::StatementPage, Failure> {
        let lines = self.lines.into_iter().map(Line::stated);
        Ok(wit::StatementPage {
            lines: lines.collect::<Result<_, _>>()?,
            next: self.next,
        })
    }
}

impl Line {
    fn stated(self) -> Result<wit::StatementLine, Failure> {
        let received = self.received.money()?;
        let text = |units| decimal(units, &received.currency).unwrap_or_default();
        Ok(wit::StatementLine {
            refunded: text(self.refunded),
            fee: text(self.fee),
            at: self.at as f64,
            payment_reference: self.payment,
            received,
        })
    }
}
