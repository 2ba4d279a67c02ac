//! Addresses of EVM chains: twenty bytes, the same in any case of letters; written with the checksum of EIP-55.

use std::fmt;
use std::str::FromStr;

use data_encoding::{HEXLOWER, HEXLOWER_PERMISSIVE};

use super::typed_data::keccak;

/// An address.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Address([u8; 20]);

impl Address {
    /// The address of these bytes.
    pub const fn new(bytes: [u8; 20]) -> Self {
        Self(bytes)
    }

    /// The bytes.
    pub fn as_bytes(&self) -> &[u8; 20] {
        &self.0
    }

    /// As a word of the ABI: twelve zero bytes before it.
    pub fn as_word(&self) -> [u8; 32] {
        let mut word = [0; 32];
        word[12..].copy_from_slice(&self.0);
        word
    }

    /// Written with its checksum (<https://eips.ethereum.org/EIPS/eip-55>), as every wallet accepts it.
    pub fn checksummed(&self) -> String {
        let lower = HEXLOWER.encode(&self.0);
        let hash = HEXLOWER.encode(&keccak(lower.as_bytes()));
        let letters = lower.chars().zip(hash.chars()).map(|(letter, nibble)| {
            match nibble.to_digit(16).is_some_and(|n| n >= 8) {
                true => letter.to_ascii_uppercase(),
                false => letter,
            }
        });
        "0x".chars().chain(letters).collect()
    }

    /// Reads an address that a person wrote: letters of both cases must be its checksum, so that a slip is found before
    /// somebody is paid at nobody's address.
    ///
    /// # Errors
    /// What is wrong, for the operator.
    pub fn written(text: &str) -> Result<Self, String> {
        let address: Self = text
            .parse()
            .map_err(|_| format!("{text:?} is not an address: write 0x and 40 hex digits"))?;
        let digits = text.get(2..).unwrap_or_default();
        let mixed = digits.bytes().any(|b| b.is_ascii_uppercase())
            && digits.bytes().any(|b| b.is_ascii_lowercase());
        if mixed && address.checksummed() != text {
            return Err(format!(
                "{text:?} has a typing error: its letters do not match its checksum (EIP-55)"
            ));
        }
        Ok(address)
    }
}

impl FromStr for Address {
    type Err = NotAnAddress;

    fn from_str(text: &str) -> Result<Self, NotAnAddress> {
        bytes(text).map(Self).ok_or(NotAnAddress)
    }
}

/// `0x` and twice as many hex digits as there are bytes, in any case of letters.
pub fn bytes<const N: usize>(text: &str) -> Option<[u8; N]> {
    let digits = text.strip_prefix("0x")?;
    if digits.len() != 2 * N {
        return None;
    }
    let bytes = HEXLOWER_PERMISSIVE.decode(digits.as_bytes()).ok()?;
    bytes.try_into().ok()
}

/// `0x` and lower-case hex digits.
pub fn hex(bytes: &[u8]) -> String {
    format!("0x{}", HEXLOWER.encode(bytes))
}

/// Not `0x` and 40 hex digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an address: 0x and 40 hex digits")]
pub struct NotAnAddress;

impl fmt::Display for Address {
    /// Lower case: the one spelling in references and principals.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex(&self.0))
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// From the text of EIP-55.
    const CHECKSUMMED: [&str; 4] = [
        "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
        "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359",
        "0xdbF03B407c01E7cD3CBea99509d93f8DDDC8C6FB",
        "0xD1220A0cf47c7B9Be7A2E6BA89F429762e7b9aDb",
    ];

    #[test]
    fn checksums_are_those_of_the_standard() {
        for text in CHECKSUMMED {
            assert_eq!(Address::written(text).unwrap().checksummed(), text);
            let lower = text.to_ascii_lowercase();
            assert_eq!(Address::written(&lower).unwrap().checksummed(), text);
        }
    }

    #[test]
    fn a_slip_of_the_pen_is_found() {
        for text in CHECKSUMMED {
            let slipped = text.replacen(['a', 'A'], "b", 1);
            assert!(Address::written(&slipped).is_err(), "{slipped}");
        }
    }

    #[test]
    fn what_is_no_address_is_refused() {
        let long = format!("{}0", CHECKSUMMED[0]);
        for text in [
            "",
            "0x",
            "0X5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
            &long,
        ] {
            assert!(text.parse::<Address>().is_err(), "{text}");
        }
        for text in CHECKSUMMED {
            assert!(text[2..].parse::<Address>().is_err());
            assert!(text.replace('5', "g").parse::<Address>().is_err() || !text.contains('5'));
        }
    }
}
