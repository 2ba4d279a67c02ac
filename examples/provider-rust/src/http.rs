//! Requests to Acme, and what each way to fail means for money: the part of a provider that must not be wrong.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::bindings::coinop::provider::provider_types::{Failure, Unavailable};
use crate::bindings::wasi::http::outgoing_handler;
use crate::bindings::wasi::http::types::{
    ErrorCode, Fields, IncomingResponse, Method, OutgoingBody, OutgoingRequest, Scheme,
};
use crate::bindings::wasi::io::streams::StreamError;
use crate::settings::Settings;

/// The longest answer that is read, bytes.
const ANSWER_BYTES_MAX: usize = 1 << 20;
/// One write, bytes: what `wasi:io` takes at once.
const CHUNK: usize = 4096;

/// What a request may bring about.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Effect {
    /// Nothing: an answer that is lost leaves everything as it was.
    Looks,
    /// Something: an answer that is lost leaves us not knowing.
    MovesMoney,
}

impl Effect {
    /// What a lost or senseless answer means.
    pub(crate) fn lost(self, message: String) -> Failure {
        match self {
            Self::Looks => unavailable(message, None),
            Self::MovesMoney => Failure::UnknownOutcome(message),
        }
    }
}

fn unavailable(message: String, retry_after_ms: Option<u32>) -> Failure {
    Failure::Unavailable(Unavailable {
        message,
        retry_after_ms,
    })
}

/// A request that is put together.
pub(crate) struct Request {
    method: Method,
    path: String,
    effect: Effect,
    key: Option<String>,
    body: Vec<u8>,
}

struct Answer {
    status: u16,
    retry_after_ms: Option<u32>,
    body: Vec<u8>,
}

impl Request {
    pub(crate) fn get(path: &str) -> Self {
        Self::new(Method::Get, path, Effect::Looks)
    }

    pub(crate) fn post(path: &str, effect: Effect) -> Self {
        Self::new(Method::Post, path, effect)
    }

    fn new(method: Method, path: &str, effect: Effect) -> Self {
        Self {
            method,
            path: path.to_owned(),
            effect,
            key: None,
            body: Vec::new(),
        }
    }

    /// Adds `name=value` to the query, encoded.
    pub(crate) fn query(mut self, name: &str, value: &str) -> Self {
        let mark = if self.path.contains('?') { '&' } else { '?' };
        self.path = format!("{}{mark}{name}={}", self.path, encoded(value));
        self
    }

    /// The idempotency key.
    pub(crate) fn key(mut self, key: &str) -> Self {
        self.key = Some(key.to_owned());
        self
    }

    pub(crate) fn json(mut self, body: &impl Serialize) -> Self {
        // Texts and numbers always can be written.
        self.body = serde_json::to_vec(body).unwrap_or_default();
        self
    }

    /// Sends it, and reads the answer of a success.
    pub(crate) fn send<T: DeserializeOwned>(self) -> Result<T, Failure> {
        let settings = Settings::read().map_err(|why| unavailable(why, None))?;
        let effect = self.effect;
        let answer = self.exchange(&settings)?;
        match answer.status {
            200..=299 => serde_json::from_slice(&answer.body)
                .map_err(|error| effect.lost(format!("Acme's answer is not understood: {error}"))),
            status => Err(refusal(effect, status, answer.retry_after_ms)),
        }
    }

    fn exchange(self, settings: &Settings) -> Result<Answer, Failure> {
        let (scheme, rest) = settings.api.split_once("://").unwrap_or_default();
        let (authority, base) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let scheme = match scheme {
            "http" => Scheme::Http,
            _ => Scheme::Https,
        };
        // Nothing was sent yet.
        let never = |()| unavailable("the request cannot be made".to_owned(), None);
        let headers = Fields::from_list(&self.headers(settings)).map_err(|_| never(()))?;
        let request = OutgoingRequest::new(headers);
        request.set_method(&self.method).map_err(never)?;
        request.set_scheme(Some(&scheme)).map_err(never)?;
        request.set_authority(Some(authority)).map_err(never)?;
        let path = format!("{base}{}", self.path);
        request.set_path_with_query(Some(&path)).map_err(never)?;
        let body = request.body().map_err(never)?;
        let failed = |code: ErrorCode| failure(self.effect, &code);
        let answer = outgoing_handler::handle(request, None).map_err(failed)?;
        // A body that cannot be written is told by the answer, or by there being none.
        let written = write(body, &self.body);
        answer.subscribe().block();
        let answer = answer.get().and_then(Result::ok);
        let answer = answer.ok_or_else(|| self.effect.lost("the answer was lost".to_owned()))?;
        let answer = answer.map_err(failed)?;
        written.map_err(failed)?;
        read(answer).ok_or_else(|| self.effect.lost("the answer broke off".to_owned()))
    }

