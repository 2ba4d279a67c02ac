//! Connections: accepted, prepared, bounded in number and patience, and let go of at shutdown.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::Settings;

/// Largest request head, bytes.
const HEAD_BYTES_MAX: usize = 64 << 10;
/// Pause after an accept that failed for want of resources (out of file descriptors).
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// How long connections may take to write their last bytes at shutdown.
const LAST_WORDS_WAIT: Duration = Duration::from_secs(2);

/// The listener and the connections it accepted.
pub(super) struct Connections {
    listener: TcpListener,
    permits: Arc<Semaphore>,
    http: http1::Builder,
    open: Open,
}

/// The connections that are open after the listener closed.
pub(super) struct Open {
    graceful: GracefulShutdown,
    tasks: TaskTracker,
    cut: CancellationToken,
}

impl Connections {
    pub(super) fn new(listener: TcpListener, settings: &Settings) -> Self {
        let mut http = http1::Builder::new();
        http.timer(TokioTimer::new())
            .header_read_timeout(settings.head_wait)
            .max_buf_size(HEAD_BYTES_MAX);
        Self {
            listener,
            permits: Arc::new(Semaphore::new(settings.connections_max)),
            http,
            open: Open {
                graceful: GracefulShutdown::new(),
                tasks: TaskTracker::new(),
                cut: CancellationToken::new(),
            },
        }
    }

    /// Accepts until `closing`; then the port is free for another process, while open connections finish.
    pub(super) async fn accept(self, app: Router, closing: &CancellationToken) -> io::Result<Open> {
        loop {
            let next = async {
                let permit = self.permits.clone().acquire_owned().await;
                (permit, accept_one(&self.listener).await)
            };
            let (permit, stream) = tokio::select! {
                biased;
                () = closing.cancelled() => return Ok(self.open),
                (permit, stream) = next => (permit, stream),
            };
            let stream = match stream {
                Ok(stream) => stream,
                Err(error) if is_of_one_connection(&error) => continue,
                Err(error) => {
                    tracing::warn!(%error, "cannot accept a connection");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                    continue;
                }
            };
            let service = TowerToHyperService::new(app.clone());
            let connection = self.http.serve_connection(TokioIo::new(stream), service);
            let connection = self.open.graceful.watcher().watch(connection);
            let cut = self.open.cut.clone();
            self.open.tasks.spawn(async move {
                tokio::select! {
                    // A client that goes away is its own business.
                    _ = connection => {}
                    () = cut.cancelled() => {}
                }
                drop(permit);
            });
        }
    }
}

impl Open {
    /// Lets responses that are being written finish, for a moment, and cuts what is left.
    pub(super) async fn close(self) {
        self.tasks.close();
        let finished = async {
            self.graceful.shutdown().await;
            self.tasks.wait().await;
        };
        if tokio::time::timeout(LAST_WORDS_WAIT, finished)
            .await
            .is_err()
        {
            self.cut.cancel();
            self.tasks.wait().await;
        }
    }
}

/// Accepts a connection that sends at once: with Nagle's algorithm, an answer in two small writes waits some 40 ms for
/// the client's delayed acknowledgement of the first.
async fn accept_one(listener: &TcpListener) -> io::Result<TcpStream> {
    let (stream, _) = listener.accept().await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

fn is_of_one_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, InvalidInput};
    // Setting an option on a socket whose peer is gone is `InvalidInput` on some systems.
    matches!(
        error.kind(),
        ConnectionAborted | ConnectionRefused | ConnectionReset | InvalidInput
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn small_answers_leave_at_once() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap());
        let (client, accepted) = tokio::join!(client, accept_one(&listener));
        assert!(accepted.unwrap().nodelay().unwrap());
        drop(client);
    }
}
