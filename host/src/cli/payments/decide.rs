//! `coinop payments pay` and `decline`: the payer's decision from the terminal, as on the payment page.

use std::io::Write;

use super::{Desk, PaymentsError, find, view};
use crate::gate::{PageState, PageView};
use crate::provider::Decision;

pub(super) async fn decide(
    id: &str,
    decision: Decision,
    desk: &Desk<'_>,
    out: &mut (dyn Write + Send),
) -> Result<(), PaymentsError> {
    let record = find(id, desk.ledger).await?;
    let link = record.call.payment.link.clone();
    let before = page(desk.cashier.page(link.clone()).await?)?;
    if !before.pays_here {
        return Err(PaymentsError::NotHere {
            provider: before.provider,
            url: before.provider_url,
        });
    }
    let (wanted, word) = match decision {
        Decision::Pay => (PageState::Paid, paid_word(&before)),
        Decision::Decline => (PageState::Declined, "Declined"),
    };
    let (after, again) = match before.state {
        PageState::Open => (page(desk.cashier.decide(link, decision).await?)?, ""),
        _ => (before, " already"),
    };
    if after.state != wanted {
        return Err(PaymentsError::Decided {
            state: state_word(&after),
            call: record.call.id.to_string(),
        });
    }
    let tool = crate::unruly::tame(&after.tool, view::NAME_CHARS_MAX);
    Ok(writeln!(out, "{word}{again}: {} for {tool}.", after.due)?)
}

fn page(view: Option<PageView>) -> Result<PageView, PaymentsError> {
    view.ok_or(PaymentsError::Missing)
}

fn paid_word(view: &PageView) -> &'static str {
    if view.authorizes { "Reserved" } else { "Paid" }
}

fn state_word(view: &PageView) -> &'static str {
    match view.state {
        PageState::Open => "still open",
        PageState::Paid if view.authorizes => "reserved",
        PageState::Paid => "paid",
        PageState::Declined => "declined",
        PageState::Expired => "expired",
        PageState::Refunded | PageState::Returned => "returned",
        PageState::Credited => "credited",
        PageState::Attention => "waiting for a person",
    }
}
