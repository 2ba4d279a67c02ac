//! What stands before the node, for facilitators or for hosts: it can lose the answer to a transaction that the node took, or cut
//! everybody off.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use super::rpc;

/// A proxy before a node.
pub(super) struct Proxy {
    url: String,
    switches: Arc<Switches>,
    task: JoinHandle<()>,
}

/// What goes wrong.
struct Switches {
    node: SocketAddr,
    /// The next transaction is taken, and its answer lost.
    loses_answer: AtomicBool,
    /// Nothing reaches the node.
    cut: AtomicBool,
}

impl Proxy {
    pub(super) async fn before(node: SocketAddr) -> Self {
        let switches = Arc::new(Switches {
            node,
            loses_answer: AtomicBool::new(false),
            cut: AtomicBool::new(false),
        });
        let router = Router::new().fallback(pass).with_state(switches.clone());
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let addr = listener.local_addr().expect("it is bound");
        let serve = async move { axum::serve(listener, router).await.expect("it serves") };
        Self {
            url: format!("http://{addr}"),
            switches,
            task: tokio::spawn(serve),
        }
    }

    pub(super) fn url(&self) -> &str {
        &self.url
    }

    pub(super) fn lose_next_answer(&self) {
        self.switches.loses_answer.store(true, Ordering::SeqCst);
    }

    pub(super) fn cut(&self, whether: bool) {
        self.switches.cut.store(whether, Ordering::SeqCst);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn pass(State(switches): State<Arc<Switches>>, body: String) -> Response {
    if switches.cut.load(Ordering::SeqCst) {
        return StatusCode::BAD_GATEWAY.into_response();
    }
    let asked: Value = serde_json::from_str(&body).expect("JSON-RPC");
    let (_, answer) = rpc::post(switches.node, "/", &asked).await;
    let sends = asked["method"] == "eth_sendRawTransaction";
    if sends && switches.loses_answer.swap(false, Ordering::SeqCst) {
        return StatusCode::BAD_GATEWAY.into_response();
    }
    let header = [("content-type", "application/json")];
    (header, answer.to_string()).into_response()
}
