//! A stream of a session's messages, and whether it needs to be a stream.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use futures::Stream;
use rmcp::model::{JsonRpcMessage, ServerJsonRpcMessage};
use rmcp::transport::streamable_http_server::session::ServerSseMessage;
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::sessions::InUse;

/// How long an answer may take to be sent as JSON; a slower one is streamed, so that keep-alives show that it comes.
const JSON_WAIT: Duration = Duration::from_secs(5);

/// The messages. Their session is in use while this lives.
pub(super) struct Messages {
    looked_at: VecDeque<ServerSseMessage>,
    rest: mpsc::Receiver<ServerSseMessage>,
    _in_use: Arc<InUse>,
}

impl Messages {
    pub(super) fn new(rest: mpsc::Receiver<ServerSseMessage>, in_use: Arc<InUse>) -> Self {
        Self {
            looked_at: VecDeque::new(),
            rest,
            _in_use: in_use,
        }
    }

    /// The answer, when it comes soon and first. Otherwise what came is still in the stream.
    pub(super) async fn lone_answer(&mut self) -> Option<Arc<ServerJsonRpcMessage>> {
        let deadline = Instant::now() + JSON_WAIT;
        loop {
            let event = tokio::time::timeout_at(deadline, self.rest.recv())
                .await
                .ok()??;
            let message = event.message.clone();
            self.looked_at.push_back(event);
            let Some(message) = message else { continue };
            let is_answer = matches!(
                *message,
                JsonRpcMessage::Response(_) | JsonRpcMessage::Error(_)
            );
            return is_answer.then_some(message);
        }
    }
}

impl Stream for Messages {
    type Item = ServerSseMessage;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<ServerSseMessage>> {
        match self.looked_at.pop_front() {
            Some(event) => Poll::Ready(Some(event)),
            None => self.rest.poll_recv(cx),
        }
    }
}
