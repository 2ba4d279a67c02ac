//! `coinop payments refund`: sends money back.

use std::io::Write;

use clap::Args;
use coinop_core::call::CallState;
use coinop_core::money::{Amount, Currency, Money};

use super::{Desk, PaymentsError, find, view};
use crate::gate::{Operated, RefundRequest};
use crate::unruly::tame;

/// What to send back.
#[derive(Clone, Debug, Args)]
pub struct RefundArgs {
    /// A call's id, a payment's id or a payment link
    #[arg(value_name = "ID")]
    pub id: String,
    /// How much, such as 0.50 or "0.50 USD" [default: all that is left]
    #[arg(long, value_name = "AMOUNT", value_parser = asked)]
    pub amount: Option<Asked>,
    /// Why, one line; the provider may show it to the payer
    #[arg(long, value_name = "TEXT", default_value = "refunded by the operator")]
    pub reason: String,
}

/// An amount, and the currency it was written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Asked {
    amount: Amount,
    currency: Option<Currency>,
}

fn asked(text: &str) -> Result<Asked, String> {
    let (amount, currency) = match text.trim().split_once(' ') {
        Some((amount, currency)) => (amount, Some(currency.trim())),
        None => (text.trim(), None),
    };
    let currency = currency.map(str::parse).transpose();
    Ok(Asked {
        amount: amount.parse().map_err(|e| format!("{e}"))?,
        currency: currency.map_err(|e: coinop_core::money::MoneyError| e.to_string())?,
    })
}

/// Refunds what `args` say.
pub(super) async fn refund(
    args: &RefundArgs,
    desk: &Desk<'_>,
    out: &mut (dyn Write + Send),
) -> Result<(), PaymentsError> {
    let call = find(&args.id, desk.ledger).await?.call.id;
    let request = RefundRequest {
        amount: args.amount.map(|asked| asked.amount),
        currency: args.amount.and_then(|asked| asked.currency),
        reason: args.reason.clone(),
    };
    let done = desk.operator.refund(call, request).await?;
    Ok(writeln!(out, "{}", told(&done)?)?)
}

/// What came of it, in a line.
pub(super) fn told(done: &Operated) -> Result<String, PaymentsError> {
    let call = &done.call;
    let tool = tame(&call.quote.tool, view::NAME_CHARS_MAX);
    let paid = |amount| Money {
        amount,
        ..call.payment.received.unwrap_or(call.quote.price)
    };
    match (&call.state, &call.refund, done.refund) {
        (CallState::Deliverable, Some(order), _) => {
            let amount = paid(order.amount);
            let why = match &done.trouble {
                Some(trouble) => format!("could not be made yet ({})", tame(trouble, 400)),
                None => "is not finished by the provider yet".to_owned(),
            };
            Ok(format!(
                "Ordered: {amount} for {tool}. It {why}; hosts go on with it, and `coinop payments retry {}` asks now.",
                call.id
            ))
        }
        (CallState::Deliverable, None, Some(amount)) => Ok(format!(
            "Refunded: {amount} for {tool}; {} can still go back.",
            paid(call.held())
        )),
        (CallState::Refunded { .. }, ..) => Ok(format!(
            "Refunded: {} for {tool}.",
            paid(call.payment.refunded)
        )),
        _ => Err(still_due(done)),
    }
}

/// It was recorded, and has not come to its end.
pub(super) fn still_due(done: &Operated) -> PaymentsError {
    PaymentsError::StillDue {
        state: done.call.state.name(),
        trouble: done.trouble.clone(),
        call: done.call.id.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_amount_is_written_with_or_without_its_currency() {
        let amount = "0.50".parse().unwrap();
        let currency = Some("USD".parse().unwrap());
        let none = Asked {
            amount,
            currency: None,
        };
        assert_eq!(asked("0.50"), Ok(none));
        assert_eq!(asked("0.50 USD"), Ok(Asked { amount, currency }));
        for wrong in ["", "-1", "1,5", "half", "1 dollars", "USD 1"] {
            assert!(asked(wrong).is_err(), "{wrong:?}");
        }
    }
}
