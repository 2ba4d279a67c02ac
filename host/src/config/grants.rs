//! `[plugins.NAME.grants]`: what the operator lets a plugin reach.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::keys::{Kind, Section, key};
use super::kinds;
use super::raw::TextOrSecret;
use super::secret::{Secret, SecretSource};
use crate::grants::{Access, DirGrant, EnvGrant, Grants, HttpGrant, SocketGrant, is_variable};

/// Most a plugin may keep, KiB: a TiB is no key-value storage any more.
pub(super) const KEYVALUE_KIB_MAX: u64 = 1 << 30;

pub(super) static GRANTS: Section = Section {
    keys: &[
        key(
            "http",
            Kind::Texts(http),
            "Origins it may send requests to, such as \"https://api.example.com\", with methods in front where not all are \
             meant: \"GET,HEAD https://api.example.com\", and \"internal\" behind a name that may stand for an address of \
             an internal network. docs/grants.md says more.",
        ),
        key(
            "env",
            Kind::Variables(variable),
            "Environment variables it sees, by name: a text, or { env = \"NAME\" } or { file = \"PATH\" } for a secret.",
        ),
        key(
            "dirs",
            Kind::Tables(&DIR),
            "Directories it sees, and everything below them.",
        ),
        key(
            "sockets",
            Kind::Texts(socket),
            "Where it may open sockets to: \"tcp://db.example.com:5432\" or \"udp://\"; nothing listens.",
        ),
        key(
            "keyvalue_kib",
            Kind::Integer(1, KEYVALUE_KIB_MAX),
            "Turns on key-value storage of its own, which it may fill with so many KiB of keys and values.",
        ),
        key(
            "caller",
            Kind::Bool,
            "Whether it is told a pseudonym of its caller: the same for the same caller, and for this plugin only.",
        ),
    ],
    refused: &[],
};

static DIR: Section = Section {
    keys: &[
        key(
            "path",
            Kind::Text(kinds::filled),
            "Where it is; relative to this file.",
        ),
        key(
            "as",
            Kind::Text(DirGrant::check_guest_path),
            "Where the plugin finds it, such as \"/data\".",
        ),
        key(
            "write",
            Kind::Bool,
            "Whether it may make, change and remove files there; false by default.",
        ),
    ],
    refused: &[],
};

pub(super) fn http(text: &str) -> Result<(), String> {
    text.parse::<HttpGrant>().map(drop)
}

pub(super) fn socket(text: &str) -> Result<(), String> {
    text.parse::<SocketGrant>().map(drop)
}

