//! What `coinop check` shows of where a file comes from, and what vouches for it.

use std::path::Path;

use coinop_core::digest::Digest;

use super::minisign;
use super::said::printable;
use super::{Admission, Refusal};

/// Lines about the file at `path` with this content, for people. Blocks.
pub fn provenance(path: &Path, bytes: &[u8], admission: &Admission) -> Vec<String> {
    let plugin = path.file_stem().unwrap_or_default().to_string_lossy();
    let digest = Digest::of(bytes);
    vec![
        format!("digest: sha256:{digest}"),
        format!(
            "source: {}",
            printable(&source(&plugin, &digest, admission))
        ),
        format!("lock: {}", locked(&plugin, &digest, admission)),
        format!("signature: {}", signature(&plugin, path, bytes, admission)),
    ]
}

fn source(plugin: &str, digest: &Digest, admission: &Admission) -> String {
    let pulled = admission
        .lock()
        .and_then(|lock| lock.pulled(plugin, digest));
    match pulled {
        Some(pulled) => format!(
            "{}, manifest sha256:{}, pulled {}",
            pulled.oci, pulled.manifest, pulled.pulled_at
        ),
        None => "a file that was put here".to_owned(),
    }
}

fn locked(plugin: &str, digest: &Digest, admission: &Admission) -> String {
    if let Some(wrong) = admission.lock_wrong() {
        return format!("{}: {wrong}", admission.rules().lock_file.display());
    }
    let Some(lock) = admission.lock().filter(|lock| !lock.plugins.is_empty()) else {
        return "there is none; `coinop lock` writes one".to_owned();
    };
    match lock.plugins.get(plugin) {
        None => format!("not in it; `coinop lock {plugin}` accepts it"),
        Some(pinned) if pinned.digest == *digest => "as accepted".to_owned(),
        Some(pinned) => format!(
            "accepted was {}; `coinop lock --check {plugin}` shows what changed",
            pinned.digest.short()
        ),
    }
}

fn signature(plugin: &str, path: &Path, bytes: &[u8], admission: &Admission) -> String {
    match admission.signed_by(plugin, path, bytes) {
        Ok(Some(by)) => format!("valid, {by}"),
        Err(Refusal::Unsigned { .. }) => "not signed, and it must be".to_owned(),
        Err(refusal) => refusal.to_string(),
        Ok(None) => match minisign::beside(path) {
            Ok(None) => "not signed".to_owned(),
            Ok(Some(by)) => format!("signed by an unknown key, {}", by.key_id()),
            Err(refusal) => refusal.to_string(),
        },
    }
}
