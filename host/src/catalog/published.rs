//! The words of the listing: descriptions with the price in them, and whether two listings are the same.

use coinop_core::mode::{CONFIRM_PAYMENT, CONFIRM_PREFIX, Surface};
use coinop_core::price::Price;

use super::{Entry, Listing, Snapshot};

/// The name of the tool that redeems payments for `tool`.
pub fn confirm_name(tool: &str) -> String {
    format!("{CONFIRM_PREFIX}{tool}")
}

/// What is said of a paid tool's price and of how it is paid.
pub(super) struct Terms<'a> {
    pub(super) name: &'a str,
    pub(super) price: Price,
    pub(super) surface: Surface,
    pub(super) payment_id_argument: &'a str,
    /// Whether the money is pretended.
    pub(super) test: bool,
    /// Whether a call without a payment may be answered with a link.
    pub(super) links: bool,
}

impl Terms<'_> {
    /// The published description: the tool's own, then the price and the way to pay, in words.
    pub(super) fn describe(&self, own: &str) -> String {
        let Price::PerCall(price) = self.price else {
            return own.to_owned();
        };
        let test = if self.test {
            " TEST: no real money moves."
        } else {
            ""
        };
        if !self.links {
            let terms = format!("Costs {price} per call, paid by the caller with the call.{test}");
            return own_and(own, &terms);
        }
        let name = self.name;
        let then = match self.surface {
            Surface::ConfirmTool => format!(
                "call {} with the payment_id to get the result",
                confirm_name(name)
            ),
            Surface::TakesTurns => format!(
                "call {}, which then takes this tool's place, with the payment_id to get the result",
                confirm_name(name)
            ),
            Surface::ConfirmPayment | Surface::Credential => {
                format!("call {CONFIRM_PAYMENT} with the payment_id to get the result")
            }
            Surface::PaymentIdArgument => {
                format!(
                    "repeat the call with the same arguments and {} to get the result",
                    self.payment_id_argument
                )
            }
        };
        let terms = format!(
            "Costs {price} per call.{test} The first call returns a payment link and a payment_id; once it is paid, {then}."
        );
        own_and(own, &terms)
    }
}

/// A tool's own description and what the host adds to it.
fn own_and(own: &str, terms: &str) -> String {
    match own.trim_end() {
        "" => terms.to_owned(),
        own => format!("{own}\n\n{terms}"),
    }
}

/// Whose money `confirm_payment` moves on: a mark in its description, as paid tools have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SharedMoney {
    /// No tool's is pretended.
    Real,
    /// Some tools' is.
    Mixed,
    /// Every tool's is.
    Test,
}

impl Snapshot {
    /// What money the tools move whose payments `confirm_payment` redeems.
    pub fn shared_money(&self) -> SharedMoney {
        let shared = self.tools.values().filter_map(|entry| match entry {
            Entry::Tool(tool) if tool.price != Price::Free => Some(tool),
            _ => None,
        });
        let shared = shared.filter(|tool| tool.surface == Surface::ConfirmPayment);
        let (test, real): (Vec<_>, Vec<_>) = shared.partition(|tool| tool.test);
        match (test.is_empty(), real.is_empty()) {
            (true, _) => SharedMoney::Real,
            (false, true) => SharedMoney::Test,
            (false, false) => SharedMoney::Mixed,
        }
    }

    /// Whether a client would see the same list of tools.
    pub fn same_listing(&self, other: &Self) -> bool {
        self.tools.len() == other.tools.len()
            && self
                .tools
                .iter()
                .zip(&other.tools)
                .all(|((name, entry), (other_name, other))| {
                    name == other_name && same_entry(entry, other)
                })
    }
}

fn same_entry(a: &Entry, b: &Entry) -> bool {
    let same_kind = std::mem::discriminant(a) == std::mem::discriminant(b);
    let (Some(a), Some(b)) = (a.listing(), b.listing()) else {
        return same_kind;
    };
    let terms = |l: &Listing| (l.price, l.mode.name(), l.surface, l.account.clone(), l.test);
    same_kind
        && a.tool.title == b.tool.title
        && a.tool.annotations == b.tool.annotations
        && a.tool.meta == b.tool.meta
        && a.plugin == b.plugin
        && a.description == b.description
        && a.input_schema == b.input_schema
        && a.output_schema == b.output_schema
        && a.payment_id_argument == b.payment_id_argument
        && terms(a) == terms(b)
}

#[cfg(test)]
mod tests {
    use coinop_core::money::Money;

    use super::*;

    #[test]
    fn the_description_says_price_and_way_to_pay() {
        let price = Price::PerCall(Money::parse("0.003", "USD").unwrap());
        let terms = |surface, test| Terms {
            name: "get_forecast",
            price,
            surface,
            payment_id_argument: "payment_id",
            test,
            links: true,
        };
        assert_eq!(
            terms(Surface::ConfirmTool, true).describe("Forecasts.\n"),
            "Forecasts.\n\nCosts 0.003 USD per call. TEST: no real money moves. The first call returns a payment link and a \
             payment_id; once it is paid, call confirm_get_forecast with the payment_id to get the result."
        );
        assert_eq!(
            terms(Surface::PaymentIdArgument, false).describe(""),
            "Costs 0.003 USD per call. The first call returns a payment link and a payment_id; once it is paid, repeat the \
             call with the same arguments and payment_id to get the result."
        );
        let free = Terms {
            price: Price::Free,
            ..terms(Surface::ConfirmTool, true)
        };
        assert_eq!(free.describe("Forecasts."), "Forecasts.");
        let with_the_call = Terms {
            links: false,
            ..terms(Surface::ConfirmPayment, true)
        };
        assert_eq!(
            with_the_call.describe(""),
            "Costs 0.003 USD per call, paid by the caller with the call. TEST: no real money moves."
        );
    }
}
