//! Instructions counted exactly: the same run uses the same, and ends the same at its limit.

use std::sync::Arc;

use coinop::sandbox::{Component, Metering, RunError, Sandbox, SandboxSettings};
use serde_json::json;

use crate::support::{Call, guest};

struct Counting {
    sandbox: Sandbox,
    home: tempfile::TempDir,
}

impl Counting {
    fn new() -> Self {
        let home = tempfile::tempdir().unwrap();
        let mut settings = SandboxSettings::new(home.path().join("cache"));
        settings.capacity.memories_max = 8;
        let sandbox = Sandbox::new(settings).unwrap();
        Self { sandbox, home }
    }

    async fn load(&self, metering: Metering) -> Arc<Component> {
        let bytes = guest("misbehave");
        let loaded = self.sandbox.load_metered("misbehave.wasm", bytes, metering);
        loaded.await.unwrap()
    }
}

fn call(component: &Arc<Component>, fuel: Option<u64>) -> Call {
    let mut call = Call {
        component: Arc::clone(component),
        limits: Default::default(),
        settings: Default::default(),
        grants: Default::default(),
        progress: None,
        bucket: None,
        share: None,
    };
    call.limits.fuel_max = fuel;
    call
}

#[tokio::test]
async fn the_same_run_uses_the_same_and_ends_the_same() {
    let component = Counting::new().load(Metering::Fuel).await;
    let run = async |fuel| {
        let call = call(&component, Some(fuel));
        let report = call.report("overflow", json!({ "depth": 100 })).await;
        (report.result.map(drop), report.fuel_used.unwrap())
    };
    let (ended, used) = run(1_000_000_000).await;
    assert!(ended.is_ok() && used > 100, "{ended:?} {used}");
    for _ in 0..3 {
        assert_eq!(run(1_000_000_000).await, (Ok(()), used));
        assert_eq!(run(used).await, (Ok(()), used), "exactly enough");
        let short = used - 1;
        let (ended, _) = run(short).await;
        assert_eq!(ended, Err(RunError::Fuel { limit: short }));
    }
}

#[tokio::test]
async fn what_computes_for_ever_ends_at_its_instructions() {
    let component = Counting::new().load(Metering::Fuel).await;
    let call = call(&component, Some(20_000_000));
    let error = call.error("loop", json!({})).await;
    assert_eq!(error, RunError::Fuel { limit: 20_000_000 });
    assert_eq!(
        error.to_string(),
        "the tool was stopped: it used up its 20000000 instructions"
    );
}

#[tokio::test]
async fn counting_code_is_kept_apart_and_runs_without_a_limit_too() {
    let counting = Counting::new();
    let counted = counting.load(Metering::Fuel).await;
    let usual = counting.load(Metering::Off).await;
    assert_eq!(counted.manifest(), usual.manifest());
    let files = std::fs::read_dir(counting.home.path().join("cache")).unwrap();
    let code = files.filter(|f| {
        let path = f.as_ref().unwrap().path();
        path.extension().is_some_and(|e| e == "cwasm")
    });
    assert_eq!(code.count(), 2);
    assert_eq!(call(&counted, None).text("count", json!({})).await, "1");
    assert!(matches!(
        call(&usual, Some(5)).error("count", json!({})).await,
        RunError::Unavailable(_)
    ));
}
