//! The one generator that drives a simulated world: everything that could go either way asks it.

use std::sync::atomic::{AtomicU64, Ordering};

use coinop::random::Random;

/// SplitMix64: small, good enough to choose with, and the same everywhere.
pub(crate) struct Dice(AtomicU64);

const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;

impl Dice {
    /// The generator of a seed.
    pub(crate) fn new(seed: u64) -> Self {
        // Neighbouring seeds must not walk the same sequence one step apart.
        Self(AtomicU64::new(mix(seed ^ 0x5bf0_3635)))
    }

    fn next(&self) -> u64 {
        mix(self
            .0
            .fetch_add(GOLDEN, Ordering::Relaxed)
            .wrapping_add(GOLDEN))
    }

    /// A number from zero to `bound`, `bound` excluded; zero for zero.
    pub(crate) fn below(&self, bound: u64) -> u64 {
        self.next() % bound.max(1)
    }

    /// A number from `least` to `most`, both included.
    pub(crate) fn between(&self, least: i64, most: i64) -> i64 {
        let span = u64::try_from(most - least).unwrap_or(0) + 1;
        least + i64::try_from(self.below(span)).unwrap_or(0)
    }

    /// True `per_mille` times in a thousand.
    pub(crate) fn chance(&self, per_mille: u64) -> bool {
        self.below(1000) < per_mille
    }

    /// One of `choices`, which are not empty.
    pub(crate) fn pick<'a, T>(&self, choices: &'a [T]) -> &'a T {
        &choices[self.below(choices.len() as u64) as usize]
    }
}

impl Random for Dice {
    fn bytes(&self) -> [u8; 16] {
        let halves = (u128::from(self.next()) << 64) | u128::from(self.next());
        halves.to_le_bytes()
    }
}

fn mix(state: u64) -> u64 {
    let z = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
