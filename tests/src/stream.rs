//! A stream of server-sent events, followed as it comes: what a host says unasked over HTTP.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::sync::Notify;
use tokio::task::JoinHandle;

use crate::wait::within;

/// An open stream. Dropping it hangs up.
pub struct Stream {
    heard: Arc<Heard>,
    reading: JoinHandle<()>,
}

#[derive(Default)]
struct Heard {
    messages: Mutex<Vec<Value>>,
    more: Notify,
}

impl Stream {
    /// Sends a request and follows its answer. `headers` are lines that end with `\r\n`.
    pub async fn open(address: SocketAddr, verb: &str, headers: &str, body: &str) -> Self {
        let mut socket = TcpStream::connect(address)
            .await
            .expect("the host is reachable");
        let length = body.len();
        let request = format!(
            "{verb} /mcp HTTP/1.1\r\nHost: {address}\r\n{headers}Content-Length: {length}\r\n\r\n{body}"
        );
        let sent = socket.write_all(request.as_bytes()).await;
        sent.expect("the host listens");
        let mut lines = BufReader::new(socket).lines();
        let status = within("the stream's head", lines.next_line()).await;
        let status = status.expect("the host answers").unwrap_or_default();
        assert!(status.contains(" 200 "), "{verb} answered {status}");
        // Chunk sizes stand on lines of their own, and a message is one line.
        let heard = Arc::<Heard>::default();
        let into = Arc::clone(&heard);
        let reading = tokio::spawn(async move {
            while let Ok(Some(line)) = lines.next_line().await {
                let data = line.strip_prefix("data:").map(str::trim);
                let message = data.and_then(|data| serde_json::from_str(data).ok());
                if let Some(message) = message {
                    let mut messages = into.messages.lock().expect("no panic holds it");
                    messages.push(message);
                    into.more.notify_waiters();
                }
            }
        });
        Self { heard, reading }
    }

    /// How many notifications of this method have come.
    pub fn count(&self, method: &str) -> usize {
        let messages = self.heard.messages.lock().expect("no panic holds it");
        messages.iter().filter(|m| m["method"] == method).count()
    }

    /// Awaits the `n`th notification of this method, from 1.
    pub async fn nth(&self, method: &str, n: usize) {
        within(&format!("{method}, number {n}"), async {
            loop {
                let more = self.heard.more.notified();
                if self.count(method) >= n {
                    return;
                }
                more.await;
            }
        })
        .await;
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        self.reading.abort();
    }
}
