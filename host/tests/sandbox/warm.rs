//! Instances that stay for further calls: whose they are, when they go, and that every run's own things are its own.

use std::sync::Arc;
use std::time::Duration;

use coinop::grants::EnvGrant;
use coinop::keyvalue::memory::MemoryKeyValue;
use coinop::keyvalue::{Bucket, KeyValue};
use coinop::sandbox::{Metering, RunError, Sandbox, Share, ShareKey, Warm};
use coinop_core::digest::Digest;
use serde_json::{Value, json};

use crate::servers::{Does, Server, ok};
use crate::support::{Call, Heard, guest, sandbox, sandbox_of, text_of};

fn share(caller: &str, warm: Warm) -> Option<Share> {
    let key = ShareKey::new(Digest::of(caller.as_bytes()));
    Some(Share { key, warm })
}

/// A guest in a sandbox of its own, called by ada.
struct World {
    sandbox: Sandbox,
    call: Call,
}

impl World {
    async fn of(name: &str) -> Self {
        Self::within(sandbox(), name).await
    }

    async fn within(sandbox: Sandbox, name: &str) -> Self {
        let component = sandbox.load(name, guest(name)).await.unwrap();
        let mut call = Call::of_component(component);
        call.share = share("ada", Warm::default());
        Self { sandbox, call }
    }

    /// With a guest that says nothing of whether its instances may stay.
    async fn undeclared(name: &str) -> Self {
        let mut world = Self::of(name).await;
        world.warm(|warm| warm.undeclared = true);
        world
    }

    fn warm(&mut self, change: impl FnOnce(&mut Warm)) {
        change(&mut self.call.share.as_mut().unwrap().warm);
    }

    /// How often the instance that answers was called, this call included.
    async fn count(&self) -> String {
        self.call.text("count", json!({})).await
    }

    async fn count_of(&mut self, caller: &str) -> String {
        let warm = self.call.share.unwrap().warm;
        self.call.share = share(caller, warm);
        self.count().await
    }

    fn kept(&self) -> usize {
        self.sandbox.kept_instances()
    }

    /// Three calls by one instance, then something that retires it, then a fresh one.
    async fn retires(&self, tool: &str, arguments: Value) -> RunError {
        assert_eq!(self.count().await, "1", "{tool}");
        assert_eq!(self.count().await, "2", "{tool}");
        let error = self.call.error(tool, arguments).await;
        assert_eq!(self.kept(), 0, "{tool}");
        assert_eq!(self.count().await, "1", "{tool}");
        self.call.component.retire();
        error
    }
}

#[tokio::test]
async fn state_is_found_by_the_same_caller_and_nobody_else() {
    let mut world = World::of("warm").await;
    assert_eq!(world.count_of("ada").await, "1");
    assert_eq!(world.count_of("ada").await, "2");
    assert_eq!(world.count_of("eve").await, "1");
    assert_eq!(world.count_of("ada").await, "3");
    assert_eq!(world.count_of("eve").await, "2");
    world.call.share = None;
    assert_eq!(world.count().await, "1");
    assert_eq!(world.count().await, "1");
    assert_eq!(world.kept(), 2);
}

#[tokio::test]
async fn two_calls_at_a_time_never_meet() {
    let world = World::of("warm").await;
    let burn = json!({ "ms": 20 });
    let (one, other) = tokio::join!(
        world.call.text("burn", burn.clone()),
        world.call.text("burn", burn)
    );
    assert_eq!((one.as_str(), other.as_str()), ("1", "1"));
    assert_eq!(world.kept(), 2);
}

#[tokio::test]
async fn only_a_tool_that_says_so_leaves_or_finds_anything() {
    let mut world = World::of("warm").await;
    assert_eq!(world.call.text("silent", json!({})).await, "1");
    assert_eq!(world.kept(), 0);
    assert_eq!(world.count().await, "1");
    assert_eq!(world.call.text("silent", json!({})).await, "1");
    assert_eq!(world.count().await, "2");
    world.warm(|warm| warm.undeclared = true);
    assert_eq!(world.call.text("silent", json!({})).await, "3");
}

