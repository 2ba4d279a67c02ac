//! Secrets: named in the configuration, kept in the environment or a file, never printed.

use std::fmt;
use std::path::{Path, PathBuf};

use serde::Deserialize;

/// Largest secret that is read from a file, bytes.
const SECRET_BYTES_MAX: usize = 64 << 10;

/// Where a secret is.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum SecretSource {
    /// In this environment variable.
    Env(String),
    /// In this file; a line end at its end is not part of the secret.
    File(PathBuf),
}

/// A secret's text. Neither `Debug` nor `Display` shows it.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    /// The text, for the one place that uses it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl From<&str> for Secret {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

impl SecretSource {
    /// Reads the secret. A relative file is relative to `base`.
    ///
    /// # Errors
    /// It is not there, is empty or is too large, in words for the operator.
    pub fn read(&self, base: &Path) -> Result<Secret, String> {
        let text = match self {
            Self::Env(name) if !is_variable(name) => {
                return Err(
                    "must be the name of an environment variable: letters, digits and _".to_owned(),
                );
            }
            Self::Env(name) => std::env::var(name).map_err(|_| {
                format!("the environment variable {name} is not set, or is not text")
            })?,
            Self::File(path) if path.to_string_lossy().contains("://") => {
                return Err("must be the path of a file, not a URL".to_owned());
            }
            Self::File(path) => {
                let path = base.join(path);
                std::fs::read_to_string(&path)
                    .map_err(|error| format!("{} cannot be read: {error}", path.display()))?
            }
        };
        let text = text.trim_end_matches(['\r', '\n']);
        match text.len() {
            0 => Err("the secret is empty".to_owned()),
            n if n > SECRET_BYTES_MAX => Err("the secret is too large".to_owned()),
            _ => Ok(Secret(text.to_owned())),
        }
    }
}

/// Whether this can be a variable's name. What cannot may be the secret itself, which no message repeats.
fn is_variable(name: &str) -> bool {
    let first = name.bytes().next();
    first.is_some_and(|b| !b.is_ascii_digit())
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_read_and_not_shown() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("key"), "hunter2\n").unwrap();
        let secret = SecretSource::File("key".into())
            .read(folder.path())
            .unwrap();
        assert_eq!(secret.expose(), "hunter2");
        assert!(!format!("{secret:?}").contains("hunter2"));
    }

    #[test]
    fn a_missing_secret_names_what_to_set() {
        let error = SecretSource::Env("COINOP_TEST_UNSET".into())
            .read(Path::new("."))
            .unwrap_err();
        assert!(error.contains("COINOP_TEST_UNSET"));
    }

    #[test]
    fn a_secret_in_the_place_of_its_name_is_not_repeated() {
        let url = "postgres://coinop:hunter2@db/shop";
        for source in [
            SecretSource::Env(url.into()),
            SecretSource::File(url.into()),
        ] {
            let error = source.read(Path::new(".")).unwrap_err();
            assert!(!error.contains("hunter2"), "{error}");
        }
    }
}
