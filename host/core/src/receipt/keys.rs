//! The keys of receipts: signing, verifying, and JSON Web Keys (RFC 7517, RFC 8037).

use std::collections::BTreeMap;
use std::fmt;

use data_encoding::BASE64URL_NOPAD;
use ed25519_dalek::{Signature, Signer as _};
use serde_json::{Value, json};

use super::{RECEIPT_BYTES_MAX, Receipt, ReceiptError, decoded, malformed};
use crate::digest::Digest;

/// The media type in a receipt's header, without `application/`.
const TYPE: &str = "coinop-receipt+jws";

/// The ledger's secret key. Its `Debug` shows the id only.
#[derive(Clone)]
pub struct SigningKey {
    id: String,
    key: ed25519_dalek::SigningKey,
}

impl SigningKey {
    /// A key made of 32 random bytes, which the caller draws.
    pub fn from_secret(secret: &[u8; 32]) -> Self {
        let key = ed25519_dalek::SigningKey::from_bytes(secret);
        let id = PublicKey::id_of(key.verifying_key().as_bytes());
        Self { id, key }
    }

    /// Names the key: the start of its public half's digest.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The half that everybody may have.
    pub fn public(&self) -> PublicKey {
        PublicKey {
            id: self.id.clone(),
            key: self.key.verifying_key(),
        }
    }

    pub(super) fn sign(&self, receipt: &Receipt) -> String {
        let header = json!({"alg": "EdDSA", "typ": TYPE, "kid": self.id}).to_string();
        // A struct of texts and numbers serialises.
        let payload = serde_json::to_vec(receipt).unwrap_or_default();
        let signed = format!(
            "{}.{}",
            BASE64URL_NOPAD.encode(header.as_bytes()),
            BASE64URL_NOPAD.encode(&payload)
        );
        let signature = self.key.sign(signed.as_bytes());
        format!("{signed}.{}", BASE64URL_NOPAD.encode(&signature.to_bytes()))
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey({})", self.id)
    }
}

/// The public half of a ledger's key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicKey {
    id: String,
    key: ed25519_dalek::VerifyingKey,
}

impl PublicKey {
    /// A key of its 32 bytes.
    ///
    /// # Errors
    /// [`ReceiptError::Key`] when they are no point of the curve.
    pub fn from_bytes(bytes: &[u8; 32]) -> Result<Self, ReceiptError> {
        let key = ed25519_dalek::VerifyingKey::from_bytes(bytes).map_err(|_| ReceiptError::Key)?;
        Ok(Self {
            id: Self::id_of(bytes),
            key,
        })
    }

    /// Names the key.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Its 32 bytes.
    pub fn as_bytes(&self) -> &[u8; 32] {
        self.key.as_bytes()
    }

    fn id_of(bytes: &[u8]) -> String {
        Digest::of(bytes).short()
    }

    /// The key as a JSON Web Key (RFC 8037).
    pub fn to_jwk(&self) -> Value {
        json!({
            "kty": "OKP",
            "crv": "Ed25519",
            "alg": "EdDSA",
            "use": "sig",
            "kid": self.id,
            "x": BASE64URL_NOPAD.encode(self.key.as_bytes()),
        })
    }

    /// Reads a JSON Web Key.
    ///
    /// # Errors
    /// [`ReceiptError::Key`] when it is not an Ed25519 key.
    pub fn from_jwk(jwk: &Value) -> Result<Self, ReceiptError> {
        if jwk["kty"] != "OKP" || jwk["crv"] != "Ed25519" {
            return Err(ReceiptError::Key);
        }
        let x = jwk["x"].as_str().ok_or(ReceiptError::Key)?;
        let bytes = BASE64URL_NOPAD.decode(x.as_bytes());
        let bytes = bytes.ok().and_then(|bytes| bytes.try_into().ok());
        Self::from_bytes(&bytes.ok_or(ReceiptError::Key)?)
    }
}

/// The keys receipts are verified against, by id.
#[derive(Clone, Debug, Default)]
pub struct KeySet(BTreeMap<String, PublicKey>);

impl FromIterator<PublicKey> for KeySet {
    fn from_iter<T: IntoIterator<Item = PublicKey>>(keys: T) -> Self {
        Self(keys.into_iter().map(|key| (key.id.clone(), key)).collect())
    }
}

impl KeySet {
    /// The set as a JSON Web Key Set (RFC 7517).
    pub fn to_jwks(&self) -> Value {
        let keys: Vec<Value> = self.0.values().map(PublicKey::to_jwk).collect();
        json!({ "keys": keys })
    }

    /// Reads a JSON Web Key Set; keys of other kinds are passed over.
    ///
    /// # Errors
    /// [`ReceiptError::Key`] when it is no key set.
    pub fn from_jwks(jwks: &Value) -> Result<Self, ReceiptError> {
        let keys = jwks["keys"].as_array().ok_or(ReceiptError::Key)?;
        Ok(keys
            .iter()
            .filter_map(|jwk| PublicKey::from_jwk(jwk).ok())
            .collect())
    }

    /// How many keys there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is no key.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Reads a receipt whose signature holds.
    ///
    /// # Errors
    /// Why it is not one.
    pub fn verify(&self, text: &str) -> Result<Receipt, ReceiptError> {
        let (signed, signature) = text.rsplit_once('.').ok_or(ReceiptError::Malformed)?;
        let (header, payload) = signed.split_once('.').ok_or(ReceiptError::Malformed)?;
        if text.len() > RECEIPT_BYTES_MAX || payload.contains('.') {
            return Err(ReceiptError::Malformed);
        }
        let header: Value = serde_json::from_slice(&decoded(header)?).map_err(malformed)?;
        if header["alg"] != "EdDSA" || header["typ"] != TYPE || !header["crit"].is_null() {
            return Err(ReceiptError::Malformed);
        }
        let id = header["kid"].as_str().ok_or(ReceiptError::Malformed)?;
        let unknown = || ReceiptError::UnknownKey(id.to_owned());
        let key = self.0.get(id).ok_or_else(unknown)?;
        let signature =
            Signature::from_slice(&decoded(signature)?).map_err(|_| ReceiptError::Malformed)?;
        key.key
            .verify_strict(signed.as_bytes(), &signature)
            .map_err(|_| ReceiptError::Signature)?;
        serde_json::from_slice(&decoded(payload)?).map_err(malformed)
    }
}
