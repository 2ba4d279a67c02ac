//! One request and the head of its answer.

use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Empty};
use hyper::body::{Body, Incoming};
use tokio::time::timeout;
use wasmtime_wasi_http::{Error, WasiBody};

use super::failure;
use super::lines::{Key, Line, Lines};
use super::patience::Patience;
use crate::grants::Origin;
use crate::outbound::DialError;

/// Why there is no answer.
pub(super) enum Failure {
    /// There was no connection.
    Dial(DialError, Origin),
    /// There was one, and no answer on it.
    Exchange(Error),
}

/// Sends a request and waits for the head of its answer, which comes with the connection that brings its body.
pub(super) async fn exchange(
    lines: &Lines,
    key: Key,
    request: Request<WasiBody>,
    patience: Patience,
) -> Result<(Response<Incoming>, Line), Failure> {
    let mut request = request;
    // A kept connection may be closed by its server while the request is on its way to it. The next one gets the request
    // then: itself where nothing of it was sent, its copy where sending it twice changes nothing. The last one is new, so
    // this ends.
    while let Some(line) = lines.kept(&key).await {
        let copy = harmless_copy(&request);
        match ask(line, request, patience).await {
            Ok(answered) => return Ok(answered),
            Err((_, Some(unsent))) => request = unsent,
            Err((error, None)) => match copy.filter(|_| is_hang_up(&error)) {
                Some(copy) => request = copy,
                None => return Err(Failure::Exchange(error)),
            },
        }
    }
    let line = lines.dial(&key, patience.connect).await;
    let line = line.map_err(|error| Failure::Dial(error, key.0))?;
    let answered = ask(line, request, patience).await;
    answered.map_err(|(error, _)| Failure::Exchange(error))
}

/// The same request again, where it only reads and has no body (RFC 9110, 9.2.2).
fn harmless_copy(request: &Request<WasiBody>) -> Option<Request<WasiBody>> {
    let reads = [Method::GET, Method::HEAD].contains(request.method());
    let copied = || {
        let mut copy = Request::new(nothing());
        *copy.method_mut() = request.method().clone();
        *copy.uri_mut() = request.uri().clone();
        *copy.headers_mut() = request.headers().clone();
        copy
    };
    (reads && request.body().is_end_stream()).then(copied)
}

fn nothing() -> WasiBody {
    Empty::new().map_err(|never| match never {}).boxed_unsync()
}

/// Whether the connection ended before a byte of the answer that could be understood.
fn is_hang_up(error: &Error) -> bool {
    matches!(
        error,
        Error::HttpResponseIncomplete | Error::ConnectionTerminated
    )
}

/// The answer, or the error with the request where nothing of it was sent.
type Asked = Result<(Response<Incoming>, Line), (Error, Option<Request<WasiBody>>)>;

async fn ask(mut line: Line, request: Request<WasiBody>, patience: Patience) -> Asked {
    let asked = timeout(patience.first_byte, line.sender.try_send_request(request)).await;
    let Ok(asked) = asked else {
        return Err((Error::ConnectionReadTimeout, None));
    };
    match asked {
        // Nobody asked for another protocol: a guest cannot set `upgrade`.
        Ok(answer) if answer.status() == StatusCode::SWITCHING_PROTOCOLS => {
            Err((Error::HttpUpgradeFailed, None))
        }
        Ok(answer) => Ok((answer, line)),
        Err(mut refused) => {
            let unsent = refused.take_message();
            Err((failure::of_hyper(refused.error()), unsent))
        }
    }
}
