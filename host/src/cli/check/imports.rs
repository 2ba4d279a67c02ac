//! What a plugin's imports say of it, in words. Most say nothing: they come with its language's runtime.

/// Interfaces that somebody has to ask for, with what they mean. Files, clocks, randomness and sockets are not among them:
/// the runtimes of Go and Python import them whether or not a line of the plugin uses them.
const MEANINGFUL: &[(&str, &str)] = &[
    ("wasi:http/outgoing-handler", "outgoing HTTP"),
    ("wasi:http/client", "outgoing HTTP"),
    ("wasi:keyvalue/", "key-value storage"),
    ("coinop:plugin/settings", "settings"),
    ("wasi:config/", "settings"),
    ("coinop:plugin/progress", "progress"),
    ("coinop:plugin/meter", "metering"),
];
/// Packages whose interfaces are never shown by name.
const KNOWN: &[&str] = &["wasi:", "coinop:plugin/"];

/// The imports that mean something, each once.
pub(super) fn told(imports: &[String]) -> Vec<String> {
    let mut told: Vec<String> = Vec::new();
    for import in imports {
        let meaning = MEANINGFUL
            .iter()
            .find(|(start, _)| import.starts_with(start));
        let known = KNOWN.iter().any(|start| import.starts_with(start));
        let words = match meaning {
            Some((_, words)) => (*words).to_owned(),
            None if known => continue,
            None => import.clone(),
        };
        if !told.contains(&words) {
            told.push(words);
        }
    }
    told
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_runtimes_imports_are_not_told() {
        let imports = [
            "coinop:plugin/tool-types@0.1.0",
            "wasi:cli/environment@0.2.6",
            "wasi:sockets/tcp@0.2.9",
            "wasi:keyvalue/store@0.2.0-draft",
            "wasi:keyvalue/batch@0.2.0-draft",
            "wasi:http/types@0.2.12",
            "wasi:http/outgoing-handler@0.2.12",
            "acme:bank/accounts@1.0.0",
        ];
        assert_eq!(
            told(&imports.map(str::to_owned)),
            [
                "key-value storage",
                "outgoing HTTP",
                "acme:bank/accounts@1.0.0"
            ]
        );
    }
}
