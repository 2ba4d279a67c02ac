//! A raw JSON-RPC client of a server on a child's stdin and stdout.

use std::collections::HashMap;
use std::process::Stdio;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::sync::{Notify, oneshot};

use crate::era::Era;
use crate::host::Log;
use crate::wait::within;

/// A server on stdio, spoken to in one era. Dropping it kills the server.
pub struct StdioClient {
    era: Era,
    next_id: AtomicU64,
    stdin: tokio::sync::Mutex<Option<ChildStdin>>,
    child: tokio::sync::Mutex<Child>,
    pid: u32,
    heard: Arc<Heard>,
    /// What the server wrote to stderr.
    pub log: Log,
}

/// What arrived on stdout.
#[derive(Default)]
struct Heard {
    /// Whoever waits for an answer; `None` once the server has closed its stdout.
    waiting: Mutex<Option<HashMap<u64, oneshot::Sender<Value>>>>,
    notifications: Mutex<Vec<Value>>,
    /// Lines that are no JSON-RPC message, or answer nothing that was asked.
    garbage: Mutex<Vec<String>>,
    changed: Notify,
}

impl StdioClient {
    /// Starts `command` and greets it.
    pub async fn start(command: Command, era: Era) -> Self {
        let client = Self::spawn(command, era);
        let answer = client.greet().await.unwrap_or_else(|| {
            panic!(
                "the server ended before it greeted; its log:\n{}",
                client.log.text()
            )
        });
        assert!(
            answer["result"].is_object(),
            "greeted with {answer}; its log:\n{}",
            client.log.text()
        );
        client
    }

    /// Starts `command`, which may end at any moment; [`Self::greet`] is the caller's to do.
    pub fn spawn(mut command: Command, era: Era) -> Self {
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command
            .kill_on_drop(true)
            .spawn()
            .expect("the server starts");
        let log = Log::follow(child.stderr.take().expect("stderr is piped"));
        let lines = BufReader::new(child.stdout.take().expect("stdout is piped")).lines();
        let heard = Arc::new(Heard {
            waiting: Mutex::new(Some(HashMap::new())),
            ..Heard::default()
        });
        tokio::spawn(listen(lines, Arc::clone(&heard)));
        Self {
            era,
            next_id: AtomicU64::new(1),
            stdin: tokio::sync::Mutex::new(child.stdin.take()),
            pid: child.id().expect("the server has just started"),
            child: tokio::sync::Mutex::new(child),
            heard,
            log,
        }
    }

    /// Greets the server: its answer, `None` when it ends before it answers.
    pub async fn greet(&self) -> Option<Value> {
        let id = self.next_id.fetch_add(1, Ordering::Relaxed);
        let answer = self.exchange(id, self.era.hello(id)).await?;
        if self.era == Era::Legacy {
            self.notify("notifications/initialized", json!({})).await;
        }
        Some(answer)
    }

    /// Sends a request and awaits its response: the whole message, result or error.
    pub async fn request(&self, method: &str, params: Value) -> Value {
        let (id, response) = self.send(method, params).await;
        within(&format!("{method}'s answer, id {id}"), response)
            .await
            .unwrap_or_else(|_| {
                panic!(
                    "the server ended before it answered {method}; its log:\n{}",
                    self.log.text()
                )
            })
    }

    /// Sends a request and does not wait. The receiver fails when the server ends first.
    pub async fn send(&self, method: &str, params: Value) -> (u64, oneshot::Receiver<Value>) {
        let id = self.next_id.fetch_add(1, Ordering::Relaxed);
        let response = self.heard.wait_for(id);
        self.write(&self.era.request(id, method, params)).await;
        (id, response)
    }

    async fn exchange(&self, id: u64, message: Value) -> Option<Value> {
        let response = self.heard.wait_for(id);
        self.write(&message).await;
        within("the greeting", response).await.ok()
    }

    /// Sends a notification.
    pub async fn notify(&self, method: &str, params: Value) {
        self.write(&json!({ "jsonrpc": "2.0", "method": method, "params": params }))
            .await;
    }

    async fn write(&self, message: &Value) {
        self.write_line(&message.to_string()).await;
    }

    /// Writes one line as it is.
    pub async fn write_line(&self, line: &str) {
        let mut stdin = self.stdin.lock().await;
        // A dead server shows itself by the answer that never comes.
        if let Some(stdin) = stdin.as_mut() {
            let _ = stdin.write_all(format!("{line}\n").as_bytes()).await;
        }
    }

    /// Awaits a notification of this method and takes it.
    pub async fn notification(&self, method: &str) -> Value {
        within(method, async {
            loop {
                let changed = self.heard.changed.notified();
                if let Some(found) = self.take_notification(method) {
                    return found;
                }
                changed.await;
            }
        })
        .await
    }

    /// Takes a notification of this method that has already come.
    pub fn take_notification(&self, method: &str) -> Option<Value> {
        let mut notifications = self.heard.notifications.lock().expect("no panic holds it");
        let at = notifications
            .iter()
            .position(|message| message["method"] == method)?;
        Some(notifications.remove(at))
    }

    /// Lines on stdout that are no answer and no notification.
    pub fn garbage(&self) -> Vec<String> {
        self.heard
            .garbage
            .lock()
            .expect("no panic holds it")
            .clone()
    }

    /// The server's process id.
    pub fn pid(&self) -> u32 {
        self.pid
    }

    /// kill -9, and waits until it is dead.
    pub async fn kill(self) {
        let mut child = self.child.lock().await;
        child.kill().await.expect("the server can be killed");
    }

    /// Closes stdin, as a client that quits does, and awaits the exit.
    pub async fn quit(self) -> std::process::ExitStatus {
        self.stdin.lock().await.take();
        self.ended().await
    }

    /// Awaits the server's own end.
    pub async fn ended(&self) -> std::process::ExitStatus {
        let mut child = self.child.lock().await;
        within("the server's end", child.wait())
            .await
            .expect("the server can be awaited")
    }
}

async fn listen(mut lines: Lines<BufReader<ChildStdout>>, heard: Arc<Heard>) {
    while let Ok(Some(line)) = lines.next_line().await {
        heard.hear(line);
    }
    // The senders go, so that whoever waits hears of the end.
    heard.waiting.lock().expect("no panic holds it").take();
}

impl Heard {
    /// Waits for the answer of `id`; fails at once when none can come any more.
    fn wait_for(&self, id: u64) -> oneshot::Receiver<Value> {
        let (sender, response) = oneshot::channel();
        if let Some(waiting) = self.waiting.lock().expect("no panic holds it").as_mut() {
            waiting.insert(id, sender);
        }
        response
    }

    fn hear(&self, line: String) {
        let message: Value = serde_json::from_str(&line).unwrap_or_default();
        let waiting = message["id"]
            .as_u64()
            .filter(|_| message.get("method").is_none())
            .and_then(|id| {
                let mut waiting = self.waiting.lock().expect("no panic holds it");
                waiting.as_mut()?.remove(&id)
            });
        match waiting {
            Some(waiting) => drop(waiting.send(message)),
            None if message["method"].is_string() => {
                self.notifications
                    .lock()
                    .expect("no panic holds it")
                    .push(message);
            }
            None => self.garbage.lock().expect("no panic holds it").push(line),
        }
        self.changed.notify_waiters();
    }
}
