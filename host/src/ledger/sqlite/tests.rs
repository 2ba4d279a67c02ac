//! The file itself: who may read it, what is refused, and how commits are shared.

use std::sync::Arc;

use coinop_core::digest::Digest;

use super::SqliteLedger;
use super::writer::Worker;
use crate::ledger::{Components as _, Ledger as _, LedgerError};

#[tokio::test]
async fn concurrent_operations_share_commits() {
    let folder = tempfile::tempdir().unwrap();
    let ledger = Arc::new(SqliteLedger::open(&folder.path().join("l"), 0).unwrap());
    let operations = (0..400_u32).map(|n| {
        let ledger = ledger.clone();
        tokio::spawn(async move {
            ledger
                .set_blocked(Digest::of(&n.to_le_bytes()), true, 0)
                .await
        })
    });
    for done in futures::future::join_all(operations).await {
        done.unwrap().unwrap();
    }
    assert_eq!(ledger.blocked().await.unwrap().len(), 400);
    assert!(
        ledger.commits() < 400,
        "{} commits for 400 operations",
        ledger.commits()
    );
}

/// What is told of two operations that share a commit with `between`, and what is there afterwards.
async fn told_and_there(
    between: fn(&rusqlite::Connection) -> Result<(), LedgerError>,
) -> (Vec<bool>, Vec<bool>) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("l");
    let db = rusqlite::Connection::open(&path).unwrap();
    db.execute_batch("CREATE TABLE t (n INTEGER)").unwrap();
    let writer = Worker::writer(db).unwrap();
    let (go, wait) = std::sync::mpsc::channel::<()>();
    let held = writer.run::<_, LedgerError, _>(move |_| {
        wait.recv().unwrap();
        Ok(())
    });
    let insert = |n: i64| {
        writer.run::<_, LedgerError, _>(move |db| {
            Ok(db.execute("INSERT INTO t VALUES (?1)", [n]).map(drop)?)
        })
    };
    let queued = async {
        let release = async { go.send(()).unwrap() };
        tokio::join!(insert(0), writer.run(between), insert(1), release)
    };
    let (_, (first, _, last, ())) = tokio::join!(held, queued);
    let after = insert(2).await;
    drop(writer);
    let db = rusqlite::Connection::open(&path).unwrap();
    let there = |n: i64| {
        let mut query = db.prepare("SELECT 1 FROM t WHERE n = ?1").unwrap();
        query.exists([n]).unwrap()
    };
    let told = [first, last, after].iter().map(Result::is_ok).collect();
    (told, (0..3).map(there).collect())
}

#[tokio::test]
async fn what_is_told_of_a_commit_is_so_when_the_database_gives_its_transaction_up() {
    // As on a full disk, in the middle of a group.
    let (told, there) = told_and_there(|db| {
        db.execute_batch("ROLLBACK")?;
        Err(LedgerError::Unavailable("disk full".into()))
    })
    .await;
    assert_eq!(told, there);
    assert!(there[2], "the writer goes on");
}

#[tokio::test]
async fn an_operation_that_panics_takes_nothing_with_it() {
    let (told, there) = told_and_there(|_| panic!("a bug")).await;
    assert_eq!((told, there), (vec![true; 3], vec![true; 3]));
}

#[test]
fn hosts_that_start_together_share_one_new_ledger() {
    for _ in 0..20 {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("l");
        let together = std::sync::Barrier::new(6);
        let open = || {
            together.wait();
            SqliteLedger::open(&path, 0).map(|ledger| ledger.id().to_owned())
        };
        let ids: Vec<_> = std::thread::scope(|scope| {
            let hosts: Vec<_> = (0..6).map(|_| scope.spawn(open)).collect();
            hosts.into_iter().map(|h| h.join().unwrap()).collect()
        });
        let first = ids[0].as_ref().unwrap();
        for id in &ids {
            assert_eq!(id.as_ref().map_err(ToString::to_string), Ok(first));
        }
    }
}

