//! The payment pages' door where several coinop processes share one ledger: whoever has the port serves the pages of all,
//! and another takes over when it ends.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::outbound;

/// How often a process looks whether the port has become free.
const LOOK: Duration = Duration::from_millis(500);
/// How long whoever holds the port may take to say who it is.
const WHO_WAIT: Duration = Duration::from_secs(2);

/// The door of one process.
pub struct Door {
    /// Where the pages are to be.
    pub addr: SocketAddr,
    /// The ledger whose payments the pages show.
    pub ledger_id: String,
    /// Whether links start with a configured address, whatever port is held.
    pub fixed_base: bool,
    /// What links start with.
    pub pay_base: Arc<ArcSwap<String>>,
}

/// Who has the port.
enum Holder {
    /// A coinop on the same ledger: its pages are ours.
    Ours,
    /// Something else.
    Stranger,
}

impl Door {
    /// Has the pages served by `serve` as soon as this process has the port, until `stop`.
    pub async fn keep<S>(self, stop: CancellationToken, serve: impl FnOnce(TcpListener) -> S)
    where
        S: Future<Output = io::Result<()>>,
    {
        self.link_to(self.addr);
        let listener = tokio::select! {
            () = stop.cancelled() => return,
            listener = self.listener() => listener,
        };
        let Some(listener) = listener else { return };
        if let Err(error) = serve(listener).await {
            tracing::error!(%error, "the payment pages ended");
        }
    }

    /// The port, once it is free; another one, when a stranger has it.
    async fn listener(&self) -> Option<TcpListener> {
        loop {
            match TcpListener::bind(self.addr).await {
                Ok(listener) => {
                    let addr = listener.local_addr().unwrap_or(self.addr);
                    self.link_to(addr);
                    tracing::info!("payment pages on http://{addr}/pay/");
                    return Some(listener);
                }
                Err(error) => match self.holder().await {
                    Some(Holder::Stranger) => return self.elsewhere(&error).await,
                    Some(Holder::Ours) | None => tokio::time::sleep(LOOK).await,
                },
            }
        }
    }

    async fn elsewhere(&self, error: &io::Error) -> Option<TcpListener> {
        let any = SocketAddr::new(self.addr.ip(), 0);
        match TcpListener::bind(any).await {
            Ok(listener) => {
                let addr = listener.local_addr().unwrap_or(any);
                tracing::warn!(
                    "{} is held by another program or another ledger ({error}): payment pages on http://{addr}/pay/; \
                     their links end with this process. Choose a free address with --pay-addr",
                    self.addr
                );
                self.link_to(addr);
                Some(listener)
            }
            Err(error) => {
                tracing::error!(%error, "there is no port for payment pages: pretended payments need `coinop payments pay`");
                None
            }
        }
    }

    /// Asks whoever has the port; `None` when it does not answer, which may just be its end.
    async fn holder(&self) -> Option<Holder> {
        let url = format!("http://{}/healthz", self.addr);
        let client = outbound::loopback(WHO_WAIT).ok()?;
        let answer = match client.get(url).send().await {
            Ok(answer) => answer,
            Err(error) if error.is_connect() => return None,
            Err(_) => return Some(Holder::Stranger),
        };
        let body: serde_json::Value = match answer.json().await {
            Ok(body) => body,
            Err(_) => return Some(Holder::Stranger),
        };
        let ours = body["product"] == super::PRODUCT && body["ledger"] == self.ledger_id.as_str();
        Some(if ours { Holder::Ours } else { Holder::Stranger })
    }

    fn link_to(&self, addr: SocketAddr) {
        if !self.fixed_base {
            self.pay_base.store(Arc::new(format!("http://{addr}")));
        }
    }
}
