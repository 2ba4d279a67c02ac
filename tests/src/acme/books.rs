//! Acme's books: payments and refunds, each once a key, in plain values.

use std::collections::BTreeMap;

use serde_json::{Value, json};

/// A payment.
#[derive(Clone, Debug)]
pub struct Payment {
    /// Acme's own id of it.
    pub id: String,
    /// The merchant's reference, which is the idempotency key.
    pub reference: String,
    /// Minor units.
    pub amount: u64,
    /// Its currency.
    pub currency: String,
    /// `open`, `paid`, `declined`, `canceled`, `expired`, or whatever a test says.
    pub status: String,
    /// What arrived, minor units.
    pub received: Option<u64>,
    /// When, milliseconds since the Unix epoch.
    pub paid_at: i64,
    /// Where its payer goes afterwards.
    pub return_url: Option<String>,
    /// Where it is to be told of.
    pub webhook_url: Option<String>,
}

/// A refund.
#[derive(Clone, Debug)]
pub struct Refund {
    /// Its idempotency key.
    pub key: String,
    /// The payment's id.
    pub payment: String,
    /// Minor units.
    pub amount: u64,
}

/// A status and a body.
pub type Answer = (u16, Value);

/// All that Acme knows.
#[derive(Debug, Default)]
pub struct Books {
    /// In the order they were made.
    pub payments: Vec<Payment>,
    /// Likewise.
    pub refunds: Vec<Refund>,
    /// What was answered under a key, to what.
    answers: BTreeMap<String, (Value, Answer)>,
}

impl Books {
    /// Answers a request with a key as it was answered before; another request under the same key is a conflict.
    pub fn once(
        &mut self,
        key: &str,
        request: &Value,
        act: impl FnOnce(&mut Self) -> Answer,
    ) -> Answer {
        if let Some((asked, answer)) = self.answers.get(key) {
            return match asked == request {
                true => answer.clone(),
                false => (409, json!({ "error": "key_reused" })),
            };
        }
        let answer = act(self);
        self.answers
            .insert(key.to_owned(), (request.clone(), answer.clone()));
        answer
    }

    /// Makes a payment.
    pub fn create(&mut self, base: &str, request: &Value) -> Answer {
        let payment = Payment {
            id: format!("p_{}", self.payments.len() + 1),
            reference: text(&request["reference"]),
            amount: request["amount"].as_u64().unwrap_or_default(),
            currency: text(&request["currency"]),
            status: "open".to_owned(),
            received: None,
            paid_at: 0,
            return_url: request["return_url"].as_str().map(str::to_owned),
            webhook_url: request["webhook_url"].as_str().map(str::to_owned),
        };
        let answer = shown(base, &payment);
        self.payments.push(payment);
        (201, answer)
    }

    /// The payment with this id.
    pub fn payment(&mut self, id: &str) -> Option<&mut Payment> {
        self.payments.iter_mut().find(|payment| payment.id == id)
    }

    /// Calls an open payment off.
    pub fn cancel(&mut self, base: &str, id: &str) -> Answer {
        let Some(payment) = self.payment(id) else {
            return (404, json!({ "error": "no_such_payment" }));
        };
        if payment.status == "open" {
            payment.status = "canceled".to_owned();
        }
        (200, shown(base, payment))
    }

    /// Sends money back.
    pub fn refund(&mut self, id: &str, key: &str, request: &Value) -> Answer {
        let amount = request["amount"].as_u64().unwrap_or_default();
        let left = self.left(id);
        if amount == 0 || amount > left {
            return (422, json!({ "error": "more_than_is_left", "left": left }));
        }
        self.refunds.push(Refund {
            key: key.to_owned(),
            payment: id.to_owned(),
            amount,
        });
        (201, json!({ "key": key, "status": "done" }))
    }

    /// What is left of a payment, minor units.
    fn left(&mut self, id: &str) -> u64 {
        let received = self.payment(id).and_then(|payment| payment.received);
        received.unwrap_or_default() - self.sent_back(id)
    }

    /// What went back of a payment, minor units.
    pub fn sent_back(&self, id: &str) -> u64 {
        let of_payment = self.refunds.iter().filter(|refund| refund.payment == id);
        of_payment.map(|refund| refund.amount).sum()
    }

    /// What arrived in a period; a page has two lines.
    pub fn statement(&self, since: i64, until: i64, after: usize) -> Answer {
        const PAGE: usize = 2;
        let paid = self.payments.iter().filter(|payment| {
            payment.received.is_some() && (since..until).contains(&payment.paid_at)
        });
        let lines: Vec<Value> = paid
            .map(|payment| {
                json!({
                    "payment": payment.id,
                    "received": { "amount": payment.received, "currency": payment.currency },
                    "refunded": self.sent_back(&payment.id),
                    "fee": 1,
                    "at": payment.paid_at,
                })
            })
            .collect();
        let page: Vec<&Value> = lines.iter().skip(after).take(PAGE).collect();
        let next = (lines.len() > after + PAGE).then(|| (after + PAGE).to_string());
        (200, json!({ "lines": page, "next": next }))
    }
}

/// A payment in Acme's JSON.
pub fn shown(base: &str, payment: &Payment) -> Value {
    let received = payment
        .received
        .map(|amount| json!({ "amount": amount, "currency": payment.currency }));
    json!({
        "id": payment.id,
        "url": format!("{base}/pay/{}", payment.id),
        "reference": payment.reference,
        "status": payment.status,
        "received": received,
    })
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
