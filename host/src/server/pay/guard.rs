//! Who may speak to the payment pages: decisions over request headers.

use axum::http::{HeaderMap, Uri, header};

use super::Hosts;

/// The request's host, port included.
pub(super) fn host(headers: &HeaderMap) -> Option<&str> {
    headers.get(header::HOST)?.to_str().ok()
}

/// Whether the pages answer to `host`. A request without one (HTTP/1.0, a probe) comes from no browser.
pub(super) fn knows_host(hosts: &Hosts, base: &str, host: Option<&str>) -> bool {
    let (Hosts::Only(allowed), Some(host)) = (hosts, host) else {
        return true;
    };
    let name = name_of(host);
    is_loopback(&name)
        || authority(base).is_some_and(|ours| name_of(&ours) == name)
        || allowed.contains(&name)
}

/// Whether a POST was sent by one of our own pages, or by something that is not a browser.
///
/// Browsers say so in `Sec-Fetch-Site`; older ones, and all of them on plain HTTP beyond this machine, in `Origin`. A
/// request with neither is not a browser's, and whoever sends it holds the link by itself.
pub(super) fn comes_from_our_page(headers: &HeaderMap, base: &str) -> bool {
    if let Some(site) = headers.get("sec-fetch-site") {
        return site == "same-origin" || site == "none";
    }
    let Some(origin) = headers.get(header::ORIGIN) else {
        return true;
    };
    // `null` (a sandboxed frame, a file) has no authority and is refused with the rest.
    let Some(theirs) = origin.to_str().ok().and_then(authority) else {
        return false;
    };
    host(headers).is_some_and(|ours| ours.eq_ignore_ascii_case(&theirs))
        || authority(base).is_some_and(|ours| ours == theirs)
}

/// Whether `base` is an address of this machine only.
pub(super) fn stays_here(base: &str) -> bool {
    authority(base).is_some_and(|ours| is_loopback(&name_of(&ours)))
}

/// Host and port of a URL, lower case.
pub(super) fn authority(url: &str) -> Option<String> {
    let uri: Uri = url.parse().ok()?;
    uri.scheme()?;
    Some(uri.authority()?.as_str().to_ascii_lowercase())
}

/// The name in `name:port`, `[::1]:port` or a name alone.
fn name_of(host: &str) -> String {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) => name,
        _ => host,
    };
    name.trim_end_matches('.').to_ascii_lowercase()
}

fn is_loopback(name: &str) -> bool {
    let address = name.trim_start_matches('[').trim_end_matches(']');
    name == "localhost"
        || name.ends_with(".localhost")
        || address
            .parse::<std::net::IpAddr>()
            .is_ok_and(|ip| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    const BASE: &str = "https://tools.example.org";

    #[test]
    fn only_names_of_this_host_are_answered() {
        let hosts = Hosts::Only(vec!["box.lan".into()]);
        let known = |host| knows_host(&hosts, BASE, Some(host));
        for ours in [
            "127.0.0.1:7402",
            "127.0.0.1",
            "localhost:7402",
            "LOCALHOST",
            "[::1]:7402",
            "[::1]",
            "tools.example.org",
            "tools.example.org:443",
            "Tools.Example.org.",
            "box.lan:7402",
        ] {
            assert!(known(ours), "{ours}");
        }
        for strange in [
            "evil.example",
            "evil.example:7402",
            "127.0.0.1.evil.example",
            "tools.example.org.evil.example",
            "[::2]:7402",
            "",
        ] {
            assert!(!known(strange), "{strange}");
        }
        assert!(knows_host(&Hosts::Any, BASE, Some("evil.example")));
    }

    #[test]
    fn a_decision_comes_from_our_own_page() {
        let cases: &[(&[(&str, &str)], bool)] = &[
            (&[], true),
            (&[("sec-fetch-site", "same-origin")], true),
            (&[("sec-fetch-site", "none")], true),
            (&[("sec-fetch-site", "same-site")], false),
            (&[("sec-fetch-site", "cross-site")], false),
            (
                &[
                    ("sec-fetch-site", "cross-site"),
                    ("origin", "http://127.0.0.1:7402"),
                ],
                false,
            ),
            (
                &[("sec-fetch-site", "same-origin"), ("origin", "null")],
                true,
            ),
            (&[("origin", "http://127.0.0.1:7402")], true),
            (&[("origin", "https://tools.example.org")], true),
            (&[("origin", "http://127.0.0.1:8000")], false),
            (&[("origin", "https://evil.example")], false),
            (&[("origin", "null")], false),
            (&[("origin", "")], false),
        ];
        for (sent, expected) in cases {
            let mut headers = HeaderMap::new();
            headers.insert("host", "127.0.0.1:7402".parse().unwrap());
            for (name, value) in *sent {
                headers.insert(*name, value.parse().unwrap());
            }
            assert_eq!(comes_from_our_page(&headers, BASE), *expected, "{sent:?}");
        }
    }

    #[test]
    fn loopback_addresses_stay_here() {
        for here in [
            "http://127.0.0.1:7402",
            "http://[::1]:7402",
            "http://localhost:1",
        ] {
            assert!(stays_here(here), "{here}");
        }
        for away in [BASE, "http://192.168.1.5:7402", "127.0.0.1:7402"] {
            assert!(!stays_here(away), "{away}");
        }
    }
}
