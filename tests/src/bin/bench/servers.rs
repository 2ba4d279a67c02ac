//! The servers that are measured: the bare one and coinop, started alike.

use std::fs::File;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Result;
use coinop_tests::era::Era;
use coinop_tests::home::Home;
use coinop_tests::paths;
use tokio::process::Command;

use crate::http_load::HttpSubject;
use crate::load::Subject;
use crate::stdio_load::StdioSubject;

/// The mode of every home: a call that asks for payment, and one that redeems it.
pub(crate) const MODE: &str = "two_step";

/// A transport with its form of replies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wire {
    /// Pipes.
    Stdio,
    /// HTTP, JSON replies, no session: the modern era.
    HttpJson,
    /// HTTP, a session and SSE replies: the legacy era.
    HttpSse,
}

impl Wire {
    /// All of them.
    pub(crate) const ALL: [Self; 3] = [Self::Stdio, Self::HttpJson, Self::HttpSse];

    /// As the table says it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Stdio => "stdio",
            Self::HttpJson => "HTTP, JSON",
            Self::HttpSse => "HTTP, SSE",
        }
    }

    pub(crate) fn era(self) -> Era {
        match self {
            Self::Stdio | Self::HttpSse => Era::Legacy,
            Self::HttpJson => Era::Modern,
        }
    }
}

/// A home on the disk that holds the target directory, where payments are paid at once.
pub(crate) fn home() -> Home {
    home_with("")
}

/// The same for one transport's form of replies.
pub(crate) fn home_for(wire: Wire) -> Home {
    match wire {
        Wire::Stdio | Wire::HttpJson => home(),
        Wire::HttpSse => home_with("[http]\nreplies = \"event-stream\"\n"),
    }
}

/// As [`home`], with more in its `coinop.toml`.
pub(crate) fn home_with(more: &str) -> Home {
    let instant =
        "provider = \"instant\"\n[accounts.instant]\nkind = \"sandbox\"\npays = \"at-once\"\n";
    Home::inside(&paths::target())
        .mode(MODE)
        .config(&format!("{instant}{more}"))
}

/// What a host on stdio writes to stderr.
pub(crate) fn log(home: &Home) -> PathBuf {
    home.path("host.log")
}

/// Starts the bare server.
///
/// # Errors
/// When it does not start.
pub(crate) fn bare(wire: Wire) -> Result<Subject> {
    let mut command = Command::new(paths::binary("bare"));
    match wire {
        Wire::Stdio => Ok(Subject::Stdio(
            StdioSubject::start(command.into_std(), wire.era())?.0,
        )),
        Wire::HttpJson | Wire::HttpSse => {
            command.arg("--http");
            Ok(Subject::Http(Box::new(HttpSubject::start(
                command,
                wire.era(),
            )?)))
        }
    }
}

/// Starts coinop in `home`.
///
/// # Errors
/// When it does not start.
pub(crate) fn coinop(home: &Home, wire: Wire) -> Result<Subject> {
    match wire {
        Wire::Stdio => Ok(Subject::Stdio(coinop_on_stdio(home)?.0)),
        Wire::HttpJson | Wire::HttpSse => {
            let command = home.serve(&["--http", "127.0.0.1:0"]);
            Ok(Subject::Http(Box::new(HttpSubject::start(
                command,
                wire.era(),
            )?)))
        }
    }
}

/// Starts coinop on stdio; also the time from before the spawn to its greeting.
///
/// # Errors
/// When it does not start.
pub(crate) fn coinop_on_stdio(home: &Home) -> Result<(StdioSubject, Duration)> {
    let mut command = home.serve(&["--pay-addr", "127.0.0.1:0"]).into_std();
    command.stderr(File::create(log(home))?);
    StdioSubject::start(command, Era::Legacy)
}

/// Starts the bare server on stdio; also the time from before the spawn to its greeting.
///
/// # Errors
/// When it does not start.
pub(crate) fn bare_on_stdio() -> Result<(StdioSubject, Duration)> {
    StdioSubject::start(Command::new(paths::binary("bare")).into_std(), Era::Legacy)
}
