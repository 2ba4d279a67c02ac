//! The sandbox provider's books in SQL: in the same file, and as separate from the ledger's as a real provider's.

use coinop_core::Millis;
use coinop_core::money::{Amount, Money};
use futures::future::BoxFuture;
use rusqlite::{Connection, OptionalExtension as _, params};

use super::{SqliteLedger, outbox};
use crate::clock::{Clock as _, SystemClock};
use crate::ledger::{Ledger as _, LedgerError};
use crate::provider::Period;
use crate::provider::sandbox::desk::WEBHOOK_SECRET;
use crate::provider::sandbox::event::SlipEvent;
use crate::provider::sandbox::outbox::{TakeEvents, TakenEvents};
use crate::provider::sandbox::purse::{Place, Purse, PurseError, SlipRefund, Taken};
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
        event: Option<SlipEvent>,
    ) -> BoxFuture<'a, Result<Slip, PurseError>> {
        let reference = reference.to_owned();
        Box::pin(self.writer.run(move |db| match slip(db, &reference)? {
            Some(standing) => Ok(standing),
            None => {
                outbox::put(db, event.as_ref())?;
                put(db, &reference, decision)
            }
        }))
    }

    fn end_hold<'a>(
        &'a self,
        reference: &'a str,
        end: HoldEnd,
        event: Option<SlipEvent>,
    ) -> BoxFuture<'a, Result<Slip, PurseError>> {
        let reference = reference.to_owned();
        Box::pin(self.writer.run(move |db| {
            let held = slip(db, &reference)?.ok_or(PurseError::NothingTaken)?;
            let ended = held.ended(end);
            if ended != held {
                outbox::put(db, event.as_ref())?;
            }
            put(db, &reference, ended)
        }))
    }

    fn refund(
        &self,
        refund: SlipRefund,
        event: Option<SlipEvent>,
    ) -> BoxFuture<'_, Result<Slip, PurseError>> {
        Box::pin(self.writer.run(move |db| {
            let taken = slip(db, &refund.reference)?.ok_or(PurseError::NothingTaken)?;
            match earlier(db, &refund.key)? {
                Some(earlier) if earlier == refund => return Ok(taken),
                Some(_) => return Err(PurseError::KeyReused),
                None => {}
            }
            let stands = put(db, &refund.reference, taken.refunded(refund.amount)?)?;
            outbox::put(db, event.as_ref())?;
            db.prepare_cached(
                "INSERT INTO sandbox_refund (key, reference, amount, at) VALUES (?1, ?2, ?3, ?4)",
            )?
            .execute(params![
                refund.key,
                refund.reference,
                refund.amount.nanos(),
                SystemClock.now()
            ])?;
            Ok(stands)
        }))
    }

    fn refund_made<'a>(
        &'a self,
        key: &'a str,
    ) -> BoxFuture<'a, Result<Option<SlipRefund>, PurseError>> {
        let key = key.to_owned();
        Box::pin(self.reader.run(move |db| earlier(db, &key)))
    }

    fn statement(
        &self,
        period: Period,
        after: Option<Place>,
        limit: u32,
    ) -> BoxFuture<'_, Result<Vec<Taken>, PurseError>> {
        Box::pin(
            self.reader
                .run(move |db| statement(db, period, after, limit)),
        )
    }

    fn take_events(&self, take: TakeEvents) -> BoxFuture<'_, Result<TakenEvents, PurseError>> {
        Box::pin(async move {
            let looked = take.clone();
            if !self
                .reader
                .run(move |db| outbox::is_due(db, &looked))
                .await?
            {
                return Ok(TakenEvents::default());
            }
            self.writer.run(move |db| outbox::take(db, &take)).await
        })
    }

    fn event_sent(&self, id: String) -> BoxFuture<'_, Result<(), PurseError>> {
        Box::pin(self.writer.run(move |db| outbox::sent(db, &id)))
    }

    fn webhook_secrets(&self, at: Millis) -> BoxFuture<'_, Result<Vec<Vec<u8>>, PurseError>> {
        Box::pin(async move { Ok(self.secrets(WEBHOOK_SECRET.to_owned(), at).await?) })
    }
}

fn slip(db: &Connection, reference: &str) -> Result<Option<Slip>, PurseError> {
    let row: Option<SlipRow> = db
        .prepare_cached(
            "SELECT state, amount, currency, refunded FROM sandbox_payment WHERE reference = ?1",
        )?
        .query_row([reference], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))
        })
        .optional()?;
    row.map(read_slip).transpose()
}

/// A slip's columns: state, amount, currency, refunded.
type SlipRow = (String, i64, String, i64);

fn read_slip((state, amount, currency, refunded): SlipRow) -> Result<Slip, PurseError> {
    let unreadable = |what: &str| PurseError::Unavailable(format!("{what} cannot be read"));
    Ok(Slip {
        state: state.parse().map_err(|_| unreadable(&state))?,
        price: Money {
            amount: Amount::from_nanos(amount),
            currency: currency.parse().map_err(|_| unreadable(&currency))?,
        },
        refunded: Amount::from_nanos(refunded),
    })
}

/// What was taken in a period, in order.
fn statement(
    db: &Connection,
    period: Period,
    after: Option<Place>,
    limit: u32,
) -> Result<Vec<Taken>, PurseError> {
    let mut query = db.prepare_cached(
        "SELECT at, reference, state, amount, currency, refunded FROM sandbox_payment
         WHERE at >= ?1 AND at < ?2 AND state IN ('paid', 'taken') AND (at, reference) > (?3, ?4)
         ORDER BY at, reference LIMIT ?5",
    )?;
    let after = after.unwrap_or(Place {
        at: i64::MIN,
        reference: String::new(),
    });
    let values = params![period.since, period.until, after.at, after.reference, limit];
    let rows = query.query_map(values, |row| {
        let place = Place {
            at: row.get(0)?,
            reference: row.get(1)?,
        };
        let slip: SlipRow = (row.get(2)?, row.get(3)?, row.get(4)?, row.get(5)?);
        Ok((place, slip))
    })?;
    let mut taken = Vec::new();
    for row in rows {
        let (place, slip) = row?;
        let slip = read_slip(slip)?;
        taken.push(Taken { place, slip });
    }
    Ok(taken)
}

fn put(db: &Connection, reference: &str, slip: Slip) -> Result<Slip, PurseError> {
    db.prepare_cached(
        // The time is that of the state: a refund, or a hold ended again, does not move it.
        "INSERT INTO sandbox_payment (reference, state, amount, currency, refunded, at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
         ON CONFLICT (reference) DO UPDATE SET state = excluded.state, refunded = excluded.refunded,
           at = CASE state WHEN excluded.state THEN at ELSE excluded.at END",
    )?
    .execute(params![
        reference,
        slip.state.to_string(),
        slip.price.amount.nanos(),
        slip.price.currency.code(),
        slip.refunded.nanos(),
        SystemClock.now(),
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
