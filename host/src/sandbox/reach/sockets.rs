//! Sockets of guests: to the hosts and ports that are named and nowhere else; nothing listens.
//!
//! A guest learns addresses of named hosts only: any other question would carry words out by way of the name servers.
//! What the host resolved for a name stays what the name means until the run ends.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures::FutureExt as _;
use futures::future::{BoxFuture, Shared};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use wasmtime_wasi::WasiCtxBuilder;
use wasmtime_wasi::sockets::SocketAddrUse;

use super::Denials;
use crate::grants::{Denial, SocketGrant, Transport};
use crate::outbound::Resolve;

/// Sockets that one run may make in all.
const SOCKETS_MAX: u32 = 256;
/// Sockets that a run without any grant may make: they lead nowhere, and where to is only known when one is used.
const SOCKETS_UNGRANTED_MAX: u32 = 4;

/// Names that one run may have looked up. Each keeps a thread of the host until its name server has answered, whoever
/// still waits for it.
const LOOKUPS_MAX: u32 = 16;

/// Datagrams that one run may wait for at a time. Each has room for the longest there is: 64 KiB.
const RECEIVES_MAX: usize = 64;

/// What the host's resolver is asked about one name: once in a run, whoever waits for it.
pub(super) type Lookup = Shared<BoxFuture<'static, Vec<IpAddr>>>;

/// Where one run's sockets may lead.
pub(super) struct Sockets {
    grants: Vec<SocketGrant>,
    denials: Arc<Denials>,
    resolver: Arc<dyn Resolve>,
    made: AtomicU32,
    looked_up: AtomicU32,
    receives: Arc<Semaphore>,
    known: Mutex<Known>,
}

/// Why a datagram is not waited for.
#[derive(Debug)]
pub(super) enum NotReceived {
    /// No grant lets one in.
    Denied,
    /// So many are waited for already.
    TooMany,
}

/// What names mean in this run.
#[derive(Default)]
struct Known {
    addresses: BTreeMap<String, BTreeSet<IpAddr>>,
    lookups: BTreeMap<String, Lookup>,
    /// The name that was asked for, by the handle of the answer.
    asked: HashMap<u32, String>,
}

