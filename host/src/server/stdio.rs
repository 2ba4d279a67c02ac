//! MCP over a pair of byte streams, one JSON-RPC message a line: stdio.
//!
//! rmcp's own transport ignores what it cannot parse and flushes every answer by itself. This one answers malformed
//! lines and goes on, refuses duplicate keys before a parser has chosen one, bounds a line, and lets answers that
//! come together leave in one write.

mod out;

use std::convert::Infallible;
use std::io;
use std::sync::Arc;

use rmcp::model::{ClientRequest, GetMeta, JsonRpcMessage};
use rmcp::service::{RoleServer, RunningService, RxJsonRpcMessage, ServiceExt, TxJsonRpcMessage};
use rmcp::transport::Transport;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite};
use tokio_util::sync::CancellationToken;

use self::out::Out;
use super::{Handler, Server};
use crate::wire::json::{self, Rejection};

/// Longest line, bytes; the body cap of HTTP is the same.
pub const LINE_BYTES_MAX: usize = 4 << 20;
/// Space made in the buffer before each read.
const READ_BYTES: usize = 64 << 10;

/// Serves the local user on stdin and stdout until stdin ends or the server closes.
///
/// # Errors
/// The transport's end before a client said anything useful is not an error; a protocol that cannot be started is.
pub async fn serve(server: Arc<Server>) -> Result<(), Box<rmcp::service::ServerInitializeError>> {
    let (read, write) = rmcp::transport::stdio_pipes();
    serve_on(server, read, write).await
}

/// Serves the local user on any pair of streams. Answers in flight at the end of the input are still sent.
///
/// # Errors
/// As [`serve`].
pub async fn serve_on<R, W>(
    server: Arc<Server>,
    read: R,
    write: W,
) -> Result<(), Box<rmcp::service::ServerInitializeError>>
where
    R: AsyncRead + Send + Unpin + 'static,
    W: AsyncWrite + Send + Unpin + 'static,
{
    let lines = Lines::new(read, write, server.closing().clone());
    let ended = lines.ended.clone();
    let handler = Handler::local(server.clone());
    let running: Result<RunningService<RoleServer, Handler>, _> = handler.serve(lines).await;
    match running {
        Ok(running) => {
            tokio::select! {
                _ = running.waiting() => {}
                never = stop_waiting(&server, &ended) => match never {},
            }
            Ok(())
        }
        Err(rmcp::service::ServerInitializeError::ConnectionClosed(_)) => Ok(()),
        Err(error) => Err(Box::new(error)),
    }
}

/// Ends the waits of calls when the input has ended, and so the host: rmcp gives answers a few seconds from then on, and no
/// wait is worth the answer that says how to get the result.
async fn stop_waiting(server: &Server, ended: &CancellationToken) -> Infallible {
    ended.cancelled().await;
    server.calls.stop_waiting();
    std::future::pending().await
}

/// The transport.
struct Lines<R, W> {
    read: R,
    buffer: Vec<u8>,
    /// Bytes at the buffer's start that hold no line end.
    searched: usize,
    /// Bytes at the buffer's start that were taken as lines already.
    taken: usize,
    /// The line that is being read is too long, was answered, and is dropped up to its end.
    discarding: bool,
    /// A rejection was queued and nobody else writes it.
    owes: bool,
    /// The client has chosen its era.
    opened: bool,
    out: Arc<Out<W>>,
    closing: CancellationToken,
    /// Cancelled when nothing more is read.
    ended: CancellationToken,
}

/// What a buffer holds next.
enum Line {
    /// A range of the buffer, line end excluded.
    At(std::ops::Range<usize>),
    TooLong,
    Incomplete,
}

