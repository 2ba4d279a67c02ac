//! What happened in a world: always as a hash, as text only where somebody wants to read it.

use std::fmt;
use std::fmt::Write as _;
use std::sync::{Mutex, PoisonError};

use coinop_core::Millis;

/// The events of one world, in order.
pub(crate) struct Trace(Mutex<Inner>);

struct Inner {
    hash: Fnv,
    lines: Option<Vec<String>>,
}

impl Trace {
    /// An empty trace; `keep` the text too?
    pub(crate) fn new(keep: bool) -> Self {
        Self(Mutex::new(Inner {
            hash: Fnv(0xcbf2_9ce4_8422_2325),
            lines: keep.then(Vec::new),
        }))
    }

    /// Notes what happened at `at`.
    pub(crate) fn note(&self, at: Millis, what: fmt::Arguments<'_>) {
        let mut inner = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // A hasher takes every text.
        let _ = writeln!(inner.hash, "{at} {what}");
        if let Some(lines) = &mut inner.lines {
            lines.push(format!("{at} {what}"));
        }
    }

    /// The hash of everything so far.
    pub(crate) fn hash(&self) -> u64 {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).hash.0
    }

    /// The text, where it was kept.
    pub(crate) fn lines(&self) -> Vec<String> {
        let inner = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        inner.lines.clone().unwrap_or_default()
    }
}

/// FNV-1a.
struct Fnv(u64);

impl fmt::Write for Fnv {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for byte in text.bytes() {
            self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
        Ok(())
    }
}