#[tokio::test]
async fn so_many_calls_and_so_many_instances() {
    let mut world = World::of("warm").await;
    world.warm(|warm| warm.calls_max = 2);
    for expected in ["1", "2", "1", "2", "1"] {
        assert_eq!(world.count().await, expected);
    }
    world.call.component.retire();
    world.warm(|warm| {
        warm.calls_max = 100;
        warm.instances_max = 2;
    });
    for caller in ["ada", "eve", "kim"] {
        assert_eq!(world.count_of(caller).await, "1");
    }
    assert_eq!(world.kept(), 2);
    // Kim's and Eve's are the last used.
    assert_eq!(world.count_of("eve").await, "2");
    assert_eq!(world.count_of("ada").await, "1");
    assert_eq!(world.count_of("kim").await, "1");
}

#[tokio::test]
async fn an_instance_that_nobody_calls_goes_by_itself() {
    let mut world = World::of("warm").await;
    world.warm(|warm| warm.idle = Duration::ZERO);
    assert_eq!(world.count().await, "1");
    assert_eq!(world.count().await, "1");
    let gone = async {
        while world.kept() > 0 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), gone)
        .await
        .unwrap();
}

#[tokio::test]
async fn whatever_ends_badly_ends_for_good() {
    let mut world = World::of("warm").await;
    let trap = world.retires("trap", json!({})).await;
    assert!(matches!(trap, RunError::Trap { .. }), "{trap}");
    let failed = world.retires("err", json!({})).await;
    assert!(matches!(failed, RunError::Failed { .. }), "{failed}");
    let unknown = world.call.error("no_such_tool", json!({})).await;
    assert!(matches!(unknown, RunError::UnknownTool(_)), "{unknown}");
    world.call.limits.wall_ms_max = 1000;
    let slept = world.retires("sleep", json!({ "ms": 60_000 })).await;
    assert_eq!(slept, RunError::WallTime { limit_ms: 1000 });
    world.call.limits.wall_ms_max = 30_000;
    world.call.limits.cpu_ms_max = 300;
    let burnt = world.retires("burn", json!({ "ms": 20_000 })).await;
    assert_eq!(burnt, RunError::CpuTime { limit_ms: 300 });
}

#[tokio::test]
async fn a_wrong_answer_retires_its_instance() {
    let world = World::undeclared("misbehave").await;
    for (tool, arguments) in [
        ("structured", json!({ "json": "[1]" })),
        ("bad_utf8", json!({})),
        ("big", json!({ "bytes": 5 << 20 })),
    ] {
        world.retires(tool, arguments).await;
    }
}

#[tokio::test]
async fn a_call_that_is_given_up_leaves_nothing() {
    let world = World::of("warm").await;
    assert_eq!(world.count().await, "1");
    let slow = world.call.report("sleep", json!({ "ms": 60_000 }));
    assert!(
        tokio::time::timeout(Duration::from_millis(50), slow)
            .await
            .is_err()
    );
    assert_eq!(world.kept(), 0);
    assert_eq!(world.count().await, "1");
}

#[tokio::test]
async fn a_guest_that_was_refused_memory_does_not_stay() {
    let mut world = World::of("warm").await;
    world.call.limits.memory_bytes_max = 16 << 20;
    assert_eq!(world.call.text("grow", json!({ "mib": 4 })).await, "1");
    assert_eq!(world.count().await, "2");
    assert_eq!(world.call.text("grow", json!({ "mib": 64 })).await, "3");
    assert_eq!(world.kept(), 0);
}

#[tokio::test]
async fn whoever_is_given_something_else_gets_a_fresh_instance() {
    let mut world = World::of("warm").await;
    let changes: [fn(&mut Call); 4] = [
        |call| drop(call.settings.insert("units".into(), "metric".into())),
        |call| call.limits.output_bytes_max -= 1,
        |call| call.grants.http = vec!["https://a.example".parse().unwrap()],
        |call| {
            let text = EnvGrant::Text("fast".into());
            drop(call.grants.env.insert("MODE".into(), text));
        },
    ];
    for change in changes {
        assert_eq!(world.count().await, "1");
        assert_eq!(world.count().await, "2");
        change(&mut world.call);
        assert_eq!(world.count().await, "1");
        assert_eq!(world.kept(), 1);
        world.call.component.retire();
    }
}

