//! The hostile guests: one table of every behaviour with its end. A behaviour without a line here does not compile.

#[path = "../../../tests/guests/hostile/src/behaviours.rs"]
mod behaviours;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use behaviours::{Behaviour, Listing};
use coinop::catalog::library::Library;
use coinop::gate::{Job, Reply, Runner as _};
use coinop::ledger::Delivery;
use coinop::ledger::sqlite::SqliteLedger;
use coinop::limits::Limits;
use coinop::quarantine::Quarantine;
use coinop_core::call::Failure;
use coinop_core::digest::Digest;
use coinop_core::outcome::{Content, Outcome};
use coinop_core::principal::Principal;
use serde_json::{Value, json};

use crate::support::{assembled, guest, load, load_error, sandbox};

/// How a call ends.
enum End {
    /// With a failure of one of these kinds.
    Fails(&'static [&'static str]),
    /// With this text.
    Says(&'static str),
    /// With an answer whose text contains this.
    Mentions(&'static str),
}

/// What each behaviour comes to, within [`limits`].
fn end_of(behaviour: Behaviour) -> End {
    use End::{Fails, Mentions, Says};
    match behaviour {
        Behaviour::Spin => Fails(&["cpu_time"]),
        Behaviour::Trap => Fails(&["trap"]),
        Behaviour::Exit => Fails(&["trap"]),
        Behaviour::StackOverflow => Fails(&["stack_overflow"]),
        Behaviour::MemoryBomb => Fails(&["memory"]),
        Behaviour::OutputBomb => Fails(&["memory"]),
        Behaviour::BlockBomb => Fails(&["memory", "output"]),
        Behaviour::LogBomb => Fails(&["cpu_time"]),
        Behaviour::ProgressStorm => Fails(&["cpu_time"]),
        Behaviour::HostCallStorm => Fails(&["cpu_time"]),
        Behaviour::HandleHoard => Fails(&["trap"]),
        Behaviour::Thread => Says("refused"),
        Behaviour::Fork => Says("refused"),
        Behaviour::PathEscape => Says("open: "),
        Behaviour::Environment => Says("open: "),
        Behaviour::Sockets => Says("open: "),
        Behaviour::Http => Says("open: "),
        Behaviour::SecretInPanic => Fails(&["trap"]),
        Behaviour::SleepForEver => Fails(&["wall_time"]),
        // Whichever it uses up first: a nap costs a little of both.
        Behaviour::NapForEver => Fails(&["wall_time", "cpu_time"]),
        Behaviour::ClockStorm => Fails(&["cpu_time"]),
        Behaviour::PaymentText => Mentions("https://evil.example/pay/x"),
        Behaviour::PaymentStructured => Fails(&["invalid_output"]),
        Behaviour::PaymentWallet => Fails(&["invalid_output"]),
        Behaviour::PaymentMeta => Says("see the structure"),
        Behaviour::InvalidJson => Fails(&["invalid_output"]),
        Behaviour::InvalidUtf8 => Fails(&["invalid_output"]),
        Behaviour::DeepJson => Fails(&["invalid_output"]),
        Behaviour::DeepMeta => Fails(&["invalid_output"]),
        Behaviour::DeepBlock => Fails(&["invalid_output"]),
        Behaviour::Escapes => Mentions("\u{1b}[2J"),
    }
}

/// What becomes of each listing: the number of tools, or why there are none.
fn listed(listing: Listing) -> Result<usize, &'static str> {
    match listing {
        Listing::Good => Ok(Behaviour::ALL.len()),
        // Prose is the plugin's word: nobody but its reader can judge it.
        Listing::Instructions => Ok(1),
        Listing::Escape => Err("title has the character U+001B"),
        Listing::Turned => Err("description has the character U+202E"),
        Listing::Hidden => Err("description has the character U+E006F"),
        Listing::HiddenInSchema => Err("input-schema has the character U+E006F"),
        Listing::Huge => Err("16384 is the most"),
        Listing::Name => Err("the name must be"),
        Listing::Twice => Err("the name is listed twice"),
        Listing::Many => Err("256 is the most"),
        Listing::DeepSchema => Err("input-schema: "),
        Listing::HugeSchema => Err("262144 is the most"),
        Listing::DoublingSchema => Ok(1),
        Listing::FetchedSchema => Err("input-schema: "),
        Listing::BadMeta => Err("meta is not a JSON object"),
    }
}

