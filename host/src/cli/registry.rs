//! How the commands that talk to a registry reach it: who asks, and whether plain HTTP will do.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Args;

use crate::config::SecretSource;
use crate::trust::oci::{Login, Plain, Reference, Registry};

/// Who asks, and how.
#[derive(Args)]
pub(super) struct At {
    /// The name to log in with; without it, docker's configuration is asked, and else nobody logs in
    #[arg(long, requires = "password_file")]
    username: Option<String>,
    /// The file that has the password, or a token in its place
    #[arg(long, value_name = "FILE", requires = "username")]
    password_file: Option<PathBuf>,
    /// Speak plain HTTP with the registry; one on this machine is spoken to like that anyway
    #[arg(long)]
    insecure: bool,
}

impl At {
    /// The repository of `reference`.
    pub(super) fn registry(&self, reference: &Reference) -> anyhow::Result<Registry> {
        let plain = match self.insecure {
            true => Plain::Anywhere,
            false => Plain::Loopback,
        };
        Ok(Registry::new(reference, self.login(reference)?, plain)?)
    }

    fn login(&self, reference: &Reference) -> anyhow::Result<Login> {
        if let (Some(username), Some(file)) = (&self.username, &self.password_file) {
            let password = SecretSource::File(std::path::absolute(file)?).read(Path::new(""));
            let password = password
                .map_err(anyhow::Error::msg)
                .context("--password-file")?;
            return Ok(Login::Password {
                username: username.clone(),
                password,
            });
        }
        let folder = std::env::var_os("DOCKER_CONFIG").map(PathBuf::from);
        let home = || std::env::home_dir().map(|home| home.join(".docker"));
        Ok(folder.or_else(home).map_or(Login::Anonymous, |folder| {
            Login::of_docker(&folder.join("config.json"), &reference.registry)
        }))
    }
}
