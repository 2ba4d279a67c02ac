//! Starting other programs: in this process group, so that Ctrl-C ends them too; without stdin, so that none waits
//! for an answer; their failures as errors that name the command.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;

use anyhow::{Context, Result, bail};

use crate::workspace::Workspace;

/// What a program printed, when it was asked to be listened to.
#[derive(Default)]
pub(crate) struct Heard {
    /// Whether it ended well.
    pub(crate) ok: bool,
    /// Standard output and standard error, line by line.
    pub(crate) lines: Vec<String>,
}

/// A command that runs in the root of the checkout.
pub(crate) fn command(workspace: &Workspace, program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(program);
    command.current_dir(workspace.source(""));
    // What cargo told this program about its own package must not reach other builds.
    for (name, _) in std::env::vars_os() {
        let of_this_package = [
            "CARGO_PKG_",
            "CARGO_MANIFEST_",
            "CARGO_BIN_",
            "CARGO_CRATE_",
        ];
        if name.to_str().is_some_and(|name| {
            of_this_package
                .iter()
                .any(|prefix| name.starts_with(prefix))
        }) {
            command.env_remove(name);
        }
    }
    command.stdin(Stdio::null());
    command
}

/// `cargo`, the one that started this program.
pub(crate) fn cargo(workspace: &Workspace) -> Command {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = command(workspace, cargo);
    command.env("CARGO_TARGET_DIR", workspace.target(""));
    command
}

/// Runs to the end with its output shown.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let status = command
        .status()
        .with_context(|| format!("cannot start `{}`", shown(command)))?;
    ended_well(command, status)
}

/// Runs to the end and returns what it wrote to standard output; its standard error goes into the error.
pub(crate) fn read(command: &mut Command) -> Result<String> {
    let output = command
        .output()
        .with_context(|| format!("cannot start `{}`", shown(command)))?;
    if !output.status.success() {
        let told = String::from_utf8_lossy(&output.stderr);
        let last = told
            .lines()
            .rfind(|line| !line.trim().is_empty())
            .unwrap_or("no message");
        bail!("`{}` failed: {}", shown(command), last.trim());
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Runs to the end with its output shown and kept.
pub(crate) fn listen(command: &mut Command) -> Result<Heard> {
    let mut child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| format!("cannot start `{}`", shown(command)))?;
    let lines = pass_on(&mut child);
    let status = child.wait()?;
    Ok(Heard {
        ok: status.success(),
        lines,
    })
}

/// Both streams to ours, line by line, until the program has closed them.
fn pass_on(child: &mut Child) -> Vec<String> {
    let (out, err) = (child.stdout.take(), child.stderr.take());
    thread::scope(|scope| {
        let out = scope.spawn(|| {
            out.map(|stream| copy(stream, std::io::stdout()))
                .unwrap_or_default()
        });
        let err = scope.spawn(|| {
            err.map(|stream| copy(stream, std::io::stderr()))
                .unwrap_or_default()
        });
        let mut lines = out.join().unwrap_or_default();
        lines.extend(err.join().unwrap_or_default());
        lines
    })
}

fn copy(from: impl Read, mut to: impl Write) -> Vec<String> {
    let mut lines = Vec::new();
    let mut from = BufReader::new(from);
    let mut line = Vec::new();
    while matches!(from.read_until(b'\n', &mut line), Ok(read) if read > 0) {
        // A terminal that went away is no reason to stop the tests.
        let _ = to.write_all(&line);
        lines.push(String::from_utf8_lossy(&line).trim_end().to_owned());
        line.clear();
    }
    lines
}

/// Replaces this process where the platform can, so that signals reach the program itself.
#[cfg(unix)]
pub(crate) fn become_program(command: &mut Command) -> Result<std::process::ExitCode> {
    use std::os::unix::process::CommandExt;
    command.stdin(Stdio::inherit());
    let error = command.exec();
    Err(error).with_context(|| format!("cannot start `{}`", shown(command)))
}

/// Runs the program and ends as it ends.
#[cfg(not(unix))]
pub(crate) fn become_program(command: &mut Command) -> Result<std::process::ExitCode> {
    command.stdin(Stdio::inherit());
    let status = command
        .status()
        .with_context(|| format!("cannot start `{}`", shown(command)))?;
    let code = status
        .code()
        .and_then(|code| u8::try_from(code).ok())
        .unwrap_or(1);
    Ok(code.into())
}

/// Whether a program of this name can be started.
pub(crate) fn found(program: &str) -> bool {
    let Some(path) = std::env::var_os("PATH") else {
        return false;
    };
    let name = format!("{program}{}", std::env::consts::EXE_SUFFIX);
    std::env::split_paths(&path).any(|folder| folder.join(&name).is_file())
}

/// The file name of a program in a virtual environment.
pub(crate) fn in_venv(venv: &Path, program: &str) -> std::path::PathBuf {
    let folder = if cfg!(windows) { "Scripts" } else { "bin" };
    venv.join(folder)
        .join(format!("{program}{}", std::env::consts::EXE_SUFFIX))
}

fn ended_well(command: &Command, status: ExitStatus) -> Result<()> {
    if status.success() {
        return Ok(());
    }
    bail!("`{}` failed ({status})", shown(command))
}

/// The command as a person would type it, without the path of the program.
fn shown(command: &Command) -> String {
    let program = Path::new(command.get_program());
    let name = program.file_name().unwrap_or(command.get_program());
    std::iter::once(name)
        .chain(command.get_args())
        .map(|part| part.to_string_lossy().into_owned())
        .collect::<Vec<String>>()
        .join(" ")
}
