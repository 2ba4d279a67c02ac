//! Names of projects: what cargo, Go, npm, Python and the host all accept, so that one name serves everywhere.

use std::fmt;
use std::str::FromStr;

use super::manifest::MANIFEST;

/// Longest name, bytes: as long as a plugin's may be.
const LEN_MAX: usize = 64;
/// Names that some language's tools refuse, or whose sidecar would be another file of the project.
const TAKEN: &[&str] = &[
    "alloc",
    "as",
    "async",
    "await",
    "break",
    "build",
    "cargo",
    "const",
    "continue",
    "coinop",
    "coinop-plugin",
    "core",
    "crate",
    "deps",
    "dyn",
    "else",
    "enum",
    "examples",
    "extern",
    "false",
    "fn",
    "for",
    "gen",
    "go",
    "if",
    "impl",
    "in",
    "internal",
    "let",
    "loop",
    "main",
    "match",
    "mod",
    "move",
    "mut",
    "plugin",
    "proc-macro",
    "pub",
    "pyproject",
    "ref",
    "release",
    "return",
    "self",
    "static",
    "std",
    "struct",
    "super",
    "test",
    "trait",
    "true",
    "type",
    "unsafe",
    "use",
    "vendor",
    "where",
    "while",
];

/// A name that every language's tools accept: lower-case letters, digits and single hyphens, beginning with a letter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ProjectName(String);

impl ProjectName {
    /// The name.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// As an identifier, which has no hyphens: a Rust crate, a tool of MCP.
    pub(crate) fn identifier(&self) -> String {
        self.0.replace('-', "_")
    }
}

impl fmt::Display for ProjectName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for ProjectName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let words = || text.split('-');
        let plain = |word: &str| {
            !word.is_empty()
                && word
                    .bytes()
                    .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
        };
        let begins = text.starts_with(|first: char| first.is_ascii_lowercase());
        if text.len() > LEN_MAX || !begins || !words().all(plain) {
            return Err(format!(
                "write 1 to {LEN_MAX} of a-z 0-9 and single hyphens, beginning with a letter, such as exchange-rates"
            ));
        }
        if TAKEN.contains(&text) {
            return Err(format!(
                "{text:?} means something else to a compiler or to {MANIFEST}: choose another name"
            ));
        }
        Ok(Self(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_all_tools_accept_pass() {
        for name in ["a", "exchange-rates", "mp3", "x-2-y"] {
            assert_eq!(name.parse::<ProjectName>().unwrap().as_str(), name);
        }
        assert_eq!("a-b".parse::<ProjectName>().unwrap().identifier(), "a_b");
    }

    #[test]
    fn other_names_are_refused() {
        let long = "a".repeat(LEN_MAX + 1);
        for name in [
            "", "-", "a-", "a--b", "2d", "Rates", "a_b", "a b", "../x", "é", "fn", "plugin", &long,
        ] {
            assert!(name.parse::<ProjectName>().is_err(), "{name:?}");
        }
    }
}
