//! What every store reckons alike: the size of an entry, and the next number.

use super::KeyValueError;

/// Bytes that a key with its value counts against the quota.
pub fn size_of(key: &str, value: &[u8]) -> u64 {
    (key.len() + value.len()) as u64
}

/// The sum of what a key holds and `by`.
///
/// # Errors
/// It holds no number, or the sum does not fit.
pub fn incremented(held: Option<&[u8]>, by: u64) -> Result<u64, KeyValueError> {
    let held = held.map_or(Ok(0), number)?;
    held.checked_add(by).ok_or(KeyValueError::Overflow)
}

fn number(held: &[u8]) -> Result<u64, KeyValueError> {
    let text = std::str::from_utf8(held).map_err(|_| KeyValueError::NotANumber)?;
    let digits = text.bytes().all(|b| b.is_ascii_digit());
    let number = text.parse().ok().filter(|_| digits);
    number.ok_or(KeyValueError::NotANumber)
}

/// Says that `used` bytes are too many, unless they are no more than before: a plugin whose quota was lowered may still
/// make room.
pub(crate) fn within(before: u64, used: u64, max: u64) -> Result<(), KeyValueError> {
    match used > max && used > before {
        true => Err(KeyValueError::Quota { wanted: used, max }),
        false => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_numbers_grow() {
        assert_eq!(incremented(None, 3), Ok(3));
        assert_eq!(incremented(Some(b"007"), 3), Ok(10));
        for held in [
            &b""[..],
            b"-1",
            b"+1",
            b"1.5",
            b"\xff",
            b"18446744073709551616",
        ] {
            assert_eq!(incremented(Some(held), 1), Err(KeyValueError::NotANumber));
        }
        let most = u64::MAX.to_string();
        let over = incremented(Some(most.as_bytes()), 1);
        assert_eq!(over, Err(KeyValueError::Overflow));
    }
}
