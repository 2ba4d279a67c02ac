//! Whether a decision comes from one of our own pages. The `Host` check is the server's, before anything gets here.

use axum::http::{HeaderMap, Uri, header};

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
    let host = headers
        .get(header::HOST)
        .and_then(|host| host.to_str().ok());
    host.is_some_and(|ours| ours.eq_ignore_ascii_case(&theirs))
        || authority(base).is_some_and(|ours| ours == theirs)
}

/// Whether `base` is an address of this machine only.
pub(super) fn stays_here(base: &str) -> bool {
    let Ok(uri) = base.parse::<Uri>() else {
        return false;
    };
    let name = uri.host().unwrap_or_default();
    let address = name.trim_start_matches('[').trim_end_matches(']');
    name.eq_ignore_ascii_case("localhost")
        || address
            .parse::<std::net::IpAddr>()
            .is_ok_and(|ip| ip.is_loopback())
}

/// Host and port of a URL, lower case.
pub(super) fn authority(url: &str) -> Option<String> {
    let uri: Uri = url.parse().ok()?;
    uri.scheme()?;
    Some(uri.authority()?.as_str().to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    const BASE: &str = "https://tools.example.org";

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
        for away in [
            BASE,
            "http://192.168.1.5:7402",
            "http://127.0.0.1.example",
            "",
        ] {
            assert!(!stays_here(away), "{away}");
        }
    }
}