/// Tight enough that what is endless ends soon.
fn limits() -> Limits {
    Limits {
        cpu_ms_max: 250,
        wall_ms_max: 3_000,
        memory_bytes_max: 32 << 20,
        output_bytes_max: 1 << 20,
        log_bytes_max: 4 << 10,
        ..Limits::default()
    }
}

/// A library with the guests `hostile` and `echo`, as a host has it.
struct Host {
    library: Library,
    hostile: Digest,
    echo: Digest,
    _home: tempfile::TempDir,
}

impl Host {
    async fn new() -> Self {
        let home = tempfile::tempdir().unwrap();
        let ledger = SqliteLedger::open(&home.path().join("ledger.sqlite3"), 0).unwrap();
        let clock = Arc::new(coinop::clock::SystemClock);
        // The table is about each call by itself.
        let quarantine = Arc::new(Quarantine::new(None, clock));
        let library = Library::new(Arc::new(sandbox()), Arc::new(ledger));
        let library = library.with_quarantine(quarantine);
        let mut host = Self {
            library,
            hostile: Digest::of(b""),
            echo: Digest::of(b""),
            _home: home,
        };
        host.hostile = host.offer("hostile").await;
        host.echo = host.offer("echo").await;
        host
    }

    async fn offer(&self, name: &str) -> Digest {
        let bytes = guest(name);
        let digest = Digest::of(&bytes);
        let file = self._home.path().join(format!("{name}.wasm"));
        std::fs::write(&file, &bytes).unwrap();
        self.library.offer(digest, file);
        self.library.get(digest).await.unwrap();
        digest
    }

    async fn run(
        &self,
        component: Digest,
        tool: &str,
        limits: Limits,
        arguments: Value,
    ) -> Result<Outcome, Failure> {
        let job = Job {
            component,
            plugin: "hostile".to_owned(),
            tool: tool.to_owned(),
            arguments: arguments.to_string(),
            execution_id: "call_x".to_owned(),
            principal: Principal::local(),
            limits,
            settings: Arc::new(BTreeMap::new()),
            progress: None,
            ready: None,
        };
        self.library.run(job).await
    }

    async fn does(&self, behaviour: Behaviour) -> Result<Outcome, Failure> {
        let name = behaviour.name();
        self.run(self.hostile, name, limits(), json!({})).await
    }

    async fn echoes(&self) {
        let said = json!({ "text": "still here" });
        let answered = self.run(self.echo, "echo", Limits::default(), said);
        assert_eq!(text(&answered.await.unwrap()), "still here");
    }
}

fn text(outcome: &Outcome) -> &str {
    match outcome.content.as_slice() {
        [Content::Text { text }] => text,
        other => panic!("not one text block: {other:?}"),
    }
}

