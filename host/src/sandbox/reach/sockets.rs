//! Sockets of guests: to the hosts and ports that are named and nowhere else; nothing listens.
//!
//! A guest learns addresses of named hosts only: any other question would carry words out by way of the name servers.
//! What the host resolved for a name stays what the name means until the run ends.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::{IpAddr, SocketAddr, ToSocketAddrs as _};
use std::pin::Pin;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use wasmtime_wasi::WasiCtxBuilder;
use wasmtime_wasi::sockets::SocketAddrUse;

use super::Denials;
use crate::grants::{Denial, SocketGrant, Transport};

/// Sockets that one run may make in all.
const SOCKETS_MAX: u32 = 256;
/// Sockets that a run without any grant may make: they lead nowhere, and where to is only known when one is used.
const SOCKETS_UNGRANTED_MAX: u32 = 4;

/// Names that one run may have looked up. Each keeps a thread of the host until its name server has answered, whoever
/// still waits for it.
const LOOKUPS_MAX: u32 = 16;

/// Where one run's sockets may lead.
pub(super) struct Sockets {
    grants: Vec<SocketGrant>,
    denials: Arc<Denials>,
    made: AtomicU32,
    looked_up: AtomicU32,
    known: Mutex<Known>,
}

/// What names mean in this run.
#[derive(Default)]
struct Known {
    addresses: BTreeMap<String, BTreeSet<IpAddr>>,
    /// The name that was asked for, by the handle of the answer.
    asked: HashMap<u32, String>,
}

impl Sockets {
    pub(super) fn new(grants: &[SocketGrant], denials: &Arc<Denials>) -> Arc<Self> {
        Arc::new(Self {
            grants: grants.to_vec(),
            denials: Arc::clone(denials),
            made: AtomicU32::new(0),
            looked_up: AtomicU32::new(0),
            known: Mutex::default(),
        })
    }

    /// Puts this in charge of a context's sockets.
    pub(super) fn guard(self: &Arc<Self>, builder: &mut WasiCtxBuilder) {
        let sockets = Arc::clone(self);
        builder
            .allow_tcp(true)
            .allow_udp(true)
            .allow_ip_name_lookup(!self.grants.is_empty())
            .socket_addr_check(move |addr, purpose| sockets.clone().check(addr, purpose));
    }

    /// Forgets what one run did, for the next one.
    pub(super) fn renew(&self) {
        self.made.store(0, Ordering::Relaxed);
        self.looked_up.store(0, Ordering::Relaxed);
        *self.known() = Known::default();
    }

    /// Whether one more socket may be made.
    pub(super) fn may_make(&self) -> bool {
        let max = match self.grants.is_empty() {
            true => SOCKETS_UNGRANTED_MAX,
            false => SOCKETS_MAX,
        };
        self.made.fetch_add(1, Ordering::Relaxed) < max
    }

    /// Whether one more name may be looked up.
    pub(super) fn may_look_up(&self) -> bool {
        self.looked_up.fetch_add(1, Ordering::Relaxed) < LOOKUPS_MAX
    }

    /// The granted host of this name, if there is one; noted if not.
    pub(super) fn host(&self, name: &str) -> Option<String> {
        let plain = name.trim_end_matches('.').to_ascii_lowercase();
        let host = self.grants.iter().find(|grant| grant.host == plain);
        if host.is_none() {
            let name: String = name.chars().filter(|c| !c.is_control()).take(253).collect();
            self.deny(
                format!("look up the address of {name}"),
                Some(format!("tcp://{name}:PORT")),
            );
        }
        host.map(|grant| grant.host.clone())
    }

    /// Remembers which name an answer is about.
    pub(super) fn asked(&self, answer: u32, host: String) {
        self.known().asked.insert(answer, host);
    }

    /// Remembers an address of an answer.
    pub(super) fn learned(&self, answer: u32, address: IpAddr) {
        let mut known = self.known();
        if let Some(host) = known.asked.get(&answer).cloned() {
            let addresses = known.addresses.entry(host).or_default();
            addresses.insert(address.to_canonical());
        }
    }

    /// Remembers the addresses of an answer that came whole.
    pub(super) fn answered_with(&self, host: String, addresses: impl Iterator<Item = IpAddr>) {
        let mut known = self.known();
        let of = known.addresses.entry(host).or_default();
        of.extend(addresses.map(|address| address.to_canonical()));
    }

    /// Forgets an answer; its addresses stay.
    pub(super) fn answered(&self, answer: u32) {
        self.known().asked.remove(&answer);
    }

