//! Which files become plugins, what is said of the others, and what the cache gives back.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use coinop::plugin::Contract;
use coinop::sandbox::{LoadError, Sandbox};
use coinop_core::digest::Digest;

use crate::support::{assembled, guest, load, load_error, sandbox_in};

#[tokio::test]
async fn the_manifest_says_what_the_plugin_says() {
    let echo = load("echo").await;
    let manifest = echo.manifest();
    assert_eq!(manifest.digest, Digest::of(&guest("echo")));
    let version = "0.1.0".to_owned();
    assert_eq!(manifest.contract, Contract::Plugin { version });
    let tools: Vec<String> = manifest
        .tools
        .iter()
        .map(|tool| match &tool.price {
            Some(price) => format!("{}: {price}", tool.name),
            None => format!("{}: no price", tool.name),
        })
        .collect();
    assert_eq!(
        tools,
        [
            "echo: free",
            "echo_paid: 0.01 USD per call",
            "slow: free",
            "slow_paid: 0.01 USD per call",
            "kinds: free",
            "sum: free",
            "unpriced: no price",
        ]
    );
}

#[tokio::test]
async fn the_next_version_lists_something_else() {
    let (first, second) = (load("echo").await, load("echo-v2").await);
    assert_ne!(first.manifest().digest, second.manifest().digest);
    let added = second.manifest().tools.last().unwrap();
    assert_eq!(added.name, "shout");
    assert_ne!(
        first.manifest().tools[0].description,
        second.manifest().tools[0].description
    );
}

#[tokio::test]
async fn each_bad_file_gets_its_own_error() {
    let whole = guest("echo");
    let cut: Arc<[u8]> = whole[..whole.len() / 2].into();
    let cases: [(&str, Arc<[u8]>, &str); 8] = [
        (
            "notes.wasm",
            b"not a component\n".as_slice().into(),
            "text file",
        ),
        (
            "core.wasm",
            assembled("core-module.wat"),
            "core WebAssembly module",
        ),
        (
            "other.wasm",
            assembled("other-world.wat"),
            "it exports answer",
        ),
        (
            "future.wasm",
            assembled("unsupported-version.wat"),
            "coinop:plugin 9.0.0, which this host does not run; supported: 0.1",
        ),
        ("half.wasm", cut, "truncated"),
        (
            "shape.wasm",
            assembled("wrong-shape.wat"),
            "cannot be linked",
        ),
        (
            "bank.wasm",
            assembled("unknown-import.wat"),
            "example:bank/account@1.0.0",
        ),
        (
            "metered.wasm",
            guest("metered"),
            "tool \"translate\": a metered price is not supported",
        ),
    ];
    for (file, bytes, part) in cases {
        let message = load_error(file, bytes).await.to_string();
        assert!(message.starts_with(&format!("{file}: ")), "{message}");
        assert!(message.contains(part), "{message}");
    }
}

#[tokio::test]
async fn every_truncation_is_an_error_and_never_a_panic() {
    let whole = guest("no-list");
    let sandbox = crate::support::sandbox();
    for length in (0..whole.len()).step_by(whole.len() / 40) {
        let part: Arc<[u8]> = whole[..length].into();
        let Err(error) = sandbox.load("part.wasm", part).await else {
            panic!("{length} of {} bytes were loaded", whole.len());
        };
        assert!(
            matches!(
                error,
                LoadError::Empty { .. }
                    | LoadError::Truncated { .. }
                    | LoadError::OtherWorld { .. }
            ),
            "{length}: {error}"
        );
    }
}

#[tokio::test]
async fn a_plugin_that_cannot_list_says_why() {
    let message = load_error("no-list.wasm", guest("no-list"))
        .await
        .to_string();
    assert!(message.contains("failed when it was tried"), "{message}");
    assert!(message.contains("my table of tools is gone"), "{message}");
    assert!(
        !message.contains('\n'),
        "passes for lines of the host's log: {message}"
    );
}

