//! Randomness from the operating system: the one place that draws it.

use data_encoding::BASE32_NOPAD;

/// Where a gate's ids come from. A trait, so that a simulation can be repeated.
pub trait Random: Send + Sync {
    /// 16 bytes that nobody can guess.
    fn bytes(&self) -> [u8; 16];
}

/// The operating system's randomness.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemRandom;

impl Random for SystemRandom {
    fn bytes(&self) -> [u8; 16] {
        bytes()
    }
}

/// 16 random bytes, for an id.
pub fn bytes() -> [u8; 16] {
    let mut bytes = [0; 16];
    // Without randomness no id can be trusted with money; there is nothing sensible to do but stop.
    getrandom::fill(&mut bytes).expect("the operating system provides randomness");
    bytes
}

/// A random token of 26 characters, 128 bits.
pub fn token() -> String {
    token_of(bytes())
}

/// `bytes` as a token.
pub fn token_of(bytes: [u8; 16]) -> String {
    BASE32_NOPAD.encode(&bytes).to_ascii_lowercase()
}

/// 32 random bytes, for a key.
pub fn secret() -> [u8; 32] {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).expect("the operating system provides randomness");
    bytes
}
