//! `coinop build`: runs the project's own command and puts the component and its sidecar into a folder.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use serde::Deserialize;
use thiserror::Error;
use tokio::process::Command;

use super::manifest::{Manifest, ManifestError};
use super::{bindings, component, tool};
use crate::config::{ConfigErrors, PluginRules};

/// What a build made.
#[derive(Debug)]
pub(crate) struct Built {
    /// The component.
    pub(crate) component: PathBuf,
    /// Its sidecar, where the project has one.
    pub(crate) sidecar: Option<PathBuf>,
    /// The component's size, bytes.
    pub(crate) size: usize,
}

/// Why nothing was made.
#[derive(Debug, Error)]
pub(crate) enum BuildError {
    /// The folder is no project, or its manifest is wrong.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    /// A compiler is missing; the message says how to get it.
    #[error("{0}")]
    Missing(String),
    /// The compiler said why, on stderr.
    #[error("`{0}` failed")]
    Command(String),
    /// Cargo built no component.
    #[error("`{0}` made no component: Cargo.toml needs `[lib]` with `crate-type = [\"cdylib\"]`")]
    NoComponent(String),
    /// The sidecar is wrong.
    #[error(transparent)]
    Sidecar(#[from] ConfigErrors),
    /// The bindings could not be written.
    #[error("bindings: {0:#}")]
    Bindings(anyhow::Error),
    /// What the compiler left is no plugin.
    #[error("{file}: {why:#}", file = .file.display())]
    Component {
        /// What it left.
        file: PathBuf,
        /// What is wrong with it.
        why: anyhow::Error,
    },
    /// A file or folder.
    #[error("{path}: {source}", path = .path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// What happened.
        source: io::Error,
    },
}

/// Builds the project in `folder` and puts `NAME.wasm` and `NAME.toml` into `out`. What the compiler prints goes to
/// stderr.
///
/// # Errors
/// Nothing in `out` has changed then.
pub(crate) async fn build(folder: &Path, out: &Path) -> Result<Built, BuildError> {
    let manifest = Manifest::read(folder)?;
    let sidecar = format!("{}.toml", manifest.name);
    let has_sidecar = PluginRules::read_sidecar(&folder.join(&sidecar))?.is_some();
    bindings::write(folder, &manifest).map_err(BuildError::Bindings)?;
    let left = folder.join(run(folder, &manifest).await?);
    let bytes = fs::read(&left).map_err(at(&left))?;
    let component = component::componentize(bytes, &folder.join(&manifest.wit), &manifest.world)
        .map_err(|why| BuildError::Component { file: left, why })?;
    fs::create_dir_all(out).map_err(at(out))?;
    let sidecar = has_sidecar.then_some(sidecar);
    if let Some(sidecar) = &sidecar {
        let from = folder.join(sidecar);
        place(&fs::read(&from).map_err(at(&from))?, &out.join(sidecar))?;
    }
    let file = out.join(format!("{}.wasm", manifest.name));
    place(&component, &file)?;
    Ok(Built {
        component: file,
        sidecar: sidecar.map(|sidecar| out.join(sidecar)),
        size: component.len(),
    })
}

/// Runs the command to its end, and gives the file it left.
async fn run(folder: &Path, manifest: &Manifest) -> Result<PathBuf, BuildError> {
    let words = tool::resolved(&manifest.command).map_err(BuildError::Missing)?;
    let shown = manifest.command.join(" ");
    let mut command = Command::new(&words[0]);
    command.args(&words[1..]).current_dir(folder);
    command.envs(&manifest.environment);
    command.stdin(Stdio::null()).kill_on_drop(true);
    if let Some(output) = &manifest.output {
        if let Some(parent) = folder.join(output).parent() {
            // C compilers do not make the folder of what they write.
            fs::create_dir_all(parent).map_err(at(parent))?;
        }
        // Our stdout is for our answer.
        command.stdout(Stdio::from(io::stderr()));
    } else {
        command.arg("--message-format=json-render-diagnostics");
        command.stdout(Stdio::piped());
    }
    command.stderr(Stdio::inherit());
    let child = command.spawn().map_err(at(Path::new(&words[0])))?;
    let output = child.wait_with_output().await.map_err(at(folder))?;
    if !output.status.success() {
        return Err(BuildError::Command(shown));
    }
    match &manifest.output {
        Some(file) => Ok(file.clone()),
        None => cargo_left(&output.stdout, &manifest.name).ok_or(BuildError::NoComponent(shown)),
    }
}

