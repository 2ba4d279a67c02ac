//! API keys: known by their SHA-256 only, found in constant time, named so that a changed key keeps its payments.

use coinop_core::digest::Digest;
use subtle::ConstantTimeEq;

/// The keys of HTTP callers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ApiKeys(Vec<(String, Digest)>);

impl ApiKeys {
    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The name of the key that a caller presents, `None` for a key nobody has. Takes the same time for every key.
    pub fn name_of(&self, presented: &str) -> Option<&str> {
        let hash = hash(presented);
        let mut found = None;
        for (name, known) in &self.0 {
            if bool::from(known.as_bytes().ct_eq(hash.as_bytes())) {
                found = Some(name.as_str());
            }
        }
        found
    }

    /// Adds a key's hash under `name`.
    ///
    /// # Errors
    /// The name that has the same key already: two names for one key would mix up payments.
    pub(super) fn add(&mut self, name: &str, hash: Digest) -> Result<(), String> {
        if let Some((other, _)) = self
            .0
            .iter()
            .find(|(other, known)| *known == hash && other != name)
        {
            return Err(format!(
                "is the same key as http.keys.{other}: give every caller their own"
            ));
        }
        self.0.push((name.to_owned(), hash));
        Ok(())
    }
}

/// What is stored of a key. Keys are random and long, so a plain hash cannot be reversed by guessing.
pub fn hash(key: &str) -> Digest {
    Digest::of(key.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_finds_its_name_and_nothing_else_does() {
        let mut keys = ApiKeys::default();
        keys.add("ci", hash("k-one")).unwrap();
        keys.add("ci", hash("k-next")).unwrap();
        keys.add("ops", hash("k-two")).unwrap();
        assert_eq!(keys.name_of("k-one"), Some("ci"));
        assert_eq!(keys.name_of("k-next"), Some("ci"));
        assert_eq!(keys.name_of("k-two"), Some("ops"));
        assert_eq!(keys.name_of("k-three"), None);
        assert!(
            keys.add("other", hash("k-two"))
                .unwrap_err()
                .contains("http.keys.ops")
        );
    }
}
