//! Streamable HTTP: one port for MCP, health and whatever pages the composition root brings.

mod connections;
mod endpoint;
mod exchange;
mod guard;
mod health;
mod identity;
mod messages;
pub mod oauth;
mod sessions;
mod tools;

use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::middleware;
use tokio::net::TcpListener;

use self::endpoint::Endpoint;
use self::guard::Guard;
use super::Server;
use crate::quarantine::Quarantine;
pub use health::{LedgerCheck, Problems};
pub use identity::{Anonymous, ApiKey};

/// How HTTP is served. Every bound is named here.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The keys that are accepted; rotating a key keeps its name, and with it its payments.
    pub api_keys: Vec<ApiKey>,
    /// What takes access tokens, where any are taken.
    pub tokens: Option<Arc<oauth::ResourceServer>>,
    /// Whether callers without key and token are served.
    pub anonymous: Anonymous,
    /// Hosts served besides loopback's names: `example.org` on any port, or `example.org:8443`.
    pub allowed_hosts: Vec<String>,
    /// Origins that may call `/mcp` from a browser besides loopback's and our own: `https://app.example.org`.
    pub allowed_origins: Vec<String>,
    /// Whether an answer that comes alone is sent as JSON rather than as an event stream of one event.
    pub replies: Replies,
    /// Longest request body, bytes.
    pub body_bytes_max: usize,
    /// How long a request's body may take.
    pub body_wait: Duration,
    /// How long a request's head may take, and how long a connection may be idle.
    pub head_wait: Duration,
    /// Connections at a time; further ones wait to be accepted.
    pub connections_max: usize,
    /// Legacy sessions at a time; further ones are refused with 503.
    pub sessions_max: usize,
    /// A session without request or stream for this long is closed.
    pub session_idle: Duration,
    /// How long calls in flight are waited for at shutdown.
    pub drain_max: Duration,
    /// The ledger's id, told on `/healthz`: how one coinop recognises another on the same ledger.
    pub ledger_id: String,
    /// How `/readyz` asks whether the ledger answers.
    pub ledger: LedgerCheck,
    /// Which plugins keep failing: `/readyz` says how many.
    pub quarantine: Arc<Quarantine>,
    /// What `/readyz` tells of problems.
    pub problems: Problems,
}

/// The form of an answer that comes alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Replies {
    /// `application/json`. An answer that is slow, or preceded by notifications, is streamed all the same.
    Json,
    /// `text/event-stream`, always.
    EventStream,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            api_keys: Vec::new(),
            tokens: None,
            anonymous: Anonymous::Allowed,
            allowed_hosts: Vec::new(),
            allowed_origins: Vec::new(),
            replies: Replies::Json,
            body_bytes_max: super::stdio::LINE_BYTES_MAX,
            body_wait: Duration::from_secs(30),
            head_wait: Duration::from_secs(30),
            connections_max: 1_024,
            sessions_max: 1_024,
            session_idle: Duration::from_secs(30 * 60),
            drain_max: Duration::from_secs(30),
            ledger_id: String::new(),
            ledger: LedgerCheck::default(),
            quarantine: Arc::default(),
            problems: Problems::InFull,
        }
    }
}

/// What is served beside `/mcp`.
pub struct Pages {
    /// Behind the `Host` check: what browsers open.
    pub guarded: Router,
    /// Under whatever name it is reached: what authorises a request is in the request itself.
    pub open: Router,
}

impl From<Router> for Pages {
    /// Pages that are all guarded.
    fn from(guarded: Router) -> Self {
        let open = Router::new();
        Self { guarded, open }
    }
}

impl Pages {
    fn behind(self, guard: Arc<Guard>) -> Router {
        let check = middleware::from_fn_with_state(guard, guard::check_host);
        self.guarded.layer(check).merge(self.open)
    }
}

