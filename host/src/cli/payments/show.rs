//! `coinop payments show`: everything on record about one call.

use std::io::Write;

use coinop_core::ids::CallId;

use super::story::Story;
use super::{Desk, PaymentsError, ShowArgs, find, print_json, sheet};
use crate::gate::PageState;
use crate::ledger::{Audited, Ledger, LedgerError, Record};

/// Prints the call that `args` name.
pub(super) async fn show(
    args: &ShowArgs,
    desk: &Desk<'_>,
    out: &mut (dyn Write + Send),
) -> Result<(), PaymentsError> {
    let record = find(&args.id, desk.ledger).await?;
    let pay_at = pay_at(&record, desk).await?;
    let audited = audited(desk.ledger, &record.call.id).await?;
    let audited = audited.ok_or(PaymentsError::Missing)?;
    let story = Story::of(&audited, args.reveal, pay_at);
    match args.json {
        true => print_json(&story, out),
        false => Ok(out.write_all(sheet::sheet(&story).as_bytes())?),
    }
}

/// Where the payment can be made, while it can.
async fn pay_at(record: &Record, desk: &Desk<'_>) -> Result<Option<String>, LedgerError> {
    let link = &record.call.payment.link;
    let page = desk.cashier.page(link.clone()).await?;
    let open = page.filter(|page| page.state == PageState::Open);
    Ok(open.map(|page| match page.provider_url {
        Some(url) => url,
        None => format!("{}/pay/{link}", desk.pay_base),
    }))
}

/// All that is recorded of one call: the audit goes by id, so it begins right before this one.
async fn audited(ledger: &dyn Ledger, call: &CallId) -> Result<Option<Audited>, LedgerError> {
    let page = ledger.audit(Some(call.before()), 1).await?;
    Ok(page.into_iter().find(|a| a.record.call.id == *call))
}
