//! The manifest of a component's artifact: what is published, and what is taken. Pure.

use coinop_core::digest::Digest;
use serde::{Deserialize, Serialize};

use super::OciError;
use super::reference::sha256;
use crate::catalog::source::FILE_BYTES_MAX;
use crate::trust::printable;

/// An image manifest.
pub(super) const MANIFEST_TYPE: &str = "application/vnd.oci.image.manifest.v1+json";
/// The configuration of a component's artifact.
pub(super) const CONFIG_TYPE: &str = "application/vnd.wasm.config.v0+json";
/// The layer that is the component.
pub(super) const LAYER_TYPE: &str = "application/wasm";
/// The same, before the format was agreed upon.
const FORMER_LAYER_TYPE: &str = "application/vnd.wasm.content.layer.v1+wasm";

/// A manifest as registries keep it; what is not named here is left alone.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Manifest {
    pub(super) schema_version: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) media_type: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) artifact_type: Option<String>,
    #[serde(default)]
    pub(super) config: Option<Descriptor>,
    #[serde(default)]
    pub(super) layers: Vec<Descriptor>,
}

/// A blob: what it is, its digest and its size.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Descriptor {
    pub(super) media_type: String,
    pub(super) digest: String,
    pub(super) size: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) annotations: Option<std::collections::BTreeMap<String, String>>,
}

impl Descriptor {
    /// Describes `bytes`.
    pub(super) fn of(media_type: &str, bytes: &[u8]) -> Self {
        Self {
            media_type: media_type.to_owned(),
            digest: format!("sha256:{}", Digest::of(bytes)),
            size: bytes.len() as u64,
            annotations: None,
        }
    }

    /// The digest. Others than SHA-256 are not verified here, so they are not taken.
    pub(super) fn sha256(&self) -> Result<Digest, OciError> {
        sha256(&self.digest).map_err(|_| {
            let shown = printable(&self.digest);
            OciError::Answer(format!("with the digest {shown:?}, which is no SHA-256"))
        })
    }
}

impl Manifest {
    /// The manifest of a component's artifact.
    pub(super) fn of(config: Descriptor, layer: Descriptor) -> Self {
        Self {
            schema_version: 2,
            media_type: Some(MANIFEST_TYPE.to_owned()),
            artifact_type: None,
            config: Some(config),
            layers: vec![layer],
        }
    }

    /// Reads what a registry sent.
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, OciError> {
        let wrong = |_| OciError::Answer("with a manifest that is none".to_owned());
        serde_json::from_slice(bytes).map_err(wrong)
    }

    /// The component's layer: the only one of its kind. Others, such as another host's policy, are left where they are.
    ///
    /// # Errors
    /// It is something else: what.
    pub(super) fn component(&self) -> Result<&Descriptor, OciError> {
        let ours =
            |layer: &&Descriptor| [LAYER_TYPE, FORMER_LAYER_TYPE].contains(&&*layer.media_type);
        let mut components = self.layers.iter().filter(ours);
        match (components.next(), components.next()) {
            (Some(layer), None) if layer.size > FILE_BYTES_MAX => {
                let mib = FILE_BYTES_MAX >> 20;
                Err(OciError::NotAComponent(format!(
                    "it is larger than {mib} MiB"
                )))
            }
            (Some(layer), None) => Ok(layer),
            (Some(_), Some(_)) => Err(OciError::NotAComponent("it has several of them".to_owned())),
            (None, _) => Err(OciError::NotAComponent(self.described())),
        }
    }

    /// What it is, for whoever expected a component.
    fn described(&self) -> String {
        let kind = self.media_type.as_deref().unwrap_or_default();
        if kind.contains("index") || kind.contains("manifest.list") {
            return "it is a list of images for several platforms".to_owned();
        }
        let config = self
            .config
            .as_ref()
            .map(|config| config.media_type.as_str());
        let layers = self.layers.iter().map(|layer| layer.media_type.as_str());
        let kinds = self
            .artifact_type
            .as_deref()
            .into_iter()
            .chain(config)
            .chain(layers);
        let mut kinds: Vec<&str> = kinds.take(8).collect();
        kinds.dedup();
        printable(&format!("it is made of {}", kinds.join(", ")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manifest(layers: &[&str]) -> Manifest {
        let layers = layers
            .iter()
            .map(|kind| Descriptor::of(kind, b"x"))
            .collect();
        Manifest {
            layers,
            ..Manifest::of(Descriptor::of(CONFIG_TYPE, b"{}"), Descriptor::of("", b""))
        }
    }

    #[test]
    fn the_one_component_is_found_in_its_present_and_its_former_kind() {
        for kind in [LAYER_TYPE, FORMER_LAYER_TYPE] {
            let found = manifest(&["application/toml", kind]);
            assert_eq!(found.component().unwrap().media_type, kind);
        }
        let two = manifest(&[LAYER_TYPE, LAYER_TYPE]);
        assert!(two.component().unwrap_err().to_string().contains("several"));
    }

    #[test]
    fn other_artifacts_are_refused_by_what_they_are() {
        let image = manifest(&["application/vnd.oci.image.layer.v1.tar+gzip"]);
        let refused = image.component().unwrap_err().to_string();
        assert!(refused.contains("image.layer.v1.tar+gzip"), "{refused}");
        let index = br#"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[]}"#;
        let refused = Manifest::parse(index).unwrap().component().unwrap_err();
        assert!(
            refused.to_string().contains("several platforms"),
            "{refused}"
        );
        assert!(Manifest::parse(b"<html>").is_err());
    }

    #[test]
    fn a_layer_that_says_it_is_huge_is_not_fetched() {
        let mut huge = manifest(&[LAYER_TYPE]);
        huge.layers[0].size = u64::MAX;
        assert!(
            huge.component()
                .unwrap_err()
                .to_string()
                .contains("larger than")
        );
    }

    #[test]
    fn only_sha_256_is_a_digest() {
        let mut layer = Descriptor::of(LAYER_TYPE, b"x");
        assert_eq!(layer.sha256().unwrap(), Digest::of(b"x"));
        layer.digest = "sha512:00".to_owned();
        assert!(layer.sha256().is_err());
    }
}
