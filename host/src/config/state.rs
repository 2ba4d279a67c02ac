//! Where the ledger is: a file, or a PostgreSQL database.

use std::fmt;
use std::path::{Path, PathBuf};

use super::secret::Secret;
use crate::ledger::postgres;

/// Where the ledger is. Its `Display` names a database by host and name, never by its URL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// A SQLite file.
    Sqlite(PathBuf),
    /// A PostgreSQL database, by its URL, which may hold a password.
    Postgres(Secret),
}

impl State {
    /// Reads what the command line or a file says. Whether it is valid is [`super::kinds::state`]'s to say; a path is
    /// relative to `base`.
    pub(super) fn of(text: &str, base: &Path) -> Self {
        match is_postgres(text) {
            true => Self::Postgres(text.into()),
            false => Self::Sqlite(base.join(text.strip_prefix("sqlite:").unwrap_or(text))),
        }
    }

    /// Where it is, for messages.
    pub fn display(&self) -> &Self {
        self
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(path) => path.display().fmt(f),
            Self::Postgres(url) => match postgres::name_of(url.expose()) {
                Ok(name) => f.write_str(&name),
                Err(_) => f.write_str("PostgreSQL"),
            },
        }
    }
}

/// Whether a text is a database's URL.
pub(super) fn is_postgres(text: &str) -> bool {
    ["postgres://", "postgresql://"]
        .iter()
        .any(|scheme| text.starts_with(scheme))
}
