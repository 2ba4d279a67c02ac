//! What both sides add up to in each currency. Pure.

use std::collections::BTreeMap;

use coinop_core::call::Call;
use coinop_core::money::{Amount, Currency, Money};

use super::compare::taken;
use crate::provider::StatementLine;

/// Decimal places of an amount's count.
const NANOS_PER_UNIT: i128 = 1_000_000_000;

/// Sums of one side, 10^-9 units: a million payments may add up to more than one amount can be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sums {
    /// How many payments.
    pub payments: u64,
    /// What arrived.
    pub received: i128,
    /// What went back.
    pub refunded: i128,
    /// What the provider charged.
    pub fee: i128,
}

/// Both sides, by currency.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Totals(BTreeMap<Currency, (Sums, Sums)>);

impl Totals {
    /// Adds a call, where money was taken for it.
    pub fn add_call(&mut self, call: &Call) {
        if let Some(received) = taken(call) {
            let sums = &mut self.0.entry(received.currency).or_default().0;
            sums.add(received.amount, call.payment.refunded, call.payment.fee);
        }
    }

    /// Adds a line of the statement.
    pub fn add_line(&mut self, line: &StatementLine) {
        let sums = &mut self.0.entry(line.received.currency).or_default().1;
        sums.add(line.received.amount, line.refunded, line.fee);
    }

    /// Each currency with the ledger's sums and the provider's.
    pub fn iter(&self) -> impl Iterator<Item = (Currency, Sums, Sums)> + '_ {
        let each = self.0.iter();
        each.map(|(currency, (ledger, provider))| (*currency, *ledger, *provider))
    }
}

impl Sums {
    fn add(&mut self, received: Amount, refunded: Amount, fee: Amount) {
        self.payments += 1;
        self.received += i128::from(received.nanos());
        self.refunded += i128::from(refunded.nanos());
        self.fee += i128::from(fee.nanos());
    }
}

/// A sum as a decimal: like money where it fits, with all of its places where it does not.
pub fn decimal(nanos: i128, currency: Currency) -> String {
    match i64::try_from(nanos) {
        Ok(nanos) => Money {
            amount: Amount::from_nanos(nanos),
            currency,
        }
        .decimal(),
        Err(_) => format!(
            "{}.{:09}",
            nanos / NANOS_PER_UNIT,
            (nanos % NANOS_PER_UNIT).unsigned_abs()
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_may_be_larger_than_any_amount() {
        let usd = "USD".parse().unwrap();
        assert_eq!(decimal(1_500_000_000, usd), "1.50");
        let huge = i128::from(i64::MAX) * 2;
        assert_eq!(decimal(huge, usd), "18446744073.709551614");
    }

    #[test]
    fn each_currency_is_added_apart() {
        let mut totals = Totals::default();
        for (amount, currency) in [("1", "USD"), ("2", "EUR"), ("3", "USD")] {
            totals.add_line(&StatementLine {
                reference: "r".into(),
                received: Money::parse(amount, currency).unwrap(),
                refunded: Amount::from_nanos(1),
                fee: Amount::from_nanos(2),
                at: 0,
            });
        }
        let sums: Vec<_> = totals.iter().map(|(_, _, provider)| provider).collect();
        assert_eq!((sums[0].payments, sums[0].received), (1, 2_000_000_000));
        assert_eq!((sums[1].payments, sums[1].received), (2, 4_000_000_000));
        assert_eq!((sums[1].refunded, sums[1].fee), (2, 4));
    }
}
