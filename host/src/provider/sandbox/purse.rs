//! The purse: where the sandbox's pretended money is kept. The trait, and one that lasts as long as the process.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::{Mutex, MutexGuard, PoisonError};

use coinop_core::Millis;
use coinop_core::money::{Amount, Money};
use futures::future::BoxFuture;

use super::event::SlipEvent;
use super::outbox::{Outbox, TakeEvents, TakenEvents};
use super::slip::{HoldEnd, Slip};
use crate::clock::{Clock as _, SystemClock};
use crate::provider::{Period, ProviderError};

/// A durable store of slips. Each method is one transaction, durable when it returns; several hosts may share it.
///
/// Where a method takes an event, the event enters the outbox in the same transaction, if the slip changes by it and only
/// then.
pub trait Purse: Send + Sync {
    /// The slip of a payment, `None` while nothing is decided.
    fn slip<'a>(&'a self, reference: &'a str) -> BoxFuture<'a, Result<Option<Slip>, PurseError>>;

    /// Records a decision where there is none, and returns the slip that stands: the first decision's.
    fn decide<'a>(
        &'a self,
        reference: &'a str,
        decision: Slip,
        event: Option<SlipEvent>,
    ) -> BoxFuture<'a, Result<Slip, PurseError>>;

    /// Ends a reservation by [`Slip::ended`], and returns the slip that stands.
    fn end_hold<'a>(
        &'a self,
        reference: &'a str,
        end: HoldEnd,
        event: Option<SlipEvent>,
    ) -> BoxFuture<'a, Result<Slip, PurseError>>;

    /// Sends money back by [`Slip::refunded`], once a key, and returns the slip that stands. The same key again
    /// changes nothing; with another payment or amount it is refused.
    fn refund(
        &self,
        refund: SlipRefund,
        event: Option<SlipEvent>,
    ) -> BoxFuture<'_, Result<Slip, PurseError>>;

    /// Takes events that are due, the longest due first. Each is due again at [`next_attempt_at`], unless it was
    /// [sent](Purse::event_sent) by then. Before that, those that are due and [spent](is_spent) leave the outbox, of
    /// whatever account. Nothing is written where nothing is due.
    ///
    /// [`next_attempt_at`]: super::outbox::next_attempt_at
    /// [spent]: super::outbox::is_spent
    fn take_events(&self, take: TakeEvents) -> BoxFuture<'_, Result<TakenEvents, PurseError>>;

    /// Removes an event from the outbox.
    fn event_sent(&self, id: String) -> BoxFuture<'_, Result<(), PurseError>>;

    /// The secrets that webhooks are signed with, at most two, the latest first; the first is made when there is none.
    /// In a ledger, those of [`WEBHOOK_SECRET`](super::desk::WEBHOOK_SECRET).
    fn webhook_secrets(&self, at: Millis) -> BoxFuture<'_, Result<Vec<Vec<u8>>, PurseError>>;

    /// The refund that was made under `key`, `None` when there is none.
    fn refund_made<'a>(
        &'a self,
        key: &'a str,
    ) -> BoxFuture<'a, Result<Option<SlipRefund>, PurseError>>;

    /// Payments whose money was taken in `period` by the store's own clock, in order of time and reference, those after
    /// `after`, at most `limit`.
    fn statement(
        &self,
        period: Period,
        after: Option<Place>,
        limit: u32,
    ) -> BoxFuture<'_, Result<Vec<Taken>, PurseError>>;
}

/// A payment that brought money.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Taken {
    /// When, and which.
    pub place: Place,
    /// How it stands now.
    pub slip: Slip,
}

/// Where a payment stands in a statement: the order is by time, then by reference.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// When its money was taken, milliseconds since the Unix epoch.
    pub at: i64,
    /// Its reference.
    pub reference: String,
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
    slips: BTreeMap<String, Dated>,
    refunds: BTreeMap<String, SlipRefund>,
    outbox: Outbox,
    secrets: Vec<[u8; 32]>,
}

/// A slip, and when it came to the state it is in.
#[derive(Clone, Copy, Debug)]
struct Dated {
    slip: Slip,
    at: i64,
}

impl Dated {
    fn now(slip: Slip) -> Self {
        let at = SystemClock.now();
        Self { slip, at }
    }
}

impl MemoryPurse {
    /// Makes a new latest secret for webhooks; the one before stays good.
    pub fn rotate_webhook_secret(&self) {
        let secrets = &mut self.books().secrets;
        secrets.insert(0, crate::random::secret());
        secrets.truncate(2);
    }

