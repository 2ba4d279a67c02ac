//! Files that the operator's rules admit and refuse: nothing of a refused one is loaded.

use coinop_core::digest::Digest;

use super::*;
use crate::trust::testing::Signer;
use crate::trust::{Lock, Pinned};

const LOCKED: &str = "[trust]\nlocked = true\n";
const ONE: &str = "plugin a=free";
const TWO: &str = "plugin b=free";

/// A lock that accepts `a.wasm` with this content and this sidecar.
fn lock(component: &str, sidecar: Option<&str>) -> String {
    let pinned = Pinned {
        digest: Digest::of(component.as_bytes()),
        sidecar: sidecar.map(|text| Digest::of(text.as_bytes())),
        signed_by: None,
        grants: Vec::new(),
        tools: Vec::new(),
    };
    let lock = Lock {
        plugins: [("a".to_owned(), pinned)].into(),
        ..Lock::default()
    };
    lock.text()
}

/// A host with `a.wasm` and this lock, when it has looked once.
async fn locked(component: &str, lock: &str) -> Host {
    let files = [
        ("coinop.toml", LOCKED),
        ("coinop.lock", lock),
        ("a.wasm", component),
    ];
    let host = Before::with(&files).start();
    host.reload.ready().await;
    host
}

#[tokio::test]
async fn nothing_of_a_replaced_file_is_loaded_until_it_is_accepted() {
    let host = locked(ONE, &lock(ONE, None)).await;
    host.until_names(&["a"]).await;
    let loads = host.loader.loads();
    host.write("a.wasm", TWO);
    let snapshot = host.until_problem("`coinop lock a` accepts it").await;
    assert_eq!(names(&snapshot), ["a"]);
    assert!(snapshot.problems[0].keeps_last_good);
    assert_eq!(host.loader.loads(), loads);
    host.write("coinop.lock", &lock(TWO, None));
    let snapshot = host.until_names(&["b"]).await;
    assert_eq!(snapshot.problems, []);
}

#[tokio::test]
async fn what_the_lock_does_not_name_is_not_loaded_at_all() {
    for other in [String::new(), lock(TWO, None), "nonsense".to_owned()] {
        let host = locked(ONE, &other).await;
        host.until_problem("coinop lock").await;
        host.reload.settled().await;
        assert_eq!(host.loader.loads(), 0, "{other}");
        assert!(names(&host.catalog.snapshot()).is_empty());
    }
}

#[tokio::test]
async fn a_version_that_is_no_longer_accepted_goes() {
    let host = locked(ONE, &lock(ONE, None)).await;
    host.until_names(&["a"]).await;
    host.write("coinop.lock", &lock(TWO, None));
    host.until_names(&[]).await;
    host.write("coinop.lock", &lock(ONE, None));
    host.until_names(&["a"]).await;
}

#[tokio::test]
async fn a_lock_that_breaks_takes_nothing_down() {
    let host = locked(ONE, &lock(ONE, None)).await;
    host.until_names(&["a"]).await;
    host.write("coinop.lock", "nonsense");
    let snapshot = host.until_problem("is not a lock file").await;
    assert_eq!(names(&snapshot), ["a"]);
}

#[tokio::test]
async fn a_replaced_sidecar_does_not_change_the_price() {
    let dear = "price = \"1.00 USD\"";
    let host = locked("plugin a=2.00:USD", &lock("plugin a=2.00:USD", None)).await;
    host.until_names(&["a", "confirm_payment"]).await;
    host.write("a.toml", dear);
    let snapshot = host
        .until_problem("a.toml: is not the one in coinop.lock")
        .await;
    assert_eq!(price(&snapshot, "a").unwrap(), "2.00 USD per call");
    host.write("coinop.lock", &lock("plugin a=2.00:USD", Some(dear)));
    host.until("the accepted price", |snapshot| {
        price(snapshot, "a").as_deref() == Some("1.00 USD per call")
    })
    .await;
}

#[tokio::test]
async fn without_locked_a_lock_refuses_nothing() {
    let files = [("coinop.lock", &*lock(TWO, None)), ("a.wasm", ONE)];
    let host = Before::with(&files).start();
    let snapshot = host.until_names(&["a"]).await;
    assert_eq!(snapshot.problems, []);
}

fn signed_only(signer: &Signer) -> String {
    format!("[trust]\nminisign = [\"{}\"]\n", signer.public_line())
}

/// A host that trusts `signer` alone and serves `a.wasm` by its signature.
async fn signed_by(signer: &Signer) -> Host {
    let (config, signature) = (signed_only(signer), signer.sign(ONE.as_bytes()));
    let files = [
        ("coinop.toml", &*config),
        ("a.wasm", ONE),
        ("a.wasm.minisig", &*signature),
    ];
    let host = Before::with(&files).start();
    host.until_names(&["a"]).await;
    host
}

#[tokio::test]
async fn a_signature_may_come_after_its_file() {
    let signer = Signer::new(1);
    let config = signed_only(&signer);
    let host = Before::with(&[("coinop.toml", &config), ("a.wasm", ONE)]).start();
    host.reload.ready().await;
    let snapshot = host.catalog.snapshot();
    assert!(names(&snapshot).is_empty());
    assert_eq!(snapshot.problems, [], "its signature may be on its way");
    host.write("a.wasm.minisig", &signer.sign(ONE.as_bytes()));
    host.until_names(&["a"]).await;
}

#[tokio::test]
async fn what_stays_unsigned_or_is_signed_wrongly_is_told_and_never_loaded() {
    let signer = Signer::new(1);
    let wrong = signer.sign(b"something else");
    let foreign = Signer::new(2).sign(ONE.as_bytes());
    let cases = [
        (None, "is not signed"),
        (Some(wrong), "was not made for this content"),
        (Some(foreign), "is signed by the key 0202020202020202"),
    ];
    for (signature, problem) in cases {
        let config = signed_only(&signer);
        let before = Before::with(&[("coinop.toml", &config), ("a.wasm", ONE)]);
        if let Some(text) = signature {
            write(before.folder.path(), "a.wasm.minisig", &text);
        }
        let host = before.start();
        host.until_problem(problem).await;
        assert_eq!(host.loader.loads(), 0);
    }
}

#[tokio::test]
async fn a_replaced_file_and_its_signature_come_in_either_order() {
    let signer = Signer::new(1);
    let first = signer.sign(ONE.as_bytes());
    let host = signed_by(&signer).await;
    host.write("a.wasm.minisig", &signer.sign(TWO.as_bytes()));
    host.write("a.wasm", TWO);
    host.until_names(&["b"]).await;
    host.write("a.wasm", ONE);
    host.write("a.wasm.minisig", &first);
    let snapshot = host.until_names(&["a"]).await;
    assert_eq!(snapshot.problems, []);
}

#[tokio::test]
async fn a_key_that_is_no_longer_trusted_takes_its_plugins_along() {
    let (old, new) = (Signer::new(1), Signer::new(2));
    let host = signed_by(&old).await;
    host.write("coinop.toml", &signed_only(&new));
    host.until_names(&[]).await;
}

#[tokio::test]
async fn a_key_that_is_no_longer_trusted_takes_along_what_was_only_kept() {
    let (old, new) = (Signer::new(1), Signer::new(2));
    let host = signed_by(&old).await;
    host.write("a.wasm", TWO);
    let snapshot = host.until_problem("was not made for this content").await;
    assert_eq!(names(&snapshot), ["a"], "the last good version is kept");
    host.write("coinop.toml", &signed_only(&new));
    host.until_names(&[]).await;
}
