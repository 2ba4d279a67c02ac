//! An environment variable that a plugin sees: a text of the operator's, or a secret from elsewhere.

use std::path::PathBuf;

use serde::ser::SerializeMap as _;
use serde::{Serialize, Serializer};

use crate::config::Secret;

/// One variable. Neither `Debug` nor `Serialize` shows a value, the plain text's neither: people put keys everywhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EnvGrant {
    /// A text in `coinop.toml`.
    Text(Secret),
    /// A variable of the host's own.
    Env {
        /// Its name there.
        variable: String,
        /// What it held when the configuration was read.
        value: Secret,
    },
    /// A file.
    File {
        /// As `coinop.toml` names it.
        path: PathBuf,
        /// What it held when the configuration was read.
        value: Secret,
    },
}

impl EnvGrant {
    /// What the plugin sees.
    pub fn value(&self) -> &str {
        match self {
            Self::Text(value) | Self::Env { value, .. } | Self::File { value, .. } => {
                value.expose()
            }
        }
    }

    /// The value, where it is to be kept from everybody but the plugin.
    pub(super) fn secret(&self) -> Option<&str> {
        match self {
            Self::Text(_) => None,
            Self::Env { value, .. } | Self::File { value, .. } => Some(value.expose()),
        }
    }
}

impl Serialize for EnvGrant {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = match self {
            Self::Text(_) => return serializer.serialize_str("text"),
            Self::Env { .. } | Self::File { .. } => serializer.serialize_map(Some(1))?,
        };
        match self {
            Self::Text(_) => {}
            Self::Env { variable, .. } => map.serialize_entry("env", variable)?,
            Self::File { path, .. } => map.serialize_entry("file", path)?,
        }
        map.end()
    }
}

/// Whether this can be a variable's name: letters, digits and `_`, no digit first.
pub fn is_variable(name: &str) -> bool {
    let first = name.bytes().next();
    first.is_some_and(|b| !b.is_ascii_digit())
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}
