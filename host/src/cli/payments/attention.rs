//! `coinop payments attention`: the operator's queue, each with what happened, since when, how much, and what settles it.

use std::fmt::Write as _;
use std::io::Write;

use clap::Args;
use coinop_core::Millis;
use coinop_core::call::{Call, CallState};
use coinop_core::money::Money;
use serde::Serialize;

use super::view::{MoneyView, NAME_CHARS_MAX, TEXT_CHARS_MAX, word};
use super::{Desk, LIST_MAX, PaymentsError, print_json};
use crate::clock::rfc3339;
use crate::gate::Remedial;
use crate::ledger::{Filter, Record};
use crate::unruly::tame;

/// How to print the queue.
#[derive(Clone, Debug, Args)]
pub struct AttentionArgs {
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// One call of the queue.
#[derive(Debug, Serialize)]
struct Item {
    call: String,
    state: &'static str,
    /// Whether hosts still try by themselves.
    tried_on: bool,
    what: String,
    since: String,
    /// What lies with the provider or came from the balance.
    owed: Vec<MoneyView>,
    caller: String,
    tool: String,
    commands: Vec<String>,
}

/// Prints the queue, what has waited longest first.
pub(super) async fn attention(
    args: &AttentionArgs,
    desk: &Desk<'_>,
    out: &mut (dyn Write + Send),
) -> Result<(), PaymentsError> {
    let mut waiting = Vec::new();
    for (state, due) in [
        ("attention", false),
        ("compensation_due", false),
        ("compensating", false),
        ("deliverable", true),
    ] {
        let filter = Filter {
            state: Some(state.to_owned()),
            due,
            ..Filter::default()
        };
        waiting.extend(desk.ledger.list(filter, LIST_MAX).await?);
    }
    let mut items: Vec<(Millis, Item)> = waiting
        .iter()
        .filter_map(|record| item(record, desk))
        .collect();
    items.sort_by_key(|(since, _)| *since);
    let items: Vec<Item> = items.into_iter().map(|(_, item)| item).collect();
    match args.json {
        true => print_json(&items, out),
        false => Ok(out.write_all(told(&items).as_bytes())?),
    }
}

fn item(record: &Record, desk: &Desk<'_>) -> Option<(Millis, Item)> {
    let call = &record.call;
    let (since, what) = trouble(record)?;
    let command = |remedial: Remedial| match remedial {
        Remedial::Close => format!("coinop payments close {} --note TEXT", call.id),
        other => format!("coinop payments {} {}", other.as_str(), call.id),
    };
    let item = Item {
        call: call.id.to_string(),
        state: call.state.name(),
        tried_on: !matches!(call.state, CallState::Attention { .. }),
        what,
        since: rfc3339(since),
        owed: owed(call),
        caller: tame(&call.quote.principal.to_string(), NAME_CHARS_MAX),
        tool: tame(&call.quote.tool, NAME_CHARS_MAX),
        commands: desk
            .operator
            .remedials(call)
            .into_iter()
            .map(command)
            .collect(),
    };
    Some((since, item))
}

/// Since when a call needs a person, and why; `None` for what goes its way.
fn trouble(record: &Record) -> Option<(Millis, String)> {
    let call = &record.call;
    match &call.state {
        CallState::Attention { reason, from } => {
            let stood = from.as_ref().map_or("", |from| from.name());
            let was = if stood.is_empty() { "" } else { "; it was " };
            let reason = tame(reason, TEXT_CHARS_MAX);
            Some((record.updated_at, format!("{reason}{was}{stood}")))
        }
        CallState::CompensationDue {
            cause,
            attempts,
            tried_at: Some(tried_at),
            ..
        } if *attempts > 0 => {
            let cause = word(cause);
            let times = if *attempts == 1 { "once" } else { "times" };
            let count = if *attempts == 1 {
                String::new()
            } else {
                format!("{attempts} ")
            };
            let what = format!("owed ({cause}), and a refund failed {count}{times}");
            Some((*tried_at, what))
        }
        CallState::Compensating {
            cause, tried_at, ..
        } => {
            let what = format!("owed ({}), and not finished by the provider", word(cause));
            Some((*tried_at, what))
        }
        CallState::Deliverable => {
            let order = call.refund.as_ref()?;
            let like = call.payment.received.unwrap_or(call.quote.price);
            let amount = Money {
                amount: order.amount,
                ..like
            };
            Some((
                order.at,
                format!("a refund of {amount} was ordered and is not made"),
            ))
        }
        _ => None,
    }
}

fn owed(call: &Call) -> Vec<MoneyView> {
    let received = call.payment.received.unwrap_or(call.quote.price);
    let amounts = match &call.refund {
        Some(order) => vec![Money {
            amount: order.amount,
            ..received
        }],
        None => vec![
            Money {
                amount: call.held(),
                ..received
            },
            Money {
                amount: call.credit,
                ..call.quote.price
            },
        ],
    };
    let some = amounts.into_iter().filter(|money| !money.amount.is_zero());
    some.map(MoneyView::from).collect()
}

fn told(items: &[Item]) -> String {
    if items.is_empty() {
        return "Nothing needs a person.\n".to_owned();
    }
    let mut text = String::new();
    for item in items {
        let owed: Vec<String> = item.owed.iter().map(ToString::to_string).collect();
        let owed = match owed.is_empty() {
            true => "nothing taken".to_owned(),
            false => owed.join(" and "),
        };
        let goes_on = if item.tried_on {
            " (hosts go on trying)"
        } else {
            ""
        };
        // Writing to a String cannot fail.
        let _ = writeln!(
            text,
            "{}  {owed}  {} for {}",
            item.call, item.tool, item.caller
        );
        let _ = writeln!(text, "    since {}: {}{goes_on}", item.since, item.what);
        for command in &item.commands {
            let _ = writeln!(text, "    {command}");
        }
    }
    text
}