#[tokio::test]
async fn a_run_that_ends_after_its_component_was_retired_leaves_nothing() {
    let world = World::of("warm").await;
    for retires in [false, true] {
        let mut run = std::pin::pin!(world.call.text("sleep", json!({ "ms": 100 })));
        tokio::select! {
            biased;
            _ = &mut run => panic!("it sleeps for longer"),
            () = tokio::time::sleep(Duration::from_millis(10)) => {}
        }
        if retires {
            world.call.component.retire();
        }
        run.await;
        assert_eq!(world.kept(), usize::from(!retires));
    }
}

#[tokio::test]
async fn a_component_takes_its_instances_along() {
    let mut world = World::of("warm").await;
    assert_eq!(world.count().await, "1");
    let next = world.sandbox.load("warm", guest("warm")).await.unwrap();
    let old = std::mem::replace(&mut world.call.component, next);
    assert_eq!(world.count().await, "1");
    assert_eq!(world.kept(), 2);
    drop(old);
    assert_eq!(world.kept(), 1);
    world.call.component.retire();
    assert_eq!(world.kept(), 0);
}

#[tokio::test]
async fn runs_come_before_what_is_kept() {
    let mut world = World::within(sandbox_of(3), "warm").await;
    assert_eq!(world.count_of("ada").await, "1");
    assert_eq!(world.count_of("eve").await, "1");
    // The third memory is the run's own.
    assert_eq!(world.count_of("kim").await, "1");
    assert_eq!(world.kept(), 2);
    let place = |world: &World| {
        let component = Arc::clone(&world.call.component);
        let limits = world.call.limits;
        async move { component.place(&limits, Duration::from_millis(50)).await }
    };
    let first = place(&world).await.unwrap();
    assert_eq!(world.kept(), 2);
    let second = place(&world).await.unwrap();
    assert_eq!(world.kept(), 1);
    // Ada's made room.
    let warm = Warm::default();
    world.call.share = share("eve", warm);
    let answer = world.call.report_in(&second, "count", json!({})).await;
    assert_eq!(text_of(&answer.result.unwrap()), "2");
    assert_eq!(world.kept(), 1);
    let third = place(&world).await.unwrap();
    assert_eq!(world.kept(), 0);
    let busy = place(&world).await.err().unwrap();
    assert!(matches!(busy, RunError::HostBusy), "{busy}");
    // Nothing is to spare, so nothing stays.
    world.call.report_in(&third, "count", json!({})).await;
    assert_eq!(world.kept(), 0);
    drop((first, second, third));
    assert_eq!(world.count().await, "1");
    assert_eq!(world.kept(), 1);
}

#[tokio::test]
async fn log_progress_context_and_denials_are_the_runs_own() {
    let mut world = World::of("warm").await;
    for count in 1..=3 {
        let heard = Arc::new(Heard::default());
        world.call.progress = Some(heard.clone());
        let report = world.call.report("tell", json!({})).await;
        let told: Value = serde_json::from_str(&text_of(&report.result.unwrap())).unwrap();
        assert!(told["remaining_ms"].as_u64().unwrap() > 20_000, "{told}");
        assert_eq!(report.log.text, format!("call {count}\n"));
        let heard = heard.0.lock().unwrap().clone();
        assert_eq!(heard, [(f64::from(count), None, None)]);
        assert_eq!(report.denials, []);
    }
    // Without the grant.
    for (tool, denials) in [("leak", 1), ("count", 0), ("leak", 1)] {
        let report = world.call.report(tool, json!({ "handles": 1 })).await;
        assert_eq!(report.denials.len(), denials, "{tool}");
        assert_eq!(report.log.text, "");
    }
    assert_eq!(world.count().await, "7");
}

#[tokio::test]
async fn a_log_that_was_full_is_empty_again() {
    let mut world = World::of("warm").await;
    world.call.limits.log_bytes_max = 4;
    for _ in 0..3 {
        let report = world.call.report("tell", json!({})).await;
        assert_eq!((report.log.text.as_str(), report.log.dropped), ("call", 3));
    }
    assert_eq!(world.count().await, "4");
}

