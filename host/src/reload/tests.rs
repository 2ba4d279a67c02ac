//! Real files in a real folder; components are fakes. Nothing sleeps: every test waits for what it expects.

use std::path::Path;
use std::sync::atomic::Ordering;
use std::time::Duration;

use coinop_core::call::Remedy;
use coinop_core::digest::Digest;

use super::*;
use crate::catalog::Snapshot;
use crate::catalog::fakes::{FakeLedger, FakeLoader};
use crate::catalog::resolve::Charging;
use crate::config::{Overrides, Places};

mod trust;

/// Longest wait for anything; reached only by a test that fails.
const PATIENCE: Duration = Duration::from_secs(20);

struct Host {
    folder: tempfile::TempDir,
    loader: Arc<FakeLoader>,
    ledger: Arc<FakeLedger>,
    catalog: Arc<Catalog>,
    reload: Reload,
}

/// A folder with files, before the host starts.
struct Before {
    folder: tempfile::TempDir,
    loader: Arc<FakeLoader>,
    ledger: Arc<FakeLedger>,
}

impl Before {
    fn with(files: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("plugins")).unwrap();
        for (name, text) in files {
            write(folder.path(), name, text);
        }
        Self {
            folder,
            loader: Arc::default(),
            ledger: Arc::default(),
        }
    }

    fn config(&self) -> Config {
        let at = self.folder.path();
        let places = Places {
            config_file: at.join("coinop.toml"),
            plugins_dir: at.join("plugins"),
            state: at.join("ledger"),
            cache_dir: at.join("cache"),
        };
        Config::load(Overrides::default(), places).unwrap()
    }

    fn start(self) -> Host {
        self.start_with(Notices::System)
    }

    fn start_with(self, notices: Notices) -> Host {
        let config = self.config();
        let Self {
            folder,
            loader,
            ledger,
        } = self;
        let catalog = Arc::new(Catalog::default());
        let library = Arc::new(Library::new(loader.clone(), ledger.clone()));
        let setup = Setup {
            config,
            catalog: Arc::clone(&catalog),
            library,
            ledger: ledger.clone(),
            chargeable: Arc::new(|_, _| Ok(charging())),
            notices,
        };
        Host {
            folder,
            loader,
            ledger,
            catalog,
            reload: Reload::start(setup),
        }
    }
}

/// Plugins and sidecars go into `plugins`, `coinop.toml` beside it.
fn write(folder: &Path, name: &str, text: &str) {
    let path = match name {
        "coinop.toml" | "coinop.lock" => folder.join(name),
        _ => folder.join("plugins").join(name),
    };
    std::fs::write(path, text).unwrap();
}

impl Host {
    fn write(&self, name: &str, text: &str) {
        write(self.folder.path(), name, text);
    }

    fn at(&self, name: &str) -> std::path::PathBuf {
        self.folder.path().join("plugins").join(name)
    }

    /// Waits until a snapshot is as expected.
    async fn until(&self, what: &str, expected: impl Fn(&Snapshot) -> bool) -> Arc<Snapshot> {
        let poll = async {
            let mut tick = tokio::time::interval(Duration::from_millis(5));
            loop {
                tick.tick().await;
                let snapshot = self.catalog.snapshot();
                if expected(&snapshot) {
                    return snapshot;
                }
            }
        };
        match tokio::time::timeout(PATIENCE, poll).await {
            Ok(snapshot) => snapshot,
            Err(_) => {
                let snapshot = self.catalog.snapshot();
                panic!(
                    "{what}: still {:?}, {:?}",
                    names(&snapshot),
                    snapshot.problems
                )
            }
        }
    }

    async fn until_names(&self, expected: &[&str]) -> Arc<Snapshot> {
        self.until(&format!("{expected:?}"), |snapshot| {
            names(snapshot) == expected
        })
        .await
    }

    async fn until_problem(&self, part: &str) -> Arc<Snapshot> {
        self.until(part, |snapshot| {
            snapshot
                .problems
                .iter()
                .any(|p| format!("{}: {}", p.file, p.message).contains(part))
        })
        .await
    }
}

fn names(snapshot: &Snapshot) -> Vec<&str> {
    snapshot.tools.keys().map(String::as_str).collect()
}

