//! The sandbox provider's books in SQL: in the same database, and as separate from the ledger's as a real provider's.

use coinop_core::Millis;
use coinop_core::money::{Amount, Money};
use futures::future::BoxFuture;
use tokio_postgres::{Error, Row};

use super::accounts::get;
use super::calls::has_nul;
use super::failed::{Failed, attempt, in_words};
use super::pool::{Db, PATIENCE, Query, query};
use super::transaction::{BEGIN, Transaction, nothing_refused};
use super::{PostgresLedger, outbox};
use crate::ledger::{Ledger as _, LedgerError};
use crate::provider::Period;
use crate::provider::sandbox::desk::WEBHOOK_SECRET;
use crate::provider::sandbox::event::SlipEvent;
use crate::provider::sandbox::outbox::{TakeEvents, TakenEvents};
use crate::provider::sandbox::purse::{Place, Purse, PurseError, SlipRefund, Taken};
use crate::provider::sandbox::slip::{HoldEnd, Slip};

/// The constraint that keeps a refund's key from being used twice.
const ONE_KEY: &str = "sandbox_refund_key";

impl Purse for PostgresLedger {
    fn slip<'a>(&'a self, reference: &'a str) -> BoxFuture<'a, Result<Option<Slip>, PurseError>> {
        let db = self.db();
        Box::pin(attempt(db, PATIENCE, move || slip(db, reference)))
    }

    fn decide<'a>(
        &'a self,
        reference: &'a str,
        decision: Slip,
        event: Option<SlipEvent>,
    ) -> BoxFuture<'a, Result<Slip, PurseError>> {
        let db = self.db();
        Box::pin(async move {
            let event = event.as_ref();
            attempt(db, PATIENCE, move || decide(db, reference, decision, event)).await
        })
    }

    fn end_hold<'a>(
        &'a self,
        reference: &'a str,
        end: HoldEnd,
        event: Option<SlipEvent>,
    ) -> BoxFuture<'a, Result<Slip, PurseError>> {
        let db = self.db();
        Box::pin(async move {
            let event = event.as_ref();
            attempt(db, PATIENCE, move || end_hold(db, reference, end, event)).await
        })
    }

    fn refund(
        &self,
        refund: SlipRefund,
        event: Option<SlipEvent>,
    ) -> BoxFuture<'_, Result<Slip, PurseError>> {
        let db = self.db();
        Box::pin(async move {
            let (asked, event) = (&refund, event.as_ref());
            attempt(db, PATIENCE, move || send_back(db, asked, event)).await
        })
    }

    fn refund_made<'a>(
        &'a self,
        key: &'a str,
    ) -> BoxFuture<'a, Result<Option<SlipRefund>, PurseError>> {
        let db = self.db();
        Box::pin(attempt(db, PATIENCE, move || refund_made(db, key)))
    }

    fn statement(
        &self,
        period: Period,
        after: Option<Place>,
        limit: u32,
    ) -> BoxFuture<'_, Result<Vec<Taken>, PurseError>> {
        let db = self.db();
        Box::pin(async move {
            let after = after.as_ref();
            attempt(db, PATIENCE, move || statement(db, period, after, limit)).await
        })
    }

    fn take_events(&self, take: TakeEvents) -> BoxFuture<'_, Result<TakenEvents, PurseError>> {
        let db = self.db();
        Box::pin(async move {
            let take = &take;
            attempt(db, PATIENCE, move || outbox::take(db, take)).await
        })
    }

    fn event_sent(&self, id: String) -> BoxFuture<'_, Result<(), PurseError>> {
        let db = self.db();
        Box::pin(async move {
            let id = id.as_str();
            attempt(db, PATIENCE, move || outbox::sent(db, id)).await
        })
    }

    fn webhook_secrets(&self, at: Millis) -> BoxFuture<'_, Result<Vec<Vec<u8>>, PurseError>> {
        Box::pin(async move { Ok(self.secrets(WEBHOOK_SECRET.to_owned(), at).await?) })
    }
}

async fn slip(db: &Db, reference: &str) -> Result<Option<Slip>, Failed<PurseError>> {
    if has_nul(&[reference]) {
        return Ok(None);
    }
    let rows = db.rows(standing(reference)).await?;
    Ok(rows.first().map(read).transpose()?)
}

/// The first decision stands: whoever comes second finds it.
async fn decide(
    db: &Db,
    reference: &str,
    decision: Slip,
    event: Option<&SlipEvent>,
) -> Result<Slip, Failed<PurseError>> {
    let begun = Transaction::begin(db, BEGIN, [locked(reference)]).await?;
    let [rows] = begun.found;
    if let Some(row) = rows.first() {
        return Ok(read(row)?);
    }
    let mut writes = vec![first(reference, &decision, begun.now)];
    writes.extend(outbox::put(event));
    let decided = begun.transaction.commit(writes, faster);
    decided.await.map(|_| decision)
}

async fn end_hold(
    db: &Db,
    reference: &str,
    end: HoldEnd,
    event: Option<&SlipEvent>,
) -> Result<Slip, Failed<PurseError>> {
    let begun = Transaction::begin(db, BEGIN, [locked(reference)]).await?;
    let [rows] = begun.found;
    let held = read(rows.first().ok_or(PurseError::NothingTaken)?)?;
    let ended = held.ended(end);
    if ended == held {
        return Ok(held);
    }
    let mut writes = vec![changed(reference, &ended, begun.now)];
    writes.extend(outbox::put(event));
    begun
        .transaction
        .commit(writes, nothing_refused::<PurseError>)
        .await?;
    Ok(ended)
}