impl<R, W> Lines<R, W>
where
    R: AsyncRead + Send + Unpin,
    W: AsyncWrite + Send + Unpin + 'static,
{
    fn new(read: R, write: W, closing: CancellationToken) -> Self {
        Self {
            read,
            buffer: Vec::with_capacity(READ_BYTES),
            searched: 0,
            taken: 0,
            discarding: false,
            owes: false,
            opened: false,
            out: Arc::new(Out::new(write)),
            closing,
            ended: CancellationToken::new(),
        }
    }

    /// Takes the next line out of the buffer.
    fn next_line(&mut self) -> Line {
        loop {
            let end = self.buffer[self.searched..]
                .iter()
                .position(|byte| *byte == b'\n');
            let Some(end) = end.map(|end| end + self.searched) else {
                self.searched = self.buffer.len();
                return self.incomplete();
            };
            let line = self.taken..end;
            self.taken = end + 1;
            self.searched = self.taken;
            if std::mem::take(&mut self.discarding) {
                continue;
            }
            return if line.len() > LINE_BYTES_MAX {
                Line::TooLong
            } else {
                Line::At(line)
            };
        }
    }

    fn incomplete(&mut self) -> Line {
        self.buffer.drain(..self.taken);
        self.taken = 0;
        if self.buffer.len() <= LINE_BYTES_MAX && !self.discarding {
            self.searched = self.buffer.len();
            return Line::Incomplete;
        }
        self.buffer.clear();
        self.searched = 0;
        if std::mem::replace(&mut self.discarding, true) {
            Line::Incomplete
        } else {
            Line::TooLong
        }
    }

    /// Reads more, and sends what is owed meanwhile. Safe to drop: what was read is in the buffer. False at the end
    /// of the input.
    async fn fill(&mut self) -> bool {
        self.buffer.reserve(READ_BYTES);
        tokio::select! {
            biased;
            () = self.closing.cancelled() => false,
            sent = self.out.flush(), if self.owes => {
                self.owes = false;
                sent.is_ok()
            }
            read = self.read.read_buf(&mut self.buffer) => match read {
                Ok(bytes) => bytes > 0,
                Err(error) => {
                    tracing::warn!(%error, "cannot read from the client");
                    false
                }
            },
        }
    }

    /// Until a client has opened the connection in one era or the other, rmcp ends it at anything but a request: at
    /// a `notifications/cancelled` for a probe, say. Such messages mean nothing yet, and are dropped.
    fn admits(&mut self, message: &RxJsonRpcMessage<RoleServer>) -> bool {
        if let JsonRpcMessage::Request(request) = message {
            let request = &request.request;
            self.opened |= match request {
                ClientRequest::InitializeRequest(_) => true,
                ClientRequest::DiscoverRequest(_) => false,
                other => other.get_meta().protocol_version().is_some(),
            };
            return true;
        }
        self.opened
    }

    fn reject(&mut self, rejection: &Rejection) {
        self.out.queue_rejection(rejection);
        self.owes = true;
    }
}

impl<R, W> Transport<RoleServer> for Lines<R, W>
where
    R: AsyncRead + Send + Unpin,
    W: AsyncWrite + Send + Unpin + 'static,
{
    type Error = io::Error;

    fn send(
        &mut self,
        message: TxJsonRpcMessage<RoleServer>,
    ) -> impl Future<Output = io::Result<()>> + Send + 'static {
        let out = self.out.clone();
        // Put in order now: the futures are polled in any order.
        let queued = out.queue(&message);
        async move {
            queued?;
            out.flush().await
        }
    }

    async fn receive(&mut self) -> Option<RxJsonRpcMessage<RoleServer>> {
        loop {
            if self.out.is_full() {
                self.out.flush().await.ok()?;
            }
            let parsed = match self.next_line() {
                Line::At(line) => parse(&self.buffer[line]),
                Line::TooLong => Parsed::Rejected(Rejection::invalid(
                    format!("a message is longer than {LINE_BYTES_MAX} bytes"),
                    b"",
                )),
                Line::Incomplete if self.fill().await => continue,
                Line::Incomplete => {
                    self.ended.cancel();
                    return None;
                }
            };
            match parsed {
                Parsed::Message(message) if self.admits(&message) => return Some(*message),
                Parsed::Message(_) => {}
                Parsed::Nothing => {}
                Parsed::Rejected(rejection) => self.reject(&rejection),
            }
        }
    }

    async fn close(&mut self) -> io::Result<()> {
        self.out.flush().await
    }
}

enum Parsed {
    Message(Box<RxJsonRpcMessage<RoleServer>>),
    /// An empty line, or a notification that nobody here knows.
    Nothing,
    Rejected(Rejection),
}

fn parse(line: &[u8]) -> Parsed {
    let line = line
        .strip_prefix(b"\xEF\xBB\xBF")
        .unwrap_or(line)
        .trim_ascii();
    if line.is_empty() {
        return Parsed::Nothing;
    }
    if let Err(rejection) = json::check(line) {
        return Parsed::Rejected(rejection);
    }
    match serde_json::from_slice(line) {
        Ok(message) => Parsed::Message(Box::new(message)),
        Err(_) if json::is_notification(line) => Parsed::Nothing,
        Err(error) => Parsed::Rejected(Rejection::invalid(error.to_string(), line)),
    }
}
