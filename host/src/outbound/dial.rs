//! Connections for plugins: a name is resolved, its addresses are checked, and the connection goes to a checked address.
//!
//! Which addresses count is the caller's decision (`grants::Admits`); that no other one is ever connected to is this
//! file's.

use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use futures::StreamExt;
use futures::stream::FuturesUnordered;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout_at};
use tokio_rustls::TlsConnector;

use super::resolve::{Resolve, SystemResolver};
use super::{system_roots, tls};
use crate::grants::{Admits, Host, Origin, Scheme};

/// Connections of all plugins at a time. Below the 1,024 files that a process usually may open.
const CONNECTIONS_MAX: usize = 640;
/// Addresses of one name that are tried.
const ADDRESSES_MAX: usize = 8;
/// How long one address is waited for before the next one is tried beside it (RFC 8305).
const NEXT_ADDRESS_AFTER: Duration = Duration::from_millis(250);

/// What a connection is, with or without TLS.
pub trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// An open connection, and its place among those of the host.
pub struct Connection {
    /// The bytes.
    pub stream: Box<dyn Stream>,
    /// To be kept as long as the stream.
    pub place: OwnedSemaphorePermit,
}

/// Why there is no connection.
#[derive(Debug, thiserror::Error)]
pub enum DialError {
    /// Too many are open, and none was closed in time.
    #[error("too many connections are open")]
    Crowded,
    /// The name is not known.
    #[error("the name was not found: {0}")]
    Unknown(io::Error),
    /// Nor was it found out in time.
    #[error("the name was not found in time")]
    LookupTimeout,
    /// The name stands for no address that it may stand for; whether it would be allowed one of an internal network.
    #[error("the name stands for addresses that it may not stand for")]
    Prohibited {
        /// Whether marking the grant as internal would allow it.
        internal: bool,
    },
    /// Nobody answered in time.
    #[error("no connection in time")]
    Timeout,
    /// Nobody answered, or the answer was no.
    #[error("not connected: {0}")]
    Refused(io::Error),
    /// TLS did not come about.
    #[error("no TLS: {0}")]
    Tls(io::Error),
}

/// Opens connections.
pub struct Dialer {
    resolver: Arc<dyn Resolve>,
    places: Arc<Semaphore>,
    /// The system's authorities where it is `None`. They take a while to read, so the first connection that needs them does.
    roots: Option<RootCertStore>,
    tls: OnceLock<Result<Arc<ClientConfig>, String>>,
}

impl fmt::Debug for Dialer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Dialer")
    }
}

impl Default for Dialer {
    /// By the system's resolver and its authorities.
    fn default() -> Self {
        Self::new(Arc::new(SystemResolver::default()), None)
    }
}

impl Dialer {
    /// By this resolver and these authorities, the system's where there are none.
    pub fn new(resolver: Arc<dyn Resolve>, roots: Option<RootCertStore>) -> Self {
        Self {
            resolver,
            places: Arc::new(Semaphore::new(CONNECTIONS_MAX)),
            roots,
            tls: OnceLock::new(),
        }
    }

    /// What finds its addresses, for those who open connections by themselves.
    pub(crate) fn resolver(&self) -> &Arc<dyn Resolve> {
        &self.resolver
    }

    /// A connection to an origin, within `wait` all in all. A name may stand for the addresses that `admits` says; an
    /// address stands for itself.
    ///
    /// # Errors
    /// [`DialError`].
    pub async fn dial(
        &self,
        origin: &Origin,
        admits: Admits,
        wait: Duration,
    ) -> Result<Connection, DialError> {
        let by = Instant::now() + wait;
        let place = timeout_at(by, Arc::clone(&self.places).acquire_owned()).await;
        let Ok(Ok(place)) = place else {
            return Err(DialError::Crowded);
        };
        let addresses = self.addresses(&origin.host, admits, by).await?;
        let connected = timeout_at(by, connect(&addresses, origin.port)).await;
        let tcp = connected
            .map_err(|_| DialError::Timeout)?
            .map_err(DialError::Refused)?;
        let stream: Box<dyn Stream> = match origin.scheme {
            Scheme::Http => Box::new(tcp),
            Scheme::Https => timeout_at(by, self.secured(&origin.host, tcp))
                .await
                .map_err(|_| DialError::Timeout)?
                .map_err(DialError::Tls)?,
        };
        Ok(Connection { stream, place })
    }

    async fn addresses(
        &self,
        host: &Host,
        admits: Admits,
        by: Instant,
    ) -> Result<Vec<IpAddr>, DialError> {
        let name = match host {
            Host::Address(address) => return Ok(vec![*address]),
            Host::Name(name) => name,
        };
        let found = timeout_at(by, self.resolver.resolve(name)).await;
        let found = found
            .map_err(|_| DialError::LookupTimeout)?
            .map_err(DialError::Unknown)?;
        admitted(&found, admits)
    }

    async fn secured(&self, host: &Host, tcp: TcpStream) -> io::Result<Box<dyn Stream>> {
        let name = match host {
            Host::Address(address) => ServerName::from(*address),
            Host::Name(name) => ServerName::try_from(name.clone()).map_err(io::Error::other)?,
        };
        let connector = TlsConnector::from(self.tls()?);
        Ok(Box::new(connector.connect(name, tcp).await?))
    }

    fn tls(&self) -> io::Result<Arc<ClientConfig>> {
        let made = self.tls.get_or_init(|| {
            let roots = match &self.roots {
                Some(roots) => tls(roots),
                None => tls(&system_roots()),
            };
            roots.map(Arc::new)
        });
        made.clone().map_err(io::Error::other)
    }
}

/// Those of a name's addresses that it may stand for.
fn admitted(found: &[IpAddr], admits: Admits) -> Result<Vec<IpAddr>, DialError> {
    let allowed = found.iter().copied().filter(|a| admits.address(*a));
    let allowed: Vec<_> = allowed.take(ADDRESSES_MAX).collect();
    match (allowed.is_empty(), found.is_empty()) {
        (false, _) => Ok(allowed),
        (true, true) => Err(DialError::Unknown(io::ErrorKind::NotFound.into())),
        (true, false) => Err(DialError::Prohibited {
            internal: found.iter().any(|a| Admits::Internal.address(*a)),
        }),
    }
}

/// The first address that answers. The next one is tried when one fails, or when it takes its time.
async fn connect(addresses: &[IpAddr], port: u16) -> io::Result<TcpStream> {
    let mut waiting = addresses.iter();
    let mut trying = FuturesUnordered::new();
    let mut failed = io::Error::from(io::ErrorKind::NotFound);
    loop {
        if let Some(address) = waiting.next() {
            trying.push(TcpStream::connect(SocketAddr::new(*address, port)));
        }
        let patience = match waiting.len() {
            0 => Duration::MAX,
            _ => NEXT_ADDRESS_AFTER,
        };
        match tokio::time::timeout(patience, trying.next()).await {
            Ok(Some(Ok(tcp))) => {
                // Requests are written whole: waiting for more of them costs 40 ms and saves nothing.
                tcp.set_nodelay(true)?;
                return Ok(tcp);
            }
            Ok(Some(Err(error))) => failed = error,
            Ok(None) => return Err(failed),
            Err(_) => {}
        }
    }
}