async fn refund_made(db: &Db, key: &str) -> Result<Option<SlipRefund>, Failed<PurseError>> {
    if has_nul(&[key]) {
        return Ok(None);
    }
    let rows = db.rows::<PurseError>(refund_under(key)).await?;
    let made = rows.first().map(|row| {
        Ok::<_, PurseError>(SlipRefund {
            key: key.to_owned(),
            reference: get(row, 0)?,
            amount: Amount::from_nanos(get(row, 1)?),
        })
    });
    Ok(made.transpose()?)
}

/// What was taken in a period, in order.
async fn statement(
    db: &Db,
    period: Period,
    after: Option<&Place>,
    limit: u32,
) -> Result<Vec<Taken>, Failed<PurseError>> {
    let (at, reference) = after.map_or((i64::MIN, ""), |place| (place.at, &place.reference));
    let query = query!(
        "SELECT state, amount, currency, refunded, at, reference FROM sandbox_payment
         WHERE at >= $1 AND at < $2 AND state IN ('paid', 'taken') AND (at, reference) > ($3, $4)
         ORDER BY at, reference LIMIT $5",
        period.since,
        period.until,
        at,
        reference.to_owned(),
        i64::from(limit),
    );
    let rows = db.rows::<PurseError>(query).await?;
    let taken = rows.iter().map(|row| {
        let (at, reference) = (get(row, 4)?, get(row, 5)?);
        let (place, slip) = (Place { at, reference }, read(row)?);
        Ok::<_, PurseError>(Taken { place, slip })
    });
    let taken: Result<_, PurseError> = taken.collect();
    Ok(taken?)
}

async fn send_back(
    db: &Db,
    refund: &SlipRefund,
    event: Option<&SlipEvent>,
) -> Result<Slip, Failed<PurseError>> {
    let queries = [locked(&refund.reference), refund_under(&refund.key)];
    let begun = Transaction::begin(db, BEGIN, queries).await?;
    let [rows, earlier] = begun.found;
    let taken = read(rows.first().ok_or(PurseError::NothingTaken)?)?;
    if let Some(row) = earlier.first() {
        let (reference, amount): (&str, i64) = (get(row, 0)?, get(row, 1)?);
        let same = reference == refund.reference && amount == refund.amount.nanos();
        return if same {
            Ok(taken)
        } else {
            Err(PurseError::KeyReused.into())
        };
    }
    let stands = taken.refunded(refund.amount)?;
    let line = query!(
        "INSERT INTO sandbox_refund (key, reference, amount, at) VALUES ($1, $2, $3, $4)",
        refund.key.clone(),
        refund.reference.clone(),
        refund.amount.nanos(),
        begun.now,
    );
    let mut writes = vec![changed(&refund.reference, &stands, begun.now), line];
    writes.extend(outbox::put(event));
    begun.transaction.commit(writes, faster).await?;
    Ok(stands)
}

fn refund_under(key: &str) -> Query {
    query!(
        "SELECT reference, amount FROM sandbox_refund WHERE key = $1",
        key.to_owned()
    )
}

fn standing(reference: &str) -> Query {
    query!(
        "SELECT state, amount, currency, refunded FROM sandbox_payment WHERE reference = $1",
        reference.to_owned()
    )
}

/// As [`standing`], and nobody else changes it until the transaction ends.
fn locked(reference: &str) -> Query {
    query!(
        "SELECT state, amount, currency, refunded FROM sandbox_payment WHERE reference = $1 FOR UPDATE",
        reference.to_owned()
    )
}

fn first(reference: &str, slip: &Slip, at: Millis) -> Query {
    query!(
        "INSERT INTO sandbox_payment (reference, state, amount, currency, refunded, at) VALUES ($1, $2, $3, $4, $5, $6)",
        reference.to_owned(),
        slip.state.as_str(),
        slip.price.amount.nanos(),
        slip.price.currency.code().to_owned(),
        slip.refunded.nanos(),
        at,
    )
}

/// The time is that of the state: a refund does not move it.
fn changed(reference: &str, slip: &Slip, at: Millis) -> Query {
    query!(
        "UPDATE sandbox_payment SET state = $2, refunded = $3, at = CASE state WHEN $2 THEN at ELSE $4 END WHERE reference = $1",
        reference.to_owned(),
        slip.state.as_str(),
        slip.refunded.nanos(),
        at,
    )
}

fn read(row: &Row) -> Result<Slip, PurseError> {
    let (state, currency): (&str, &str) = (get(row, 0)?, get(row, 2)?);
    let unreadable = |what: &str| PurseError::Unavailable(format!("{what} cannot be read"));
    Ok(Slip {
        state: state.parse().map_err(|_| unreadable(state))?,
        price: Money {
            amount: Amount::from_nanos(get(row, 1)?),
            currency: currency.parse().map_err(|_| unreadable(currency))?,
        },
        refunded: Amount::from_nanos(get(row, 3)?),
    })
}

/// Another host wrote the same line first: the next attempt finds it.
fn faster(error: &Error) -> Option<Failed<PurseError>> {
    let constraint = error.as_db_error().and_then(|error| error.constraint());
    let same = matches!(constraint, Some(ONE_KEY | "sandbox_payment_pkey"));
    same.then(|| Failed::Again(LedgerError::Unavailable(in_words(error))))
}

impl From<PurseError> for Failed<PurseError> {
    fn from(error: PurseError) -> Self {
        Self::Told(error)
    }
}
