//! Exact money: an integer count of 10⁻⁹ currency units, never a float.
//!
//! Conversion to what a provider counts in (cents, whole yen, 10⁻⁶ USDC) is exact or refused;
//! nothing in coinop rounds somebody's money.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Decimal places of an [`Amount`]: one unit of currency is 10⁹ nanos.
pub const SCALE: u32 = 9;
const NANOS_PER_UNIT: i64 = 1_000_000_000;

/// A currency code: ISO 4217 (`USD`) or a provider's own upper-case code (`USDC`).
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Currency {
    code: [u8; 8],
    len: u8,
}

impl Currency {
    /// The code as written on the wire.
    pub fn code(&self) -> &str {
        // Only ASCII letters and digits are ever stored.
        std::str::from_utf8(&self.code[..usize::from(self.len)]).unwrap_or_default()
    }

    /// Decimal places by ISO 4217, `None` for codes that are not in the standard or have no minor unit.
    pub fn iso_exponent(&self) -> Option<u32> {
        let known = iso_currency::Currency::from_code(self.code())?;
        known.exponent().map(u32::from)
    }
}

impl FromStr for Currency {
    type Err = MoneyError;

    fn from_str(text: &str) -> Result<Self, MoneyError> {
        let valid = (3..=8).contains(&text.len())
            && text
                .bytes()
                .all(|b| b.is_ascii_uppercase() || b.is_ascii_digit())
            && text.as_bytes()[0].is_ascii_uppercase();
        if !valid {
            return Err(MoneyError::Currency(text.to_owned()));
        }
        let mut code = [0; 8];
        code[..text.len()].copy_from_slice(text.as_bytes());
        Ok(Self {
            code,
            len: text.len() as u8,
        })
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl Serialize for Currency {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.code())
    }
}

impl<'de> Deserialize<'de> for Currency {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// A signed count of 10⁻⁹ currency units; at most about 9.2 billion units either way.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Amount(i64);

impl Amount {
    /// Nothing.
    pub const ZERO: Self = Self(0);

    /// An amount of `nanos` × 10⁻⁹ units.
    pub const fn from_nanos(nanos: i64) -> Self {
        Self(nanos)
    }

    /// The count of 10⁻⁹ units.
    pub const fn nanos(self) -> i64 {
        self.0
    }

    /// The sum, or `None` when it does not fit.
    pub fn checked_add(self, other: Self) -> Option<Self> {
        self.0.checked_add(other.0).map(Self)
    }

    /// The difference, or `None` when it does not fit.
    pub fn checked_sub(self, other: Self) -> Option<Self> {
        self.0.checked_sub(other.0).map(Self)
    }

    /// The amount with its sign turned, or `None` when it does not fit.
    pub fn checked_neg(self) -> Option<Self> {
        self.0.checked_neg().map(Self)
    }

    /// Whether this is nothing.
    #[allow(clippy::trivially_copy_pass_by_ref)] // serde's skip_serializing_if passes a reference
    pub fn is_zero(&self) -> bool {
        self.0 == 0
    }

    /// Whether this is more than nothing.
    pub fn is_positive(self) -> bool {
        self.0 > 0
    }
}

impl FromStr for Amount {
    type Err = MoneyError;

    /// Parses a plain decimal: digits, optionally a point and up to nine more digits.
    /// No sign, exponent, separator or blank: a price is not a place for guessing.
    fn from_str(text: &str) -> Result<Self, MoneyError> {
        let bad = || MoneyError::Amount(text.to_owned());
        let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
        let digits = |s: &str| !s.is_empty() && s.bytes().all(|b| b.is_ascii_digit());
        if !digits(whole) || !digits(fraction) {
            return Err(bad());
        }
        if fraction.len() > SCALE as usize {
            return Err(MoneyError::TooFine(text.to_owned()));
        }
        let units: i64 = whole
            .parse()
            .map_err(|_| MoneyError::TooLarge(text.to_owned()))?;
        let scale = 10_i64.pow(SCALE - fraction.len() as u32);
        let nanos = fraction.parse::<i64>().map_err(|_| bad())? * scale;
        units
            .checked_mul(NANOS_PER_UNIT)
            .and_then(|n| n.checked_add(nanos))
            .map(Self)
            .ok_or_else(|| MoneyError::TooLarge(text.to_owned()))
    }
}

/// An amount in a currency.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Money {
    /// How much.
    pub amount: Amount,
    /// Of what.
    pub currency: Currency,
}

impl Money {
    /// Parses an amount and a currency as they stand in a price (`"0.003"`, `"USD"`).
    pub fn parse(amount: &str, currency: &str) -> Result<Self, MoneyError> {
        Ok(Self {
            amount: amount.parse()?,
            currency: currency.parse()?,
        })
    }

