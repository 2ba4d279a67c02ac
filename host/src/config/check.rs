//! Checks a file against the keys there are: names file, line, key and remedy of every mistake.

use std::collections::BTreeSet;

use coinop_core::money::Money;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::callers::UNLIMITED;
use super::document::{ConfigError, Document, dotted};
use super::keys::{Key, Kind, Section};
use super::kinds;

/// Longest text of one value shown in a message, characters.
const SHOWN_MAX: usize = 60;
/// From this likeness (Jaro-Winkler, 1 is the same) a name counts as a slip of the pen.
const LIKENESS_MIN: f64 = 0.8;

/// Everything that is wrong with `table`, in the file's order of keys.
pub(super) fn check(
    document: &Document,
    table: &DeTable<'_>,
    section: &Section,
) -> Vec<ConfigError> {
    checked(document, table, section).errors
}

/// The keys of `table` that have a new name, where they stand and what they are called now, for a table without mistakes.
pub(super) fn former(
    document: &Document,
    table: &DeTable<'_>,
    section: &Section,
) -> Vec<ConfigError> {
    checked(document, table, section).former
}

fn checked<'a>(document: &'a Document, table: &DeTable<'_>, section: &Section) -> Checker<'a> {
    let mut checker = Checker {
        document,
        path: Vec::new(),
        errors: Vec::new(),
        former: Vec::new(),
    };
    checker.section(table, section);
    checker
}

struct Checker<'a> {
    document: &'a Document,
    path: Vec<String>,
    errors: Vec<ConfigError>,
    former: Vec<ConfigError>,
}

impl Checker<'_> {
    fn section(&mut self, table: &DeTable<'_>, section: &Section) {
        for (key, value) in table {
            let name: &str = key.get_ref();
            self.path.push(name.to_owned());
            match section.keys.iter().find(|k| k.name == name) {
                Some(Key {
                    kind: Kind::Former(now),
                    ..
                }) => {
                    self.former_key(key.span().start, table, section, now);
                    self.value(value, now);
                }
                Some(known) => self.value(value, known),
                None => self.wrong(key.span().start, unknown_key(name, section)),
            }
            self.path.pop();
        }
    }

    /// A key by a name of before: it still means the same, unless it is there by another name too.
    fn former_key(&mut self, at: usize, table: &DeTable<'_>, section: &Section, now: &Key) {
        let own = self.path.last().cloned().unwrap_or_default();
        let is_same = |key: &&Key| match key.kind {
            Kind::Former(other) => other.name == now.name,
            _ => key.name == now.name,
        };
        let mut names = section.keys.iter().filter(is_same).map(|key| key.name);
        match names.find(|name| *name != own && table.contains_key(*name)) {
            Some(other) => self.wrong(
                at,
                format!(
                    "is the former name of {}, and {other} says it too: keep only {}",
                    now.name, now.name
                ),
            ),
            None => {
                let note = self.error(at, format!("is now called {}; it still works", now.name));
                self.former.push(note);
            }
        }
    }

    fn value(&mut self, value: &Spanned<DeValue<'_>>, key: &Key) {
        let at = value.span().start;
        match (&key.kind, value.get_ref()) {
            (Kind::Section(section), DeValue::Table(table)) => self.section(table, section),
            (Kind::Named(section), DeValue::Table(table)) => {
                self.each(table, |checker, value| match value.get_ref() {
                    DeValue::Table(inner) => checker.section(inner, section),
                    other => checker.wrong(value.span().start, expected("a table", other)),
                })
            }
            (Kind::Tables(section), DeValue::Array(list)) => {
                for item in list {
                    match item.get_ref() {
                        DeValue::Table(inner) => self.section(inner, section),
                        other => self.wrong(item.span().start, expected("a table", other)),
                    }
                }
            }
            (Kind::Variables(name), DeValue::Table(table)) => self.each(table, |checker, value| {
                let named = checker.path.last().map_or(Ok(()), |last| name(last));
                let value_right = |()| scalar(&Kind::TextOrSecret(|_| Ok(())), value.get_ref());
                if let Err(message) = named.and_then(value_right) {
                    checker.wrong(value.span().start, message);
                }
            }),
            (Kind::Settings, DeValue::Table(table)) => self.each(table, |checker, value| {
                if !value.get_ref().is_str() {
                    checker.wrong(
                        value.span().start,
                        expected("a text in quotes", value.get_ref()),
                    );
                }
            }),
            (kind, value) => {
                if let Err(message) = scalar(kind, value) {
                    self.wrong(at, message);
                }
            }
        }
    }

    fn each(
        &mut self,
        table: &DeTable<'_>,
        mut check: impl FnMut(&mut Self, &Spanned<DeValue<'_>>),
    ) {
        for (key, value) in table {
            self.path.push(key.get_ref().to_string());
            check(self, value);
            self.path.pop();
        }
    }

    fn wrong(&mut self, offset: usize, message: String) {
        let error = self.error(offset, message);
        self.errors.push(error);
    }

    fn error(&self, offset: usize, message: String) -> ConfigError {
        let path: Vec<&str> = self.path.iter().map(String::as_str).collect();
        ConfigError {
            file: self.document.file(),
            line: Some(self.document.line(offset)),
            key: dotted(&path),
            message,
        }
    }
}

