//! Where things lie: the sources and the target directory.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// The checkout this program was built from.
pub(crate) struct Workspace {
    root: PathBuf,
    target: PathBuf,
}

impl Workspace {
    /// The checkout, and the target directory this very program lies in: whatever cargo was told of it holds for the
    /// builds started from here too.
    pub(crate) fn find() -> Result<Self> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"))
            .parent()
            .context("xtask is not in a workspace")?
            .to_owned();
        let program = std::env::current_exe().context("cannot tell where xtask itself is")?;
        let target = program
            .ancestors()
            .find(|folder| folder.join("CACHEDIR.TAG").is_file())
            .map_or_else(|| root.join("target"), Path::to_owned);
        Ok(Self { root, target })
    }

    /// Any two folders.
    #[cfg(test)]
    pub(crate) fn at(root: &Path, target: &Path) -> Self {
        Self {
            root: root.to_owned(),
            target: target.to_owned(),
        }
    }

    /// A path in the checkout.
    pub(crate) fn source(&self, path: impl AsRef<Path>) -> PathBuf {
        self.root.join(path)
    }

    /// A path in the target directory.
    pub(crate) fn target(&self, path: impl AsRef<Path>) -> PathBuf {
        self.target.join(path)
    }

    /// The target directory of everything compiled to WebAssembly, apart from the host's.
    pub(crate) fn guest_build(&self) -> PathBuf {
        self.target("guest-build")
    }
}