    /// The amount in units of 10^-`exponent`, exactly.
    ///
    /// # Errors
    /// [`MoneyError::NotExact`] when the amount has more decimals than the provider counts.
    pub fn in_units_of(&self, exponent: u32) -> Result<i64, MoneyError> {
        let nanos = self.amount.nanos();
        let not_exact = || MoneyError::NotExact {
            money: self.to_string(),
            decimals: exponent,
        };
        if exponent > SCALE {
            let factor = 10_i64.checked_pow(exponent - SCALE);
            return factor
                .and_then(|f| nanos.checked_mul(f))
                .ok_or_else(|| MoneyError::TooLarge(self.to_string()));
        }
        let step = 10_i64.pow(SCALE - exponent);
        if nanos % step != 0 {
            return Err(not_exact());
        }
        Ok(nanos / step)
    }

    /// The amount without its currency: as many decimals as the currency has, more where the amount needs them.
    pub fn decimal(&self) -> String {
        let nanos = self.amount.nanos();
        let sign = if nanos < 0 { "-" } else { "" };
        let (units, rest) = (
            nanos.unsigned_abs() / NANOS_PER_UNIT as u64,
            nanos.unsigned_abs() % NANOS_PER_UNIT as u64,
        );
        let fraction = format!("{rest:09}");
        let least = self.currency.iso_exponent().unwrap_or(0) as usize;
        let kept = fraction.trim_end_matches('0').len().max(least);
        if kept == 0 {
            format!("{sign}{units}")
        } else {
            format!("{sign}{units}.{}", &fraction[..kept])
        }
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.decimal(), self.currency)
    }
}

/// Why a text is not money, or money not chargeable.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MoneyError {
    /// Not a currency code.
    #[error(
        "{0:?} is not a currency code: write 3 to 8 capital letters or digits, such as \"USD\""
    )]
    Currency(String),
    /// Not a plain decimal.
    #[error("{0:?} is not an amount: write digits with an optional point, such as \"0.50\"")]
    Amount(String),
    /// More than nine decimals.
    #[error("{0:?} is finer than coinop counts (9 decimals)")]
    TooFine(String),
    /// Does not fit.
    #[error("{0:?} is larger than coinop counts (about 9 billion units)")]
    TooLarge(String),
    /// Cannot be expressed in the provider's units without rounding.
    #[error("{money} cannot be charged exactly with {decimals} decimals")]
    NotExact {
        /// The money, as written for people.
        money: String,
        /// The decimals the provider counts.
        decimals: u32,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_parse_exactly_or_not_at_all() {
        let cases: &[(&str, Option<i64>)] = &[
            ("0", Some(0)),
            ("0.50", Some(500_000_000)),
            ("0.003", Some(3_000_000)),
            ("19.99", Some(19_990_000_000)),
            ("0.000000001", Some(1)),
            ("9223372036.854775807", Some(i64::MAX)),
            ("9223372036.854775808", None),
            ("0.0000000001", None),
            ("", None),
            (".5", None),
            ("5.", None),
            ("-1", None),
            ("+1", None),
            ("1e3", None),
            ("1,5", None),
            (" 1", None),
            ("١", None),
            ("NaN", None),
        ];
        for (text, expected) in cases {
            let parsed = text.parse::<Amount>().ok().map(Amount::nanos);
            assert_eq!(parsed, *expected, "{text:?}");
        }
    }

    #[test]
    fn decimals_follow_the_currency_and_the_amount() {
        let shown = |amount, currency| Money::parse(amount, currency).unwrap().to_string();
        assert_eq!(shown("0.5", "USD"), "0.50 USD");
        assert_eq!(shown("0.003", "USD"), "0.003 USD");
        assert_eq!(shown("100", "JPY"), "100 JPY");
        assert_eq!(shown("1.5", "KWD"), "1.500 KWD");
        assert_eq!(shown("0.000001", "USDC"), "0.000001 USDC");
        assert_eq!(shown("2", "USDC"), "2 USDC");
    }

    #[test]
    fn every_cent_amount_survives_the_round_trip() {
        for cents in 0..20_000_i64 {
            let text = format!("{}.{:02}", cents / 100, cents % 100);
            let money = Money::parse(&text, "USD").unwrap();
            assert_eq!(money.in_units_of(2), Ok(cents));
            assert_eq!(money.decimal(), text);
        }
    }

    #[test]
    fn a_provider_that_counts_coarser_is_told_so() {
        let price = Money::parse("0.003", "USD").unwrap();
        assert_eq!(price.in_units_of(3), Ok(3));
        assert!(matches!(
            price.in_units_of(2),
            Err(MoneyError::NotExact { decimals: 2, .. })
        ));
        assert_eq!(
            Money::parse("1", "BTC").unwrap().in_units_of(11),
            Ok(100_000_000_000)
        );
    }

    #[test]
    fn currency_codes_are_upper_case() {
        for bad in ["usd", "US", "USDOLLARS", "U$D", "1USD", ""] {
            assert!(bad.parse::<Currency>().is_err(), "{bad:?}");
        }
        assert_eq!("JPY".parse::<Currency>().unwrap().iso_exponent(), Some(0));
        assert_eq!("USDC".parse::<Currency>().unwrap().iso_exponent(), None);
    }
}