impl Sockets {
    pub(super) fn new(
        grants: &[SocketGrant],
        denials: &Arc<Denials>,
        resolver: &Arc<dyn Resolve>,
    ) -> Arc<Self> {
        Arc::new(Self {
            grants: grants.to_vec(),
            denials: Arc::clone(denials),
            resolver: Arc::clone(resolver),
            made: AtomicU32::new(0),
            looked_up: AtomicU32::new(0),
            receives: Arc::new(Semaphore::new(RECEIVES_MAX)),
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

    /// The right to wait for one more datagram.
    pub(super) fn may_receive(&self) -> Result<OwnedSemaphorePermit, NotReceived> {
        let is_udp = |grant: &SocketGrant| grant.transport == Transport::Udp;
        if !self.grants.iter().any(is_udp) {
            let line = "udp://HOST:PORT".to_owned();
            self.deny("receive a datagram".to_owned(), Some(line));
            return Err(NotReceived::Denied);
        }
        let place = Arc::clone(&self.receives).try_acquire_owned();
        place.map_err(|_| NotReceived::TooMany)
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
            let is_known = self.known().addresses.contains_key(&grant.host);
            if let (false, Some(lookup)) = (is_known, self.lookup(&grant.host)) {
                let found = lookup.await;
                self.answered_with(grant.host.clone(), found.into_iter());
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

    /// The one lookup of a granted host in this run, another one if that found nothing; `None` where no more names may be
    /// looked up.
    pub(super) fn lookup(&self, host: &str) -> Option<Lookup> {
        let mut known = self.known();
        let is_good = |begun: &&Lookup| begun.peek().is_none_or(|found| !found.is_empty());
        if let Some(begun) = known.lookups.get(host).filter(is_good) {
            return Some(begun.clone());
        }
        if !self.may_look_up() {
            return None;
        }
        let asked = self.resolver.resolve(host);
        // A host that was not found has no addresses.
        let lookup = asked.map(Result::unwrap_or_default).boxed().shared();
        known.lookups.insert(host.to_owned(), lookup.clone());
        Some(lookup)
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

#[cfg(test)]
mod tests {
    use std::io;

    use futures::future::join_all;

    use super::*;
    use crate::outbound::SystemResolver;

    fn sockets(grants: &[&str], denials: &Arc<Denials>) -> Arc<Sockets> {
        let resolver: Arc<dyn Resolve> = Arc::new(SystemResolver::default());
        Sockets::new(&parsed(grants), denials, &resolver)
    }

    fn parsed(grants: &[&str]) -> Vec<SocketGrant> {
        grants.iter().map(|grant| grant.parse().unwrap()).collect()
    }

    /// Finds every name after a while, and counts.
    #[derive(Default)]
    struct Counting(AtomicU32);

    impl Resolve for Counting {
        fn resolve(&self, _: &str) -> BoxFuture<'static, io::Result<Vec<IpAddr>>> {
            self.0.fetch_add(1, Ordering::Relaxed);
            let found = async {
                tokio::task::yield_now().await;
                Ok(vec![IpAddr::from([10, 0, 0, 1])])
            };
            found.boxed()
        }
    }

    async fn check(grants: &[&str], purpose: SocketAddrUse, addr: &str) -> (bool, Vec<Denial>) {
        let denials = Arc::<Denials>::default();
        let sockets = sockets(grants, &denials);
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
        let sockets = sockets(&[], &Arc::default());
        let looked_up = (0..2 * LOOKUPS_MAX).filter(|_| sockets.may_look_up());
        assert_eq!(looked_up.count(), LOOKUPS_MAX as usize);
    }

    #[tokio::test]
    async fn a_granted_name_is_looked_up_once_however_many_connect_at_a_time() {
        let counting = Arc::new(Counting::default());
        let resolver: Arc<dyn Resolve> = counting.clone();
        let sockets = Sockets::new(
            &parsed(&["tcp://db.example:80"]),
            &Arc::default(),
            &resolver,
        );
        let to = |addr: &str| {
            let addr = addr.parse().unwrap();
            Arc::clone(&sockets).check(addr, SocketAddrUse::TcpConnect)
        };
        let there = join_all((0..50).map(|_| to("10.0.0.1:80"))).await;
        assert!(there.into_iter().all(|allowed| allowed));
        assert!(!to("10.0.0.2:80").await);
        assert_eq!(counting.0.load(Ordering::Relaxed), 1);
    }

    #[tokio::test]
    async fn what_connecting_looks_up_counts_too() {
        let counting = Arc::new(Counting::default());
        let resolver: Arc<dyn Resolve> = counting.clone();
        let names: Vec<_> = (0..2 * LOOKUPS_MAX)
            .map(|n| format!("tcp://db{n}.example:80"))
            .collect();
        let names: Vec<_> = names.iter().map(String::as_str).collect();
        let sockets = Sockets::new(&parsed(&names), &Arc::default(), &resolver);
        let elsewhere = "10.0.0.2:80".parse().unwrap();
        let allowed = sockets.check(elsewhere, SocketAddrUse::TcpConnect).await;
        assert!(!allowed);
        assert_eq!(counting.0.load(Ordering::Relaxed), LOOKUPS_MAX);
    }

    #[tokio::test]
    async fn a_refusal_names_the_line_to_add() {
        let (allowed, denials) = check(&[], SocketAddrUse::TcpConnect, "10.1.2.3:5432").await;
        assert!(!allowed);
        let line = denials[0].line.as_deref();
        assert_eq!(line, Some("sockets = [\"tcp://10.1.2.3:5432\"]"));
    }
}