    fn check(
        self: Arc<Self>,
        addr: SocketAddr,
        purpose: SocketAddrUse,
    ) -> Pin<Box<dyn Future<Output = bool> + Send + Sync>> {
        let transport = match purpose {
            // From anywhere to what is checked next.
            SocketAddrUse::TcpBind | SocketAddrUse::UdpBind if is_anywhere(addr) => {
                return Box::pin(std::future::ready(true));
            }
            SocketAddrUse::TcpConnect => Transport::Tcp,
            SocketAddrUse::UdpSend | SocketAddrUse::UdpReceive => Transport::Udp,
            SocketAddrUse::TcpBind
            | SocketAddrUse::UdpBind
            | SocketAddrUse::TcpListen
            | SocketAddrUse::TcpAccept => {
                self.deny("listen on a socket".to_owned(), None);
                return Box::pin(std::future::ready(false));
            }
        };
        Box::pin(async move {
            let allowed = self.leads_to(transport, addr).await;
            // A stranger's datagram is not the guest's doing.
            if !allowed && !matches!(purpose, SocketAddrUse::UdpReceive) {
                self.deny_address(transport, addr);
            }
            allowed
        })
    }

    async fn leads_to(&self, transport: Transport, addr: SocketAddr) -> bool {
        let ip = addr.ip().to_canonical();
        let fits = |grant: &&SocketGrant| grant.transport == transport && grant.port == addr.port();
        for grant in self.grants.iter().filter(fits) {
            if let Some(granted) = grant.address() {
                if granted.to_canonical() == ip {
                    return true;
                }
                continue;
            }
            if !self.known().addresses.contains_key(&grant.host) {
                let found = resolve(grant.host.clone()).await;
                self.known()
                    .addresses
                    .entry(grant.host.clone())
                    .or_default()
                    .extend(found);
            }
            let known = self.known();
            if known
                .addresses
                .get(&grant.host)
                .is_some_and(|of| of.contains(&ip))
            {
                return true;
            }
        }
        false
    }

    fn deny_address(&self, transport: Transport, addr: SocketAddr) {
        let ip = addr.ip().to_canonical();
        let known = self.known();
        let named = known.addresses.iter().find(|(_, of)| of.contains(&ip));
        let host = named.map_or_else(|| ip.to_string(), |(host, _)| host.clone());
        drop(known);
        let wanted = SocketGrant {
            transport,
            host,
            port: addr.port(),
        };
        self.deny(
            format!("open a socket to {wanted}"),
            Some(wanted.to_string()),
        );
    }

    fn deny(&self, wanted: String, socket: Option<String>) {
        let line = socket.map(|socket| format!("sockets = [{socket:?}]"));
        self.denials.note(Denial { wanted, line });
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn is_anywhere(addr: SocketAddr) -> bool {
    addr.ip().is_unspecified() && addr.port() == 0
}

/// The addresses of a host, none where it has none.
async fn resolve(host: String) -> Vec<IpAddr> {
    let asking = tokio::task::spawn_blocking(move || (host.as_str(), 0).to_socket_addrs());
    match asking.await {
        Ok(Ok(found)) => found.map(|addr| addr.ip().to_canonical()).collect(),
        Ok(Err(_)) | Err(_) => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn check(grants: &[&str], purpose: SocketAddrUse, addr: &str) -> (bool, Vec<Denial>) {
        let grants: Vec<SocketGrant> = grants.iter().map(|g| g.parse().unwrap()).collect();
        let denials = Arc::<Denials>::default();
        let sockets = Sockets::new(&grants, &denials);
        let allowed = sockets.check(addr.parse().unwrap(), purpose).await;
        (allowed, denials.take())
    }

    #[tokio::test]
    async fn only_what_is_named_is_reached() {
        use SocketAddrUse::{TcpBind, TcpConnect, TcpListen, UdpReceive, UdpSend};
        let named = &[
            "tcp://127.0.0.1:5432",
            "udp://[::1]:53",
            "tcp://localhost:80",
        ][..];
        let cases = [
            (TcpConnect, "127.0.0.1:5432", true),
            (TcpConnect, "[::ffff:127.0.0.1]:5432", true),
            (TcpConnect, "127.0.0.1:80", true),
            (TcpConnect, "127.0.0.1:5433", false),
            (TcpConnect, "127.0.0.2:5432", false),
            (UdpSend, "127.0.0.1:5432", false),
            (UdpSend, "[::1]:53", true),
            (UdpReceive, "[::1]:53", true),
            (UdpReceive, "[::1]:54", false),
            (TcpBind, "0.0.0.0:0", true),
            (TcpBind, "0.0.0.0:8080", false),
            (TcpListen, "0.0.0.0:0", false),
        ];
        for (purpose, addr, allowed) in cases {
            let answer = check(named, purpose, addr).await.0;
            assert_eq!(answer, allowed, "{purpose:?} {addr}");
        }
    }

    #[test]
    fn a_run_looks_up_only_so_many_names() {
        let sockets = Sockets::new(&[], &Arc::default());
        let looked_up = (0..2 * LOOKUPS_MAX).filter(|_| sockets.may_look_up());
        assert_eq!(looked_up.count(), LOOKUPS_MAX as usize);
    }

    #[tokio::test]
    async fn a_refusal_names_the_line_to_add() {
        let (allowed, denials) = check(&[], SocketAddrUse::TcpConnect, "10.1.2.3:5432").await;
        assert!(!allowed);
        let line = denials[0].line.as_deref();
        assert_eq!(line, Some("sockets = [\"tcp://10.1.2.3:5432\"]"));
    }
}
