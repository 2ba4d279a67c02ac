//! Writes grants into the text of `coinop.toml`, and takes them away again, without touching anything else: comments, order
//! and spelling stay the operator's.

mod file;

use std::path::Path;

use toml_edit::{Array, DocumentMut, InlineTable, Item, Table, TableLike, Value, value};

use super::check::check;
use super::document::{ConfigErrors, Document, all_right};
use super::keys;
use super::raw::RawConfig;
use super::secret::SecretSource;
use crate::grants::{Access, HttpGrant, SocketGrant};

pub use file::{ConfigFile, SaveError};

/// Something to grant a plugin, or to take from it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Edit {
    /// An origin.
    Http(HttpGrant),
    /// A variable, from where; a text of its own where that is a text.
    Env(String, EnvSource),
    /// A directory of the host's, and where the plugin finds it.
    Dir {
        /// As it is to be written.
        path: String,
        /// Where the plugin finds it; taking away goes by this.
        guest_path: String,
        /// What it may do there.
        access: Access,
    },
    /// A socket.
    Socket(SocketGrant),
    /// Key-value storage, KiB.
    KeyValue(u64),
    /// The caller's pseudonym.
    Caller,
}

/// What a granted variable is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EnvSource {
    /// This text.
    Text(String),
    /// A secret from elsewhere.
    Secret(SecretSource),
}

/// Why a text cannot be edited.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EditError {
    /// It is not TOML.
    #[error("{0}")]
    NotToml(String),
    /// A key is not what it must be.
    #[error("{0} is not what it must be; `coinop check` says more")]
    Unexpected(String),
    /// There would be mistakes in it.
    #[error(transparent)]
    Wrong(#[from] ConfigErrors),
}

/// `text` with `edits` granted to `plugin`.
///
/// # Errors
/// The text cannot be edited, or would have mistakes.
pub fn grant(file: &Path, text: &str, plugin: &str, edits: &[Edit]) -> Result<String, EditError> {
    let mut document = parse(text)?;
    let grants = table_at(document.as_table_mut(), &["plugins", plugin, "grants"])?;
    for edit in edits {
        add(grants, edit)?;
    }
    tidy(
        document.as_item_mut(),
        &["plugins", plugin, "grants", "env"],
    );
    checked(file, &document)
}

/// `text` with `edits` taken from `plugin`, or everything where that is `None`.
///
/// # Errors
/// The text cannot be edited, or would have mistakes.
pub fn revoke(
    file: &Path,
    text: &str,
    plugin: &str,
    edits: Option<&[Edit]>,
) -> Result<String, EditError> {
    let mut document = parse(text)?;
    let rules = document.get_mut("plugins");
    let rules = rules.and_then(|plugins| plugins.as_table_like_mut()?.get_mut(plugin));
    let Some(rules) = rules.and_then(Item::as_table_like_mut) else {
        return Ok(text.to_owned());
    };
    if let Some(grants) = rules.get_mut("grants").and_then(Item::as_table_like_mut) {
        for edit in edits.unwrap_or_default() {
            take(grants, edit);
        }
        if edits.is_none() || grants.is_empty() {
            rules.remove("grants");
        }
    }
    if document.to_string() != text {
        tidy(
            document.as_item_mut(),
            &["plugins", plugin, "grants", "env"],
        );
    }
    checked(file, &document)
}

fn parse(text: &str) -> Result<DocumentMut, EditError> {
    text.parse()
        .map_err(|error: toml_edit::TomlError| EditError::NotToml(error.to_string()))
}

fn checked(file: &Path, document: &DocumentMut) -> Result<String, EditError> {
    let document = Document {
        path: file.to_owned(),
        text: document.to_string(),
    };
    all_right(check(&document, document.parse()?.get_ref(), &keys::ROOT))?;
    let whole: Result<RawConfig, _> = toml::from_str(&document.text);
    whole.map_err(|error| ConfigErrors(vec![document.not_toml(&error)]))?;
    Ok(document.text)
}

/// The table at a path of keys, made where it is missing. Only the last one gets a head of its own.
fn table_at<'a>(
    root: &'a mut dyn TableLike,
    path: &[&str],
) -> Result<&'a mut dyn TableLike, EditError> {
    let (mut table, mut in_line) = (root, false);
    for (at, key) in path.iter().enumerate() {
        let item = table.entry(key).or_insert_with(|| match in_line {
            true => Item::Value(Value::InlineTable(InlineTable::new())),
            false => {
                let mut new = Table::new();
                new.set_implicit(at + 1 < path.len());
                Item::Table(new)
            }
        });
        in_line = item.is_inline_table();
        table = item
            .as_table_like_mut()
            .ok_or_else(|| EditError::Unexpected(super::dotted(&path[..=at])))?;
    }
    Ok(table)
}

/// Puts the spaces of tables in a line right, of those on a path of keys.
fn tidy(mut item: &mut Item, path: &[&str]) {
    for key in path {
        let Some(next) = item
            .as_table_like_mut()
            .and_then(|table| table.get_mut(key))
        else {
            return;
        };
        item = next;
        if let Some(table) = item.as_inline_table_mut() {
            table.fmt();
        }
    }
}

