//! The house's rules, checked on the sources: what depends on what, and who may name whom.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Every Rust file below `folder`, tests and test helpers aside, as (path below the root, text).
fn sources(folder: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut folders = vec![root().join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|e| e == "rs") {
                let name = path.strip_prefix(root()).unwrap().display().to_string();
                let is_test = ["tests", "fakes", "testing"]
                    .iter()
                    .any(|t| name.contains(t));
                if !is_test {
                    found.push((name, without_tests(&fs::read_to_string(&path).unwrap())));
                }
            }
        }
    }
    assert!(found.len() > 3, "no sources in {folder}");
    found
}

/// The code of a file: no comments, and nothing from its test module on.
fn without_tests(text: &str) -> String {
    let code = text
        .split("\n#[cfg(test)]\nmod ")
        .next()
        .unwrap_or_default();
    let is_code = |line: &&str| !line.trim_start().starts_with("//");
    code.lines().filter(is_code).collect::<Vec<_>>().join("\n")
}

fn check_absent(folder: &str, words: &[&str], except: &[&str]) {
    for (file, text) in sources(folder) {
        if except.iter().any(|part| file.contains(part)) {
            continue;
        }
        for word in words {
            assert!(!text.contains(word), "{file} names {word}");
        }
    }
}

#[test]
fn core_depends_on_nothing_that_acts() {
    let tree = Command::new(env!("CARGO"))
        .args([
            "tree",
            "--package",
            "coinop-core",
            "--edges",
            "normal",
            "--prefix",
            "none",
        ])
        .current_dir(root())
        .output()
        .unwrap();
    assert!(
        tree.status.success(),
        "{}",
        String::from_utf8_lossy(&tree.stderr)
    );
    let tree = String::from_utf8(tree.stdout).unwrap();
    assert!(
        tree.contains("coinop-core") && tree.contains("sha2"),
        "{tree}"
    );
    for crate_name in [
        "tokio",
        "wasmtime",
        "sqlx",
        "rusqlite",
        "reqwest",
        "axum",
        "hyper",
        "rmcp",
        "rand",
        "getrandom",
        "notify",
    ] {
        let depends = tree
            .lines()
            .any(|line| line.split(' ').next() == Some(crate_name));
        assert!(!depends, "coinop-core depends on {crate_name}:\n{tree}");
    }
}

#[test]
fn core_is_pure() {
    let words = [
        "async fn",
        "async move",
        ".await",
        "SystemTime",
        "Instant",
        "std::fs",
        "std::net",
        "std::env",
        "thread::",
        "f32",
        "println!",
    ];
    check_absent("host/core/src", &words, &[]);
    // Arguments are JSON, and JSON has floating point; nothing else in core has.
    check_absent("host/core/src", &["f64"], &["arguments.rs"]);
}

#[test]
fn providers_know_only_money() {
    let words = [
        "crate::gate",
        "crate::ledger",
        "crate::catalog",
        "crate::plugin",
        "crate::sandbox",
        "coinop_core::mode",
        "coinop_core::call",
        "coinop_core::quote",
    ];
    check_absent("host/src/provider", &words, &["/provider/component/"]);
    // A provider that is a component has to run somewhere. What it knows of the sandbox is where components serve the
    // host, which knows of no plugin and of no money: neither side learns what the other is for.
    for (file, text) in sources("host/src/provider/component") {
        let text = text.replace("crate::sandbox::service", "");
        for word in words {
            assert!(!text.contains(word), "{file} names {word}");
        }
    }
}

#[test]
fn the_sandbox_knows_nothing_of_payment() {
    let words = [
        "crate::gate",
        "crate::ledger",
        "crate::provider",
        "crate::catalog",
        "crate::server",
        "coinop_core::payment",
        "coinop_core::quote",
        "coinop_core::call",
        "coinop_core::principal",
    ];
    check_absent("host/src/sandbox", &words, &[]);
}

#[test]
fn only_wire_and_server_speak_mcp() {
    check_absent(
        "host/src",
        &["rmcp::"],
        &["/wire/", "/server/", "/cli/demo/"],
    );
}

#[test]
fn only_the_composition_root_names_concrete_types() {
    check_absent(
        "host/src",
        &["SqliteLedger", "PostgresLedger"],
        &["/app.rs", "/ledger/sqlite/", "/ledger/postgres/"],
    );
    check_absent("host/src", &["Flow::Hold"], &["/app.rs", "/provider/"]);
}

#[test]
fn one_file_names_the_bindings_of_a_wit_version() {
    let adapters = [
        "/sandbox/v0_1_0.rs",
        "/sandbox/reach/keyvalue.rs",
        "/provider/component/v0_1_0.rs",
    ];
    check_absent("host/src", &["bindgen!"], &adapters);
}

#[test]
fn nothing_prints_on_the_protocols_stream() {
    check_absent("host/src", &[" println!(", " print!("], &[]);
}
