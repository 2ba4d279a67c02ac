//! What a caller is told of a cap: which, how high, and when it frees. A model reads it and must know whether to wait,
//! to have something paid, or to stop.

use coinop_core::Millis;
use coinop_core::money::Money;

use crate::clock::rfc3339;
use crate::ledger::LimitReached;

/// A cap that kept a call from being opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Capped {
    /// Which, and what counts against it.
    pub limit: LimitReached,
    /// What the call would have cost.
    pub price: Money,
    /// Whose it is.
    pub scope: CapScope,
}

/// Whose cap it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CapScope {
    /// The caller's own.
    Caller,
    /// That of all callers without a key together.
    Anonymous,
}

impl Capped {
    /// The cap by its name in the configuration.
    pub fn name(&self) -> &'static str {
        match self.limit {
            LimitReached::Open { .. } => "open_payments",
            LimitReached::Links { .. } => "links_per_minute",
            LimitReached::PerCall { .. } => "per_call",
            LimitReached::PerDay { .. } => "per_day",
        }
    }

    /// When the same call may be tried again, `None` where waiting changes nothing.
    pub fn frees_at(&self) -> Option<Millis> {
        match self.limit {
            LimitReached::PerCall { .. } => None,
            LimitReached::PerDay { max, .. } if self.price.amount > max.amount => None,
            LimitReached::Open { frees_at, .. }
            | LimitReached::Links { frees_at, .. }
            | LimitReached::PerDay { frees_at, .. } => Some(frees_at),
        }
    }

    fn reached(&self) -> String {
        let price = self.price;
        let whose = match self.scope {
            CapScope::Caller => "this caller",
            CapScope::Anonymous => "callers without an API key together",
        };
        match self.limit {
            LimitReached::Open { max, .. } => {
                format!("{max} payments of {whose} wait to be paid, and no more may be open")
            }
            LimitReached::Links { max, .. } => {
                format!(
                    "{max} payments of {whose} were asked for within a minute, and no more may be"
                )
            }
            LimitReached::PerCall { max } => {
                format!("this call costs {price}, and one call may cost {max} at most")
            }
            LimitReached::PerDay { max, spent, .. } => format!(
                "this call costs {price}, and {} of {max} a day (UTC) are spent or waiting to be paid",
                spent.decimal()
            ),
        }
    }

    fn way_out(&self) -> String {
        let Some(frees_at) = self.frees_at().map(rfc3339) else {
            return "Waiting does not change that: only the operator can raise the limit."
                .to_owned();
        };
        match self.limit {
            LimitReached::Open { .. } => format!(
                "Have an open payment paid or declined, or try again after {frees_at}, when the first of them expires."
            ),
            LimitReached::PerDay { .. } => format!(
                "Try again after {frees_at}, or once a payment that waits has been declined or has expired."
            ),
            _ => format!("Try again after {frees_at}."),
        }
    }
}

impl std::fmt::Display for Capped {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "Limit reached ({}): {}. Nothing was charged, and no payment link was made. {}",
            self.name(),
            self.reached(),
            self.way_out()
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn usd(amount: &str) -> Money {
        Money::parse(amount, "USD").unwrap()
    }

    fn text(limit: LimitReached, scope: CapScope) -> String {
        let price = usd("2");
        Capped {
            limit,
            price,
            scope,
        }
        .to_string()
    }

    #[test]
    fn every_limit_says_which_it_is_how_high_and_when_it_frees() {
        let frees_at = 1_795_170_725_000;
        let (mine, all) = (CapScope::Caller, CapScope::Anonymous);
        let tail = "Nothing was charged, and no payment link was made.";
        let cases = [
            (
                text(LimitReached::Open { max: 20, frees_at }, mine),
                format!(
                    "Limit reached (open_payments): 20 payments of this caller wait to be paid, and no more may be open. \
                     {tail} Have an open payment paid or declined, or try again after 2026-11-20T10:32:05Z, when the \
                     first of them expires."
                ),
            ),
            (
                text(LimitReached::Links { max: 300, frees_at }, all),
                format!(
                    "Limit reached (links_per_minute): 300 payments of callers without an API key together were asked \
                     for within a minute, and no more may be. {tail} Try again after 2026-11-20T10:32:05Z."
                ),
            ),
            (
                text(LimitReached::PerCall { max: usd("1") }, mine),
                format!(
                    "Limit reached (per_call): this call costs 2.00 USD, and one call may cost 1.00 USD at most. {tail} \
                     Waiting does not change that: only the operator can raise the limit."
                ),
            ),
            (
                text(
                    LimitReached::PerDay {
                        max: usd("10"),
                        spent: usd("9.5"),
                        frees_at,
                    },
                    mine,
                ),
                format!(
                    "Limit reached (per_day): this call costs 2.00 USD, and 9.50 of 10.00 USD a day (UTC) are spent or \
                     waiting to be paid. {tail} Try again after 2026-11-20T10:32:05Z, or once a payment that waits has \
                     been declined or has expired."
                ),
            ),
        ];
        for (told, expected) in cases {
            assert_eq!(told, expected);
        }
    }

    #[test]
    fn a_call_that_no_day_has_room_for_is_not_told_to_wait() {
        let limit = LimitReached::PerDay {
            max: usd("1"),
            spent: usd("0"),
            frees_at: 5,
        };
        assert!(text(limit, CapScope::Caller).ends_with("only the operator can raise the limit."));
    }
}
