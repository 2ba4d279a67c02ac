//! Who asks: nobody in particular, or a name and a password, from the command line or from docker's configuration.

use std::path::Path;

use data_encoding::BASE64;
use serde_json::Value;

use crate::config::Secret;

/// Largest file that is read for a login, bytes.
const FILE_BYTES_MAX: u64 = 1 << 20;

/// How to log in where a registry wants that.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Login {
    /// Without a name.
    Anonymous,
    /// With a name and a password, or a token in its place.
    Password {
        /// The name.
        username: String,
        /// Its password.
        password: Secret,
    },
}

impl Login {
    /// What docker's `config.json` at `path` has for `registry`: a password in it, not one that a helper program keeps.
    /// Blocks.
    pub fn of_docker(path: &Path, registry: &str) -> Self {
        Self::read_docker(path, registry).unwrap_or(Self::Anonymous)
    }

    fn read_docker(path: &Path, registry: &str) -> Option<Self> {
        use std::io::Read as _;
        let mut text = String::new();
        let file = std::fs::File::open(path).ok()?;
        file.take(FILE_BYTES_MAX).read_to_string(&mut text).ok()?;
        let config: Value = serde_json::from_str(&text).ok()?;
        let auth = config.get("auths")?.get(registry)?.get("auth")?.as_str()?;
        let both = String::from_utf8(BASE64.decode(auth.as_bytes()).ok()?).ok()?;
        let (username, password) = both.split_once(':')?;
        let password = Secret::from(password.to_owned());
        Some(Self::Password {
            username: username.to_owned(),
            password,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dockers_configuration_is_read_for_its_registry_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.json");
        let auth = BASE64.encode(b"me:se:cret");
        let text = format!(r#"{{"auths":{{"ghcr.io":{{"auth":"{auth}"}}}},"credsStore":"x"}}"#);
        std::fs::write(&path, text).unwrap();
        let Login::Password { username, password } = Login::of_docker(&path, "ghcr.io") else {
            panic!("no login");
        };
        assert_eq!((&*username, password.expose()), ("me", "se:cret"));
        assert_eq!(Login::of_docker(&path, "evil.example"), Login::Anonymous);
        assert_eq!(
            Login::of_docker(&folder.path().join("none"), "ghcr.io"),
            Login::Anonymous
        );
    }
}
