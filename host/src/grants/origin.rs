//! Where a request goes: scheme, host and port, each in one form.

use std::fmt;

use super::Host;

/// The scheme of a URL.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scheme {
    /// In the clear.
    Http,
    /// Over TLS.
    Https,
}

impl Scheme {
    /// As it is written.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }

    /// The port where none is said.
    pub fn port(self) -> u16 {
        match self {
            Self::Http => 80,
            Self::Https => 443,
        }
    }

    /// The scheme of that name, in whatever case.
    pub fn named(name: &str) -> Option<Self> {
        [Self::Http, Self::Https]
            .into_iter()
            .find(|scheme| scheme.as_str().eq_ignore_ascii_case(name))
    }
}

/// Where a request goes.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Origin {
    /// The scheme.
    pub scheme: Scheme,
    /// The host.
    pub host: Host,
    /// The port.
    pub port: u16,
}

impl Origin {
    /// What a request says of its host: the port only where it is not the scheme's own.
    pub fn authority(&self) -> String {
        match self.port == self.scheme.port() {
            true => self.host.to_string(),
            false => format!("{}:{}", self.host, self.port),
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", self.scheme.as_str(), self.authority())
    }
}

/// `host[:port]` taken apart, an address in brackets kept whole. `None` where it cannot be.
pub(super) fn split_port(authority: &str) -> Option<(&str, Option<&str>)> {
    let host_len = match authority.starts_with('[') {
        true => authority.find(']')? + 1,
        false => authority.find(':').unwrap_or(authority.len()),
    };
    let (host, rest) = authority.split_at_checked(host_len)?;
    match rest {
        "" => Some((host, None)),
        _ => Some((host, Some(rest.strip_prefix(':')?))),
    }
}

/// A port as digits and nothing else, never 0.
pub(super) fn port(text: &str) -> Option<u16> {
    let digits = text.bytes().all(|b| b.is_ascii_digit());
    digits
        .then(|| text.parse().ok())
        .flatten()
        .filter(|port| *port > 0)
}

impl Origin {
    /// The origin of a request's scheme and authority.
    ///
    /// # Errors
    /// Why it has none, in words: a user name in it, a host that [`Host::parse`] refuses, a port that is none.
    pub fn of(scheme: Scheme, authority: &str) -> Result<Self, String> {
        if authority.contains('@') {
            return Err("a user name or password does not belong before the host".to_owned());
        }
        let (host, said) = split_port(authority).ok_or("it has no host and port")?;
        let host = Host::parse(host).map_err(|error| error.to_string())?;
        let port = match said {
            Some(text) => port(text).ok_or("the port is no number from 1 to 65535")?,
            None => scheme.port(),
        };
        Ok(Self { scheme, host, port })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_requests_origin_is_read_in_one_way() {
        for (scheme, authority, origin) in [
            (Scheme::Https, "API.example.com", "https://api.example.com"),
            (
                Scheme::Https,
                "api.example.com:443",
                "https://api.example.com",
            ),
            (
                Scheme::Https,
                "api.example.com.:444",
                "https://api.example.com:444",
            ),
            (Scheme::Http, "[::1]:8080", "http://[::1]:8080"),
            (Scheme::Http, "127.0.0.1:80", "http://127.0.0.1"),
        ] {
            let read = Origin::of(scheme, authority).unwrap();
            assert_eq!(read.to_string(), origin, "{authority}");
        }
        for authority in [
            "good.example@evil.example",
            "user:pass@good.example",
            "good.example:80:90",
            "good.example:",
            "good.example:0",
            "good.example:+80",
            "good.example:65536",
            "[::1]8080",
            "[::1",
            "",
            ":80",
            "0x7f.1",
            "[::ffff:127.0.0.1]:80",
        ] {
            assert!(Origin::of(Scheme::Http, authority).is_err(), "{authority}");
        }
    }
}
