//! cosign's signatures by key: ECDSA P-256 with SHA-256 over a small JSON payload that names a manifest's digest.
//!
//! Keyless signatures (Fulcio, Rekor) are not understood: they need roots and a log that change.
//! Source: cosign, `specs/SIGNATURE_SPEC.md`; containers/image, `docs/containers-signature.5.md`.

use std::str::FromStr;

use coinop_core::digest::Digest;
use data_encoding::BASE64;
use p256::ecdsa::signature::Verifier as _;
use p256::ecdsa::{Signature, VerifyingKey};
use p256::pkcs8::{DecodePublicKey as _, EncodePublicKey as _};
use serde::Deserialize;

/// The layer that carries a payload.
pub(super) const PAYLOAD_TYPE: &str = "application/vnd.dev.cosign.simplesigning.v1+json";
/// The annotation that carries its signature, base64.
pub(super) const SIGNATURE_ANNOTATION: &str = "dev.cosignproject.cosign/signature";
const PAYLOAD_KIND: &str = "cosign container image signature";

/// A public key whose signatures count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CosignKey {
    id: String,
    key: VerifyingKey,
}

impl CosignKey {
    /// A short name for people: the first digits of the SHA-256 of its DER.
    pub fn id(&self) -> &str {
        &self.id
    }

    fn verifies(&self, payload: &[u8], signature: &Signature) -> bool {
        self.key.verify(payload, signature).is_ok()
    }
}

impl FromStr for CosignKey {
    type Err = String;

    fn from_str(pem: &str) -> Result<Self, String> {
        let wrong = "is not the PEM of a P-256 public key, as cosign.pub has it";
        let key = VerifyingKey::from_public_key_pem(pem.trim()).map_err(|_| wrong.to_owned())?;
        let der = key.to_public_key_der().map_err(|_| wrong.to_owned())?;
        Ok(Self {
            id: Digest::of(der.as_bytes()).short(),
            key,
        })
    }
}

/// Which of `keys` signed, with `signature` (base64 of DER), a `payload` that says it is about `manifest`.
///
/// # Errors
/// None did, or the payload is about something else.
pub(super) fn verify<'a>(
    payload: &[u8],
    signature: &str,
    manifest: Digest,
    keys: &'a [CosignKey],
) -> Result<&'a CosignKey, String> {
    let der = BASE64.decode(signature.trim().as_bytes());
    let signature = der.ok().and_then(|der| Signature::from_der(&der).ok());
    let signature = signature.ok_or("a signature there is no ECDSA signature")?;
    let key = keys.iter().find(|key| key.verifies(payload, &signature));
    let key = key.ok_or("none of the keys in [trust] cosign made it")?;
    // Only what is signed is read.
    let payload: Payload =
        serde_json::from_slice(payload).map_err(|_| "the signed payload is not cosign's")?;
    let Critical { kind, image } = payload.critical;
    let about = image.digest.strip_prefix("sha256:");
    match about.and_then(|hex| hex.parse::<Digest>().ok()) {
        Some(about) if about == manifest && kind == PAYLOAD_KIND => Ok(key),
        _ => Err("the signature is about another artifact".to_owned()),
    }
}

#[derive(Deserialize)]
struct Payload {
    critical: Critical,
}

#[derive(Deserialize)]
struct Critical {
    #[serde(rename = "type")]
    kind: String,
    image: Image,
}

#[derive(Deserialize)]
struct Image {
    #[serde(rename = "docker-manifest-digest")]
    digest: String,
}

#[cfg(test)]
mod tests {
    use p256::ecdsa::SigningKey;
    use p256::ecdsa::signature::Signer as _;

    use super::*;

    /// Made by OpenSSL, as cosign makes them, over a payload about the digest of `manifest`.
    const KEY: &str = include_str!("testdata/cosign.pub");
    const PAYLOAD: &[u8] = include_bytes!("testdata/cosign-payload.json");
    const SIGNATURE: &str = include_str!("testdata/cosign-payload.sig");

    fn ours() -> SigningKey {
        SigningKey::from_slice(&[7; 32]).unwrap()
    }

    /// Whether `payload`, signed by our own key, is taken for a signature of the digest of `manifest`.
    fn signed(payload: &str) -> Result<(), String> {
        let signature: Signature = ours().sign(payload.as_bytes());
        let signature = BASE64.encode(signature.to_der().as_bytes());
        let key = *ours().verifying_key();
        let keys = [
            KEY.parse().unwrap(),
            CosignKey {
                id: "ours".to_owned(),
                key,
            },
        ];
        let found = verify(
            payload.as_bytes(),
            &signature,
            Digest::of(b"manifest"),
            &keys,
        )?;
        assert_eq!(found.id(), "ours");
        Ok(())
    }

    #[test]
    fn a_signature_of_openssl_is_verified() {
        let keys = [KEY.parse::<CosignKey>().unwrap()];
        let about = Digest::of(b"manifest");
        let found = verify(PAYLOAD, SIGNATURE, about, &keys).unwrap();
        assert_eq!(found.id(), keys[0].id());
        let other = verify(PAYLOAD, SIGNATURE, Digest::of(b"other"), &keys);
        assert!(other.unwrap_err().contains("another artifact"));
        assert!(verify(PAYLOAD, SIGNATURE, about, &[]).is_err());
        let changed = [PAYLOAD, b" "].concat();
        assert!(verify(&changed, SIGNATURE, about, &keys).is_err());
        for none in ["", "nonsense", "AAAA"] {
            assert!(verify(PAYLOAD, none, about, &keys).is_err());
        }
    }

    #[test]
    fn only_what_is_about_this_manifest_counts() {
        let payload = String::from_utf8(PAYLOAD.to_vec()).unwrap();
        assert_eq!(signed(&payload), Ok(()));
        let digest = Digest::of(b"manifest").to_string();
        let others = [
            payload.replace(&digest, &Digest::of(b"other").to_string()),
            payload.replace("sha256:", "sha512:"),
            payload.replace("cosign container image signature", "another kind"),
            "{}".to_owned(),
            "not JSON".to_owned(),
        ];
        for other in others {
            assert!(signed(&other).is_err(), "{other}");
        }
    }

    #[test]
    fn a_key_is_a_p_256_pem_and_nothing_else() {
        for wrong in [
            "",
            "RWQf",
            "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----",
        ] {
            assert!(wrong.parse::<CosignKey>().is_err(), "{wrong}");
        }
    }
}
