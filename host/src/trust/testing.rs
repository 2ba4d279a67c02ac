//! Signs for tests, as minisign did before it hashed first.

use data_encoding::BASE64;
use ed25519_dalek::{Signer as _, SigningKey};

use super::MinisignKey;

/// A key pair made of one number.
pub(crate) struct Signer {
    id: [u8; 8],
    key: SigningKey,
}

impl Signer {
    pub(crate) fn new(seed: u8) -> Self {
        Self {
            id: [seed; 8],
            key: SigningKey::from_bytes(&[seed; 32]),
        }
    }

    /// The line of its `minisign.pub`.
    pub(crate) fn public_line(&self) -> String {
        let public = self.key.verifying_key();
        BASE64.encode(&[b"Ed".as_slice(), &self.id, public.as_bytes()].concat())
    }

    pub(crate) fn key(&self) -> MinisignKey {
        self.public_line().parse().unwrap()
    }

    /// The signature's file.
    pub(crate) fn sign(&self, bytes: &[u8]) -> String {
        let comment = "by a test";
        let signature = self.key.sign(bytes).to_bytes();
        let both = self
            .key
            .sign(&[&signature[..], comment.as_bytes()].concat());
        let line = BASE64.encode(&[b"Ed".as_slice(), &self.id, &signature].concat());
        let global = BASE64.encode(&both.to_bytes());
        format!("untrusted comment: for nobody\n{line}\ntrusted comment: {comment}\n{global}\n")
    }
}
