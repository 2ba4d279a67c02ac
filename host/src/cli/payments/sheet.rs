//! One call as a sheet: everything on record, and what it means.

use std::fmt::Write as _;

use super::story::{Story, entry_line, refund_line};
use super::view::PaymentView;

/// The sheet, a line a fact.
pub(super) fn sheet(story: &Story) -> String {
    let view = &story.call;
    let payment = &view.payment;
    let mut facts = vec![
        ("Call", view.call.clone()),
        ("State", format!("{}: {}", view.state, meaning(view.state))),
        ("Since", view.updated_at.clone()),
        (
            "Tool",
            format!("{} of the plugin {}", view.tool, view.plugin),
        ),
        ("Component", view.component.clone()),
        ("Price", view.price.to_string()),
        ("Caller", view.caller.clone()),
        ("Mode", view.mode.clone()),
        ("Payment", id(payment)),
        ("", standing(payment)),
        ("", through(payment)),
        ("Created", view.created_at.clone()),
        ("Expires", view.expires_at.clone()),
        ("Runs", view.runs.to_string()),
    ];
    let optional = [
        ("Pay at", &story.pay_at),
        ("Failure", &view.failure),
        ("Reason", &view.reason),
        ("Note", &story.note),
    ];
    facts.extend(optional.map(|(name, text)| (name, text.clone().unwrap_or_default())));
    let of_money = |money: &Option<_>| money.as_ref().map(ToString::to_string);
    facts.push(("Balance", of_money(&story.from_balance).unwrap_or_default()));
    facts.push(("Fee", of_money(&story.fee).unwrap_or_default()));
    if let Some(receipt) = &story.receipt {
        let (number, chain) = (receipt.number, &receipt.chain);
        facts.push(("Receipt", format!("number {number} of the chain {chain}")));
    }
    facts.extend(listed("Refunds", story.refunds.iter().map(refund_line)));
    facts.extend(listed("Entries", story.entries.iter().map(entry_line)));

    let mut text = String::new();
    for (name, fact) in facts.iter().filter(|(_, fact)| !fact.is_empty()) {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{name:<11}{fact}");
    }
    text
}

/// Facts of one name: it stands before the first.
fn listed(
    name: &'static str,
    facts: impl Iterator<Item = String>,
) -> impl Iterator<Item = (&'static str, String)> {
    facts
        .enumerate()
        .map(move |(n, fact)| (if n == 0 { name } else { "" }, fact))
}

fn id(payment: &PaymentView) -> String {
    match &payment.id {
        Some(id) => id.clone(),
        None => format!(
            "{}… (anonymous: whoever has it may redeem it; --reveal shows it)",
            payment.id_prefix
        ),
    }
}

fn standing(payment: &PaymentView) -> String {
    let mut text = payment.state.clone();
    if let Some(received) = &payment.received {
        let _ = write!(text, ", {received} received or reserved");
    }
    if let Some(refunded) = &payment.refunded {
        let _ = write!(text, ", {refunded} refunded");
    }
    text
}

fn through(payment: &PaymentView) -> String {
    let reference = match &payment.reference {
        Some(reference) => format!(", reference {reference}"),
        None => String::new(),
    };
    format!(
        "through {} (account {}){reference}",
        payment.provider, payment.account
    )
}

/// What a state means to an operator.
pub(super) fn meaning(state: &str) -> &'static str {
    match state {
        "quoted" => "the provider has not made the payment yet",
        "awaiting" => "waiting for the payer",
        "ready" => "paid or reserved, waiting for the caller",
        "running" => "a host runs the tool",
        "executed" => "the outcome is stored, the money is not final",
        "settling" => "the outcome is stored, reserved money is being taken",
        "deliverable" => "done: delivered whenever the caller asks",
        "tool_failed" => "the run failed, compensation follows",
        "indeterminate" => "the run was lost, compensation follows",
        "late_paid" => "paid after its end, compensation follows",
        "compensation_due" => "the payer is owed",
        "compensating" => "the money is on its way back",
        "refunded" => "the money went back",
        "credited" => "the money became the caller's balance",
        "withheld" => "nothing was taken, nothing delivered",
        "declined" => "the payer said no, or the payment was called off",
        "expired" => "nobody paid in time",
        "attention" => "everything automatic was tried: a person must look",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_state_means_something() {
        for state in super::super::STATES {
            assert_ne!(meaning(state), "", "{state}");
        }
    }
}
