//! HTTP requests over `wasi:http`, one at a time: what the operator grants in `[plugins.NAME.grants]`, nothing else.
//!
//! A request waits for its whole answer. Redirects are answers like any other, and the answer's size is bounded.

use std::time::{Duration, Instant};

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::Failure;
use crate::bindings::wasi::http::outgoing_handler;
use crate::bindings::wasi::http::types::{
    ErrorCode, Fields, IncomingResponse, Method, OutgoingBody, OutgoingRequest, RequestOptions,
    Scheme,
};
use crate::bindings::wasi::io::streams::StreamError;

/// The longest answer that is read where nobody says another: 4 MiB.
pub const ANSWER_BYTES_MAX: usize = 4 << 20;
/// One read or write, bytes: what `wasi:io` takes at once.
const CHUNK: usize = 4096;

/// Asks for `url`. The status is for the caller to look at: see [`Response::success`].
///
/// # Errors
/// The URL is not one, the operator has not granted it, or there is no answer.
pub fn get(url: &str) -> Result<Response, Failure> {
    Request::new(Method::Get, url).send()
}

/// A request that is put together.
#[derive(Debug)]
pub struct Request {
    method: Method,
    url: String,
    headers: Vec<(String, Vec<u8>)>,
    body: Vec<u8>,
    answer_bytes_max: usize,
    timeout: Option<Duration>,
}

/// An answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    /// The status, such as 200.
    pub status: u16,
    /// Names in lower case, with their values.
    pub headers: Vec<(String, Vec<u8>)>,
    /// The whole body.
    pub body: Vec<u8>,
}

impl Request {
    /// A `GET`.
    pub fn get(url: &str) -> Self {
        Self::new(Method::Get, url)
    }

    /// A `POST`.
    pub fn post(url: &str) -> Self {
        Self::new(Method::Post, url)
    }

    fn new(method: Method, url: &str) -> Self {
        Self {
            method,
            url: url.to_owned(),
            headers: Vec::new(),
            body: Vec::new(),
            answer_bytes_max: ANSWER_BYTES_MAX,
            timeout: None,
        }
    }

    /// Adds `key=value` to the URL's query, encoded.
    pub fn query(mut self, key: &str, value: &str) -> Self {
        self.url
            .push(if self.url.contains('?') { '&' } else { '?' });
        self.url
            .push_str(&format!("{}={}", encoded(key), encoded(value)));
        self
    }

    /// Adds a header.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    /// Sets the body.
    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    /// Sets the body to JSON, with its content type.
    ///
    /// # Errors
    /// It cannot be written as JSON.
    pub fn json(self, value: &impl Serialize) -> Result<Self, Failure> {
        let body = serde_json::to_vec(value)?;
        Ok(self.header("content-type", "application/json").body(body))
    }

    /// Reads at most so many bytes of the answer; a longer one is a failure.
    pub fn answer_bytes_max(mut self, bytes: usize) -> Self {
        self.answer_bytes_max = bytes;
        self
    }

    /// Gives up when there is no connection, no answer, or nothing more of it for so long, or when its body has taken so
    /// long in all: [`Failure::TimedOut`]. Without it a run waits until its host ends it.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// Sends it and waits for the whole answer.
    ///
    /// # Errors
    /// The URL is not one, the operator has not granted it, or there is no answer.
    pub fn send(self) -> Result<Response, Failure> {
        if !cfg!(target_family = "wasm") {
            return Err(Failure::unavailable("there is no host to send requests"));
        }
        let (scheme, authority, path) = parts(&self.url)?;
        let headers = Fields::from_list(&self.headers)?;
        let request = OutgoingRequest::new(headers);
        let url = &self.url;
        let invalid = |()| Failure::failed(format!("{url:?} cannot be asked for"));
        request.set_method(&self.method).map_err(invalid)?;
        request.set_scheme(Some(&scheme)).map_err(invalid)?;
        request.set_authority(Some(authority)).map_err(invalid)?;
        request.set_path_with_query(Some(&path)).map_err(invalid)?;
        let body = request.body().map_err(invalid)?;
        let failed = |code| failure(authority, &code);
        let answer = outgoing_handler::handle(request, self.options()).map_err(failed)?;
        write(body, &self.body).map_err(failed)?;
        answer.subscribe().block();
        let response = answer
            .get()
            .and_then(Result::ok)
            .ok_or_else(|| Failure::failed("the answer was taken before"))?
            .map_err(failed)?;
        let bounds = Bounds {
            bytes_max: self.answer_bytes_max,
            timeout: self.timeout,
        };
        read(response, &bounds, authority)
    }

    fn options(&self) -> Option<RequestOptions> {
        let timeout = u64::try_from(self.timeout?.as_nanos()).ok();
        let options = RequestOptions::new();
        // A host that does not know one of them still has its own.
        let _ = options.set_connect_timeout(timeout);
        let _ = options.set_first_byte_timeout(timeout);
        let _ = options.set_between_bytes_timeout(timeout);
        Some(options)
    }
}

