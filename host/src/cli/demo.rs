//! `coinop demo`: one paid call on the terminal, as an MCP client would see it, then a host to connect to.

mod connect;
mod walk;

use std::net::{Ipv4Addr, SocketAddr};
use std::process::ExitCode;
use std::sync::Arc;

use clap::Args;
use coinop_core::mode::AUTO;

use super::serve::{asked_to_stop, stop};
use super::{Locations, Paying, listening, terminal};
use crate::app::{self, App};
use crate::config::DEFAULT_ADDR;

/// Walk through one paid call on the terminal, then keep serving.
#[derive(Args)]
pub(super) struct Demo {
    #[command(flatten)]
    locations: Locations,
    /// Serve on this address
    #[arg(long, value_name = "ADDR", value_parser = listening)]
    http: Option<SocketAddr>,
    /// Pay by hand, on the payment page, instead of watching it being paid
    #[arg(long)]
    by_hand: bool,
    /// End after the walk instead of serving on
    #[arg(long)]
    once: bool,
}

impl Demo {
    pub(super) async fn run(self) -> anyhow::Result<ExitCode> {
        terminal::log_to_stderr("warn,coinop::reload=info,coinop::catalog=info");
        let paying = Paying {
            mode: Some(AUTO.to_owned()),
            ..Paying::default()
        };
        let config = self.locations.load(paying.overrides(self.http))?;
        let plugins = config.plugins_dir.clone();
        let listener = match self.http {
            Some(addr) => app::bind(addr).await?,
            // The usual port, so that links look as they will; another one where a host has it already.
            None => match app::bind(DEFAULT_ADDR).await {
                Ok(listener) => listener,
                Err(_) => app::bind(SocketAddr::new(Ipv4Addr::LOCALHOST.into(), 0)).await?,
            },
        };
        let addr = listener.local_addr()?;
        let app = Arc::new(App::start(config).await?);
        app.refuse_public_test_money(addr)?;
        let serving = {
            let app = Arc::clone(&app);
            tokio::spawn(async move { app.serve_http(listener).await })
        };
        let told = self.tell(&app, addr, &plugins).await;
        stop(app).await;
        serving.await??;
        told.map(|()| ExitCode::SUCCESS)
    }

    async fn tell(
        &self,
        app: &App,
        addr: SocketAddr,
        plugins: &std::path::Path,
    ) -> anyhow::Result<()> {
        let walk = async {
            terminal::print(
                "coinop demo: one paid call, as an MCP client sees it. All money here is pretended.\n\n",
            )?;
            app.settled().await;
            walk::walk(&format!("http://{addr}/mcp"), self.by_hand).await
        };
        tokio::select! {
            walked = walk => walked?,
            () = asked_to_stop() => return Ok(()),
        }
        if self.once {
            return Ok(());
        }
        terminal::print(&connect::instructions(addr, plugins)?)?;
        asked_to_stop().await;
        terminal::print("\nStopping.\n")
    }
}
