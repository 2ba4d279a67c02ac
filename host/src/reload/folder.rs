//! One look at the folder of plugins: which files are there, which have changed, what their sidecars say.

use std::collections::{BTreeMap, HashMap};
use std::fs::Metadata;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use coinop_core::digest::Digest;

use crate::catalog::source::{file_name, read_bounded};
use crate::config::{ConfigError, PluginRules};
use crate::trust::{Admission, Refusal};

/// Most plugin files in one folder.
const FILES_MAX: usize = 1000;
/// Longest plugin name.
const NAME_LEN_MAX: usize = 64;

/// What tells one content of a file from another without reading it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stamp {
    pub(super) len: u64,
    pub(super) modified: Option<SystemTime>,
    /// Inode and change time, where there are such: they tell a renamed file from the one before.
    identity: (u64, i64, i64),
}

impl Stamp {
    fn of(metadata: &Metadata) -> Self {
        #[cfg(unix)]
        let identity = {
            use std::os::unix::fs::MetadataExt;
            (metadata.ino(), metadata.ctime(), metadata.ctime_nsec())
        };
        #[cfg(not(unix))]
        let identity = (0, 0, 0);
        Self {
            len: metadata.len(),
            modified: metadata.modified().ok(),
            identity,
        }
    }
}

/// A plugin file as it was found.
pub(super) struct Found {
    pub(super) path: PathBuf,
    pub(super) stamp: Stamp,
    /// `None` when the stamp is the one already known.
    pub(super) content: Option<Result<Digest, String>>,
    /// Why this content must not be loaded.
    pub(super) refused: Option<Refusal>,
    /// `Err` with a text for the operator.
    pub(super) sidecar: Result<Option<PluginRules>, String>,
}

/// Everything found, by plugin name.
#[derive(Default)]
pub(super) struct Scan {
    pub(super) files: BTreeMap<String, Found>,
    /// Files that cannot be plugins, with the reason.
    pub(super) refused: Vec<(String, String)>,
    /// Why the folder could not be read; what was found before stands.
    pub(super) unreadable: Option<String>,
}

/// Looks at the folder and reads what has changed since `known`. Blocks.
pub(super) fn scan(folder: &Path, known: &HashMap<String, Stamp>, admission: &Admission) -> Scan {
    let mut scan = Scan::default();
    let paths = match plugin_files(folder) {
        Ok(paths) => paths,
        Err(reason) => {
            return Scan {
                unreadable: Some(reason),
                ..scan
            };
        }
    };
    for path in paths {
        let file = file_name(&path);
        match plugin_name(&path) {
            Ok(_) if scan.files.len() >= FILES_MAX => {
                scan.refused.push((
                    file,
                    format!("there are more than {FILES_MAX} plugins in this folder"),
                ));
            }
            // A file that vanished since the folder was read is not there.
            Ok(name) => {
                let found = find(&name, &path, known.get(&name), admission);
                scan.files.extend(found.map(|found| (name, found)));
            }
            Err(reason) => scan.refused.push((file, reason)),
        }
    }
    scan
}

/// Every `*.wasm` in the folder that is a plain file, sorted. Links, folders and hidden files are none.
///
/// # Errors
/// The folder cannot be read: what to do about it.
pub fn plugin_files(folder: &Path) -> Result<Vec<PathBuf>, String> {
    let unreadable = |error: std::io::Error| match error.kind() {
        std::io::ErrorKind::NotFound => {
            "the folder of plugins is not there: make it, or name another one with --plugins"
                .to_owned()
        }
        _ => format!("the folder of plugins cannot be read: {error}"),
    };
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(unreadable)? {
        let entry = entry.map_err(unreadable)?;
        let name = entry.file_name();
        let name = name.to_string_lossy();
        let plain = entry.file_type().is_ok_and(|kind| kind.is_file());
        if plain && name.ends_with(".wasm") && !name.starts_with('.') {
            paths.push(entry.path());
        }
    }
    paths.sort();
    Ok(paths)
}

