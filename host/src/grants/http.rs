//! Which HTTP requests a grant allows: by scheme, host, port and method. `[METHOD,… ]scheme://host[:port][ internal]`.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use super::address::Place;
use super::host::Host;
use super::origin::{self, Origin, Scheme};

/// The word that lets a name stand for an address of an internal network.
const INTERNAL: &str = "internal";
/// Methods that change nothing, by HTTP's own definition.
const READING: [&str; 2] = ["GET", "HEAD"];

/// One entry of `http`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpGrant {
    scheme: Scheme,
    host: HostPattern,
    port: PortPattern,
    /// In upper case; empty means all.
    methods: Vec<String>,
    internal: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum HostPattern {
    Exactly(Host),
    /// One label, whichever, before this name: `*.example.com`.
    OneLabelUnder(String),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum PortPattern {
    Exactly(u16),
    Any,
}

/// Which addresses the name of a granted host may stand for. The wider one counts where several grants fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Admits {
    /// This machine's own: the name is `localhost`.
    Loopback,
    /// Those of the public Internet.
    Public,
    /// Those, this machine's own and an internal network's.
    Internal,
}

impl Admits {
    /// Whether a name may stand for `address`.
    pub fn address(self, address: IpAddr) -> bool {
        match Place::of(address) {
            Place::Loopback => self != Self::Public,
            Place::Public => self != Self::Loopback,
            Place::Internal => self == Self::Internal,
            Place::Link | Place::Nowhere => false,
        }
    }
}

impl HttpGrant {
    /// The grant that allows one method at one origin, and no more.
    pub fn exactly(method: &str, origin: &Origin, internal: bool) -> Self {
        let named = origin.host.is_single_label() && !origin.host.is_localhost();
        Self {
            scheme: origin.scheme,
            host: HostPattern::Exactly(origin.host.clone()),
            port: PortPattern::Exactly(origin.port),
            methods: vec![method.to_owned()],
            internal: internal || named,
        }
    }

    /// Whether it allows a request, and which addresses the host's name may stand for.
    pub fn admits(&self, method: &str, origin: &Origin) -> Option<Admits> {
        let port = match self.port {
            PortPattern::Exactly(port) => port == origin.port,
            PortPattern::Any => true,
        };
        let method = self.methods.is_empty() || self.methods.iter().any(|m| m == method);
        let fits = self.scheme == origin.scheme && port && method && self.host.fits(&origin.host);
        fits.then(|| match origin.host.is_localhost() {
            _ if self.internal => Admits::Internal,
            true => Admits::Loopback,
            false => Admits::Public,
        })
    }

    /// Whether it allows everything that `other` allows.
    pub fn covers(&self, other: &Self) -> bool {
        let methods = self.methods.is_empty()
            || !other.methods.is_empty() && other.methods.iter().all(|m| self.methods.contains(m));
        let host = match &other.host {
            HostPattern::Exactly(host) => self.host.fits(host),
            HostPattern::OneLabelUnder(_) => self.host == other.host,
        };
        let port = self.port == PortPattern::Any || self.port == other.port;
        let internal = self.internal || !other.internal;
        self.scheme == other.scheme && host && port && methods && internal
    }

    /// What it allows, as a phrase.
    pub fn phrase(&self) -> String {
        let any_method = Self {
            methods: Vec::new(),
            ..self.clone()
        };
        match self.methods.as_slice() {
            [] => format!("send requests to {any_method}"),
            methods => format!("send {} requests to {any_method}", methods.join(" or ")),
        }
    }

    /// Whether the methods it allows change nothing, by HTTP's own definition: it names GET or HEAD alone.
    pub fn only_reads(&self) -> bool {
        !self.methods.is_empty() && self.methods.iter().all(|m| READING.contains(&m.as_str()))
    }
}

impl HostPattern {
    fn fits(&self, host: &Host) -> bool {
        match (self, host) {
            (Self::Exactly(own), host) => own == host,
            (Self::OneLabelUnder(own), Host::Name(name)) => name
                .split_once('.')
                .is_some_and(|(_, parent)| parent == own),
            (Self::OneLabelUnder(_), Host::Address(_)) => false,
        }
    }

    fn parse(text: &str) -> Result<Self, String> {
        let host = |text| Host::parse(text).map_err(|error| error.to_string());
        let Some(parent) = text.strip_prefix("*.") else {
            if text.contains('*') {
                return Err(
                    "* stands for one whole label and comes first: \"*.example.com\"".into(),
                );
            }
            return host(text).map(Self::Exactly);
        };
        match host(parent)? {
            Host::Name(parent) if parent.contains('.') => Ok(Self::OneLabelUnder(parent)),
            _ => Err("* needs a name of two labels or more behind it: \"*.example.com\"".into()),
        }
    }
}

