//! What the README shows is what is built, and it works.

use std::fs;

use coinop_tests::paths::{self, root};
use tokio::process::Command;

/// The first block of `language` in the README that begins with a comment naming `file`, without that comment.
fn shown(language: &str, comment: &str) -> String {
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    let fence = format!("```{language}\n{comment}\n");
    let (_, rest) = readme.split_once(&fence).expect("the README shows it");
    rest.split_once("```").unwrap().0.to_owned()
}

#[test]
fn the_readmes_plugin_is_the_one_that_is_built() {
    let source = fs::read_to_string(root().join("examples/shout/src/lib.rs")).unwrap();
    assert_eq!(
        shown("rust", "// src/lib.rs").replace("\"wit\"", "\"../../wit\""),
        source
    );
    let manifest = fs::read_to_string(root().join("examples/shout/Cargo.toml")).unwrap();
    for line in shown("toml", "# Cargo.toml").lines() {
        assert!(manifest.contains(line), "the manifest lacks {line}");
    }
}

#[tokio::test]
async fn the_readmes_plugin_is_called_without_charging() {
    let home = tempfile::tempdir().unwrap();
    let plugin = paths::guest("shout");
    let output = Command::new(paths::binary("coinop"))
        .args(["call", "shout", r#"{"text": "hello"}"#, "--plugin"])
        .arg(&plugin)
        .arg("--cache")
        .arg(home.path().join("cache"))
        .output()
        .await
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(text, "{\"TEXT\":\"HELLO\"}\n");
}
