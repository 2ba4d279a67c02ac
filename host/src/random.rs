//! Randomness from the operating system: the one place that draws it.

use data_encoding::BASE32_NOPAD;

/// 16 random bytes, for an id.
pub fn bytes() -> [u8; 16] {
    let mut bytes = [0; 16];
    // Without randomness no id can be trusted with money; there is nothing sensible to do but stop.
    getrandom::fill(&mut bytes).expect("the operating system provides randomness");
    bytes
}

/// A random token of 26 characters, 128 bits.
pub fn token() -> String {
    BASE32_NOPAD.encode(&bytes()).to_ascii_lowercase()
}

/// 32 random bytes, for a key.
pub fn secret() -> [u8; 32] {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).expect("the operating system provides randomness");
    bytes
}
