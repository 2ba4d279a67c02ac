//! One call as a row: which columns, and which of them its receipt signs.

use coinop_core::call::Call;
use coinop_core::money::{Amount, Money};
use coinop_core::receipt::object;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::cli::payments::view::word;
use crate::clock::rfc3339;
use crate::ledger::Audited;
use crate::unruly::tame;

/// Longest text of a cell; what others chose has no end.
const TEXT_CHARS_MAX: usize = 400;

/// The columns, in order: the fields of [`Row`].
pub(super) const COLUMNS: [&str; 25] = [
    "call",
    "created_at",
    "updated_at",
    "state",
    "tool",
    "plugin",
    "component",
    "principal",
    "mode",
    "price",
    "currency",
    "from_balance",
    "payment",
    "payment_state",
    "provider",
    "account",
    "reference",
    "received",
    "received_currency",
    "refunded",
    "fee",
    "delivered_at",
    "receipt_chain",
    "receipt_number",
    RECEIPT,
];
/// The column of the compact receipt.
pub(in crate::cli) const RECEIPT: &str = "receipt_jws";
/// Columns that a receipt signs, and its field for each.
const SIGNED: [(&str, &str); 14] = [
    ("call", "call"),
    ("created_at", "quoted_at"),
    ("tool", "tool"),
    ("plugin", "plugin"),
    ("component", "component"),
    ("price", "amount"),
    ("currency", "currency"),
    ("from_balance", "from_balance"),
    ("provider", "provider"),
    ("account", "account"),
    ("reference", "reference"),
    ("delivered_at", "issued_at"),
    ("receipt_chain", "chain"),
    ("receipt_number", "number"),
];

/// A call for the books. Amounts are decimals, times RFC 3339 (UTC).
#[derive(Debug, Serialize)]
pub(super) struct Row {
    call: String,
    created_at: String,
    updated_at: String,
    state: &'static str,
    tool: String,
    plugin: String,
    component: String,
    principal: String,
    mode: String,
    price: String,
    currency: String,
    from_balance: Option<String>,
    /// A known principal's only: an anonymous caller's is the right to redeem.
    payment: Option<String>,
    payment_state: String,
    provider: String,
    account: String,
    reference: Option<String>,
    received: Option<String>,
    received_currency: Option<String>,
    /// What went back, and what the provider kept, in the currency received.
    refunded: Option<String>,
    fee: Option<String>,
    delivered_at: Option<String>,
    receipt_chain: Option<String>,
    receipt_number: Option<u64>,
    receipt_jws: Option<String>,
}

impl Row {
    /// The row of a call; `text` makes a cell of what others chose.
    pub(super) fn of(audited: &Audited, text: impl Fn(&str) -> String) -> Self {
        let call = &audited.record.call;
        let (quote, payment) = (&call.quote, &call.payment);
        let receipt = audited.receipt.as_deref().map(object).unwrap_or_default();
        let of_receipt = |field: &str| receipt.get(field).map(|value| signed(field, value));
        Self {
            call: call.id.to_string(),
            created_at: rfc3339(call.created_at),
            updated_at: rfc3339(audited.record.updated_at),
            state: call.state.name(),
            tool: text(&quote.tool),
            plugin: text(&quote.plugin),
            component: quote.component.to_string(),
            principal: text(&quote.principal.to_string()),
            mode: text(&call.mode),
            price: quote.price.decimal(),
            currency: quote.price.currency.to_string(),
            from_balance: decimal(call.credit, quote.price),
            payment: quote
                .principal
                .is_known()
                .then(|| payment.id.as_str().to_owned()),
            payment_state: word(&payment.state),
            provider: text(&payment.provider),
            account: text(&quote.account),
            reference: payment.reference.as_deref().map(&text),
            received: payment.received.map(|money| money.decimal()),
            received_currency: payment.received.map(|money| money.currency.to_string()),
            refunded: decimal(payment.refunded, received(call)),
            fee: decimal(payment.fee, received(call)),
            delivered_at: of_receipt("issued_at"),
            receipt_chain: of_receipt("chain").as_deref().map(&text),
            receipt_number: receipt.get("number").and_then(Value::as_u64),
            receipt_jws: audited.receipt.clone(),
        }
    }
}

fn received(call: &Call) -> Money {
    call.payment.received.unwrap_or(call.quote.price)
}

/// `amount` in the currency of `money`; nothing when there is none.
fn decimal(amount: Amount, money: Money) -> Option<String> {
    (!amount.is_zero()).then(|| Money { amount, ..money }.decimal())
}

/// Text that somebody else chose, as a cell.
pub(super) fn shown(text: &str) -> String {
    tame(text, TEXT_CHARS_MAX)
}

/// The same for a spreadsheet, which would compute what begins like a formula: an apostrophe says that it is text.
pub(super) fn guarded(text: &str) -> String {
    let is_formula = text.starts_with(['=', '+', '-', '@', '＝', '＋', '－', '＠']);
    if is_formula {
        format!("'{text}")
    } else {
        text.to_owned()
    }
}

/// Whether a line is the heading of an export, perhaps with columns taken out or moved.
pub(in crate::cli) fn is_heading(line: &str) -> bool {
    let mut names = line.split(',').map(|name| name.trim().trim_matches('"'));
    names.any(|name| name == RECEIPT)
}

/// The columns of an exported row that do not read as the receipt's payload says: name, what they read, what was signed.
pub(in crate::cli) fn contradictions(
    row: &Map<String, Value>,
    payload: &Map<String, Value>,
) -> impl Iterator<Item = (&'static str, String, String)> {
    SIGNED.into_iter().filter_map(|(column, field)| {
        let given = cell(row.get(column)?);
        let signed = payload.get(field).map(|value| signed(field, value));
        let signed = signed.unwrap_or_default();
        let forms = [shown(&signed), guarded(&shown(&signed))];
        (!forms.contains(&given)).then_some((column, given, signed))
    })
}

fn signed(field: &str, value: &Value) -> String {
    match value.as_i64() {
        Some(at) if field.ends_with("_at") => rfc3339(at),
        _ => cell(value),
    }
}

fn cell(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}
