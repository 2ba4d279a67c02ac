//! Bodies on their way: passed on piece by piece as the other side takes them, counted, and not waited for without end.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http::Response;
use http_body_util::BodyExt;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use tokio::time::{Sleep, sleep};
use wasmtime_wasi_http::{Error, WasiBody};

use super::budget::Budget;
use super::failure;
use super::lines::{Line, Lines};
use super::patience::Patience;

/// The body of a request.
pub(super) struct Outgoing {
    body: WasiBody,
    budget: Arc<Budget>,
}

impl Outgoing {
    pub(super) fn new(body: WasiBody, budget: Arc<Budget>) -> Self {
        Self { body, budget }
    }
}

impl Body for Outgoing {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(cx));
        Poll::Ready(match frame {
            Some(Ok(frame)) if !self.budget.take_bytes(data_len(&frame)) => Some(Err(
                Error::HttpRequestBodySize(Some(self.budget.bytes_max())),
            )),
            frame => frame,
        })
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// An answer with its body, as the guest reads it.
pub(super) fn of(
    answer: Response<Incoming>,
    line: Line,
    lines: &Arc<Lines>,
    budget: &Arc<Budget>,
    patience: Patience,
) -> Response<WasiBody> {
    answer.map(|incoming| {
        let mut body = Answered {
            incoming: Some((incoming, line)),
            lines: Arc::clone(lines),
            budget: Arc::clone(budget),
            silence: None,
            silence_max: patience.between_bytes,
        };
        if body.is_end_stream() {
            body.finish();
        }
        body.boxed_unsync()
    })
}

/// The body of an answer. Dropping it before its end closes its connection.
struct Answered {
    /// `None` when it ended, well or not.
    incoming: Option<(Incoming, Line)>,
    lines: Arc<Lines>,
    budget: Arc<Budget>,
    /// Runs while the guest waits and nothing comes.
    silence: Option<Pin<Box<Sleep>>>,
    silence_max: Duration,
}

impl Answered {
    /// Keeps the connection for the run's next request.
    fn finish(&mut self) {
        if let Some((_, line)) = self.incoming.take() {
            self.lines.keep(line);
        }
    }

    fn fail(&mut self, error: Error) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        self.incoming = None;
        Poll::Ready(Some(Err(error)))
    }

    fn poll_silence(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let silence_max = self.silence_max;
        let silence = self
            .silence
            .get_or_insert_with(|| Box::pin(sleep(silence_max)));
        silence.as_mut().poll(cx)
    }
}

impl Body for Answered {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let Some((incoming, _)) = &mut self.incoming else {
            return Poll::Ready(None);
        };
        let Poll::Ready(frame) = Pin::new(incoming).poll_frame(cx) else {
            ready!(self.poll_silence(cx));
            return self.fail(Error::ConnectionReadTimeout);
        };
        self.silence = None;
        match frame {
            None => {
                self.finish();
                Poll::Ready(None)
            }
            Some(Ok(frame)) if self.budget.take_bytes(data_len(&frame)) => {
                Poll::Ready(Some(Ok(frame)))
            }
            Some(Ok(_)) => {
                let bytes_max = self.budget.bytes_max();
                self.fail(Error::HttpResponseBodySize(Some(bytes_max)))
            }
            Some(Err(error)) => self.fail(failure::of_hyper(&error)),
        }
    }

    fn is_end_stream(&self) -> bool {
        let incoming = self.incoming.as_ref();
        incoming.is_none_or(|(incoming, _)| incoming.is_end_stream())
    }

    fn size_hint(&self) -> SizeHint {
        match &self.incoming {
            Some((incoming, _)) => incoming.size_hint(),
            None => SizeHint::with_exact(0),
        }
    }
}

fn data_len(frame: &Frame<Bytes>) -> usize {
    frame.data_ref().map_or(0, Bytes::len)
}
