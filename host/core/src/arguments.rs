//! The arguments of a call in the one form that is hashed *and* run: RFC 8785 canonical JSON.
//!
//! A payment is bound to this form's digest. Numbers that two JSON readers may disagree on (integers beyond 2⁵³,
//! RFC 7493 §2.2) are refused rather than changed. Duplicate keys must be refused on the raw text, before any parser
//! has chosen one: see [`check_json_text`].

use std::collections::HashSet;
use std::fmt;

use serde::Deserialize;
use serde::de::{self, DeserializeSeed, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

use crate::digest::Digest;

/// Integers up to this size are the same to every JSON reader (RFC 7493 §2.2).
const SAFE_INTEGER_MAX: u64 = 1 << 53;
/// Deepest nesting of a JSON text; the same bound as serde_json's own.
const DEPTH_MAX: usize = 128;

/// Canonical arguments and their digest.
#[derive(Clone, PartialEq, Eq)]
pub struct Arguments {
    json: String,
    digest: Digest,
}

impl Arguments {
    /// Canonicalises `map`.
    ///
    /// # Errors
    /// [`ArgumentsError::Integer`] names the first field whose integer is beyond ±2⁵³.
    pub fn from_map(map: &Map<String, Value>) -> Result<Self, ArgumentsError> {
        let mut path = Vec::new();
        for (key, value) in map {
            path.push(key.clone());
            check_numbers(value, &mut path)?;
            path.pop();
        }
        let json = serde_json_canonicalizer::to_string(map)
            .map_err(|e| ArgumentsError::Canonical(e.to_string()))?;
        Ok(Self::stored(json))
    }

    /// Arguments read back from the ledger, already canonical.
    pub fn stored(json: String) -> Self {
        let digest = Digest::of(json.as_bytes());
        Self { json, digest }
    }

    /// The canonical JSON text, the one the plugin receives.
    pub fn as_json(&self) -> &str {
        &self.json
    }

    /// The canonical JSON text, given away.
    pub fn into_json(self) -> String {
        self.json
    }

    /// The digest a payment is bound to.
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// The top-level fields in which `self` and `other` differ, sorted.
    pub fn differing_fields(&self, other: &Self) -> Vec<String> {
        let parse =
            |a: &Self| serde_json::from_str::<Map<String, Value>>(&a.json).unwrap_or_default();
        let (mine, theirs) = (parse(self), parse(other));
        let mut names: Vec<String> = mine
            .keys()
            .chain(theirs.keys())
            .filter(|k| mine.get(*k) != theirs.get(*k))
            .cloned()
            .collect();
        names.sort();
        names.dedup();
        names
    }
}

impl fmt::Debug for Arguments {
    /// Arguments are never logged; their digest may be.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Arguments({:?})", self.digest)
    }
}

fn check_numbers(value: &Value, path: &mut Vec<String>) -> Result<(), ArgumentsError> {
    match value {
        Value::Number(n) if !is_safe(n) => return Err(ArgumentsError::Integer(path.join("."))),
        Value::Number(_) => {}
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                path.push(index.to_string());
                check_numbers(item, path)?;
                path.pop();
            }
        }
        Value::Object(map) => {
            for (key, item) in map {
                path.push(key.clone());
                check_numbers(item, path)?;
                path.pop();
            }
        }
        Value::Null | Value::Bool(_) | Value::String(_) => {}
    }
    Ok(())
}

fn is_safe(n: &serde_json::Number) -> bool {
    if let Some(n) = n.as_i64() {
        return n.unsigned_abs() <= SAFE_INTEGER_MAX;
    }
    // An integer too large for the parser arrives as a float; no integral float of that size is told from it.
    let n = n.as_f64().unwrap_or(f64::INFINITY);
    n.is_finite() && (n.fract() != 0.0 || n.abs() < SAFE_INTEGER_MAX as f64)
}

/// Why arguments cannot be hashed, and so not sold.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ArgumentsError {
    /// An integer that JSON readers do not agree on.
    #[error(
        "the number in field {0:?} is an integer beyond 2^53, which JSON readers round differently: send it as a string"
    )]
    Integer(String),
    /// The canonicaliser refused.
    #[error("the arguments cannot be put in canonical form: {0}")]
    Canonical(String),
}

/// Why a JSON text is refused before it is parsed for use.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JsonTextError {
    /// Not JSON.
    #[error("not valid JSON: {0}")]
    Malformed(String),
    /// An object with the same key twice: readers disagree on which one counts.
    #[error("the key {0:?} occurs twice in one object")]
    DuplicateKey(String),
}

const DUPLICATE: &str = "coinop-duplicate-key:";

/// Checks that `text` is one JSON value without duplicate keys at any depth. Builds nothing.
///
/// # Errors
/// [`JsonTextError`] tells malformed text from a duplicate key; the protocol answers them differently.
pub fn check_json_text(text: &[u8]) -> Result<(), JsonTextError> {
    let mut reader = serde_json::Deserializer::from_slice(text);
    let read = Unique { depth: 0 }
        .deserialize(&mut reader)
        .and_then(|()| reader.end());
    read.map_err(|e| {
        let message = e.to_string();
        match message.split_once(DUPLICATE) {
            Some((_, rest)) => {
                let key = rest.rsplit_once(" at line").map_or(rest, |(key, _)| key);
                JsonTextError::DuplicateKey(key.to_owned())
            }
            None => JsonTextError::Malformed(message),
        }
    })
}

