//! The host of a URL, in the one form that grants are compared in. Forms that other programs read in another way are
//! refused, not guessed at.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Bytes of a host name, by DNS.
const NAME_BYTES_MAX: usize = 253;
/// Bytes of one of its labels.
const LABEL_BYTES_MAX: usize = 63;

/// A host.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Host {
    /// A name in lower case, without a dot at its end.
    Name(String),
    /// An address. Never an IPv4 address in IPv6 clothes.
    Address(IpAddr),
}

/// Why a text is no host, with what to write.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HostError {
    /// There is none.
    #[error("it names no host")]
    Missing,
    /// It is not in ASCII.
    #[error("{0:?} is not in ASCII{advice}", advice = instead(.1.as_deref()))]
    NotAscii(String, Option<String>),
    /// A number, or an address in a form that some programs read as another address.
    #[error("{0:?} is no way to write an address{advice}", advice = instead(.1.as_deref()))]
    OddAddress(String, Option<String>),
    /// Not a name that DNS could know.
    #[error("{0:?} is no host name")]
    NotAName(String),
}

fn instead(written: Option<&str>) -> String {
    written.map_or_else(String::new, |written| format!("; write {written:?}"))
}

impl Host {
    /// Reads a host as it stands in a URL, IPv6 addresses in brackets. Capitals and one dot at the end are put right.
    ///
    /// # Errors
    /// [`HostError`].
    pub fn parse(text: &str) -> Result<Self, HostError> {
        if let Some(inner) = text.strip_prefix('[') {
            let inner = inner.strip_suffix(']');
            let parsed = inner.and_then(|inner| inner.parse::<Ipv6Addr>().ok());
            return address_v6(text, parsed);
        }
        if !text.is_ascii() {
            return Err(HostError::NotAscii(text.to_owned(), whatwg(text)));
        }
        let name = text.strip_suffix('.').unwrap_or(text).to_ascii_lowercase();
        if name.is_empty() {
            return Err(HostError::Missing);
        }
        if let Ok(v4) = name.parse::<Ipv4Addr>() {
            return Ok(Self::Address(v4.into()));
        }
        if name.rsplit('.').next().is_some_and(is_number) {
            return Err(HostError::OddAddress(text.to_owned(), whatwg(text)));
        }
        match name.len() <= NAME_BYTES_MAX && name.split('.').all(is_label) {
            true => Ok(Self::Name(name)),
            false => Err(HostError::NotAName(text.to_owned())),
        }
    }

    /// Whether it is `localhost`, which means this machine and nothing else.
    pub fn is_localhost(&self) -> bool {
        matches!(self, Self::Name(name) if name == "localhost")
    }

    /// Whether it is a name without a dot, which only somebody's own network can know.
    pub fn is_single_label(&self) -> bool {
        matches!(self, Self::Name(name) if !name.contains('.'))
    }
}

fn address_v6(text: &str, parsed: Option<Ipv6Addr>) -> Result<Host, HostError> {
    match parsed {
        None => Err(HostError::OddAddress(text.to_owned(), None)),
        Some(v6) => match v6.to_ipv4_mapped() {
            Some(v4) => Err(HostError::OddAddress(text.to_owned(), Some(v4.to_string()))),
            None => Ok(Host::Address(v6.into())),
        },
    }
}

/// As the URL standard has it: a name that ends in a number is an address or nothing.
fn is_number(label: &str) -> bool {
    let hexadecimal = label.strip_prefix("0x");
    !label.is_empty() && label.bytes().all(|b| b.is_ascii_digit())
        || hexadecimal.is_some_and(|digits| digits.bytes().all(|b| b.is_ascii_hexdigit()))
}

fn is_label(label: &str) -> bool {
    let of_a_name = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-_".contains(&b);
    (1..=LABEL_BYTES_MAX).contains(&label.len()) && label.bytes().all(of_a_name)
}

/// What a browser makes of it, for the message.
fn whatwg(text: &str) -> Option<String> {
    let url = reqwest::Url::parse(&format!("http://{text}")).ok()?;
    url.host_str().map(str::to_owned)
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => f.write_str(name),
            Self::Address(IpAddr::V4(v4)) => v4.fmt(f),
            Self::Address(IpAddr::V6(v6)) => write!(f, "[{v6}]"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_have_one_form() {
        for (text, form) in [
            ("api.example.com", "api.example.com"),
            ("API.Example.COM.", "api.example.com"),
            ("xn--bcher-kva.example", "xn--bcher-kva.example"),
            ("my_service", "my_service"),
            ("127.0.0.1", "127.0.0.1"),
            ("[::1]", "[::1]"),
            ("[2001:DB8:0::1]", "[2001:db8::1]"),
        ] {
            assert_eq!(Host::parse(text).unwrap().to_string(), form, "{text}");
        }
    }

    #[test]
    fn forms_that_deceive_are_refused_with_what_to_write() {
        let long = format!("{}.example", "a".repeat(64));
        for (text, error) in [
            ("", "it names no host"),
            (".", "it names no host"),
            (
                "2130706433",
                "\"2130706433\" is no way to write an address; write \"127.0.0.1\"",
            ),
            (
                "0x7f000001",
                "\"0x7f000001\" is no way to write an address; write \"127.0.0.1\"",
            ),
            (
                "0177.0.0.1",
                "\"0177.0.0.1\" is no way to write an address; write \"127.0.0.1\"",
            ),
            (
                "127.1",
                "\"127.1\" is no way to write an address; write \"127.0.0.1\"",
            ),
            (
                "127.0.0.0x1",
                "\"127.0.0.0x1\" is no way to write an address; write \"127.0.0.1\"",
            ),
            ("999.1.1.1", "\"999.1.1.1\" is no way to write an address"),
            (
                "[::ffff:127.0.0.1]",
                "\"[::ffff:127.0.0.1]\" is no way to write an address; write \"127.0.0.1\"",
            ),
            (
                "[fe80::1%eth0]",
                "\"[fe80::1%eth0]\" is no way to write an address",
            ),
            ("[::1", "\"[::1\" is no way to write an address"),
            (
                "bücher.example",
                "\"bücher.example\" is not in ASCII; write \"xn--bcher-kva.example\"",
            ),
            ("a..b", "\"a..b\" is no host name"),
            ("a b.example", "\"a b.example\" is no host name"),
            ("*.example.com", "\"*.example.com\" is no host name"),
            ("%6c.example", "\"%6c.example\" is no host name"),
        ] {
            assert_eq!(Host::parse(text).unwrap_err().to_string(), error, "{text}");
        }
        assert!(matches!(Host::parse(&long), Err(HostError::NotAName(_))));
        assert!(Host::parse(&"a.".repeat(130)).is_err());
    }
}
