//! What a caller without a good token is told: what is wrong, and where tokens are to be had (RFC 6750, RFC 9728).

use axum::http::header::{RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};

use super::metadata::Resource;
use super::{Refused, ResourceServer};

/// When to come again while an issuer's keys cannot be had, seconds.
const RETRY_AFTER_S: HeaderValue = HeaderValue::from_static("10");

impl ResourceServer {
    /// The challenge to a caller that sent nothing, or no key and no token.
    pub(in super::super) fn challenge(&self, error: Option<&str>) -> String {
        challenge(&self.resource, error, None)
    }

    /// The answer to a caller whose token was refused.
    pub(in super::super) fn refuse(&self, refused: Refused) -> Response {
        if refused == Refused::Unavailable {
            let text = "Service Unavailable: the issuer's keys cannot be had; try again later\n";
            let retry = [(RETRY_AFTER, RETRY_AFTER_S)];
            return (StatusCode::SERVICE_UNAVAILABLE, retry, text).into_response();
        }
        let (status, error) = match refused {
            Refused::Scope => (StatusCode::FORBIDDEN, "insufficient_scope"),
            _ => (StatusCode::UNAUTHORIZED, "invalid_token"),
        };
        let why = refused.to_string();
        let challenge = challenge(&self.resource, Some(error), Some(&why));
        let reason = status.canonical_reason().unwrap_or_default();
        let text = format!("{reason}: {why}.\n");
        (status, [(WWW_AUTHENTICATE, challenge)], text).into_response()
    }
}

/// Scopes have no quotes, and a URL has none once it is parsed.
fn challenge(resource: &Resource, error: Option<&str>, why: Option<&str>) -> String {
    let parts = [
        ("error", error),
        ("error_description", why),
        ("scope", Some(&*resource.scope).filter(|s| !s.is_empty())),
        ("resource_metadata", Some(&*resource.metadata_url)),
    ];
    let mut text = String::from(r#"Bearer realm="coinop""#);
    for (name, value) in parts {
        if let Some(value) = value {
            text.push_str(&format!(r#", {name}="{value}""#));
        }
    }
    text
}
