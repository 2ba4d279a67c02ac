//! cosign's signatures in a registry: a manifest of its own beside the one it is about.

use coinop_core::digest::Digest;

use super::artifact::Manifest;
use super::{OciError, Registry};
use crate::trust::CosignKey;
use crate::trust::cosign::{PAYLOAD_TYPE, SIGNATURE_ANNOTATION, verify};

/// Signatures of one artifact that are looked at.
const SIGNATURES_MAX: usize = 32;
/// Largest payload, bytes; real ones have about 250.
const PAYLOAD_BYTES_MAX: u64 = 64 << 10;

/// The key of `keys` that signed the manifest of this digest.
///
/// # Errors
/// None did: why, as far as it can be told.
pub(super) async fn signed_by<'a>(
    registry: &Registry,
    manifest: Digest,
    keys: &'a [CosignKey],
) -> Result<&'a CosignKey, OciError> {
    let tag = format!("sha256-{manifest}.sig");
    let Some(bytes) = registry.manifest(&tag).await? else {
        let missing = format!("nobody has signed it: there is no {tag}");
        return Err(OciError::Unsigned(missing));
    };
    let signatures = Manifest::parse(&bytes)?;
    let mut wrong = "there is none at that place".to_owned();
    for layer in signatures.layers.iter().take(SIGNATURES_MAX) {
        let annotations = layer.annotations.as_ref();
        let signature = annotations.and_then(|all| all.get(SIGNATURE_ANNOTATION));
        let (Some(signature), PAYLOAD_TYPE) = (signature, &*layer.media_type) else {
            continue;
        };
        if layer.size > PAYLOAD_BYTES_MAX {
            wrong = "the signed payload is too large".to_owned();
            continue;
        }
        let payload = registry.blob("the signed payload", layer).await?;
        match verify(&payload, signature, manifest, keys) {
            Ok(key) => return Ok(key),
            Err(reason) => wrong = reason,
        }
    }
    Err(OciError::Unsigned(wrong))
}
