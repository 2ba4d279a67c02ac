//! A directory of the host's own whose files nobody else can have written or changed.
//!
//! Compiled code runs with all the host's rights, so loading a file somebody else put there would be handing over the
//! host. The directory is mode 0700 and ours, and every file has a seal beside it: HMAC-SHA-256 with the directory's
//! key over the file's name and bytes. A file whose seal does not match is treated as absent.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use tempfile::NamedTempFile;

use super::error::SandboxError;

const KEY_FILE: &str = "key";
const KEY_BYTES: usize = 32;
const SEAL_SUFFIX: &str = ".seal";

type Seal = Hmac<Sha256>;

/// The directory. Several processes may use one; all writes are renames.
pub(super) struct SealedDir {
    path: PathBuf,
    key: [u8; KEY_BYTES],
}

impl SealedDir {
    /// Opens or creates the directory and its key.
    pub(super) fn open(path: &Path) -> Result<Self, SandboxError> {
        let io = |source| SandboxError::Io {
            path: path.to_owned(),
            source,
        };
        create_private(path).map_err(io)?;
        check_private(path)?;
        let key = key(path)?;
        Ok(Self {
            path: path.to_owned(),
            key,
        })
    }

    /// Where `name` lies, if it is there and its seal matches. Marks it as used.
    pub(super) fn find(&self, name: &str) -> Option<PathBuf> {
        let path = self.path.join(name);
        let mut file = open_plain(&path).ok()?;
        let seal = fs::read(self.seal_path(name)).ok()?;
        let mut mac = self.mac(name);
        let mut buffer = vec![0; 256 << 10];
        loop {
            match file.read(&mut buffer).ok()? {
                0 => break,
                n => mac.update(&buffer[..n]),
            }
        }
        mac.verify_slice(&seal).ok()?;
        mark_used(&path);
        Some(path)
    }

    /// The bytes of `name`, if it is there, is no larger than `bytes_max` and its seal matches them. Marks it as used.
    pub(super) fn read(&self, name: &str, bytes_max: u64) -> Option<Vec<u8>> {
        let path = self.path.join(name);
        let mut bytes = Vec::new();
        let file = open_plain(&path).ok()?;
        file.take(bytes_max + 1).read_to_end(&mut bytes).ok()?;
        if bytes.len() as u64 > bytes_max {
            return None;
        }
        let seal = fs::read(self.seal_path(name)).ok()?;
        let mut mac = self.mac(name);
        mac.update(&bytes);
        mac.verify_slice(&seal).ok()?;
        mark_used(&path);
        Some(bytes)
    }

    /// Writes `name` and its seal. A crash in between leaves a file without a matching seal, which is absent.
    pub(super) fn put(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        let mut mac = self.mac(name);
        mac.update(bytes);
        self.replace(&self.path.join(name), bytes)?;
        self.replace(&self.seal_path(name), &mac.finalize().into_bytes())
    }

