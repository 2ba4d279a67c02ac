//! Opening the database: recognised or refused, and migrated by one host at a time.

use std::time::Duration;

use coinop_core::Millis;
use coinop_core::receipt::SigningKey;
use tokio_postgres::Client;
use tokio_postgres::types::ToSql;

use super::clock::DatabaseClock;
use super::failed::in_words;
use super::tls::connector;
use super::transaction::NOW;
use super::url::Target;
use crate::clock::Clock as _;

/// Every migration, in order. Released ones are never edited.
const MIGRATIONS: &[&str] = &[
    include_str!("../../../migrations/postgres/0001_ledger.sql"),
    include_str!("../../../migrations/postgres/0002_viewers.sql"),
    include_str!("../../../migrations/postgres/0003_brought.sql"),
    include_str!("../../../migrations/postgres/0004_keyvalue.sql"),
];
/// Serialises hosts that start together on one database: `coinop` in ASCII.
const LOCK: i64 = 0x636f_696e_6f70;
/// The oldest server that is taken, as it numbers itself: everything that is used here is in it.
const SERVER_MIN: i32 = 130_000;
/// How long opening may take, other hosts' migrations included.
const OPEN_WAIT: Duration = Duration::from_secs(30);

/// Why the database is no ledger. Names host and database, never the URL: it holds a password.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The URL is none.
    #[error("the URL of --state {0}")]
    Url(String),
    /// A later version of coinop wrote it.
    #[error(
        "the ledger {name} was written by a later version of coinop (schema {found}, this one knows {known}): upgrade coinop"
    )]
    TooNew {
        /// Host and database.
        name: String,
        /// Its schema.
        found: u32,
        /// The latest schema known.
        known: u32,
    },
    /// Something else is in there.
    #[error(
        "cannot open the ledger {name}: the schema {schema:?} holds the tables of another program; make a database for \
         coinop, or an empty schema and name it by ?options=-csearch_path%3DSCHEMA in --state"
    )]
    Foreign {
        /// Host and database.
        name: String,
        /// Its schema, in PostgreSQL's sense of the word.
        schema: String,
    },
    /// There is none, and none was to be made.
    #[error("there is no ledger {name}: no coinop has run with it yet; --state names another one")]
    Absent {
        /// Host and database.
        name: String,
    },
    /// It cannot be reached or used.
    #[error("cannot open the ledger {name}: {reason}; --state says where it is")]
    Unusable {
        /// Host and database.
        name: String,
        /// Why.
        reason: String,
    },
}

/// A ledger that was opened.
pub(super) struct Opened {
    /// Its random name.
    pub(super) id: String,
    /// The schema, in PostgreSQL's sense of the word, that holds its tables.
    pub(super) schema: String,
}

/// What becomes of a database without a ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Missing {
    /// It gets one.
    Make,
    /// It is left as it is.
    Refuse,
}

/// Opens the ledger in the database, and asks its clock.
pub(super) async fn open(
    target: &Target,
    clock: &DatabaseClock,
    missing: Missing,
) -> Result<Opened, OpenError> {
    let unusable = |reason: String| OpenError::Unusable {
        name: target.to_string(),
        reason,
    };
    let opening = async {
        let tls = connector(&target.tls).map_err(unusable)?;
        let connected = target.config.connect(tls).await;
        let (client, connection) = connected.map_err(|e| unusable(in_words(&e)))?;
        // It ends when `client` is dropped.
        let connection = tokio::spawn(connection);
        let opened = Opening {
            target,
            client,
            clock,
            missing,
        }
        .run()
        .await;
        let _ = connection.await;
        opened
    };
    match tokio::time::timeout(OPEN_WAIT, opening).await {
        Ok(opened) => opened,
        Err(_) => Err(unusable(format!(
            "it has not answered within {OPEN_WAIT:?}"
        ))),
    }
}

struct Opening<'a> {
    target: &'a Target,
    client: Client,
    clock: &'a DatabaseClock,
    missing: Missing,
}

