//! What all commands print the same way: errors, logs, a broken pipe.

use std::io::{self, IsTerminal as _, Write as _};
use std::process::ExitCode;

use tracing_subscriber::EnvFilter;

/// Prints an error with its causes on stderr, and gives the exit code.
pub(super) fn fail(error: &anyhow::Error) -> ExitCode {
    if is_broken_pipe(error) {
        return ExitCode::SUCCESS;
    }
    let mut causes = error.chain().map(ToString::to_string).collect::<Vec<_>>();
    causes.dedup();
    let _ = writeln!(io::stderr(), "coinop: {}", causes.join(": "));
    ExitCode::FAILURE
}

/// Prints to stdout; whoever closed the pipe has read enough.
pub(super) fn print(text: &str) -> anyhow::Result<()> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(text.as_bytes())?;
    stdout.flush()?;
    Ok(())
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error
        .downcast_ref::<io::Error>()
        .is_some_and(|e| e.kind() == io::ErrorKind::BrokenPipe)
}

/// Logs to stderr: stdout belongs to the protocol. `COINOP_LOG` chooses what, such as `debug` or `coinop=debug`.
pub(super) fn log_to_stderr(default: &str) {
    let mut wanted = std::env::var("COINOP_LOG").unwrap_or_else(|_| default.to_owned());
    if !wanted.contains("rmcp") {
        // rmcp logs requests with their arguments, and calls every client that hangs up an error.
        wanted.push_str(",rmcp=off");
    }
    let filter = EnvFilter::try_new(&wanted).unwrap_or_else(|error| {
        eprintln!("coinop: COINOP_LOG is not understood ({error}); logging {default}");
        EnvFilter::new(format!("{default},rmcp=off"))
    });
    let _ = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr)
        .with_ansi(io::stderr().is_terminal())
        .with_target(false)
        .try_init();
}
