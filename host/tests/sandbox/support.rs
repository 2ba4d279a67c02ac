//! A sandbox, the guests, and one-line calls.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use coinop::grants::Grants;
use coinop::keyvalue::Bucket;
use coinop::limits::Limits;
use coinop::outbound::Dialer;
use coinop::sandbox::{
    Component, LoadError, Place, ProgressSink, Run, RunError, RunReport, Sandbox, SandboxSettings,
    Share,
};
use coinop_core::outcome::{Content, Outcome};
use serde_json::Value;

/// A sandbox with its cache in `dir`.
pub(crate) fn sandbox_in(dir: &Path) -> Sandbox {
    let mut settings = SandboxSettings::new(dir);
    settings.capacity.memories_max = 32;
    Sandbox::new(settings).unwrap()
}

/// A sandbox whose cache survives the test, so that the guests are compiled once for all of them.
pub(crate) fn sandbox() -> Sandbox {
    sandbox_in(&cache_dir())
}

/// The same, with so many memories.
pub(crate) fn sandbox_of(memories_max: u32) -> Sandbox {
    let mut settings = SandboxSettings::new(cache_dir());
    settings.capacity.memories_max = memories_max;
    Sandbox::new(settings).unwrap()
}

/// The same, opening connections by `dialer`.
pub(crate) fn sandbox_with(dialer: Dialer) -> Sandbox {
    let mut settings = SandboxSettings::new(cache_dir());
    settings.capacity.memories_max = 32;
    settings.dialer = Arc::new(dialer);
    Sandbox::new(settings).unwrap()
}

fn cache_dir() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("sandbox-cache")
}

/// A guest's bytes.
pub(crate) fn guest(name: &str) -> Arc<[u8]> {
    let file = guests_dir().join(format!("{name}.wasm"));
    match std::fs::read(&file) {
        Ok(bytes) => bytes.into(),
        Err(error) => panic!(
            "{}: {error}\nBuild the guests first: see tests/guests/README.md, or\n  \
             cargo build --release --target wasm32-wasip2 --manifest-path tests/guests/Cargo.toml --target-dir target/guest-build\n\
             and copy target/guest-build/wasm32-wasip2/release/NAME.wasm to {}",
            file.display(),
            guests_dir().display(),
        ),
    }
}

/// `target/guests`, from this test's own place in `target/PROFILE/deps`.
fn guests_dir() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    test.ancestors().nth(3).unwrap().join("guests")
}

/// A file under `tests/guests/bad`, assembled.
pub(crate) fn assembled(name: &str) -> Arc<[u8]> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/guests/bad");
    wat::parse_file(dir.join(name)).unwrap().into()
}

pub(crate) async fn load(name: &str) -> Arc<Component> {
    sandbox().load(name, guest(name)).await.unwrap()
}

pub(crate) async fn load_error(name: &str, bytes: Arc<[u8]>) -> LoadError {
    match sandbox().load(name, bytes).await {
        Ok(_) => panic!("{name} was loaded"),
        Err(error) => error,
    }
}

/// One call, with what a test cares about.
pub(crate) struct Call {
    pub(crate) component: Arc<Component>,
    pub(crate) limits: Limits,
    pub(crate) settings: BTreeMap<String, String>,
    pub(crate) grants: Grants,
    pub(crate) bucket: Option<Bucket>,
    pub(crate) progress: Option<Arc<dyn ProgressSink>>,
    pub(crate) share: Option<Share>,
}

impl Call {
    pub(crate) async fn of(guest: &str) -> Self {
        Self::of_component(load(guest).await)
    }

    pub(crate) fn of_component(component: Arc<Component>) -> Self {
        Self {
            component,
            limits: Limits::default(),
            settings: BTreeMap::new(),
            grants: Grants::default(),
            bucket: None,
            progress: None,
            share: None,
        }
    }

    pub(crate) async fn report(&self, tool: &str, arguments: Value) -> RunReport {
        let arguments = arguments.to_string();
        self.component.run(self.run(tool, &arguments)).await
    }

    /// As [`Call::report`], in a place that was taken before.
    pub(crate) async fn report_in(&self, place: &Place, tool: &str, arguments: Value) -> RunReport {
        let arguments = arguments.to_string();
        let run = self.run(tool, &arguments);
        self.component.run_in(place, run).await
    }

    fn run<'a>(&'a self, tool: &'a str, arguments: &'a str) -> Run<'a> {
        Run {
            tool,
            arguments,
            execution_id: "call_1",
            caller: None,
            limits: &self.limits,
            grants: &self.grants,
            bucket: self.bucket.as_ref(),
            settings: &self.settings,
            progress: self.progress.clone(),
            share: self.share,
        }
    }

    pub(crate) async fn outcome(&self, tool: &str, arguments: Value) -> Outcome {
        self.report(tool, arguments).await.result.unwrap()
    }

    pub(crate) async fn error(&self, tool: &str, arguments: Value) -> RunError {
        self.report(tool, arguments).await.result.unwrap_err()
    }

    /// The text of an answer that is one text block.
    pub(crate) async fn text(&self, tool: &str, arguments: Value) -> String {
        text_of(&self.outcome(tool, arguments).await)
    }
}

pub(crate) fn text_of(outcome: &Outcome) -> String {
    match outcome.content.as_slice() {
        [Content::Text { text }] => text.clone(),
        other => panic!("not one text block: {other:?}"),
    }
}

type Report = (f64, Option<f64>, Option<String>);

/// Remembers the progress it hears of.
#[derive(Default)]
pub(crate) struct Heard(pub(crate) Mutex<Vec<Report>>);

impl ProgressSink for Heard {
    fn report(&self, progress: f64, total: Option<f64>, message: Option<&str>) {
        let report = (progress, total, message.map(str::to_owned));
        self.0.lock().unwrap().push(report);
    }
}
