//! The folder of plugins: which files are plugins, and whether one has changed.

use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// Largest component read, bytes.
pub(super) const FILE_BYTES_MAX: u64 = 256 << 20;

/// A plugin's file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PluginFile {
    /// The plugin's name: the file's stem.
    pub plugin: String,
    /// The file's name, for messages.
    pub file: String,
    /// Where it is.
    pub path: PathBuf,
    /// What tells one state of the file from another without reading it.
    pub stamp: Stamp,
}

/// What tells one state of a file from another without reading it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp {
    len: u64,
    modified: Option<SystemTime>,
    inode: u64,
}

impl Stamp {
    /// The present state of `path`; `None` when it is not a file.
    pub fn of(path: &Path) -> Option<Self> {
        let metadata = std::fs::metadata(path)
            .ok()
            .filter(std::fs::Metadata::is_file)?;
        Some(Self {
            len: metadata.len(),
            modified: metadata.modified().ok(),
            inode: inode(&metadata),
        })
    }

    /// Size, bytes.
    pub fn len(&self) -> u64 {
        self.len
    }

    /// Whether the file changed within the last two seconds, and so may still be changing.
    pub fn is_fresh(&self) -> bool {
        let age = self.modified.and_then(|at| at.elapsed().ok());
        age.is_none_or(|age| age.as_secs() < 2)
    }
}

#[cfg(unix)]
fn inode(metadata: &std::fs::Metadata) -> u64 {
    std::os::unix::fs::MetadataExt::ino(metadata)
}

#[cfg(not(unix))]
fn inode(_metadata: &std::fs::Metadata) -> u64 {
    0
}

/// The plugins of a folder, by file name: every `*.wasm` that is a file and not hidden. Links are followed, since that
/// is how packages are installed; folders are not entered.
///
/// # Errors
/// The folder cannot be read.
pub fn plugin_files(folder: &Path) -> std::io::Result<Vec<PluginFile>> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if let Some(file) = plugin_file(&path) {
            files.push(file);
        }
    }
    files.sort_by(|a, b| a.file.cmp(&b.file));
    Ok(files)
}

/// The plugin at `path`, when it is one.
pub fn plugin_file(path: &Path) -> Option<PluginFile> {
    let file = path.file_name()?.to_str()?;
    let plugin = file.strip_suffix(".wasm").filter(|stem| !stem.is_empty())?;
    if file.starts_with('.') {
        return None;
    }
    Some(PluginFile {
        plugin: plugin.to_owned(),
        file: file.to_owned(),
        path: path.to_owned(),
        stamp: Stamp::of(path)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_visible_wasm_files_are_plugins() {
        let folder = tempfile::tempdir().unwrap();
        for name in [
            "b.wasm",
            "a.wasm",
            ".hidden.wasm",
            "c.wasm.tmp",
            "readme.md",
            ".wasm",
        ] {
            std::fs::write(folder.path().join(name), name).unwrap();
        }
        std::fs::create_dir(folder.path().join("folder.wasm")).unwrap();
        let names: Vec<String> = plugin_files(folder.path())
            .unwrap()
            .into_iter()
            .map(|f| f.plugin)
            .collect();
        assert_eq!(names, ["a", "b"]);
        assert!(plugin_files(&folder.path().join("missing")).is_err());
    }
}
