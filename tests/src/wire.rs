//! A wire between a host and its database: it counts round trips, and can be cut at the worst moment.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// A wire to one server.
#[derive(Clone)]
pub struct Wire {
    state: Arc<State>,
    address: SocketAddr,
}

#[derive(Default)]
struct State {
    trips: AtomicU64,
    cut_after_commit: AtomicBool,
    down: AtomicBool,
}

impl Wire {
    /// A wire to the server on this machine's `port`.
    pub async fn to(port: u16) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
            .await
            .expect("a port is free");
        let address = listener.local_addr().expect("it is bound");
        let state = Arc::<State>::default();
        let shared = state.clone();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                if shared.down.load(Ordering::SeqCst) {
                    continue;
                }
                tokio::spawn(carry(client, port, shared.clone()));
            }
        });
        Self { state, address }
    }

    /// Where the wire begins.
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// How often something was sent and its answer awaited, so far.
    pub fn trips(&self) -> u64 {
        self.state.trips.load(Ordering::SeqCst)
    }

    /// Has the next commit reach the server, and its answer nobody.
    pub fn cut_after_commit(&self) {
        self.state.cut_after_commit.store(true, Ordering::SeqCst);
    }
}

impl Wire {
    /// Refuses further connections, or takes them again.
    pub fn set_down(&self, down: bool) {
        self.state.down.store(down, Ordering::SeqCst);
    }
}

/// Carries what is said on one connection until one side hangs up, or the wire is cut.
async fn carry(mut client: TcpStream, port: u16, state: Arc<State>) {
    let Ok(mut server) = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await else {
        return;
    };
    let (mut asked, mut told) = (vec![0; 1 << 16], vec![0; 1 << 16]);
    let mut waiting = false;
    loop {
        tokio::select! {
            read = client.read(&mut asked) => match read {
                Ok(n @ 1..) => {
                    if !waiting {
                        state.trips.fetch_add(1, Ordering::SeqCst);
                    }
                    waiting = true;
                    if server.write_all(&asked[..n]).await.is_err() {
                        return;
                    }
                    let commit = asked[..n].windows(7).any(|words| words == b"COMMIT\0");
                    if commit && state.cut_after_commit.swap(false, Ordering::SeqCst) {
                        // It answers when it has committed.
                        let _ = server.read(&mut told).await;
                        return;
                    }
                }
                _ => return,
            },
            read = server.read(&mut told) => match read {
                Ok(n @ 1..) => {
                    waiting = false;
                    if client.write_all(&told[..n]).await.is_err() {
                        return;
                    }
                }
                _ => return,
            },
        }
    }
}
