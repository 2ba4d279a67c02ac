//! What the ledger's file says, read beside the hosts.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rusqlite::{Connection, OpenFlags};
use serde_json::Value;

use crate::home::Home;

/// A payment that nobody has made yet.
pub struct Asked {
    /// The last part of the payment page's path.
    pub link: String,
    /// The published name of the tool that was called.
    pub tool: String,
    /// When it was asked for.
    pub at: SystemTime,
}

/// A ledger, read only.
pub struct Books(Connection);

impl Books {
    /// The ledger of this home.
    pub fn of(home: &Home) -> Self {
        let opened = Connection::open_with_flags(home.ledger(), OpenFlags::SQLITE_OPEN_READ_ONLY);
        Self(opened.expect("the host made its ledger"))
    }

    /// How often a run of this payment's call was started: every start is a claim, and every claim counts.
    pub fn runs(&self, payment: &str) -> u64 {
        let body: String = self
            .0
            .query_row(
                "SELECT body FROM call WHERE payment_id = ?1",
                [payment],
                |row| row.get(0),
            )
            .expect("the payment is in the ledger");
        let call: Value = serde_json::from_str(&body).expect("a call is JSON");
        call["epoch"]
            .as_u64()
            .unwrap_or_else(|| panic!("a call has an epoch: {call}"))
    }

    /// The call whose payment page has this link's token, as the ledger keeps it; null when there is none.
    pub fn call_behind(&self, link: &str) -> Value {
        let body: Result<String, _> =
            self.0
                .query_row("SELECT body FROM call WHERE link = ?1", [link], |row| {
                    row.get(0)
                });
        match body {
            Ok(body) => serde_json::from_str(&body).expect("a call is JSON"),
            Err(rusqlite::Error::QueryReturnedNoRows) => Value::Null,
            Err(error) => panic!("the ledger cannot be read: {error}"),
        }
    }

    /// The calls whose payment came with them, and whose payment's reference has this in it, oldest first.
    pub fn brought(&self, part: &str) -> Vec<String> {
        let mut select = self
            .0
            .prepare("SELECT id FROM call WHERE instr(brought, ?1) ORDER BY created_at")
            .expect("the ledger has calls");
        let rows = select.query_map([part], |row| row.get(0));
        rows.and_then(Iterator::collect)
            .expect("the ledger can be read")
    }

    /// The payments that are waited for, oldest first.
    pub fn asked(&self) -> Vec<Asked> {
        let mut select = self
            .0
            .prepare(
                "SELECT link, body ->> '$.quote.tool', created_at FROM call
                 WHERE payment_state = 'pending' ORDER BY created_at",
            )
            .expect("the ledger has calls");
        let rows = select.query_map([], |row| {
            let created_ms: i64 = row.get(2)?;
            Ok(Asked {
                link: row.get(0)?,
                tool: row.get(1)?,
                at: UNIX_EPOCH + Duration::from_millis(created_ms.unsigned_abs()),
            })
        });
        rows.and_then(Iterator::collect)
            .expect("the ledger can be read")
    }

    /// How many calls there are.
    pub fn calls(&self) -> u64 {
        self.count("SELECT count(*) FROM call")
    }

    /// The states of all calls, oldest first.
    pub fn states(&self) -> Vec<String> {
        let mut select = self
            .0
            .prepare("SELECT state FROM call ORDER BY created_at")
            .expect("the ledger has calls");
        let rows = select.query_map([], |row| row.get(0));
        rows.and_then(Iterator::collect)
            .expect("the ledger can be read")
    }

    /// The sum of all entries of each currency; every one must be zero.
    pub fn imbalances(&self) -> u64 {
        self.count(
            "SELECT count(*) FROM (SELECT 1 FROM entry GROUP BY currency HAVING sum(amount) <> 0)",
        )
    }

    /// What providers hold for us in a currency, in the ledger's smallest units.
    pub fn takings(&self, currency: &str) -> i64 {
        let sql =
            "SELECT coalesce(sum(amount), 0) FROM entry WHERE book = 'clearing' AND currency = ?1";
        let sum = self.0.query_row(sql, [currency], |row| row.get(0));
        sum.expect("the ledger can be read")
    }

    /// How many webhooks were dealt with.
    pub fn webhooks(&self) -> u64 {
        self.count("SELECT count(*) FROM webhook")
    }

    /// How many of the sandbox's webhooks are still to be sent.
    pub fn webhooks_waiting(&self) -> u64 {
        self.count("SELECT count(*) FROM sandbox_event")
    }

    fn count(&self, sql: &str) -> u64 {
        let count: i64 = self
            .0
            .query_row(sql, [], |row| row.get(0))
            .expect("the ledger can be read");
        count.unsigned_abs()
    }
}
