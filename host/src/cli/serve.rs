//! `coinop serve`: MCP on stdio, on HTTP, or on both.

use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use tokio_util::sync::CancellationToken;

use super::{Locations, Paying, listening, terminal};
use crate::app::{self, App};
use crate::config::{DEFAULT_ADDR, Overrides};

/// How long a host that is to stop may take over its last answers: the longest run, and a moment to tell of it.
const LAST_ANSWERS_WAIT: Duration = Duration::from_secs(45);
const STOPPED_AT_ONCE: &str = "coinop: stopped at once; paid runs are finished by the next host";

/// Serve the tools of a folder over MCP: stdio, or HTTP with --http.
#[derive(Args)]
pub(super) struct Serve {
    #[command(flatten)]
    locations: Locations,
    #[command(flatten)]
    paying: Paying,
    /// Serve streamable HTTP on this address, such as 127.0.0.1:7402 (the default where none is given)
    #[arg(long, value_name = "ADDR", num_args = 0..=1, default_missing_value = "127.0.0.1:7402", value_parser = listening)]
    http: Option<SocketAddr>,
    /// Serve stdio beside HTTP
    #[arg(long)]
    stdio: bool,
    /// Do not serve stdio; HTTP on its default address where none is given
    #[arg(long, conflicts_with = "stdio")]
    no_stdio: bool,
    /// Where payment pages are while only stdio is served
    #[arg(long, value_name = "ADDR", default_value_t = DEFAULT_ADDR, value_parser = listening)]
    pay_addr: SocketAddr,
    /// Load only what coinop.lock names, with the grants that were accepted
    #[arg(long)]
    locked: bool,
}

impl Serve {
    pub(super) async fn run(self) -> anyhow::Result<ExitCode> {
        let config = self.locations.load(Overrides {
            locked: self.locked,
            ..self.paying.overrides(self.http)
        })?;
        let http = config.http.addr.or(self.no_stdio.then_some(DEFAULT_ADDR));
        let stdio = self.stdio || (http.is_none() && !self.no_stdio);
        terminal::log_to_stderr(if http.is_some() { "info" } else { "warn" });
        let app = Arc::new(App::start(config).await?);
        let door = http.unwrap_or(self.pay_addr);
        if !self.paying.allow_test_payments {
            app.refuse_public_test_money(door)?;
        }
        let served = async {
            let served = serve(&app, stdio, http, self.pay_addr).await;
            app.stop().await;
            served
        };
        let asked_twice = async {
            asked_to_stop().await;
            app.stopping().cancel();
            asked_to_stop().await;
        };
        tokio::select! {
            served = served => served?,
            () = asked_twice => eprintln!("{STOPPED_AT_ONCE}"),
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// Serves until the client is gone or the host is to stop; what was begun by then is answered.
async fn serve(
    app: &Arc<App>,
    stdio: bool,
    http: Option<SocketAddr>,
    pay_addr: SocketAddr,
) -> anyhow::Result<()> {
    let listener = match http {
        Some(addr) => Some(app::bind(addr).await?),
        None => None,
    };
    let closing = app.stopping();
    let web = async {
        match listener {
            Some(listener) => {
                eprintln!("coinop serves MCP on http://{}/mcp", listener.local_addr()?);
                app.serve_http(listener).await
            }
            None => {
                app.keep_pages(pay_addr).await;
                Ok(())
            }
        }
    };
    let local = async {
        match stdio {
            true => app.serve_stdio().await,
            false => {
                closing.cancelled().await;
                Ok(())
            }
        }
    };
    let too_late = async {
        closing.cancelled().await;
        tokio::time::sleep(LAST_ANSWERS_WAIT).await;
    };
    // Whichever ends first ends the other.
    let (local, web) = (closing_after(&closing, local), closing_after(&closing, web));
    tokio::select! {
        (local, web) = async { tokio::join!(local, web) } => local.and(web),
        () = too_late => Ok(()),
    }
}

async fn closing_after<T>(closing: &CancellationToken, serving: impl Future<Output = T>) -> T {
    let ended = serving.await;
    closing.cancel();
    ended
}

/// Stops in order; a second request to stop does not wait.
pub(super) async fn stop(app: Arc<App>) {
    tokio::select! {
        () = app.stop() => {}
        () = asked_to_stop() => eprintln!("{STOPPED_AT_ONCE}"),
    }
}

/// Waits for ctrl-c, or the system's polite request to end.
pub(super) async fn asked_to_stop() {
    let interrupt = tokio::signal::ctrl_c();
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminate) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = interrupt => {}
                _ = terminate.recv() => {}
            }
            return;
        }
    }
    let _ = interrupt.await;
}
