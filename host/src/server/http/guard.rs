//! Who may reach us through a browser: the `Host` and `Origin` checks against DNS rebinding and foreign pages.

use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::header::{HOST, ORIGIN};
use axum::http::uri::{Authority, Uri};
use axum::http::{HeaderMap, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

/// Names and origins that are let in.
pub(super) struct Guard {
    hosts: Vec<Authority>,
    origins: Vec<Origin>,
}

/// A scheme with its host and port, the scheme's default port written out.
#[derive(Debug, PartialEq, Eq)]
struct Origin {
    scheme: String,
    host: String,
    port: Option<u16>,
}

impl Guard {
    /// A guard that lets loopback in, and these. An entry that is no host or origin lets nothing in; the
    /// configuration has refused it before.
    pub(super) fn new(hosts: &[String], origins: &[String]) -> Self {
        Self {
            hosts: hosts
                .iter()
                .filter_map(|host| host.trim().parse().ok())
                .collect(),
            origins: origins
                .iter()
                .filter_map(|origin| Origin::parse(origin))
                .collect(),
        }
    }

    fn admits_host(&self, host: &Authority) -> bool {
        let named = |allowed: &Authority| {
            allowed.host().eq_ignore_ascii_case(host.host())
                && allowed
                    .port_u16()
                    .is_none_or(|port| Some(port) == host.port_u16())
        };
        is_loopback(host.host()) || self.hosts.iter().any(named)
    }

    /// Loopback's pages, our own and those that are listed. `own` is the host the request came to.
    fn admits_origin(&self, origin: &Origin, own: Option<&Authority>) -> bool {
        let is_own = own.is_some_and(|own| {
            let port = own.port_u16().or(default_port(&origin.scheme));
            own.host().eq_ignore_ascii_case(&origin.host) && port == origin.port
        });
        is_loopback(&origin.host) || is_own || self.origins.contains(origin)
    }
}

impl Origin {
    fn parse(text: &str) -> Option<Self> {
        let uri: Uri = text.trim().parse().ok()?;
        let scheme = uri.scheme_str()?.to_ascii_lowercase();
        let authority = uri.authority()?;
        Some(Self {
            host: authority.host().to_ascii_lowercase(),
            port: authority.port_u16().or(default_port(&scheme)),
            scheme,
        })
    }
}

fn default_port(scheme: &str) -> Option<u16> {
    match scheme {
        "http" => Some(80),
        "https" => Some(443),
        _ => None,
    }
}

fn is_loopback(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost")
        || bare
            .parse::<IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

/// The host a request came to: the one `Host` header, which the request line must not contradict.
fn host_of(uri: &Uri, headers: &HeaderMap) -> Option<Authority> {
    let mut hosts = headers.get_all(HOST).iter();
    let host: Authority = hosts.next()?.to_str().ok()?.parse().ok()?;
    let agrees = uri.authority().is_none_or(|authority| *authority == host);
    (agrees && hosts.next().is_none()).then_some(host)
}

/// Refuses requests that came to a name we do not serve.
pub(super) async fn check_host(
    State(guard): State<Arc<Guard>>,
    request: Request,
    next: Next,
) -> Response {
    match host_of(request.uri(), request.headers()) {
        Some(host) if guard.admits_host(&host) => next.run(request).await,
        _ => refuse(
            "Forbidden: this Host is not served. Add it to the allowed hosts if it is yours.\n",
        ),
    }
}

/// Refuses requests of foreign web pages. Clients that are no browsers send no `Origin`.
pub(super) async fn check_origin(
    State(guard): State<Arc<Guard>>,
    request: Request,
    next: Next,
) -> Response {
    let own = host_of(request.uri(), request.headers());
    let admitted = request.headers().get_all(ORIGIN).iter().all(|origin| {
        let origin = origin.to_str().ok().and_then(Origin::parse);
        origin.is_some_and(|origin| guard.admits_origin(&origin, own.as_ref()))
    });
    if admitted {
        next.run(request).await
    } else {
        refuse(
            "Forbidden: pages of this Origin may not call. Add it to the allowed origins if it is yours.\n",
        )
    }
}

fn refuse(why: &'static str) -> Response {
    (StatusCode::FORBIDDEN, why).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guard() -> Guard {
        Guard::new(
            &["shop.example".into(), "other.example:8443".into()],
            &["https://app.example".into()],
        )
    }

    #[test]
    fn loopback_and_listed_hosts_are_served() {
        let cases = [
            ("localhost:7402", true),
            ("127.0.0.1", true),
            ("127.8.8.8:1", true),
            ("[::1]:7402", true),
            ("SHOP.example:99", true),
            ("other.example:8443", true),
            ("other.example", false),
            ("evil.example", false),
            ("127.0.0.1.evil.example", false),
            ("localhost.evil.example", false),
            ("shop.example.evil", false),
        ];
        for (host, admitted) in cases {
            assert_eq!(
                guard().admits_host(&host.parse().unwrap()),
                admitted,
                "{host}"
            );
        }
    }

    #[test]
    fn a_host_must_be_said_once_and_not_contradicted() {
        let of = |uri: &'static str, hosts: &[&'static str]| {
            let mut headers = HeaderMap::new();
            for host in hosts {
                headers.append(HOST, host.parse().unwrap());
            }
            host_of(&Uri::from_static(uri), &headers).is_some()
        };
        assert!(of("/mcp", &["localhost"]));
        assert!(of("http://localhost/mcp", &["localhost"]));
        assert!(!of("/mcp", &[]));
        assert!(!of("/mcp", &["localhost", "localhost"]));
        assert!(!of("http://evil.example/mcp", &["localhost"]));
    }

    #[test]
    fn pages_of_loopback_of_ours_and_of_the_list_may_call() {
        let own: Authority = "shop.example".parse().unwrap();
        let cases = [
            ("http://localhost:3000", true),
            ("http://[::1]", true),
            ("https://app.example", true),
            ("https://app.example:443", true),
            ("http://app.example", false),
            ("https://app.example:8443", false),
            ("https://shop.example", true),
            ("https://evil.example", false),
            ("http://localhost.evil.example", false),
        ];
        for (origin, admitted) in cases {
            let origin = Origin::parse(origin).unwrap();
            assert_eq!(
                guard().admits_origin(&origin, Some(&own)),
                admitted,
                "{origin:?}"
            );
        }
        assert_eq!(Origin::parse("null"), None);
    }
}