pub(super) fn variable(name: &str) -> Result<(), String> {
    match is_variable(name) {
        true => Ok(()),
        false => Err("a variable's name has letters, digits and _, no digit first".to_owned()),
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawGrants {
    http: Vec<String>,
    env: BTreeMap<String, TextOrSecret>,
    dirs: Vec<RawDir>,
    sockets: Vec<String>,
    keyvalue_kib: Option<u64>,
    caller: bool,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawDir {
    path: PathBuf,
    #[serde(rename = "as")]
    guest_path: String,
    #[serde(default)]
    write: bool,
}

/// Grants, and which of them cannot be given, with the key of each.
#[derive(Debug, Default)]
pub(super) struct Resolved {
    pub(super) grants: Grants,
    pub(super) problems: Vec<String>,
}

impl RawGrants {
    /// Reads secrets, and looks whether directories are there; relative ones start from `base`. Every text has passed
    /// its key's check.
    pub(super) fn resolve(self, base: &Path) -> Resolved {
        let mut problems = Vec::new();
        let env = self.env.into_iter().filter_map(|(name, said)| {
            let value = resolve_variable(said, base);
            let value = value.map_err(|why| problems.push(format!("env.{name}: {why}")));
            value.ok().map(|value| (name, value))
        });
        let env = env.collect();
        let dirs: Vec<_> = self.dirs.into_iter().map(|dir| dir.resolve(base)).collect();
        problems.extend(wrong_dirs(&dirs));
        let grants = Grants {
            http: parsed(&self.http),
            env,
            dirs,
            sockets: parsed(&self.sockets),
            keyvalue_bytes_max: self.keyvalue_kib.map(|kib| kib << 10),
            caller: self.caller,
        };
        Resolved { grants, problems }
    }
}

impl RawDir {
    fn resolve(self, base: &Path) -> DirGrant {
        DirGrant {
            path: base.join(self.path),
            guest_path: self.guest_path,
            access: match self.write {
                true => Access::Write,
                false => Access::Read,
            },
        }
    }
}

fn parsed<T: std::str::FromStr>(texts: &[String]) -> Vec<T> {
    texts.iter().filter_map(|text| text.parse().ok()).collect()
}

fn resolve_variable(said: TextOrSecret, base: &Path) -> Result<EnvGrant, String> {
    let without_nul = |value: Secret| match value.expose().contains('\0') {
        true => Err("the value has a NUL in it, which no variable can hold".to_owned()),
        false => Ok(value),
    };
    match said {
        TextOrSecret::Text(text) => without_nul(text).map(EnvGrant::Text),
        TextOrSecret::Elsewhere(source) => {
            let value = without_nul(source.read(base)?)?;
            Ok(match source {
                SecretSource::Env(variable) => EnvGrant::Env { variable, value },
                SecretSource::File(path) => EnvGrant::File { path, value },
            })
        }
    }
}

fn wrong_dirs(dirs: &[DirGrant]) -> Vec<String> {
    let mut seen = BTreeSet::new();
    let mut problems = Vec::new();
    for dir in dirs {
        let path = dir.path.display();
        if !seen.insert(&dir.guest_path) {
            problems.push(format!(
                "dirs: two directories are called {:?}",
                dir.guest_path
            ));
        }
        match std::fs::metadata(&dir.path) {
            Ok(found) if found.is_dir() => {}
            Ok(_) => problems.push(format!("dirs: {path} is no directory")),
            Err(error) => problems.push(format!("dirs: {path}: {error}")),
        }
    }
    problems
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolve(base: &Path, text: &str) -> Resolved {
        toml::from_str::<RawGrants>(text).unwrap().resolve(base)
    }

    #[test]
    fn secrets_are_read_and_directories_found_beside_the_file() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("key"), "hunter2\n").unwrap();
        std::fs::create_dir(folder.path().join("data")).unwrap();
        let resolved = resolve(
            folder.path(),
            "env = { MODE = \"fast\", KEY = { file = \"key\" } }\nkeyvalue_kib = 2\ncaller = true\n\
             dirs = [{ path = \"data\", as = \"/data\", write = true }]\nsockets = [\"tcp://db:1\"]\n",
        );
        assert_eq!(resolved.problems, Vec::<String>::new());
        let grants = resolved.grants;
        assert_eq!(grants.env["KEY"].value(), "hunter2");
        assert_eq!(grants.env["MODE"].value(), "fast");
        assert_eq!(grants.dirs[0].path, folder.path().join("data"));
        assert_eq!(grants.dirs[0].access, Access::Write);
        assert_eq!(grants.keyvalue_bytes_max, Some(2048));
    }

    #[test]
    fn what_cannot_be_given_is_named_without_its_value() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("file"), "hunter2\0").unwrap();
        let resolved = resolve(
            folder.path(),
            "env = { A = { env = \"COINOP_TEST_UNSET\" }, B = { file = \"file\" } }\n\
             dirs = [{ path = \"gone\", as = \"/a\" }, { path = \"file\", as = \"/a\" }]\n",
        );
        let told = resolved.problems.join("\n");
        for part in [
            "env.A: the environment variable COINOP_TEST_UNSET is not set",
            "env.B: the value has a NUL",
            "gone: ",
            "file is no directory",
            "two directories are called \"/a\"",
        ] {
            assert!(told.contains(part), "{part:?} is not in\n{told}");
        }
        assert!(!told.contains("hunter2"));
        assert!(resolved.grants.env.is_empty());
    }
}
