//! That what one caller's run does, nobody else notices; and that a dropped run is really over.

use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, Instant};

use coinop::limits::Limits;
use coinop::sandbox::{Capacity, Component, RunError, RunReport, Sandbox, SandboxSettings};
use serde_json::json;

use crate::support::{Call, guest, sandbox, text_of};

/// Long enough to tell "at once" from "after the other one", short enough for a slow machine to keep.
const AT_ONCE: Duration = Duration::from_secs(2);

async fn in_time<T>(work: impl Future<Output = T>) -> T {
    match tokio::time::timeout(AT_ONCE, work).await {
        Ok(value) => value,
        Err(_) => panic!("a good call waited for a bad one"),
    }
}

/// Starts `count` calls of a bad tool that would last ten seconds.
fn bad_calls(
    call: &Arc<Call>,
    tool: &'static str,
    count: usize,
) -> Vec<tokio::task::JoinHandle<RunReport>> {
    (0..count)
        .map(|_| {
            let call = Arc::clone(call);
            tokio::spawn(async move { call.report(tool, json!({ "ms": 10_000 })).await })
        })
        .collect()
}

async fn stop(tasks: Vec<tokio::task::JoinHandle<RunReport>>) {
    for task in &tasks {
        task.abort();
    }
    for task in tasks {
        assert!(task.await.unwrap_err().is_cancelled());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bad_neighbours_do_not_hold_up_a_good_call() {
    let bad = Arc::new(Call::of("misbehave").await);
    let good = Call::of("echo").await;
    for tool in ["loop", "print", "sleep"] {
        let tasks = bad_calls(&bad, tool, 8);
        tokio::time::sleep(Duration::from_millis(30)).await;
        for _ in 0..10 {
            let text = in_time(good.text("echo", json!({ "text": "still here" }))).await;
            assert_eq!(text, "still here");
        }
        stop(tasks).await;
    }
}

#[tokio::test(flavor = "current_thread")]
async fn even_a_single_thread_is_shared() {
    let bad = Arc::new(Call::of("misbehave").await);
    let good = Call::of("echo").await;
    let tasks = bad_calls(&bad, "loop", 3);
    tokio::task::yield_now().await;
    let text = in_time(good.text("echo", json!({ "text": "my turn" }))).await;
    assert_eq!(text, "my turn");
    stop(tasks).await;
}

#[tokio::test]
async fn every_error_leaves_the_component_good() {
    let mut call = Call::of("misbehave").await;
    call.limits.cpu_ms_max = 30;
    call.limits.memory_bytes_max = 16 << 20;
    for tool in [
        "trap", "exit", "loop", "allocate", "overflow", "print", "bad_utf8",
    ] {
        call.error(tool, json!({ "depth": 100_000_000 })).await;
        assert_eq!(call.text("count", json!({})).await, "1", "after {tool}");
    }
}

#[tokio::test]
async fn dropping_a_run_stops_the_guest_and_frees_its_place() {
    let mut call = Call::of("misbehave").await;
    call.limits.concurrent_runs_max = 1;
    for (tool, arguments) in [("loop", json!({})), ("sleep", json!({ "ms": 60_000 }))] {
        let run = call.report(tool, arguments);
        assert!(
            tokio::time::timeout(Duration::from_millis(30), run)
                .await
                .is_err()
        );
        // With one place, this waits for ever unless the dropped run is over.
        assert_eq!(in_time(call.text("count", json!({}))).await, "1");
    }
}

#[tokio::test]
async fn runs_beyond_the_limit_wait_within_their_own_time() {
    let mut call = Call::of("misbehave").await;
    call.limits.concurrent_runs_max = 1;
    let first = call.report("sleep", json!({ "ms": 200 }));
    let second = async {
        let limits = Limits {
            wall_ms_max: 50,
            ..call.limits
        };
        let waiting = Call {
            limits,
            component: Arc::clone(&call.component),
            settings: Default::default(),
            grants: Default::default(),
            bucket: None,
            share: None,
            progress: None,
        };
        waiting.report("count", json!({})).await
    };
    let (first, second) = tokio::join!(first, second);
    assert!(first.result.is_ok());
    assert_eq!(second.result, Err(RunError::PluginBusy), "it never began");
}

#[tokio::test]
async fn what_a_run_waits_for_its_place_is_not_its_own_time() {
    let mut call = Call::of("misbehave").await;
    call.limits.concurrent_runs_max = 1;
    call.limits.wall_ms_max = 2_000;
    let place = call.component.place(&call.limits, Duration::ZERO).await;
    let holding = async {
        tokio::time::sleep(Duration::from_millis(1_200)).await;
        drop(place);
    };
    let waiting = call.report("sleep", json!({ "ms": 1_200 }));
    let (report, ()) = tokio::join!(waiting, holding);
    assert_eq!(text_of(&report.result.unwrap()), "slept");
}

#[tokio::test]
async fn only_so_many_wait_and_the_others_are_told_at_once() {
    let mut call = Call::of("misbehave").await;
    call.limits.concurrent_runs_max = 1;
    call.limits.waiting_runs_max = 1;
    let place = call.component.place(&call.limits, Duration::ZERO).await;
    let place = place.unwrap();
    let waiting = call.text("count", json!({}));
    let refused = async {
        tokio::task::yield_now().await;
        let report = call.report("count", json!({})).await;
        drop(place);
        report.result
    };
    let (waited, refused) = tokio::join!(waiting, refused);
    assert_eq!((waited.as_str(), refused), ("1", Err(RunError::PluginBusy)));
}

#[tokio::test]
async fn the_whole_host_has_places_too() {
    let home = tempfile::tempdir().unwrap();
    let mut settings = SandboxSettings::new(home.path().join("cache"));
    settings.capacity = Capacity {
        memories_max: 4,
        waiting_max: 0,
    };
    let sandbox = Sandbox::new(settings).unwrap();
    let component = sandbox.load("misbehave", guest("misbehave")).await.unwrap();
    let limits = Limits::default();
    let take = || component.place(&limits, Duration::ZERO);
    let mut places = Vec::new();
    for _ in 0..4 {
        places.push(take().await.unwrap());
    }
    assert_eq!(take().await.err(), Some(RunError::HostBusy));
    places.pop();
    assert!(take().await.is_ok());
}

#[tokio::test]
async fn a_place_taken_before_serves_run_after_run() {
    let mut call = Call::of("misbehave").await;
    call.limits.concurrent_runs_max = 1;
    call.limits.waiting_runs_max = 0;
    let place = call.component.place(&call.limits, Duration::ZERO).await;
    let place = place.unwrap();
    for _ in 0..3 {
        let report = call.report_in(&place, "count", json!({})).await;
        assert_eq!(text_of(&report.result.unwrap()), "1");
    }
    let other = call.report("count", json!({})).await;
    assert_eq!(other.result, Err(RunError::PluginBusy));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn more_runs_than_the_pool_holds_all_end_well() {
    // The pool of the tests has 32 memories.
    let mut call = Call::of("misbehave").await;
    call.limits.concurrent_runs_max = 1000;
    let runs = (0..200).map(|_| call.text("sleep", json!({ "ms": 5 })));
    let answers = futures::future::join_all(runs).await;
    assert!(answers.iter().all(|text| text == "slept"));
}

#[tokio::test]
async fn a_component_outlives_its_sandbox() {
    let component: Arc<Component> = {
        let sandbox = sandbox();
        sandbox.load("misbehave", guest("misbehave")).await.unwrap()
    };
    let mut call = Call {
        component,
        limits: Default::default(),
        settings: Default::default(),
        grants: Default::default(),
        bucket: None,
        share: None,
        progress: None,
    };
    call.limits.cpu_ms_max = 20;
    // The clock still ticks.
    let started = Instant::now();
    assert_eq!(
        call.error("loop", json!({})).await,
        RunError::CpuTime { limit_ms: 20 }
    );
    assert!(started.elapsed() < AT_ONCE);
}
