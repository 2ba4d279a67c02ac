//! Publishing a component: its bytes, its configuration, and the manifest that names both.

use bytes::Bytes;
use coinop_core::digest::Digest;

use super::artifact::{CONFIG_TYPE, Descriptor, LAYER_TYPE, Manifest};
use super::component::Config;
use super::{OciError, Reference, Registry};

/// Publishes the component `bytes` under the tag of `reference`; gives the manifest's digest. The sidecar does not go
/// along: other hosts take artifacts of one layer only.
///
/// # Errors
/// [`OciError`].
pub async fn push(
    registry: &Registry,
    reference: &Reference,
    bytes: Vec<u8>,
    created: String,
    author: Option<String>,
) -> Result<Digest, OciError> {
    let json = |error: serde_json::Error| OciError::NotAComponent(error.to_string());
    let config = serde_json::to_vec(&Config::of(&bytes, created, author)?).map_err(json)?;
    let manifest = Manifest::of(
        Descriptor::of(CONFIG_TYPE, &config),
        Descriptor::of(LAYER_TYPE, &bytes),
    );
    let manifest = Bytes::from(serde_json::to_vec(&manifest).map_err(json)?);
    let digest = Digest::of(&manifest);
    registry.put_blob(bytes.into()).await?;
    registry.put_blob(config.into()).await?;
    // Last: whoever finds the manifest finds everything that it names.
    registry.put_manifest(&reference.wanted(), manifest).await?;
    Ok(digest)
}
