//! Waiting misused: how each way ends, within the limits of every run.

#[path = "../../../../tests/guests/concurrent/src/hostile.rs"]
mod hostile;

use coinop::limits::Limits;
use coinop::sandbox::{Metering, RunError};
use hostile::Hostile;
use serde_json::json;

use super::files::reading;
use crate::support::{Call, guest, sandbox};

/// How each misuse ends within [`tight`].
fn ends(hostile: Hostile) -> fn(&RunError) -> bool {
    match hostile {
        Hostile::Trap | Hostile::Exit => |e| matches!(e, RunError::Trap { .. }),
        Hostile::Spin | Hostile::LogBomb => |e| matches!(e, RunError::CpuTime { .. }),
        Hostile::SleepForEver => |e| matches!(e, RunError::WallTime { .. }),
        Hostile::Deadlock => |e| e.to_string().contains("deadlock"),
        Hostile::MemoryBomb => |e| matches!(e, RunError::Memory { .. }),
        Hostile::OutputBomb => |e| matches!(e, RunError::Output { .. }),
        Hostile::WaitHoard | Hostile::StreamHoard | Hostile::DirectoryHoard => {
            |e| matches!(e, RunError::Trap { .. })
        }
    }
}

fn tight() -> Limits {
    Limits {
        cpu_ms_max: 500,
        wall_ms_max: 5_000,
        memory_bytes_max: 128 << 20,
        log_bytes_max: 1_000,
        ..Limits::default()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_misuse_ends_as_it_must_and_leaves_the_next_call_alone() {
    let home = tempfile::tempdir().unwrap();
    std::fs::write(home.path().join("note"), "a note").unwrap();
    let mut call = reading(home.path()).await;
    call.limits = tight();
    for hostile in Hostile::ALL {
        if matches!(hostile, Hostile::SleepForEver) {
            call.limits.wall_ms_max = 300;
        }
        let report = call.report(hostile.name(), json!({})).await;
        call.limits = tight();
        let error = report.result.unwrap_err();
        assert!(ends(*hostile)(&error), "{hostile:?}: {error:?}");
        assert!(report.log.text.len() <= 1_000, "{hostile:?}");
        assert!(error.is_own_fault(), "{hostile:?}: {error:?}");
    }
    let answered = call.text("outlive", json!({})).await;
    assert_eq!(answered, "answered");
}

#[tokio::test]
async fn what_is_printed_by_0_3_is_in_the_log() {
    let mut call = Call::of("concurrent").await;
    call.limits = tight();
    let report = call.report("log_bomb", json!({})).await;
    assert_eq!(report.log.text, "x".repeat(1_000));
    assert!(report.log.dropped > 0);
}

#[tokio::test]
async fn instructions_are_counted_for_all_tasks_together() {
    let bytes = guest("concurrent");
    let sandbox = sandbox();
    let loaded = sandbox.load_metered("concurrent", bytes, Metering::Fuel);
    let mut call = Call::of_component(loaded.await.unwrap());
    call.limits.fuel_max = Some(5_000_000);
    let report = call.report("interleave", json!({})).await;
    assert!(report.fuel_used.unwrap() > 0);
    let error = call.error("spin", json!({})).await;
    assert!(matches!(error, RunError::Fuel { .. }), "{error}");
}
