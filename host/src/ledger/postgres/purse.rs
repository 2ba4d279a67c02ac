//! The sandbox provider's books in SQL: in the same database, and as separate from the ledger's as a real provider's.

use coinop_core::Millis;
use coinop_core::money::{Amount, Money};
use futures::future::BoxFuture;
use tokio_postgres::{Error, Row};

use super::PostgresLedger;
use super::accounts::get;
use super::calls::has_nul;
use super::failed::{Failed, attempt, in_words};
use super::pool::{Db, PATIENCE, Query, query};
use super::transaction::{BEGIN, Transaction, nothing_refused};
use crate::ledger::LedgerError;
use crate::provider::sandbox::purse::{Purse, PurseError, SlipRefund};
use crate::provider::sandbox::slip::{HoldEnd, Slip};

/// The constraint that keeps a refund's key from being used twice.
const ONE_KEY: &str = "sandbox_refund_key";

impl Purse for PostgresLedger {
    fn slip<'a>(&'a self, reference: &'a str) -> BoxFuture<'a, Result<Option<Slip>, PurseError>> {
        let db = self.db();
        Box::pin(attempt(PATIENCE, move || slip(db, reference)))
    }

    fn decide<'a>(
        &'a self,
        reference: &'a str,
        decision: Slip,
    ) -> BoxFuture<'a, Result<Slip, PurseError>> {
        let db = self.db();
        Box::pin(attempt(PATIENCE, move || decide(db, reference, decision)))
    }

    fn end_hold<'a>(
        &'a self,
        reference: &'a str,
        end: HoldEnd,
    ) -> BoxFuture<'a, Result<Slip, PurseError>> {
        let db = self.db();
        Box::pin(attempt(PATIENCE, move || end_hold(db, reference, end)))
    }

    fn refund(&self, refund: SlipRefund) -> BoxFuture<'_, Result<Slip, PurseError>> {
        let db = self.db();
        Box::pin(async move {
            let asked = &refund;
            attempt(PATIENCE, move || send_back(db, asked)).await
        })
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
async fn decide(db: &Db, reference: &str, decision: Slip) -> Result<Slip, Failed<PurseError>> {
    let begun = Transaction::begin(db, BEGIN, [locked(reference)]).await?;
    let [rows] = begun.found;
    if let Some(row) = rows.first() {
        return Ok(read(row)?);
    }
    let decided = begun
        .transaction
        .commit(vec![first(reference, &decision, begun.now)], faster);
    decided.await.map(|_| decision)
}

async fn end_hold(db: &Db, reference: &str, end: HoldEnd) -> Result<Slip, Failed<PurseError>> {
    let begun = Transaction::begin(db, BEGIN, [locked(reference)]).await?;
    let [rows] = begun.found;
    let held = read(rows.first().ok_or(PurseError::NothingTaken)?)?;
    let ended = held.ended(end);
    let write = changed(reference, &ended);
    begun
        .transaction
        .commit(vec![write], nothing_refused::<PurseError>)
        .await?;
    Ok(ended)
}

async fn send_back(db: &Db, refund: &SlipRefund) -> Result<Slip, Failed<PurseError>> {
    let earlier = query!(
        "SELECT reference, amount FROM sandbox_refund WHERE key = $1",
        refund.key.clone()
    );
    let queries = [locked(&refund.reference), earlier];
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
    let writes = vec![changed(&refund.reference, &stands), line];
    begun.transaction.commit(writes, faster).await?;
    Ok(stands)
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

fn changed(reference: &str, slip: &Slip) -> Query {
    query!(
        "UPDATE sandbox_payment SET state = $2, refunded = $3 WHERE reference = $1",
        reference.to_owned(),
        slip.state.as_str(),
        slip.refunded.nanos(),
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