/// Checks a value that is not a table of keys.
fn scalar(kind: &Kind, value: &DeValue<'_>) -> Result<(), String> {
    match (kind, value) {
        (Kind::Bool, DeValue::Boolean(_)) => Ok(()),
        (
            Kind::Text(check) | Kind::TextOrTexts(check) | Kind::TextOrSecret(check),
            DeValue::String(text),
        ) => check(text),
        (Kind::Texts(check) | Kind::TextOrTexts(check), DeValue::Array(list)) => {
            list.iter().try_for_each(|item| match item.get_ref() {
                DeValue::String(text) => check(text),
                other => Err(expected("a list of texts", other)),
            })
        }
        (Kind::Word(words), DeValue::String(text)) => word(text, words),
        (Kind::Integer(least, most), DeValue::Integer(number)) => {
            let digits = number.as_str().replace('_', "");
            match u64::from_str_radix(&digits, number.radix()) {
                Ok(n) if (*least..=*most).contains(&n) => Ok(()),
                _ => Err(format!(
                    "{digits} is out of bounds: write a number from {least} to {most}"
                )),
            }
        }
        (Kind::Count(..), DeValue::String(text)) => word(text, &[UNLIMITED]),
        (Kind::Count(least, most), number @ DeValue::Integer(_)) => {
            scalar(&Kind::Integer(*least, *most), number)
        }
        (Kind::Caps, DeValue::Array(list)) => caps(list),
        (Kind::Caps, value) => cap(value).map(drop),
        (Kind::Price, DeValue::String(text)) => kinds::price(text).map(|_| ()),
        (Kind::Price, DeValue::Table(table)) => price_table(table),
        (Kind::Secret | Kind::TextOrSecret(_), DeValue::Table(table)) => secret_table(table),
        // The value may be the secret itself, which belongs into no log.
        (Kind::Secret, DeValue::String(_)) => Err(expected_text(kind.wanted())),
        (kind, value) => Err(expected(kind.wanted(), value)),
    }
}

fn price_table(table: &DeTable<'_>) -> Result<(), String> {
    let text = |key: &str| table.get(key).and_then(|v| v.get_ref().as_str());
    match (text("amount"), text("currency"), table.len()) {
        (Some(amount), Some(currency), 2) => kinds::price_of(amount, currency).map(|_| ()),
        _ => Err(format!("is not a price: {}", kinds::PRICE_FORMS)),
    }
}

fn cap(value: &DeValue<'_>) -> Result<Money, String> {
    match value {
        DeValue::String(text) => kinds::cap(text),
        DeValue::Table(table) => {
            let text = |key: &str| table.get(key).and_then(|v| v.get_ref().as_str());
            match (text("amount"), text("currency"), table.len()) {
                (Some(amount), Some(currency), 2) => kinds::cap_of(amount, currency),
                _ => Err(format!("is not an amount of money: {}", kinds::CAP_FORMS)),
            }
        }
        other => Err(expected(Kind::Caps.wanted(), other)),
    }
}

