//! Public keys of others (RFC 7517): what a key set holds that can verify a signature, and which of its keys does.

use jsonwebtoken::jwk::{
    AlgorithmParameters, EllipticCurve, Jwk, KeyAlgorithm, KeyOperations, PublicKeyUse,
};
use jsonwebtoken::{Algorithm, DecodingKey};
use serde::Deserialize;
use serde_json::Value;

/// Largest key set that is read, bytes.
pub const KEY_SET_BYTES_MAX: usize = 256 << 10;
/// Keys of one set; further ones are not looked at.
const KEYS_MAX: usize = 100;
/// How signatures may be made: with a key pair, whose private half the issuer keeps to itself.
pub const ALGORITHMS: &[Algorithm] = &[
    Algorithm::RS256,
    Algorithm::RS384,
    Algorithm::RS512,
    Algorithm::PS256,
    Algorithm::PS384,
    Algorithm::PS512,
    Algorithm::ES256,
    Algorithm::ES384,
    Algorithm::EdDSA,
];
/// An RSA modulus in base64url, characters: 2048 bits at least, 8192 at most.
const RSA_MODULUS_CHARS: std::ops::RangeInclusive<usize> = 342..=1_366;

/// The keys of a set that verify signatures. What else a set may hold is left out: secrets that two sides share, keys
/// for encryption, curves and sizes that are not taken.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeySet(Vec<Jwk>);

/// Why a text is no set of keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeySetError {
    /// It is not `{"keys": […]}`.
    #[error("it is no JSON Web Key Set: {{\"keys\": […]}}")]
    NotAKeySet,
    /// It is larger than [`KEY_SET_BYTES_MAX`].
    #[error("it is larger than {KEY_SET_BYTES_MAX} bytes")]
    TooLarge,
    /// Nothing in it verifies a signature.
    #[error(
        "no key in it verifies signatures: RSA from 2048 bits, P-256, P-384 and Ed25519 are taken"
    )]
    NoKey,
}

#[derive(Deserialize)]
struct Document {
    keys: Vec<Value>,
}

impl KeySet {
    /// Reads a key set.
    ///
    /// # Errors
    /// It is none, is too large, or holds no key that can be used.
    pub fn parse(text: &[u8]) -> Result<Self, KeySetError> {
        if text.len() > KEY_SET_BYTES_MAX {
            return Err(KeySetError::TooLarge);
        }
        let document: Document =
            serde_json::from_slice(text).map_err(|_| KeySetError::NotAKeySet)?;
        let read = |key: Value| serde_json::from_value(key).ok();
        let keys = document.keys.into_iter().take(KEYS_MAX).filter_map(read);
        let usable: Vec<Jwk> = keys.filter(is_usable).collect();
        match usable.is_empty() {
            true => Err(KeySetError::NoKey),
            false => Ok(Self(usable)),
        }
    }

    /// The key called `id` where it is for `algorithm`. A signature that names no key is verified by the only one there
    /// is for its algorithm: of several, none is tried.
    pub fn find(&self, id: Option<&str>, algorithm: Algorithm) -> Option<&Jwk> {
        let mut fitting = self.0.iter().filter(|key| fits(key, algorithm));
        match id {
            Some(id) => fitting.find(|key| key.common.key_id.as_deref() == Some(id)),
            None => fitting.next().filter(|_| fitting.next().is_none()),
        }
    }
}

fn is_usable(key: &Jwk) -> bool {
    let common = &key.common;
    let purpose = common.public_key_use.as_ref();
    let signs = purpose.is_none_or(|purpose| *purpose == PublicKeyUse::Signature);
    let operations = common.key_operations.as_ref();
    let verifies = operations.is_none_or(|all| all.contains(&KeyOperations::Verify));
    let strong = match &key.algorithm {
        AlgorithmParameters::RSA(rsa) => RSA_MODULUS_CHARS.contains(&rsa.n.len()),
        _ => true,
    };
    let known = ALGORITHMS.iter().any(|algorithm| fits(key, *algorithm));
    signs && verifies && strong && known && DecodingKey::from_jwk(key).is_ok()
}

/// Whether `key` is of the kind that `algorithm` needs, and not kept for another one.
fn fits(key: &Jwk, algorithm: Algorithm) -> bool {
    use Algorithm::{ES256, ES384, EdDSA, PS256, PS384, PS512, RS256, RS384, RS512};
    let named = key.common.key_algorithm;
    let kind = match (&key.algorithm, algorithm) {
        (AlgorithmParameters::RSA(_), RS256 | RS384 | RS512 | PS256 | PS384 | PS512) => true,
        (AlgorithmParameters::EllipticCurve(ec), ES256) => ec.curve == EllipticCurve::P256,
        (AlgorithmParameters::EllipticCurve(ec), ES384) => ec.curve == EllipticCurve::P384,
        (AlgorithmParameters::OctetKeyPair(pair), EdDSA) => pair.curve == EllipticCurve::Ed25519,
        _ => false,
    };
    kind && named.is_none_or(|named| named == KeyAlgorithm::from(algorithm))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn ed(id: &str) -> Value {
        json!({"kty": "OKP", "crv": "Ed25519", "kid": id, "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"})
    }

    fn with(mut key: Value, name: &str, value: Value) -> Value {
        key[name] = value;
        key
    }

    fn set(keys: &[Value]) -> Result<KeySet, KeySetError> {
        KeySet::parse(json!({ "keys": keys }).to_string().as_bytes())
    }

    #[test]
    fn only_keys_that_verify_signatures_are_taken() {
        let short = json!({"kty": "RSA", "n": "q".repeat(171), "e": "AQAB"});
        let useless = [
            json!({"kty": "oct", "k": "c2VjcmV0"}),
            short,
            with(ed("a"), "use", json!("enc")),
            with(ed("a"), "key_ops", json!(["sign"])),
            with(ed("a"), "alg", json!("made-up")),
            json!("no key"),
            json!({"kty": "OKP", "crv": "X25519", "x": "AAAA"}),
        ];
        for key in useless {
            assert_eq!(
                set(std::slice::from_ref(&key)),
                Err(KeySetError::NoKey),
                "{key}"
            );
            let beside = set(&[key, ed("good")]).unwrap();
            assert!(beside.find(Some("good"), Algorithm::EdDSA).is_some());
        }
        assert_eq!(KeySet::parse(b"[]"), Err(KeySetError::NotAKeySet));
        let large = vec![b' '; KEY_SET_BYTES_MAX + 1];
        assert_eq!(KeySet::parse(&large), Err(KeySetError::TooLarge));
    }

    #[test]
    fn a_key_is_found_by_its_name_and_for_its_algorithm_only() {
        let keys = set(&[ed("a"), with(ed("b"), "use", json!("sig"))]).unwrap();
        let found = |id| {
            let key = keys.find(id, Algorithm::EdDSA)?;
            key.common.key_id.clone()
        };
        assert_eq!(found(Some("b")).as_deref(), Some("b"));
        assert_eq!(found(Some("c")), None);
        assert_eq!(found(None), None, "of several, none is tried");
        for other in [Algorithm::ES256, Algorithm::RS256, Algorithm::HS256] {
            assert!(keys.find(Some("a"), other).is_none());
        }
        let alone = set(&[ed("a")]).unwrap();
        assert!(alone.find(None, Algorithm::EdDSA).is_some());
    }
}
