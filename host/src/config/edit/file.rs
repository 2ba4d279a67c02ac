//! `coinop.toml` on disk: read whole, replaced whole, and never over somebody else's change.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use crate::config::ConfigErrors;
use crate::config::document::Document;

/// The file as it was read.
#[derive(Debug)]
pub struct ConfigFile {
    path: PathBuf,
    /// Its text, empty where there is no file yet.
    pub text: String,
    exists: bool,
}

/// Why the file was not replaced. It is as it was.
#[derive(Debug, thiserror::Error)]
pub enum SaveError {
    /// It is not what was read any more.
    #[error("{0} was changed meanwhile: try again")]
    Changed(String),
    /// It cannot be read or written.
    #[error("{path} cannot be written: {source}")]
    Io {
        /// The file.
        path: String,
        /// Why.
        source: std::io::Error,
    },
}

impl ConfigFile {
    /// Reads the file, or stands for one that is to be made.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn read(path: &Path) -> Result<Self, ConfigErrors> {
        // A link stays a link: what it leads to is replaced.
        let path = std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        let document = Document::read(&path)?;
        Ok(Self {
            exists: document.is_some(),
            text: document.map(|document| document.text).unwrap_or_default(),
            path,
        })
    }

    /// Replaces the text in one step, keeping the file's mode; a new file is its owner's alone.
    ///
    /// # Errors
    /// Nothing was written.
    pub fn replace(&self, text: &str) -> Result<(), SaveError> {
        let path = || self.path.display().to_string();
        let now = Self::read(&self.path).map(|now| (now.exists, now.text));
        if now.ok() != Some((self.exists, self.text.clone())) {
            return Err(SaveError::Changed(path()));
        }
        self.write(text).map_err(|source| SaveError::Io {
            path: path(),
            source,
        })
    }

    fn write(&self, text: &str) -> std::io::Result<()> {
        let folder = super::super::folder_of(&self.path);
        std::fs::create_dir_all(folder)?;
        let mut file = NamedTempFile::new_in(folder)?;
        file.write_all(text.as_bytes())?;
        if self.exists {
            let mode = std::fs::metadata(&self.path)?.permissions();
            file.as_file().set_permissions(mode)?;
        }
        file.as_file().sync_all()?;
        file.persist(&self.path)?;
        Ok(())
    }
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn mode(path: &Path) -> u32 {
        std::fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn a_file_is_made_private_and_keeps_its_mode_and_its_link() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("etc").join("coinop.toml");
        ConfigFile::read(&path).unwrap().replace("a = 1\n").unwrap();
        assert_eq!(mode(&path), 0o600);
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
        let link = home.path().join("link.toml");
        std::os::unix::fs::symlink(&path, &link).unwrap();
        ConfigFile::read(&link).unwrap().replace("b = 1\n").unwrap();
        assert!(link.is_symlink());
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "b = 1\n");
        assert_eq!(mode(&path), 0o640);
        assert_eq!(
            std::fs::read_dir(path.parent().unwrap()).unwrap().count(),
            1
        );
    }

    #[test]
    fn a_change_of_somebody_elses_is_not_overwritten() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("coinop.toml");
        let file = ConfigFile::read(&path).unwrap();
        std::fs::write(&path, "theirs = 1\n").unwrap();
        assert!(matches!(
            file.replace("ours = 1\n"),
            Err(SaveError::Changed(_))
        ));
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "theirs = 1\n");
    }
}