fn price(snapshot: &Snapshot, tool: &str) -> Option<String> {
    snapshot
        .tools
        .get(tool)
        .map(|entry| entry.listing().unwrap().price.to_string())
}

#[tokio::test]
async fn files_come_change_and_go() {
    let host = Before::with(&[("a.wasm", "plugin a=free")]).start();
    host.until_names(&["a"]).await;
    host.write("b.wasm", "plugin b=1.00:USD");
    host.until_names(&["a", "b", "confirm_payment"]).await;
    host.write("a.wasm", "plugin a2=free");
    host.until_names(&["a2", "b", "confirm_payment"]).await;
    std::fs::remove_file(host.at("b.wasm")).unwrap();
    host.until_names(&["a2"]).await;
    host.reload.shutdown().await;
}

#[tokio::test]
async fn editors_and_copies_rename_files() {
    let host = Before::with(&[("a.wasm", "plugin a=free")]).start();
    host.until_names(&["a"]).await;
    host.write("a.wasm.tmp", "plugin b=free");
    std::fs::rename(host.at("a.wasm.tmp"), host.at("a.wasm")).unwrap();
    host.until_names(&["b"]).await;
    // The way of many editors: the old file aside, a new one in its place.
    std::fs::rename(host.at("a.wasm"), host.at("a.wasm~")).unwrap();
    host.write("a.wasm", "plugin c=free");
    host.until_names(&["c"]).await;
    std::fs::rename(host.at("a.wasm"), host.at("other.wasm")).unwrap();
    host.until("another plugin", |s| {
        s.tools
            .get("c")
            .is_some_and(|e| e.listing().unwrap().plugin == "other")
    })
    .await;
    assert_eq!(names(&host.catalog.snapshot()), ["c"]);
}

#[tokio::test]
async fn a_half_written_file_is_served_when_it_is_whole() {
    use std::io::Write;
    let host = Before::with(&[("a.wasm", "plugin a=free")]).start();
    host.until_names(&["a"]).await;
    let loads = host.loader.loads();
    let mut file = std::fs::File::create(host.at("a.wasm")).unwrap();
    file.write_all(b"plu").unwrap();
    file.sync_all().unwrap();
    // The half has been tried, and nothing is said about it yet.
    host.until("a try", |_| host.loader.loads() > loads).await;
    assert_eq!(names(&host.catalog.snapshot()), ["a"]);
    assert_eq!(host.catalog.snapshot().problems, []);
    file.write_all(b"gin b=free").unwrap();
    drop(file);
    host.until_names(&["b"]).await;
    assert_eq!(host.catalog.snapshot().problems, []);
}

#[tokio::test]
async fn a_bad_file_keeps_the_last_good_version_and_says_so() {
    let host = Before::with(&[("a.wasm", "plugin a=free"), ("b.wasm", "plugin b=free")]).start();
    host.until_names(&["a", "b"]).await;
    host.write("a.wasm", "rubbish");
    let snapshot = host.until_problem("a.wasm: not a component").await;
    assert!(snapshot.problems[0].keeps_last_good);
    assert_eq!(names(&snapshot), ["a", "b"]);
    host.write("a.wasm", "plugin a=free c=free");
    let snapshot = host.until_names(&["a", "b", "c"]).await;
    assert_eq!(snapshot.problems, []);
}

#[tokio::test]
async fn a_hundred_changes_are_few_listings() {
    let host = Before::with(&[]).start();
    host.reload.ready().await;
    for n in 0..100 {
        host.write(&format!("p{n}.wasm"), &format!("plugin t{n}=free"));
    }
    host.until("all of them", |snapshot| snapshot.tools.len() == 100)
        .await;
    let revision = host.catalog.snapshot().revision;
    assert!(revision <= 10, "{revision} listings");
}

#[tokio::test]
async fn a_restarted_host_lists_at_once_what_it_knows() {
    let before = Before::with(&[
        ("a.wasm", "plugin a=free slow"),
        ("b.wasm", "plugin b=free slow"),
    ]);
    before.loader.remember("plugin a=free slow");
    let host = before.start();
    host.reload.ready().await;
    // No load has ended: both wait at the loader's gate.
    assert_eq!(names(&host.catalog.snapshot()), ["a"]);
    assert_eq!(host.reload.progress().borrow().loading, 2);
    host.loader.gate.0.add_permits(2);
    host.reload.settled().await;
    host.until_names(&["a", "b"]).await;
}