    fn headers(&self, settings: &Settings) -> Vec<(String, Vec<u8>)> {
        let header = |name: &str, value: &str| (name.to_owned(), value.as_bytes().to_vec());
        let mut headers = vec![
            header("authorization", &format!("Bearer {}", settings.key)),
            header("content-type", "application/json"),
        ];
        headers.extend(self.key.iter().map(|key| header("idempotency-key", key)));
        headers
    }
}

/// What a status that is no success means.
fn refusal(effect: Effect, status: u16, retry_after_ms: Option<u32>) -> Failure {
    match status {
        // Acme knows the key with another request, so something was done under it before.
        409 => effect.lost("Acme knows the key with another request".to_owned()),
        401 | 403 => unavailable("Acme does not take the account's key".to_owned(), None),
        429 => unavailable("Acme asks to wait".to_owned(), retry_after_ms),
        400..=499 => Failure::Refused(format!("Acme answered {status}")),
        _ => effect.lost(format!("Acme answered {status}")),
    }
}

/// What it means that there was no answer: nothing was done where nothing was sent.
fn failure(effect: Effect, code: &ErrorCode) -> Failure {
    match code {
        ErrorCode::HttpRequestDenied => unavailable(
            "the operator has not granted requests to Acme".to_owned(),
            None,
        ),
        ErrorCode::DnsTimeout
        | ErrorCode::DnsError(_)
        | ErrorCode::DestinationNotFound
        | ErrorCode::DestinationUnavailable
        | ErrorCode::DestinationIpProhibited
        | ErrorCode::DestinationIpUnroutable
        | ErrorCode::ConnectionRefused
        | ErrorCode::TlsCertificateError
        | ErrorCode::TlsProtocolError => {
            unavailable(format!("Acme cannot be reached: {code:?}"), None)
        }
        _ => effect.lost(format!("Acme did not answer: {code:?}")),
    }
}

fn write(body: OutgoingBody, bytes: &[u8]) -> Result<(), ErrorCode> {
    let lost = |_| ErrorCode::ConnectionTerminated;
    if !bytes.is_empty() {
        let stream = body.write().map_err(|()| ErrorCode::InternalError(None))?;
        for chunk in bytes.chunks(CHUNK) {
            stream.blocking_write_and_flush(chunk).map_err(lost)?;
        }
    }
    OutgoingBody::finish(body, None)
}

/// `None` where it breaks off or does not end.
fn read(response: IncomingResponse) -> Option<Answer> {
    let retry_after = response.headers().get("retry-after").into_iter().next();
    let seconds = retry_after.and_then(|value| String::from_utf8(value).ok()?.parse::<u32>().ok());
    let status = response.status();
    let incoming = response.consume().ok()?;
    let stream = incoming.stream().ok()?;
    let mut body = Vec::new();
    loop {
        match stream.blocking_read(CHUNK as u64 * 4) {
            Ok(chunk) => body.extend_from_slice(&chunk),
            Err(StreamError::Closed) => break,
            Err(StreamError::LastOperationFailed(_)) => return None,
        }
        if body.len() > ANSWER_BYTES_MAX {
            return None;
        }
    }
    Some(Answer {
        status,
        retry_after_ms: seconds.map(|s| s.saturating_mul(1000)),
        body,
    })
}

/// As a part of a query: everything but letters, digits and `-._~` as `%XX`.
fn encoded(text: &str) -> String {
    let encode = |byte: u8| match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
            char::from(byte).to_string()
        }
        byte => format!("%{byte:02X}"),
    };
    text.bytes().map(encode).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_surely_was_not_done_is_told_as_such() {
        let told = |effect, status| match refusal(effect, status, Some(5)) {
            Failure::Refused(_) => "refused",
            Failure::Unavailable(_) => "unavailable",
            Failure::UnknownOutcome(_) => "unknown",
            _ => "other",
        };
        for (status, moving, looking) in [
            (400, "refused", "refused"),
            (401, "unavailable", "unavailable"),
            (404, "refused", "refused"),
            (409, "unknown", "unavailable"),
            (429, "unavailable", "unavailable"),
            (302, "unknown", "unavailable"),
            (500, "unknown", "unavailable"),
            (503, "unknown", "unavailable"),
        ] {
            assert_eq!(told(Effect::MovesMoney, status), moving, "{status}");
            assert_eq!(told(Effect::Looks, status), looking, "{status}");
        }
    }

    #[test]
    fn nothing_sent_is_nothing_done() {
        let refused = failure(Effect::MovesMoney, &ErrorCode::ConnectionRefused);
        assert!(matches!(refused, Failure::Unavailable(_)));
        let cut = failure(Effect::MovesMoney, &ErrorCode::ConnectionTerminated);
        assert!(matches!(cut, Failure::UnknownOutcome(_)));
        let cut = failure(Effect::Looks, &ErrorCode::ConnectionTerminated);
        assert!(matches!(cut, Failure::Unavailable(_)));
    }
}