/// A plugin's name: its file's, without `.wasm`.
///
/// # Errors
/// That is no name: what to do about it.
pub fn plugin_name(path: &Path) -> Result<String, String> {
    let stem = path
        .file_stem()
        .and_then(|s| s.to_str())
        .unwrap_or_default();
    let known = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.');
    let valid = (1..=NAME_LEN_MAX).contains(&stem.len()) && stem.bytes().all(known);
    let rename =
        || format!("rename the file: 1 to {NAME_LEN_MAX} of A-Z a-z 0-9 _ - . and then .wasm");
    valid.then(|| stem.to_owned()).ok_or_else(rename)
}

fn find(plugin: &str, path: &Path, known: Option<&Stamp>, admission: &Admission) -> Option<Found> {
    let before = Stamp::of(&std::fs::symlink_metadata(path).ok()?);
    let read = (known != Some(&before)).then(|| read_bounded(path));
    // Decided on the bytes that the digest is of: whatever is loaded by that digest was admitted.
    let refused = match &read {
        Some(Ok(bytes)) => admission.admit(plugin, path, bytes).err(),
        Some(Err(_)) | None => None,
    };
    Some(Found {
        path: path.to_owned(),
        stamp: before,
        content: read.map(|read| read.map(|bytes| Digest::of(&bytes))),
        refused,
        sidecar: admitted_sidecar(plugin, path, admission),
    })
}

/// What the sidecar of the plugin file at `path` says, if it counts.
pub(super) fn admitted_sidecar(
    plugin: &str,
    path: &Path,
    admission: &Admission,
) -> Result<Option<PluginRules>, String> {
    let rules = sidecar(&path.with_extension("toml"))?;
    admission.admit_sidecar(plugin, rules.as_ref().and_then(|rules| rules.sidecar))?;
    Ok(rules)
}

/// What the sidecar at `path` says; the error does not repeat the file's name.
fn sidecar(path: &Path) -> Result<Option<PluginRules>, String> {
    match std::fs::symlink_metadata(path) {
        Ok(found) if !found.is_file() => Err("is not a plain file".to_owned()),
        _ => PluginRules::read_sidecar(path).map_err(|errors| {
            let lines: Vec<String> = errors.0.iter().map(ConfigError::in_file).collect();
            lines.join("; ")
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open() -> Admission {
        Admission::default()
    }

    #[test]
    fn only_plain_visible_wasm_files_are_plugins() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        for name in [
            "good.wasm",
            "a.b-c_1.wasm",
            ".hidden.wasm",
            "half.wasm.tmp",
            "note.txt",
            "with space.wasm",
            ".wasm",
        ] {
            std::fs::write(at(name), name).unwrap();
        }
        std::fs::create_dir(at("folder.wasm")).unwrap();
        #[cfg(unix)]
        std::os::unix::fs::symlink(at("good.wasm"), at("link.wasm")).unwrap();

        let found = scan(folder.path(), &HashMap::new(), &open());
        assert_eq!(found.files.keys().collect::<Vec<_>>(), ["a.b-c_1", "good"]);
        assert_eq!(found.refused.len(), 1);
        assert!(found.refused[0].1.contains("rename the file"));
        assert_eq!(
            found.files["good"].content,
            Some(Ok(Digest::of(b"good.wasm")))
        );
    }

    #[test]
    fn only_what_changed_is_read_again() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("p.wasm");
        std::fs::write(&file, "one").unwrap();
        let first = scan(folder.path(), &HashMap::new(), &open());
        let known = HashMap::from([("p".to_owned(), first.files["p"].stamp)]);
        assert_eq!(
            scan(folder.path(), &known, &open()).files["p"].content,
            None
        );

        // A file renamed over it has the same size, and may have the same time.
        std::fs::write(folder.path().join("new"), "two").unwrap();
        std::fs::rename(folder.path().join("new"), &file).unwrap();
        assert_eq!(
            scan(folder.path(), &known, &open()).files["p"].content,
            Some(Ok(Digest::of(b"two")))
        );
    }

    #[test]
    fn a_folder_that_cannot_be_read_says_so() {
        let folder = tempfile::tempdir().unwrap();
        let scan = scan(&folder.path().join("missing"), &HashMap::new(), &open());
        assert!(scan.unreadable.unwrap().contains("make it"));
    }
}