#[tokio::test]
async fn a_slow_plugin_holds_up_no_other() {
    let host = Before::with(&[
        ("a.wasm", "plugin a=free slow"),
        ("b.wasm", "plugin b=free"),
    ])
    .start();
    host.until_names(&["b"]).await;
    host.loader.gate.0.add_permits(1);
    host.until_names(&["a", "b"]).await;
}

#[tokio::test]
async fn remedies_and_retries_change_without_a_restart() {
    let host = Before::with(&[("a.wasm", "plugin a=1.00:USD")]).start();
    host.until_names(&["a", "confirm_payment"]).await;
    let sold = |s: &Snapshot| {
        let listing = s
            .tools
            .get("a")
            .map(|entry| entry.listing().unwrap().clone());
        listing.map(|l| (l.on_failure, l.retries))
    };
    host.write("a.toml", "retries = 1");
    let seen = Some((Remedy::Refund, 1));
    host.until("the sidecar", |s| sold(s) == seen).await;
    host.write("coinop.toml", "on_failure = \"credit\"\nretries = 2");
    let seen = Some((Remedy::Credit, 2));
    let snapshot = host.until("the configuration", |s| sold(s) == seen).await;
    assert_eq!(snapshot.problems, []);
}

#[tokio::test]
async fn prices_change_without_a_restart() {
    let host = Before::with(&[("a.wasm", "plugin a=1.00:USD")]).start();
    host.until_names(&["a", "confirm_payment"]).await;
    host.write("a.toml", "price = \"2 USD\"");
    host.until("the sidecar", |s| {
        price(s, "a").as_deref() == Some("2.00 USD per call")
    })
    .await;
    host.write(
        "coinop.toml",
        "mode = \"resubmit\"\n[plugins.a]\nprice = \"3 USD\"",
    );
    let snapshot = host
        .until("the configuration", |s| {
            price(s, "a").as_deref() == Some("3.00 USD per call")
        })
        .await;
    assert_eq!(names(&snapshot), ["a"]);

    host.write("coinop.toml", "[plugins.a]\nprize = \"9 USD\"");
    let snapshot = host
        .until_problem("coinop.toml: line 2: plugins.a.prize: unknown key; did you mean \"price\"?")
        .await;
    assert_eq!(price(&snapshot, "a").as_deref(), Some("3.00 USD per call"));
    assert!(snapshot.problems[0].keeps_last_good);

    host.write("a.toml", "price = \"cheap\"");
    host.until_problem("a.toml: ").await;
    std::fs::remove_file(host.folder.path().join("coinop.toml")).unwrap();
    let snapshot = host
        .until("the good sidecar", |s| {
            price(s, "a").as_deref() == Some("2.00 USD per call")
        })
        .await;
    assert_eq!(names(&snapshot), ["a", "confirm_payment"]);
}

#[tokio::test]
async fn a_plugin_whose_sidecar_was_never_right_is_not_listed() {
    let host = Before::with(&[
        ("a.wasm", "plugin a=free"),
        ("a.toml", "account = \"mine\""),
    ])
    .start();
    let snapshot = host
        .until_problem("a.toml: line 1: account: does not belong here")
        .await;
    assert_eq!(names(&snapshot), [""; 0]);
    host.write("a.toml", "price = \"1 USD\"");
    host.until_names(&["a", "confirm_payment"]).await;
}

#[tokio::test]
async fn subscribers_hear_only_of_listings_that_changed() {
    let host = Before::with(&[("a.wasm", "plugin a=free")]).start();
    host.until_names(&["a"]).await;
    host.reload.settled().await;
    let mut heard = host.catalog.subscribe();
    heard.mark_unchanged();
    // Other bytes, the same tools: the next call runs them, and nobody needs to list again.
    host.write("a.wasm", "plugin a=free\n");
    let new = Digest::of(b"plugin a=free\n");
    host.until("the new bytes", |s| {
        s.tools["a"].listing().unwrap().manifest.digest == new
    })
    .await;
    assert!(!heard.has_changed().unwrap());
    host.write("a.wasm", "plugin b=free\n");
    tokio::time::timeout(PATIENCE, heard.changed())
        .await
        .unwrap()
        .unwrap();
}

