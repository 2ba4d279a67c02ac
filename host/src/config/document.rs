//! One configuration file as text with positions, and the errors that point into it.

use std::fmt;
use std::path::{Path, PathBuf};

use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// Largest configuration file that is read, bytes.
pub(super) const FILE_BYTES_MAX: u64 = 1 << 20;
/// Most mistakes told at once; a person mends these first.
const ERRORS_MAX: usize = 20;

/// A mistake in the configuration: where it is and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigError {
    /// The file, or the command line's flag.
    pub file: String,
    /// The line, from 1, where the mistake has one.
    pub line: Option<usize>,
    /// The key's full path, such as `http.addr`; empty when the mistake is not in a key.
    pub key: String,
    /// What is wrong and what to write instead.
    pub message: String,
}

impl ConfigError {
    /// The mistake without its file, for places that name the file already.
    pub fn in_file(&self) -> String {
        let line = self.line.map(|line| format!("line {line}: "));
        format!("{}{}", line.unwrap_or_default(), self.in_line())
    }

    fn in_line(&self) -> String {
        match self.key.as_str() {
            "" => self.message.clone(),
            key => format!("{key}: {}", self.message),
        }
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
        }
        write!(f, ": {}", self.in_line())
    }
}

/// Every mistake found, at least one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
pub struct ConfigErrors(pub Vec<ConfigError>);

/// Where a value stands: the keys that lead to it.
pub(super) type KeyPath<'a> = [&'a str];

/// A file's name and text, for finding lines again.
#[derive(Clone, Debug)]
pub(super) struct Document {
    pub(super) path: PathBuf,
    pub(super) text: String,
}

impl Document {
    /// Reads a file; `None` when there is none.
    ///
    /// # Errors
    /// The file is too large, not UTF-8, or cannot be read.
    pub(super) fn read(path: &Path) -> Result<Option<Self>, ConfigErrors> {
        let refuse = |message: String| {
            let file = path.display().to_string();
            ConfigErrors(vec![ConfigError {
                file,
                line: None,
                key: String::new(),
                message,
            }])
        };
        match std::fs::metadata(path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(refuse(format!("cannot be read: {error}"))),
            Ok(found) if found.len() > FILE_BYTES_MAX => {
                let message =
                    format!("is larger than {FILE_BYTES_MAX} bytes; is it the right file?");
                return Err(refuse(message));
            }
            Ok(_) => {}
        }
        match std::fs::read_to_string(path) {
            Ok(text) => Ok(Some(Self {
                path: path.to_owned(),
                text,
            })),
            Err(error) => Err(refuse(format!("cannot be read: {error}"))),
        }
    }

    /// The text as a table with positions.
    ///
    /// # Errors
    /// It is not TOML; the error says where.
    pub(super) fn parse(&self) -> Result<Spanned<DeTable<'_>>, ConfigErrors> {
        DeTable::parse(&self.text).map_err(|error| ConfigErrors(vec![self.not_toml(&error)]))
    }

    /// A TOML library's complaint in our form.
    pub(super) fn not_toml(&self, error: &toml::de::Error) -> ConfigError {
        ConfigError {
            file: self.file(),
            line: error.span().map(|span| self.line(span.start)),
            key: String::new(),
            message: format!(
                "{}. Compare with examples/coinop.toml.",
                one_line(error.message())
            ),
        }
    }

    /// The file's name for messages.
    pub(super) fn file(&self) -> String {
        self.path.display().to_string()
    }

    /// The line of a byte offset, from 1.
    pub(super) fn line(&self, offset: usize) -> usize {
        let before = &self.text.as_bytes()[..offset.min(self.text.len())];
        1 + before.iter().filter(|b| **b == b'\n').count()
    }

    /// The line of the value at `path`, when it is written in this file.
    pub(super) fn line_of(&self, path: &KeyPath<'_>) -> Option<usize> {
        let root = DeTable::parse(&self.text).ok()?;
        let (first, rest) = path.split_first()?;
        let mut value: &Spanned<DeValue<'_>> = root.get_ref().get(*first)?;
        for key in rest {
            value = value.get_ref().as_table()?.get(*key)?;
        }
        Some(self.line(value.span().start))
    }

    /// An error about the value at `path`.
    pub(super) fn error(&self, path: &KeyPath<'_>, message: impl Into<String>) -> ConfigError {
        ConfigError {
            file: self.file(),
            line: self.line_of(path),
            key: dotted(path),
            message: message.into(),
        }
    }
}

/// `errors` as a result, the first ones only where there are too many.
pub(super) fn all_right(mut errors: Vec<ConfigError>) -> Result<(), ConfigErrors> {
    if errors.is_empty() {
        return Ok(());
    }
    errors.sort_by_key(|e| e.line);
    errors.truncate(ERRORS_MAX);
    Err(ConfigErrors(errors))
}

/// A key's path as it would be written in TOML, quotes included where a key needs them.
pub fn dotted(path: &[&str]) -> String {
    let bare = |key: &str| {
        !key.is_empty()
            && key
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-')
    };
    let written = path.iter().map(|key| match bare(key) {
        true => (*key).to_owned(),
        false => toml::Value::String((*key).to_owned()).to_string(),
    });
    written.collect::<Vec<_>>().join(".")
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_quoted_where_toml_needs_it() {
        assert_eq!(
            dotted(&["plugins", "weather", "tools", "a.b"]),
            "plugins.weather.tools.\"a.b\""
        );
        assert_eq!(dotted(&["http", "addr"]), "http.addr");
    }

    #[test]
    fn a_value_is_found_again_by_its_keys() {
        let text = "mode = \"x\"\n\n[plugins.a]\nprice = \"1\"\n".to_owned();
        let document = Document {
            path: "c.toml".into(),
            text,
        };
        assert_eq!(document.line_of(&["plugins", "a", "price"]), Some(4));
        assert_eq!(document.line_of(&["plugins", "b", "price"]), None);
    }
}
