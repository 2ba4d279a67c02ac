//! Acme counts in minor units; the host in decimal texts. Exact both ways, or refused: no floating point, no rounding.

use crate::bindings::coinop::provider::provider_types::Money;

/// The currencies it charges in, with the decimals it counts in: of HUF it takes no fillér, whatever ISO 4217 says.
pub(crate) const CURRENCIES: &[(&str, u32)] = &[("EUR", 2), ("HUF", 0), ("JPY", 0), ("USD", 2)];

/// The amount in minor units; `None` where it has more decimals, or the currency is not one of Acme's.
pub(crate) fn minor(money: &Money) -> Option<u64> {
    let decimals = decimals(&money.currency)?;
    let (whole, fraction) = money.amount.split_once('.').unwrap_or((&money.amount, ""));
    let fraction = fraction.trim_end_matches('0');
    if fraction.len() > decimals {
        return None;
    }
    let digits = format!("{whole}{fraction:0<decimals$}");
    let plain = !whole.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
    plain.then(|| digits.parse().ok()).flatten()
}

/// So many minor units as a decimal text.
pub(crate) fn decimal(minor: u64, currency: &str) -> Option<String> {
    let decimals = decimals(currency)?;
    if decimals == 0 {
        return Some(minor.to_string());
    }
    let digits = format!("{minor:0>width$}", width = decimals + 1);
    let (whole, fraction) = digits.split_at(digits.len() - decimals);
    Some(format!("{whole}.{fraction}"))
}

fn decimals(currency: &str) -> Option<usize> {
    let known = CURRENCIES.iter().find(|(code, _)| *code == currency);
    known.map(|(_, decimals)| *decimals as usize)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn money(amount: &str, currency: &str) -> Money {
        let (amount, currency) = (amount.to_owned(), currency.to_owned());
        Money { amount, currency }
    }

    #[test]
    fn minor_units_are_exact_or_none() {
        for (amount, currency, units) in [
            ("0.50", "USD", Some(50)),
            ("19.99", "USD", Some(1999)),
            ("19.990", "EUR", Some(1999)),
            ("7", "USD", Some(700)),
            ("100", "JPY", Some(100)),
            ("100.00", "HUF", Some(100)),
            ("0.505", "USD", None),
            ("1.5", "JPY", None),
            ("1", "GBP", None),
            (".5", "USD", None),
            ("-1", "USD", None),
            ("", "USD", None),
        ] {
            assert_eq!(
                minor(&money(amount, currency)),
                units,
                "{amount} {currency}"
            );
        }
    }

    #[test]
    fn decimal_texts_come_back() {
        for units in [0, 1, 9, 10, 99, 100, 1999, 1_000_000] {
            let text = decimal(units, "USD").unwrap();
            assert_eq!(minor(&money(&text, "USD")), Some(units), "{text}");
        }
        assert_eq!(decimal(5, "USD").as_deref(), Some("0.05"));
        assert_eq!(decimal(500, "JPY").as_deref(), Some("500"));
        assert_eq!(decimal(1, "GBP"), None);
    }
}
