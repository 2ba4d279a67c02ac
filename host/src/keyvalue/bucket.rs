//! One plugin's part of the store, as its runs see it: bounded, and by its own name only.

use std::fmt;
use std::sync::Arc;

use super::{
    ANSWER_BYTES_MAX, BATCH_KEYS_MAX, KEY_BYTES_MAX, KeyValue, KeyValueError, Page,
    VALUE_BYTES_MAX, Write,
};

/// A plugin's data, within its quota.
#[derive(Clone)]
pub struct Bucket {
    store: Arc<dyn KeyValue>,
    plugin: String,
    bytes_max: u64,
}

impl Bucket {
    /// The data of `plugin`, which may grow to `bytes_max` bytes of keys and values.
    pub fn new(store: Arc<dyn KeyValue>, plugin: &str, bytes_max: u64) -> Self {
        Self {
            store,
            plugin: plugin.to_owned(),
            bytes_max,
        }
    }

    /// What keys hold, in their order.
    ///
    /// # Errors
    /// A key that is none, too many of them, or the store is away.
    pub async fn get(&self, keys: Vec<String>) -> Result<Vec<Option<Vec<u8>>>, KeyValueError> {
        check_batch(keys.iter())?;
        let mut values = Vec::with_capacity(keys.len());
        let mut bytes = 0;
        // So many at a time hold no more than one answer may.
        for keys in keys.chunks(ANSWER_BYTES_MAX / VALUE_BYTES_MAX) {
            let held = self.told(self.store.get(&self.plugin, keys.to_vec()).await)?;
            bytes += held.iter().flatten().map(Vec::len).sum::<usize>();
            if bytes > ANSWER_BYTES_MAX {
                return Err(KeyValueError::Answer);
            }
            values.extend(held);
        }
        Ok(values)
    }

    /// Whether a key is there.
    ///
    /// # Errors
    /// As [`Bucket::get`].
    pub async fn exists(&self, key: String) -> Result<bool, KeyValueError> {
        check_key(&key)?;
        self.told(self.store.exists(&self.plugin, key).await)
    }

    /// A page of keys.
    ///
    /// # Errors
    /// The store is away.
    pub async fn keys(&self, from: Option<u64>) -> Result<Page, KeyValueError> {
        self.told(self.store.keys(&self.plugin, from).await)
    }

    /// Writes all or nothing.
    ///
    /// # Errors
    /// As [`Bucket::get`], a value that is too large, or the quota.
    pub async fn write(&self, writes: Vec<Write>) -> Result<(), KeyValueError> {
        check_batch(writes.iter().map(|(key, _)| key))?;
        let values = writes.iter().filter_map(|(_, value)| value.as_ref());
        if values
            .into_iter()
            .any(|value| value.len() > VALUE_BYTES_MAX)
        {
            return Err(KeyValueError::Value);
        }
        let written = self.store.write(&self.plugin, writes, self.bytes_max).await;
        self.told(written)
    }

    /// Adds to a number.
    ///
    /// # Errors
    /// As [`Bucket::write`], and where there is no number or no room for the sum.
    pub async fn increment(&self, key: String, by: u64) -> Result<u64, KeyValueError> {
        check_key(&key)?;
        let sum = self.store.increment(&self.plugin, key, by, self.bytes_max);
        self.told(sum.await)
    }

    /// Tells the operator what a plugin is not told.
    fn told<T>(&self, result: Result<T, KeyValueError>) -> Result<T, KeyValueError> {
        if let Err(KeyValueError::Unavailable(reason)) = &result {
            tracing::error!(plugin = self.plugin, "key-value storage: {reason}");
        }
        result
    }
}

impl fmt::Debug for Bucket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bucket")
            .field("plugin", &self.plugin)
            .field("bytes_max", &self.bytes_max)
            .finish_non_exhaustive()
    }
}

fn check_key(key: &str) -> Result<(), KeyValueError> {
    // PostgreSQL stores no NUL in a text.
    match key.is_empty() || key.len() > KEY_BYTES_MAX || key.contains('\0') {
        true => Err(KeyValueError::Key),
        false => Ok(()),
    }
}

fn check_batch<'a>(
    mut keys: impl ExactSizeIterator<Item = &'a String>,
) -> Result<(), KeyValueError> {
    match keys.len() > BATCH_KEYS_MAX {
        true => Err(KeyValueError::Batch),
        false => keys.try_for_each(|key| check_key(key)),
    }
}
