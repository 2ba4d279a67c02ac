//! Where PostgreSQL's server programs lie. Compiled into xtask too, which installs them where they lie nowhere.

use std::path::{Path, PathBuf};

/// What to do about a PostgreSQL that is missing.
pub(crate) const REMEDY: &str = "install PostgreSQL's server programs, initdb and postgres (Debian, Ubuntu: apt install postgresql; macOS: brew install postgresql)";

/// Folders that hold a folder for every version, and what its name has before the version: Debian and Red Hat keep the
/// server's programs out of the path, and so does Homebrew.
const ELSEWHERE: [(&str, &str); 4] = [
    ("/usr/lib/postgresql", ""),
    ("/usr", "pgsql-"),
    ("/opt/homebrew/opt", "postgresql@"),
    ("/usr/local/opt", "postgresql@"),
];

/// The folder with `initdb` and `postgres`: on the path, else the newest version of where distributions put them.
pub(crate) fn find() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let on_path = std::env::split_paths(&path).filter_map(|folder| {
        // A link leads to the folder that holds the rest too.
        let initdb = folder.join("initdb").canonicalize().ok()?;
        initdb.parent().map(Path::to_owned)
    });
    on_path.chain(elsewhere()).find(|folder| is_whole(folder))
}

fn elsewhere() -> impl Iterator<Item = PathBuf> {
    ELSEWHERE.into_iter().flat_map(|(parent, prefix)| {
        let mut versions: Vec<(u32, PathBuf)> = std::fs::read_dir(parent)
            .into_iter()
            .flatten()
            .filter_map(|entry| {
                let entry = entry.ok()?;
                let name = entry.file_name().into_string().ok()?;
                let version = name.strip_prefix(prefix)?.parse().ok()?;
                Some((version, entry.path().join("bin")))
            })
            .collect();
        versions.sort();
        versions.into_iter().rev().map(|(_, folder)| folder)
    })
}

fn is_whole(folder: &Path) -> bool {
    ["initdb", "postgres"]
        .iter()
        .all(|program| folder.join(program).is_file())
}