    /// Removes the least recently used files until at most `bytes_max` are left.
    pub(super) fn shrink(&self, bytes_max: u64) -> io::Result<()> {
        let mut files = Vec::new();
        let mut total = 0;
        for entry in fs::read_dir(&self.path)? {
            let entry = entry?;
            let Ok(name) = entry.file_name().into_string() else {
                continue;
            };
            // Another process may have removed it meanwhile.
            let Ok(metadata) = entry.metadata() else {
                continue;
            };
            if name != KEY_FILE && !name.ends_with(SEAL_SUFFIX) && metadata.is_file() {
                total += metadata.len();
                files.push((metadata.modified()?, metadata.len(), name));
            }
        }
        files.sort();
        for (_, bytes, name) in files {
            if total <= bytes_max {
                break;
            }
            self.remove(&name)?;
            total -= bytes;
        }
        Ok(())
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        for path in [self.seal_path(name), self.path.join(name)] {
            match fs::remove_file(path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        Ok(())
    }

    fn seal_path(&self, name: &str) -> PathBuf {
        self.path.join(format!("{name}{SEAL_SUFFIX}"))
    }

    fn mac(&self, name: &str) -> Seal {
        let mut mac = Seal::new_from_slice(&self.key).expect("HMAC takes keys of any length");
        mac.update(&(name.len() as u64).to_le_bytes());
        mac.update(name.as_bytes());
        mac
    }

    fn replace(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        let mut file = NamedTempFile::new_in(&self.path)?;
        file.write_all(bytes)?;
        file.persist(path)?;
        Ok(())
    }
}

/// Only the order of eviction depends on it.
fn mark_used(path: &Path) {
    let file = File::options().append(true).open(path);
    let _ = file.and_then(|file| file.set_modified(SystemTime::now()));
}

/// The key, made by whichever process comes first.
fn key(dir: &Path) -> Result<[u8; KEY_BYTES], SandboxError> {
    let path = dir.join(KEY_FILE);
    let io = |source| SandboxError::Io {
        path: path.clone(),
        source,
    };
    match open_plain(&path) {
        Ok(file) => return read_key(&path, file),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(io(error)),
    }
    let mut key = [0; KEY_BYTES];
    getrandom::fill(&mut key).map_err(|e| io(io::Error::other(e.to_string())))?;
    // Mode 0600; complete before it has its name, and never over another process's key.
    let mut file = NamedTempFile::new_in(dir).map_err(io)?;
    file.write_all(&key).map_err(io)?;
    match file.persist_noclobber(&path) {
        Ok(_) => Ok(key),
        Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists => {
            read_key(&path, open_plain(&path).map_err(io)?)
        }
        Err(error) => Err(io(error.error)),
    }
}

fn read_key(path: &Path, mut file: File) -> Result<[u8; KEY_BYTES], SandboxError> {
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)
        .map_err(|source| SandboxError::Io {
            path: path.to_owned(),
            source,
        })?;
    bytes.try_into().map_err(|_| SandboxError::CacheDir {
        path: path.to_owned(),
        reason: "the key file is damaged; delete the directory, it will be made anew".into(),
    })
}

#[cfg(unix)]
fn create_private(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent)?;
    }
    match fs::DirBuilder::new().mode(0o700).create(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        other => other,
    }
}

#[cfg(not(unix))]
fn create_private(path: &Path) -> io::Result<()> {
    fs::create_dir_all(path)
}

/// Ours alone, and a directory rather than a link to one.
#[cfg(unix)]
fn check_private(path: &Path) -> Result<(), SandboxError> {
    use std::os::unix::fs::MetadataExt;
    let refused = |reason: String| SandboxError::CacheDir {
        path: path.to_owned(),
        reason,
    };
    let metadata = fs::symlink_metadata(path).map_err(|source| SandboxError::Io {
        path: path.to_owned(),
        source,
    })?;
    if !metadata.is_dir() {
        return Err(refused("it is not a directory".into()));
    }
    if metadata.uid() != rustix::process::geteuid().as_raw() {
        return Err(refused(
            "it belongs to another user, who could put code there; delete it or choose another"
                .into(),
        ));
    }
    if metadata.mode() & 0o077 != 0 {
        return Err(refused(format!(
            "it is open to other users (mode {:03o}), who could put code there; `chmod 700` it",
            metadata.mode() & 0o777
        )));
    }
    Ok(())
}

#[cfg(not(unix))]
fn check_private(_path: &Path) -> Result<(), SandboxError> {
    Ok(())
}

/// Opens a file of ours, following no link.
#[cfg(unix)]
fn open_plain(path: &Path) -> io::Result<File> {
    use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
    let file = File::options()
        .read(true)
        .custom_flags(rustix::fs::OFlags::NOFOLLOW.bits() as i32)
        .open(path)?;
    let metadata = file.metadata()?;
    if metadata.is_file() && metadata.uid() == rustix::process::geteuid().as_raw() {
        Ok(file)
    } else {
        Err(io::Error::new(
            io::ErrorKind::PermissionDenied,
            "not a file of ours",
        ))
    }
}

