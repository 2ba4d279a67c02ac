//! `/mcp`: what must be settled before rmcp sees a request (who, whose session, is it JSON), and the shorter answer
//! where rmcp would open a stream for one message.

use std::sync::Arc;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::header::{ACCEPT, CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderValue, Method, StatusCode, request};
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use coinop_core::principal::Principal;
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use rmcp::transport::streamable_http_server::{StreamableHttpServerConfig, StreamableHttpService};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tokio_util::task::task_tracker::TaskTrackerToken;

use super::exchange::{Counted, Exchange, RmcpBody, Shortcut};
use super::guard::Guard;
use super::identity::identify;
use super::sessions::Sessions;
use super::{Replies, Settings};
use crate::server::{Handler, Server};
use crate::wire::json::{self, Rejection};

const SESSION_ID: &str = "mcp-session-id";
const JSON: HeaderValue = HeaderValue::from_static("application/json");
/// What rmcp wants to see accepted; a client that accepts anything accepts it.
const ACCEPTED: HeaderValue = HeaderValue::from_static("application/json, text/event-stream");
/// When a client that found no room for a session should come again, seconds.
const FULL_RETRY_AFTER_S: u32 = 30;

/// The endpoint's state.
pub(super) struct Endpoint {
    settings: Arc<Settings>,
    guard: Arc<Guard>,
    sessions: Arc<Sessions>,
    rmcp: StreamableHttpService<Handler, Sessions>,
    in_flight: TaskTracker,
    streams: CancellationToken,
}

/// The route.
pub(super) fn router(endpoint: Arc<Endpoint>) -> Router {
    Router::new()
        .route("/mcp", any(answer))
        .with_state(endpoint)
}

impl Endpoint {
    pub(super) fn new(
        server: Arc<Server>,
        settings: Arc<Settings>,
        guard: Arc<Guard>,
    ) -> Arc<Self> {
        let sessions = Arc::new(Sessions::new(settings.sessions_max, settings.replies));
        let streams = CancellationToken::new();
        // Host and Origin are checked here, by the rules of all routes; the body is bounded here, too.
        let config = StreamableHttpServerConfig::default()
            .disable_allowed_hosts()
            .disable_allowed_origins()
            .with_json_response(settings.replies == Replies::Json)
            .with_max_request_body_bytes(settings.body_bytes_max)
            .with_cancellation_token(streams.clone());
        let factory = move || Ok(Handler::of_requests(server.clone()));
        Arc::new(Self {
            rmcp: StreamableHttpService::new(factory, sessions.clone(), config),
            settings,
            guard,
            sessions,
            in_flight: TaskTracker::new(),
            streams,
        })
    }

    pub(super) fn sessions(&self) -> &Sessions {
        &self.sessions
    }

    /// Waits until every answer that is under way was written. Always true, for its caller's `&&`.
    pub(super) async fn drained(&self) -> bool {
        self.in_flight.close();
        self.in_flight.wait().await;
        true
    }

    /// Ends sessions and streams.
    pub(super) async fn close(&self) {
        self.sessions.close_all().await;
        self.streams.cancel();
    }

    async fn post(&self, parts: request::Parts, body: Body, exchange: Arc<Exchange>) -> Response {
        if !is_json(&parts) {
            return unsupported_media_type();
        }
        let body = match self.read(body).await {
            Ok(body) => body,
            Err(refused) => return refused,
        };
        if let Err(rejection) = json::check(&body) {
            return reject(&rejection);
        }
        let in_flight = self.in_flight.token();
        let request = Request::from_parts(parts, Full::new(body.clone()));
        let response = exchange.scope(self.rmcp.handle(request)).await;
        if response.status() == StatusCode::UNSUPPORTED_MEDIA_TYPE {
            // The media type was right and the text is JSON: it is no message of the protocol.
            return not_a_message(&body);
        }
        let response = match exchange.take_shortcut() {
            Some(Shortcut::Full) => return full(),
            Some(Shortcut::Json(message)) => match serde_json::to_vec(&*message) {
                Ok(text) => as_json(response, text),
                Err(error) => return unserializable(&error),
            },
            None => response,
        };
        response.map(|body| Counted::body(body, in_flight))
    }

    /// Who sends a request, once it is known that it may be sent here.
    pub(super) async fn admit(&self, parts: &request::Parts) -> Result<Principal, Response> {
        self.guard
            .check(&parts.uri, &parts.headers)
            .map_err(IntoResponse::into_response)?;
        let settings = &self.settings;
        identify(settings, &parts.headers)
            .await
            .map_err(|unauthorized| unauthorized.answer(settings))
    }

    /// Counts an answer as under way, for [`counted`].
    pub(super) fn in_flight(&self) -> TaskTrackerToken {
        self.in_flight.token()
    }

    /// The whole body, within its bounds of size and time.
    pub(super) async fn read(&self, body: Body) -> Result<Bytes, Response> {
        let body = Limited::new(body, self.settings.body_bytes_max).collect();
        match tokio::time::timeout(self.settings.body_wait, body).await {
            Ok(Ok(body)) => Ok(body.to_bytes()),
            Ok(Err(error)) if error.is::<LengthLimitError>() => {
                let text = format!(
                    "Payload Too Large: at most {} bytes\n",
                    self.settings.body_bytes_max
                );
                Err((StatusCode::PAYLOAD_TOO_LARGE, text).into_response())
            }
            Ok(Err(_)) => {
                Err((StatusCode::BAD_REQUEST, "Bad Request: the body broke off\n").into_response())
            }
            Err(_) => Err((StatusCode::REQUEST_TIMEOUT, "Request Timeout\n").into_response()),
        }
    }
}

