//! Calls in SQL: recorded, found, advanced.

use coinop_core::call::{Call, Event};
use tokio_postgres::{Error, Row};

use super::accounts::{self, get};
use super::failed::{Failed, in_words};
use super::locks;
use super::outcomes;
use super::pool::{Db, Query, query};
use super::receipts::{self, Chains};
use super::records::{COLUMNS, columns, insert, record, update};
use super::transaction::{BEGIN, Begun, Transaction};
use crate::ledger::transition::{
    Transition, brought, is_meant, is_paid_for, named, open_key, principal_key, within,
};
use crate::ledger::{
    AdvanceError, Advanced, CallKey, Caps, Change, LedgerError, NewCall, Opened, Record,
};

/// The constraint that keeps a call from being open twice.
const ONE_OPEN: &str = "call_open";

/// The indexes that keep a payment from buying two calls.
const ONE_REFERENCE: &str = "call_reference";
const ONE_PAYMENT: &str = "call_brought";
const ONE_NAME: &str = "call_named";

/// Records a call within `caps`, or finds the open one it would repeat. Two round trips.
pub(super) async fn open(
    db: &Db,
    new: &NewCall,
    caps: &Caps,
) -> Result<Opened, Failed<AdvanceError>> {
    let call = &new.call;
    let mut prelude = format!("{BEGIN}; {}", locks::COMPONENTS_SHARED);
    let turns = accounts::needs_turns(caps);
    if turns {
        prelude = format!(
            "{prelude}; {}",
            locks::principal(&principal_key(&call.quote.principal))
        );
    }
    let begun = match turns {
        true => begin_open(db, &prelude, [standing(call), accounts::usage(call, caps)]).await?,
        false => begin_open(db, &prelude, [standing(call)]).await?,
    };
    let Found {
        transaction,
        rows,
        usage,
        now,
    } = begun;
    let row = rows
        .first()
        .ok_or_else(|| LedgerError::Corrupt("no answer".into()))?;
    if get(row, COLUMNS)? && !is_paid_for(call) {
        return Err(AdvanceError::Blocked.into());
    }
    if !get::<bool>(row, COLUMNS + 1)? {
        // Published before it was kept, or forgotten: a quote must not outlive the code it names.
        return Err(LedgerError::Unavailable("the component is not kept".into()).into());
    }
    let found = get::<Option<&str>>(row, 0)?.is_some();
    let found = found.then(|| record(row)).transpose()?;
    let came_with_it = brought(call).is_some();
    if let Some(record) = found
        .clone()
        .filter(|found| came_with_it || is_meant(found, now))
    {
        return Ok(Opened {
            record,
            existing: true,
        });
    }
    let (usage, now) = match usage.first() {
        Some(row) => accounts::read_usage(row, call, caps)?,
        None => (Default::default(), now),
    };
    let new = new.clone().at_time(now);
    let call = &new.call;
    within(caps, call.quote.price, &usage, now).map_err(AdvanceError::from)?;
    let (entries, credit, spent) = Transition::opening(call);
    let mut writes: Vec<Query> = found.iter().map(free_key).collect();
    writes.push(insert(&new)?);
    writes.extend(accounts::post(call, &entries, 1, now));
    writes.extend(accounts::move_credit(call, &credit));
    writes.extend(accounts::count_spent(call, spent));
    transaction.commit(writes, not_opened).await?;
    Ok(Opened {
        record: Record {
            updated_at: now,
            version: 1,
            call: new.call,
            arguments: Some(new.arguments),
            run_spec: Some(new.run_spec),
        },
        existing: false,
    })
}

