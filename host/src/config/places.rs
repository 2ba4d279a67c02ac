//! Where things are when nobody says: the platform's own folders, since an MCP client's working directory is useless.

use std::path::{Path, PathBuf};

use etcetera::base_strategy::{BaseStrategy, choose_native_strategy};

/// The default places of one user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Places {
    /// `coinop.toml`.
    pub config_file: PathBuf,
    /// The folder of plugins.
    pub plugins_dir: PathBuf,
    /// The ledger's file, shared by every coinop process of the user.
    pub state: PathBuf,
    /// Compiled code and listings: can be deleted at any time.
    pub cache_dir: PathBuf,
}

/// The user has no home directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no home directory was found: set HOME, or name --config, --plugins and --state")]
pub struct NoHome;

impl Places {
    /// The places of the user who runs this: XDG on Linux, `Library` on macOS, `AppData` on Windows.
    ///
    /// # Errors
    /// There is no home directory.
    pub fn of_user() -> Result<Self, NoHome> {
        let base = choose_native_strategy().map_err(|_| NoHome)?;
        let (config, data, cache) = (base.config_dir(), base.data_dir(), base.cache_dir());
        // Preferences belongs to Apple's own property lists; roaming profiles are copied between machines, which a
        // live database does not survive.
        Ok(match std::env::consts::OS {
            "macos" | "ios" => Self::under(&data, &data, &cache),
            "windows" => Self::under(&config, &cache, &cache.join("coinop").join("cache")),
            _ => Self::under(&config, &data, &cache),
        })
    }

    /// The places under a configuration, a data and a cache folder.
    fn under(config: &Path, data: &Path, cache: &Path) -> Self {
        Self {
            config_file: config.join("coinop").join("coinop.toml"),
            plugins_dir: data.join("coinop").join("plugins"),
            state: data.join("coinop").join("ledger.sqlite3"),
            cache_dir: cache.join("coinop"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_is_absolute_and_named_after_coinop() {
        let places = Places::of_user().unwrap();
        for path in [
            &places.config_file,
            &places.plugins_dir,
            &places.state,
            &places.cache_dir,
        ] {
            assert!(path.is_absolute(), "{}", path.display());
            assert!(
                path.components().any(|c| c.as_os_str() == "coinop"),
                "{}",
                path.display()
            );
        }
    }
}
