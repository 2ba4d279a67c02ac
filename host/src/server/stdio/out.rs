//! The way out to the client: answers that come together leave in one write, and none is torn.

use std::io;
use std::sync::{Mutex, MutexGuard, PoisonError};

use rmcp::service::{RoleServer, TxJsonRpcMessage};
use tokio::io::{AsyncWrite, AsyncWriteExt};

use crate::wire::json::Rejection;

/// Answers that wait for a client that does not read; beyond this nothing more is read from it.
const UNSENT_BYTES_MAX: usize = 8 << 20;

/// The way out. Whoever holds the writer writes what all have queued meanwhile.
pub(super) struct Out<W> {
    unsent: Mutex<Vec<u8>>,
    writer: tokio::sync::Mutex<Writer<W>>,
}

struct Writer<W> {
    stream: W,
    /// What was taken to be written, and how much of it was: a dropped [`Out::flush`] is taken up by the next.
    taken: Vec<u8>,
    written: usize,
}

impl<W: AsyncWrite + Send + Unpin> Out<W> {
    pub(super) fn new(stream: W) -> Self {
        let writer = Writer {
            stream,
            taken: Vec::new(),
            written: 0,
        };
        Self {
            unsent: Mutex::default(),
            writer: tokio::sync::Mutex::new(writer),
        }
    }

    fn unsent(&self) -> MutexGuard<'_, Vec<u8>> {
        self.unsent.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn is_full(&self) -> bool {
        self.unsent().len() > UNSENT_BYTES_MAX
    }

    pub(super) fn queue(&self, message: &TxJsonRpcMessage<RoleServer>) -> io::Result<()> {
        let mut unsent = self.unsent();
        let before = unsent.len();
        let written = serde_json::to_writer(&mut *unsent, message);
        if written.is_err() {
            unsent.truncate(before);
        } else {
            unsent.push(b'\n');
        }
        Ok(written?)
    }

    pub(super) fn queue_rejection(&self, rejection: &Rejection) {
        let mut unsent = self.unsent();
        unsent.extend_from_slice(rejection.to_json().as_bytes());
        unsent.push(b'\n');
    }

    /// Writes everything that is queued. Safe to drop.
    pub(super) async fn flush(&self) -> io::Result<()> {
        let mut guard = self.writer.lock().await;
        let writer = &mut *guard;
        loop {
            while writer.written < writer.taken.len() {
                let written = writer.stream.write(&writer.taken[writer.written..]).await?;
                if written == 0 {
                    return Err(io::ErrorKind::WriteZero.into());
                }
                writer.written += written;
            }
            writer.taken.clear();
            writer.written = 0;
            std::mem::swap(&mut writer.taken, &mut *self.unsent());
            if writer.taken.is_empty() {
                return writer.stream.flush().await;
            }
        }
    }
}
