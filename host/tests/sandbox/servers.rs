//! Servers on this machine that speak HTTP/1.1 well or badly, byte by byte, and remember what they were asked.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// Bytes of a request that are remembered.
const HEAD_BYTES_MAX: usize = 256 << 10;

/// A server. Dropping it ends it.
pub(crate) struct Server {
    pub(crate) port: u16,
    log: Arc<Log>,
    accepting: JoinHandle<()>,
}

#[derive(Default)]
struct Log {
    heads: Mutex<Vec<String>>,
    connections: AtomicUsize,
    closed: tokio::sync::Notify,
}

/// What a server does with each connection after a request's head.
#[derive(Clone)]
pub(crate) enum Does {
    /// Writes this after every head.
    Answers(String),
    /// Writes this after every head and closes.
    AnswersAndCloses(String),
    /// Writes this, then says nothing more until the other side leaves.
    FallsSilent(&'static str),
    /// Writes this, then `x` until the other side leaves.
    NeverStops(&'static str),
    /// Reads whatever comes, answers never.
    Swallows,
    /// Writes this before anything was asked, and closes.
    Greets(&'static str),
}

/// `200` with a body.
pub(crate) fn ok(body: &str) -> Does {
    let length = body.len();
    Does::Answers(format!(
        "HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n\r\n{body}"
    ))
}

impl Server {
    pub(crate) async fn that(does: Does) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let log = Arc::<Log>::default();
        let accepting = tokio::spawn(accept(listener, does, Arc::clone(&log)));
        Self {
            port,
            log,
            accepting,
        }
    }

    /// Its origin, by address.
    pub(crate) fn origin(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// The heads of the requests it read.
    pub(crate) fn heads(&self) -> Vec<String> {
        self.log.heads.lock().unwrap().clone()
    }

    /// Connections it was asked for.
    pub(crate) fn connections(&self) -> usize {
        self.log.connections.load(Ordering::SeqCst)
    }

    /// Waits until the other side closed a connection.
    pub(crate) async fn left(&self) {
        self.log.closed.notified().await;
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn accept(listener: TcpListener, does: Does, log: Arc<Log>) {
    while let Ok((stream, _)) = listener.accept().await {
        log.connections.fetch_add(1, Ordering::SeqCst);
        let (does, log) = (does.clone(), Arc::clone(&log));
        tokio::spawn(async move {
            // However it breaks off, the other side has left.
            let _ = serve(stream, does, &log).await;
            log.closed.notify_one();
        });
    }
}

async fn serve(mut stream: TcpStream, does: Does, log: &Log) -> std::io::Result<()> {
    if let Does::Greets(text) = does {
        stream.write_all(text.as_bytes()).await?;
        return stream.shutdown().await;
    }
    while let Some(head) = head(&mut stream).await? {
        log.heads.lock().unwrap().push(head);
        match &does {
            Does::Answers(text) => stream.write_all(text.as_bytes()).await?,
            Does::AnswersAndCloses(text) => {
                stream.write_all(text.as_bytes()).await?;
                return stream.shutdown().await;
            }
            Does::FallsSilent(text) => stream.write_all(text.as_bytes()).await?,
            Does::NeverStops(text) => {
                stream.write_all(text.as_bytes()).await?;
                loop {
                    stream.write_all(&[b'x'; 8192]).await?;
                }
            }
            Does::Swallows | Does::Greets(_) => {}
        }
        if matches!(does, Does::FallsSilent(_) | Does::Swallows) {
            let mut sink = [0; 8192];
            while stream.read(&mut sink).await? > 0 {}
            return Ok(());
        }
    }
    Ok(())
}

/// A request up to its empty line. A body is read as part of the next head, which no test looks at.
async fn head(stream: &mut TcpStream) -> std::io::Result<Option<String>> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") && head.len() < HEAD_BYTES_MAX {
        let mut byte = [0];
        if stream.read(&mut byte).await? == 0 {
            return Ok(None);
        }
        head.push(byte[0]);
    }
    Ok(Some(String::from_utf8_lossy(&head).into_owned()))
}