#[derive(Clone, Copy)]
struct Unique {
    depth: usize,
}

impl<'de> DeserializeSeed<'de> for Unique {
    type Value = ();

    fn deserialize<D: de::Deserializer<'de>>(self, reader: D) -> Result<(), D::Error> {
        reader.deserialize_any(self)
    }
}

impl Unique {
    fn deeper<E: de::Error>(self) -> Result<Self, E> {
        if self.depth >= DEPTH_MAX {
            return Err(E::custom("nested too deeply"));
        }
        Ok(Self {
            depth: self.depth + 1,
        })
    }
}

impl<'de> Visitor<'de> for Unique {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }
    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }
    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }
    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }
    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }
    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        let inner = self.deeper()?;
        while seq.next_element_seed(inner)?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let inner = self.deeper()?;
        // Most objects of a request are small: a list is cheaper than a set until it is not.
        let mut few: Vec<Key> = Vec::new();
        let mut many: HashSet<Key> = HashSet::new();
        while let Some(key) = map.next_key::<Key>()? {
            let known = if few.len() < 16 {
                few.contains(&key)
            } else {
                few.contains(&key) || many.contains(&key)
            };
            if known {
                return Err(de::Error::custom(format!("{DUPLICATE}{}", key.0)));
            }
            if few.len() < 16 {
                few.push(key);
            } else {
                many.insert(key);
            }
            map.next_value_seed(inner)?;
        }
        Ok(())
    }
}

#[derive(PartialEq, Eq, Hash, Deserialize)]
#[serde(transparent)]
struct Key(String);

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn canonical(value: Value) -> Result<String, ArgumentsError> {
        let Value::Object(map) = value else {
            panic!("arguments are an object")
        };
        Arguments::from_map(&map).map(|a| a.as_json().to_owned())
    }

    #[test]
    fn the_same_arguments_have_the_same_form() {
        assert_eq!(
            canonical(json!({"b": 1.0, "a": "é"})).unwrap(),
            r#"{"a":"é","b":1}"#
        );
        assert_eq!(
            canonical(json!({"a": 1e2})).unwrap(),
            canonical(json!({"a": 100})).unwrap()
        );
        assert_ne!(
            canonical(json!({"a": "1"})).unwrap(),
            canonical(json!({"a": 1})).unwrap()
        );
    }

    #[test]
    fn integers_that_readers_round_differently_are_refused_by_name() {
        let big = json!({"deep": [{"n": 9_007_199_254_740_993_i64}]});
        assert_eq!(
            canonical(big),
            Err(ArgumentsError::Integer("deep.0.n".into()))
        );
        assert!(canonical(json!({"n": 9_007_199_254_740_992_i64})).is_ok());
        let beyond: Value = serde_json::from_str(r#"{"n": 18446744073709551617}"#).unwrap();
        assert!(canonical(beyond).is_err());
        assert!(canonical(json!({"n": 1.5e-300})).is_ok());
    }

    #[test]
    fn differences_are_named() {
        let of = |v: Value| Arguments::from_map(v.as_object().unwrap()).unwrap();
        let paid = of(json!({"city": "Bergen", "days": 3, "same": 1}));
        let sent = of(json!({"city": "Oslo", "same": 1, "units": "F"}));
        assert_eq!(paid.differing_fields(&sent), ["city", "days", "units"]);
    }

    #[test]
    fn duplicate_keys_are_found_at_any_depth_and_escaping() {
        let duplicate = |key: &str| Err(JsonTextError::DuplicateKey(key.to_owned()));
        assert_eq!(check_json_text(br#"{"a":1,"a":2}"#), duplicate("a"));
        assert_eq!(
            check_json_text(br#"{"x":[{"b":1,"\u0062":2}]}"#),
            duplicate("b")
        );
        assert_eq!(check_json_text(br#"{"a":{"a":1}}"#), Ok(()));
        let many: String = (0..100).map(|i| format!("\"k{i}\":0,")).collect();
        assert_eq!(
            check_json_text(format!("{{{many}\"z\":1}}").as_bytes()),
            Ok(())
        );
        assert_eq!(
            check_json_text(format!("{{{many}\"k99\":1}}").as_bytes()),
            duplicate("k99")
        );
    }

    #[test]
    fn malformed_text_is_told_apart() {
        for bad in [
            "",
            "{",
            "{\"a\":1}}",
            "{\"a\":}",
            "nul",
            "\"\\ud800\"",
            "[1,]",
        ] {
            assert!(
                matches!(
                    check_json_text(bad.as_bytes()),
                    Err(JsonTextError::Malformed(_))
                ),
                "{bad:?}"
            );
        }
        let deep = "[".repeat(100_000);
        assert!(check_json_text(deep.as_bytes()).is_err());
    }
}
