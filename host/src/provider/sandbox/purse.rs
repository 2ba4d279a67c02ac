//! The purse: where the sandbox's pretended money is kept. The trait, and one that lasts as long as the process.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use coinop_core::money::{Amount, Money};
use futures::future::BoxFuture;

use super::slip::{HoldEnd, Slip};
use crate::provider::ProviderError;

/// A durable store of slips. Each method is one transaction, durable when it returns; several hosts may share it.
pub trait Purse: Send + Sync {
    /// The slip of a payment, `None` while nothing is decided.
    fn slip<'a>(&'a self, reference: &'a str) -> BoxFuture<'a, Result<Option<Slip>, PurseError>>;

    /// Records a decision where there is none, and returns the slip that stands: the first decision's.
    fn decide<'a>(
        &'a self,
        reference: &'a str,
        decision: Slip,
    ) -> BoxFuture<'a, Result<Slip, PurseError>>;

    /// Ends a reservation by [`Slip::ended`], and returns the slip that stands.
    fn end_hold<'a>(
        &'a self,
        reference: &'a str,
        end: HoldEnd,
    ) -> BoxFuture<'a, Result<Slip, PurseError>>;

    /// Sends money back by [`Slip::refunded`], once a key, and returns the slip that stands. The same key again
    /// changes nothing; with another payment or amount it is refused.
    fn refund(&self, refund: SlipRefund) -> BoxFuture<'_, Result<Slip, PurseError>>;
}

/// Pretended money to be sent back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SlipRefund {
    /// The idempotency key.
    pub key: String,
    /// The payment.
    pub reference: String,
    /// How much, in the currency of its price.
    pub amount: Amount,
}

/// Why the purse did not do what it was asked. Nothing of it happened.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PurseError {
    /// The store refused or could not be reached.
    #[error("the sandbox's store is not available: {0}")]
    Unavailable(String),
    /// No money was taken.
    #[error("nothing was taken for this payment")]
    NothingTaken,
    /// Less is left than is to go back.
    #[error("cannot refund {} of {price}: {} went back already", shown(.asked, .price), shown(.refunded, .price))]
    MoreThanTaken {
        /// What was to go back.
        asked: Amount,
        /// What was taken.
        price: Money,
        /// What went back before.
        refunded: Amount,
    },
    /// The key belongs to another refund.
    #[error("this refund's key was used for another refund")]
    KeyReused,
}

fn shown(amount: &Amount, like: &Money) -> Money {
    Money {
        amount: *amount,
        ..*like
    }
}

impl From<PurseError> for ProviderError {
    fn from(error: PurseError) -> Self {
        match error {
            PurseError::Unavailable(_) => Self::Unreachable(error.to_string()),
            refused => Self::Refused(refused.to_string()),
        }
    }
}

/// A purse in memory, for tests and for hosts that keep nothing.
#[derive(Debug, Default)]
pub struct MemoryPurse {
    books: Mutex<Books>,
}

#[derive(Debug, Default)]
struct Books {
    slips: BTreeMap<String, Slip>,
    refunds: BTreeMap<String, SlipRefund>,
}

impl MemoryPurse {
    fn books(&self) -> MutexGuard<'_, Books> {
        // Each change of the books is one insertion per map, made last: a panic leaves nothing half written.
        self.books.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Books {
    fn end_hold(&mut self, reference: &str, end: HoldEnd) -> Result<Slip, PurseError> {
        let slip = self
            .slips
            .get_mut(reference)
            .ok_or(PurseError::NothingTaken)?;
        *slip = slip.ended(end);
        Ok(*slip)
    }

    fn refund(&mut self, refund: SlipRefund) -> Result<Slip, PurseError> {
        let slip = self
            .slips
            .get_mut(&refund.reference)
            .ok_or(PurseError::NothingTaken)?;
        match self.refunds.get(&refund.key) {
            Some(earlier) if *earlier == refund => return Ok(*slip),
            Some(_) => return Err(PurseError::KeyReused),
            None => {}
        }
        *slip = slip.refunded(refund.amount)?;
        let stands = *slip;
        self.refunds.insert(refund.key.clone(), refund);
        Ok(stands)
    }
}

impl Purse for MemoryPurse {
    fn slip<'a>(&'a self, reference: &'a str) -> BoxFuture<'a, Result<Option<Slip>, PurseError>> {
        Box::pin(async move { Ok(self.books().slips.get(reference).copied()) })
    }

