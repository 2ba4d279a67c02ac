//! The connections of one run: opened for it, reused within it, closed with it.
//!
//! They are never shared between runs. A server may tie an identity to a connection, and a connection to an internal
//! address must not serve a plugin that may not reach it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout, timeout_at};
use wasmtime_wasi::runtime::AbortOnDropJoinHandle;
use wasmtime_wasi_http::WasiBody;

use crate::grants::{Admits, Origin};
use crate::outbound::{Connection, DialError, Dialer};

/// Connections of one run at a time: so few that the runs of one plugin, 64 at a time unless the operator says otherwise,
/// never take all that the host has.
const OPEN_MAX: usize = 8;
/// Of those, the ones that are kept for the next request.
const IDLE_MAX: usize = 4;
/// How long a kept connection may take to say that it is ready.
const READY_WAIT: Duration = Duration::from_millis(100);
/// Bytes read ahead of a guest.
const READ_BYTES_MAX: usize = 64 << 10;
/// Bytes of an answer's head, and of its trailers.
const HEAD_BYTES_MAX: usize = 64 << 10;
/// Headers of an answer.
const HEADERS_MAX: usize = 100;

/// What a connection may be reused for. The addresses that a name may stand for can differ by method.
pub(super) type Key = (Origin, Admits);

/// One connection, driven until it is dropped.
pub(super) struct Line {
    key: Key,
    pub(super) sender: SendRequest<WasiBody>,
    _driver: AbortOnDropJoinHandle<()>,
    _place_in_host: OwnedSemaphorePermit,
    _place_in_run: OwnedSemaphorePermit,
}

/// The connections of one run.
pub(super) struct Lines {
    dialer: Arc<Dialer>,
    places: Arc<Semaphore>,
    idle: Mutex<Vec<Line>>,
}

impl Lines {
    pub(super) fn new(dialer: &Arc<Dialer>) -> Self {
        Self {
            dialer: Arc::clone(dialer),
            places: Arc::new(Semaphore::new(OPEN_MAX)),
            idle: Mutex::default(),
        }
    }

    /// A connection that was kept and still works.
    pub(super) async fn kept(&self, key: &Key) -> Option<Line> {
        loop {
            let mut line = self.take(key)?;
            if let Ok(Ok(())) = timeout(READY_WAIT, line.sender.ready()).await {
                return Some(line);
            }
        }
    }

    /// A new connection, within `wait`.
    pub(super) async fn dial(&self, key: &Key, wait: Duration) -> Result<Line, DialError> {
        let by = Instant::now() + wait;
        if self.places.available_permits() == 0 {
            drop(self.idle().pop());
        }
        let place = timeout_at(by, Arc::clone(&self.places).acquire_owned()).await;
        let Ok(Ok(place)) = place else {
            return Err(DialError::Crowded);
        };
        let left = by.saturating_duration_since(Instant::now());
        let connection = self.dialer.dial(&key.0, key.1, left).await?;
        open(key.clone(), connection, place).await
    }

    /// Keeps a connection whose answer was read to its end, unless its place may be waited for.
    pub(super) fn keep(&self, line: Line) {
        let mut idle = self.idle();
        let has_room = idle.len() < IDLE_MAX && self.places.available_permits() > 0;
        if has_room && !line.sender.is_closed() {
            idle.push(line);
        }
    }

    fn take(&self, key: &Key) -> Option<Line> {
        let mut idle = self.idle();
        let at = idle.iter().position(|line| line.key == *key)?;
        Some(idle.swap_remove(at))
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Line>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn open(
    key: Key,
    connection: Connection,
    place_in_run: OwnedSemaphorePermit,
) -> Result<Line, DialError> {
    let shaken = http1::Builder::new()
        .max_buf_size(READ_BYTES_MAX)
        .max_header_size(HEAD_BYTES_MAX)
        .max_headers(HEADERS_MAX)
        .handshake(TokioIo::new(connection.stream))
        .await;
    let (sender, driver) =
        shaken.map_err(|error| DialError::Refused(std::io::Error::other(error)))?;
    // How it ends is told to whoever waits for an answer.
    let driver = wasmtime_wasi::runtime::spawn(async move { drop(driver.await) });
    Ok(Line {
        key,
        sender,
        _driver: driver,
        _place_in_host: connection.place,
        _place_in_run: place_in_run,
    })
}
