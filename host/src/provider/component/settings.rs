//! The settings of an account whose provider is a component, as they stand in `coinop.toml`, and its file.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use coinop_core::digest::Digest;
use serde::Deserialize;
use tokio::io::AsyncReadExt as _;

use crate::config::Secret;
use crate::grants::Grants;

/// The largest component that is read, bytes.
const COMPONENT_BYTES_MAX: u64 = 256 << 20;

/// What an operator says of such an account.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// The component's file.
    pub component: PathBuf,
    /// What its SHA-256 must be.
    #[serde(default)]
    pub sha256: Option<Digest>,
    /// What it reads by `wasi:config`.
    #[serde(default)]
    pub settings: BTreeMap<String, Setting>,
    /// What it may reach.
    #[serde(default)]
    pub grants: HttpOnly,
}

/// One setting of the component.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub enum Setting {
    /// As it stands in `coinop.toml`.
    Text(String),
    /// Read from the environment or a file.
    Secret {
        /// What was read.
        secret: Secret,
    },
}

impl Setting {
    pub(super) fn value(&self) -> &str {
        match self {
            Self::Text(text) => text,
            Self::Secret { secret } => secret.expose(),
        }
    }

    /// The value, if it must be shown nowhere.
    pub(super) fn secret(&self) -> Option<&str> {
        match self {
            Self::Text(_) => None,
            Self::Secret { secret } => Some(secret.expose()),
        }
    }
}

/// The one grant that a provider can have.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct HttpOnly {
    /// Origins it may send requests to, as a plugin's.
    pub http: Vec<String>,
}

impl HttpOnly {
    /// # Errors
    /// Which entry is no grant, and why.
    pub(super) fn grants(&self) -> Result<Grants, String> {
        let parsed = self.http.iter().map(|text| {
            let wrong = |why| format!("grants.http: {why}");
            text.parse().map_err(wrong)
        });
        Ok(Grants {
            http: parsed.collect::<Result<_, String>>()?,
            ..Grants::default()
        })
    }
}

/// Whether a component must be pinned by its digest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pinning {
    /// Only where the account says so.
    Optional,
    /// Always: the host is locked.
    Required,
}

impl Settings {
    /// The component's bytes, as pinned.
    ///
    /// # Errors
    /// One line that names the setting and the file.
    pub(super) async fn read(&self, pinning: Pinning) -> Result<Arc<[u8]>, String> {
        let file = self.component.display();
        let bytes = read_bounded(&self.component).await;
        let bytes = bytes.map_err(|error| format!("component: {file} cannot be read: {error}"))?;
        let found = Digest::of(&bytes);
        match (self.sha256, pinning) {
            (Some(pinned), _) if pinned != found => Err(format!(
                "sha256: {file} is {found}, and {pinned} is pinned: put the file back, or pin what is there once you trust it"
            )),
            (None, Pinning::Required) => Err(format!(
                "sha256: is missing, and nothing that is not pinned runs on a locked host: once you trust {file}, add sha256 = \"{found}\""
            )),
            _ => Ok(bytes.into()),
        }
    }
}

async fn read_bounded(file: &Path) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let opened = tokio::fs::File::open(file).await?;
    let mut bounded = opened.take(COMPONENT_BYTES_MAX + 1);
    match bounded.read_to_end(&mut bytes).await? as u64 {
        read if read > COMPONENT_BYTES_MAX => Err(std::io::Error::other(format!(
            "it has more than {COMPONENT_BYTES_MAX} bytes"
        ))),
        _ => Ok(bytes),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(file: &Path, more: &str) -> Settings {
        let mut table: toml::Table = more.parse().unwrap();
        let file = file.to_str().unwrap().to_owned();
        table.insert("component".to_owned(), file.into());
        table.try_into().unwrap()
    }

    #[tokio::test]
    async fn a_file_is_what_was_pinned_or_is_not_loaded() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("acme.wasm");
        std::fs::write(&file, "bytes").unwrap();
        let digest = Digest::of(b"bytes");
        let pinned = settings(&file, &format!("sha256 = \"{digest}\""));
        assert_eq!(&*pinned.read(Pinning::Required).await.unwrap(), b"bytes");

        let free = settings(&file, "");
        assert!(free.read(Pinning::Optional).await.is_ok());
        let told = free.read(Pinning::Required).await.unwrap_err();
        assert!(
            told.contains(&format!("add sha256 = \"{digest}\"")),
            "{told}"
        );

        std::fs::write(&file, "others").unwrap();
        let told = pinned.read(Pinning::Optional).await.unwrap_err();
        assert!(
            told.contains("is pinned") && told.contains("acme.wasm"),
            "{told}"
        );
        let gone = settings(&folder.path().join("gone.wasm"), "");
        let told = gone.read(Pinning::Optional).await.unwrap_err();
        assert!(
            told.starts_with("component: ") && told.contains("gone.wasm"),
            "{told}"
        );
    }

    #[test]
    fn secrets_stay_apart_from_what_may_be_shown() {
        let read = settings(
            Path::new("a.wasm"),
            "settings = { base = \"https://a\", key = { secret = \"hunter2\" } }\ngrants = { http = [\"https://a.example\"] }",
        );
        let secrets: Vec<_> = read.settings.values().filter_map(Setting::secret).collect();
        assert_eq!(secrets, ["hunter2"]);
        assert_eq!(read.settings["base"].value(), "https://a");
        assert!(!format!("{read:?}").contains("hunter2"));
        assert_eq!(read.grants.grants().unwrap().http.len(), 1);
        let http = vec!["gopher://a".to_owned()];
        assert!(HttpOnly { http }.grants().unwrap_err().contains("gopher"));
    }
}
