//! `coinop payments close`: a stuck call was settled outside of coinop.

use std::io::Write;

use clap::Args;

use super::{Desk, PaymentsError, find, sheet};

/// Which call, and what was done.
#[derive(Clone, Debug, Args)]
pub struct CloseArgs {
    /// A call's id, a payment's id or a payment link
    #[arg(value_name = "ID")]
    pub id: String,
    /// What was done outside of coinop; kept with the call
    #[arg(long, value_name = "TEXT")]
    pub note: String,
}

/// Records that nothing is owed for a call any more, because a person says so.
pub(super) async fn close(
    args: &CloseArgs,
    desk: &Desk<'_>,
    out: &mut (dyn Write + Send),
) -> Result<(), PaymentsError> {
    let call = find(&args.id, desk.ledger).await?.call.id;
    let done = desk.operator.close(call, args.note.clone()).await?;
    let state = done.call.state.name();
    Ok(writeln!(
        out,
        "Closed: {state}, {}.",
        sheet::meaning(state)
    )?)
}
