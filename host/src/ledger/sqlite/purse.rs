//! The sandbox provider's books in SQL: in the same file, and as separate from the ledger's as a real provider's.

use coinop_core::money::{Amount, Money};
use futures::future::BoxFuture;
use rusqlite::{Connection, OptionalExtension as _, params};

use super::SqliteLedger;
use crate::ledger::LedgerError;
use crate::provider::sandbox::purse::{Purse, PurseError, SlipRefund};
use crate::provider::sandbox::slip::{HoldEnd, Slip};

impl Purse for SqliteLedger {
    fn slip<'a>(&'a self, reference: &'a str) -> BoxFuture<'a, Result<Option<Slip>, PurseError>> {
        let reference = reference.to_owned();
        Box::pin(self.reader.run(move |db| slip(db, &reference)))
    }

    fn decide<'a>(
        &'a self,
        reference: &'a str,
        decision: Slip,
    ) -> BoxFuture<'a, Result<Slip, PurseError>> {
        let reference = reference.to_owned();
        Box::pin(self.writer.run(move |db| match slip(db, &reference)? {
            Some(standing) => Ok(standing),
            None => put(db, &reference, decision),
        }))
    }

    fn end_hold<'a>(
        &'a self,
        reference: &'a str,
        end: HoldEnd,
    ) -> BoxFuture<'a, Result<Slip, PurseError>> {
        let reference = reference.to_owned();
        Box::pin(self.writer.run(move |db| {
            let held = slip(db, &reference)?.ok_or(PurseError::NothingTaken)?;
            put(db, &reference, held.ended(end))
        }))
    }

    fn refund(&self, refund: SlipRefund) -> BoxFuture<'_, Result<Slip, PurseError>> {
        Box::pin(self.writer.run(move |db| {
            let taken = slip(db, &refund.reference)?.ok_or(PurseError::NothingTaken)?;
            match earlier(db, &refund.key)? {
                Some(earlier) if earlier == refund => return Ok(taken),
                Some(_) => return Err(PurseError::KeyReused),
                None => {}
            }
            let stands = put(db, &refund.reference, taken.refunded(refund.amount)?)?;
            db.prepare_cached(
                "INSERT INTO sandbox_refund (key, reference, amount) VALUES (?1, ?2, ?3)",
            )?
            .execute(params![refund.key, refund.reference, refund.amount.nanos()])?;
            Ok(stands)
        }))
    }
}

fn slip(db: &Connection, reference: &str) -> Result<Option<Slip>, PurseError> {
    let row: Option<(String, i64, String, i64)> = db
        .prepare_cached(
            "SELECT state, amount, currency, refunded FROM sandbox_payment WHERE reference = ?1",
        )?
        .query_row([reference], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))
        })
        .optional()?;
    row.map(|(state, amount, currency, refunded)| {
        let unreadable = |what: &str| PurseError::Unavailable(format!("{what} cannot be read"));
        Ok(Slip {
            state: state.parse().map_err(|_| unreadable(&state))?,
            price: Money {
                amount: Amount::from_nanos(amount),
                currency: currency.parse().map_err(|_| unreadable(&currency))?,
            },
            refunded: Amount::from_nanos(refunded),
        })
    })
    .transpose()
}

fn put(db: &Connection, reference: &str, slip: Slip) -> Result<Slip, PurseError> {
    db.prepare_cached(
        "INSERT INTO sandbox_payment (reference, state, amount, currency, refunded) VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT (reference) DO UPDATE SET state = excluded.state, refunded = excluded.refunded",
    )?
    .execute(params![
        reference,
        slip.state.to_string(),
        slip.price.amount.nanos(),
        slip.price.currency.code(),
        slip.refunded.nanos(),
    ])?;
    Ok(slip)
}

fn earlier(db: &Connection, key: &str) -> Result<Option<SlipRefund>, PurseError> {
    Ok(db
        .prepare_cached("SELECT key, reference, amount FROM sandbox_refund WHERE key = ?1")?
        .query_row([key], |row| {
            Ok(SlipRefund {
                key: row.get(0)?,
                reference: row.get(1)?,
                amount: Amount::from_nanos(row.get(2)?),
            })
        })
        .optional()?)
}

impl From<LedgerError> for PurseError {
    fn from(error: LedgerError) -> Self {
        Self::Unavailable(error.to_string())
    }
}

impl From<rusqlite::Error> for PurseError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Unavailable(error.to_string())
    }
}
