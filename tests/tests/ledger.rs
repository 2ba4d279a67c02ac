//! Every store keeps the same contract.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use coinop::app::Store;
use coinop::clock::{Clock, SystemClock};
use coinop::ledger::postgres::PostgresLedger;
use coinop::ledger::sqlite::SqliteLedger;
use coinop_core::Millis;
use coinop_tests::contract::{Desk, Place, caller, usd};
use coinop_tests::ledger_contract;
use coinop_tests::postgres::{Cluster, connect};
use futures::future::BoxFuture;
use tempfile::TempDir;

/// A SQLite file: its time is what hosts say.
struct File {
    folder: TempDir,
    passed: AtomicI64,
}

impl File {
    fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
            passed: AtomicI64::new(0),
        }
    }
}

impl Place for File {
    fn open(&self) -> BoxFuture<'_, Arc<dyn Store>> {
        let path = self.folder.path().join("ledger.db");
        let opened: Arc<dyn Store> = Arc::new(SqliteLedger::open(&path, self.now()).unwrap());
        Box::pin(std::future::ready(opened))
    }

    fn now(&self) -> Millis {
        SystemClock.now() + self.passed.load(Ordering::SeqCst)
    }

    fn pass(&self, ms: Millis) -> BoxFuture<'_, ()> {
        self.passed.fetch_add(ms, Ordering::SeqCst);
        Box::pin(std::future::ready(()))
    }
}

/// A PostgreSQL database: it has a clock of its own, so what is stored grows older instead.
struct Database {
    url: String,
    ledger: Arc<PostgresLedger>,
}

impl Database {
    async fn new() -> Self {
        let url = Cluster::shared().await.database().await;
        let ledger = Arc::new(PostgresLedger::open(&url).await.unwrap());
        Self { url, ledger }
    }
}

impl Place for Database {
    fn open(&self) -> BoxFuture<'_, Arc<dyn Store>> {
        Box::pin(async {
            let opened: Arc<dyn Store> = Arc::new(PostgresLedger::open(&self.url).await.unwrap());
            opened
        })
    }

    fn now(&self) -> Millis {
        coinop::ledger::Ledger::clock(&*self.ledger).now()
    }

    fn pass(&self, ms: Millis) -> BoxFuture<'_, ()> {
        let aged = format!(
            "UPDATE call SET created_at = created_at - {ms}, updated_at = updated_at - {ms},
                             due_at = due_at - {ms}, expires_at = expires_at - {ms};
             UPDATE outcome SET stored_at = stored_at - {ms};
             UPDATE component SET kept_at = kept_at - {ms};
             UPDATE webhook SET at = at - {ms};
             UPDATE spent SET day = day - {};",
            ms / 86_400_000
        );
        Box::pin(async move {
            let client = connect(&self.url).await;
            client.batch_execute(&aged).await.unwrap();
        })
    }
}

ledger_contract!(sqlite, File::new());
ledger_contract!(postgres, Database::new().await);

/// A ledger as the version before wrote it, with an open call, is taken over as it is.
async fn taken_over(place: &dyn Place, take_back: impl AsyncFnOnce()) {
    let before = Desk::at(place).await;
    let kept = before.opened(&caller("ann")).await;
    drop(before);
    take_back().await;
    let desk = Desk::at(place).await;
    assert_eq!(desk.stored(&kept).await.call, kept.call);
    desk.paid(&kept).await;
    let mut new = desk.draft_of(&caller("ann"), "{\"another\":1}", usd("1"));
    new.call.viewer = Some("one".to_owned());
    desk.open(new).await.unwrap();
    let open = desk.there.open_tools("one".to_owned(), desk.now()).await;
    assert_eq!(open.unwrap().len(), 1);
}

#[tokio::test]
async fn a_file_of_the_version_before_is_taken_over() {
    let place = File::new();
    let path = place.folder.path().join("ledger.db");
    let take_back = async || {
        let file = rusqlite::Connection::open(path).unwrap();
        let before = "DROP INDEX call_viewer; ALTER TABLE call DROP COLUMN viewer;
                      DROP INDEX call_brought; ALTER TABLE call DROP COLUMN brought;
                      DROP INDEX call_named; ALTER TABLE call DROP COLUMN named;
                      PRAGMA user_version = 2";
        file.execute_batch(before).unwrap();
    };
    taken_over(&place, take_back).await;
}

#[tokio::test]
async fn a_database_of_the_version_before_is_taken_over() {
    let place = Database::new().await;
    let take_back = async || {
        let before = "ALTER TABLE call DROP COLUMN viewer, DROP COLUMN brought, DROP COLUMN named;
                      DROP TABLE keyvalue, keyvalue_plugin;
                      UPDATE ledger SET schema = 1";
        let admin = connect(&place.url).await;
        admin.batch_execute(before).await.unwrap();
    };
    taken_over(&place, take_back).await;
}
