//! Webhooks: where providers tell that something happened to a payment. HTTP only; what a webhook may bring about is the
//! business of [`Notified`].
//!
//! Requests come from providers' servers under whatever name reaches us, so neither `Host` nor `Origin` is asked: the
//! signature authorises. Bodies and signatures appear in no log.

mod counts;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, Request, State};
use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, HeaderMap, HeaderValue, RETRY_AFTER};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

pub use self::counts::Counts;
use crate::gate::{Notified, Unheard};

/// Longest body, bytes: several times what any provider sends.
const BODY_BYTES_MAX: usize = 256 << 10;
/// How long a body may take.
const BODY_WAIT: Duration = Duration::from_secs(10);
/// Webhooks of one account dealt with at a time; further ones are sent again. A provider that hangs when it is asked holds
/// up nobody else's.
const AT_ONCE_MAX: usize = 16;
/// When a provider should send again what could not be dealt with, seconds.
const RETRY_AFTER_S: HeaderValue = HeaderValue::from_static("5");

/// What the route is made of.
struct Hooks {
    notified: Arc<dyn Notified>,
    counts: Arc<Counts>,
    at_once_max: usize,
    /// Of accounts that expect webhooks, so no more than are configured.
    turns: Mutex<BTreeMap<String, Arc<Semaphore>>>,
    body_wait: Duration,
}

/// `POST /webhooks/{account}`, to be served under any `Host`.
pub fn router(notified: Arc<dyn Notified>, counts: Arc<Counts>) -> Router {
    routes(Hooks {
        notified,
        counts,
        at_once_max: AT_ONCE_MAX,
        turns: Mutex::default(),
        body_wait: BODY_WAIT,
    })
}

fn routes(hooks: Hooks) -> Router {
    Router::new()
        .route("/webhooks/{account}", post(receive))
        .with_state(Arc::new(hooks))
}

async fn receive(
    State(hooks): State<Arc<Hooks>>,
    account: Result<Path<String>, PathRejection>,
    request: Request,
) -> Response {
    let Ok(Path(account)) = account else {
        return answer(StatusCode::NOT_FOUND);
    };
    // Before its body: nobody fills our memory in the name of an account that is not there.
    if !hooks.notified.expects_webhooks(&account) {
        return answer(StatusCode::NOT_FOUND);
    }
    let (parts, body) = request.into_parts();
    match hooks.read(body).await {
        Ok(body) => hooks.hear(&account, &parts.headers, &body).await,
        Err(status) => answer(status),
    }
}

impl Hooks {
    /// The whole body, within its bounds of size and time.
    async fn read(&self, body: Body) -> Result<Bytes, StatusCode> {
        let body = Limited::new(body, BODY_BYTES_MAX).collect();
        match tokio::time::timeout(self.body_wait, body).await {
            Ok(Ok(body)) => Ok(body.to_bytes()),
            Ok(Err(error)) if error.is::<LengthLimitError>() => Err(StatusCode::PAYLOAD_TOO_LARGE),
            Ok(Err(_)) => Err(StatusCode::BAD_REQUEST),
            Err(_) => Err(StatusCode::REQUEST_TIMEOUT),
        }
    }

    /// A turn of an account, `None` while all are taken.
    fn turn(&self, account: &str) -> Option<OwnedSemaphorePermit> {
        // Whoever panics here has inserted a whole entry, or none.
        let mut turns = self.turns.lock().unwrap_or_else(PoisonError::into_inner);
        let of_account = turns
            .entry(account.to_owned())
            .or_insert_with(|| Arc::new(Semaphore::new(self.at_once_max)));
        Arc::clone(of_account).try_acquire_owned().ok()
    }

    async fn hear(&self, account: &str, headers: &HeaderMap, body: &[u8]) -> Response {
        let Some(_turn) = self.turn(account) else {
            self.counts.failed();
            return answer(StatusCode::SERVICE_UNAVAILABLE);
        };
        let headers = readable(headers);
        match self.notified.webhook(account, &headers, body).await {
            Ok(heard) => {
                self.counts.heard(heard);
                tracing::debug!(account, ?heard, "a webhook");
                answer(StatusCode::OK)
            }
            Err(Unheard::Unexpected) => answer(StatusCode::NOT_FOUND),
            Err(error @ Unheard::Forged) => {
                self.counts.refused(account, &error);
                answer(StatusCode::BAD_REQUEST)
            }
            Err(error @ Unheard::NotNow(_)) => {
                self.counts.failed();
                tracing::warn!(account, %error, "a webhook must be sent again");
                answer(StatusCode::SERVICE_UNAVAILABLE)
            }
        }
    }
}

/// Headers by lower-case name. Those that are no text are of no scheme.
fn readable(headers: &HeaderMap) -> Vec<(String, String)> {
    let pairs = headers.iter().filter_map(|(name, value)| {
        let value = value.to_str().ok()?;
        Some((name.as_str().to_owned(), value.to_owned()))
    });
    pairs.collect()
}

/// Short and without detail: whoever forges learns nothing.
fn answer(status: StatusCode) -> Response {
    let text = match status {
        StatusCode::OK => "OK\n",
        StatusCode::BAD_REQUEST => "Bad Request: the webhook is not signed as it must be\n",
        StatusCode::NOT_FOUND => "Not Found: no account of this name expects webhooks\n",
        StatusCode::PAYLOAD_TOO_LARGE => "Payload Too Large\n",
        StatusCode::REQUEST_TIMEOUT => "Request Timeout\n",
        _ => "Service Unavailable: send it again\n",
    };
    let mut response = (status, text).into_response();
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if status == StatusCode::SERVICE_UNAVAILABLE {
        headers.insert(RETRY_AFTER, RETRY_AFTER_S);
    }
    response
}
