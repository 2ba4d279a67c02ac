//! `coinop payments credit`: what is owed becomes the caller's balance.

use std::io::Write;

use coinop_core::call::{CallState, Remedy};
use coinop_core::money::Amount;

use super::refund::{still_due, told};
use super::{Desk, PaymentsError, find, view};
use crate::unruly::tame;

/// Credits the caller of a call.
pub(super) async fn credit(
    id: &str,
    desk: &Desk<'_>,
    out: &mut (dyn Write + Send),
) -> Result<(), PaymentsError> {
    let call = find(id, desk.ledger).await?.call.id;
    let done = desk.operator.credit(call).await?;
    let call = &done.call;
    match (&call.state, done.refund) {
        (CallState::Credited { .. }, _) => {
            let caller = tame(&call.quote.principal.to_string(), view::NAME_CHARS_MAX);
            let price = call.payment.received.unwrap_or(call.quote.price);
            let from_balance = call.credit != Amount::ZERO;
            let with = if from_balance {
                ", with what came from it"
            } else {
                ""
            };
            Ok(writeln!(
                out,
                "Credited: {price} is on the balance of {caller} with the account {}{with}.",
                call.quote.account
            )?)
        }
        (CallState::Refunded { .. }, Some(_)) => Ok(writeln!(
            out,
            "Not credited: an earlier refund went through after all, and is now recorded. {}",
            told(&done)?
        )?),
        (
            CallState::CompensationDue {
                ordered: Some(Remedy::Credit),
                ..
            },
            _,
        ) if done.trouble.is_none() => Ok(writeln!(
            out,
            "Ordered: it becomes balance within a quarter of an hour, unless a refund that was tried before turns out to \
             have gone through."
        )?),
        _ => Err(still_due(&done)),
    }
}