impl Opening<'_> {
    async fn run(self) -> Result<Opened, OpenError> {
        self.check_server().await?;
        let begin = format!(
            "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE; SET LOCAL synchronous_commit = on;
             SELECT pg_advisory_xact_lock({LOCK})"
        );
        self.execute(&begin).await?;
        // Dropped on an error, the connection takes the transaction with it.
        let (schema, found) = self.recognise().await?;
        if found == 0 && self.missing == Missing::Refuse {
            let name = self.target.to_string();
            return Err(OpenError::Absent { name });
        }
        let now = self.now().await?;
        self.migrate(&schema, found, now).await?;
        let id = self.text("SELECT id FROM ledger").await?;
        self.execute("COMMIT").await?;
        let id = id.ok_or_else(|| self.unusable("it has no name"))?;
        Ok(Opened { id, schema })
    }

    async fn check_server(&self) -> Result<(), OpenError> {
        let version = self.text("SHOW server_version_num").await?;
        let version: i32 = version.and_then(|v| v.parse().ok()).unwrap_or(0);
        if version < SERVER_MIN {
            let needs = format!("PostgreSQL {} or later is needed", SERVER_MIN / 10_000);
            return Err(self.unusable(needs));
        }
        let encoding = self.text("SHOW server_encoding").await?;
        match encoding.as_deref() {
            Some("UTF8") => Ok(()),
            other => Err(self.unusable(format!(
                "its encoding is {}: make the database with ENCODING 'UTF8'",
                other.unwrap_or("unknown")
            ))),
        }
    }

    /// Where the ledger's tables are, or are to be made, and how many migrations they have seen.
    async fn recognise(&self) -> Result<(String, u32), OpenError> {
        let holder = self.text(
            "SELECT nspname::text FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
             WHERE pg_class.oid = to_regclass('ledger')",
        );
        if let Some(schema) = holder.await? {
            let ours = self.number(
                "SELECT count(*) FROM pg_attribute WHERE attrelid = to_regclass('ledger') AND NOT attisdropped
                 AND attname IN ('id', 'created_at', 'schema')",
            );
            if ours.await? != Some(3) {
                return Err(self.foreign(schema));
            }
            let found = self.number("SELECT schema::bigint FROM ledger").await?;
            let found = found.and_then(|n| u32::try_from(n).ok());
            return Ok((schema.clone(), found.ok_or_else(|| self.foreign(schema))?));
        }
        let Some(schema) = self.text("SELECT current_schema()::text").await? else {
            return Err(self.unusable("no schema of the search path exists"));
        };
        let others = self.number(
            "SELECT count(*) FROM pg_class WHERE relnamespace = current_schema()::regnamespace
             AND relkind IN ('r', 'p') AND NOT EXISTS
               (SELECT 1 FROM pg_depend WHERE objid = pg_class.oid AND deptype = 'e')",
        );
        match others.await? {
            Some(0) => Ok((schema, 0)),
            _ => Err(self.foreign(schema)),
        }
    }

    async fn migrate(&self, schema: &str, found: u32, now: Millis) -> Result<(), OpenError> {
        let known = MIGRATIONS.len() as u32;
        if found > known {
            let name = self.target.to_string();
            return Err(OpenError::TooNew { name, found, known });
        }
        let quoted = schema.replace('"', "\"\"");
        self.execute(&format!("SET LOCAL search_path = \"{quoted}\""))
            .await?;
        for migration in &MIGRATIONS[found as usize..] {
            self.execute(migration).await?;
        }
        if found == 0 {
            let key = crate::random::secret();
            let key_id = SigningKey::from_secret(&key).id().to_owned();
            let id = crate::random::token();
            let name = "INSERT INTO ledger (id, created_at, schema) VALUES ($1, $2, $3)";
            self.insert(name, &[&id, &now, &(known as i32)]).await?;
            let first_key = "INSERT INTO receipt_key (id, secret, created_at) VALUES ($1, $2, $3)";
            self.insert(first_key, &[&key_id, &&key[..], &now]).await?;
        } else if found < known {
            self.execute(&format!("UPDATE ledger SET schema = {known}"))
                .await?;
        }
        Ok(())
    }

    async fn now(&self) -> Result<Millis, OpenError> {
        let sent = self.clock.asked();
        let told = self.number(NOW).await?;
        let told = told.ok_or_else(|| self.unusable("it does not tell the time"))?;
        self.clock.heard(sent, told);
        tracing::debug!(now = self.clock.now(), "the database's clock is followed");
        Ok(told)
    }

    async fn insert(&self, sql: &str, values: &[&(dyn ToSql + Sync)]) -> Result<(), OpenError> {
        let done = self.client.execute(sql, values).await;
        done.map(drop).map_err(|e| self.unusable(in_words(&e)))
    }

    async fn execute(&self, sql: &str) -> Result<(), OpenError> {
        let done = self.client.batch_execute(sql).await;
        done.map_err(|e| self.unusable(in_words(&e)))
    }

    async fn text(&self, sql: &str) -> Result<Option<String>, OpenError> {
        let row = self.client.query_opt(sql, &[]).await;
        let value = row.and_then(|row| row.map(|row| row.try_get(0)).transpose());
        value
            .map(Option::flatten)
            .map_err(|e| self.unusable(in_words(&e)))
    }

    async fn number(&self, sql: &str) -> Result<Option<i64>, OpenError> {
        let row = self.client.query_opt(sql, &[]).await;
        let value = row.and_then(|row| row.map(|row| row.try_get(0)).transpose());
        value
            .map(Option::flatten)
            .map_err(|e| self.unusable(in_words(&e)))
    }

    fn unusable(&self, reason: impl Into<String>) -> OpenError {
        OpenError::Unusable {
            name: self.target.to_string(),
            reason: reason.into(),
        }
    }

    fn foreign(&self, schema: String) -> OpenError {
        OpenError::Foreign {
            name: self.target.to_string(),
            schema,
        }
    }
}
