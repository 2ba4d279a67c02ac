//! A running host that serves HTTP, and the log of any host.

use std::net::SocketAddr;
use std::process::Stdio;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, ChildStderr, Command};
use tokio::sync::Notify;

use crate::client::Client;
use crate::era::Era;
use crate::http::{Connection, Response};
use crate::http_client::HttpClient;
use crate::wait::within;

/// What a host wrote to stderr, so far.
#[derive(Clone, Default)]
pub struct Log(Arc<LogInner>);

#[derive(Default)]
struct LogInner {
    lines: Mutex<Vec<String>>,
    more: Notify,
}

impl Log {
    /// Collects the lines of `stderr` as they come.
    pub(crate) fn follow(stderr: ChildStderr) -> Self {
        let log = Self::default();
        let inner = Arc::clone(&log.0);
        tokio::spawn(async move {
            let mut lines = BufReader::new(stderr).lines();
            while let Ok(Some(line)) = lines.next_line().await {
                inner.lines.lock().expect("no panic holds it").push(line);
                inner.more.notify_waiters();
            }
        });
        log
    }

    /// All of it.
    pub fn text(&self) -> String {
        self.0.lines.lock().expect("no panic holds it").join("\n")
    }

    /// Awaits a line from which `pick` makes something.
    pub async fn line<T>(&self, what: &str, pick: impl Fn(&str) -> Option<T>) -> T {
        within(what, async {
            loop {
                let more = self.0.more.notified();
                if let Some(found) = self
                    .0
                    .lines
                    .lock()
                    .expect("no panic holds it")
                    .iter()
                    .find_map(|line| pick(line))
                {
                    return found;
                }
                more.await;
            }
        })
        .await
    }
}

/// A host that serves HTTP. Dropping it kills it.
pub struct HttpHost {
    child: Child,
    /// Where it listens.
    pub address: SocketAddr,
    /// What it wrote to stderr.
    pub log: Log,
}

impl HttpHost {
    /// Starts `command` and waits for the line that names its URL.
    pub async fn start(mut command: Command) -> Self {
        command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        let mut child = command.kill_on_drop(true).spawn().expect("the host starts");
        let log = Log::follow(child.stderr.take().expect("stderr is piped"));
        let address = tokio::select! {
            address = log.line("the line with the URL", bound_address) => address,
            status = child.wait() => panic!("the host ended ({status:?}); its log:\n{}", log.text()),
        };
        Self {
            child,
            address,
            log,
        }
    }

    /// A new client, anonymous.
    pub async fn client(&self, era: Era) -> Client {
        Client::Http(HttpClient::open(self.address, era, None).await)
    }

    /// A new client with an API key.
    pub async fn client_with_key(&self, era: Era, key: &str) -> Client {
        Client::Http(HttpClient::open(self.address, era, Some(key)).await)
    }

    /// Fetches a page.
    pub async fn get(&self, path: &str) -> Response {
        let mut connection = Connection::open(self.address)
            .await
            .expect("the host is reachable");
        connection
            .send("GET", path, "", b"")
            .await
            .expect("the host answers")
    }

    /// The endpoint's URL.
    pub fn url(&self) -> String {
        format!("http://{}/mcp", self.address)
    }

    /// The process id.
    pub fn pid(&self) -> u32 {
        self.child.id().expect("the host has not been awaited")
    }

    /// kill -9, and waits until it is dead.
    pub async fn kill(mut self) {
        self.child.kill().await.expect("the host can be killed");
    }

    /// Awaits the host's own end.
    pub async fn ended(&mut self) -> std::process::ExitStatus {
        within("the host's end", self.child.wait())
            .await
            .expect("the host can be awaited")
    }
}

/// The address in a line with `http://ADDRESS/mcp`.
fn bound_address(line: &str) -> Option<SocketAddr> {
    let (_, after) = line.split_once("http://")?;
    let (address, _) = after.split_once("/mcp")?;
    address.parse().ok()
}