    fn books(&self) -> MutexGuard<'_, Books> {
        // Each change of the books is one insertion per map, made last: a panic leaves nothing half written.
        self.books.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Books {
    fn decide(&mut self, reference: &str, decision: Slip, event: Option<SlipEvent>) -> Slip {
        match self.slips.entry(reference.to_owned()) {
            Entry::Occupied(stands) => stands.get().slip,
            Entry::Vacant(undecided) => {
                self.outbox.put(event);
                undecided.insert(Dated::now(decision)).slip
            }
        }
    }

    fn end_hold(
        &mut self,
        reference: &str,
        end: HoldEnd,
        event: Option<SlipEvent>,
    ) -> Result<Slip, PurseError> {
        let dated = self
            .slips
            .get_mut(reference)
            .ok_or(PurseError::NothingTaken)?;
        let ended = dated.slip.ended(end);
        if ended != dated.slip {
            self.outbox.put(event);
            *dated = Dated::now(ended);
        }
        Ok(ended)
    }

    fn refund(&mut self, refund: SlipRefund, event: Option<SlipEvent>) -> Result<Slip, PurseError> {
        let slip = self
            .slips
            .get_mut(&refund.reference)
            .map(|dated| &mut dated.slip)
            .ok_or(PurseError::NothingTaken)?;
        match self.refunds.get(&refund.key) {
            Some(earlier) if *earlier == refund => return Ok(*slip),
            Some(_) => return Err(PurseError::KeyReused),
            None => {}
        }
        *slip = slip.refunded(refund.amount)?;
        let stands = *slip;
        self.outbox.put(event);
        self.refunds.insert(refund.key.clone(), refund);
        Ok(stands)
    }

    fn statement(&self, period: Period, after: Option<&Place>, limit: u32) -> Vec<Taken> {
        let in_period = |at| (period.since..period.until).contains(&at);
        let mut taken: Vec<Taken> = self
            .slips
            .iter()
            .filter(|(_, dated)| dated.slip.state.is_taken() && in_period(dated.at))
            .map(|(reference, dated)| Taken {
                place: Place {
                    at: dated.at,
                    reference: reference.clone(),
                },
                slip: dated.slip,
            })
            .filter(|taken| after.is_none_or(|after| taken.place > *after))
            .collect();
        taken.sort_by(|a, b| a.place.cmp(&b.place));
        taken.truncate(limit as usize);
        taken
    }
}

impl Purse for MemoryPurse {
    fn slip<'a>(&'a self, reference: &'a str) -> BoxFuture<'a, Result<Option<Slip>, PurseError>> {
        Box::pin(async move { Ok(self.books().slips.get(reference).map(|dated| dated.slip)) })
    }