/// One cap a currency: of two, somebody might rely on either.
fn caps(list: &[Spanned<DeValue<'_>>]) -> Result<(), String> {
    let mut currencies = BTreeSet::new();
    for item in list {
        let currency = cap(item.get_ref())?.currency;
        if !currencies.insert(currency) {
            return Err(format!("has two caps in {currency}: keep one"));
        }
    }
    Ok(())
}

fn secret_table(table: &DeTable<'_>) -> Result<(), String> {
    let one = table.len() == 1 && table.values().all(|v| v.get_ref().is_str());
    let known = ["env", "file"].iter().any(|k| table.contains_key(*k));
    (one && known)
        .then_some(())
        .ok_or_else(|| expected_text(Kind::Secret.wanted()))
}

fn word(text: &str, words: &[&str]) -> Result<(), String> {
    if words.contains(&text) {
        return Ok(());
    }
    Err(format!(
        "{text:?} is not known{} Choose one of: {}.",
        did_you_mean_ended(text, words.iter().copied()),
        words.join(", ")
    ))
}

fn unknown_key(name: &str, section: &Section) -> String {
    if let Some((_, why)) = section.refused.iter().find(|(key, _)| *key == name) {
        return format!("does not belong here: {why}");
    }
    let current = |key: &&Key| !matches!(key.kind, Kind::Former(_));
    let names = || section.keys.iter().filter(current).map(|k| k.name);
    let known = names().collect::<Vec<_>>().join(", ");
    format!(
        "unknown key{} Known here: {known}.",
        did_you_mean_ended(name, names())
    )
}

/// `; did you mean "x"?` with the nearest of `known`, empty when none is near.
pub(crate) fn did_you_mean<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> String {
    let near = known
        .map(|known| (strsim::jaro_winkler(name, known), known))
        .max_by(|a, b| a.0.total_cmp(&b.0));
    match near {
        Some((likeness, nearest)) if likeness >= LIKENESS_MIN => {
            format!("; did you mean {nearest:?}?")
        }
        _ => String::new(),
    }
}

/// As [`did_you_mean`], where another sentence follows.
pub(super) fn did_you_mean_ended<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> String {
    let near = did_you_mean(name, known);
    match near.is_empty() {
        true => ".".to_owned(),
        false => near,
    }
}

impl Kind {
    fn wanted(&self) -> &'static str {
        match self {
            Self::Bool => "true or false",
            Self::Text(_) | Self::Word(_) => "a text in quotes",
            Self::Integer(..) => "a whole number",
            Self::Count(..) => "a whole number or \"unlimited\"",
            Self::Caps => "an amount of money such as \"5.00 USD\", or a list of them",
            Self::Texts(_) => "a list of texts",
            Self::TextOrTexts(_) => "a text or a list of texts",
            Self::Price => {
                "a price: \"free\", \"0.50 USD\" or { amount = \"0.50\", currency = \"USD\" }"
            }
            Self::TextOrSecret(_) => "a text in quotes, { env = \"NAME\" } or { file = \"PATH\" }",
            Self::Secret => "{ env = \"NAME\" } or { file = \"PATH\" }",
            Self::Tables(_) => "a list of tables",
            Self::Section(_) | Self::Named(_) | Self::Settings | Self::Variables(_) => "a table",
            Self::Former(now) => now.kind.wanted(),
        }
    }
}

fn expected_text(wanted: &str) -> String {
    format!("must be {wanted}")
}

fn expected(wanted: &str, found: &DeValue<'_>) -> String {
    let shown = match found {
        DeValue::String(text) => format!(
            ", not the text {:?}",
            text.chars().take(SHOWN_MAX).collect::<String>()
        ),
        other => format!(", not {} {}", article(other.type_str()), other.type_str()),
    };
    format!("{}{shown}", expected_text(wanted))
}

fn article(word: &str) -> &'static str {
    if word.starts_with(['a', 'i']) {
        "an"
    } else {
        "a"
    }
}
