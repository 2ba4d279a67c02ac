//! The lock's file: read within bounds, written in one step.

use std::io::{ErrorKind, Read as _, Write as _};
use std::path::Path;

use super::Lock;

/// Largest lock file that is read, bytes.
const LOCK_BYTES_MAX: u64 = 64 << 20;
const HEAD: &str = "\
# What the operator accepted of each plugin: written by `coinop lock`, meant to be committed.
# `coinop lock --check` compares it with the folder of plugins.

";

/// The lock file cannot be read or written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LockError {
    /// It is no lock.
    #[error(
        "is not a lock file ({0}): take it back from version control, or delete it and run `coinop lock`"
    )]
    Malformed(String),
    /// It is larger than any lock should be.
    #[error("is larger than {} MiB", LOCK_BYTES_MAX >> 20)]
    TooLarge,
    /// The file system refuses.
    #[error("{0}")]
    Io(String),
}

/// Reads a lock file; `None` when there is none. Blocks.
///
/// # Errors
/// [`LockError`]; whoever shows it names the file.
pub fn read(path: &Path) -> Result<Option<Lock>, LockError> {
    let io = |error: std::io::Error| LockError::Io(format!("cannot be read: {error}"));
    let file = match std::fs::File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(io(error)),
    };
    let mut text = String::new();
    file.take(LOCK_BYTES_MAX + 1)
        .read_to_string(&mut text)
        .map_err(io)?;
    if text.len() as u64 > LOCK_BYTES_MAX {
        return Err(LockError::TooLarge);
    }
    let lock = toml::from_str(&text).map_err(|error| {
        let message = error.message().split_whitespace().collect::<Vec<_>>();
        LockError::Malformed(message.join(" "))
    });
    lock.map(Some)
}

/// Writes a lock file whole, or not at all. Blocks.
///
/// # Errors
/// [`LockError::Io`].
pub fn write(path: &Path, lock: &Lock) -> Result<(), LockError> {
    write_file(path, format!("{HEAD}{}", lock.text()).as_bytes())
}

/// Writes a file whole, or not at all; until then it has a hidden name. Blocks.
///
/// # Errors
/// [`LockError::Io`].
pub fn write_file(path: &Path, bytes: &[u8]) -> Result<(), LockError> {
    let io = |error: std::io::Error| LockError::Io(format!("cannot be written: {error}"));
    let folder = path.parent().unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder).map_err(io)?;
    let mut file = new_file(folder).map_err(io)?;
    file.write_all(bytes).map_err(io)?;
    file.as_file().sync_all().map_err(io)?;
    file.persist(path).map_err(|error| io(error.error))?;
    Ok(())
}

/// A hidden file that whoever may read the folder may read, like any other that is meant to be shared.
fn new_file(folder: &Path) -> std::io::Result<tempfile::NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".coinop-");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        builder.permissions(std::fs::Permissions::from_mode(0o644));
    }
    builder.tempfile_in(folder)
}

#[cfg(test)]
mod tests {
    use coinop_core::digest::Digest;

    use super::*;
    use crate::trust::{Pinned, PinnedTool, Pulled};

    fn lock() -> Lock {
        let pinned = |text: &str| Pinned {
            digest: Digest::of(text.as_bytes()),
            sidecar: Some(Digest::of(b"sidecar")),
            signed_by: Some("minisign E7620F1842B4E81F".to_owned()),
            grants: vec!["http = \"GET https://api.example.com\"".to_owned()],
            tools: vec![PinnedTool {
                name: "t".to_owned(),
                title: Some("'''".to_owned()),
                price: Some("free".to_owned()),
                hints: vec!["read-only = true".to_owned()],
                description: "of \"two\"\n\\lines\u{1b}".to_owned(),
                input_schema: "{\n  \"type\": \"object\"\n}".to_owned(),
                ..PinnedTool::default()
            }],
        };
        let pulled = Pulled {
            digest: Digest::of(b"b"),
            oci: "oci://localhost:5000/weather:1".to_owned(),
            manifest: Digest::of(b"manifest"),
            pulled_at: "2026-01-01T00:00:00Z".to_owned(),
            cosign_key: None,
        };
        let plugins = [("b", pinned("b")), ("a.b", pinned("a"))];
        Lock {
            plugins: plugins.map(|(name, p)| (name.to_owned(), p)).into(),
            pulled: [("b".to_owned(), pulled)].into(),
        }
    }

    #[test]
    fn what_is_written_is_read_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("sub").join("coinop.lock");
        assert_eq!(read(&path), Ok(None));
        write(&path, &lock()).unwrap();
        assert_eq!(read(&path), Ok(Some(lock())));
        let first = std::fs::read_to_string(&path).unwrap();
        write(&path, &lock()).unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), first);
        assert!(
            first.find("a.b").unwrap() < first.find("plugins.b").unwrap(),
            "{first}"
        );
        let others = std::fs::read_dir(path.parent().unwrap()).unwrap().count();
        assert_eq!(others, 1);
    }

    #[test]
    fn what_is_no_lock_says_what_to_do() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("coinop.lock");
        for text in [
            "nonsense",
            "[plugins.a]\ndigest = \"short\"",
            "[plugins.a]\nfoo = 1",
            "other = 1",
        ] {
            std::fs::write(&path, text).unwrap();
            let error = read(&path).unwrap_err();
            assert!(error.to_string().contains("coinop lock"), "{text}: {error}");
        }
        std::fs::remove_file(&path).unwrap();
        std::fs::create_dir(&path).unwrap();
        assert!(read(&path).is_err() && write(&path, &lock()).is_err());
    }
}
