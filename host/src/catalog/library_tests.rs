use std::sync::atomic::Ordering;

use coinop_core::outcome::Content;
use coinop_core::principal::Principal;

use super::*;
use crate::catalog::fakes::{FakeLedger, FakeLoader, job};
use crate::quarantine::Rules;

struct Setting {
    loader: Arc<FakeLoader>,
    ledger: Arc<FakeLedger>,
    library: Arc<Library>,
    folder: tempfile::TempDir,
}

impl Setting {
    fn new() -> Self {
        let (loader, ledger) = (
            Arc::new(FakeLoader::default()),
            Arc::new(FakeLedger::default()),
        );
        let library = Arc::new(Library::new(loader.clone(), ledger.clone()));
        Self {
            loader,
            ledger,
            library,
            folder: tempfile::tempdir().unwrap(),
        }
    }

    /// Writes a component and offers it.
    fn offer(&self, name: &str, text: &str) -> Digest {
        let file = self.folder.path().join(name);
        std::fs::write(&file, text).unwrap();
        let digest = Digest::of(text.as_bytes());
        self.library.offer(digest, file);
        digest
    }

    async fn run(&self, digest: Digest, tool: &str) -> Result<String, String> {
        let outcome = self
            .library
            .run(job(digest, tool))
            .await
            .map_err(|failure| failure.kind)?;
        match &outcome.content[..] {
            [Content::Text { text }] => Ok(text.clone()),
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn any_number_of_callers_share_one_load() {
    let setting = Setting::new();
    let digest = setting.offer("p.wasm", "plugin t=free slow");
    let callers = futures::future::join_all((0..50).map(|_| setting.library.get(digest)));
    let release = async {
        tokio::task::yield_now().await;
        setting.loader.gate.0.add_permits(1);
    };
    let (codes, ()) = tokio::join!(callers, release);
    assert!(codes.iter().all(Result::is_ok));
    assert_eq!(setting.loader.loads(), 1);
}

#[tokio::test]
async fn a_load_goes_on_when_its_caller_leaves() {
    let setting = Setting::new();
    let digest = setting.offer("p.wasm", "plugin t=free slow");
    {
        let mut leaving = std::pin::pin!(setting.library.get(digest));
        assert!(futures::poll!(&mut leaving).is_pending());
    }
    setting.loader.gate.0.add_permits(1);
    assert!(setting.library.get(digest).await.is_ok());
    assert_eq!(setting.loader.loads(), 1);
}

#[tokio::test]
async fn a_failed_load_is_tried_again() {
    let setting = Setting::new();
    let digest = setting.offer("p.wasm", "plugin t=free");
    setting.loader.broken.store(true, Ordering::SeqCst);
    assert_eq!(
        setting.run(digest, "t").await,
        Err("host_unavailable".to_owned())
    );
    setting.loader.broken.store(false, Ordering::SeqCst);
    assert_eq!(
        setting.run(digest, "t").await,
        Ok(format!("t by {}", digest.short()))
    );
}

#[tokio::test]
async fn a_version_whose_file_is_replaced_comes_from_the_ledger_or_not_at_all() {
    let setting = Setting::new();
    let old = setting.offer("p.wasm", "plugin t=free");
    setting.offer("p.wasm", "plugin t=free u=free");
    assert_eq!(
        setting.run(old, "t").await,
        Err("host_unavailable".to_owned())
    );
    let bytes: Arc<[u8]> = b"plugin t=free".as_slice().into();
    setting.ledger.keep_component(old, bytes, 0).await.unwrap();
    assert!(setting.run(old, "t").await.is_ok());

    let damaged = Digest::of(b"something else");
    setting
        .ledger
        .keep_component(damaged, b"plugin t=free".as_slice().into(), 0)
        .await
        .unwrap();
    assert!(
        setting
            .library
            .get(damaged)
            .await
            .err()
            .unwrap()
            .contains("damaged")
    );
}

#[tokio::test]
async fn what_is_served_stays_and_few_others_do() {
    let setting = Setting::new();
    let served = setting.offer("served.wasm", "plugin s=free");
    setting.library.get(served).await.unwrap();
    let mut retired = Vec::new();
    for n in 0..RETIRED_MAX + 3 {
        let digest = setting.offer(&format!("p{n}.wasm"), &format!("plugin t{n}=free"));
        setting.library.get(digest).await.unwrap();
        retired.push(digest);
    }
    setting.library.serve(HashMap::from([(
        served,
        setting.folder.path().join("served.wasm"),
    )]));
    let slots = setting
        .library
        .shelf()
        .slots
        .keys()
        .map(|(digest, _)| *digest)
        .collect::<Vec<_>>();
    assert_eq!(slots.len(), RETIRED_MAX + 1);
    assert!(
        slots.contains(&served)
            && slots.contains(retired.last().unwrap())
            && !slots.contains(&retired[0])
    );
}

#[tokio::test]
async fn a_blocked_component_does_not_run() {
    let setting = Setting::new();
    let digest = setting.offer("p.wasm", "plugin t=free");
    setting.ledger.set_blocked(digest, true, 0).await.unwrap();
    assert_eq!(setting.run(digest, "t").await, Err("blocked".to_owned()));
    assert_eq!(setting.loader.loads(), 0);
}

#[tokio::test]
async fn a_ledger_that_never_answered_lets_nothing_run() {
    let setting = Setting::new();
    let digest = setting.offer("p.wasm", "plugin t=free");
    setting.ledger.down.store(true, Ordering::SeqCst);
    assert_eq!(
        setting.run(digest, "t").await,
        Err("host_unavailable".to_owned())
    );
}

#[tokio::test]
async fn a_failure_of_the_tool_is_the_callers_to_hear() {
    let setting = Setting::new();
    let digest = setting.offer("p.wasm", "plugin fails=free");
    assert_eq!(setting.run(digest, "fails").await, Err("trap".to_owned()));
}

#[tokio::test]
async fn shutting_down_ends_a_load() {
    let setting = Setting::new();
    let digest = setting.offer("p.wasm", "plugin t=free slow");
    let (loaded, ()) = tokio::join!(setting.library.get(digest), setting.library.shutdown());
    assert!(loaded.err().unwrap().contains("shutting down"));
}

#[test]
fn a_guests_log_cannot_drive_the_terminal() {
    assert_eq!(printable("a\u{1b}[31mü\tb\r"), "a\\u{1b}[31mü\tb\\r");
}

#[tokio::test]
async fn a_plugin_that_keeps_failing_is_set_aside_and_its_new_version_is_not() {
    let setting = Setting::new();
    let bad = setting.offer("p.wasm", "plugin fails=free t=free");
    let failures = Rules::default().failures_max;
    for n in 0..failures {
        assert!(setting.library.refuses(&bad, "p").is_none(), "{n}");
        // What passes for a request for payment may be its caller's words: it neither counts nor forgives.
        assert!(setting.run(bad, "poses").await.is_err());
        assert!(setting.run(bad, "fails").await.is_err());
    }
    let aside = setting.library.refuses(&bad, "p").unwrap();
    assert_eq!(
        aside.to_string(),
        "the plugin p keeps failing; try again in 30 s"
    );
    assert_eq!(setting.run(bad, "t").await.unwrap_err(), "set_aside");
    let better = setting.offer("p.wasm", "plugin fails=free t=free slowly=free");
    setting.loader.gate.0.add_permits(1);
    setting.run(better, "t").await.unwrap();
    // A call that is paid runs, and shows that it answers again.
    let owed = Job {
        ready: Some(Ready::default()),
        ..job(bad, "t")
    };
    setting.library.run(owed).await.unwrap();
    setting.run(bad, "t").await.unwrap();
}

#[tokio::test]
async fn an_answer_that_asks_for_payment_is_none() {
    let setting = Setting::new();
    let digest = setting.offer("p.wasm", "plugin poses=free");
    let error = setting.library.run(job(digest, "poses")).await.unwrap_err();
    assert_eq!(error.kind, "invalid_output");
    assert!(error.message.contains("only the host"), "{}", error.message);
}

#[tokio::test]
async fn a_plugin_whose_grants_cannot_be_given_does_not_run_without_them() {
    let setting = Setting::new();
    let digest = setting.offer("p.wasm", "plugin t=free");
    let unready = ["p".to_owned()].into();
    setting
        .library
        .grant(HashMap::new(), HashMap::new(), unready);
    let error = setting.run(digest, "t").await.unwrap_err();
    assert_eq!(error, "host_unavailable");
    setting
        .library
        .grant(HashMap::new(), HashMap::new(), Default::default());
    setting.run(digest, "t").await.unwrap();
}

#[tokio::test]
async fn instances_stay_where_the_operator_says_so_for_callers_with_a_name() {
    let setting = Setting::new();
    let digest = setting.offer("p.wasm", "plugin shares=free");
    let anonymous = || Job {
        principal: Principal::anonymous(),
        ..job(digest, "shares")
    };
    let told = async |job| {
        let outcome = setting.library.run(job).await.unwrap();
        outcome.content
    };
    let text = |text: &str| vec![Content::text(text)];
    assert_eq!(told(job(digest, "shares")).await, text("false, retired 0"));
    let warm = || HashMap::from([("p".to_owned(), Warm::default())]);
    setting.library.keep_warm(warm());
    assert_eq!(told(job(digest, "shares")).await, text("true, retired 1"));
    assert_eq!(told(anonymous()).await, text("false, retired 1"));
    // The same again changes nothing, other grants do.
    setting.library.keep_warm(warm());
    let grant = |grants| {
        setting
            .library
            .grant(grants, HashMap::new(), Default::default());
    };
    grant(HashMap::new());
    assert_eq!(told(job(digest, "shares")).await, text("true, retired 1"));
    grant(HashMap::from([("p".to_owned(), Arc::default())]));
    assert_eq!(told(job(digest, "shares")).await, text("true, retired 2"));
    // Its file is replaced, and a quote may still name it.
    setting.library.serve(HashMap::new());
    assert_eq!(told(job(digest, "shares")).await, text("true, retired 3"));
    setting.library.keep_warm(HashMap::new());
    assert_eq!(told(job(digest, "shares")).await, text("false, retired 4"));
}

#[tokio::test]
async fn no_instance_stays_of_a_plugin_that_is_set_aside() {
    let setting = Setting::new();
    let digest = setting.offer("p.wasm", "plugin fails=free shares=free");
    let warm = HashMap::from([("p".to_owned(), Warm::default())]);
    setting.library.keep_warm(warm);
    for _ in 0..Rules::default().failures_max {
        assert!(setting.run(digest, "fails").await.is_err());
    }
    let owed = Job {
        ready: Some(Ready::default()),
        ..job(digest, "shares")
    };
    let outcome = setting.library.run(owed).await.unwrap();
    assert_eq!(outcome.content, [Content::text("false, retired 1")]);
    assert_eq!(
        setting.run(digest, "shares").await.unwrap(),
        "true, retired 1"
    );
}
