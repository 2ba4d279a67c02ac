//! From a name to its addresses: a trait, since tests decide what a name stands for, and the system's resolver.

use std::io;
use std::net::IpAddr;
use std::sync::Arc;

use futures::FutureExt;
use futures::future::BoxFuture;
use tokio::sync::Semaphore;

/// Lookups at a time. Each holds a thread, for as long as the system's resolver likes.
const LOOKUPS_MAX: usize = 16;

/// Finds the addresses of a name.
pub trait Resolve: Send + Sync {
    /// The addresses, the preferred one first. The caller bounds the time and believes none of them.
    fn resolve(&self, name: &str) -> BoxFuture<'static, io::Result<Vec<IpAddr>>>;
}

/// The system's resolver: its hosts file, its search domains, its servers.
pub struct SystemResolver {
    lookups: Arc<Semaphore>,
}

impl Default for SystemResolver {
    fn default() -> Self {
        Self {
            lookups: Arc::new(Semaphore::new(LOOKUPS_MAX)),
        }
    }
}

impl Resolve for SystemResolver {
    fn resolve(&self, name: &str) -> BoxFuture<'static, io::Result<Vec<IpAddr>>> {
        let (name, lookups) = (name.to_owned(), Arc::clone(&self.lookups));
        async move {
            let place = lookups.acquire_owned().await.map_err(io::Error::other)?;
            // The lookup cannot be called off, so it keeps its place until it ends, whoever still waits for it.
            let looking = tokio::spawn(async move {
                let found = tokio::net::lookup_host((name, 0)).await;
                drop(place);
                found.map(|found| found.map(|address| address.ip()).collect())
            });
            looking.await.map_err(io::Error::other)?
        }
        .boxed()
    }
}
