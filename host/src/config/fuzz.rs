//! Sidecars come with plugins, so anybody may have written them: whatever is in them is read or refused, in words.

use proptest::prelude::*;
use proptest::sample::select;

use super::document::Document;
use super::plugin::PluginRules;
use crate::fuzz::{corpus, holds, mutated};

fn read(text: &str) -> Result<PluginRules, String> {
    let document = Document {
        path: "w.toml".into(),
        text: text.to_owned(),
    };
    PluginRules::parse_sidecar(&document).map_err(|error| error.to_string())
}

/// Refused sidecars are named.
fn told(text: &str) -> Result<(), TestCaseError> {
    if let Err(message) = read(text) {
        prop_assert!(message.starts_with("w.toml"), "{message}");
    }
    Ok(())
}

fn seeds() -> Vec<Vec<u8>> {
    corpus("sidecars")
        .into_iter()
        .map(|(_, text)| text)
        .collect()
}

#[test]
fn the_corpus_is_read() {
    for (file, text) in corpus("sidecars") {
        let text = String::from_utf8(text).unwrap();
        let read = read(&text).err();
        assert_eq!(read, None, "{}", file.display());
    }
}

#[test]
fn damaged_sidecars_are_read_or_refused() {
    holds(1_000, mutated(seeds()), |bytes| {
        told(&String::from_utf8_lossy(&bytes))
    });
}

#[test]
fn any_text_is_read_or_refused() {
    holds(500, any::<String>(), |text| told(&text));
}

/// Keys that exist and keys that do not, with values of every kind, at every place.
#[test]
fn any_toml_is_read_or_refused() {
    let key = prop_oneof![
        select(vec![
            "price",
            "mode",
            "payment_flow",
            "on_failure",
            "retries",
            "limits",
            "settings",
            "tools",
            "name",
            "title",
            "description",
            "annotations",
            "grants",
            "account",
            "wall_ms",
            "memory_mib",
            "http_kib",
            "read_only",
            "amount",
            "currency",
        ])
        .prop_map(str::to_owned),
        "[a-z_\"é. -]{0,6}",
    ];
    let scalar = prop_oneof![
        select(vec![
            "true",
            "1",
            "-1",
            "9223372036854775807",
            "99999999999999999999",
            "1.5",
            "nan",
            "-inf",
            "1979-05-27",
            "\"free\"",
            "\"0.50 USD\"",
            "\"-1 USD\"",
            "\"1e9 USD\"",
            "\"two_step\"",
            "\"\"",
            "'''x\ny'''",
            "[]",
            "{}",
            "[\"a\", 1]",
            "{ a = 1, a = 2 }",
        ])
        .prop_map(str::to_owned),
        any::<String>().prop_map(|text| format!("{text:?}")),
    ];
    let path = prop::collection::vec(key, 1..4).prop_map(|keys| keys.join("."));
    let line = prop_oneof![
        3 => (path.clone(), scalar.clone()).prop_map(|(path, value)| format!("{path} = {value}")),
        1 => path.clone().prop_map(|path| format!("[{path}]")),
        1 => path.clone().prop_map(|path| format!("[[{path}]]")),
        1 => (path.clone(), path, scalar)
            .prop_map(|(outer, inner, value)| format!("{outer} = {{ {inner} = {value} }}")),
    ];
    let lines = prop::collection::vec(line, 0..8).prop_map(|lines| lines.join("\n"));
    holds(1_000, lines, |text| told(&text));
}