#[tokio::test]
async fn a_paid_plugin_is_in_the_ledger_before_it_is_listed() {
    let before = Before::with(&[
        ("free.wasm", "plugin f=free"),
        ("paid.wasm", "plugin p=1.00:USD"),
    ]);
    before.ledger.down.store(true, Ordering::SeqCst);
    let host = before.start();
    let snapshot = host
        .until_problem("paid.wasm: the ledger cannot keep it")
        .await;
    assert!(!snapshot.tools.contains_key("p"));
    host.ledger.down.store(false, Ordering::SeqCst);
    host.reload.look();
    host.until_names(&["confirm_payment", "f", "p"]).await;
    let kept: Vec<Digest> = host.ledger.kept.lock().unwrap().keys().copied().collect();
    assert_eq!(kept, [Digest::of(b"plugin p=1.00:USD")]);
}

#[tokio::test]
async fn a_blocked_component_is_not_listed() {
    let before = Before::with(&[("a.wasm", "plugin a=free"), ("b.wasm", "plugin b=free")]);
    before
        .ledger
        .set_blocked(Digest::of(b"plugin a=free"), true, 0)
        .await
        .unwrap();
    let host = before.start();
    let snapshot = host.until_names(&["b"]).await;
    assert!(
        snapshot
            .problems
            .iter()
            .any(|p| p.message.contains("blocked"))
    );
}

#[tokio::test]
async fn a_block_by_another_process_takes_the_tools_off() {
    let before = Before::with(&[("a.wasm", "plugin a=free"), ("b.wasm", "plugin b=free")]);
    let ledger = before.ledger.clone();
    let host = before.start();
    host.until_names(&["a", "b"]).await;
    let digest = Digest::of(b"plugin a=free");
    ledger.set_blocked(digest, true, 0).await.unwrap();
    host.until_names(&["b"]).await;
    ledger.set_blocked(digest, false, 0).await.unwrap();
    host.until_names(&["a", "b"]).await;
}

#[tokio::test]
async fn without_notices_it_looks_by_itself() {
    let host = Before::with(&[]).start_with(Notices::Polling);
    host.reload.ready().await;
    host.write("a.wasm", "plugin a=free");
    host.until_names(&["a"]).await;
}

#[tokio::test]
async fn a_folder_that_comes_later_is_found() {
    let before = Before::with(&[]);
    std::fs::remove_dir(before.folder.path().join("plugins")).unwrap();
    let host = before.start();
    host.until_problem("make it").await;
    std::fs::create_dir(host.folder.path().join("plugins")).unwrap();
    host.write("a.wasm", "plugin a=free");
    host.until_names(&["a"]).await;
}

#[tokio::test]
async fn a_check_says_of_every_file_what_would_be_served() {
    let before = Before::with(&[
        ("bad.wasm", "rubbish"),
        ("good.wasm", "plugin t=free u=1.00:USD v"),
        ("side.wasm", "plugin s=free"),
        ("side.toml", "prise = 1"),
    ]);
    let chargeable = |_: &str, _: &coinop_core::money::Money| Ok(charging());
    let mut config = before.config();
    config.plugins.insert("godo".to_owned(), Default::default());
    let reports = check_folder(&config, &*before.loader, &chargeable)
        .await
        .unwrap();
    let shown: Vec<(Vec<String>, String)> = reports
        .iter()
        .map(|r| {
            (
                r.tools
                    .iter()
                    .map(|t| format!("{}: {}", t.name, t.price))
                    .collect(),
                r.problems.join("\n"),
            )
        })
        .collect();
    assert_eq!(shown[0], (vec![], "not a component".to_owned()));
    assert_eq!(shown[1].0, ["t: free", "u: 1.00 USD per call"]);
    assert!(
        shown[1].1.contains("[plugins.good.tools.v] price = "),
        "{}",
        shown[1].1
    );
    assert!(
        shown[2].1.contains("side.toml: line 1: prise: unknown key"),
        "{}",
        shown[2].1
    );
    assert!(shown[2].0.is_empty());
    assert_eq!(reports[3].file, config.file);
    assert!(
        shown[3].1.contains("there is no godo.wasm") && shown[3].1.contains("\"good\""),
        "{}",
        shown[3].1
    );
}

/// An account of pretended money that people pay by links.
fn charging() -> Charging {
    Charging {
        test: true,
        links: true,
        rail: false,
    }
}
