//! Requests to others over HTTP, made in one way: TLS by rustls with the system's authorities, bounded in time, and no
//! redirects, since whoever is paid or asked about payments is named in the configuration and nowhere else.

mod dial;
mod resolve;

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use rustls::{ClientConfig, RootCertStore};

pub use dial::{Connection, DialError, Dialer, Stream};
pub use resolve::{Resolve, SystemResolver};

/// How long a connection may take.
const CONNECT_WAIT: Duration = Duration::from_secs(10);

/// A client whose answers take `timeout` at most, all in all. Proxies of the environment are not used: payments go where
/// the configuration says.
///
/// # Errors
/// What keeps TLS from being set up.
pub fn client(timeout: Duration) -> Result<reqwest::Client, String> {
    build(timeout, &system_roots())
}

/// A client for this machine's own ports, over plain HTTP: it trusts nobody's certificate.
///
/// # Errors
/// As [`client`].
pub fn loopback(timeout: Duration) -> Result<reqwest::Client, String> {
    build(timeout, &RootCertStore::empty())
}

/// TLS that believes these authorities.
fn tls(roots: &RootCertStore) -> Result<ClientConfig, String> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    Ok(ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?
        .with_root_certificates(roots.clone())
        .with_no_client_auth())
}

fn build(timeout: Duration, roots: &RootCertStore) -> Result<reqwest::Client, String> {
    reqwest::Client::builder()
        .tls_backend_preconfigured(tls(roots)?)
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .connect_timeout(CONNECT_WAIT)
        .timeout(timeout)
        .user_agent(concat!("coinop/", env!("CARGO_PKG_VERSION")))
        .build()
        .map_err(|error| error.to_string())
}

/// Why an answer's body was not read.
#[derive(Debug, thiserror::Error)]
pub enum Unread {
    /// It is longer than was to be read.
    #[error("the answer is longer than {0} bytes")]
    TooLong(usize),
    /// It broke off. The address is left out, since it may carry a key.
    #[error("{0}")]
    BrokenOff(reqwest::Error),
}

/// The body of an answer, `bytes_max` at most.
///
/// # Errors
/// [`Unread`].
pub async fn body(mut answer: reqwest::Response, bytes_max: usize) -> Result<Vec<u8>, Unread> {
    let broken = |error: reqwest::Error| Unread::BrokenOff(error.without_url());
    let mut body = Vec::new();
    while let Some(chunk) = answer.chunk().await.map_err(broken)? {
        if body.len() + chunk.len() > bytes_max {
            return Err(Unread::TooLong(bytes_max));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// Read once: it takes a while.
fn system_roots() -> Arc<RootCertStore> {
    static ROOTS: OnceLock<Arc<RootCertStore>> = OnceLock::new();
    let read = || {
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        Arc::new(roots)
    };
    ROOTS.get_or_init(read).clone()
}

#[cfg(test)]
mod tests {
    use axum::response::Redirect;
    use axum::routing::get;

    use super::*;

    async fn asked(path: &str) -> reqwest::Response {
        let app = axum::Router::new()
            .route("/here", get(async || Redirect::temporary("/there")))
            .route("/there", get(async || "there"));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        tokio::spawn(async move { axum::serve(listener, app).await });
        let client = loopback(Duration::from_secs(5)).unwrap();
        let answer = client.get(format!("http://{addr}{path}")).send().await;
        answer.unwrap()
    }

    #[tokio::test]
    async fn nobody_is_sent_elsewhere() {
        assert_eq!(asked("/here").await.status(), 307);
    }

    #[tokio::test]
    async fn no_more_is_read_than_was_to_be() {
        assert_eq!(body(asked("/there").await, 5).await.unwrap(), b"there");
        let longer = body(asked("/there").await, 4).await;
        assert!(matches!(longer, Err(Unread::TooLong(4))), "{longer:?}");
    }
}