/// The tools that a component lists are those of the table.
#[tokio::test]
async fn every_behaviour_is_a_tool() {
    let manifest = load("hostile").await.manifest().clone();
    let listed: Vec<_> = manifest.tools.iter().map(|t| t.name.as_str()).collect();
    let known: Vec<_> = Behaviour::ALL.iter().map(|b| b.name()).collect();
    assert_eq!(listed, known);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_behaviour_ends_as_the_table_says() {
    let host = Host::new().await;
    for behaviour in Behaviour::ALL {
        let result = host.does(*behaviour).await;
        match (end_of(*behaviour), &result) {
            (End::Fails(kinds), Err(failure)) => {
                assert!(
                    kinds.contains(&failure.kind.as_str()),
                    "{behaviour:?}: {failure:?}"
                );
                assert!(
                    !failure.message.contains("hunter2"),
                    "{behaviour:?}: {failure:?}"
                );
            }
            (End::Says(said), Ok(outcome)) => assert_eq!(text(outcome), said, "{behaviour:?}"),
            (End::Mentions(part), Ok(outcome)) => {
                assert!(text(outcome).contains(part), "{behaviour:?}: {outcome:?}");
            }
            (_, result) => panic!("{behaviour:?}: {result:?}"),
        }
        if let Ok(outcome) = result {
            says_nothing_in_the_hosts_name(*behaviour, outcome);
        }
    }
}

/// Whatever is delivered, as the client gets it.
fn says_nothing_in_the_hosts_name(behaviour: Behaviour, outcome: Outcome) {
    let reply = Reply::Outcome(Delivery::free(outcome));
    let result = coinop::wire::result::tool_result(&reply);
    let result = serde_json::to_value(&result).unwrap();
    let meta = result["_meta"].as_object().cloned().unwrap_or_default();
    let forged = meta.keys().find(|key| {
        ["coinop/", "x402/", "org.paymentauth/"]
            .iter()
            .any(|p| key.starts_with(p))
    });
    assert_eq!(forged, None, "{behaviour:?}");
    assert_eq!(
        result["structuredContent"]["payment_url"],
        Value::Null,
        "{behaviour:?}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_each_goes_on_another_tool_answers() {
    const PATIENCE: Duration = Duration::from_secs(60);
    let host = Arc::new(Host::new().await);
    for behaviour in Behaviour::ALL {
        let misbehaving = {
            let (host, behaviour) = (Arc::clone(&host), *behaviour);
            tokio::spawn(async move { host.does(behaviour).await.is_ok() })
        };
        tokio::task::yield_now().await;
        let answered = tokio::time::timeout(PATIENCE, host.echoes()).await;
        assert!(answered.is_ok(), "{behaviour:?}");
        misbehaving.abort();
        let _ = misbehaving.await;
    }
}

#[tokio::test]
async fn every_listing_is_taken_or_refused_as_the_table_says() {
    let bytes = guest("hostile");
    for listing in Listing::ALL {
        let file = format!("{listing:?}.wasm");
        let loaded = sandbox().load(&file, dialled(&bytes, *listing)).await;
        match (listed(*listing), loaded) {
            (Ok(count), Ok(component)) => {
                assert_eq!(component.manifest().tools.len(), count, "{listing:?}");
            }
            (Err(part), Err(error)) => {
                let message = error.to_string();
                assert!(message.contains(part), "{listing:?}: {message}");
                assert!(
                    !message.contains(char::is_control),
                    "{listing:?}: {message:?}"
                );
            }
            (_, Ok(_)) => panic!("{listing:?} was loaded"),
            (_, Err(error)) => panic!("{listing:?}: {error}"),
        }
    }
}

/// The component with its dial turned.
fn dialled(bytes: &[u8], listing: Listing) -> Arc<[u8]> {
    const DIAL: &[u8] = b"coinop-hostile-listing=";
    let mut turned = bytes.to_vec();
    let dials: Vec<usize> = turned
        .windows(DIAL.len())
        .enumerate()
        .filter(|(_, window)| *window == DIAL)
        .map(|(at, _)| at + DIAL.len())
        .collect();
    assert_eq!(dials.len(), 1, "one dial");
    turned[dials[0]..dials[0] + 2].copy_from_slice(listing.name().as_bytes());
    turned.into()
}

#[tokio::test]
async fn checks_that_double_at_every_step_end_the_call() {
    let bytes = dialled(&guest("hostile"), Listing::DoublingSchema);
    let component = sandbox().load("doubling.wasm", bytes).await.unwrap();
    let call = crate::support::Call {
        component,
        limits: limits(),
        settings: BTreeMap::new(),
        grants: Default::default(),
        progress: None,
        bucket: None,
        share: None,
    };
    let error = call.error("one", json!({})).await.to_string();
    assert!(
        error.contains("does not match its output schema"),
        "{error}"
    );
}

#[tokio::test]
async fn a_table_that_grows_for_ever_is_named() {
    let message = load_error("table.wasm", assembled("table-bomb.wat"))
        .await
        .to_string();
    assert!(message.contains("ran out of table space"), "{message}");
}

#[tokio::test]
async fn more_instances_than_allowed_never_begin() {
    let mut call = crate::support::Call::of("hostile").await;
    call.limits.instances_max = 1;
    let error = call.error("thread", json!({})).await;
    assert_eq!(
        error.to_string(),
        "the tool needs more than the 1 instances allowed"
    );
}

#[tokio::test]
async fn a_name_and_a_secret_stay_in_the_log() {
    let call = crate::support::Call::of("hostile").await;
    let report = call
        .report(Behaviour::SecretInPanic.name(), json!({}))
        .await;
    assert!(report.log.text.contains("hunter2"));
    assert!(!report.result.unwrap_err().to_string().contains("hunter2"));
}

/// What it was refused is noted, so that the operator can be told.
#[tokio::test]
async fn requests_without_a_grant_are_noted() {
    let call = crate::support::Call::of("hostile").await;
    let report = call.report(Behaviour::Http.name(), json!({})).await;
    let wanted: Vec<_> = report.denials.iter().map(|d| d.wanted.as_str()).collect();
    assert!(
        wanted.contains(&"send GET http://169.254.169.254"),
        "{wanted:?}"
    );
}
