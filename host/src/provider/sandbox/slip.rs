//! A slip: what a pretended payment has come to. Pure; the purse keeps slips, and their transitions are here.

use std::fmt;
use std::str::FromStr;

use coinop_core::money::{Amount, Money};

use super::purse::PurseError;
use crate::provider::Standing;

/// What a pretended payment has come to. A payment without a slip is undecided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slip {
    /// What was decided, and what became of it.
    pub state: SlipState,
    /// The price it was decided for.
    pub price: Money,
    /// What went back since, in the price's currency.
    pub refunded: Amount,
}

/// The states of a slip: the first decision, and the end of a reservation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SlipState {
    /// The payer paid.
    Paid,
    /// The payer reserved the price.
    Reserved,
    /// The reserved price was taken.
    Taken,
    /// The reserved price was given back untaken.
    Released,
    /// The payer said no.
    Declined,
    /// The host called it off.
    Canceled,
}

/// How a reservation ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HoldEnd {
    /// The money is taken.
    Take,
    /// The money is given back.
    Release,
}

impl Slip {
    /// A slip as first decided.
    pub fn new(state: SlipState, price: Money) -> Self {
        Self {
            state,
            price,
            refunded: Amount::ZERO,
        }
    }

    /// The slip once its reservation has ended. Whatever is not reserved stays as it is: the first end stands.
    #[must_use]
    pub fn ended(self, end: HoldEnd) -> Self {
        let state = match (self.state, end) {
            (SlipState::Reserved, HoldEnd::Take) => SlipState::Taken,
            (SlipState::Reserved, HoldEnd::Release) => SlipState::Released,
            (stands, _) => stands,
        };
        Self { state, ..self }
    }

    /// The slip once `amount` more has gone back.
    ///
    /// # Errors
    /// [`PurseError::NothingTaken`] where no money was taken, [`PurseError::MoreThanTaken`] where less is left.
    pub fn refunded(self, amount: Amount) -> Result<Self, PurseError> {
        if !self.state.is_taken() {
            return Err(PurseError::NothingTaken);
        }
        let refunded = self.refunded.checked_add(amount);
        match refunded.filter(|total| amount.is_positive() && *total <= self.price.amount) {
            Some(refunded) => Ok(Self { refunded, ..self }),
            None => Err(PurseError::MoreThanTaken {
                asked: amount,
                price: self.price,
                refunded: self.refunded,
            }),
        }
    }

    /// The slip in the words of every provider. A refund does not change how the payment stood.
    pub fn standing(&self) -> Standing {
        match self.state {
            SlipState::Paid | SlipState::Taken => Standing::Paid(self.price),
            SlipState::Reserved => Standing::Authorized(self.price),
            SlipState::Released => Standing::Released,
            SlipState::Declined => Standing::Declined,
            SlipState::Canceled => Standing::Canceled,
        }
    }
}

impl SlipState {
    const ALL: [Self; 6] = [
        Self::Paid,
        Self::Reserved,
        Self::Taken,
        Self::Released,
        Self::Declined,
        Self::Canceled,
    ];

    /// Whether money was taken; refunds do not change that.
    pub fn is_taken(self) -> bool {
        matches!(self, Self::Paid | Self::Taken)
    }

    /// The word in the store.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Paid => "paid",
            Self::Reserved => "reserved",
            Self::Taken => "taken",
            Self::Released => "released",
            Self::Declined => "declined",
            Self::Canceled => "canceled",
        }
    }
}

impl fmt::Display for SlipState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Not a word for the state of a slip.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not the state of a sandbox payment")]
pub struct UnknownSlipState(String);

impl FromStr for SlipState {
    type Err = UnknownSlipState;

    fn from_str(text: &str) -> Result<Self, UnknownSlipState> {
        Self::ALL
            .into_iter()
            .find(|state| state.as_str() == text)
            .ok_or_else(|| UnknownSlipState(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_state_reads_back_from_its_word() {
        for state in SlipState::ALL {
            assert_eq!(state.as_str().parse(), Ok(state));
        }
        assert!("refunded".parse::<SlipState>().is_err());
    }

    #[test]
    fn only_a_reservation_can_end() {
        let price = Money::parse("1", "USD").unwrap();
        for state in SlipState::ALL {
            for end in [HoldEnd::Take, HoldEnd::Release] {
                let expected = match (state, end) {
                    (SlipState::Reserved, HoldEnd::Take) => SlipState::Taken,
                    (SlipState::Reserved, HoldEnd::Release) => SlipState::Released,
                    _ => state,
                };
                assert_eq!(Slip::new(state, price).ended(end).state, expected);
            }
        }
    }

    #[test]
    fn no_more_goes_back_than_was_taken() {
        let price = Money::parse("1", "USD").unwrap();
        let amount = |text: &str| text.parse::<Amount>().unwrap();
        let part = Slip::new(SlipState::Taken, price)
            .refunded(amount("0.4"))
            .unwrap();
        assert!(part.refunded(amount("0.600000001")).is_err());
        assert!(part.refunded(Amount::ZERO).is_err());
        assert!(part.refunded(Amount::from_nanos(i64::MAX)).is_err());
        let all = part.refunded(amount("0.6")).unwrap();
        assert_eq!(all.refunded, price.amount);
        assert!(all.refunded(amount("0.000000001")).is_err());
        for state in [
            SlipState::Reserved,
            SlipState::Released,
            SlipState::Declined,
        ] {
            let refused = Slip::new(state, price).refunded(amount("0.1"));
            assert_eq!(refused, Err(PurseError::NothingTaken), "{state}");
        }
    }
}
