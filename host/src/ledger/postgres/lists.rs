//! Many calls at a time: listed, taken because they are due, read through for checks and exports.

use std::collections::HashMap;

use coinop_core::Millis;
use coinop_core::ids::CallId;

use super::accounts::{self, get};
use super::failed::Failed;
use super::pool::{Db, query, rows};
use super::records::{COLUMNS, columns, record, records};
use super::transaction::{BEGIN_SNAPSHOT, Transaction, nothing_refused};
use crate::ledger::{
    Audited, Filter, LedgerError, OPEN_TOOLS_MAX, OpenTool, Posted, Record, TakeDue,
};

/// The calls of a filter, the latest first. One round trip.
pub(super) async fn list(
    db: &Db,
    filter: &Filter,
    limit: u32,
) -> Result<Vec<Record>, Failed<LedgerError>> {
    let query = query!(
        concat!(
            "SELECT ",
            columns!(),
            " FROM call
             WHERE ($1::text IS NULL OR state = $1) AND ($2::text IS NULL OR account = $2)
               AND created_at >= $3 AND created_at < $4 AND (NOT $6::bool OR due_at IS NOT NULL)
             ORDER BY created_at DESC, n DESC LIMIT $5"
        ),
        filter.state.clone(),
        filter.account.clone(),
        filter.since.unwrap_or(Millis::MIN),
        filter.until.unwrap_or(Millis::MAX),
        i64::from(limit),
        filter.due,
    );
    Ok(records(&db.rows::<LedgerError>(query).await?)?)
}

/// The tools of a viewer's open calls. One round trip.
pub(super) async fn open_tools(
    db: &Db,
    viewer: &str,
    now: Millis,
) -> Result<Vec<OpenTool>, Failed<LedgerError>> {
    let query = query!(
        "SELECT body::json -> 'quote' ->> 'tool' AS tool, max(expires_at) FROM call
         WHERE viewer = $1 AND expires_at > $2 GROUP BY tool ORDER BY tool LIMIT $3",
        viewer.to_owned(),
        now,
        i64::from(OPEN_TOOLS_MAX),
    );
    let open = |row: &tokio_postgres::Row| {
        Ok(OpenTool {
            tool: get(row, 0)?,
            until: get(row, 1)?,
        })
    };
    let rows = db.rows::<LedgerError>(query).await?;
    let tools: Result<_, LedgerError> = rows.iter().map(open).collect();
    Ok(tools?)
}

/// Takes calls that a host should look at, the longest due first, by the database's time: what another host is just
/// taking or changing is passed over. One round trip.
pub(super) async fn take_due(db: &Db, take: &TakeDue) -> Result<Vec<Record>, Failed<LedgerError>> {
    let query = query!(
        concat!(
            "WITH t AS MATERIALIZED (SELECT floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint AS now),
                  due AS MATERIALIZED
                    (SELECT id, due_at FROM call WHERE due_at <= (SELECT now FROM t) AND account = ANY($1)
                     ORDER BY due_at LIMIT $2 FOR UPDATE SKIP LOCKED),
                  taken AS
                    (UPDATE call SET due_at = (SELECT now FROM t) + $3 FROM due WHERE call.id = due.id
                     RETURNING ", columns!(), ", due.due_at)
             SELECT body, arguments, run_spec, updated_at, version, now
             FROM t LEFT JOIN taken ON true ORDER BY taken.due_at"
        ),
        take.accounts.clone(),
        i64::from(take.limit),
        take.until - take.now,
    );
    let client = db.client().await?;
    let sent = db.clock.asked();
    // Not asked again after a lost answer: what it took comes back by itself.
    let taken = rows(&client, query)
        .await
        .map_err(|e| super::failed::unavailable(&e))?;
    if let Some(row) = taken.first() {
        db.heard(sent, get(row, COLUMNS)?);
    }
    let is_call = |row: &&tokio_postgres::Row| !matches!(get::<Option<&str>>(row, 0), Ok(None));
    let taken: Result<Vec<_>, LedgerError> = taken.iter().filter(is_call).map(record).collect();
    let taken = taken?;
    if !taken.is_empty() {
        db.committed();
    }
    Ok(taken)
}

/// Calls with all that is recorded of them, by id, as of one moment.
pub(super) async fn audit(
    db: &Db,
    after: Option<&CallId>,
    limit: u32,
) -> Result<Vec<Audited>, Failed<LedgerError>> {
    let query = query!(
        concat!(
            "SELECT ",
            columns!(),
            ", call.due_at, (SELECT body FROM receipt WHERE receipt.call = call.id),
                    EXISTS (SELECT 1 FROM outcome WHERE outcome.call = call.id), call.id
             FROM call WHERE id > $1 ORDER BY id LIMIT $2"
        ),
        after.map_or("", CallId::as_str).to_owned(),
        i64::from(limit),
    );
    let begun = Transaction::begin(db, BEGIN_SNAPSHOT, [query]).await?;
    let (transaction, [calls]) = (begun.transaction, begun.found);
    let ids: Result<Vec<String>, LedgerError> =
        calls.iter().map(|row| get(row, COLUMNS + 3)).collect();
    let mut entries: HashMap<String, Vec<Posted>> = HashMap::new();
    for row in &transaction
        .rows::<LedgerError>(accounts::posted(ids?))
        .await?
    {
        let of_call = entries.entry(get(row, 5)?).or_default();
        of_call.push(accounts::read_posted(row)?);
    }
    transaction
        .commit(Vec::new(), nothing_refused::<LedgerError>)
        .await?;
    let audited = calls.iter().map(|row| {
        Ok(Audited {
            record: record(row)?,
            due_at: get(row, COLUMNS)?,
            receipt: get(row, COLUMNS + 1)?,
            has_outcome: get(row, COLUMNS + 2)?,
            entries: entries
                .remove(get::<&str>(row, COLUMNS + 3)?)
                .unwrap_or_default(),
        })
    });
    let audited: Result<_, LedgerError> = audited.collect();
    Ok(audited?)
}
