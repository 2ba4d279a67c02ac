//! Asking a legacy client while its call stays open, and telling it when the link it opened has done its work.

use std::collections::HashSet;
use std::convert::Infallible;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use coinop_core::ids::PaymentId;
use coinop_core::mode::{Ask, Manner};
use coinop_core::peer::Answer;
use rmcp::model::{ElicitRequest, ServerRequest};
use rmcp::service::{Peer, PeerRequestOptions, RequestHandle, RoleServer};

use super::Conversation;
use crate::gate::{Invocation, Refusal, Reply};
use crate::sandbox::{ProgressSink as _, Stage};
use crate::server::Server;
use crate::wire::elicitation::{Asked, answer, completed};

/// How long a user may take to answer at most; less where the offer ends before.
const ANSWER_WAIT: Duration = Duration::from_secs(600);
/// Time between two words to a client whose user is being asked.
const TELL_EVERY: Duration = Duration::from_secs(14);
/// How long a client may take to accept a message.
const SEND_WAIT: Duration = Duration::from_secs(2);
/// Links that are followed at a time after the error -32042; beyond, clients are not told and call again by themselves.
const FOLLOWED_MAX: usize = 1_024;

/// What came of a question.
pub(super) struct Heard {
    pub(super) answer: Answer,
    /// The elicitation of the link that the user has open.
    pub(super) opened: Option<String>,
}

impl Conversation<'_> {
    /// Puts a question to the client's user; `None` when the client cancels its call. A payment that is made meanwhile is
    /// as good as an answer.
    pub(super) async fn ask(&self, put: &Asked<'_>) -> Option<Heard> {
        let unasked = Heard {
            answer: Answer::Unasked,
            opened: None,
        };
        let Some(mut handle) = send(&self.context.peer, put).await else {
            return Some(unasked);
        };
        let calls = &self.server.calls;
        let opens_link = put.ask.manner == Manner::Url;
        tokio::select! {
            biased;
            result = &mut handle.rx => {
                let answer = match result {
                    Ok(Ok(result)) => answer(&result),
                    _ => Answer::Unasked,
                };
                let accepted = answer == Answer::Accepted;
                let opened = (opens_link && accepted).then(|| put.elicitation_id());
                return Some(Heard { answer, opened });
            }
            () = calls.until_decided(&put.ask.payment_id) => {
                match opens_link {
                    // This answers the request in the client's own words.
                    true => complete(&self.context.peer, &put.elicitation_id()).await,
                    false => withdraw(handle, "the payment is decided").await,
                }
                // Which way, the gate finds out.
                let (answer, opened) = (Answer::Accepted, None);
                return Some(Heard { answer, opened });
            }
            () = self.context.ct.cancelled() => {
                withdraw(handle, "the call was cancelled").await;
                return None;
            }
            // The transport closes with it, and takes the question along.
            () = self.server.closing.cancelled() => {}
            () = calls.clock().sleep(self.patience(put.ask)) => withdraw(handle, "no answer").await,
            never = self.keep_alive(put) => match never {},
        }
        Some(unasked)
    }

    fn patience(&self, ask: &Ask) -> Duration {
        let left_ms = ask.expires_at - self.server.calls.clock().now();
        ANSWER_WAIT.min(Duration::from_millis(left_ms.max(0).unsigned_abs()))
    }

    /// Clients and proxies take silence for death.
    async fn keep_alive(&self, put: &Asked<'_>) -> Infallible {
        loop {
            self.ears.note(Stage::Waiting, &put.line());
            self.server.calls.clock().sleep(TELL_EVERY).await;
        }
    }

    /// Has the gate answer, and closes the link that the user has `opened` once it has done its work.
    pub(super) async fn call(&self, invocation: Invocation, opened: Option<String>) -> Reply {
        let call = self.server.calls.call(invocation);
        let Some(opened) = opened else {
            return call.await;
        };
        tokio::pin!(call);
        let reply = tokio::select! {
            biased;
            () = self.ears.started.cancelled() => None,
            reply = &mut call => Some(reply),
        };
        match reply {
            None => {
                complete(&self.context.peer, &opened).await;
                call.await
            }
            // Still unpaid, as far as anybody knows.
            Some(
                reply @ (Reply::Ask { .. }
                | Reply::Cancelled
                | Reply::Refused(Refusal::Unavailable { .. })),
            ) => reply,
            Some(reply) => {
                complete(&self.context.peer, &opened).await;
                reply
            }
        }
    }
}

/// Sends a question. `None` where the client cannot be asked.
async fn send(peer: &Peer<RoleServer>, put: &Asked<'_>) -> Option<RequestHandle<RoleServer>> {
    let request = ServerRequest::ElicitRequest(ElicitRequest::new(put.params()));
    let sending = peer.send_cancellable_request(request, PeerRequestOptions::no_options());
    tokio::time::timeout(SEND_WAIT, sending).await.ok()?.ok()
}

/// Takes a question back that needs no answer any more. A client that does not hear of it answers in vain.
async fn withdraw(handle: RequestHandle<RoleServer>, reason: &str) {
    let cancelling = handle.cancel(Some(reason.to_owned()));
    let _ = tokio::time::timeout(SEND_WAIT, cancelling).await;
}

/// Tells a client that what it opened is done. One that does not hear of it loses nothing but time.
async fn complete(peer: &Peer<RoleServer>, elicitation_id: &str) {
    let telling = peer.send_notification(completed(elicitation_id));
    let _ = tokio::time::timeout(SEND_WAIT, telling).await;
}

/// The payments whose links are followed after the error -32042.
#[derive(Default)]
pub(in crate::server) struct Following {
    payments: Mutex<HashSet<PaymentId>>,
}

impl Following {
    fn lock(&self) -> MutexGuard<'_, HashSet<PaymentId>> {
        self.payments.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether nobody follows it yet, and there is room.
    fn begins(&self, payment: &PaymentId) -> bool {
        let mut payments = self.lock();
        payments.len() < FOLLOWED_MAX && payments.insert(payment.clone())
    }
}

impl Server {
    /// Tells the client when the link of a call that was answered by an error has done its work, so that it knows when to
    /// call again. Ends with the offer.
    pub(super) fn follow(self: &Arc<Self>, put: &Asked<'_>, peer: &Peer<RoleServer>) {
        let payment = put.ask.payment_id.clone();
        if !self.following.begins(&payment) {
            return;
        }
        let (server, peer) = (Arc::clone(self), peer.clone());
        let (id, expires_at) = (put.elicitation_id(), put.ask.expires_at);
        self.tasks.spawn(async move {
            let calls = &server.calls;
            let left_ms = expires_at - calls.clock().now();
            let left = Duration::from_millis(left_ms.max(0).unsigned_abs());
            tokio::select! {
                () = calls.until_decided(&payment) => complete(&peer, &id).await,
                () = calls.clock().sleep(left) => {}
                () = server.closing.cancelled() => {}
            }
            server.following.lock().remove(&payment);
        });
    }
}