/// A sandbox over a cache directory that a test may damage.
struct Cached {
    home: tempfile::TempDir,
}

impl Cached {
    fn new() -> Self {
        let home = tempfile::tempdir().unwrap();
        Self { home }
    }

    fn dir(&self) -> PathBuf {
        self.home.path().join("cache")
    }

    fn sandbox(&self) -> Sandbox {
        sandbox_in(&self.dir())
    }

    async fn load(&self) -> Arc<coinop::sandbox::Component> {
        self.sandbox()
            .load("echo.wasm", guest("echo"))
            .await
            .unwrap()
    }

    /// The one file of compiled code.
    fn code(&self) -> PathBuf {
        let mut files = fs::read_dir(self.dir()).unwrap().map(|e| e.unwrap().path());
        files
            .find(|path| path.extension().is_some_and(|e| e == "cwasm"))
            .unwrap()
    }
}

fn inode(path: &Path) -> u64 {
    use std::os::unix::fs::MetadataExt;
    fs::metadata(path).unwrap().ino()
}

#[tokio::test]
async fn code_is_compiled_once_and_the_listing_is_known_before_any_load() {
    let cached = Cached::new();
    let digest = Digest::of(&guest("echo"));
    assert_eq!(cached.sandbox().known_manifest(&digest), None);
    let manifest = cached.load().await.manifest().clone();
    let compiled = inode(&cached.code());
    assert_eq!(
        cached.sandbox().known_manifest(&digest),
        Some(manifest.clone())
    );
    assert_eq!(cached.load().await.manifest(), &manifest);
    assert_eq!(inode(&cached.code()), compiled, "compiled again");
}

#[tokio::test]
async fn code_that_was_touched_is_compiled_again() {
    type Damage = fn(&Path);
    let damage: [(&str, Damage); 3] = [
        ("changed", |path| {
            let mut bytes = fs::read(path).unwrap();
            let middle = bytes.len() / 2;
            bytes[middle] ^= 1;
            fs::write(path, bytes).unwrap();
        }),
        ("truncated", |path| {
            let file = fs::File::options().write(true).open(path).unwrap();
            file.set_len(1000).unwrap();
        }),
        ("emptied", |path| fs::write(path, b"").unwrap()),
    ];
    for (name, damage) in damage {
        let cached = Cached::new();
        cached.load().await;
        let code = cached.code();
        let before = inode(&code);
        damage(&code);
        assert!(!cached.load().await.manifest().tools.is_empty(), "{name}");
        assert_ne!(inode(&code), before, "{name} code was used");
    }
}

#[tokio::test]
async fn code_of_another_component_is_never_used_for_this_one() {
    let cached = Cached::new();
    cached.load().await;
    let code = cached.code();
    let other = Digest::of(&guest("echo-v2"));
    let name = code.file_name().unwrap().to_str().unwrap();
    let stolen = name.replace(&Digest::of(&guest("echo")).to_string(), &other.to_string());
    for suffix in ["", ".seal"] {
        let from = cached.dir().join(format!("{name}{suffix}"));
        fs::copy(from, cached.dir().join(format!("{stolen}{suffix}"))).unwrap();
    }
    let second = cached
        .sandbox()
        .load("echo-v2", guest("echo-v2"))
        .await
        .unwrap();
    assert_eq!(second.manifest().tools.last().unwrap().name, "shout");
}

#[tokio::test]
async fn a_listing_that_was_touched_is_unknown() {
    let cached = Cached::new();
    cached.load().await;
    let digest = Digest::of(&guest("echo"));
    let listing = fs::read_dir(cached.dir())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .find(|path| path.extension().is_some_and(|e| e == "json"))
        .unwrap();
    let said = fs::read_to_string(&listing).unwrap();
    let changed = said.replace("for a cent", "for nothing");
    assert_ne!(said, changed);
    fs::write(&listing, changed).unwrap();
    assert_eq!(cached.sandbox().known_manifest(&digest), None);
}
