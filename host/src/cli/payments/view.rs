//! A call as `coinop payments` shows it: plain values for terminals and for JSON, safe to print.

use coinop_core::call::{Call, CallState};
use coinop_core::money::{Amount, Money};
use serde::Serialize;

use crate::clock::rfc3339;
use crate::ledger::Record;
use crate::unruly::tame;

/// Longest name shown.
pub(super) const NAME_CHARS_MAX: usize = 64;
/// Longest sentence shown.
pub(super) const TEXT_CHARS_MAX: usize = 400;
/// Characters of a payment's id that are no secret.
const ID_PREFIX_CHARS: usize = 8;

/// A call, for people and programs.
#[derive(Debug, Serialize)]
pub(super) struct CallView {
    pub call: String,
    pub state: &'static str,
    pub tool: String,
    pub plugin: String,
    pub component: String,
    pub price: MoneyView,
    pub caller: String,
    pub mode: String,
    pub payment: PaymentView,
    /// Runs begun.
    pub runs: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failure: Option<String>,
    /// Why it is owed, or why a person must look.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    pub created_at: String,
    pub updated_at: String,
    pub expires_at: String,
}

/// Its payment.
#[derive(Debug, Serialize)]
pub(super) struct PaymentView {
    /// In full, where it is no right to redeem or was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    pub id_prefix: String,
    pub link: String,
    pub state: String,
    pub provider: String,
    pub account: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub received: Option<MoneyView>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refunded: Option<MoneyView>,
}

/// Money, as in payment requests: a decimal string and a code.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(super) struct MoneyView {
    pub amount: String,
    pub currency: String,
}

impl std::fmt::Display for MoneyView {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.amount, self.currency)
    }
}

impl From<Money> for MoneyView {
    fn from(money: Money) -> Self {
        Self {
            amount: money.decimal(),
            currency: money.currency.to_string(),
        }
    }
}

impl CallView {
    /// What may be shown of `record`; an anonymous caller's payment id in full only to `reveal` it.
    pub(super) fn of(record: &Record, reveal: bool) -> Self {
        let call = &record.call;
        let quote = &call.quote;
        let named = |theirs: &str| tame(theirs, NAME_CHARS_MAX);
        Self {
            call: call.id.to_string(),
            state: call.state.name(),
            tool: named(&quote.tool),
            plugin: named(&quote.plugin),
            component: format!("sha256:{}", quote.component),
            price: quote.price.into(),
            caller: named(&quote.principal.to_string()),
            mode: call.mode.clone(),
            payment: PaymentView::of(call, reveal),
            runs: call.epoch,
            failure: call.failure.as_ref().map(|failure| {
                let text = format!("{}: {}", failure.kind, failure.message);
                tame(&text, TEXT_CHARS_MAX)
            }),
            reason: reason(&call.state),
            created_at: rfc3339(call.created_at),
            updated_at: rfc3339(record.updated_at),
            expires_at: rfc3339(quote.expires_at),
        }
    }
}

impl PaymentView {
    fn of(call: &Call, reveal: bool) -> Self {
        let payment = &call.payment;
        let id = payment.id.as_str();
        let shown = reveal || call.quote.principal.is_known();
        let theirs = |text: &String| tame(text, TEXT_CHARS_MAX);
        Self {
            id: shown.then(|| id.to_owned()),
            id_prefix: id.chars().take(ID_PREFIX_CHARS).collect(),
            link: payment.link.to_string(),
            state: word(&payment.state),
            provider: payment.provider.clone(),
            account: call.quote.account.clone(),
            reference: payment.reference.as_ref().map(theirs),
            url: payment.url.as_ref().map(theirs),
            received: payment.received.map(Into::into),
            refunded: (payment.refunded != Amount::ZERO).then(|| {
                let currency = payment.received.unwrap_or(call.quote.price).currency;
                let amount = payment.refunded;
                Money { amount, currency }.into()
            }),
        }
    }
}

/// The word that a state has in the ledger.
pub(super) fn word(state: &impl Serialize) -> String {
    match serde_json::to_value(state) {
        Ok(serde_json::Value::String(word)) => word,
        _ => String::new(),
    }
}

fn reason(state: &CallState) -> Option<String> {
    match state {
        CallState::Attention { reason, .. } => Some(tame(reason, TEXT_CHARS_MAX)),
        CallState::CompensationDue { cause, .. }
        | CallState::Compensating { cause, .. }
        | CallState::Refunded { cause }
        | CallState::Credited { cause } => Some(word(cause)),
        _ => None,
    }
}