#[tokio::test]
async fn what_was_acknowledged_is_there_for_the_next_process() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("deep/er/l");
    let first = SqliteLedger::open(&path, 0).unwrap();
    let digest = Digest::of(b"bytes");
    first
        .keep_component(digest, Arc::from(&b"bytes"[..]), 1)
        .await
        .unwrap();
    let second = SqliteLedger::open(&path, 0).unwrap();
    assert_eq!(second.id(), first.id());
    assert_eq!(&*second.component(digest).await.unwrap().unwrap(), b"bytes");
    assert_eq!(second.component(Digest::of(b"other")).await.unwrap(), None);
}

#[tokio::test]
async fn components_are_forgotten_only_when_nobody_kept_them_lately() {
    let folder = tempfile::tempdir().unwrap();
    let ledger = SqliteLedger::open(&folder.path().join("l"), 0).unwrap();
    let (old, renewed) = (Digest::of(b"old"), Digest::of(b"renewed"));
    ledger
        .keep_component(old, Arc::from(&b"old"[..]), 1)
        .await
        .unwrap();
    ledger
        .keep_component(renewed, Arc::from(&b"renewed"[..]), 1)
        .await
        .unwrap();
    ledger
        .keep_component(renewed, Arc::from(&b"renewed"[..]), 9)
        .await
        .unwrap();
    ledger.forget(5).await.unwrap();
    assert_eq!(ledger.component(old).await.unwrap(), None);
    assert!(ledger.component(renewed).await.unwrap().is_some());
}

#[cfg(unix)]
#[test]
fn only_the_owner_may_read_the_file() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("l");
    drop(SqliteLedger::open(&path, 0).unwrap());
    for file in std::fs::read_dir(folder.path()).unwrap() {
        let mode = file.unwrap().metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0);
    }
}

#[test]
fn a_later_schema_and_a_foreign_file_are_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let later = folder.path().join("later");
    drop(SqliteLedger::open(&later, 0).unwrap());
    let db = rusqlite::Connection::open(&later).unwrap();
    db.pragma_update(None, "user_version", 99).unwrap();
    drop(db);
    let error = SqliteLedger::open(&later, 0).err().unwrap().to_string();
    assert!(
        error.contains("later version") && error.contains("upgrade"),
        "{error}"
    );
    let text = folder.path().join("text");
    std::fs::write(
        &text,
        "not a database, but long enough to look at twice".repeat(40),
    )
    .unwrap();
    let error = SqliteLedger::open(&text, 0).err().unwrap().to_string();
    assert!(error.contains("text"), "{error}");
}

/// A path given by mistake is refused, and what lies there stays as it was.
#[cfg(unix)]
#[test]
fn what_is_not_a_ledger_is_left_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let (inner, text) = (folder.path().join("folder"), folder.path().join("text"));
    std::fs::create_dir(&inner).unwrap();
    std::fs::write(&text, "remember the milk".repeat(100)).unwrap();
    let foreign = folder.path().join("foreign");
    let db = rusqlite::Connection::open(&foreign).unwrap();
    db.execute_batch("CREATE TABLE bookmarks (url TEXT)")
        .unwrap();
    drop(db);
    for path in [&inner, &text, &foreign] {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
        let bytes = std::fs::read(path).ok();
        let error = SqliteLedger::open(path, 0).err().unwrap().to_string();
        assert!(
            error.contains(path.to_str().unwrap()) && error.contains("--state"),
            "{error}"
        );
        let mode = std::fs::metadata(path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o755, "{error}");
        assert_eq!(std::fs::read(path).ok(), bytes, "{error}");
    }
}

#[tokio::test]
async fn the_purse_in_the_ledgers_file_keeps_the_contract() {
    let folder = tempfile::tempdir().unwrap();
    let ledger = SqliteLedger::open(&folder.path().join("l"), 0).unwrap();
    crate::provider::sandbox::purse::tests::keeps_the_contract(&ledger).await;
}

#[cfg(target_os = "linux")]
#[test]
fn network_filesystems_are_known_by_number() {
    use super::open::network_filesystem;
    assert_eq!(network_filesystem(0x6969), Some("NFS"));
    assert_eq!(
        network_filesystem(i64::from(0xff53_4d42_u32 as i32)),
        Some("CIFS")
    );
    for local in [0xef53, 0x9123_683e, 0x5846_5342, 0x0102_1994] {
        assert_eq!(
            network_filesystem(local),
            None,
            "ext4, btrfs, XFS and tmpfs are local"
        );
    }
}
