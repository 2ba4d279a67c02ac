//! Where a plugin may open sockets to: a transport, one host and one port.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use serde::{Serialize, Serializer};

/// What carries the bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Transport {
    /// Streams.
    Tcp,
    /// Datagrams.
    Udp,
}

impl Transport {
    /// The scheme of a grant.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Tcp => "tcp",
            Self::Udp => "udp",
        }
    }
}

/// One entry of `sockets`: `tcp://host:port` or `udp://host:port`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SocketGrant {
    /// What carries the bytes.
    pub transport: Transport,
    /// A host name in lower case, or an address without brackets.
    pub host: String,
    /// The port, never 0.
    pub port: u16,
}

impl SocketGrant {
    /// The address, where the grant names one instead of a host.
    pub fn address(&self) -> Option<IpAddr> {
        self.host.parse().ok()
    }
}

impl FromStr for SocketGrant {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || {
            format!(
                "{text:?} is no socket; write it like \"tcp://db.example.com:5432\", with tcp or udp"
            )
        };
        let (transport, rest) = match text.split_once("://") {
            Some(("tcp", rest)) => (Transport::Tcp, rest),
            Some(("udp", rest)) => (Transport::Udp, rest),
            _ => return Err(wrong()),
        };
        let (host, port) = rest.rsplit_once(':').ok_or_else(wrong)?;
        let port: u16 = port.parse().map_err(|_| wrong())?;
        let host = plain_host(host).filter(|_| port != 0).ok_or_else(wrong)?;
        Ok(Self {
            transport,
            host,
            port,
        })
    }
}

/// A name of letters, digits, `-`, `_` and dots, or an address; one of IPv6 stands in brackets.
fn plain_host(host: &str) -> Option<String> {
    if let Some(inner) = host.strip_prefix('[') {
        let address: std::net::Ipv6Addr = inner.strip_suffix(']')?.parse().ok()?;
        return Some(address.to_string());
    }
    let letter = |b: u8| b.is_ascii_alphanumeric() || b"-_.".contains(&b);
    let name = !host.is_empty() && host.len() <= 253 && host.bytes().all(letter);
    // `10.0.0.1.` and `127.1` are names to no resolver and addresses to some.
    let numeric = host.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    let address = host.parse::<std::net::Ipv4Addr>().is_ok();
    (name && numeric == address).then(|| host.trim_end_matches('.').to_ascii_lowercase())
}

impl fmt::Display for SocketGrant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (transport, port) = (self.transport.as_str(), self.port);
        match self.host.contains(':') {
            true => write!(f, "{transport}://[{}]:{port}", self.host),
            false => write!(f, "{transport}://{}:{port}", self.host),
        }
    }
}

impl Serialize for SocketGrant {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_socket_names_one_host_and_one_port() {
        for (text, shown) in [
            ("tcp://DB.example.com:5432", "tcp://db.example.com:5432"),
            ("udp://127.0.0.1:53", "udp://127.0.0.1:53"),
            ("tcp://[::1]:80", "tcp://[::1]:80"),
        ] {
            assert_eq!(text.parse::<SocketGrant>().unwrap().to_string(), shown);
        }
        for text in [
            "db:5432",
            "tcp://db",
            "tcp://:5432",
            "tcp://db:0",
            "tcp://db:70000",
            "tcp://*.example.com:1",
            "http://db:1",
            "tcp://127.1:80",
            "tcp://2130706433:80",
            "tcp://user@db:1",
        ] {
            assert!(text.parse::<SocketGrant>().is_err(), "{text}");
        }
    }
}
