//! The flags of `coinop grant`, read into edits.

use std::path::Path;

use clap::Args;

use crate::config::SecretSource;
use crate::config::edit::{Edit, EnvSource};
use crate::grants::{Access, DirGrant, is_variable};

#[derive(Args, Clone, Debug, Default)]
pub(super) struct Flags {
    /// Everything that the plugin says it needs
    #[arg(long)]
    pub(super) all: bool,
    /// Requests to an origin, such as https://api.example.com or "GET,HEAD https://api.example.com"
    #[arg(long, value_name = "ORIGIN")]
    http: Vec<String>,
    /// A variable: from the host's variable of the same name, or from SOURCE, which is env:NAME, file:PATH or text:TEXT
    #[arg(long, value_name = "NAME[=SOURCE]")]
    env: Vec<String>,
    /// A directory, which the plugin finds as AS (/ and its name where that is not said); :rw lets it write there
    #[arg(long, value_name = "PATH[:AS][:rw]")]
    dir: Vec<String>,
    /// Sockets to one place, such as tcp://db.example.com:5432
    #[arg(long, value_name = "SOCKET")]
    socket: Vec<String>,
    /// Key-value storage of so many KiB, 1024 where it is not said
    #[arg(long, value_name = "KIB", num_args = 0..=1, default_missing_value = "1024",
          value_parser = clap::value_parser!(u64).range(1..))]
    keyvalue: Option<u64>,
    /// A pseudonym of its caller
    #[arg(long)]
    caller: bool,
}

impl Flags {
    /// What they name, `--all` aside.
    pub(super) fn edits(&self) -> anyhow::Result<Vec<Edit>> {
        let wrong = |flag: &'static str| move |why: String| anyhow::anyhow!("{flag}: {why}");
        let mut edits = Vec::new();
        for text in &self.http {
            edits.push(Edit::Http(text.parse().map_err(wrong("--http"))?));
        }
        for text in &self.env {
            edits.push(variable(text).map_err(wrong("--env"))?);
        }
        for text in &self.dir {
            edits.push(directory(text).map_err(wrong("--dir"))?);
        }
        for text in &self.socket {
            edits.push(Edit::Socket(text.parse().map_err(wrong("--socket"))?));
        }
        edits.extend(self.keyvalue.map(Edit::KeyValue));
        edits.extend(self.caller.then_some(Edit::Caller));
        Ok(edits)
    }
}

pub(super) fn variable(text: &str) -> Result<Edit, String> {
    let (name, source) = text.split_once('=').unwrap_or((text, ""));
    if !is_variable(name) {
        return Err("write NAME, NAME=env:OTHER, NAME=file:PATH or NAME=text:TEXT".to_owned());
    }
    let source = match source.split_once(':') {
        None if source.is_empty() => EnvSource::Secret(SecretSource::Env(name.to_owned())),
        Some(("env", other)) if is_variable(other) => {
            EnvSource::Secret(SecretSource::Env(other.to_owned()))
        }
        Some(("file", path)) if !path.is_empty() => {
            EnvSource::Secret(SecretSource::File(path.into()))
        }
        Some(("text", text)) => EnvSource::Text(text.to_owned()),
        // What stands there may be the secret itself.
        _ => {
            return Err(format!(
                "{name} comes from env:NAME, file:PATH or text:TEXT; a secret itself does not belong on a command line"
            ));
        }
    };
    Ok(Edit::Env(name.to_owned(), source))
}

pub(super) fn directory(text: &str) -> Result<Edit, String> {
    let (text, access) = match text.strip_suffix(":rw") {
        Some(text) => (text, Access::Write),
        None => (text, Access::Read),
    };
    let (path, guest_path) = match text.rsplit_once(":/") {
        Some((path, guest_path)) => (path, format!("/{guest_path}")),
        None => {
            let name = Path::new(text).file_name().and_then(|name| name.to_str());
            let name = name.ok_or_else(|| format!("{text:?}: write PATH:/AS"))?;
            (text, format!("/{name}"))
        }
    };
    if path.is_empty() {
        return Err("write PATH, PATH:/AS or PATH:/AS:rw".to_owned());
    }
    DirGrant::check_guest_path(&guest_path)?;
    // The file's own folder is where a relative path in it starts; the command may be given elsewhere.
    let path = std::path::absolute(path).map_err(|e| format!("{path}: {e}"))?;
    Ok(Edit::Dir {
        path: path.to_string_lossy().into_owned(),
        guest_path,
        access,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_variable_comes_from_somewhere() {
        let secret = |source| EnvSource::Secret(source);
        let cases = [
            ("KEY", secret(SecretSource::Env("KEY".into()))),
            ("KEY=env:OTHER", secret(SecretSource::Env("OTHER".into()))),
            (
                "KEY=file:/run/key",
                secret(SecretSource::File("/run/key".into())),
            ),
            ("KEY=text:a=b:c", EnvSource::Text("a=b:c".into())),
        ];
        for (text, source) in cases {
            assert_eq!(
                variable(text),
                Ok(Edit::Env("KEY".into(), source)),
                "{text}"
            );
        }
        for text in ["KEY=hunter2", "KEY=env:hunter-2", "1KEY", "", "KEY=file:"] {
            let error = variable(text).unwrap_err();
            assert!(!error.contains("hunter"), "{error}");
        }
    }

    #[test]
    fn a_directory_is_found_by_its_name_or_another() {
        let dir = |path: &str, guest_path: &str, access| {
            Ok(Edit::Dir {
                path: path.to_owned(),
                guest_path: guest_path.to_owned(),
                access,
            })
        };
        let cases = [
            ("/srv/data", dir("/srv/data", "/data", Access::Read)),
            ("/srv/data:rw", dir("/srv/data", "/data", Access::Write)),
            ("/srv/data:/in", dir("/srv/data", "/in", Access::Read)),
            ("/srv/a:b:/in/x:rw", dir("/srv/a:b", "/in/x", Access::Write)),
        ];
        for (text, edit) in cases {
            assert_eq!(directory(text), edit, "{text}");
        }
        for text in ["", "/", "/srv:/../x", ":/data"] {
            assert!(directory(text).is_err(), "{text:?}");
        }
    }
}
