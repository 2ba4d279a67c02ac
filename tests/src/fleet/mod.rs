//! Several hosts of one ledger under load, while hosts die, freeze and come back: what clients saw, and whether it holds.
//!
//! Nothing stands in front of the hosts: a client picks any of them for every request, as behind a load balancer that
//! knows nothing of their health.

pub mod buyer;
pub mod verdict;

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Command;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::home::Home;
use crate::host::HttpHost;
use crate::wait::until;

/// Hosts in one home: the same plugins, configuration and ledger.
pub struct Fleet {
    home: Home,
    hosts: Vec<Seat>,
}

/// A place for one host after another.
#[derive(Default)]
struct Seat {
    /// Where its latest host listens, `None` while there is none.
    address: Mutex<Option<SocketAddr>>,
    host: tokio::sync::Mutex<Option<HttpHost>>,
}

/// Where the hosts trace the runs they start.
const TRACE: &str = "trace";

impl Fleet {
    /// Starts so many hosts.
    pub async fn start(mut home: Home, count: usize) -> Self {
        let trace = home.path(TRACE);
        home.env("COINOP_FAILPOINT_TRACE", trace.to_str().expect("UTF-8"));
        let hosts = std::iter::repeat_with(Seat::default).take(count).collect();
        let fleet = Self { home, hosts };
        for n in 0..count {
            fleet.start_host(n).await;
        }
        fleet
    }

    /// Starts a host where there is none.
    pub async fn start_host(&self, n: usize) {
        let host = self.home.http().await;
        let address = host.address;
        *self.hosts[n].host.lock().await = Some(host);
        *lock(&self.hosts[n].address) = Some(address);
    }

    /// kill -9. Clients know at once that it is gone, as their connections do.
    pub async fn kill_host(&self, n: usize) {
        let host = self.hosts[n].host.lock().await.take();
        *lock(&self.hosts[n].address) = None;
        host.expect("there is a host").kill().await;
    }

    /// kill -9 in the middle of a run. Under load there is soon a host in one.
    pub async fn kill_host_in_a_run(&self, n: usize) {
        loop {
            let pid = self.pid(n).await;
            until("a run", async || {
                (!self.runs_under_way(pid).is_empty()).then_some(())
            })
            .await;
            self.kill_host(n).await;
            // Otherwise the run came to its end in that moment.
            if !self.runs_under_way(pid).is_empty() {
                return;
            }
            self.start_host(n).await;
        }
    }

    /// The runs that a process has begun and not ended, as the trace names them.
    fn runs_under_way(&self, pid: u32) -> BTreeSet<String> {
        let trace = std::fs::read_to_string(self.trace()).unwrap_or_default();
        let runs = |place: &str| -> BTreeSet<String> {
            let prefix = format!("{pid} {place} ");
            let runs = trace.lines().filter_map(|line| line.strip_prefix(&prefix));
            runs.map(str::to_owned).collect()
        };
        &runs("before-run") - &runs("after-run")
    }

    async fn pid(&self, n: usize) -> u32 {
        let host = self.hosts[n].host.lock().await;
        host.as_ref().expect("there is a host").pid()
    }

    /// SIGSTOP: it holds its connections and answers nothing.
    pub async fn freeze_host(&self, n: usize) {
        self.signal_host(n, "STOP").await;
    }

    /// SIGCONT: it goes on as if no time had passed.
    pub async fn thaw_host(&self, n: usize) {
        self.signal_host(n, "CONT").await;
    }

    async fn signal_host(&self, n: usize, signal: &str) {
        let pid = self.pid(n).await.to_string();
        let sent = Command::new("kill")
            .args([&format!("-{signal}"), &pid])
            .status();
        assert!(sent.expect("there is a kill").success());
    }

    /// What the hosts wrote to stderr, for a test that fails.
    pub async fn log(&self, n: usize) -> String {
        let host = self.hosts[n].host.lock().await;
        host.as_ref()
            .map(|host| host.log.text())
            .unwrap_or_default()
    }

    /// The addresses of the hosts there are.
    pub fn addresses(&self) -> Vec<SocketAddr> {
        self.hosts
            .iter()
            .filter_map(|seat| *lock(&seat.address))
            .collect()
    }

    /// The file to which every host appended each run that it started.
    pub fn trace(&self) -> PathBuf {
        self.home.path(TRACE)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
