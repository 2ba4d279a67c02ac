//! One receipt as a sheet: what it proves, a line a fact.

use std::fmt::Write as _;

use coinop_core::receipt::Receipt;

use crate::clock::rfc3339;
use crate::unruly::tame;

/// Longest name shown.
const TEXT_CHARS_MAX: usize = 400;

/// The sheet of a verified receipt and its compact form.
pub(super) fn sheet(receipt: &Receipt, text: &str) -> String {
    let shown = |text: &str| tame(text, TEXT_CHARS_MAX);
    let balance = match &receipt.from_balance {
        Some(part) => format!(", {part} of it from the balance"),
        None => String::new(),
    };
    let reference = match &receipt.reference {
        Some(reference) => format!(", reference {}", shown(reference)),
        None => String::new(),
    };
    let (tool, plugin) = (shown(&receipt.tool), shown(&receipt.plugin));
    let (provider, account) = (shown(&receipt.provider), shown(&receipt.account));
    let previous = receipt.previous.map(|digest| format!("sha256:{digest}"));
    let facts = [
        ("Call", receipt.call.to_string()),
        (
            "Receipt",
            format!("number {} of the chain {}", receipt.number, receipt.chain),
        ),
        ("Ledger", receipt.ledger.clone()),
        (
            "Follows",
            previous.unwrap_or_else(|| "nothing: it is the first".to_owned()),
        ),
        ("Tool", format!("{tool} of the plugin {plugin}")),
        ("Component", format!("sha256:{}", receipt.component)),
        ("Arguments", format!("sha256:{}", receipt.arguments)),
        ("Result", format!("sha256:{}", receipt.result)),
        (
            "Price",
            format!("{} {}{balance}", receipt.amount, receipt.currency),
        ),
        (
            "Paid",
            format!("through {provider} (account {account}){reference}"),
        ),
        ("Quoted", rfc3339(receipt.quoted_at)),
        ("Issued", rfc3339(receipt.issued_at)),
        ("Signed", text.to_owned()),
    ];
    let mut sheet = String::new();
    for (name, fact) in facts {
        // Writing to a String cannot fail.
        let _ = writeln!(sheet, "{name:<11}{fact}");
    }
    sheet
}
