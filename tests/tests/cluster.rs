//! The private PostgreSQL cluster itself: what other tests rely on.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use coinop_tests::postgres::{Cluster, Stop, connect};
use coinop_tests::wait::{until, within};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::net::TcpStream;
use tokio::process::Command;

#[tokio::test]
async fn databases_are_empty_and_apart() {
    let cluster = Cluster::shared().await;
    let (one, other) = tokio::join!(cluster.database(), cluster.database());
    let (one, other) = (connect(&one).await, connect(&other).await);
    one.batch_execute("CREATE TABLE kept (n int)")
        .await
        .unwrap();
    other.batch_execute("SELECT 1 FROM kept").await.unwrap_err();
}

#[tokio::test]
async fn a_password_is_asked_for() {
    let url = Cluster::shared().await.database().await;
    let (_, at) = url.split_once('@').unwrap();
    let guessed = format!("postgres://coinop:guessed@{at}");
    let refused = tokio_postgres::connect(&guessed, tokio_postgres::NoTls).await;
    let error = refused.err().expect("a wrong password is refused");
    let code = error.code().expect("it is the server's answer");
    assert_eq!(*code, tokio_postgres::error::SqlState::INVALID_PASSWORD);
}

#[tokio::test]
async fn what_is_committed_is_there_after_every_way_to_stop() {
    let cluster = Cluster::own().await;
    let url = cluster.database().await;
    let client = connect(&url).await;
    client
        .batch_execute("CREATE TABLE kept (n int)")
        .await
        .unwrap();
    for (n, how) in [Stop::Fast, Stop::Immediate].into_iter().enumerate() {
        let client = connect(&url).await;
        client
            .batch_execute("INSERT INTO kept VALUES (1)")
            .await
            .unwrap();
        cluster.stop(how).await;
        client.batch_execute("SELECT 1").await.unwrap_err();
        assert!(!is_up(cluster.port()).await, "it listens after {how:?}");
        cluster.start().await;
        let row = connect(&url)
            .await
            .query_one("SELECT count(*) FROM kept", &[])
            .await;
        assert_eq!(row.unwrap().get::<_, i64>(0), n as i64 + 1);
    }
}

#[tokio::test]
async fn a_dropped_cluster_leaves_nothing() {
    let cluster = Cluster::own().await;
    let (port, folder) = (cluster.port(), cluster.folder().to_owned());
    assert!(is_up(port).await && folder.is_dir());
    drop(cluster);
    assert!(!is_up(port).await && !folder.exists());
}

/// Set for this program when it is started to hold a cluster until it is killed.
const HOLD: &str = "COINOP_TESTS_HOLD_CLUSTER";

/// A test that panics ends its process; a process that is killed has no last word. Both leave no server behind.
#[tokio::test]
async fn a_process_that_dies_leaves_nothing() {
    if std::env::var_os(HOLD).is_some() {
        hold().await;
    }
    let mut holder = Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "a_process_that_dies_leaves_nothing",
            "--nocapture",
        ])
        .env(HOLD, "1")
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let (port, folder) = held(&mut holder).await;
    assert!(is_up(port).await && folder.is_dir());
    holder.kill().await.unwrap();
    until("the server's end", async || {
        (!is_up(port).await && !folder.exists()).then_some(())
    })
    .await;
}

/// Tells where a cluster is and never ends.
#[expect(clippy::print_stdout, reason = "the parent reads it")]
async fn hold() -> ! {
    let cluster = Cluster::shared().await;
    println!("held {} {}", cluster.port(), cluster.folder().display());
    std::future::pending().await
}

async fn held(holder: &mut tokio::process::Child) -> (u16, PathBuf) {
    let mut lines = BufReader::new(holder.stdout.take().unwrap()).lines();
    within("the cluster of another process", async {
        loop {
            let line = lines
                .next_line()
                .await
                .unwrap()
                .expect("it holds a cluster");
            if let Some((port, folder)) = line.strip_prefix("held ").and_then(|s| s.split_once(' '))
            {
                return (port.parse().unwrap(), Path::new(folder).to_owned());
            }
        }
    })
    .await
}

async fn is_up(port: u16) -> bool {
    TcpStream::connect(("127.0.0.1", port)).await.is_ok()
}
