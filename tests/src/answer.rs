//! An answer to a tool call, and what it says of a payment.

use serde_json::Value;

/// A whole JSON-RPC response.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer(pub Value);

/// The payment that an answer asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PaymentAsked {
    /// The payment's id.
    pub id: String,
    /// Where to pay.
    pub url: String,
    /// `payment_required`, `pending` or `running`.
    pub status: String,
}

impl Answer {
    /// The text blocks, one a line.
    pub fn text(&self) -> String {
        let blocks = self.0["result"]["content"].as_array();
        let texts = blocks
            .into_iter()
            .flatten()
            .filter_map(|block| block["text"].as_str());
        texts.collect::<Vec<_>>().join("\n")
    }

    /// Whether it is a result that says it is an error.
    pub fn is_error(&self) -> bool {
        self.0["result"]["isError"] == true
    }

    /// Whether the call was refused: an error result or a protocol error, and no request for payment.
    pub fn is_refused(&self) -> bool {
        (self.is_error() || self.0["error"].is_object()) && self.asked().is_none()
    }

    /// The protocol error's code.
    pub fn error_code(&self) -> Option<i64> {
        self.0["error"]["code"].as_i64()
    }

    /// The payment object, when there is one.
    pub fn asked(&self) -> Option<PaymentAsked> {
        let result = &self.0["result"];
        let in_meta = &result["_meta"]["coinop/payment"];
        let object = if in_meta.is_object() {
            in_meta
        } else {
            &result["structuredContent"]
        };
        let text = |key: &str| object[key].as_str().map(str::to_owned);
        Some(PaymentAsked {
            id: text("payment_id")?,
            url: text("payment_url")?,
            status: text("status")?,
        })
    }

    /// The payment object; panics with the answer when there is none.
    pub fn payment(&self) -> PaymentAsked {
        self.asked()
            .unwrap_or_else(|| panic!("no payment is asked for: {}", self.0))
    }

    /// The result without what differs between two answers of the same outcome: nothing but the id.
    pub fn result(&self) -> &Value {
        &self.0["result"]
    }
}
