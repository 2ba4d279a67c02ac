//! API keys: known by their SHA-256 only, named so that a changed key keeps its payments.

use coinop_core::digest::Digest;

/// The keys of HTTP callers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ApiKeys(Vec<(String, Digest)>);

impl ApiKeys {
    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Every key: the name it goes by, and its hash.
    pub fn iter(&self) -> impl Iterator<Item = (&str, Digest)> {
        self.0.iter().map(|(name, hash)| (name.as_str(), *hash))
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
    fn one_key_has_one_name_and_one_name_may_have_two_keys() {
        let mut keys = ApiKeys::default();
        keys.add("ci", hash("k-one")).unwrap();
        keys.add("ci", hash("k-next")).unwrap();
        keys.add("ops", hash("k-two")).unwrap();
        assert_eq!(keys.iter().count(), 3);
        let twice = keys.add("other", hash("k-two")).unwrap_err();
        assert!(twice.contains("http.keys.ops"), "{twice}");
    }
}