/// What stands in the way of a new call: a block, code that is not kept, the same call open already, or the call that was
/// recorded with the same payment.
fn standing(call: &Call) -> Query {
    if let Some(reference) = brought(call) {
        return query!(
            concat!(
                "SELECT ",
                columns!(),
                ", asked.blocked, asked.kept
                 FROM (SELECT EXISTS (SELECT 1 FROM blocked WHERE digest = $1) AS blocked,
                              EXISTS (SELECT 1 FROM component WHERE digest = $1) AS kept) AS asked
                 LEFT JOIN call ON call.brought = $2 OR call.named = $3
                 ORDER BY call.brought = $2 DESC NULLS LAST"
            ),
            call.quote.component.to_string(),
            reference.to_owned(),
            named(call),
        );
    }
    query!(
        concat!(
            "SELECT ",
            columns!(),
            ", asked.blocked, asked.kept
             FROM (SELECT EXISTS (SELECT 1 FROM blocked WHERE digest = $1) AS blocked,
                          EXISTS (SELECT 1 FROM component WHERE digest = $1) AS kept) AS asked
             LEFT JOIN call ON call.open_key = $2"
        ),
        call.quote.component.to_string(),
        open_key(call),
    )
}

/// Takes its key from a call that is given again no more. Another host may have been faster: then the insert is refused.
fn free_key(found: &Record) -> Query {
    query!(
        "UPDATE call SET open_key = NULL WHERE id = $1",
        found.call.id.to_string(),
    )
}

struct Found<'a> {
    transaction: Transaction<'a>,
    rows: Vec<Row>,
    usage: Vec<Row>,
    now: coinop_core::Millis,
}

async fn begin_open<'a, const N: usize>(
    db: &'a Db,
    prelude: &str,
    queries: [Query; N],
) -> Result<Found<'a>, Failed<AdvanceError>> {
    let Begun {
        transaction,
        found,
        now,
    } = Transaction::begin(db, prelude, queries).await?;
    let mut found = found.into_iter();
    Ok(Found {
        transaction,
        rows: found.next().unwrap_or_default(),
        usage: found.next().unwrap_or_default(),
        now,
    })
}

/// What an error says of a new call.
fn not_opened(error: &Error) -> Option<Failed<AdvanceError>> {
    let constraint = error.as_db_error().and_then(|error| error.constraint());
    match constraint {
        // Another host was faster: its call is there for the next attempt.
        Some(ONE_OPEN | ONE_REFERENCE | ONE_PAYMENT | ONE_NAME) => {
            Some(Failed::Again(LedgerError::Unavailable(in_words(error))))
        }
        _ => accounts::credit_spent(error),
    }
}

/// Reads one call.
pub(super) async fn find(db: &Db, key: &CallKey) -> Result<Option<Record>, Failed<LedgerError>> {
    let query = match key {
        CallKey::Call(id) => query!(
            concat!("SELECT ", columns!(), " FROM call WHERE id = $1"),
            id.to_string()
        ),
        CallKey::Payment(id) => query!(
            concat!("SELECT ", columns!(), " FROM call WHERE payment_id = $1"),
            id.as_str().to_owned()
        ),
        CallKey::Link(token) => query!(
            concat!("SELECT ", columns!(), " FROM call WHERE link = $1"),
            token.as_str().to_owned()
        ),
        // The database's texts hold no NUL, so nothing in it is called so.
        CallKey::Reference { account, reference } if has_nul(&[account, reference]) => {
            return Ok(None);
        }
        CallKey::Reference { account, reference } => query!(
            concat!(
                "SELECT ",
                columns!(),
                " FROM call WHERE account = $1 AND reference = $2"
            ),
            account.clone(),
            reference.clone(),
        ),
        CallKey::Brought(reference) if has_nul(&[reference]) => return Ok(None),
        CallKey::Brought(reference) => query!(
            concat!("SELECT ", columns!(), " FROM call WHERE brought = $1"),
            reference.clone()
        ),
    };
    let rows = db.rows(query).await?;
    Ok(rows.first().map(record).transpose()?)
}

/// Whether a text cannot be in the database.
pub(super) fn has_nul(texts: &[&str]) -> bool {
    texts.iter().any(|text| text.contains('\0'))
}

