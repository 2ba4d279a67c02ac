//! `coinop check` and the exit codes: every bad file is named, with what is wrong with it.

use std::path::Path;

use coinop_tests::home::Home;
use coinop_tests::paths;

struct Checked {
    code: Option<i32>,
    said: String,
}

async fn check(home: &Home, file: &Path) -> Checked {
    let mut command = home.coinop(&["check"]);
    let output = command.arg(file).output().await.unwrap();
    let said = [output.stdout, output.stderr].concat();
    Checked {
        code: output.status.code(),
        said: String::from_utf8_lossy(&said).into_owned(),
    }
}

/// Writes `bytes` as `NAME.wasm`, checks it, and expects the name and `words` in what is said.
async fn bad(name: &str, bytes: &[u8], words: &[&str]) {
    let home = Home::new();
    let file = home.path("plugins").join(format!("{name}.wasm"));
    std::fs::write(&file, bytes).unwrap();
    let checked = check(&home, &file).await;
    assert_eq!(checked.code, Some(1), "{}", checked.said);
    let file_name = format!("{name}.wasm");
    for word in words.iter().chain([&file_name.as_str()]) {
        assert!(
            checked.said.contains(word),
            "the error lacks {word:?}:\n{}",
            checked.said
        );
    }
    assert!(!checked.said.contains("panicked"), "{}", checked.said);
}

#[tokio::test]
async fn a_good_plugin_passes() {
    let home = Home::new().plugin("weather");
    let checked = check(&home, &home.plugin_path("weather")).await;
    assert_eq!(checked.code, Some(0), "{}", checked.said);
    assert!(
        checked.said.contains("get_forecast") && checked.said.contains("0.003 USD"),
        "{}",
        checked.said
    );
}

#[tokio::test]
async fn a_text_file_is_named() {
    bad("notes", b"remember the milk\n", &["not a WebAssembly"]).await;
}

#[tokio::test]
async fn a_core_module_is_named() {
    bad("module", b"\0asm\x01\0\0\0", &["core WebAssembly module"]).await;
}

#[tokio::test]
async fn a_component_of_another_world_is_named() {
    bad(
        "other-world",
        b"\0asm\x0d\0\x01\0",
        &["coinop:plugin/tools"],
    )
    .await;
}

#[tokio::test]
async fn an_unsupported_version_names_the_supported_ones() {
    let component = std::fs::read(paths::guest("echo")).unwrap();
    let newer = replace(
        &component,
        b"coinop:plugin/tools@0.1.0",
        b"coinop:plugin/tools@0.9.0",
    );
    bad("newer", &newer, &["0.9.0", "supported: 0.1"]).await;
}

#[tokio::test]
async fn a_truncated_component_is_named() {
    let component = std::fs::read(paths::guest("echo")).unwrap();
    bad("half", &component[..component.len() / 2], &[]).await;
}

#[tokio::test]
async fn wrong_usage_has_its_own_exit_code() {
    let output = Home::new()
        .coinop(&["check", "--no-such-option"])
        .output()
        .await
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
}

/// Same length, so that the component stays well-formed.
fn replace(text: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    assert_eq!(from.len(), to.len());
    let mut replaced = text.to_vec();
    let places: Vec<usize> = text
        .windows(from.len())
        .enumerate()
        .filter(|(_, window)| *window == from)
        .map(|(at, _)| at)
        .collect();
    assert!(
        !places.is_empty(),
        "the component does not name {}",
        String::from_utf8_lossy(from)
    );
    for at in places {
        replaced[at..at + to.len()].copy_from_slice(to);
    }
    replaced
}

#[tokio::test]
async fn a_tool_without_a_price_is_told_with_the_line_to_add() {
    let home = Home::new().plugin("echo");
    let checked = check(&home, &home.plugin_path("echo")).await;
    assert_eq!(checked.code, Some(1), "{}", checked.said);
    assert!(
        checked.said.contains("unpriced") && checked.said.contains("[plugins.echo.tools.unpriced]"),
        "{}",
        checked.said
    );
}
