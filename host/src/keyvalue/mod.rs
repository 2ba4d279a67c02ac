//! What plugins keep from call to call: a key-value store apart from the ledger, so that no guest's writes wait in line
//! with money, or go back with it.
//!
//! Data belongs to a plugin by its name: it outlives an update of the component, and a plugin of another name never sees
//! it. The stores are beside the ledger's ([`crate::ledger::sqlite`], [`crate::ledger::postgres`]).

mod bucket;
pub mod memory;
mod value;

use futures::future::BoxFuture;

use crate::ledger::LedgerError;

pub use bucket::Bucket;
pub(crate) use value::within;
pub use value::{incremented, size_of};

/// Longest key, bytes.
pub const KEY_BYTES_MAX: usize = 1 << 10;
/// Largest value, bytes.
pub const VALUE_BYTES_MAX: usize = 1 << 20;
/// Most keys of one page.
pub const PAGE_KEYS_MAX: usize = 1_000;
/// Most keys of one batch.
pub const BATCH_KEYS_MAX: usize = 1_000;
/// Most bytes of values that one answer holds.
pub const ANSWER_BYTES_MAX: usize = 16 << 20;

/// Why an operation did nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyValueError {
    /// The plugin's storage would grow beyond what it is granted.
    #[error(
        "the quota is used up: this would make {wanted} bytes of keys and values, and {max} are granted"
    )]
    Quota {
        /// Bytes there would be.
        wanted: u64,
        /// Bytes granted.
        max: u64,
    },
    /// The key is empty or too long, or has a NUL in it.
    #[error("a key has 1 to {KEY_BYTES_MAX} bytes and no NUL")]
    Key,
    /// The value is too large.
    #[error("a value has {VALUE_BYTES_MAX} bytes at most")]
    Value,
    /// Too many keys at once.
    #[error("a batch has {BATCH_KEYS_MAX} keys at most")]
    Batch,
    /// The keys hold too much to be told at once.
    #[error(
        "one answer has {ANSWER_BYTES_MAX} bytes of values at most: ask for fewer keys at once"
    )]
    Answer,
    /// What is to be incremented is no number.
    #[error("the value is no whole number in decimal digits")]
    NotANumber,
    /// The sum does not fit.
    #[error("the sum does not fit into 64 bits")]
    Overflow,
    /// The store cannot be used at the moment.
    #[error("the storage is not available at the moment")]
    Unavailable(
        /// Why, for the operator alone.
        String,
    ),
}

/// Some of a plugin's keys.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Page {
    /// In no particular order.
    pub keys: Vec<String>,
    /// Where the next page begins; `None` when this is the last.
    pub next: Option<u64>,
}

impl Page {
    /// The page of `rows`, each with its number, of which one more than [`PAGE_KEYS_MAX`] were asked for.
    pub(crate) fn of(mut rows: Vec<(u64, String)>) -> Self {
        let more = rows.len() > PAGE_KEYS_MAX;
        rows.truncate(PAGE_KEYS_MAX);
        Self {
            next: rows.last().map(|(n, _)| *n).filter(|_| more),
            keys: rows.into_iter().map(|(_, key)| key).collect(),
        }
    }
}

impl From<LedgerError> for KeyValueError {
    fn from(error: LedgerError) -> Self {
        Self::Unavailable(error.to_string())
    }
}

/// A key with what it is to hold; `None` removes it.
pub type Write = (String, Option<Vec<u8>>);

/// A store of the data of every plugin, shared by the hosts of a ledger.
///
/// Each method is one transaction: all of it happens or nothing, and nobody sees half of it. What it is given has passed
/// [`Bucket`]'s bounds. Quotas are exact: `max` bytes of keys and values, [`size_of`] each.
pub trait KeyValue: Send + Sync {
    /// What `keys` hold, in their order.
    fn get(
        &self,
        plugin: &str,
        keys: Vec<String>,
    ) -> BoxFuture<'_, Result<Vec<Option<Vec<u8>>>, KeyValueError>>;

    /// Whether a key is there.
    fn exists(&self, plugin: &str, key: String) -> BoxFuture<'_, Result<bool, KeyValueError>>;

    /// At most [`PAGE_KEYS_MAX`] keys from where the last page ended. A key that is there all the time is on one page.
    fn keys(&self, plugin: &str, from: Option<u64>) -> BoxFuture<'_, Result<Page, KeyValueError>>;

    /// Writes in order, the last word on a key counting.
    fn write(
        &self,
        plugin: &str,
        writes: Vec<Write>,
        max: u64,
    ) -> BoxFuture<'_, Result<(), KeyValueError>>;

    /// Adds to the number that a key holds in decimal digits, 0 where it is missing; the sum.
    fn increment(
        &self,
        plugin: &str,
        key: String,
        by: u64,
        max: u64,
    ) -> BoxFuture<'_, Result<u64, KeyValueError>>;

    /// Bytes of keys and values that a plugin keeps.
    fn used(&self, plugin: &str) -> BoxFuture<'_, Result<u64, KeyValueError>>;
}