/// Applies a change to the stored call, all or nothing, and issues the receipt when it is delivered. Two round trips.
pub(super) async fn advance(
    db: &Db,
    ledger: &str,
    chains: &Chains,
    change: &Change,
) -> Result<Advanced, Failed<AdvanceError>> {
    let claims = |event: &Event| matches!(event, Event::Claimed { .. });
    let claims = change.events.iter().any(claims);
    let prelude = match claims {
        true => format!("{BEGIN}; {}", locks::COMPONENTS_SHARED),
        false => BEGIN.to_owned(),
    };
    let begun = Transaction::begin(db, &prelude, [locked(change)]).await?;
    let (transaction, [rows]) = (begun.transaction, begun.found);
    let row = rows.first().ok_or(AdvanceError::Missing)?;
    if claims && get(row, COLUMNS)? {
        return Err(AdvanceError::Blocked.into());
    }
    let change = change.clone().at_time(begun.now);
    let transition = Transition::of(record(row)?, &change)?;
    let call = &transition.record.call;
    let mut writes = vec![update(&transition)?];
    writes.extend(accounts::post(
        call,
        &transition.entries,
        transition.record.version,
        change.at,
    ));
    writes.extend(accounts::move_credit(call, &transition.credit));
    writes.extend(accounts::count_spent(call, transition.spent));
    if let Some(outcome) = &change.outcome {
        writes.push(outcomes::keep(&change.call, outcome, change.at)?);
    }
    let mut issued = None;
    if transition.delivers
        && let Some(result) = outcomes::delivered(&transaction, &change).await?
    {
        let key = receipts::signing_key(row, COLUMNS + 1)?;
        let issuing = chains.issue(&key, ledger, call, result, change.at);
        writes.extend(issuing.writes(&change.call));
        issued = Some(issuing);
    }
    match transaction.commit(writes, accounts::credit_spent).await {
        Err(Failed::Unknown(reason)) => became(db, &transition.record, reason).await?,
        ended => ended?,
    }
    Ok(Advanced {
        receipt: issued.map(|issued| chains.went_on(issued)),
        record: transition.record,
    })
}

/// Looks what became of a commit whose answer was lost. The lock is had when that transaction has ended, so the call as
/// stored tells for certain: as it was to be, as it was before, or changed by somebody else since, which tells nothing.
async fn became(db: &Db, wanted: &Record, reason: LedgerError) -> Result<(), Failed<AdvanceError>> {
    let stored = query!(
        concat!("SELECT ", columns!(), " FROM call WHERE id = $1 FOR UPDATE"),
        wanted.call.id.to_string(),
    );
    db.renew();
    let looked = Transaction::begin::<1, LedgerError>(db, BEGIN, [stored]).await;
    let Ok(Begun { found: [rows], .. }) = looked else {
        return Err(Failed::Unknown(reason));
    };
    match rows.first().map(record).transpose()? {
        Some(stored) if is_same(&stored, wanted) => Ok(()),
        Some(stored) if stored.version < wanted.version => Err(Failed::Again(reason)),
        _ => Err(Failed::Unknown(reason)),
    }
}

fn is_same(stored: &Record, wanted: &Record) -> bool {
    (stored.version, stored.updated_at) == (wanted.version, wanted.updated_at)
        && stored.call == wanted.call
}

/// The call to be changed, under its lock, with whether its component is blocked and the key that signs receipts.
fn locked(change: &Change) -> Query {
    query!(
        concat!(
            "SELECT ",
            columns!(),
            ", EXISTS (SELECT 1 FROM blocked WHERE digest = call.component),
                    (SELECT secret FROM receipt_key ORDER BY n DESC LIMIT 1)
             FROM call WHERE id = $1 FOR UPDATE OF call"
        ),
        change.call.to_string(),
    )
}
