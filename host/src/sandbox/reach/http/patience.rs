//! How long a request waits: what the guest asks for, and never longer than the host allows.

use std::time::Duration;

use wasmtime_wasi_http::RequestOptions;

/// The longest wait for a connection, from the name to the end of TLS's handshake.
const CONNECT_MAX: Duration = Duration::from_secs(10);
/// The longest wait for the head of an answer, and for more of its body. The run's wall time is usually shorter.
const SILENCE_MAX: Duration = Duration::from_secs(600);

/// The waits of one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Patience {
    pub(super) connect: Duration,
    pub(super) first_byte: Duration,
    pub(super) between_bytes: Duration,
}

impl Patience {
    pub(super) fn of(options: Option<RequestOptions>) -> Self {
        let options = options.unwrap_or_default();
        let least =
            |asked: Option<Duration>, max: Duration| asked.map_or(max, |wait| wait.min(max));
        Self {
            connect: least(options.connect_timeout, CONNECT_MAX),
            first_byte: least(options.first_byte_timeout, SILENCE_MAX),
            between_bytes: least(options.between_bytes_timeout, SILENCE_MAX),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_guest_may_only_be_less_patient() {
        let asked = RequestOptions {
            connect_timeout: Some(Duration::from_secs(3600)),
            first_byte_timeout: Some(Duration::ZERO),
            between_bytes_timeout: None,
        };
        let expected = Patience {
            connect: CONNECT_MAX,
            first_byte: Duration::ZERO,
            between_bytes: SILENCE_MAX,
        };
        assert_eq!(Patience::of(Some(asked)), expected);
        assert_eq!(Patience::of(None).connect, CONNECT_MAX);
    }
}
