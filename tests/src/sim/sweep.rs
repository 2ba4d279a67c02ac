//! Many seeds on several threads, and the account of one that failed.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use super::run;

/// Which seeds to run.
#[derive(Clone, Copy, Debug)]
pub struct Sweep {
    /// The first of them.
    pub first: u64,
    /// How many.
    pub seeds: u64,
    /// On how many threads.
    pub threads: usize,
}

/// What became of them.
#[derive(Clone, Debug, Default)]
pub struct Swept {
    /// How many were run.
    pub seeds: u64,
    /// How often what happened in them, all in all.
    pub counts: BTreeMap<&'static str, u64>,
    /// The first seed that broke a promise; none is run after it.
    pub failed: Option<u64>,
}

impl Sweep {
    /// Runs them until one fails.
    ///
    /// # Panics
    /// When a world does.
    pub fn run(self) -> Swept {
        let next = AtomicU64::new(0);
        let swept = Mutex::new(Swept::default());
        std::thread::scope(|scope| {
            for _ in 0..self.threads {
                scope.spawn(|| self.take_seeds(&next, &swept));
            }
        });
        swept.into_inner().unwrap_or_else(PoisonError::into_inner)
    }

    fn take_seeds(self, next: &AtomicU64, swept: &Mutex<Swept>) {
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number >= self.seeds {
                return;
            }
            let seed = self.first + number;
            let run = std::panic::catch_unwind(|| run(seed, false));
            let mut swept = swept.lock().unwrap_or_else(PoisonError::into_inner);
            if swept.failed.is_some() {
                return;
            }
            swept.seeds += 1;
            match run {
                Ok(run) if run.broken.is_empty() => {
                    for (what, count) in run.counts {
                        *swept.counts.entry(what).or_default() += u64::from(count);
                    }
                }
                _ => swept.failed = Some(seed),
            }
        }
    }
}

/// Everything that happened in a seed, and which promises it broke.
pub fn account_of(seed: u64) -> String {
    let run = run(seed, true);
    let mut text = String::new();
    for line in &run.trace {
        let _ = writeln!(text, "{line}");
    }
    let _ = writeln!(text, "\nseed {seed} broke {} promises:", run.broken.len());
    for broken in &run.broken {
        let _ = writeln!(text, "- {broken}");
    }
    let again = format!("COINOP_SEED={seed} cargo test -p coinop-tests --test simulation one_seed");
    let _ = writeln!(text, "again: {again}");
    text
}
