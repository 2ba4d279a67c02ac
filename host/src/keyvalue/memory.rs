//! A store that ends with its process: for tests.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use futures::future::{BoxFuture, ready};

use super::value::within;
use super::{KeyValue, KeyValueError, PAGE_KEYS_MAX, Page, Write, incremented, size_of};

/// Plugins' data in memory.
#[derive(Default)]
pub struct MemoryKeyValue(Mutex<BTreeMap<String, Kept>>);

#[derive(Clone, Default)]
struct Kept {
    /// By key: when it came, counted, and its value.
    entries: BTreeMap<String, (u64, Vec<u8>)>,
    came: u64,
    bytes: u64,
}

impl Kept {
    fn put(&mut self, key: String, value: Option<Vec<u8>>) {
        let before = self.entries.remove(&key);
        self.bytes -= before.as_ref().map_or(0, |(_, held)| size_of(&key, held));
        let Some(value) = value else { return };
        self.came += 1;
        self.bytes += size_of(&key, &value);
        let at = before.map_or(self.came, |(at, _)| at);
        self.entries.insert(key, (at, value));
    }

    fn page(&self, from: u64) -> Page {
        let later = self.entries.iter().filter(|(_, (at, _))| *at > from);
        let mut later: Vec<_> = later.map(|(key, (at, _))| (*at, key.clone())).collect();
        later.sort_unstable();
        later.truncate(PAGE_KEYS_MAX + 1);
        Page::of(later)
    }
}

impl MemoryKeyValue {
    fn all(&self) -> MutexGuard<'_, BTreeMap<String, Kept>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn of(&self, plugin: &str) -> Kept {
        self.all().get(plugin).cloned().unwrap_or_default()
    }

    /// Changes a copy, which counts only when it is within the quota.
    fn change<T>(
        &self,
        plugin: &str,
        max: u64,
        change: impl FnOnce(&mut Kept) -> Result<T, KeyValueError>,
    ) -> Result<T, KeyValueError> {
        let mut all = self.all();
        let kept = all.entry(plugin.to_owned()).or_default();
        let mut next = kept.clone();
        let value = change(&mut next)?;
        within(kept.bytes, next.bytes, max)?;
        *kept = next;
        Ok(value)
    }
}

impl KeyValue for MemoryKeyValue {
    fn get(
        &self,
        plugin: &str,
        keys: Vec<String>,
    ) -> BoxFuture<'_, Result<Vec<Option<Vec<u8>>>, KeyValueError>> {
        let kept = self.of(plugin);
        let value = |key: &String| kept.entries.get(key).map(|(_, value)| value.clone());
        Box::pin(ready(Ok(keys.iter().map(value).collect())))
    }

    fn exists(&self, plugin: &str, key: String) -> BoxFuture<'_, Result<bool, KeyValueError>> {
        Box::pin(ready(Ok(self.of(plugin).entries.contains_key(&key))))
    }

    fn keys(&self, plugin: &str, from: Option<u64>) -> BoxFuture<'_, Result<Page, KeyValueError>> {
        Box::pin(ready(Ok(self.of(plugin).page(from.unwrap_or(0)))))
    }

    fn write(
        &self,
        plugin: &str,
        writes: Vec<Write>,
        max: u64,
    ) -> BoxFuture<'_, Result<(), KeyValueError>> {
        let written = self.change(plugin, max, |kept| {
            for (key, value) in writes {
                kept.put(key, value);
            }
            Ok(())
        });
        Box::pin(ready(written))
    }

    fn increment(
        &self,
        plugin: &str,
        key: String,
        by: u64,
        max: u64,
    ) -> BoxFuture<'_, Result<u64, KeyValueError>> {
        let sum = self.change(plugin, max, |kept| {
            let held = kept.entries.get(&key).map(|(_, value)| &value[..]);
            let sum = incremented(held, by)?;
            kept.put(key, Some(sum.to_string().into_bytes()));
            Ok(sum)
        });
        Box::pin(ready(sum))
    }

    fn used(&self, plugin: &str) -> BoxFuture<'_, Result<u64, KeyValueError>> {
        Box::pin(ready(Ok(self.of(plugin).bytes)))
    }
}