#[cfg(not(unix))]
fn open_plain(path: &Path) -> io::Result<File> {
    File::open(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dir() -> (tempfile::TempDir, SealedDir) {
        let home = tempfile::tempdir().unwrap();
        let dir = SealedDir::open(&home.path().join("cache")).unwrap();
        (home, dir)
    }

    #[test]
    fn gives_back_what_was_put() {
        let (home, dir) = dir();
        dir.put("a", b"bytes").unwrap();
        assert_eq!(fs::read(dir.find("a").unwrap()).unwrap(), b"bytes");
        assert_eq!(dir.read("a", 5).unwrap(), b"bytes");
        assert!(dir.read("a", 4).is_none(), "larger than asked for");
        // Another process reads the same key.
        let again = SealedDir::open(&home.path().join("cache")).unwrap();
        assert!(again.find("a").is_some());
        assert!(again.find("b").is_none());
    }

    #[test]
    fn a_changed_truncated_or_renamed_file_is_absent() {
        let (_home, dir) = dir();
        type Damage = fn(&Path);
        let damage: [(&str, Damage); 4] = [
            ("changed", |p| fs::write(p, b"other").unwrap()),
            ("truncated", |p| fs::write(p, b"byte").unwrap()),
            ("empty", |p| fs::write(p, b"").unwrap()),
            ("longer", |p| fs::write(p, b"bytes!").unwrap()),
        ];
        for (name, damage) in damage {
            dir.put(name, b"bytes").unwrap();
            damage(&dir.path.join(name));
            assert!(dir.find(name).is_none(), "{name}");
            assert!(dir.read(name, 100).is_none(), "{name}");
        }
        dir.put("a", b"bytes").unwrap();
        fs::rename(dir.path.join("a"), dir.path.join("b")).unwrap();
        fs::rename(dir.seal_path("a"), dir.seal_path("b")).unwrap();
        assert!(dir.find("b").is_none(), "renamed with its seal");
        assert!(dir.read("b", 100).is_none(), "renamed with its seal");
        dir.put("c", b"bytes").unwrap();
        fs::remove_file(dir.seal_path("c")).unwrap();
        assert!(dir.find("c").is_none(), "without a seal");
        assert!(dir.read("c", 100).is_none(), "without a seal");
    }

    #[test]
    fn the_least_recently_used_go_first() {
        let (_home, dir) = dir();
        for (age, name) in [(30, "old"), (20, "middle"), (10, "new")] {
            dir.put(name, &[0; 10]).unwrap();
            let at = SystemTime::now() - std::time::Duration::from_secs(age);
            let file = File::options()
                .append(true)
                .open(dir.path.join(name))
                .unwrap();
            file.set_modified(at).unwrap();
        }
        assert!(dir.find("old").is_some(), "and now it is the newest");
        dir.shrink(20).unwrap();
        let left = ["old", "middle", "new"].map(|name| dir.find(name).is_some());
        assert_eq!(left, [true, false, true]);
    }

    #[cfg(unix)]
    #[test]
    fn a_directory_open_to_others_is_refused() {
        use std::os::unix::fs::PermissionsExt;
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("cache");
        fs::create_dir(&path).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o770)).unwrap();
        let error = SealedDir::open(&path).err().unwrap().to_string();
        assert!(error.contains("chmod 700"), "{error}");
        let link = home.path().join("link");
        std::os::unix::fs::symlink(home.path(), &link).unwrap();
        assert!(SealedDir::open(&link).is_err());
    }

    #[cfg(unix)]
    #[test]
    fn a_link_is_never_followed() {
        let (home, dir) = dir();
        dir.put("a", b"bytes").unwrap();
        let elsewhere = home.path().join("elsewhere");
        fs::rename(dir.path.join("a"), &elsewhere).unwrap();
        std::os::unix::fs::symlink(&elsewhere, dir.path.join("a")).unwrap();
        assert!(dir.find("a").is_none());
        assert!(dir.read("a", 100).is_none());
    }
}
