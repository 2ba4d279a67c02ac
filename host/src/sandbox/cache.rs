//! Compiled code and listings, kept by the digest of the component they were made from.
//!
//! The name of a compiled file carries the digest of the component and a hash of the engine's configuration and
//! version: neither a replaced `.wasm` nor an upgraded host can ever meet the wrong code. A failing cache is a slow
//! host, not a broken one: failures are logged and the component is compiled.

use std::hash::{DefaultHasher, Hash, Hasher};

use coinop_core::digest::Digest;
use wasmtime::Engine;
use wasmtime::component::Component;

use super::SandboxSettings;
use super::error::SandboxError;
use super::sealed::SealedDir;
use crate::plugin::Manifest;

/// Raised whenever the manifest's form or the rules that accepted it change.
const MANIFEST_FORM: u32 = 4;

/// Largest manifest that is read, bytes: above what the most tools with the largest schemas come to.
const MANIFEST_BYTES_MAX: u64 = 512 << 20;

/// The cache.
pub(super) struct Cache {
    dir: SealedDir,
    bytes_max: u64,
    engine_hash: u64,
}

impl Cache {
    pub(super) fn open(settings: &SandboxSettings, engine: &Engine) -> Result<Self, SandboxError> {
        let mut hasher = DefaultHasher::new();
        engine.precompile_compatibility_hash().hash(&mut hasher);
        Ok(Self {
            dir: SealedDir::open(&settings.cache_dir)?,
            bytes_max: settings.cache_bytes_max,
            engine_hash: hasher.finish(),
        })
    }

    /// The compiled component, if an earlier load left it.
    pub(super) fn code(&self, engine: &Engine, digest: &Digest) -> Option<Component> {
        let path = self.dir.find(&self.code_name(digest))?;
        // SAFETY: the file was written by `keep_code` with this engine's configuration, which its sealed name and
        // bytes prove, in a directory only this user can write to; files there are replaced by rename, never changed.
        #[allow(unsafe_code)]
        let loaded = unsafe { Component::deserialize_file(engine, path) };
        match loaded {
            Ok(component) => Some(component),
            Err(error) => {
                tracing::warn!(%digest, %error, "cached code is not usable; compiling again");
                None
            }
        }
    }

    /// Keeps the compiled component for the next start.
    pub(super) fn keep_code(&self, digest: &Digest, component: &Component) {
        let kept = component.serialize().and_then(|bytes| {
            self.dir.put(&self.code_name(digest), &bytes)?;
            Ok(self.dir.shrink(self.bytes_max)?)
        });
        if let Err(error) = kept {
            tracing::warn!(%digest, %error, "compiled code could not be kept");
        }
    }

    /// The manifest, if an earlier load left it.
    pub(super) fn manifest(&self, digest: &Digest) -> Option<Manifest> {
        let json = self.dir.read(&manifest_name(digest), MANIFEST_BYTES_MAX)?;
        let manifest: Manifest = serde_json::from_slice(&json).ok()?;
        (manifest.digest == *digest).then_some(manifest)
    }

    /// Keeps the manifest, unless it is already there.
    pub(super) fn keep_manifest(&self, manifest: &Manifest) {
        if self.manifest(&manifest.digest).as_ref() == Some(manifest) {
            return;
        }
        let kept = serde_json::to_vec(manifest)
            .map_err(std::io::Error::other)
            .and_then(|json| self.dir.put(&manifest_name(&manifest.digest), &json));
        if let Err(error) = kept {
            tracing::warn!(digest = %manifest.digest, %error, "the listing could not be kept");
        }
    }

    fn code_name(&self, digest: &Digest) -> String {
        format!("{digest}-{:016x}.cwasm", self.engine_hash)
    }
}

fn manifest_name(digest: &Digest) -> String {
    format!("{digest}-{MANIFEST_FORM}.json")
}
