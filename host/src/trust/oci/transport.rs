//! Which addresses may be asked, and with what: the rules that keep passwords and unverified answers off plain HTTP.

use reqwest::Url;

/// Whether plain HTTP is allowed with other machines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Plain {
    /// With this machine alone.
    Loopback,
    /// With any: `--insecure`.
    Anywhere,
}

impl Plain {
    /// The scheme for a registry: https, but for one on this machine, and for any that was called insecure.
    pub(super) fn scheme(self, registry: &str) -> &'static str {
        let url = Url::parse(&format!("http://{registry}/"));
        match url {
            Ok(url) if self.allows(&url) => "http",
            _ => "https",
        }
    }

    /// Whether this address may be asked at all.
    pub(super) fn allows(self, url: &Url) -> bool {
        match url.scheme() {
            "https" => true,
            "http" => self == Self::Anywhere || is_loopback(url),
            _ => false,
        }
    }
}

/// Whether `there` is the same place as `here`: what was meant for the one may be sent to the other.
pub(super) fn same_origin(here: &Url, there: &Url) -> bool {
    here.origin() == there.origin()
}

fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let address = host.trim_matches(['[', ']']).parse::<std::net::IpAddr>();
    host == "localhost" || address.is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_http_is_for_this_machine() {
        for here in ["localhost:5000", "127.0.0.1", "127.1.2.3:80", "[::1]:5000"] {
            assert_eq!(Plain::Loopback.scheme(here), "http", "{here}");
        }
        for there in [
            "ghcr.io",
            "localhost.example",
            "10.0.0.1:5000",
            "127.0.0.1.example",
        ] {
            assert_eq!(Plain::Loopback.scheme(there), "https", "{there}");
            assert_eq!(Plain::Anywhere.scheme(there), "http", "{there}");
        }
        let file = Url::parse("file:///etc/passwd").unwrap();
        assert!(!Plain::Anywhere.allows(&file));
    }
}
