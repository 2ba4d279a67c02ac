//! What a guest prints: captured within a limit, never on the host's own standard output.
//!
//! Writing always succeeds for the guest, however much it prints: a full log is not the guest's error.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use async_trait::async_trait;
use bytes::Bytes;
use tokio::io::AsyncWrite;
use wasmtime_wasi::cli::{IsTerminal, StdoutStream};
use wasmtime_wasi::p2::{OutputStream, Pollable, StreamResult};

/// Bytes a guest may hand over in one write.
const WRITE_BYTES_MAX: usize = 64 << 10;

/// What a guest printed on stdout and stderr, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CapturedLog {
    /// The text that was kept; bytes that are not UTF-8 are replaced.
    pub text: String,
    /// Bytes beyond the limit, dropped.
    pub dropped: u64,
}

/// The first `max` bytes of `text`, less where a character would be split.
pub(super) fn cut(text: &str, max: usize) -> &str {
    &text[..text.floor_char_boundary(max)]
}

/// Shared by both streams of one run.
#[derive(Clone)]
pub(super) struct LogPipe(Arc<Mutex<Kept>>);

struct Kept {
    bytes: Vec<u8>,
    bytes_max: usize,
    dropped: u64,
}

impl LogPipe {
    pub(super) fn new(bytes_max: usize) -> Self {
        Self(Arc::new(Mutex::new(Kept {
            bytes: Vec::new(),
            bytes_max,
            dropped: 0,
        })))
    }

    /// Takes what was kept, leaving nothing.
    pub(super) fn take(&self) -> CapturedLog {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let bytes = std::mem::take(&mut kept.bytes);
        let mut dropped = std::mem::take(&mut kept.dropped);
        let text = match String::from_utf8(bytes) {
            Ok(text) => text,
            Err(error) => lossy(error.as_bytes(), &mut dropped),
        };
        CapturedLog { text, dropped }
    }

    fn push(&self, bytes: &[u8]) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let room = kept.bytes_max.saturating_sub(kept.bytes.len());
        let keep = bytes.len().min(room);
        kept.bytes.extend_from_slice(&bytes[..keep]);
        kept.dropped += (bytes.len() - keep) as u64;
    }
}

/// A character that the limit cut through is dropped; other bytes that are no text are replaced.
fn lossy(bytes: &[u8], dropped: &mut u64) -> String {
    let whole = match std::str::from_utf8(bytes) {
        Err(error) if error.error_len().is_none() => error.valid_up_to(),
        _ => bytes.len(),
    };
    *dropped += (bytes.len() - whole) as u64;
    String::from_utf8_lossy(&bytes[..whole]).into_owned()
}

impl IsTerminal for LogPipe {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdoutStream for LogPipe {
    fn async_stream(&self) -> Box<dyn AsyncWrite + Send + Sync> {
        Box::new(self.clone())
    }

    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(self.clone())
    }
}

/// As WASI 0.3 writes.
impl AsyncWrite for LogPipe {
    fn poll_write(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<std::io::Result<usize>> {
        self.push(bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

#[async_trait]
impl Pollable for LogPipe {
    async fn ready(&mut self) {}
}

impl OutputStream for LogPipe {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        self.push(&bytes);
        Ok(())
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(WRITE_BYTES_MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(max: usize, writes: &[&[u8]], text: &str, dropped: u64) {
        let pipe = LogPipe::new(max);
        for bytes in writes {
            pipe.push(bytes);
        }
        let text = text.to_owned();
        assert_eq!(pipe.take(), CapturedLog { text, dropped });
    }

    #[test]
    fn keeps_up_to_the_limit() {
        check(5, &[b"abc", b"defg", b"h"], "abcde", 3);
        check(0, &[b"abc"], "", 3);
    }

    #[test]
    fn a_limit_within_a_character_is_no_panic() {
        check(4, &["€€".as_bytes()], "€", 3);
        check(5, &["€€".as_bytes()], "€", 3);
    }

    #[test]
    fn bytes_that_are_no_text_are_replaced() {
        check(9, &[b"a\xffb"], "a\u{fffd}b", 0);
    }

    #[test]
    fn cuts_between_characters() {
        assert_eq!(cut("é€", 1), "");
        assert_eq!(cut("é€", 4), "é");
        assert_eq!(cut("é€", 99), "é€");
    }
}
