//! A guest's request: where it goes, whether its head has a bearable size, and what of it is put on the wire.

use std::sync::Arc;

use http::header::HOST;
use http::uri::PathAndQuery;
use http::{HeaderMap, HeaderValue, Request, Uri};
use http_body_util::BodyExt;
use wasmtime_wasi_http::{Error, WasiBody};

use super::body;
use super::budget::Budget;
use crate::grants::{Origin, Scheme};

/// Bytes of a request's path and query.
const PATH_BYTES_MAX: usize = 16 << 10;
/// Bytes of a request's headers, with what separates them.
const HEADERS_BYTES_MAX: usize = 64 << 10;

/// Where a request goes.
///
/// # Errors
/// What the guest has to do otherwise.
pub(super) fn of<B>(request: &Request<B>) -> Result<Origin, Error> {
    let uri = request.uri();
    if path(uri).len() > PATH_BYTES_MAX {
        return Err(Error::HttpRequestUriTooLong);
    }
    let bytes = head_bytes(request.headers());
    if bytes > HEADERS_BYTES_MAX {
        let told = u32::try_from(bytes).unwrap_or(u32::MAX);
        return Err(Error::HttpRequestHeaderSectionSize(Some(told)));
    }
    let scheme = uri.scheme_str().and_then(Scheme::named);
    let scheme = scheme.ok_or(Error::HttpProtocolError)?;
    let authority = uri.authority().ok_or(Error::HttpRequestUriInvalid)?;
    Origin::of(scheme, authority.as_str()).map_err(|_| Error::HttpRequestUriInvalid)
}

/// The request as it goes to `origin`: its target a path, its `Host` what was checked, its body counted.
pub(super) fn as_sent(
    request: Request<WasiBody>,
    origin: &Origin,
    budget: &Arc<Budget>,
) -> Request<WasiBody> {
    let (mut parts, body) = request.into_parts();
    parts.version = http::Version::HTTP_11;
    parts.uri = origin_form(&parts.uri);
    // An origin is made of what a header may hold, so this never fails; if it did, the server would refuse the request.
    match HeaderValue::try_from(origin.authority()) {
        Ok(host) => parts.headers.insert(HOST, host),
        Err(_) => parts.headers.remove(HOST),
    };
    let body = body::Outgoing::new(body, Arc::clone(budget));
    Request::from_parts(parts, body.boxed_unsync())
}

fn path(uri: &Uri) -> &str {
    uri.path_and_query().map_or("/", PathAndQuery::as_str)
}

/// A path that begins with `/`, as a server that is asked directly expects it (RFC 9112, 3.2.1).
fn origin_form(uri: &Uri) -> Uri {
    let path = path(uri);
    let whole = match path.starts_with('/') {
        true => path.to_owned(),
        false => format!("/{path}"),
    };
    Uri::try_from(whole).unwrap_or_default()
}

fn head_bytes(headers: &HeaderMap) -> usize {
    let line = |(name, value): (&http::HeaderName, &HeaderValue)| {
        name.as_str().len() + value.len() + ": \r\n".len()
    };
    headers.iter().map(line).sum()
}
