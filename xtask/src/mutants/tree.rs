//! The copy of the sources that is mutated: what git knows and what is new, as it is now, committed or not.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use super::Edit;
use crate::process;
use crate::workspace::Workspace;

/// Sources that may be changed.
pub(super) struct Tree {
    /// Where the originals are.
    sources: PathBuf,
    /// Where the copy is.
    root: PathBuf,
    /// Where cargo builds: the workspace's own, since everything but our crates is the same.
    pub(super) target: PathBuf,
}

/// The copy's packages have a version of their own. Cargo tells packages of one workspace apart by their path below its
/// root and takes the copy's for ours otherwise: what is built next would hold the last mutation.
const VERSION: Edit = Edit {
    file: "Cargo.toml",
    from: "\nversion = \"0.1.0\"\n",
    to: "\nversion = \"0.1.0-mutant\"\n",
};

impl Tree {
    /// Brings the copy up to date. Files that have not changed keep their times, so that cargo builds little.
    pub(super) fn copy(workspace: &Workspace) -> Result<Self> {
        let tree = Self {
            sources: workspace.source(""),
            root: workspace.target("mutants/tree"),
            target: workspace.target(""),
        };
        let mut git = process::command(workspace, "git");
        let listed = process::read(git.args(["ls-files", "-z", "-co", "--exclude-standard"]))?;
        // What was deleted and not committed is still listed.
        let files: BTreeSet<&Path> = listed
            .split_terminator('\0')
            .map(Path::new)
            .filter(|file| tree.sources.join(file).is_file())
            .collect();
        for file in &files {
            tree.bring(file)?;
        }
        tree.remove_others(&tree.root, &files)?;
        Ok(tree)
    }

    /// The sources themselves, to be looked at only.
    #[cfg(test)]
    pub(super) fn of_sources(workspace: &Workspace) -> Self {
        Self {
            sources: workspace.source(""),
            root: workspace.source(""),
            target: workspace.target(""),
        }
    }

    /// A path in the copy.
    pub(super) fn path(&self, file: impl AsRef<Path>) -> PathBuf {
        self.root.join(file)
    }

    /// Whether the text to be replaced is there, once.
    pub(super) fn check(&self, edit: &Edit) -> Result<()> {
        self.mutated(edit).map(drop)
    }

    /// Makes the change.
    pub(super) fn apply(&self, edit: &Edit) -> Result<()> {
        let text = self.mutated(edit)?;
        fs::write(self.path(edit.file), text).with_context(|| format!("cannot write {}", edit.file))
    }

    /// Takes changes back.
    pub(super) fn restore(&self, edits: &[Edit]) -> Result<()> {
        edits
            .iter()
            .try_for_each(|edit| self.bring(Path::new(edit.file)))
    }

    fn mutated(&self, edit: &Edit) -> Result<String> {
        replaced(&read(&self.path(edit.file))?, edit)
    }

    fn bring(&self, file: &Path) -> Result<()> {
        let source = self.sources.join(file);
        let bytes = if file == Path::new(VERSION.file) {
            replaced(&read(&source)?, &VERSION)?.into_bytes()
        } else {
            fs::read(&source).with_context(|| format!("cannot read {}", file.display()))?
        };
        let copy = self.path(file);
        if fs::read(&copy).is_ok_and(|there| there == bytes) {
            return Ok(());
        }
        if let Some(folder) = copy.parent() {
            fs::create_dir_all(folder)?;
        }
        fs::write(&copy, bytes).with_context(|| format!("cannot write {}", copy.display()))
    }

    fn remove_others(&self, folder: &Path, files: &BTreeSet<&Path>) -> Result<()> {
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            let file = path
                .strip_prefix(&self.root)
                .context("a path of the copy")?;
            if path.is_dir() && !path.is_symlink() {
                self.remove_others(&path, files)?;
            } else if !files.contains(file) {
                fs::remove_file(&path)
                    .with_context(|| format!("cannot remove {}", path.display()))?;
            }
        }
        Ok(())
    }

    /// Whether a package has a test of this name.
    #[cfg(test)]
    pub(super) fn has_test(&self, package: &str, name: &str) -> bool {
        let wanted = format!("fn {name}(");
        let mut folders = vec![self.path(package)];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else if path.extension().is_some_and(|end| end == "rs")
                    && read(&path).unwrap().contains(&wanted)
                {
                    return true;
                }
            }
        }
        false
    }
}

fn replaced(text: &str, edit: &Edit) -> Result<String> {
    match text.matches(edit.from).count() {
        1 => Ok(text.replacen(edit.from, edit.to, 1)),
        found => bail!(
            "{} has the text {found} times that is to be replaced once:\n{}",
            edit.file,
            edit.from
        ),
    }
}

fn read(file: &Path) -> Result<String> {
    fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))
}