    fn decide<'a>(
        &'a self,
        reference: &'a str,
        decision: Slip,
    ) -> BoxFuture<'a, Result<Slip, PurseError>> {
        Box::pin(async move {
            let mut books = self.books();
            Ok(*books.slips.entry(reference.to_owned()).or_insert(decision))
        })
    }

    fn end_hold<'a>(
        &'a self,
        reference: &'a str,
        end: HoldEnd,
    ) -> BoxFuture<'a, Result<Slip, PurseError>> {
        Box::pin(async move { self.books().end_hold(reference, end) })
    }

    fn refund(&self, refund: SlipRefund) -> BoxFuture<'_, Result<Slip, PurseError>> {
        Box::pin(async move { self.books().refund(refund) })
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::provider::sandbox::slip::SlipState;

    /// What every purse must do; each implementation runs it on an empty store.
    pub(crate) async fn keeps_the_contract(purse: &dyn Purse) {
        let price = Money::parse("1.00", "USD").unwrap();
        let paid = Slip::new(SlipState::Paid, price);
        let declined = Slip::new(SlipState::Declined, price);

        assert_eq!(purse.slip("a").await, Ok(None));
        assert_eq!(purse.decide("a", paid).await, Ok(paid));
        assert_eq!(
            purse.decide("a", declined).await,
            Ok(paid),
            "the first stands"
        );
        assert_eq!(purse.slip("a").await, Ok(Some(paid)));
        assert_eq!(purse.slip("b").await, Ok(None), "other payments stay apart");

        let held = Slip::new(SlipState::Reserved, price);
        purse.decide("h", held).await.unwrap();
        let taken = purse.end_hold("h", HoldEnd::Take).await.unwrap();
        assert_eq!(taken.state, SlipState::Taken);
        let again = purse.end_hold("h", HoldEnd::Release).await;
        assert_eq!(again, Ok(taken), "the first end stands");
        let missing = purse.end_hold("none", HoldEnd::Take).await;
        assert_eq!(missing, Err(PurseError::NothingTaken));

        refunds_once_a_key(purse, paid).await;
    }

    async fn refunds_once_a_key(purse: &dyn Purse, paid: Slip) {
        let refund = |key: &str, reference: &str, amount: &str| SlipRefund {
            key: key.into(),
            reference: reference.into(),
            amount: amount.parse().unwrap(),
        };
        let part = Slip {
            refunded: "0.4".parse().unwrap(),
            ..paid
        };
        assert_eq!(purse.refund(refund("k1", "a", "0.4")).await, Ok(part));
        assert_eq!(purse.refund(refund("k1", "a", "0.4")).await, Ok(part));
        for other in [refund("k1", "a", "0.5"), refund("k1", "h", "0.4")] {
            assert_eq!(purse.refund(other).await, Err(PurseError::KeyReused));
        }
        let more = purse.refund(refund("k2", "a", "0.7")).await;
        assert!(
            matches!(more, Err(PurseError::MoreThanTaken { .. })),
            "{more:?}"
        );
        assert_eq!(purse.slip("a").await, Ok(Some(part)));
        let rest = purse.refund(refund("k3", "a", "0.6")).await.unwrap();
        assert_eq!(rest.refunded, paid.price.amount);
        let nothing = purse.refund(refund("k4", "none", "0.1")).await;
        assert_eq!(nothing, Err(PurseError::NothingTaken));
    }

    #[tokio::test]
    async fn the_purse_in_memory_keeps_the_contract() {
        keeps_the_contract(&MemoryPurse::default()).await;
    }

    #[test]
    fn a_refused_refund_names_the_money() {
        let price = Money::parse("1.00", "USD").unwrap();
        let slip = Slip::new(SlipState::Paid, price);
        let refused = slip.refunded("1.5".parse().unwrap()).unwrap_err();
        assert_eq!(
            refused.to_string(),
            "cannot refund 1.50 USD of 1.00 USD: 0.00 USD went back already"
        );
    }
}
