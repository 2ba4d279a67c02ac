//! `coinop payments retry`: a stuck call is taken up again, or its provider asked now.

use std::io::Write;

use coinop_core::call::CallState;

use super::refund::{still_due, told};
use super::{Desk, PaymentsError, find, sheet};

/// Takes a call up again, and says where it stands then.
pub(super) async fn retry(
    id: &str,
    desk: &Desk<'_>,
    out: &mut (dyn Write + Send),
) -> Result<(), PaymentsError> {
    let call = find(id, desk.ledger).await?.call.id;
    let done = desk.operator.retry(call).await?;
    let state = &done.call.state;
    let refunds = done.call.refund.is_some() || matches!(state, CallState::Refunded { .. });
    if refunds {
        return Ok(writeln!(out, "{}", told(&done)?)?);
    }
    if done.trouble.is_some() || matches!(state, CallState::Attention { .. }) {
        return Err(still_due(&done));
    }
    let state = state.name();
    Ok(writeln!(
        out,
        "Now {state}: {}. `coinop payments show {}` says more.",
        sheet::meaning(state),
        done.call.id
    )?)
}
