//! One HTTP exchange, as far as rmcp's session layer must know it: who asks, and how the answer may be shortened.
//!
//! rmcp gives a session manager neither the request nor the response. Both run in one task, so a task-local carries
//! the exchange past it; nothing else may rely on it.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use axum::body::{Body, Bytes, HttpBody};
use coinop_core::principal::Principal;
use http_body_util::combinators::BoxBody;
use hyper::body::{Frame, SizeHint};
use rmcp::model::ServerJsonRpcMessage;
use tokio_util::task::task_tracker::TaskTrackerToken;

tokio::task_local! {
    static CURRENT: Arc<Exchange>;
}

/// One request and what is known of its answer.
pub(super) struct Exchange {
    principal: Principal,
    shortcut: Mutex<Option<Shortcut>>,
}

/// An answer that replaces the one rmcp would give.
pub(super) enum Shortcut {
    /// The whole answer is this message: no stream is needed.
    Json(Arc<ServerJsonRpcMessage>),
    /// There is no room for another session.
    Full,
}

impl Exchange {
    pub(super) fn new(principal: Principal) -> Arc<Self> {
        let shortcut = Mutex::default();
        Arc::new(Self {
            principal,
            shortcut,
        })
    }

    /// Runs `work` with this exchange as the current one.
    pub(super) async fn scope<T>(self: &Arc<Self>, work: impl Future<Output = T>) -> T {
        CURRENT.scope(self.clone(), work).await
    }

    /// Who asks in the current exchange; nobody outside of one.
    pub(super) fn principal() -> Principal {
        CURRENT
            .try_with(|exchange| exchange.principal.clone())
            .unwrap_or_else(|_| Principal::anonymous())
    }

    /// Shortens the current exchange's answer.
    pub(super) fn shorten(shortcut: Shortcut) {
        let _ = CURRENT.try_with(|exchange| *exchange.lock() = Some(shortcut));
    }

    /// What the answer was shortened to.
    pub(super) fn take_shortcut(&self) -> Option<Shortcut> {
        self.lock().take()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<Shortcut>> {
        self.shortcut.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// rmcp's kind of body.
pub(super) type RmcpBody = BoxBody<Bytes, std::convert::Infallible>;

/// A response's body that counts as in flight until it was written or dropped.
pub(super) struct Counted<B> {
    body: B,
    _in_flight: TaskTrackerToken,
}

impl<B> Counted<B>
where
    B: HttpBody<Data = Bytes> + Send + Unpin + 'static,
    B::Error: Into<axum::BoxError>,
{
    pub(super) fn body(body: B, in_flight: TaskTrackerToken) -> Body {
        Body::new(Self {
            body,
            _in_flight: in_flight,
        })
    }
}

impl<B: HttpBody<Data = Bytes> + Unpin> HttpBody for Counted<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
