//! `coinop call --watch`: builds, calls, waits for the next edit, and again, until ctrl-c.

mod ear;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::Context as _;

use self::ear::Ear;
use super::Call;
use crate::app;
use crate::cli::build::dist;
use crate::cli::serve::asked_to_stop;
use crate::config::Overrides;
use crate::project::{MANIFEST, Manifest, build};
use crate::sandbox::Sandbox;

/// What is called again and again.
enum Watched {
    /// A project: built first.
    Project(PathBuf),
    /// A component that somebody else builds.
    File(PathBuf),
}

/// Calls after every change until ctrl-c, or the system's polite request to end.
///
/// # Errors
/// There is nothing to watch. What goes wrong in a turn is shown, and the next edit awaited.
pub(super) async fn run(call: Call) -> anyhow::Result<ExitCode> {
    let watched = Watched::of(call.plugin.as_deref())?;
    let sandbox = app::open_sandbox(&call.locations.load(Overrides::default())?)?;
    tokio::select! {
        ended = turns(&call, &watched, &sandbox) => ended.map(|()| ExitCode::SUCCESS),
        () = asked_to_stop() => Ok(ExitCode::SUCCESS),
    }
}

async fn turns(call: &Call, watched: &Watched, sandbox: &Sandbox) -> anyhow::Result<()> {
    loop {
        // Before the build, so that an edit while it runs is not missed.
        let ear = watched.ear()?;
        if let Err(error) = turn(call, watched, sandbox).await {
            let mut causes: Vec<String> = error.chain().map(ToString::to_string).collect();
            causes.dedup();
            eprintln!("coinop: {}", causes.join(": "));
        }
        let shown = watched.path().display();
        eprintln!("coinop: waiting for changes of {shown}; ctrl-c ends");
        ear.change().await;
    }
}

async fn turn(call: &Call, watched: &Watched, sandbox: &Sandbox) -> anyhow::Result<()> {
    let component = match watched {
        Watched::File(file) => file.clone(),
        Watched::Project(folder) => {
            let began = Instant::now();
            let built = build(folder, &dist(folder)).await?;
            let (shown, took) = (built.component.display(), took(began.elapsed()));
            eprintln!("coinop: built {shown} in {took}");
            built.component
        }
    };
    let config = call.locations.load(Overrides::default())?;
    let tool = call.find_in(vec![component], &config, sandbox).await?;
    let began = Instant::now();
    let answer = call.once(&config, sandbox, tool).await;
    eprintln!("coinop: {} took {}", call.tool, took(began.elapsed()));
    answer.map(|_| ())
}

impl Watched {
    /// What `--plugin` names, or the project that is the current folder.
    fn of(plugin: Option<&Path>) -> anyhow::Result<Self> {
        let path = plugin.unwrap_or_else(|| Path::new("."));
        let path = std::path::absolute(path).context("--plugin")?;
        if path.join(MANIFEST).is_file() {
            return Ok(Self::Project(path));
        }
        anyhow::ensure!(
            !path.is_dir(),
            "{} is no plugin's project: it has no {MANIFEST}; name a project or a .wasm file with --plugin",
            path.display()
        );
        Ok(Self::File(path))
    }

    fn path(&self) -> &Path {
        match self {
            Self::Project(path) | Self::File(path) => path,
        }
    }

    fn ear(&self) -> anyhow::Result<Ear> {
        let shown = self.path().display();
        match self {
            Self::File(file) => Ear::of_file(file),
            // A manifest that is wrong for the moment says nothing of its output.
            Self::Project(folder) => {
                let output = Manifest::read(folder).ok().and_then(|m| m.output);
                Ear::of_project(folder, output.as_deref())
            }
        }
        .with_context(|| format!("cannot watch {shown}"))
    }
}

/// A duration as a person reads it.
fn took(duration: Duration) -> String {
    match duration.as_secs_f64() {
        seconds if seconds < 1.0 => format!("{:.1} ms", seconds * 1000.0),
        seconds => format!("{seconds:.1} s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_by_people() {
        assert_eq!(took(Duration::from_micros(1_234)), "1.2 ms");
        assert_eq!(took(Duration::from_millis(12_340)), "12.3 s");
    }

    #[test]
    fn a_folder_that_is_no_project_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let error = Watched::of(Some(folder.path())).err().unwrap();
        assert!(error.to_string().contains("plugin.toml"), "{error}");
    }
}
