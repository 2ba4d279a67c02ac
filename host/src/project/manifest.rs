//! `plugin.toml`: what a project is called and how it is built. Read by `coinop build`, never by a host that serves.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use thiserror::Error;

/// The file that makes a folder a project.
pub(crate) const MANIFEST: &str = "plugin.toml";

/// How one project is built.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub(crate) struct Manifest {
    /// The plugin's name: it becomes `NAME.wasm`, and its sidecar is `NAME.toml`.
    pub(crate) name: String,
    /// The program and its arguments, run in the project's folder.
    pub(crate) command: Vec<String>,
    /// Environment variables for the command.
    #[serde(default)]
    pub(crate) environment: BTreeMap<String, String>,
    /// What the command leaves, relative to the folder: a component, or a core module that coinop makes into one.
    /// Cargo is asked where it put it, so its projects need not say.
    pub(crate) output: Option<PathBuf>,
    /// The folder of WIT, relative to the project's.
    #[serde(default = "default_wit")]
    pub(crate) wit: PathBuf,
    /// The world in `wit`: for bindings and for core modules.
    #[serde(default = "default_world")]
    pub(crate) world: String,
    /// The language that coinop writes bindings in, into `gen/`, before the command runs. Compilers that have their
    /// own way need none.
    pub(crate) bindings: Option<BindingsLanguage>,
}

/// A language whose bindings coinop writes.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub(crate) enum BindingsLanguage {
    /// `gen/WORLD.c`, `gen/WORLD.h` and an object file with the world's types.
    C,
    /// Packages in `gen/`.
    Go,
}

/// Why a folder is not a project.
#[derive(Debug, Error)]
pub(crate) enum ManifestError {
    /// There is none.
    #[error(
        "{0} is not a plugin's project: it has no {MANIFEST}. `coinop new NAME --lang LANG` writes one; for a project \
         of your own, say in it `name = \"NAME\"`, `command = [\"make\"]` and `output = \"NAME.wasm\"`"
    )]
    Missing(PathBuf),
    /// It cannot be read.
    #[error("{path}: {source}", path = .path.display())]
    Unreadable {
        /// The manifest.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// It says what cannot be.
    #[error("{path}: {problem}", path = .path.display())]
    Invalid {
        /// The manifest.
        path: PathBuf,
        /// What, and where.
        problem: String,
    },
}

impl Manifest {
    /// Reads the manifest of the project in `folder`.
    ///
    /// # Errors
    /// There is none, or it is wrong; the error names the file.
    pub(crate) fn read(folder: &Path) -> Result<Self, ManifestError> {
        let path = folder.join(MANIFEST);
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Err(ManifestError::Missing(folder.to_owned()));
            }
            Err(source) => return Err(ManifestError::Unreadable { path, source }),
        };
        Self::parse(&text).map_err(|problem| ManifestError::Invalid { path, problem })
    }

    fn parse(text: &str) -> Result<Self, String> {
        let manifest: Self =
            toml::from_str(text).map_err(|error| error.to_string().trim_end().to_owned())?;
        if manifest.command.first().is_none_or(String::is_empty) {
            return Err("`command` names no program".to_owned());
        }
        if manifest.output.is_none() && manifest.command[0] != "cargo" {
            return Err("`output` is missing: the file that the command leaves".to_owned());
        }
        // It becomes two file names.
        if manifest.name.is_empty() || manifest.name.contains(['/', '\\']) {
            return Err("`name` is not a plugin's name".to_owned());
        }
        Ok(manifest)
    }
}

fn default_wit() -> PathBuf {
    "wit".into()
}

fn default_world() -> String {
    "plugin".to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manifest_is_read() {
        let manifest = Manifest::parse(
            "name = \"rates\"\ncommand = [\"make\", \"-s\"]\noutput = \"out/rates.wasm\"\nbindings = \"c\"",
        )
        .unwrap();
        assert_eq!(manifest.output, Some(PathBuf::from("out/rates.wasm")));
        assert_eq!(manifest.bindings, Some(BindingsLanguage::C));
        assert_eq!(manifest.world, "plugin");
        Manifest::parse("name = \"rates\"\ncommand = [\"cargo\", \"build\"]").unwrap();
    }

    #[test]
    fn what_is_wrong_is_said() {
        for (text, word) in [
            ("name = \"a\"\ncommand = []", "command"),
            ("name = \"a\"\ncommand = [\"make\"]", "output"),
            ("name = \"../a\"\ncommand = [\"cargo\"]", "name"),
            ("name = \"a\"\ncommand = [\"cargo\"]\ncolour = 1", "colour"),
            (
                "name = \"a\"\ncommand = [\"cargo\"]\nbindings = \"ada\"",
                "ada",
            ),
        ] {
            let problem = Manifest::parse(text).unwrap_err();
            assert!(problem.contains(word), "{problem}");
        }
    }
}