#[tokio::test]
async fn time_and_instructions_are_counted_for_each_run() {
    let mut world = World::of("warm").await;
    world.call.limits.cpu_ms_max = 400;
    for n in 1..=12 {
        let burnt = world.call.text("burn", json!({ "ms": 50 })).await;
        assert_eq!(burnt, n.to_string());
    }
    let metered = Metering::Fuel;
    let loaded = world.sandbox.load_metered("warm", guest("warm"), metered);
    world.call = Call::of_component(loaded.await.unwrap());
    world.call.limits.fuel_max = Some(u64::MAX / 2);
    let fresh = world.call.report("count", json!({})).await.fuel_used;
    world.call.limits.fuel_max = fresh;
    world.call.share = share("ada", Warm::default());
    for n in 1..=5 {
        let report = world.call.report("count", json!({})).await;
        assert_eq!(text_of(&report.result.unwrap()), n.to_string());
        assert!(report.fuel_used <= fresh && report.fuel_used > Some(0));
    }
}

#[tokio::test]
async fn requests_are_counted_for_each_run_and_no_connection_outlives_it() {
    let server = Server::that(ok("hello")).await;
    let mut world = World::undeclared("reach").await;
    world.call.grants.http = vec![server.origin().parse().unwrap()];
    world.call.limits.http_requests_max = 1;
    for n in 1..=3 {
        let fetch = json!({ "url": server.origin() });
        let seen = world.call.text("fetch", fetch).await;
        assert!(seen.contains("hello"), "{seen}");
        // The line could have served the next request of this run, and is closed all the same.
        server.left().await;
        assert_eq!((world.kept(), server.connections()), (1, n));
    }
}

#[tokio::test]
async fn whoever_leaves_something_open_does_not_stay() {
    let server = Server::that(Does::FallsSilent(
        "HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhel",
    ))
    .await;
    let mut world = World::of("warm").await;
    world.call.grants.http = vec![server.origin().parse().unwrap()];
    let address = format!("127.0.0.1:{}", server.port);
    world.call.grants.sockets = vec![format!("tcp://{address}").parse().unwrap()];
    for (tool, arguments) in [
        ("ask", json!({ "authority": address })),
        ("connect", json!({ "address": address })),
    ] {
        assert_eq!(world.count().await, "1");
        assert_eq!(world.call.text(tool, arguments).await, "2");
        assert_eq!(world.kept(), 0, "{tool}");
        server.left().await;
    }
}

#[tokio::test]
async fn handles_do_not_add_up() {
    let mut world = World::of("warm").await;
    let store: Arc<dyn KeyValue> = Arc::new(MemoryKeyValue::default());
    world.call.bucket = Some(Bucket::new(store, "warm", 1000));
    for expected in ["1", "2", "1", "2"] {
        let leak = json!({ "handles": 20 });
        assert_eq!(world.call.text("leak", leak).await, expected);
    }
    // A run has room for its own, whatever those before it kept.
    world.call.component.retire();
    assert_eq!(world.call.text("leak", json!({ "handles": 20 })).await, "1");
    assert_eq!(
        world.call.text("leak", json!({ "handles": 480 })).await,
        "2"
    );
}

#[tokio::test]
async fn components_of_other_hosts_stay_where_the_operator_insists() {
    let mut world = World::undeclared("other-host").await;
    for _ in 0..3 {
        world.call.outcome("time_get_current_time", json!({})).await;
        assert_eq!(world.kept(), 1);
    }
    world.call.component.retire();
    world.warm(|warm| warm.undeclared = false);
    world.call.outcome("time_get_current_time", json!({})).await;
    assert_eq!(world.kept(), 0);
}

#[tokio::test]
async fn a_python_plugin_answers_again_and_again() {
    let mut world = World::of("smart-summary").await;
    let text = "The cat sat on the mat all day. The dog ran far away and came back. Nobody came to see them. ";
    let arguments = json!({ "text": text.repeat(5) });
    let (mut answers, mut warm, mut fresh) = (Vec::new(), Vec::new(), Vec::new());
    for (share, walls) in [(world.call.share, &mut warm), (None, &mut fresh)] {
        world.call.share = share;
        for _ in 0..30 {
            let report = world.call.report("summarize", arguments.clone()).await;
            walls.push(report.wall);
            answers.push(report.result.unwrap());
            assert_eq!(world.kept(), 1);
        }
        walls.sort_unstable();
    }
    assert!(answers.iter().all(|answer| *answer == answers[0]));
    // For `--nocapture`: figures of a debug build decide nothing.
    println!("medians: warm {:?}, fresh {:?}", warm[15], fresh[15]);
}
