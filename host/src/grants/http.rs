//! Which HTTP requests a grant allows: by scheme, host, port and method.

use std::str::FromStr;

/// One entry of `http`: `[METHOD,… ]scheme://host[:port]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpGrant {
    /// `http` or `https`.
    pub scheme: String,
    /// A host name in lower case, or an address.
    pub host: String,
    /// The port, the scheme's own where none was said.
    pub port: u16,
    /// Methods in upper case; empty means all.
    pub methods: Vec<String>,
}

impl FromStr for HttpGrant {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (methods, origin) = match text.rsplit_once(' ') {
            Some((methods, origin)) => (
                methods.split(',').map(|m| m.trim().to_ascii_uppercase()),
                origin,
            ),
            None => return Self::of(Vec::new(), text),
        };
        Self::of(methods.collect(), origin)
    }
}

impl HttpGrant {
    fn of(methods: Vec<String>, origin: &str) -> Result<Self, String> {
        let wrong =
            || format!("{origin:?} is no origin; write it like \"https://api.example.com\"");
        let url = reqwest::Url::parse(origin).map_err(|_| wrong())?;
        let host = url.host_str().ok_or_else(wrong)?.to_owned();
        let port = url.port_or_known_default().ok_or_else(wrong)?;
        if !matches!(url.scheme(), "http" | "https") || url.path() != "/" {
            return Err(wrong());
        }
        Ok(Self {
            scheme: url.scheme().to_owned(),
            host,
            port,
            methods,
        })
    }
}
