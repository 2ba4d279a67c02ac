//! Acme's JSON, and what it means in the host's words.

use serde::{Deserialize, Serialize};

use crate::bindings::coinop::provider::provider_types as wit;
use crate::bindings::coinop::provider::provider_types::{
    CreatedPayment, Failure, Money, PaymentReference, RefundStanding, Standing,
};
use crate::http::Effect;
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
    payments: Vec<Payment>,
}

impl Payments {
    /// The one with this key. `None` is a promise that there is none, which a list of others does not give.
    pub(crate) fn with(self, key: &str) -> Result<Option<Payment>, Failure> {
        let is_empty = self.payments.is_empty();
        let found = self.payments.into_iter().find(|it| it.reference == key);
        match found.is_some() || is_empty {
            true => Ok(found),
            false => Err(senseless(Effect::Looks, "other payments")),
        }
    }
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
    fn money(&self, effect: Effect) -> Result<Money, Failure> {
        let currency = self.currency.clone();
        match decimal(self.amount, &currency) {
            Some(amount) => Ok(Money { amount, currency }),
            None => Err(senseless(effect, &format!("money in {currency}"))),
        }
    }
}

impl Payment {
    /// As it was made or found under `key`; what was made under another one is no answer.
    pub(crate) fn created(self, key: &str, effect: Effect) -> Result<CreatedPayment, Failure> {
        if self.reference != key {
            return Err(senseless(effect, "another payment"));
        }
        Ok(CreatedPayment {
            reference: self.id,
            url: self.url,
        })
    }

    /// How it stands after a request with this `effect`. Unknown means pending, never paid; and another payment's standing
    /// is none.
    pub(crate) fn standing(
        &self,
        asked: &PaymentReference,
        effect: Effect,
    ) -> Result<Standing, Failure> {
        if self.id != asked.reference || self.reference != asked.key {
            return Err(senseless(effect, "another payment"));
        }
        Ok(match (self.status.as_str(), &self.received) {
            ("paid", Some(received)) => Standing::Paid(received.money(effect)?),
            ("paid", None) => return Err(senseless(effect, "a paid payment without money")),
            ("failed", _) => Standing::Failed,
            ("declined", _) => Standing::Declined,
            ("canceled", _) => Standing::Canceled,
            ("expired", _) => Standing::Expired,
            _ => Standing::Pending,
        })
    }
}

/// Whatever was asked for may have been done.
fn senseless(effect: Effect, what: &str) -> Failure {
    effect.lost(format!("Acme answered with {what}"))
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
    refunds: Vec<Refund>,
}

impl Refunds {
    /// What became of the one with this key. `None` is a promise that there is none, as with [`Payments`]: money is sent
    /// again for it.
    pub(crate) fn with(&self, key: &str) -> Result<Option<RefundStanding>, Failure> {
        let found = self.refunds.iter().find(|it| it.key == key);
        match found {
            Some(refund) => Ok(Some(refund.stands())),
            None if self.refunds.is_empty() => Ok(None),
            None => Err(senseless(Effect::Looks, "other refunds")),
        }
    }
}

/// A refund as Acme has it.
#[derive(Deserialize)]
pub(crate) struct Refund {
    key: String,
    status: String,
}

impl Refund {
    /// How it stands once it was asked for under `key`; another one's standing is none.
    pub(crate) fn standing(&self, key: &str) -> Result<RefundStanding, Failure> {
        match self.key == key {
            true => Ok(self.stands()),
            false => Err(senseless(Effect::MovesMoney, "another refund")),
        }
    }

    fn stands(&self) -> RefundStanding {
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
        let received = self.received.money(Effect::Looks)?;
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

#[cfg(test)]
mod tests {
    use super::*;

    fn payment(id: &str, reference: &str, status: &str) -> Payment {
        let (id, reference) = (id.to_owned(), reference.to_owned());
        Payment {
            url: format!("https://pay.acme.example/{id}"),
            id,
            reference,
            status: status.to_owned(),
            received: None,
        }
    }

    fn refund(key: &str, status: &str) -> Refund {
        let (key, status) = (key.to_owned(), status.to_owned());
        Refund { key, status }
    }

    #[test]
    fn another_payment_is_no_answer_and_no_proof_that_there_is_none() {
        let list = |payments| Payments { payments };
        let both = list(vec![
            payment("p_1", "k1", "open"),
            payment("p_2", "k2", "open"),
        ]);
        assert_eq!(both.with("k2").unwrap().unwrap().id, "p_2");
        assert!(list(Vec::new()).with("k2").unwrap().is_none());
        let other = list(vec![payment("p_1", "k1", "open")]).with("k2");
        assert!(matches!(other, Err(Failure::Unavailable(_))));
        let made = payment("p_1", "k1", "open").created("k2", Effect::MovesMoney);
        assert!(matches!(made, Err(Failure::UnknownOutcome(_))));
    }

    #[test]
    fn another_refund_is_no_answer_and_no_proof_that_there_is_none() {
        let list = |refunds| Refunds { refunds };
        let both = list(vec![refund("k1", "done"), refund("k2", "failed")]);
        assert!(matches!(both.with("k2"), Ok(Some(RefundStanding::Failed))));
        assert!(matches!(list(Vec::new()).with("k2"), Ok(None)));
        let other = list(vec![refund("k1", "done")]);
        assert!(matches!(other.with("k2"), Err(Failure::Unavailable(_))));
        let made = refund("k1", "done").standing("k2");
        assert!(matches!(made, Err(Failure::UnknownOutcome(_))));
    }

    #[test]
    fn what_makes_no_sense_after_a_request_that_moves_money_is_unknown() {
        let asked = PaymentReference {
            key: "k1".to_owned(),
            reference: "p_1".to_owned(),
            price: Money {
                amount: "1".to_owned(),
                currency: "USD".to_owned(),
            },
        };
        for senseless in [payment("p_2", "k2", "open"), payment("p_1", "k1", "paid")] {
            let told = |effect| senseless.standing(&asked, effect);
            let looked = told(Effect::Looks);
            assert!(matches!(looked, Err(Failure::Unavailable(_))));
            let canceled = told(Effect::MovesMoney);
            assert!(matches!(canceled, Err(Failure::UnknownOutcome(_))));
        }
    }
}
