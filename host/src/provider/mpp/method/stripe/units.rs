//! Prices in Stripe's smallest units, and the least it charges.
//!
//! Both are Stripe's own, not ISO 4217's: <https://docs.stripe.com/currencies>.

use coinop_core::money::{Amount, Currency, Money};

use crate::provider::NotChargeable;

/// Currencies that Stripe counts in whole units.
const WHOLE: &[&str] = &[
    "BIF", "CLP", "DJF", "GNF", "JPY", "KMF", "KRW", "MGA", "PYG", "RWF", "VND", "VUV", "XAF",
    "XOF", "XPF",
];
/// Currencies with rules of their own, which nobody has needed yet: thousandths in tens, and whole units written as
/// hundredths.
const PECULIAR: &[&str] = &[
    "BHD", "HUF", "ISK", "JOD", "KWD", "OMR", "TND", "TWD", "UGX",
];
/// The least that is charged, in smallest units, where Stripe states it.
const LEAST: &[(&str, i64)] = &[
    ("AED", 200),
    ("AUD", 50),
    ("BRL", 50),
    ("CAD", 50),
    ("CHF", 50),
    ("CZK", 1500),
    ("DKK", 250),
    ("EUR", 50),
    ("GBP", 30),
    ("HKD", 400),
    ("INR", 50),
    ("JPY", 50),
    ("MXN", 1000),
    ("MYR", 200),
    ("NOK", 300),
    ("NZD", 50),
    ("PLN", 200),
    ("RON", 200),
    ("SEK", 300),
    ("SGD", 50),
    ("THB", 1000),
    ("USD", 50),
];

/// A currency as Stripe counts it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Unit {
    pub(super) currency: Currency,
    exponent: u32,
}

impl Unit {
    /// # Errors
    /// Not a currency, or one that is not charged here.
    pub(super) fn of(code: &str) -> Result<Self, String> {
        let currency: Currency = code.parse().map_err(|error| format!("{error}"))?;
        if currency.iso_exponent().is_none() || PECULIAR.contains(&code) {
            return Err(format!("{code} cannot be charged through Stripe here"));
        }
        let exponent = if WHOLE.contains(&code) { 0 } else { 2 };
        Ok(Self { currency, exponent })
    }

    /// The code as Stripe writes it.
    pub(super) fn code(&self) -> String {
        self.currency.code().to_ascii_lowercase()
    }

    /// `price` in smallest units.
    ///
    /// # Errors
    /// Another currency, not exact, or less than Stripe charges.
    pub(super) fn count(&self, price: &Money) -> Result<i64, NotChargeable> {
        let provider = super::NAME;
        if price.currency != self.currency {
            let currency = price.currency;
            return Err(NotChargeable::Currency { provider, currency });
        }
        let count = price.in_units_of(self.exponent)?;
        let least = LEAST
            .iter()
            .find(|(code, _)| *code == self.currency.code())
            .map_or(1, |(_, least)| *least);
        if count < least {
            let (price, least) = (*price, self.money(least));
            return Err(NotChargeable::TooSmall {
                price,
                provider,
                least,
            });
        }
        Ok(count)
    }

    /// `amount` in smallest units, as of a refund.
    pub(super) fn count_of(&self, amount: Amount) -> Result<i64, NotChargeable> {
        let currency = self.currency;
        Ok(Money { amount, currency }.in_units_of(self.exponent)?)
    }

    /// What a count of smallest units is.
    pub(super) fn money(&self, count: i64) -> Money {
        let nanos = count.saturating_mul(10_i64.pow(9 - self.exponent));
        Money {
            amount: Amount::from_nanos(nanos),
            currency: self.currency,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(amount: &str, currency: &str) -> Option<i64> {
        let price = Money::parse(amount, currency).unwrap();
        Unit::of(currency).ok()?.count(&price).ok()
    }

    #[test]
    fn prices_are_counted_as_stripe_counts_them() {
        assert_eq!(count("0.50", "USD"), Some(50));
        assert_eq!(count("0.49", "USD"), None);
        assert_eq!(count("19.99", "EUR"), Some(1999));
        assert_eq!(count("0.505", "USD"), None);
        assert_eq!(count("100", "JPY"), Some(100));
        // Hundredths by ISO 4217, whole units to Stripe: a hundred times too much otherwise.
        assert_eq!(count("5000", "MGA"), Some(5000));
        assert_eq!(count("1.500", "KWD"), None);
        assert_eq!(count("100", "UGX"), None);
        assert_eq!(count("1", "USDC"), None);
    }

    #[test]
    fn a_count_is_money_again() {
        for (code, count) in [("USD", 1999), ("JPY", 100)] {
            let unit = Unit::of(code).unwrap();
            assert_eq!(unit.count(&unit.money(count)), Ok(count));
        }
    }
}
