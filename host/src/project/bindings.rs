//! Bindings: what a language without its own generator needs to see of a world, written into the project's `gen/`.

use std::fs;
use std::path::Path;

use anyhow::Context as _;
use wit_bindgen_core::Files;

use super::manifest::{BindingsLanguage, Manifest};
use super::wit;

/// The folder that bindings are written into. It is coinop's: what authors change there is overwritten.
const FOLDER: &str = "gen";

/// Writes the bindings that the project in `folder` asks for, if any. A file that would not change is not touched, so that
/// compilers need not start again.
///
/// # Errors
/// The WIT cannot be resolved, or a file cannot be written.
pub(super) fn write(folder: &Path, manifest: &Manifest) -> anyhow::Result<()> {
    let Some(language) = manifest.bindings else {
        return Ok(());
    };
    let (mut resolve, world) = wit::resolve(&folder.join(&manifest.wit), &manifest.world)?;
    let mut generator = match language {
        BindingsLanguage::C => wit_bindgen_c::Opts::default().build(),
        BindingsLanguage::Go => {
            let module = go_module(folder)?;
            wit_bindgen_go::Opts {
                pkg_name: Some(format!("{module}/{FOLDER}")),
                export_pkg_name: Some(module),
                ..wit_bindgen_go::Opts::default()
            }
            .build()
        }
    };
    let mut files = Files::default();
    generator.generate(&mut resolve, world, &mut files)?;
    for (name, bytes) in files.iter() {
        let path = folder.join(FOLDER).join(name);
        place(&path, bytes).with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(())
}

fn place(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    if fs::read(path).is_ok_and(|there| there == bytes) {
        return Ok(());
    }
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::write(path, bytes)
}

/// What `go.mod` calls the module: generated packages are imported by it.
fn go_module(folder: &Path) -> anyhow::Result<String> {
    let path = folder.join("go.mod");
    let text = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
    text.lines()
        .find_map(|line| line.strip_prefix("module "))
        .map(|module| module.trim().to_owned())
        .with_context(|| format!("{} names no module", path.display()))
}
