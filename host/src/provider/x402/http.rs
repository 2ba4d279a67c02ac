//! Asking over HTTP: JSON there and back, within bounds.

use http::{HeaderName, HeaderValue};
use serde_json::Value;

use crate::outbound;

/// Largest answer that is read, bytes: a page of logs.
const ANSWER_BYTES_MAX: usize = 2 << 20;

/// An answer: its status, and its body where that is JSON.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Answer {
    /// The HTTP status.
    pub(super) status: u16,
    /// The body; null where it is not JSON.
    pub(super) json: Value,
}

/// Posts `body`.
///
/// # Errors
/// Why there is no answer. Whether the other side did what it was asked is then unknown.
pub(super) async fn post(
    client: &reqwest::Client,
    url: &str,
    header: Option<(HeaderName, HeaderValue)>,
    body: &Value,
) -> Result<Answer, String> {
    let mut request = client.post(url).json(body);
    if let Some((name, value)) = header {
        request = request.header(name, value);
    }
    read(request).await
}

/// Gets `url`.
///
/// # Errors
/// Why there is no answer.
pub(super) async fn get(
    client: &reqwest::Client,
    url: &str,
    header: Option<(HeaderName, HeaderValue)>,
) -> Result<Answer, String> {
    let mut request = client.get(url);
    if let Some((name, value)) = header {
        request = request.header(name, value);
    }
    read(request).await
}

async fn read(request: reqwest::RequestBuilder) -> Result<Answer, String> {
    // URLs may carry keys, and errors are logged.
    let silent = |error: reqwest::Error| error.without_url().to_string();
    let response = request.send().await.map_err(silent)?;
    let status = response.status().as_u16();
    let body = outbound::body(response, ANSWER_BYTES_MAX).await;
    let body = body.map_err(|unread| unread.to_string())?;
    let json = serde_json::from_slice(&body).unwrap_or_default();
    Ok(Answer { status, json })
}
