//! Remembers what something was made from, by content: a fresh checkout changes every file's time and nothing else.

use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::workspace::Workspace;

/// Makes something unless it was already made from the same inputs and is still there.
///
/// `inputs` are files and folders, `salt` whatever else it depends on, such as a tool's version.
pub(crate) fn unless_made(
    workspace: &Workspace,
    product: &Path,
    inputs: &[PathBuf],
    salt: &str,
    make: impl FnOnce() -> Result<()>,
) -> Result<()> {
    let name = product.file_name().context("a product has a file name")?;
    let stamp = workspace
        .target("stamps")
        .join(name)
        .with_added_extension("stamp");
    let wanted = format!("{:016x}", digest(inputs, salt)?);
    if product.exists() && fs::read_to_string(&stamp).is_ok_and(|found| found == wanted) {
        return Ok(());
    }
    make()?;
    fs::create_dir_all(workspace.target("stamps"))?;
    fs::write(&stamp, wanted).with_context(|| format!("cannot write {}", stamp.display()))
}

/// Puts a built file in its place: whole or not at all, and not at all when it is there already, since a host that
/// watches the folder loads what is touched.
pub(crate) fn place(built: &Path, place: &Path) -> Result<()> {
    let bytes = fs::read(built).with_context(|| format!("cannot read {}", built.display()))?;
    if fs::read(place).is_ok_and(|there| there == bytes) {
        return Ok(());
    }
    let folder = place.parent().context("a file has a folder")?;
    fs::create_dir_all(folder)?;
    let half = place.with_added_extension("part");
    fs::write(&half, bytes)
        .and_then(|()| fs::rename(&half, place))
        .with_context(|| format!("cannot write {}", place.display()))
}

fn digest(inputs: &[PathBuf], salt: &str) -> Result<u64> {
    let mut hasher = DefaultHasher::new();
    salt.hash(&mut hasher);
    for input in inputs {
        add(input, &mut hasher).with_context(|| format!("cannot read {}", input.display()))?;
    }
    Ok(hasher.finish())
}

fn add(path: &Path, hasher: &mut DefaultHasher) -> std::io::Result<()> {
    if path.file_name().is_some_and(|name| name == "__pycache__") {
        return Ok(());
    }
    path.file_name().hash(hasher);
    if path.is_file() {
        fs::read(path)?.hash(hasher);
        return Ok(());
    }
    let mut entries = fs::read_dir(path)?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<std::io::Result<Vec<PathBuf>>>()?;
    entries.sort();
    entries.iter().try_for_each(|entry| add(entry, hasher))
}
