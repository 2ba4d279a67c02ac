//! Fetching a component: its manifest, who signed that, and the bytes that it names.

use coinop_core::digest::Digest;

use super::artifact::Manifest;
use super::component::names;
use super::signed::signed_by;
use super::{OciError, Reference, Registry};
use crate::trust::CosignKey;

/// A component that was fetched and verified. Nothing of it has run.
#[derive(Debug)]
pub struct Fetched {
    /// The component.
    pub bytes: Vec<u8>,
    /// The digest of the manifest that named it.
    pub manifest: Digest,
    /// The id of the cosign key that signed the manifest, where keys were asked for.
    pub cosign_key: Option<String>,
}

/// Fetches what `reference` names. With `keys`, one of them must have signed it; that is verified before the component is
/// fetched. A tag is looked up once: whatever it is moved to meanwhile is not mixed in.
///
/// # Errors
/// [`OciError`].
pub async fn pull(
    registry: &Registry,
    reference: &Reference,
    keys: &[CosignKey],
) -> Result<Fetched, OciError> {
    let wanted = reference.wanted();
    let bytes = registry.manifest(&wanted).await?;
    let bytes = bytes.ok_or_else(|| OciError::Missing(wanted))?;
    let manifest = Digest::of(&bytes);
    if let Some(expected) = reference.digest.filter(|expected| *expected != manifest) {
        return Err(OciError::OtherContent {
            what: "the manifest",
            expected,
            found: manifest,
        });
    }
    let artifact = Manifest::parse(&bytes)?;
    let layer = artifact.component()?;
    let cosign_key = match keys {
        [] => None,
        keys => Some(signed_by(registry, manifest, keys).await?.id().to_owned()),
    };
    let bytes = registry.blob("the component", layer).await?;
    names(&bytes)?;
    Ok(Fetched {
        bytes,
        manifest,
        cosign_key,
    })
}
