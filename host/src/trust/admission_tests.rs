use std::collections::BTreeMap;

use super::*;
use crate::grants::HttpGrant;
use crate::trust::testing::Signer;
use crate::trust::{Pinned, Pulled};

const BYTES: &[u8] = b"component";

fn rules() -> TrustRules {
    TrustRules {
        lock_file: "/c/coinop.lock".into(),
        ..TrustRules::default()
    }
}

fn pinned(bytes: &[u8], grants: &[&str]) -> Pinned {
    Pinned {
        digest: Digest::of(bytes),
        sidecar: None,
        signed_by: None,
        grants: grants.iter().map(|g| (*g).to_owned()).collect(),
        tools: Vec::new(),
    }
}

fn lock(pinned: Pinned) -> Lock {
    Lock {
        plugins: [("p".to_owned(), pinned)].into(),
        ..Lock::default()
    }
}

fn locked(lock: Option<Lock>) -> Admission {
    let rules = TrustRules {
        locked: true,
        ..rules()
    };
    Admission::new(rules, lock)
}

fn no_file() -> &'static Path {
    Path::new("/nowhere/p.wasm")
}

#[test]
fn without_rules_everything_is_admitted() {
    for lock in [None, Some(lock(pinned(b"other", &[])))] {
        let admission = Admission::new(rules(), lock);
        assert_eq!(admission.admit("p", no_file(), BYTES), Ok(()));
        assert!(!admission.revokes("p", Digest::of(BYTES)));
    }
}

#[test]
fn locked_admits_the_locked_digest_alone() {
    let admission = locked(Some(lock(pinned(BYTES, &[]))));
    assert_eq!(admission.admit("p", no_file(), BYTES), Ok(()));
    let other = admission.admit("p", no_file(), b"other").unwrap_err();
    assert!(
        other.to_string().contains("`coinop lock p` accepts it"),
        "{other}"
    );
    assert!(matches!(
        admission.admit("q", no_file(), BYTES),
        Err(Refusal::NotLocked { .. })
    ));
    assert!(matches!(
        locked(None).admit("p", no_file(), BYTES),
        Err(Refusal::NotLocked { .. })
    ));
    assert!(admission.revokes("p", Digest::of(b"other")));
    assert!(!admission.revokes("p", Digest::of(BYTES)));
}

#[test]
fn a_lock_that_cannot_be_read_admits_nothing_and_revokes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let lock_file = folder.path().join("coinop.lock");
    std::fs::write(&lock_file, "nonsense").unwrap();
    let rules = TrustRules {
        locked: true,
        lock_file,
        ..TrustRules::default()
    };
    let admission = Admission::read(&rules);
    let refused = admission.admit("p", no_file(), BYTES).unwrap_err();
    assert!(
        refused
            .to_string()
            .contains("coinop.lock, which is not a lock file"),
        "{refused}"
    );
    assert!(!admission.revokes("p", Digest::of(BYTES)));
    let before = Admission::new(rules.clone(), Some(lock(pinned(BYTES, &[ONE]))));
    let broken = before.read_again(&rules);
    assert!(broken.lock_wrong().is_some());
    assert_eq!(broken.admit("p", no_file(), BYTES), Ok(()));
    assert!(broken.admit("p", no_file(), b"other").is_err());
    let grants = granted(&["GET https://a.example"]);
    assert_eq!(broken.allowed(grants.clone()).grants, grants);
}

#[test]
fn another_sidecar_does_not_count_while_locked() {
    let sidecar = Some(Digest::of(b"price = \"free\""));
    let accepted = Pinned {
        sidecar,
        ..pinned(BYTES, &[])
    };
    let admission = locked(Some(lock(accepted.clone())));
    assert_eq!(admission.admit_sidecar("p", sidecar), Ok(()));
    assert!(admission.admit_sidecar("p", None).is_err());
    assert!(
        admission
            .admit_sidecar("p", Some(Digest::of(b"price")))
            .is_err()
    );
    let open = Admission::new(rules(), Some(lock(accepted)));
    assert_eq!(open.admit_sidecar("p", None), Ok(()));
}

/// A signed file in a folder, and who may have signed it.
struct Signed {
    folder: tempfile::TempDir,
    rules: TrustRules,
    lock: Option<Lock>,
}

impl Signed {
    fn new(signature: Option<&str>, required: bool) -> Self {
        let folder = tempfile::tempdir().unwrap();
        if let Some(text) = signature {
            std::fs::write(folder.path().join("p.wasm.minisig"), text).unwrap();
        }
        let rules = TrustRules {
            minisign: vec![Signer::new(1).key()],
            require_signature: required,
            ..rules()
        };
        Self {
            folder,
            rules,
            lock: None,
        }
    }

    fn by(&self) -> Result<Option<String>, Refusal> {
        let admission = Admission::new(self.rules.clone(), self.lock.clone());
        admission.signed_by("p", &self.folder.path().join("p.wasm"), BYTES)
    }
}

#[test]
fn a_signature_counts_when_its_key_is_named() {
    let signature = Signer::new(1).sign(BYTES);
    for required in [false, true] {
        let by = Signed::new(Some(&signature), required).by().unwrap();
        assert_eq!(by.as_deref(), Some("minisign 0101010101010101"));
    }
}

