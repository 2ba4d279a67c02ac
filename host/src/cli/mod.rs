//! The command line: one file a command, errors a person can act on, exit codes a script can read.
//!
//! 0: done. 1: it did not work, and stderr says why. 2: the command line is wrong.

mod block;
mod build;
mod call;
mod check;
mod demo;
mod grant;
mod ledger;
mod lock;
mod moment;
mod new;
pub mod payments;
mod pull;
mod push;
mod receipts;
mod reconcile;
mod registry;
mod serve;
mod terminal;
#[cfg(test)]
pub(crate) mod testing;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::{Args, Parser, Subcommand};

use crate::config::{Config, Overrides, Places, Secret};

/// A host for paid tools: drop a WebAssembly component into a folder, and its tools are served over MCP with a price.
#[derive(Parser)]
#[command(name = "coinop", version, about, max_term_width = 110)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Serve the tools of a folder over MCP: stdio, or HTTP with --http
    Serve(serve::Serve),
    /// Walk through one paid call on the terminal, then keep serving
    Demo(demo::Demo),
    /// Write a project to start a plugin from
    New(new::New),
    /// Build a plugin's project with its language's own tools
    Build(build::Build),
    /// Say what is in plugin files, what their tools cost, and what is wrong with them
    Check(check::Check),
    /// Run one tool here and now, without charging anybody
    Call(call::Call),
    /// Show what a plugin needs and is granted, and grant it or take it away
    Grant(grant::Grant),
    /// Look at payments, and pay or decline pretended ones
    Payments(payments::Payments),
    /// Verify receipts, and look after the keys that sign them
    Receipts(receipts::Receipts),
    /// Compare the ledger with what the providers have on record, and print every difference
    Reconcile(reconcile::Reconcile),
    /// Check that the ledger holds together, or back it up
    Ledger(ledger::LedgerCommand),
    /// Accept plugins as they are: write down in coinop.lock what they are, say and may reach
    Lock(lock::LockPlugins),
    /// Fetch a component from an OCI registry into the folder of plugins, once it is verified
    Pull(pull::Pull),
    /// Publish a component in an OCI registry
    Push(push::Push),
    /// Stop selling and running one version of a plugin at once
    Block(block::Block),
}

/// Where things are: the same for every command.
#[derive(Args, Clone, Debug, Default)]
struct Locations {
    /// The configuration file [default: coinop.toml in the platform's configuration folder]
    #[arg(long, global = true, value_name = "FILE", env = "COINOP_CONFIG")]
    config: Option<PathBuf>,
    /// The folder of plugins
    #[arg(long, global = true, value_name = "DIR")]
    plugins: Option<PathBuf>,
    /// The ledger: a file shared by every coinop of this user, or a postgres:// URL shared by any number of hosts
    #[arg(
        long,
        global = true,
        value_name = "PATH|URL",
        env = "COINOP_STATE",
        hide_env_values = true
    )]
    state: Option<Secret>,
    /// The folder for compiled code; may be deleted at any time
    #[arg(long, global = true, value_name = "DIR")]
    cache: Option<PathBuf>,
}

impl Locations {
    /// Reads the configuration with what the command line says on top.
    fn load(&self, mut overrides: Overrides) -> anyhow::Result<Config> {
        let mut places = Places::of_user()?;
        if let Some(cache) = &self.cache {
            places.cache_dir = std::path::absolute(cache).context("--cache")?;
        }
        overrides.config.clone_from(&self.config);
        overrides.plugins_dir.clone_from(&self.plugins);
        overrides.state.clone_from(&self.state);
        Ok(Config::load(overrides, places)?)
    }
}

/// Reads a listening address, and says what one looks like.
fn listening(text: &str) -> Result<SocketAddr, String> {
    let loopback = |port: &str| Some(SocketAddr::from(([127, 0, 0, 1], port.parse().ok()?)));
    text.strip_prefix("localhost:")
        .and_then(loopback)
        .or_else(|| text.parse().ok())
        .ok_or_else(|| "write an IP address and a port, such as 127.0.0.1:7402".to_owned())
}

/// How payment works, for the commands that serve.
#[derive(Args, Clone, Debug, Default)]
struct Paying {
    /// How payment is coordinated with the client: auto, two_step, resubmit, elicitation, url_elicitation, progress,
    /// dynamic_tools or x402
    #[arg(long)]
    mode: Option<String>,
    /// The provider account that is paid, by its name in coinop.toml
    #[arg(long, value_name = "ACCOUNT")]
    provider: Option<String>,
    /// What payment links start with, when this host is behind a proxy
    #[arg(long, value_name = "URL")]
    public_url: Option<String>,
    /// Allow pretended payments on an address that others can reach
    #[arg(long)]
    allow_test_payments: bool,
}

impl Paying {
    fn overrides(&self, http: Option<SocketAddr>) -> Overrides {
        Overrides {
            mode: self.mode.clone(),
            provider: self.provider.clone(),
            public_url: self.public_url.clone(),
            http,
            ..Overrides::default()
        }
    }
}

/// The runtime of a host. One thread more than there are processors: as many guests as there are processors may compute
/// at a time, and a short call then finds a thread that none of them holds, which the system lets go first.
///
/// # Errors
/// The system gives no threads.
pub fn runtime() -> std::io::Result<tokio::runtime::Runtime> {
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(processors + 1)
        .enable_all()
        .build()
}

/// Parses the command line, runs the command, and gives the exit code.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    let runtime = match runtime() {
        Ok(runtime) => runtime,
        Err(error) => return terminal::fail(&error.into()),
    };
    let code = match runtime.block_on(run(cli)) {
        Ok(code) => code,
        Err(error) => terminal::fail(&error),
    };
    // A guest that is still computing must not hold the process up.
    runtime.shutdown_background();
    code
}

async fn run(cli: Cli) -> anyhow::Result<ExitCode> {
    match cli.command {
        Command::Serve(command) => command.run().await,
        Command::Demo(command) => command.run().await,
        Command::New(command) => command.run(),
        Command::Build(command) => command.run().await,
        Command::Check(command) => command.run().await,
        Command::Call(command) => command.run().await,
        Command::Grant(command) => command.run().await,
        Command::Payments(command) => command.run().await,
        Command::Receipts(command) => command.run().await,
        Command::Reconcile(command) => command.run().await,
        Command::Ledger(command) => command.run().await,
        Command::Lock(command) => command.run().await,
        Command::Pull(command) => command.run().await,
        Command::Push(command) => command.run().await,
        Command::Block(command) => command.run().await,
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn no_two_arguments_of_a_command_have_one_name() {
        Cli::command().debug_assert();
    }
}
