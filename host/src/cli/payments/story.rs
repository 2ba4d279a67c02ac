//! The whole story of one call: what is shown of every call, and what moved, went back and was proven.

use coinop_core::Millis;
use coinop_core::call::{Call, RefundEnd, RefundOrder};
use coinop_core::money::{Amount, Money};
use coinop_core::receipt::object;
use serde::Serialize;

use super::view::{CallView, MoneyView, TEXT_CHARS_MAX};
use crate::clock::rfc3339;
use crate::ledger::{Audited, Posted};
use crate::unruly::tame;

/// Everything about a call, for people and programs.
#[derive(Debug, Serialize)]
pub(super) struct Story {
    #[serde(flatten)]
    pub call: CallView,
    /// Where it can be paid, while it can.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pay_at: Option<String>,
    /// What of the price came from the caller's balance.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from_balance: Option<MoneyView>,
    /// What the provider charged.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fee: Option<MoneyView>,
    /// Refunds that a person ordered, the one that is not finished last.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub refunds: Vec<RefundView>,
    /// What a person wrote who closed it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub receipt: Option<ReceiptView>,
    pub entries: Vec<EntryView>,
}

/// An ordered refund.
#[derive(Debug, Serialize)]
pub(super) struct RefundView {
    #[serde(flatten)]
    pub money: MoneyView,
    pub ordered_at: String,
    pub reason: String,
    /// `made`, `refused`, or `ordered` while it is not finished.
    pub state: &'static str,
}

/// Which receipt proves it.
#[derive(Debug, Serialize)]
pub(super) struct ReceiptView {
    pub chain: String,
    pub number: u64,
}

/// What moved.
#[derive(Debug, Serialize)]
pub(super) struct EntryView {
    pub at: String,
    pub book: &'static str,
    #[serde(flatten)]
    pub money: MoneyView,
    /// Entries of one change sum to zero.
    pub change: i64,
}

impl Story {
    /// What may be shown of `audited`; an anonymous caller's payment id in full only to `reveal` it.
    pub(super) fn of(audited: &Audited, reveal: bool, pay_at: Option<String>) -> Self {
        let call = &audited.record.call;
        let received = call.payment.received.unwrap_or(call.quote.price);
        Self {
            call: CallView::of(&audited.record, reveal),
            pay_at,
            from_balance: some(call.credit, call.quote.price),
            fee: some(call.payment.fee, received),
            refunds: refunds(call, received),
            note: call.note.as_ref().map(|note| tame(note, TEXT_CHARS_MAX)),
            receipt: audited.receipt.as_deref().and_then(receipt),
            entries: audited.entries.iter().map(entry).collect(),
        }
    }
}

fn some(amount: Amount, like: Money) -> Option<MoneyView> {
    (!amount.is_zero()).then(|| Money { amount, ..like }.into())
}

fn refunds(call: &Call, received: Money) -> Vec<RefundView> {
    let view = |order: &RefundOrder, state| {
        let (amount, at): (_, Millis) = (order.amount, order.at);
        RefundView {
            money: Money { amount, ..received }.into(),
            ordered_at: rfc3339(at),
            reason: tame(&order.reason, TEXT_CHARS_MAX),
            state,
        }
    };
    let past = call.past_refunds.iter().map(|past| match past.end {
        RefundEnd::Made => view(&past.order, "made"),
        RefundEnd::Refused => view(&past.order, "refused"),
    });
    let now = call.refund.iter().map(|order| view(order, "ordered"));
    past.chain(now).collect()
}

fn receipt(text: &str) -> Option<ReceiptView> {
    let receipt = object(text);
    Some(ReceiptView {
        chain: tame(receipt.get("chain")?.as_str()?, TEXT_CHARS_MAX),
        number: receipt.get("number")?.as_u64()?,
    })
}

fn entry(posted: &Posted) -> EntryView {
    EntryView {
        at: rfc3339(posted.at),
        book: posted.book.as_str(),
        money: posted.amount.into(),
        change: posted.change,
    }
}

/// One refund in a line.
pub(super) fn refund_line(refund: &RefundView) -> String {
    format!(
        "{} {} at {}: {}",
        refund.money, refund.state, refund.ordered_at, refund.reason
    )
}

/// One entry in a line.
pub(super) fn entry_line(entry: &EntryView) -> String {
    format!(
        "{}  {:<11}  {:>12}",
        entry.at,
        entry.book,
        entry.money.to_string()
    )
}