#[test]
fn a_wrong_signature_is_refused_even_where_none_is_required() {
    let cases = [
        (Signer::new(1).sign(b"other"), "not made for this content"),
        (Signer::new(2).sign(BYTES), "0202020202020202"),
        ("nonsense".to_owned(), "not one that minisign writes"),
        ("x".repeat(5000), "longer than 4096 bytes"),
    ];
    for (signature, word) in cases {
        let refused = Signed::new(Some(&signature), false).by().unwrap_err();
        assert!(refused.to_string().contains(word), "{refused}");
        assert!(refused.may_pass());
    }
}

#[test]
fn a_missing_signature_is_refused_where_one_is_required() {
    assert_eq!(Signed::new(None, false).by(), Ok(None));
    let refused = Signed::new(None, true).by().unwrap_err();
    assert!(refused.to_string().contains("p.wasm.minisig"), "{refused}");
    let mut excepted = Signed::new(None, true);
    excepted.rules.required = BTreeMap::from([("p".to_owned(), false)]);
    assert_eq!(excepted.by(), Ok(None));
}

#[test]
fn without_keys_a_signature_means_nothing() {
    let mut signed = Signed::new(Some("nonsense"), false);
    signed.rules.minisign.clear();
    assert_eq!(signed.by(), Ok(None));
}

#[test]
fn what_was_verified_when_it_was_pulled_needs_no_second_signature() {
    const PEM: &str = include_str!("testdata/cosign.pub");
    let key: crate::trust::CosignKey = PEM.parse().unwrap();
    let pulled = |bytes: &[u8], key: &str| Lock {
        pulled: BTreeMap::from([(
            "p".to_owned(),
            Pulled {
                digest: Digest::of(bytes),
                oci: "oci://localhost/p".to_owned(),
                manifest: Digest::of(b"manifest"),
                pulled_at: String::new(),
                cosign_key: Some(key.to_owned()),
            },
        )]),
        ..Lock::default()
    };
    let mut signed = Signed::new(None, true);
    signed.rules.cosign = vec![key.clone()];
    signed.lock = Some(pulled(BYTES, key.id()));
    assert_eq!(signed.by(), Ok(Some(format!("cosign {}", key.id()))));
    for other in [pulled(b"other", key.id()), pulled(BYTES, "another key")] {
        signed.lock = Some(other);
        assert!(matches!(signed.by(), Err(Refusal::Unsigned { .. })));
    }
}

fn granted(lines: &[&str]) -> HashMap<String, Arc<Grants>> {
    let mut grants = Grants::default();
    grants
        .http
        .extend(lines.iter().map(|line| line.parse::<HttpGrant>().unwrap()));
    HashMap::from([("p".to_owned(), Arc::new(grants))])
}

const ONE: &str = "http = \"GET https://a.example\"";
const TWO: &str = "http = \"https://b.example\"";

#[test]
fn grants_are_free_while_nothing_is_locked() {
    let admission = Admission::new(rules(), Some(lock(pinned(BYTES, &[]))));
    let grants = granted(&["https://a.example"]);
    let allowed = admission.allowed(grants.clone());
    assert_eq!((allowed.grants, allowed.pins.len()), (grants, 0));
}

#[test]
fn locked_grants_belong_to_the_locked_component() {
    let admission = locked(Some(lock(pinned(BYTES, &[ONE, TWO]))));
    for held in [
        &["GET https://a.example", "https://b.example"][..],
        &["https://b.example"],
    ] {
        let grants = granted(held);
        let allowed = admission.allowed(grants.clone());
        assert_eq!(allowed.grants, grants);
        assert_eq!(allowed.pins["p"], Digest::of(BYTES));
        assert_eq!(allowed.withheld, []);
    }
}

#[test]
fn one_grant_that_was_not_accepted_withholds_them_all() {
    let admission = locked(Some(lock(pinned(BYTES, &[ONE]))));
    let wider = [
        &["https://a.example"][..],
        &["GET https://a.example", "https://b.example"],
    ];
    for held in wider {
        let allowed = admission.allowed(granted(held));
        assert!(allowed.grants.is_empty());
        assert!(
            allowed.withheld[0]
                .1
                .contains("`coinop lock p` accepts them")
        );
    }
    assert_eq!(locked(None).allowed(granted(&[])), Allowed::default());
}

#[test]
fn only_what_tools_say_is_told_as_a_change() {
    let tool = |description: &str| PinnedTool {
        name: "t".to_owned(),
        description: description.to_owned(),
        ..PinnedTool::default()
    };
    let accepted = Pinned {
        tools: vec![tool("one")],
        ..pinned(BYTES, &[ONE])
    };
    let admission = Admission::new(rules(), Some(lock(accepted)));
    assert_eq!(admission.said_otherwise("p", &[tool("one")]), None);
    assert_eq!(admission.said_otherwise("q", &[tool("two")]), None);
    let change = admission.said_otherwise("p", &[tool("two")]).unwrap();
    assert!(
        change.diff.contains("+description = \"two\""),
        "{}",
        change.diff
    );
}
