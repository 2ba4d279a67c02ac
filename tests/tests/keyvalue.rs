//! What plugins keep from call to call: every store keeps one contract, and none of it is the ledger's.

use std::os::unix::fs::PermissionsExt as _;
use std::sync::Arc;

use coinop::keyvalue::KeyValue;
use coinop::keyvalue::memory::MemoryKeyValue;
use coinop::ledger::postgres::{PostgresKeyValue, PostgresLedger};
use coinop::ledger::sqlite::SqliteKeyValue;
use coinop_tests::era::Era;
use coinop_tests::home::Home;
use coinop_tests::keyvalue::Hosts;
use coinop_tests::keyvalue_contract;
use coinop_tests::postgres::Cluster;
use serde_json::json;
use tempfile::TempDir;

fn memory() -> (Hosts, ()) {
    let here: Arc<dyn KeyValue> = Arc::new(MemoryKeyValue::default());
    let there = Arc::clone(&here);
    (Hosts { here, there }, ())
}

fn file() -> (Hosts, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let open = || Arc::new(SqliteKeyValue::beside(&folder.path().join("ledger.db")));
    let (here, there) = (open(), open());
    (Hosts { here, there }, folder)
}

async fn database() -> (Hosts, ()) {
    let url = Cluster::shared().await.database().await;
    drop(PostgresLedger::open(&url).await.unwrap());
    let open = || Arc::new(PostgresKeyValue::new(&url).unwrap());
    let (here, there) = (open(), open());
    (Hosts { here, there }, ())
}

keyvalue_contract!(in_memory, memory());
keyvalue_contract!(in_a_file, file());
keyvalue_contract!(in_a_database, database().await);

const GRANTS: &str = "[plugins.granted.grants]\nkeyvalue_kib = 1\ncaller = true\n";

#[tokio::test]
async fn data_survives_the_host_and_is_in_a_file_of_its_own() {
    let home = Home::new().plugin("granted").config(GRANTS);
    let steps = json!({ "steps": [["increment", "visits", 1]] });
    for expected in ["[1]", "[2]"] {
        let client = home.stdio(Era::Legacy).await;
        assert_eq!(
            client.call("keyvalue", steps.clone()).await.text(),
            expected
        );
    }
    let file = home.path("ledger.db-keyvalue");
    let mode = std::fs::metadata(&file).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let full = json!({ "steps": [["fill", "a", 2000]] });
    let client = home.stdio(Era::Legacy).await;
    let answer = client.call("keyvalue", full).await.text();
    assert!(answer.contains("the quota is used up"), "{answer}");
}

#[tokio::test]
async fn a_host_whose_plugins_keep_nothing_has_no_such_file() {
    let home = Home::new().plugin("granted");
    let client = home.stdio(Era::Legacy).await;
    let answer = client.call("keyvalue", json!({ "steps": [] })).await.text();
    assert_eq!(answer, "\"error: access denied\"");
    assert!(!home.path("ledger.db-keyvalue").exists());
}

#[tokio::test]
async fn hosts_of_one_database_share_data_and_pseudonyms() {
    let url = Cluster::shared().await.database().await;
    let home = Home::new().plugin("granted").config(GRANTS).database(&url);
    let (one, two) = (home.stdio(Era::Legacy).await, home.stdio(Era::Modern).await);
    let steps = json!({ "steps": [["increment", "visits", 1]] });
    assert_eq!(one.call("keyvalue", steps.clone()).await.text(), "[1]");
    assert_eq!(two.call("keyvalue", steps).await.text(), "[2]");
    let name = one.call("caller", json!({})).await.text();
    assert!(name.len() >= 43 && !name.contains("local"), "{name}");
    assert_eq!(two.call("caller", json!({})).await.text(), name);
}

#[tokio::test]
async fn a_plugin_knows_its_caller_only_where_that_is_granted_and_apart_from_others() {
    let home = Home::new().plugin("granted").config(GRANTS);
    let mine = home
        .stdio(Era::Legacy)
        .await
        .call("caller", json!({}))
        .await;
    let without = Home::new().plugin("granted");
    let none = without
        .stdio(Era::Legacy)
        .await
        .call("caller", json!({}))
        .await;
    assert_eq!(none.text(), "");
    // Another ledger knows the same user by another name.
    let elsewhere = Home::new().plugin("granted").config(GRANTS);
    let other = elsewhere
        .stdio(Era::Legacy)
        .await
        .call("caller", json!({}))
        .await;
    assert_ne!(mine.text(), other.text());
}