    fn decide<'a>(
        &'a self,
        reference: &'a str,
        decision: Slip,
        event: Option<SlipEvent>,
    ) -> BoxFuture<'a, Result<Slip, PurseError>> {
        Box::pin(async move { Ok(self.books().decide(reference, decision, event)) })
    }

    fn end_hold<'a>(
        &'a self,
        reference: &'a str,
        end: HoldEnd,
        event: Option<SlipEvent>,
    ) -> BoxFuture<'a, Result<Slip, PurseError>> {
        Box::pin(async move { self.books().end_hold(reference, end, event) })
    }

    fn refund(
        &self,
        refund: SlipRefund,
        event: Option<SlipEvent>,
    ) -> BoxFuture<'_, Result<Slip, PurseError>> {
        Box::pin(async move { self.books().refund(refund, event) })
    }

    fn take_events(&self, take: TakeEvents) -> BoxFuture<'_, Result<TakenEvents, PurseError>> {
        Box::pin(async move { Ok(self.books().outbox.take(&take)) })
    }

    fn event_sent(&self, id: String) -> BoxFuture<'_, Result<(), PurseError>> {
        Box::pin(async move {
            self.books().outbox.sent(&id);
            Ok(())
        })
    }

    fn webhook_secrets(&self, _at: Millis) -> BoxFuture<'_, Result<Vec<Vec<u8>>, PurseError>> {
        Box::pin(async move {
            if self.books().secrets.is_empty() {
                self.rotate_webhook_secret();
            }
            Ok(self.books().secrets.iter().map(|s| s.to_vec()).collect())
        })
    }

    fn refund_made<'a>(
        &'a self,
        key: &'a str,
    ) -> BoxFuture<'a, Result<Option<SlipRefund>, PurseError>> {
        Box::pin(async move { Ok(self.books().refunds.get(key).cloned()) })
    }

    fn statement(
        &self,
        period: Period,
        after: Option<Place>,
        limit: u32,
    ) -> BoxFuture<'_, Result<Vec<Taken>, PurseError>> {
        Box::pin(async move { Ok(self.books().statement(period, after.as_ref(), limit)) })
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::provider::sandbox::outbox;
    use crate::provider::sandbox::slip::SlipState;

    /// What every purse must do; each implementation runs it on an empty store.
    pub(crate) async fn keeps_the_contract(purse: &dyn Purse) {
        let price = Money::parse("1.00", "USD").unwrap();
        let paid = Slip::new(SlipState::Paid, price);
        let declined = Slip::new(SlipState::Declined, price);

        assert_eq!(purse.slip("a").await, Ok(None));
        assert_eq!(purse.decide("a", paid, None).await, Ok(paid));
        assert_eq!(
            purse.decide("a", declined, None).await,
            Ok(paid),
            "the first stands"
        );
        assert_eq!(purse.slip("a").await, Ok(Some(paid)));
        assert_eq!(purse.slip("b").await, Ok(None), "other payments stay apart");

        let held = Slip::new(SlipState::Reserved, price);
        purse.decide("h", held, None).await.unwrap();
        let taken = purse.end_hold("h", HoldEnd::Take, None).await.unwrap();
        assert_eq!(taken.state, SlipState::Taken);
        let again = purse.end_hold("h", HoldEnd::Release, None).await;
        assert_eq!(again, Ok(taken), "the first end stands");
        let missing = purse.end_hold("none", HoldEnd::Take, None).await;
        assert_eq!(missing, Err(PurseError::NothingTaken));

        refunds_once_a_key(purse, paid).await;
        outbox::tests::keeps_the_contract(purse).await;
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
        assert_eq!(purse.refund(refund("k1", "a", "0.4"), None).await, Ok(part));
        assert_eq!(purse.refund(refund("k1", "a", "0.4"), None).await, Ok(part));
        for other in [refund("k1", "a", "0.5"), refund("k1", "h", "0.4")] {
            assert_eq!(purse.refund(other, None).await, Err(PurseError::KeyReused));
        }
        let more = purse.refund(refund("k2", "a", "0.7"), None).await;
        assert!(
            matches!(more, Err(PurseError::MoreThanTaken { .. })),
            "{more:?}"
        );
        assert_eq!(purse.slip("a").await, Ok(Some(part)));
        let rest = purse.refund(refund("k3", "a", "0.6"), None).await.unwrap();
        assert_eq!(rest.refunded, paid.price.amount);
        let nothing = purse.refund(refund("k4", "none", "0.1"), None).await;
        assert_eq!(nothing, Err(PurseError::NothingTaken));
        let made = purse.refund_made("k3").await;
        assert_eq!(made, Ok(Some(refund("k3", "a", "0.6"))));
        assert_eq!(purse.refund_made("k4").await, Ok(None), "it was refused");
        states_what_was_taken(purse, rest).await;
    }

    /// After everything above: `a` was paid and refunded, `h` was reserved and taken.
    async fn states_what_was_taken(purse: &dyn Purse, refunded: Slip) {
        for state in [
            SlipState::Declined,
            SlipState::Reserved,
            SlipState::Canceled,
        ] {
            let slip = Slip::new(state, refunded.price);
            purse.decide(state.as_str(), slip, None).await.unwrap();
        }
        let ever = Period {
            since: 0,
            until: i64::MAX,
        };
        let all = purse.statement(ever, None, 10).await.unwrap();
        assert_eq!(all.len(), 2, "{all:?}");
        assert!(all[0].place < all[1].place, "{all:?}");
        let of = |reference: &str| {
            let found = all.iter().find(|taken| taken.place.reference == reference);
            found.unwrap().clone()
        };
        assert_eq!(of("a").slip, refunded);
        assert_eq!(of("h").slip.state, SlipState::Taken);
        let first = purse.statement(ever, None, 1).await.unwrap();
        assert_eq!(first, all[..1]);
        let after = Some(first[0].place.clone());
        let second = purse.statement(ever, after, 1).await.unwrap();
        assert_eq!(second, all[1..]);
        let instant = Period {
            since: all[0].place.at,
            until: all[0].place.at,
        };
        let none = purse.statement(instant, None, 10).await.unwrap();
        assert_eq!(none, [], "the end of a period is not in it");
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
