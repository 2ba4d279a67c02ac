//! Files by WASI 0.3: operations side by side, and how few threads of the host they hold, whatever a guest begins.

use std::fs;
use std::path::Path;
use std::time::Duration;

use coinop::grants::{Access, DirGrant};
use coinop::sandbox::RunError;
use rustix::fs::{CWD, FileType, Mode};
use serde_json::json;
use tempfile::TempDir;
use tokio::runtime::Runtime;

use crate::support::Call;

/// A call that may read a directory.
pub(super) async fn reading(directory: &Path) -> Call {
    let mut call = Call::of("concurrent").await;
    call.grants.dirs = vec![DirGrant {
        path: directory.to_owned(),
        guest_path: "/data".to_owned(),
        access: Access::Read,
    }];
    call
}

/// Directories with a note and a folder in them.
fn home() -> TempDir {
    let home = tempfile::tempdir().unwrap();
    fs::write(home.path().join("note"), "a note").unwrap();
    fs::create_dir(home.path().join("folder")).unwrap();
    home
}

/// A runtime that soon runs out of threads for what blocks.
fn with_threads(blocking: usize) -> Runtime {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .max_blocking_threads(blocking)
        .enable_all()
        .build()
        .unwrap()
}

const LISTED: &str = r#"DirectoryEntry { type: DescriptorType::Directory, name: "folder" }
DirectoryEntry { type: DescriptorType::RegularFile, name: "note" }"#;

#[test]
fn listings_that_nobody_reads_keep_no_thread() {
    let home = home();
    let listed = with_threads(4).block_on(async {
        let call = reading(home.path()).await;
        call.text("list", json!({ "times": 64 })).await
    });
    assert_eq!(listed, LISTED);
}

#[tokio::test]
async fn a_run_has_many_operations_done_in_turn() {
    let home = home();
    let call = reading(home.path()).await;
    let open = async |path: &str| {
        let arguments = json!({ "path": path, "times": 100 });
        call.text("open", arguments).await
    };
    assert_eq!(open("note").await, "100");
    assert_eq!(open("nothing").await, "error: ErrorCode::NoEntry");
}

#[test]
fn operations_that_were_called_off_keep_few_threads() {
    let home = home();
    let pipe = home.path().join("pipe");
    rustix::fs::mknodat(CWD, &pipe, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
    with_threads(8).block_on(async {
        let mut call = reading(home.path()).await;
        call.limits.wall_ms_max = 1_000;
        // Whoever opens a pipe waits until somebody writes to it, the run's end or not.
        let pipes = json!({ "path": "pipe", "times": 64 });
        let error = call.error("give_up", pipes).await;
        assert_eq!(error, RunError::WallTime { limit_ms: 1_000 });
        let others = tokio::task::spawn_blocking(|| ());
        let others = tokio::time::timeout(Duration::from_secs(10), others).await;
        // Lets them go on, so that the runtime can end.
        let both = fs::File::options().read(true).write(true).open(&pipe);
        assert!(others.is_ok(), "the host has no thread left");
        drop(both.unwrap());
    });
}