fn add(grants: &mut dyn TableLike, edit: &Edit) -> Result<(), EditError> {
    match edit {
        Edit::Http(origin) => push_text(grants, "http", &origin.to_string()),
        Edit::Socket(socket) => push_text(grants, "sockets", &socket.to_string()),
        Edit::Env(name, source) => {
            let new = || Item::Value(Value::InlineTable(InlineTable::new()));
            let variables = grants.entry("env").or_insert_with(new);
            let variables = variables
                .as_table_like_mut()
                .ok_or_else(|| EditError::Unexpected("env".to_owned()))?;
            set(variables, name, source_value(source));
            Ok(())
        }
        Edit::Dir {
            path,
            guest_path,
            access,
        } => add_dir(grants, path, guest_path, *access),
        Edit::KeyValue(kib) => {
            set(
                grants,
                "keyvalue_kib",
                i64::try_from(*kib).unwrap_or(i64::MAX).into(),
            );
            Ok(())
        }
        Edit::Caller => {
            set(grants, "caller", true.into());
            Ok(())
        }
    }
}

/// Sets a value; what stands beside an older one, such as a comment, stays.
fn set(table: &mut dyn TableLike, key: &str, mut new: Value) {
    if let Some(Item::Value(old)) = table.get(key) {
        *new.decor_mut() = old.decor().clone();
    }
    match table.get_mut(key) {
        Some(item) => *item = Item::Value(new),
        None => {
            table.insert(key, value(new));
        }
    }
}

fn source_value(source: &EnvSource) -> Value {
    let one = |key: &str, text: &str| {
        let mut table = InlineTable::new();
        table.insert(key, text.into());
        Value::InlineTable(table)
    };
    match source {
        EnvSource::Text(text) => text.into(),
        EnvSource::Secret(SecretSource::Env(name)) => one("env", name),
        EnvSource::Secret(SecretSource::File(path)) => one("file", &path.to_string_lossy()),
    }
}

fn list<'a>(grants: &'a mut dyn TableLike, key: &str) -> Result<&'a mut Array, EditError> {
    let new = || Item::Value(Value::Array(Array::new()));
    let item = grants.entry(key).or_insert_with(new);
    item.as_array_mut()
        .ok_or_else(|| EditError::Unexpected(key.to_owned()))
}

fn push_text(grants: &mut dyn TableLike, key: &str, text: &str) -> Result<(), EditError> {
    let list = list(grants, key)?;
    if !list.iter().any(|item| item.as_str() == Some(text)) {
        push(list, text.into());
    }
    Ok(())
}

/// Adds to a list; where it has a line for each entry, the new one gets its own, and comments stay where they are.
fn push(list: &mut Array, mut new: Value) {
    let end = list.trailing().as_str().unwrap_or_default().to_owned();
    let last = list
        .iter()
        .last()
        .and_then(|last| last.decor().prefix()?.as_str());
    match last.and_then(|before| before.rsplit_once('\n')) {
        Some((_, indent)) if list.trailing_comma() && end.contains('\n') => {
            let lines = format!("{}\n{}", end.trim_end(), indent);
            new.decor_mut().set_prefix(lines);
            list.push_formatted(new);
            list.set_trailing("\n");
        }
        Some(_) | None => list.push(new),
    }
}

fn add_dir(
    grants: &mut dyn TableLike,
    path: &str,
    guest_path: &str,
    access: Access,
) -> Result<(), EditError> {
    let mut entry = InlineTable::new();
    entry.insert("path", path.into());
    entry.insert("as", guest_path.into());
    if access == Access::Write {
        entry.insert("write", true.into());
    }
    if let Some(Item::ArrayOfTables(tables)) = grants.get_mut("dirs") {
        tables.retain(|table| table.get("as").and_then(Item::as_str) != Some(guest_path));
        tables.push(entry.into_table());
        return Ok(());
    }
    let list = list(grants, "dirs")?;
    let held = list.iter().position(|dir| called(dir) == Some(guest_path));
    match held {
        Some(at) => drop(list.replace(at, entry)),
        None => push(list, entry.into()),
    }
    Ok(())
}

/// What a plugin knows an entry of `dirs` by.
fn called(dir: &Value) -> Option<&str> {
    dir.as_inline_table()?.get("as")?.as_str()
}

fn take(grants: &mut dyn TableLike, edit: &Edit) {
    match edit {
        Edit::Http(origin) => {
            let same = |text: &str| text.parse::<HttpGrant>().as_ref() == Ok(origin);
            take_texts(grants, "http", same);
        }
        Edit::Socket(socket) => {
            let same = |text: &str| text.parse::<SocketGrant>().as_ref() == Ok(socket);
            take_texts(grants, "sockets", same);
        }
        Edit::Env(name, _) => {
            let variables = grants.get_mut("env").and_then(Item::as_table_like_mut);
            if let Some(variables) = variables {
                variables.remove(name);
                if variables.is_empty() {
                    grants.remove("env");
                }
            }
        }
        Edit::Dir { guest_path, .. } => take_dir(grants, guest_path),
        Edit::KeyValue(_) => drop(grants.remove("keyvalue_kib")),
        Edit::Caller => drop(grants.remove("caller")),
    }
}

fn take_texts(grants: &mut dyn TableLike, key: &str, same: impl Fn(&str) -> bool) {
    if let Some(list) = grants.get_mut(key).and_then(Item::as_array_mut) {
        list.retain(|item| !item.as_str().is_some_and(&same));
        if list.is_empty() {
            grants.remove(key);
        }
    }
}

fn take_dir(grants: &mut dyn TableLike, guest_path: &str) {
    let empty = match grants.get_mut("dirs") {
        Some(Item::ArrayOfTables(tables)) => {
            tables.retain(|table| table.get("as").and_then(Item::as_str) != Some(guest_path));
            tables.is_empty()
        }
        Some(Item::Value(Value::Array(list))) => {
            list.retain(|dir| called(dir) != Some(guest_path));
            list.is_empty()
        }
        _ => false,
    };
    if empty {
        grants.remove("dirs");
    }
}

#[cfg(test)]
mod tests;
