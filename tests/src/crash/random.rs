//! Randomness that a seed repeats.

/// SplitMix64: small, and good enough to choose places.
pub struct Random(u64);

impl Random {
    /// The same seed gives the same choices.
    pub fn seeded(seed: u64) -> Self {
        Self(seed)
    }

    /// A seed of the moment.
    pub fn fresh_seed() -> u64 {
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        // Few digits, since people type it.
        now.map_or(1, |since| since.as_nanos() as u64 % 1_000_000_000)
    }

    /// A number below `end`, which is not 0.
    pub fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((z ^ (z >> 31)) % end as u64) as usize
    }
}