impl FromStr for HttpGrant {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parts = Parts::of(text)?;
        let wrong = |why: String| format!("{:?}: {why}", parts.origin);
        let (scheme, authority) = scheme_and_authority(parts.origin).map_err(wrong)?;
        let (host, port) = origin::split_port(authority)
            .ok_or_else(|| wrong("it has no host and port".to_owned()))?;
        let host = HostPattern::parse(host).map_err(wrong)?;
        let port = port_pattern(port, scheme).map_err(wrong)?;
        check_reach(&host, parts.internal).map_err(wrong)?;
        Ok(Self {
            scheme,
            host,
            port,
            methods: methods(parts.methods)?,
            internal: parts.internal,
        })
    }
}

/// The words of an entry.
struct Parts<'a> {
    methods: &'a str,
    origin: &'a str,
    internal: bool,
}

impl<'a> Parts<'a> {
    fn of(text: &'a str) -> Result<Self, String> {
        let text = text.trim();
        let (rest, internal) = match text.rsplit_once(' ') {
            Some((rest, INTERNAL)) => (rest.trim_end(), true),
            _ => (text, false),
        };
        let (methods, origin) = rest.rsplit_once(' ').unwrap_or(("", rest));
        if !origin.contains("://") {
            return Err(format!(
                "{text:?} is no origin; write it like \"https://api.example.com\", with methods in front where not all are \
                 meant: \"GET,HEAD https://api.example.com\""
            ));
        }
        Ok(Self {
            methods,
            origin,
            internal,
        })
    }
}

fn scheme_and_authority(origin: &str) -> Result<(Scheme, &str), String> {
    let (scheme, rest) = origin.split_once("://").ok_or("it has no scheme")?;
    let scheme = Scheme::named(scheme).ok_or("the scheme is neither http nor https")?;
    let authority = rest.strip_suffix('/').unwrap_or(rest);
    if authority.contains('@') {
        return Err(
            "a grant has no user name or password; write \"https://api.example.com\"".into(),
        );
    }
    if let Some(at) = authority.find(['/', '?', '#', '\\']) {
        let (kept, _) = authority.split_at(at);
        return Err(format!(
            "a grant is for a whole origin, without a path; write \"{}://{kept}\"",
            scheme.as_str()
        ));
    }
    Ok((scheme, authority))
}

fn port_pattern(said: Option<&str>, scheme: Scheme) -> Result<PortPattern, String> {
    match said {
        None => Ok(PortPattern::Exactly(scheme.port())),
        Some("*") => Ok(PortPattern::Any),
        Some(text) => origin::port(text).map(PortPattern::Exactly).ok_or_else(|| {
            format!("{text:?} is no port; write a number from 1 to 65535, or * for all of them")
        }),
    }
}

/// What a grant could never mean is refused before it is believed.
fn check_reach(host: &HostPattern, internal: bool) -> Result<(), String> {
    let HostPattern::Exactly(host) = host else {
        return Ok(());
    };
    match host {
        Host::Address(_) if internal => Err(format!(
            "an address needs no {INTERNAL:?}: it is allowed as it is written"
        )),
        Host::Address(address) if is_no_host(*address) => {
            Err("it is the address of no single host".to_owned())
        }
        Host::Name(_) if host.is_single_label() && !host.is_localhost() && !internal => Err(
            format!("only an internal network knows such a name; write {INTERNAL:?} behind it"),
        ),
        _ => Ok(()),
    }
}

fn is_no_host(address: IpAddr) -> bool {
    let broadcast = matches!(address, IpAddr::V4(v4) if v4.is_broadcast());
    address.is_unspecified() || address.is_multicast() || broadcast
}

fn methods(text: &str) -> Result<Vec<String>, String> {
    let words = text.split([',', ' ']).filter(|word| !word.is_empty());
    let mut methods = words.map(method).collect::<Result<Vec<_>, _>>()?;
    // In one order, so that the same grant is always written the same way.
    methods.sort();
    methods.dedup();
    Ok(methods)
}

fn method(word: &str) -> Result<String, String> {
    let method = word.to_ascii_uppercase();
    match http::Method::from_bytes(method.as_bytes()) {
        Ok(http::Method::CONNECT) => {
            Err("CONNECT opens a tunnel to anywhere: no grant allows it".into())
        }
        Ok(_) => Ok(method),
        Err(_) => Err(format!(
            "{word:?} is no HTTP method; write them like \"GET,HEAD\""
        )),
    }
}

impl fmt::Display for HttpGrant {
    /// As it is written in `coinop.toml`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.methods.is_empty() {
            write!(f, "{} ", self.methods.join(","))?;
        }
        write!(f, "{}://", self.scheme.as_str())?;
        match &self.host {
            HostPattern::Exactly(host) => write!(f, "{host}")?,
            HostPattern::OneLabelUnder(parent) => write!(f, "*.{parent}")?,
        }
        match self.port {
            PortPattern::Any => f.write_str(":*")?,
            PortPattern::Exactly(port) if port != self.scheme.port() => write!(f, ":{port}")?,
            PortPattern::Exactly(_) => {}
        }
        match self.internal {
            true => write!(f, " {INTERNAL}"),
            false => Ok(()),
        }
    }
}

#[cfg(test)]
#[path = "http_tests.rs"]
mod tests;
