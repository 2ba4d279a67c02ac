//! A client nobody here wrote, driven through its script in `tests/clients`.

use std::process::Stdio;

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

use crate::answer::Answer;
use crate::era::Era;
use crate::home::Home;
use crate::host::{HttpHost, Log};
use crate::paths;
use crate::wait::within;

/// Whose client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    /// pip `mcp`.
    Python,
    /// npm `@modelcontextprotocol/client`.
    Node,
}

/// Where the host is.
pub enum Target<'a> {
    /// The client starts this command itself.
    Stdio(Vec<String>),
    /// A host that is running.
    Http(&'a HttpHost),
}

/// A running script. Dropping it kills the script, and with it a host on stdio.
pub struct Script {
    child: Child,
    stdin: Option<ChildStdin>,
    facts: Lines<BufReader<ChildStdout>>,
    log: Log,
}

impl Script {
    /// Starts the client and awaits its connection, in the era asked for.
    pub async fn start(language: Language, era: Era, target: Target<'_>) -> Self {
        let mut command = program(language);
        command.arg(era.name());
        match target {
            Target::Stdio(words) => command.arg("stdio").args(words),
            Target::Http(host) => command.args(["http", &host.url()]),
        };
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.kill_on_drop(true).spawn().unwrap_or_else(|error| {
            panic!(
                "cannot start {language:?} ({error}): `cargo xtask test e2e` says what is missing"
            )
        });
        let log = Log::follow(child.stderr.take().expect("stderr is piped"));
        let facts = BufReader::new(child.stdout.take().expect("stdout is piped")).lines();
        let mut script = Self {
            stdin: child.stdin.take(),
            child,
            facts,
            log,
        };
        let connected = script.fact("connected").await;
        assert_eq!(
            connected["version"],
            era.version(),
            "{language:?} agreed on another era"
        );
        script
    }

    /// Starts a client on stdio of a home.
    pub async fn on_stdio(language: Language, era: Era, home: &Home) -> Self {
        Self::start(language, era, Target::Stdio(home.command_line())).await
    }

    /// The names of the tools, in the order listed.
    pub async fn tools(&mut self) -> Vec<String> {
        let listed = self.order(json!({ "do": "list" }), "listed").await;
        names(&listed)
    }

    /// Calls a tool.
    pub async fn call(&mut self, tool: &str, arguments: Value) -> Answer {
        self.call_hearing(tool, arguments).await.0
    }

    /// Calls a tool: the answer and the progress heard.
    pub async fn call_hearing(&mut self, tool: &str, arguments: Value) -> (Answer, Vec<Value>) {
        self.send(json!({ "do": "call", "tool": tool, "arguments": arguments }))
            .await;
        let fact = self.any_fact().await;
        let progress = fact["progress"].as_array().cloned().unwrap_or_default();
        (Answer(fact), progress)
    }

    /// Calls a tool and cancels the call at its first word of progress.
    pub async fn cancel(&mut self, tool: &str, arguments: Value) {
        let order = json!({ "do": "cancel", "tool": tool, "arguments": arguments });
        let cancelled = self.order(order, "cancelled").await;
        assert_eq!(
            cancelled["early"], true,
            "the call ended before it was cancelled"
        );
    }

    /// Awaits the host's word that its list changed; the list after it.
    pub async fn tools_after_change(&mut self) -> Vec<String> {
        names(&self.order(json!({ "do": "await_change" }), "listed").await)
    }

    /// Ends the client as it ends itself, and a host on stdio with it.
    pub async fn quit(mut self) {
        self.stdin.take();
        let status = within("the client's end", self.child.wait()).await;
        let status = status.expect("the client can be awaited");
        assert!(
            status.success(),
            "the client ended with {status}:\n{}",
            self.log.text()
        );
    }

    async fn order(&mut self, order: Value, fact: &str) -> Value {
        self.send(order).await;
        self.fact(fact).await
    }

    async fn send(&mut self, order: Value) {
        let stdin = self.stdin.as_mut().expect("the client has not quit");
        // A client that has ended shows itself by the fact that never comes.
        let _ = stdin.write_all(format!("{order}\n").as_bytes()).await;
    }

    async fn fact(&mut self, name: &str) -> Value {
        let fact = self.any_fact().await;
        assert_eq!(fact["fact"], name, "the client told {fact}");
        fact
    }

    async fn any_fact(&mut self) -> Value {
        let line = within("the client's fact", self.facts.next_line()).await;
        match line.expect("the client's stdout is readable") {
            Some(line) => serde_json::from_str(&line).expect("a fact is JSON"),
            None => {
                let _ = within("the client's end", self.child.wait()).await;
                panic!("the client ended; its log:\n{}", self.log.text())
            }
        }
    }
}

fn program(language: Language) -> Command {
    match language {
        Language::Python => {
            let mut python = Command::new(paths::python());
            python.arg(paths::client_script("python/client.py"));
            python
        }
        Language::Node => {
            paths::node_packages();
            let mut node = Command::new("node");
            node.arg(paths::client_script("node/client.mjs"));
            node
        }
    }
}

fn names(listed: &Value) -> Vec<String> {
    let tools = listed["tools"].as_array().into_iter().flatten();
    tools
        .filter_map(|tool| Some(tool["name"].as_str()?.to_owned()))
        .collect()
}
