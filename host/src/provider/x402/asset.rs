//! From a price to the asset's base units: by a stated currency and rate, exactly or not at all.

use coinop_core::money::{Amount, Currency, Money, MoneyError, SCALE};

use crate::provider::NotChargeable;

/// Most decimals of an asset.
pub const DECIMALS_MAX: u32 = 36;

/// What an asset stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// The currency of the prices that are paid with it.
    pub currency: Currency,
    /// How many of the asset one unit of the currency is.
    pub per_unit: Amount,
    /// The asset's decimals, [`DECIMALS_MAX`] at most.
    pub decimals: u32,
}

impl Rate {
    /// `price` in the asset's base units.
    ///
    /// # Errors
    /// [`NotChargeable`] for another currency, for nothing, and for what is not a whole number of base units: nobody's
    /// money is rounded.
    pub fn base_units(&self, price: &Money) -> Result<u128, NotChargeable> {
        if price.currency != self.currency {
            return Err(NotChargeable::Currency {
                provider: super::KIND,
                currency: price.currency,
            });
        }
        let positive = |amount: Amount| u128::try_from(amount.nanos()).ok().filter(|n| *n > 0);
        let product = positive(price.amount)
            .zip(positive(self.per_unit))
            .and_then(|(price, rate)| price.checked_mul(rate));
        let product = product.ok_or_else(|| self.too_small(price))?;
        // Price and rate both count billionths.
        let scale = 2 * SCALE;
        if self.decimals >= scale {
            return 10_u128
                .checked_pow(self.decimals - scale)
                .and_then(|factor| product.checked_mul(factor))
                .ok_or_else(|| MoneyError::TooLarge(price.to_string()).into());
        }
        let step = 10_u128.pow(scale - self.decimals);
        match product % step {
            0 => Ok(product / step),
            _ => Err(MoneyError::NotExact {
                money: price.to_string(),
                decimals: self.decimals,
            }
            .into()),
        }
    }

    fn too_small(&self, price: &Money) -> NotChargeable {
        NotChargeable::TooSmall {
            price: *price,
            provider: super::KIND,
            least: Money {
                amount: Amount::from_nanos(1),
                currency: self.currency,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn units(price: &str, rate: &str, decimals: u32) -> Option<u128> {
        let rate = Rate {
            currency: "USD".parse().unwrap(),
            per_unit: rate.parse().unwrap(),
            decimals,
        };
        rate.base_units(&Money::parse(price, "USD").unwrap()).ok()
    }

    #[test]
    fn prices_become_base_units_exactly_or_not_at_all() {
        assert_eq!(units("0.01", "1", 6), Some(10_000));
        assert_eq!(units("0.000001", "1", 6), Some(1));
        assert_eq!(units("0.0000001", "1", 6), None);
        assert_eq!(units("1", "0.92", 6), Some(920_000));
        assert_eq!(units("0.01", "0.92", 6), Some(9_200));
        assert_eq!(units("0.000001", "0.92", 6), None);
        assert_eq!(units("0.01", "1", 18), Some(10_u128.pow(16)));
        assert_eq!(units("0.01", "1", 0), None);
        assert_eq!(units("3", "1", 0), Some(3));
        assert_eq!(units("1", "1", 20), Some(10_u128.pow(20)));
        assert_eq!(units("9000000000", "9000000000", 36), None);
        assert_eq!(units("0", "1", 6), None);
        assert_eq!(units("1", "0", 6), None);
    }

    #[test]
    fn every_cent_is_ten_thousand_units_of_usdc() {
        for cents in 1..2_000_u128 {
            let price = format!("{}.{:02}", cents / 100, cents % 100);
            assert_eq!(units(&price, "1", 6), Some(cents * 10_000));
        }
    }

    #[test]
    fn another_currency_is_never_taken_for_it() {
        let rate = Rate {
            currency: "USD".parse().unwrap(),
            per_unit: "1".parse().unwrap(),
            decimals: 6,
        };
        let refused = rate.base_units(&Money::parse("0.01", "EUR").unwrap());
        assert!(matches!(refused, Err(NotChargeable::Currency { .. })));
    }
}
