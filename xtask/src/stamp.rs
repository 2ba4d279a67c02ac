//! Remembers what something was made from, by content: a fresh checkout changes every file's time and nothing else.

use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::ErrorKind;
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
    let stamp = workspace.target("stamps").join(name(product)?);
    let wanted = format!("{:016x}", digest(inputs, salt)?);
    if product.exists() && fs::read_to_string(&stamp).is_ok_and(|found| found == wanted) {
        return Ok(());
    }
    // Whoever is interrupted from here on leaves no stamp on half a product.
    match fs::remove_file(&stamp) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            return Err(error).with_context(|| format!("cannot remove {}", stamp.display()));
        }
        _ => make()?,
    }
    fs::create_dir_all(workspace.target("stamps"))?;
    fs::write(&stamp, wanted).with_context(|| format!("cannot write {}", stamp.display()))
}

/// The stamp's file, named after the product and its folder: there are several `node_modules`.
fn name(product: &Path) -> Result<String> {
    let name = product.file_name().context("a product has a file name")?;
    let folder = product.parent().and_then(Path::file_name);
    let [folder, name] = [folder.unwrap_or_default(), name].map(|name| name.to_string_lossy());
    Ok(format!("{folder}-{name}.stamp"))
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

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    /// Runs `check` with a workspace of its own in a folder that is removed afterwards.
    fn in_folder(name: &str, check: impl FnOnce(&Workspace, &Path)) {
        let folder = std::env::temp_dir().join(format!("xtask-{name}-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        check(&Workspace::at(&folder, &folder.join("target")), &folder);
        fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn a_product_is_made_again_when_its_inputs_change_or_it_is_gone() {
        in_folder("made", |workspace, folder| {
            let (input, product) = (folder.join("input"), folder.join("product"));
            let made = Cell::new(0);
            let ensure = |salt: &str| {
                let make = || {
                    made.set(made.get() + 1);
                    Ok(fs::write(&product, "made")?)
                };
                unless_made(
                    workspace,
                    &product,
                    std::slice::from_ref(&input),
                    salt,
                    make,
                )
                .unwrap();
                made.get()
            };
            fs::write(&input, "one").unwrap();
            assert_eq!([ensure("a"), ensure("a")], [1, 1]);
            fs::write(&input, "two").unwrap();
            assert_eq!([ensure("a"), ensure("a"), ensure("b")], [2, 2, 3]);
            fs::remove_file(&product).unwrap();
            assert_eq!(ensure("b"), 4);
        });
    }

    #[test]
    fn half_a_product_is_not_taken_for_a_whole_one() {
        in_folder("half", |workspace, folder| {
            let product = folder.join("product");
            let make = |whole: bool| {
                let salt = if whole { "one" } else { "two" };
                unless_made(workspace, &product, &[], salt, || {
                    fs::write(&product, "begun")?;
                    if whole {
                        Ok(())
                    } else {
                        anyhow::bail!("interrupted")
                    }
                })
            };
            make(true).unwrap();
            make(false).unwrap_err();
            let mut again = false;
            unless_made(workspace, &product, &[], "one", || {
                again = true;
                Ok(())
            })
            .unwrap();
            assert!(again);
        });
    }

    #[test]
    fn what_is_there_already_is_not_touched() {
        in_folder("place", |_, folder| {
            let (built, placed) = (folder.join("built"), folder.join("deep/placed"));
            fs::write(&built, "one").unwrap();
            place(&built, &placed).unwrap();
            let first = fs::metadata(&placed).unwrap().modified().unwrap();
            place(&built, &placed).unwrap();
            assert_eq!(fs::metadata(&placed).unwrap().modified().unwrap(), first);
            fs::write(&built, "two").unwrap();
            place(&built, &placed).unwrap();
            assert_eq!(fs::read_to_string(&placed).unwrap(), "two");
        });
    }
}
