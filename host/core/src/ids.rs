//! Identifiers: random, opaque, and impossible to mix up.
//!
//! All carry 128 random bits in lower-case base32 behind a prefix that says what they are. A payment's id may be
//! the right to redeem (for anonymous callers), so its `Debug` shows only the first characters.

use std::fmt;
use std::str::FromStr;

use data_encoding::BASE32_NOPAD;
use serde::{Deserialize, Serialize};

/// Characters of the random part: 16 bytes in base32.
const BODY_LEN: usize = 26;

/// Why a text is not an id.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a {kind} id")]
pub struct BadId {
    kind: &'static str,
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $prefix:literal, $kind:literal) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(String);

        impl $name {
            /// An id made of 16 random bytes, which the caller draws.
            pub fn from_random(bytes: [u8; 16]) -> Self {
                let body = BASE32_NOPAD.encode(&bytes).to_ascii_lowercase();
                Self(format!(concat!($prefix, "{}"), body))
            }

            /// The id as it stands on the wire and in the ledger.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = BadId;

            fn from_str(text: &str) -> Result<Self, BadId> {
                let body = text.strip_prefix($prefix).ok_or(BadId { kind: $kind })?;
                let known = |b: u8| b.is_ascii_lowercase() || (b'2'..=b'7').contains(&b);
                if body.len() != BODY_LEN || !body.bytes().all(known) {
                    return Err(BadId { kind: $kind });
                }
                Ok(Self(text.to_owned()))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}…", &self.0[..$prefix.len() + 4])
            }
        }

        impl Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = std::borrow::Cow::<str>::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}

id!(
    /// A call, from its quote to its end. Plugins receive it as their idempotency key; logs may show it.
    CallId, "call_", "call"
);
id!(
    /// A payment. For an anonymous caller it is the right to redeem: it appears in no link and no log.
    PaymentId, "pay_", "payment"
);
id!(
    /// What a payment link carries instead of the payment's id: it shows and pays, it redeems nothing.
    LinkToken, "lnk_", "link"
);

impl CallId {
    /// The id right before this one, in the order of their texts: where a list by id begins that is to begin with this
    /// one. The first of all has none and gives itself.
    pub fn before(&self) -> Self {
        let mut text = self.0.clone().into_bytes();
        let body = text.len() - BODY_LEN;
        for byte in text[body..].iter_mut().rev() {
            // In ASCII the digits come first: `2` is the least of the alphabet, `z` the greatest.
            match *byte {
                b'2' => *byte = b'z',
                b'a' => {
                    *byte = b'7';
                    return Self::of(text);
                }
                _ => {
                    *byte -= 1;
                    return Self::of(text);
                }
            }
        }
        self.clone()
    }

    fn of(ascii: Vec<u8>) -> Self {
        Self(String::from_utf8(ascii).unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_round_trip_and_refuse_everything_else() {
        let id = PaymentId::from_random([7; 16]);
        assert_eq!(id.as_str().parse::<PaymentId>(), Ok(id.clone()));
        for bad in [
            "",
            "pay_",
            "pay_short",
            "call_a4dqobyhbqcyxq6nqgkqd4bq2u",
            &id.as_str().to_uppercase(),
        ] {
            assert!(bad.parse::<PaymentId>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn nothing_lies_between_an_id_and_the_one_before() {
        let id = |end: &str| -> CallId {
            let body = format!("{:a<26}", "");
            let text = format!("call_{}{end}", &body[end.len()..]);
            text.parse().unwrap()
        };
        for (end, before) in [
            ("c", "b"),
            ("a", "7"),
            ("3", "2"),
            ("b2", "az"),
            ("a22", "7zz"),
        ] {
            assert_eq!(id(end).before(), id(before));
            assert!(id(end).before() < id(end));
        }
        let first: CallId = format!("call_{}", "2".repeat(26)).parse().unwrap();
        assert_eq!(first.before(), first);
    }

    #[test]
    fn debug_does_not_print_the_right_to_redeem() {
        let id = PaymentId::from_random([9; 16]);
        assert!(!format!("{id:?}").contains(id.as_str()));
    }
}
