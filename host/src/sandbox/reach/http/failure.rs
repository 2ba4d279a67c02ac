//! What went wrong, in the words of `wasi:http`. A guest is told the kind, never an address or the host's own words.

use std::error::Error as _;
use std::io;

use wasmtime_wasi_http::Error;

use crate::outbound::DialError;

/// Why there was no connection.
pub(super) fn of_dial(error: DialError) -> Error {
    match error {
        DialError::Crowded => Error::ConnectionLimitReached,
        DialError::Unknown(_) => Error::DnsError {
            rcode: None,
            info_code: None,
        },
        DialError::LookupTimeout => Error::DnsTimeout,
        DialError::Prohibited { .. } => Error::DestinationIpProhibited,
        DialError::Timeout => Error::ConnectionTimeout,
        DialError::Refused(error) => of_connect(&error),
        DialError::Tls(error) => of_tls(&error),
    }
}

fn of_connect(error: &io::Error) -> Error {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => Error::ConnectionRefused,
        io::ErrorKind::ConnectionReset => Error::ConnectionTerminated,
        io::ErrorKind::TimedOut => Error::ConnectionTimeout,
        io::ErrorKind::NetworkUnreachable => Error::DestinationIpUnroutable,
        _ => Error::DestinationUnavailable,
    }
}

fn of_tls(error: &io::Error) -> Error {
    let inner = error.get_ref();
    match inner.and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
        Some(rustls::Error::InvalidCertificate(_)) => Error::TlsCertificateError,
        Some(rustls::Error::AlertReceived(alert)) => Error::TlsAlertReceived {
            alert_id: Some(u8::from(*alert)),
            alert_message: Some(format!("{alert:?}")),
        },
        Some(_) => Error::TlsProtocolError,
        None => Error::ConnectionTerminated,
    }
}

/// Why an exchange broke off, on its way there or back.
pub(super) fn of_hyper(error: &hyper::Error) -> Error {
    if let Some(own) = error.source().and_then(|source| source.downcast_ref()) {
        return of_request_body(own);
    }
    if error.is_parse_too_large() {
        return Error::HttpResponseHeaderSectionSize(None);
    }
    if error.is_incomplete_message() {
        return Error::HttpResponseIncomplete;
    }
    if error.is_canceled() || error.is_closed() || error.is_body_write_aborted() {
        return Error::ConnectionTerminated;
    }
    let source = error
        .source()
        .and_then(|source| source.downcast_ref::<io::Error>());
    match source.map(io::Error::kind) {
        Some(io::ErrorKind::UnexpectedEof) => Error::HttpResponseIncomplete,
        Some(io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput) | None => {
            Error::HttpProtocolError
        }
        Some(_) => Error::ConnectionTerminated,
    }
}

/// What the request's own body said: that it is larger than allowed, or than its guest announced.
fn of_request_body(error: &Error) -> Error {
    match error {
        Error::HttpRequestBodySize(size) => Error::HttpRequestBodySize(*size),
        _ => Error::HttpProtocolError,
    }
}
