//! Calls as rows: written, read, and the shape that every query of calls gives.

use coinop_core::Millis;
use coinop_core::call::Call;
use coinop_core::step::due_at;
use tokio_postgres::Row;

use super::accounts::get;
use super::pool::{Query, query};
use crate::ledger::transition::{
    Transition, brought, named, open_key, open_viewer, payment_state, principal_key,
};
use crate::ledger::{LedgerError, NewCall, Record};

/// The columns that [`record`] reads, at the front of whatever a query gives.
macro_rules! columns {
    () => {
        "call.body, call.arguments, call.run_spec, call.updated_at, call.version"
    };
}
pub(super) use columns;

/// How many columns that are.
pub(super) const COLUMNS: usize = 5;

/// Reads a call.
pub(super) fn record(row: &Row) -> Result<Record, LedgerError> {
    let call = serde_json::from_str(get(row, 0)?)
        .map_err(|e| LedgerError::Corrupt(format!("a call: {e}")))?;
    Ok(Record {
        call,
        arguments: get(row, 1)?,
        run_spec: get(row, 2)?,
        updated_at: get(row, 3)?,
        version: get(row, 4)?,
    })
}

/// Reads calls.
pub(super) fn records(rows: &[Row]) -> Result<Vec<Record>, LedgerError> {
    rows.iter().map(record).collect()
}

/// Records a new call. One that repeats an open call is refused by the constraint `call_open`.
pub(super) fn insert(new: &NewCall) -> Result<Query, LedgerError> {
    let call = &new.call;
    Ok(query!(
        "INSERT INTO call (id, payment_id, link, open_key, state, payment_state, component, body, arguments, run_spec,
                           version, due_at, created_at, updated_at, account, principal, reference, expires_at,
                           viewer, brought, named)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 1, $11, $12, $12, $13, $14, $15, $16, $17, $18, $19)",
        call.id.to_string(),
        call.payment.id.as_str().to_owned(),
        call.payment.link.as_str().to_owned(),
        open_key(call),
        call.state.name(),
        payment_state(call.payment.state),
        call.quote.component.to_string(),
        encode(call)?,
        new.arguments.clone(),
        new.run_spec.clone(),
        due_at(call, call.created_at),
        call.created_at,
        call.quote.account.clone(),
        principal_key(&call.quote.principal),
        call.payment.reference.clone(),
        call.quote.expires_at,
        open_viewer(call).map(str::to_owned),
        brought(call).map(str::to_owned),
        named(call),
    ))
}

/// Writes a call that is locked in the version before.
pub(super) fn update(transition: &Transition) -> Result<Query, LedgerError> {
    let record = &transition.record;
    let call = &record.call;
    Ok(query!(
        "UPDATE call SET open_key = $1, state = $2, payment_state = $3, body = $4, arguments = $5, run_spec = $6,
                         version = $10::bigint, due_at = $7, updated_at = $8, reference = $11, viewer = $12,
                         named = $13
         WHERE id = $9 AND version = $10::bigint - 1",
        open_key(call),
        call.state.name(),
        payment_state(call.payment.state),
        encode(call)?,
        record.arguments.clone(),
        record.run_spec.clone(),
        transition.due_at(),
        record.updated_at,
        call.id.to_string(),
        record.version,
        call.payment.reference.clone(),
        open_viewer(call).map(str::to_owned),
        named(call),
    ))
}

/// Hides a call that is still in `version` until `until`, or for good.
pub(super) fn postpone(call: &str, version: i64, until: Option<Millis>) -> Query {
    query!(
        "UPDATE call SET due_at = $3 WHERE id = $1 AND version = $2",
        call.to_owned(),
        version,
        until,
    )
}

fn encode(call: &Call) -> Result<String, LedgerError> {
    serde_json::to_string(call).map_err(|e| LedgerError::Corrupt(e.to_string()))
}