async fn answer(State(endpoint): State<Arc<Endpoint>>, request: Request) -> Response {
    let (mut parts, body) = request.into_parts();
    let principal = match endpoint.admit(&parts).await {
        Ok(principal) => principal,
        Err(refused) => return refused,
    };
    if let Some(id) = parts.headers.get(SESSION_ID) {
        let session = id
            .to_str()
            .ok()
            .and_then(|id| endpoint.sessions.enter(id, &principal));
        let Some(in_use) = session else {
            return (StatusCode::NOT_FOUND, "Not Found: Session not found").into_response();
        };
        // Travels with the request to its handler, and marks the session as used until that returns.
        parts.extensions.insert(in_use);
    }
    parts.extensions.insert(principal.clone());
    accept_what_is_accepted(&mut parts);
    let exchange = Exchange::new(principal);
    if parts.method == Method::POST {
        return endpoint.post(parts, body, exchange).await;
    }
    let request = Request::from_parts(parts, Full::new(Bytes::new()));
    exchange
        .scope(endpoint.rmcp.handle(request))
        .await
        .map(Body::new)
}

/// rmcp looks for both media types by name; no header, and `*/*`, accept them too.
fn accept_what_is_accepted(parts: &mut request::Parts) {
    let anything = match parts.headers.get(ACCEPT) {
        None => true,
        Some(accept) => accept.to_str().is_ok_and(|accept| accept.contains("*/*")),
    };
    if anything {
        parts.headers.insert(ACCEPT, ACCEPTED);
    }
}

pub(super) fn is_json(parts: &request::Parts) -> bool {
    let content_type = parts
        .headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok());
    let essence = content_type.and_then(|value| value.split(';').next());
    essence.is_some_and(|essence| essence.trim().eq_ignore_ascii_case("application/json"))
}

pub(super) fn unsupported_media_type() -> Response {
    let text = "Unsupported Media Type: Content-Type must be application/json\n";
    (StatusCode::UNSUPPORTED_MEDIA_TYPE, text).into_response()
}

/// An answer that is under way until it was written.
pub(super) fn counted(response: Response, in_flight: TaskTrackerToken) -> Response {
    response.map(|body| Counted::body(body, in_flight))
}

fn as_json(response: Response<RmcpBody>, text: Vec<u8>) -> Response<RmcpBody> {
    let mut response = response.map(|_| Full::new(Bytes::from(text)).boxed());
    response.headers_mut().insert(CONTENT_TYPE, JSON);
    response
}

fn reject(rejection: &Rejection) -> Response {
    (
        StatusCode::BAD_REQUEST,
        [(CONTENT_TYPE, JSON)],
        rejection.to_json(),
    )
        .into_response()
}

fn not_a_message(body: &[u8]) -> Response {
    if json::is_notification(body) {
        return StatusCode::ACCEPTED.into_response();
    }
    reject(&Rejection::invalid("not a message of the protocol", body))
}

fn full() -> Response {
    let text = "Service Unavailable: too many sessions are open; try again later\n";
    let retry = [(RETRY_AFTER, HeaderValue::from(FULL_RETRY_AFTER_S))];
    (StatusCode::SERVICE_UNAVAILABLE, retry, text).into_response()
}

fn unserializable(error: &serde_json::Error) -> Response {
    tracing::error!(%error, "an answer cannot be written as JSON");
    StatusCode::INTERNAL_SERVER_ERROR.into_response()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::json;
    use tokio::time::Instant;
    use tower::ServiceExt;

    use super::*;
    use crate::server::testing::Fixture;
    use crate::server::tests::lines::{INITIALIZE, INITIALIZED, call};

    fn post(session: Option<&HeaderValue>, body: &str) -> Request {
        let mut request = Request::post("/mcp")
            .header("host", "localhost")
            .header(CONTENT_TYPE, JSON);
        if let Some(session) = session {
            request = request.header(SESSION_ID, session);
        }
        request.body(Body::from(body.to_owned())).unwrap()
    }

    #[tokio::test]
    async fn a_silent_call_keeps_its_session_though_nobody_listens() {
        let mut fixture = Fixture::new();
        let guard = Arc::new(Guard::new(&[], &[]));
        let endpoint = Endpoint::new(fixture.server.clone(), Arc::default(), guard);
        let send = |request| router(endpoint.clone()).oneshot(request);
        let opened = send(post(None, INITIALIZE)).await.unwrap();
        let session = opened.headers()[SESSION_ID].clone();
        send(post(Some(&session), INITIALIZED)).await.unwrap();
        let waiting = send(post(Some(&session), &call(1, "wait", json!({}))));
        let waiting = tokio::spawn(waiting);
        while fixture.server.calls_in_flight() == 0 {
            tokio::task::yield_now().await;
        }
        waiting.abort();
        assert!(waiting.await.unwrap_err().is_cancelled());

        let later = || Instant::now() + Duration::from_secs(86_400);
        endpoint
            .sessions
            .close_idle(Duration::from_secs(60), later())
            .await;
        assert_eq!(fixture.server.calls_in_flight(), 1);
        let cancel = json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 1}});
        let cancelled = send(post(Some(&session), &cancel.to_string()))
            .await
            .unwrap();
        assert_eq!(cancelled.status(), StatusCode::ACCEPTED);
        assert_eq!(fixture.ended.recv().await.unwrap(), "wait");
        while fixture.server.calls_in_flight() > 0 {
            tokio::task::yield_now().await;
        }
        endpoint
            .sessions
            .close_idle(Duration::from_secs(60), later())
            .await;
        let gone = send(post(Some(&session), &call(2, "echo", json!({}))))
            .await
            .unwrap();
        assert_eq!(gone.status(), StatusCode::NOT_FOUND);
    }
}
