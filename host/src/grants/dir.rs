//! A directory of the host's that a plugin sees under a path of its own.

use std::path::PathBuf;

use serde::Serialize;

/// One directory.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DirGrant {
    /// Where it is, absolute.
    pub path: PathBuf,
    /// Where the plugin finds it, absolute.
    pub guest_path: String,
    /// What it may do there.
    pub access: Access,
}

/// What a plugin may do in a directory and everything below it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Access {
    /// List and read.
    #[default]
    Read,
    /// Make, change and remove as well.
    Write,
}

impl DirGrant {
    /// Says why `path` can be no directory's path inside a plugin.
    ///
    /// # Errors
    /// It is not absolute, or has empty, `.` or `..` parts.
    pub fn check_guest_path(path: &str) -> Result<(), String> {
        let parts = || path.split('/').skip(1);
        let plain = |part: &str| !matches!(part, "" | "." | "..");
        match path.starts_with('/') && (path == "/" || parts().all(plain)) && !path.contains('\0') {
            true => Ok(()),
            false => Err(format!(
                "{path:?} is no path for the plugin to find it at; write one like \"/data\""
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plugins_path_is_plain_and_absolute() {
        for good in ["/", "/data", "/var/lib/x y"] {
            assert_eq!(DirGrant::check_guest_path(good), Ok(()));
        }
        for bad in ["", "data", "/data/", "//", "/a/../b", "/.", "/a\0"] {
            assert!(DirGrant::check_guest_path(bad).is_err(), "{bad:?}");
        }
    }
}
