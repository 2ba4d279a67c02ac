//! `POST /tools/NAME`: a tool for callers that speak plain HTTP. The body is the arguments, the answer is MCP's result
//! object, and 402 says what to pay.
//!
//! Who may call, how long a body may be and what a shutdown waits for are those of `/mcp`.

mod answer;
mod headers;

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, Request, State};
use axum::http::{HeaderMap, StatusCode, request};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use coinop_core::arguments::check_json_text;
use coinop_core::mode::PAYMENT_ID_ARGUMENT_RENAMED;
use coinop_core::peer::{Answer, Dialog, Peer};
use coinop_core::principal::Principal;
use serde_json::{Map, Value};
use tokio_util::sync::CancellationToken;

use self::answer::Again;
use super::endpoint::Endpoint;
use crate::catalog::{Entry, Snapshot};
use crate::clock::{Clock as _, SystemClock};
use crate::gate::{Invocation, Refusal, Reply, Resumption};
use crate::server::{Server, credential};

/// Redeems a payment that was made by its link, with the arguments that it was made for.
const PAYMENT_ID: &str = "payment-id";

/// The routes' state.
struct Tools {
    endpoint: Arc<Endpoint>,
    server: Arc<Server>,
}

/// The route.
pub(super) fn router(endpoint: Arc<Endpoint>, server: Arc<Server>) -> Router {
    Router::new()
        .route("/tools/{name}", post(handle))
        .with_state(Arc::new(Tools { endpoint, server }))
}

async fn handle(
    State(tools): State<Arc<Tools>>,
    Path(name): Path<String>,
    request: Request,
) -> Response {
    let (parts, body) = request.into_parts();
    let in_flight = tools.endpoint.in_flight();
    let response = match tools.read(parts, body).await {
        Ok(sent) => tools.call(&name, sent).await,
        Err(refused) => refused,
    };
    super::endpoint::counted(response, in_flight)
}

/// A request as it came in.
struct Sent {
    principal: Principal,
    arguments: Map<String, Value>,
    headers: HeaderMap,
}

impl Tools {
    async fn read(&self, parts: request::Parts, body: Body) -> Result<Sent, Response> {
        let principal = self.endpoint.admit(&parts).await?;
        let body = self.endpoint.read(body).await?;
        // No body is no arguments, whatever type it is of.
        if !body.is_empty() && !super::endpoint::is_json(&parts) {
            return Err(super::endpoint::unsupported_media_type());
        }
        Ok(Sent {
            principal,
            arguments: arguments(&body).map_err(refuse)?,
            headers: parts.headers,
        })
    }

    /// The server knows of the call until it is answered: a shutdown waits for it.
    async fn call(&self, name: &str, sent: Sent) -> Response {
        let _in_flight = self.server.in_flight.token();
        let snapshot = self.server.snapshot().await;
        match snapshot.tools.get(name).cloned() {
            Some(entry) => self.call_listed(entry, snapshot, sent).await,
            None => self.call_unlisted(name, sent).await,
        }
    }

    async fn call_listed(&self, entry: Entry, snapshot: Arc<Snapshot>, sent: Sent) -> Response {
        let resumption = match payment_id(&sent.headers) {
            None => None,
            Some(id) => match id.parse() {
                Ok(payment) => Some(resumption(payment)),
                Err(_) => return refuse(Refusal::UnknownPayment),
            },
        };
        let mut invocation = Invocation {
            snapshot,
            entry,
            arguments: sent.arguments,
            principal: sent.principal,
            progress: None,
            // Who goes away drops this future, and with it a free run.
            cancel: CancellationToken::new(),
            dialog: Dialog {
                peer: caller(),
                ..Dialog::default()
            },
            mode: None,
            viewer: None,
            resumption,
            credential: None,
        };
        let presented = credential::of_headers(&sent.headers);
        if invocation.resumption.is_some() && !matches!(presented, Ok(None)) {
            return refuse(Refusal::InvalidArguments(
                "a payment and a Payment-Id came with the call; send one of them".to_owned(),
            ));
        }
        let calls = self.server.calls.as_ref();
        let usable = credential::bring(&mut invocation, presented);
        let again = Again::of(&invocation);
        let reply = match usable {
            Ok(()) => calls.call(invocation).await,
            Err(unusable) => credential::refuse(calls, invocation, unusable).await,
        };
        answer::response(reply, again, SystemClock.now())
    }

    /// What was replaced or removed after it was paid for is still owed to whoever holds the payment.
    async fn call_unlisted(&self, name: &str, sent: Sent) -> Response {
        let mut arguments = sent.arguments;
        let cancel = CancellationToken::new();
        let calls = &self.server.calls;
        if let Ok(Some(credential)) = credential::of_headers(&sent.headers) {
            let owed = calls.call_unlisted_with(name, &arguments, &credential, cancel.clone());
            if let Some(reply) = owed.await {
                return answer::response(reply, Again::WithSamePayment, SystemClock.now());
            }
        }
        if let Some(id) = payment_id(&sent.headers) {
            arguments.insert(PAYMENT_ID_ARGUMENT_RENAMED.to_owned(), id.into());
        }
        let owed = calls.call_unlisted(name, &arguments, sent.principal, cancel);
        match owed.await {
            Some(reply) => answer::response(reply, Again::WithPaymentId, SystemClock.now()),
            None => (StatusCode::NOT_FOUND, "Not Found: no such tool\n").into_response(),
        }
    }
}

/// Whoever calls by HTTP is asked for payment by 402, which both protocols are for.
fn caller() -> Peer {
    Peer {
        x402: true,
        mpp: true,
        ..Peer::default()
    }
}

/// The same call once more. Nobody was asked anything: the payment alone decides.
fn resumption(payment: coinop_core::ids::PaymentId) -> Resumption {
    Resumption {
        payment,
        answer: Answer::Unasked,
        asked: 0,
    }
}

/// The id, as it was sent: what is no text is no id of ours.
fn payment_id(headers: &HeaderMap) -> Option<&str> {
    headers
        .get(PAYMENT_ID)
        .map(|id| id.to_str().unwrap_or_default())
}

fn arguments(body: &[u8]) -> Result<Map<String, Value>, Refusal> {
    if body.is_empty() {
        return Ok(Map::new());
    }
    check_json_text(body).map_err(|error| Refusal::InvalidArguments(error.to_string()))?;
    serde_json::from_slice(body).map_err(|_| {
        Refusal::InvalidArguments("the body is the arguments, a JSON object".to_owned())
    })
}

fn refuse(refusal: Refusal) -> Response {
    let reply = Reply::Refused(refusal);
    answer::response(reply, Again::WithPaymentId, SystemClock.now())
}
