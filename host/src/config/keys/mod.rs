//! Every key there is, once: what checks a file, proposes the nearest key and makes the published JSON Schema.

mod account;
mod callers;
mod http;
mod plugin;
mod root;
mod shared;

pub(super) use account::ACCOUNT;
pub(super) use plugin::SIDECAR;
pub(super) use root::ROOT;

/// How somebody is made whole, as written in the configuration.
pub(super) const ON_FAILURE_WORDS: &[&str] = &["refund", "credit"];

/// A table of the file.
pub(super) struct Section {
    /// Its keys.
    pub(super) keys: &'static [Key],
    /// Keys that people might expect here and must not have, with the reason.
    pub(super) refused: &'static [(&'static str, &'static str)],
}

/// One key.
pub(super) struct Key {
    pub(super) name: &'static str,
    pub(super) kind: Kind,
    /// What it does, one sentence or two, for the published schema and for messages.
    pub(super) doc: &'static str,
}

/// What a value may be.
pub(super) enum Kind {
    Bool,
    /// A text that passes the check.
    Text(fn(&str) -> Result<(), String>),
    /// One of these words.
    Word(&'static [&'static str]),
    /// A whole number within bounds, both included.
    Integer(u64, u64),
    /// A list of texts that pass the check.
    Texts(fn(&str) -> Result<(), String>),
    /// One text or a list of them.
    TextOrTexts(fn(&str) -> Result<(), String>),
    Price,
    /// A whole number within bounds, both included, or `unlimited`.
    Count(u64, u64),
    /// An amount of money, or a list of them in different currencies.
    Caps,
    /// A text that passes the check, or where to read it.
    TextOrSecret(fn(&str) -> Result<(), String>),
    /// `{ env = "NAME" }` or `{ file = "PATH" }`.
    Secret,
    /// A table.
    Section(&'static Section),
    /// A table of tables with names of the operator's own choosing.
    Named(&'static Section),
    /// A list of tables.
    Tables(&'static Section),
    /// A table of texts with keys of the operator's own choosing.
    Settings,
    /// A table of texts, or where to read them; the check is the names'.
    Variables(fn(&str) -> Result<(), String>),
    /// What this key was called before; its value means the same.
    Former(&'static Key),
}

pub(super) const fn key(name: &'static str, kind: Kind, doc: &'static str) -> Key {
    Key { name, kind, doc }
}