/// A line of cargo's machine-readable messages, as far as it matters here.
#[derive(Deserialize)]
struct Message {
    reason: String,
    target: Option<Target>,
    #[serde(default)]
    filenames: Vec<PathBuf>,
}

#[derive(Deserialize)]
struct Target {
    name: String,
}

/// The `.wasm` of the library that is called like the plugin; the last one where none is.
fn cargo_left(stdout: &[u8], name: &str) -> Option<PathBuf> {
    let library = name.replace('-', "_");
    let mut found = None;
    for line in stdout.split(|byte| *byte == b'\n') {
        let Ok(message) = serde_json::from_slice::<Message>(line) else {
            continue;
        };
        let is_wasm = |file: &&PathBuf| file.extension().is_some_and(|ending| ending == "wasm");
        let Some(file) = message.filenames.iter().find(is_wasm) else {
            continue;
        };
        if message.reason != "compiler-artifact" {
            continue;
        }
        if message
            .target
            .is_some_and(|t| t.name.replace('-', "_") == library)
        {
            return Some(file.clone());
        }
        found = Some(file.clone());
    }
    found
}

/// Whole or not at all, and not at all when it is there already: a host may be watching the folder.
fn place(bytes: &[u8], file: &Path) -> Result<(), BuildError> {
    if fs::read(file).is_ok_and(|there| there == bytes) {
        return Ok(());
    }
    let part = file.with_added_extension("part");
    fs::write(&part, bytes)
        .and_then(|()| fs::rename(&part, file))
        .map_err(at(file))
}

fn at(path: &Path) -> impl FnOnce(io::Error) -> BuildError {
    let path = path.to_owned();
    |source| BuildError::File { path, source }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cargos_component_is_found_by_the_plugins_name() {
        let line = |name: &str, file: &str| {
            format!(
                r#"{{"reason":"compiler-artifact","target":{{"name":"{name}"}},"filenames":["{file}"]}}"#
            )
        };
        let told = [
            line("serde", "/t/libserde.rlib"),
            line("exchange_rates", "/t/exchange_rates.wasm"),
            line("other", "/t/other.wasm"),
            r#"{"reason":"build-finished","success":true}"#.to_owned(),
        ]
        .join("\n");
        let left = |name: &str| cargo_left(told.as_bytes(), name);
        assert_eq!(
            left("exchange-rates"),
            Some("/t/exchange_rates.wasm".into())
        );
        assert_eq!(left("renamed"), Some("/t/other.wasm".into()));
        assert_eq!(cargo_left(b"", "a"), None);
    }

    #[tokio::test]
    async fn a_command_makes_a_component_and_its_sidecar() {
        let home = tempfile::tempdir().unwrap();
        let folder = home.path();
        fs::write(folder.join("left.wasm"), b"\0asm\x0d\0\x01\0").unwrap();
        fs::write(folder.join("a.toml"), "price = \"free\"\n").unwrap();
        fs::write(
            folder.join("plugin.toml"),
            "name = \"a\"\ncommand = [\"cargo\", \"--version\"]\noutput = \"left.wasm\"\n",
        )
        .unwrap();
        let built = build(folder, &folder.join("dist")).await.unwrap();
        assert_eq!(built.size, 8);
        assert_eq!(fs::read(&built.component).unwrap().len(), 8);
        assert_eq!(built.sidecar, Some(folder.join("dist/a.toml")));
    }

    #[tokio::test]
    async fn a_wrong_sidecar_is_told_before_anything_is_built() {
        let home = tempfile::tempdir().unwrap();
        let folder = home.path();
        fs::write(folder.join("a.toml"), "prise = \"free\"\n").unwrap();
        fs::write(
            folder.join("plugin.toml"),
            "name = \"a\"\ncommand = [\"cargo\", \"--version\"]\noutput = \"left.wasm\"\n",
        )
        .unwrap();
        let error = build(folder, &folder.join("dist")).await.unwrap_err();
        assert!(error.to_string().contains("prise"), "{error}");
        assert!(!folder.join("dist").exists());
    }
}
