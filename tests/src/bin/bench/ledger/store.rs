//! The two stores, alike: fresh ledgers, hosts' homes on them, and a way to read and fill them beside the hosts.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result};
use coinop::ledger::Ledger;
use coinop::ledger::postgres::PostgresLedger;
use coinop::ledger::sqlite::SqliteLedger;
use coinop_tests::home::Home;
use coinop_tests::postgres::{Cluster, connect};
use rusqlite::Connection;
use tokio::runtime::Runtime;
use tokio_postgres::Client;

use crate::servers;

/// A server with the memory that a small one has, so that what is measured is the ledger and not a test's thrift.
const SETTINGS: &[(&str, &str)] = &[("shared_buffers", "512MB"), ("max_wal_size", "4GB")];

/// Which store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Sqlite,
    Postgres,
}

impl Kind {
    pub(super) const ALL: [Self; 2] = [Self::Sqlite, Self::Postgres];

    /// As the table says it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Sqlite => "SQLite",
            Self::Postgres => "PostgreSQL",
        }
    }
}

/// A store that is running.
pub(super) struct Store {
    pub(super) kind: Kind,
    cluster: Option<Cluster>,
    pub(super) runtime: Runtime,
}

/// A ledger of a store, empty at first.
pub(super) struct Place {
    /// Where its hosts run.
    pub(super) home: Home,
    url: Option<String>,
}

impl Store {
    pub(super) fn start(kind: Kind) -> Result<Self> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()?;
        let cluster = match kind {
            Kind::Sqlite => None,
            Kind::Postgres => Some(runtime.block_on(Cluster::with(SETTINGS))),
        };
        Ok(Self {
            kind,
            cluster,
            runtime,
        })
    }

    /// A folder on the disk that its ledgers are on.
    pub(super) fn folder(&self) -> Result<PathBuf> {
        match &self.cluster {
            Some(cluster) => Ok(cluster.folder().to_owned()),
            None => {
                let folder = coinop_tests::paths::target().join("bench");
                std::fs::create_dir_all(&folder)?;
                Ok(folder)
            }
        }
    }

    /// An empty ledger.
    pub(super) fn place(&self) -> Place {
        let home = servers::home().plugin("echo");
        match &self.cluster {
            None => Place { home, url: None },
            Some(cluster) => {
                let url = self.runtime.block_on(cluster.database());
                Place {
                    home: home.database(&url),
                    url: Some(url),
                }
            }
        }
    }

    /// The ledger of a place, opened here as a host opens it.
    pub(super) fn open(&self, place: &Place) -> Result<Arc<dyn Ledger>> {
        match &place.url {
            None => Ok(Arc::new(SqliteLedger::open(&place.home.ledger(), 0)?)),
            Some(url) => {
                let opened = self.runtime.block_on(PostgresLedger::open(url));
                Ok(Arc::new(opened?))
            }
        }
    }

    /// A connection for statements of our own.
    pub(super) fn raw(&self, place: &Place) -> Result<Raw<'_>> {
        match &place.url {
            None => Raw::file(&place.home.ledger()),
            Some(url) => Ok(Raw::Database(
                &self.runtime,
                self.runtime.block_on(connect(url)),
            )),
        }
    }
}

/// Statements of our own, without parameters.
pub(super) enum Raw<'a> {
    File(Connection),
    Database(&'a Runtime, Client),
}

impl Raw<'_> {
    fn file(path: &Path) -> Result<Self> {
        let file = Connection::open(path).context("the host made its ledger")?;
        // What it writes need not survive.
        file.execute_batch("PRAGMA synchronous = OFF; PRAGMA cache_size = -1000000;")?;
        Ok(Self::File(file))
    }

    /// Runs statements, in one transaction.
    pub(super) fn run(&mut self, sql: &str) -> Result<()> {
        match self {
            Self::File(file) => {
                let transaction = file.transaction()?;
                transaction.execute_batch(sql)?;
                transaction.commit()?;
            }
            // Several statements of one query are one transaction.
            Self::Database(runtime, client) => runtime.block_on(client.batch_execute(sql))?,
        }
        Ok(())
    }

    /// The texts of a query's first row.
    pub(super) fn row(&self, sql: &str, columns: usize) -> Result<Vec<String>> {
        match self {
            Self::File(file) => {
                Ok(file.query_row(sql, [], |row| (0..columns).map(|n| row.get(n)).collect())?)
            }
            Self::Database(runtime, client) => {
                let row = runtime.block_on(client.query_one(sql, &[]))?;
                (0..columns).map(|n| Ok(row.try_get(n)?)).collect()
            }
        }
    }
}
