//! Fills a ledger with calls that have ended, as copies of one that a host really finished: its row, outcome, entries,
//! receipt and the provider's own line, under random ids and at times of the past months.

use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use super::store::{Kind, Place, Store};

/// Rows of one transaction.
const BATCH: u64 = 50_000;
const DAY_MS: i64 = 86_400_000;
/// The ages of finished calls, days.
pub(super) const AGE_DAYS: std::ops::Range<i64> = 40..100;

/// Adds `count` finished calls; a host must have finished one already. Returns how long it took.
pub(super) fn fill(store: &Store, place: &Place, count: u64) -> Result<Duration> {
    let began = Instant::now();
    let mut raw = store.raw(place)?;
    let newest = "SELECT id, payment_id, link, coalesce(reference, ''), CAST(updated_at AS TEXT),
                         CAST((SELECT count(*) FROM receipt WHERE chain = 'filled') AS TEXT)
                  FROM call WHERE state = 'deliverable' AND open_key IS NULL ORDER BY updated_at DESC LIMIT 1";
    let template = raw.row(newest, 6)?;
    let [id, payment, link, reference, at, filled] = template.as_slice() else {
        bail!("a call has six of these");
    };
    let (now, filled): (i64, u64) = (at.parse()?, filled.parse()?);
    let dialect = Dialect::of(store.kind);
    raw.run(&dialect.fresh())?;
    let mut made = 0;
    while made < count {
        let batch = BATCH.min(count - made);
        let oldest = now - AGE_DAYS.end * DAY_MS;
        let span = (AGE_DAYS.end - AGE_DAYS.start) * DAY_MS;
        // Times go up with the numbers, as they do in life.
        let time = format!("{oldest} + (n + {made}) * {} / {count}", span);
        let ids = [id, payment, link, reference].map(|like| dialect.random(like));
        raw.run(&format!(
            "DELETE FROM fresh;
             INSERT INTO fresh SELECT n + {filled} + {made}, {}, {}, {}, {}, {time} FROM {};",
            ids[0],
            ids[1],
            ids[2],
            ids[3],
            dialect.series(batch),
        ))?;
        raw.run(&copies(id))?;
        made += batch;
    }
    raw.run("DROP TABLE fresh;")?;
    raw.run("ANALYZE;")?;
    Ok(began.elapsed())
}

/// What every store says alike.
fn copies(template: &str) -> String {
    format!(
        "INSERT INTO call (id, payment_id, link, open_key, state, payment_state, component, body, arguments, run_spec,
                           version, due_at, created_at, updated_at, account, principal, reference, expires_at)
         SELECT f.id, f.payment, f.link, NULL, c.state, c.payment_state, c.component,
                replace(replace(replace(replace(c.body, c.id, f.id), c.payment_id, f.payment), c.link, f.link),
                        c.reference, f.reference),
                NULL, NULL, c.version, NULL, f.at, f.at, c.account, c.principal, f.reference, f.at + 900000
         FROM fresh f, call c WHERE c.id = '{template}';
         INSERT INTO outcome (call, body, stored_at)
         SELECT f.id, o.body, f.at FROM fresh f, outcome o WHERE o.call = '{template}';
         INSERT INTO entry (call, book, account, currency, amount, at, change)
         SELECT f.id, e.book, e.account, e.currency, e.amount, f.at, e.change
         FROM fresh f, entry e WHERE e.call = '{template}';
         INSERT INTO receipt (call, chain, number, body)
         SELECT f.id, 'filled', f.n, r.body
         FROM fresh f, receipt r WHERE r.call = '{template}';
         INSERT INTO sandbox_payment (reference, state, amount, currency, refunded, at)
         SELECT f.reference, s.state, s.amount, s.currency, s.refunded, f.at
         FROM fresh f, sandbox_payment s, call c WHERE c.id = '{template}' AND s.reference = c.reference;"
    )
}

/// What the stores say differently.
#[derive(Clone, Copy)]
struct Dialect(Kind);

impl Dialect {
    fn of(kind: Kind) -> Self {
        Self(kind)
    }

    /// The table of new ids.
    fn fresh(self) -> String {
        let integer = match self.0 {
            Kind::Sqlite => "INTEGER",
            Kind::Postgres => "BIGINT",
        };
        format!(
            "CREATE TEMPORARY TABLE fresh
               (n {integer}, id TEXT, payment TEXT, link TEXT, reference TEXT, at {integer});"
        )
    }

    /// Random text with the prefix and the length of `like`.
    fn random(self, like: &str) -> String {
        let prefix = like
            .split_inclusive('_')
            .next()
            .filter(|p| p.ends_with('_'));
        let prefix = prefix.unwrap_or_default();
        let length = like.len() - prefix.len();
        let hex = match self.0 {
            Kind::Sqlite => "lower(hex(randomblob(32)))".to_owned(),
            Kind::Postgres => {
                let word = "replace(gen_random_uuid()::text, '-', '')";
                format!("({word} || {word})")
            }
        };
        format!("'{prefix}' || substr({hex}, 1, {length})")
    }

    /// Rows with the numbers from 0 in the column `n`.
    fn series(self, count: u64) -> String {
        match self.0 {
            Kind::Sqlite => format!(
                "(WITH RECURSIVE series (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM series WHERE n < {count} - 1)
                  SELECT n FROM series)"
            ),
            Kind::Postgres => format!("generate_series(0::bigint, {count} - 1) AS series (n)"),
        }
    }
}
