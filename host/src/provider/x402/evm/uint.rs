//! Whole numbers of 256 bits, as they stand in signed payloads: decimal text with one spelling.

use std::fmt;
use std::str::FromStr;

/// A number of 256 bits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Uint([u8; 32]);

impl Uint {
    /// As a word of the ABI: the most significant byte first.
    pub fn as_word(&self) -> &[u8; 32] {
        &self.0
    }

    /// Of a word of the ABI.
    pub const fn from_word(word: [u8; 32]) -> Self {
        Self(word)
    }

    /// As a time or a count that fits, the largest there is otherwise.
    pub fn saturating_i64(&self) -> i64 {
        let (high, low) = self.0.split_at(24);
        match (high.iter().all(|b| *b == 0), low.try_into()) {
            (true, Ok(low)) => i64::try_from(u64::from_be_bytes(low)).unwrap_or(i64::MAX),
            _ => i64::MAX,
        }
    }

    /// Ten times as much and `digit`, `None` when it does not fit.
    fn with_digit(mut self, digit: u8) -> Option<Self> {
        let mut carry = u16::from(digit);
        for byte in self.0.iter_mut().rev() {
            let [high, low] = (u16::from(*byte) * 10 + carry).to_be_bytes();
            (*byte, carry) = (low, u16::from(high));
        }
        (carry == 0).then_some(self)
    }

    /// A tenth of it, and the last decimal digit.
    fn without_digit(mut self) -> (Self, u8) {
        let mut rest = 0_u16;
        for byte in &mut self.0 {
            let part = rest << 8 | u16::from(*byte);
            (*byte, rest) = ((part / 10) as u8, part % 10);
        }
        (self, rest as u8)
    }
}

impl From<u128> for Uint {
    fn from(number: u128) -> Self {
        let mut word = [0; 32];
        word[16..].copy_from_slice(&number.to_be_bytes());
        Self(word)
    }
}

impl FromStr for Uint {
    type Err = NotANumber;

    /// Digits only, and no zeros before them: what is signed has one spelling, so that no two texts are one number.
    fn from_str(text: &str) -> Result<Self, NotANumber> {
        let canonical = text == "0" || !text.starts_with('0');
        let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        if !canonical || !digits {
            return Err(NotANumber);
        }
        let zero = Self([0; 32]);
        text.bytes()
            .try_fold(zero, |number, digit| number.with_digit(digit - b'0'))
            .ok_or(NotANumber)
    }
}

impl fmt::Display for Uint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut digits = Vec::new();
        let mut left = *self;
        loop {
            let (rest, digit) = left.without_digit();
            digits.push(char::from(b'0' + digit));
            left = rest;
            if left.0 == [0; 32] {
                break;
            }
        }
        f.write_str(&digits.iter().rev().collect::<String>())
    }
}

impl fmt::Debug for Uint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Not a decimal number below 2²⁵⁶ in its one spelling.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a decimal number below 2^256")]
pub struct NotANumber;

#[cfg(test)]
mod tests {
    use super::*;

    const MAX: &str =
        "115792089237316195423570985008687907853269984665640564039457584007913129639935";

    #[test]
    fn numbers_are_read_and_written_the_same() {
        for text in [
            "0",
            "1",
            "9",
            "10",
            "255",
            "256",
            "10000",
            "340282366920938463463374607431768211456",
            MAX,
        ] {
            assert_eq!(text.parse::<Uint>().unwrap().to_string(), text);
        }
        assert_eq!(Uint::from(u128::MAX).to_string(), u128::MAX.to_string());
        assert_eq!(MAX.parse::<Uint>().unwrap().as_word(), &[255; 32]);
    }

    #[test]
    fn what_is_no_number_is_refused() {
        let above = MAX.replace("935", "936");
        let huge = "9".repeat(4_000);
        for text in [
            "", "-1", "+1", "00", "01", "1.0", "1e4", "0x10", " 1", "1 ", "١", "NaN", &above, &huge,
        ] {
            assert!(text.parse::<Uint>().is_err(), "{text}");
        }
    }

    #[test]
    fn order_and_bounds_are_those_of_the_numbers() {
        let number = |text: &str| text.parse::<Uint>().unwrap();
        assert!(number("9") < number("10") && number("255") < number("256"));
        assert_eq!(number("1795000060").saturating_i64(), 1_795_000_060);
        assert_eq!(number("9223372036854775808").saturating_i64(), i64::MAX);
        assert_eq!(number("18446744073709551616").saturating_i64(), i64::MAX);
        assert_eq!(number(MAX).saturating_i64(), i64::MAX);
    }
}