/// Serves on `listener` until the server closes, then drains: calls in flight are answered, streams are ended, and
/// nothing outlives `drain_max` by more than a moment. `pages` are merged beside `/mcp`, and see to their own
/// authorisation.
///
/// # Errors
/// Only what makes the listener unusable; a connection's errors are its own.
pub async fn serve(
    listener: TcpListener,
    server: Arc<Server>,
    settings: Settings,
    pages: impl Into<Pages>,
) -> io::Result<()> {
    let settings = Arc::new(settings);
    let guard = Arc::new(Guard::new(
        &settings.allowed_hosts,
        &settings.allowed_origins,
    ));
    let endpoint = Endpoint::new(server.clone(), settings.clone(), guard.clone());
    let pages = pages.into().behind(guard.clone());
    // Probes come from anywhere, under any name, and are told nothing that is secret.
    let tokens = settings.tokens.as_deref();
    let metadata = tokens.map(oauth::ResourceServer::pages).unwrap_or_default();
    let app = endpoint::router(endpoint.clone())
        .merge(tools::router(endpoint.clone(), server.clone()))
        .merge(pages)
        .merge(Pages::from(metadata).behind(guard))
        .merge(health::router(
            server.clone(),
            settings.ledger_id.clone(),
            settings.ledger.clone(),
            settings.quarantine.clone(),
            settings.problems,
        ));
    let connections = connections::Connections::new(listener, &settings);

    let accepting = connections.accept(app, server.closing());
    let sweeping = endpoint
        .sessions()
        .sweep(settings.session_idle, server.closing());
    let refreshing = async {
        if let Some(tokens) = tokens {
            tokens.keep_keys(server.closing()).await;
        }
    };
    let (accepted, (), ()) = tokio::join!(accepting, sweeping, refreshing);

    let drained = tokio::time::timeout(settings.drain_max, async {
        server.drain(settings.drain_max).await && endpoint.drained().await
    });
    if !drained.await.unwrap_or(false) {
        tracing::warn!(
            "calls were still running at the end of the time they are given at shutdown"
        );
    }
    endpoint.close().await;
    accepted?.close().await;
    Ok(())
}

/// Serves only `pages` and health on `listener` until the server closes: the door of a host whose MCP is on stdio.
///
/// # Errors
/// As [`serve`].
pub async fn serve_pages(
    listener: TcpListener,
    server: Arc<Server>,
    settings: Settings,
    pages: impl Into<Pages>,
) -> io::Result<()> {
    let guard = Arc::new(Guard::new(&settings.allowed_hosts, &[]));
    let app = pages.into().behind(guard).merge(health::router(
        server.clone(),
        settings.ledger_id.clone(),
        settings.ledger.clone(),
        settings.quarantine.clone(),
        settings.problems,
    ));
    let connections = connections::Connections::new(listener, &settings);
    let accepted = connections.accept(app, server.closing()).await?;
    accepted.close().await;
    Ok(())
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use axum::http::{Request, StatusCode};
    use axum::routing::get;
    use tower::ServiceExt as _;

    use super::*;

    #[tokio::test]
    async fn what_authorises_itself_is_reached_under_any_name() {
        let page = |path| Router::new().route(path, get(async || "here"));
        let guard = || Arc::new(Guard::new(&["shop.example".into()], &[]));
        for (path, host, expected) in [
            ("/guarded", "shop.example", StatusCode::OK),
            ("/guarded", "evil.example", StatusCode::FORBIDDEN),
            ("/open", "shop.example", StatusCode::OK),
            ("/open", "any.example", StatusCode::OK),
        ] {
            let pages = Pages {
                guarded: page("/guarded"),
                open: page("/open"),
            };
            let request = Request::get(path).header("host", host);
            let request = request.body(Body::empty()).unwrap();
            let response = pages.behind(guard()).oneshot(request).await.unwrap();
            assert_eq!(response.status(), expected, "{path} at {host}");
        }
    }
}