/// What the body of an answer may take.
struct Bounds {
    bytes_max: usize,
    timeout: Option<Duration>,
}

impl Response {
    /// This answer if its status is 200 to 299.
    ///
    /// # Errors
    /// It is another one: [`Failure::Unavailable`], since the service is at fault more often than the caller.
    pub fn success(self) -> Result<Self, Failure> {
        match self.status {
            200..=299 => Ok(self),
            status => Err(Failure::unavailable(format!(
                "the service this tool asks answered with status {status}"
            ))),
        }
    }

    /// The body as text; what is not UTF-8 is replaced.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON.
    ///
    /// # Errors
    /// It is something else.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, Failure> {
        serde_json::from_slice(&self.body).map_err(|error| {
            Failure::failed(format!(
                "the service this tool asks answered in another form: {error}"
            ))
        })
    }
}

/// Scheme, authority, and path with query.
fn parts(url: &str) -> Result<(Scheme, &str, String), Failure> {
    let invalid = || Failure::failed(format!("{url:?} is no http or https URL"));
    let (scheme, rest) = url.split_once("://").ok_or_else(invalid)?;
    let scheme = match scheme {
        "https" => Scheme::Https,
        "http" => Scheme::Http,
        _ => return Err(invalid()),
    };
    let rest = rest.split('#').next().unwrap_or_default();
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    if authority.is_empty() || authority.contains('@') {
        return Err(invalid());
    }
    let slash = if path.starts_with('/') { "" } else { "/" };
    Ok((scheme, authority, format!("{slash}{path}")))
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

fn read(response: IncomingResponse, bounds: &Bounds, authority: &str) -> Result<Response, Failure> {
    let lost = || Failure::unavailable(format!("the connection to {authority} was lost"));
    let incoming = response.consume().map_err(|()| lost())?;
    let stream = incoming.stream().map_err(|()| lost())?;
    let begun = Instant::now();
    let late = || bounds.timeout.is_some_and(|most| begun.elapsed() >= most);
    let mut body = Vec::new();
    loop {
        match stream.blocking_read(CHUNK as u64 * 4) {
            Ok(chunk) => body.extend_from_slice(&chunk),
            Err(StreamError::Closed) => break,
            Err(StreamError::LastOperationFailed(_)) if late() => return Err(too_late(authority)),
            Err(StreamError::LastOperationFailed(_)) => return Err(lost()),
        }
        if late() {
            return Err(too_late(authority));
        }
        if body.len() > bounds.bytes_max {
            return Err(Failure::failed(format!(
                "{authority} answered with more than {} bytes",
                bounds.bytes_max
            )));
        }
    }
    Ok(Response {
        status: response.status(),
        headers: response.headers().entries(),
        body,
    })
}

fn failure(authority: &str, code: &ErrorCode) -> Failure {
    match code {
        ErrorCode::HttpRequestDenied => Failure::Denied(format!(
            "the operator of this tool has not granted requests to {authority}"
        )),
        ErrorCode::ConnectionTimeout
        | ErrorCode::ConnectionReadTimeout
        | ErrorCode::ConnectionWriteTimeout
        | ErrorCode::DnsTimeout
        | ErrorCode::HttpResponseTimeout => too_late(authority),
        other => Failure::unavailable(format!("{authority} cannot be reached: {other:?}")),
    }
}

fn too_late(authority: &str) -> Failure {
    Failure::TimedOut(format!("{authority} did not answer in time"))
}

/// As a part of a query: everything but letters, digits and `-._~` as `%XX`.
fn encoded(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                char::from(byte).to_string()
            }
            byte => format!("%{byte:02X}"),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_taken_apart() {
        for (url, authority, path) in [
            ("https://api.example.com", "api.example.com", "/"),
            ("http://127.0.0.1:80/a?b=c#d", "127.0.0.1:80", "/a?b=c"),
            ("https://example.com?q=1", "example.com", "/?q=1"),
        ] {
            let (_, found, rest) = parts(url).unwrap();
            assert_eq!((found, rest.as_str()), (authority, path));
        }
        for wrong in [
            "",
            "example.com",
            "ftp://example.com",
            "https://",
            "https://a@b/",
        ] {
            assert!(parts(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn queries_are_encoded() {
        let request = Request::get("https://example.com/s")
            .query("q", "a b&c=ü")
            .query("n", "1");
        assert_eq!(
            request.url,
            "https://example.com/s?q=a%20b%26c%3D%C3%BC&n=1"
        );
    }

    #[test]
    fn a_status_that_is_no_success_is_a_failure() {
        let response = Response {
            status: 503,
            headers: Vec::new(),
            body: Vec::new(),
        };
        assert!(matches!(
            response.success(),
            Err(Failure::Unavailable { .. })
        ));
    }
}
