//! A host's folder: plugins, configuration, ledger. It outlives the hosts that run in it.

use std::path::{Path, PathBuf};

use tempfile::TempDir;
use tokio::process::Command;

use crate::client::Client;
use crate::era::Era;
use crate::host::HttpHost;
use crate::paths;
use crate::stdio::StdioClient;

/// No test is about how many payments one caller may have open, except those that say so; benchmarks, least of all.
const NO_CAPS: &str = "\n[callers]\nopen_payments = \"unlimited\"\nlinks_per_minute = \"unlimited\"\n\
                       [callers.anonymous]\nopen_payments = \"unlimited\"\nlinks_per_minute = \"unlimited\"\n";

/// A temporary folder in which hosts run, one after another or several at a time.
pub struct Home {
    dir: TempDir,
    arguments: Vec<String>,
    environment: Vec<(String, String)>,
    cache: PathBuf,
    state: Option<String>,
}

impl Home {
    /// An empty folder.
    pub fn new() -> Self {
        Self::at(tempfile::tempdir())
    }

    /// An empty folder on the disk of `parent`.
    pub fn inside(parent: &Path) -> Self {
        Self::at(tempfile::tempdir_in(parent))
    }

    fn at(dir: std::io::Result<TempDir>) -> Self {
        let dir = dir.expect("a temporary folder can be made");
        std::fs::create_dir(dir.path().join("plugins")).expect("the folder is writable");
        let home = Self {
            dir,
            arguments: Vec::new(),
            environment: Vec::new(),
            cache: paths::shared_cache(),
            state: None,
        };
        let config = home.path("coinop.toml");
        let home = home
            .argument("--config")
            .argument(config.to_str().expect("a UTF-8 path"));
        home.config("")
    }

    /// With this guest or shipped plugin in the plugins folder.
    pub fn plugin(self, name: &str) -> Self {
        self.put_plugin(name, name);
        self
    }

    /// With this `coinop.toml`; without caps on how many payments callers have open, unless it says some.
    pub fn config(self, toml: &str) -> Self {
        self.configure(toml);
        self
    }

    /// As [`Self::config`], for hosts started from now on.
    pub fn configure(&self, toml: &str) {
        let caps = if toml.contains("[callers") {
            ""
        } else {
            NO_CAPS
        };
        std::fs::write(self.path("coinop.toml"), format!("{toml}{caps}"))
            .expect("the folder is writable");
    }

    /// With an argument for every host.
    pub fn argument(mut self, argument: &str) -> Self {
        self.arguments.push(argument.to_owned());
        self
    }

    /// With a mode for every host.
    pub fn mode(self, mode: &str) -> Self {
        self.argument("--mode").argument(mode)
    }

    /// With its ledger in this database instead of a file of the folder.
    pub fn database(mut self, url: &str) -> Self {
        self.state = Some(url.to_owned());
        self
    }

    /// With a compiled-code cache of its own.
    pub fn own_cache(mut self) -> Self {
        self.cache = self.path("cache");
        self
    }

    /// A path in the folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Keeps the folder for good, for somebody to look into, and says where it is.
    pub fn keep(self) -> PathBuf {
        self.dir.keep()
    }

    /// The ledger's file.
    pub fn ledger(&self) -> PathBuf {
        self.path("ledger.db")
    }

    /// Puts the guest `from` under `plugins/NAME.wasm`, replacing what is there in one step.
    pub fn put_plugin(&self, from: &str, name: &str) {
        self.put_file(&paths::guest(from), name);
    }

    /// As [`Self::put_plugin`], from any file.
    pub fn put_file(&self, from: &Path, name: &str) {
        let part = self.path("incoming");
        std::fs::copy(from, &part).expect("the component can be copied");
        std::fs::rename(part, self.plugin_path(name)).expect("the folder is writable");
    }

    /// `plugins/NAME.wasm`.
    pub fn plugin_path(&self, name: &str) -> PathBuf {
        self.path("plugins").join(format!("{name}.wasm"))
    }

    /// Sets an environment variable for hosts started from now on.
    pub fn env(&mut self, name: &str, value: &str) {
        self.environment.push((name.to_owned(), value.to_owned()));
    }

    /// Forgets those variables.
    pub fn clear_env(&mut self) {
        self.environment.clear();
    }

    /// `coinop serve` with everything set, ready to run.
    pub fn serve(&self, extra: &[&str]) -> Command {
        let mut command = self.coinop(&["serve"]);
        command
            .arg("--plugins")
            .arg(self.path("plugins"))
            .arg("--state");
        match &self.state {
            Some(url) => command.arg(url),
            None => command.arg(self.ledger()),
        };
        command.arg("--cache").arg(&self.cache);
        command.args(&self.arguments).args(extra);
        command
    }

    /// `coinop` with any arguments, in this folder.
    pub fn coinop(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(paths::binary("coinop"));
        command.args(arguments).current_dir(self.dir.path());
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        // Nothing of the developer's own configuration or ledger may be touched.
        command
            .env("HOME", self.dir.path())
            .env("XDG_STATE_HOME", self.path("state"));
        command
            .env("XDG_CACHE_HOME", self.path("cache"))
            .env("XDG_CONFIG_HOME", self.path("config"));
        command
    }

    /// Starts a host on stdio, with payment pages on a port of its own.
    pub async fn stdio(&self, era: Era) -> Client {
        self.stdio_paying_at("127.0.0.1:0", era).await
    }

    /// As [`Self::stdio`], with the address of the payment pages.
    pub async fn stdio_paying_at(&self, address: &str, era: Era) -> Client {
        let client = StdioClient::start(self.serve(&["--pay-addr", address]), era).await;
        Client::Stdio(Box::new(client))
    }

    /// Starts a host on HTTP, on a port of its own.
    pub async fn http(&self) -> HttpHost {
        HttpHost::start(self.serve(&["--http", "127.0.0.1:0"])).await
    }

    /// The arguments with which a real client starts the host on stdio.
    pub fn command_line(&self) -> Vec<String> {
        let command = self.serve(&["--pay-addr", "127.0.0.1:0"]);
        let command = command.as_std();
        let words = std::iter::once(command.get_program()).chain(command.get_args());
        words
            .map(|word| word.to_str().expect("UTF-8").to_owned())
            .collect()
    }
}

impl Default for Home {
    fn default() -> Self {
        Self::new()
    }
}
