//! Conversations as the server holds them, whatever a gate says: what is sent, what is taken back, and what is never asked.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use coinop_core::Millis;
use coinop_core::ids::PaymentId;
use coinop_core::mode::{Ask, AskStatus, Manner};
use coinop_core::peer::{Answer, Manners};
use futures::future::BoxFuture;
use serde_json::{Value, json};
use tokio::io::{
    AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, DuplexStream, Lines, ReadHalf, WriteHalf,
};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::lines::{INITIALIZED, call, modern_meta};
use crate::catalog::Catalog;
use crate::clock::Clock;
use crate::gate::{Invocation, Reply, Resumption};
use crate::server::stdio::serve_on;
use crate::server::testing::{ask, snapshot};
use crate::server::{Calls, Server};

/// A clock on which nothing passes, or every wait is over at once.
#[derive(Clone, Default)]
struct Clockwork(Arc<AtomicBool>);

impl Clock for Clockwork {
    fn now(&self) -> Millis {
        1_000
    }

    fn sleep(&self, _: Duration) -> BoxFuture<'static, ()> {
        let passes = self.0.clone();
        Box::pin(async move {
            while !passes.load(Ordering::SeqCst) {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        })
    }
}

/// A gate that asks in one manner until it is told that its user could not be asked.
struct Insistent {
    manner: Manner,
    /// What came back.
    heard: Mutex<Vec<Resumption>>,
    manners: Mutex<Option<Manners>>,
    decided: CancellationToken,
    clock: Clockwork,
}

impl Calls for Insistent {
    fn call(&self, invocation: Invocation) -> BoxFuture<'_, Reply> {
        Box::pin(async move {
            *self.manners.lock().unwrap() = Some(invocation.dialog.manners);
            let answer = invocation.resumption.as_ref().map(|it| it.answer);
            self.heard.lock().unwrap().extend(invocation.resumption);
            let (manner, status) = match answer {
                None => (self.manner, AskStatus::Required),
                Some(Answer::Unasked) => (Manner::Answer, AskStatus::Pending),
                Some(_) => (self.manner, AskStatus::Pending),
            };
            Reply::Ask {
                ask: Box::new(Ask {
                    manner,
                    status,
                    ..ask("paid", "0.50")
                }),
                payment_url: "http://127.0.0.1:7402/pay/lnk".to_owned(),
                test: true,
            }
        })
    }

    fn until_decided<'a>(&'a self, _: &'a PaymentId) -> BoxFuture<'a, ()> {
        Box::pin(self.decided.cancelled())
    }

    fn clock(&self) -> Arc<dyn Clock> {
        Arc::new(self.clock.clone())
    }
}

struct Client {
    server: Arc<Server>,
    gate: Arc<Insistent>,
    read: Lines<BufReader<ReadHalf<DuplexStream>>>,
    write: WriteHalf<DuplexStream>,
}

impl Client {
    fn connect(manner: Manner) -> Self {
        let gate = Arc::new(Insistent {
            manner,
            heard: Mutex::default(),
            manners: Mutex::default(),
            decided: CancellationToken::new(),
            clock: Clockwork::default(),
        });
        let catalog = Arc::new(Catalog::default());
        catalog.publish(snapshot(1, &[("paid", Some("0.50"))]), true);
        let (_, ready) = watch::channel(true);
        let server = Server::new(catalog, gate.clone(), ready).with_manners(Manners {
            wait_ms: 7,
            ..Manners::default()
        });
        let (near, far) = tokio::io::duplex(256 << 10);
        let (read, write) = tokio::io::split(far);
        tokio::spawn(serve_on(server.clone(), read, write));
        let (read, write) = tokio::io::split(near);
        Self {
            server,
            gate,
            read: BufReader::new(read).lines(),
            write,
        }
    }

    async fn legacy(manner: Manner) -> Self {
        let mut client = Self::connect(manner);
        let hello = json!({"jsonrpc": "2.0", "id": "init", "method": "initialize", "params": {
            "protocolVersion": "2025-11-25",
            "capabilities": {"elicitation": {"form": {}, "url": {}}},
            "clientInfo": {"name": "test", "version": "0"},
        }});
        client.send(hello.to_string()).await;
        client.receive().await;
        client.send(INITIALIZED).await;
        client
    }

    async fn send(&mut self, line: impl AsRef<[u8]>) {
        self.write.write_all(line.as_ref()).await.unwrap();
        self.write.write_all(b"\n").await.unwrap();
    }

    async fn receive(&mut self) -> Value {
        let line = tokio::time::timeout(Duration::from_secs(10), self.read.next_line()).await;
        serde_json::from_str(&line.unwrap().unwrap().unwrap()).unwrap()
    }

    /// The next message of this method, and everything that came before it.
    async fn until(&mut self, wanted: impl Fn(&Value) -> bool) -> (Value, Vec<Value>) {
        let mut before = Vec::new();
        loop {
            let message = self.receive().await;
            if wanted(&message) {
                return (message, before);
            }
            before.push(message);
        }
    }

    fn heard(&self) -> Vec<(Answer, u32)> {
        let heard = self.gate.heard.lock().unwrap();
        heard.iter().map(|it| (it.answer, it.asked)).collect()
    }
}

fn is_answer(message: &Value) -> bool {
    message["id"] == 1 && message.get("method").is_none()
}

fn status(answer: &Value) -> &Value {
    &answer["result"]["structuredContent"]["status"]
}

#[tokio::test]
async fn a_client_that_calls_again_by_itself_is_told_by_an_error_and_hears_of_the_payment_once() {
    let mut client = Client::legacy(Manner::UrlError).await;
    for _ in 0..2 {
        client.send(call(1, "paid", json!({}))).await;
        let answer = client.receive().await;
        assert_eq!(answer["error"]["code"], -32042, "{answer}");
        let listed = &answer["error"]["data"]["elicitations"];
        assert_eq!(listed[0]["url"], "http://127.0.0.1:7402/pay/lnk");
    }
    client.gate.decided.cancel();
    let done = client.receive().await;
    assert_eq!(done["method"], "notifications/elicitation/complete");
    assert_eq!(
        done["params"]["elicitationId"],
        json!(ask("paid", "1").payment_id)
    );
    client
        .send(r#"{"jsonrpc":"2.0","id":2,"method":"ping"}"#)
        .await;
    assert_eq!(client.receive().await["id"], 2, "nothing else was sent");
    assert!(client.server.drain(Duration::from_secs(5)).await);
    let manners = client.gate.manners.lock().unwrap().unwrap();
    assert_eq!(manners.wait_ms, 7, "the operator's");
}

#[tokio::test]
async fn a_server_that_closes_waits_for_no_user_and_answers_with_the_link() {
    for manner in [Manner::Form, Manner::Url] {
        let mut client = Client::legacy(manner).await;
        client.send(call(1, "paid", json!({}))).await;
        let question = client.receive().await;
        assert_eq!(question["method"], "elicitation/create", "{question}");
        let draining = tokio::spawn({
            let server = client.server.clone();
            async move { server.drain(Duration::from_secs(5)).await }
        });
        let (answer, _) = client.until(is_answer).await;
        assert_eq!(status(&answer), "pending", "{answer}");
        assert!(draining.await.unwrap());
        assert_eq!(client.heard(), [(Answer::Unasked, 1)]);
    }
}

/// A gate whose calls wait until they are not to wait any longer.
#[derive(Default)]
struct Patient(CancellationToken);

impl Calls for Patient {
    fn call(&self, _: Invocation) -> BoxFuture<'_, Reply> {
        Box::pin(async {
            self.0.cancelled().await;
            Reply::Cancelled
        })
    }

    fn stop_waiting(&self) {
        self.0.cancel();
    }
}

#[tokio::test]
async fn calls_that_wait_on_stdio_are_answered_when_it_ends() {
    for client_is_done in [false, true] {
        let catalog = Arc::new(Catalog::default());
        catalog.publish(snapshot(1, &[("paid", Some("0.50"))]), true);
        let (_, ready) = watch::channel(true);
        let server = Server::new(catalog, Arc::<Patient>::default(), ready);
        let (near, far) = tokio::io::duplex(64 << 10);
        let (read, write) = tokio::io::split(far);
        tokio::spawn(serve_on(server.clone(), read, write));
        let (read, mut write) = tokio::io::split(near);
        let request = call(1, "paid", json!({"_meta": modern_meta()})) + "\n";
        write.write_all(request.as_bytes()).await.unwrap();
        while server.calls_in_flight() == 0 {
            tokio::task::yield_now().await;
        }
        match client_is_done {
            true => write.shutdown().await.unwrap(),
            false => server.closing().cancel(),
        }
        let line = BufReader::new(read).lines().next_line().await.unwrap();
        let answer = serde_json::from_str(&line.expect("it is answered")).unwrap();
        assert!(is_answer(&answer), "{answer}");
    }
}

#[tokio::test]
async fn a_user_who_never_answers_leaves_the_link() {
    let mut client = Client::legacy(Manner::Form).await;
    client.send(call(1, "paid", json!({}))).await;
    client.until(|m| m["method"] == "elicitation/create").await;
    client.gate.clock.0.store(true, Ordering::SeqCst);
    let (answer, before) = client.until(is_answer).await;
    assert_eq!(status(&answer), "pending", "{answer}");
    assert_eq!(before[0]["method"], "notifications/cancelled");
    assert_eq!(client.heard(), [(Answer::Unasked, 1)]);
}

#[tokio::test]
async fn every_answer_reaches_the_gate_and_nobody_is_asked_for_ever() {
    let mut client = Client::legacy(Manner::Form).await;
    client.send(call(1, "paid", json!({}))).await;
    let mut asked = 0;
    let answer = loop {
        let message = client.receive().await;
        if is_answer(&message) {
            break message;
        }
        assert_eq!(message["method"], "elicitation/create", "{message}");
        asked += 1;
        let action = ["accept", "decline", "cancel"][asked % 3];
        let id = &message["id"];
        let said = json!({"jsonrpc": "2.0", "id": id, "result": {"action": action}});
        client.send(said.to_string()).await;
    };
    assert_eq!(status(&answer), "pending", "{answer}");
    assert_eq!(asked, 32);
    let heard = client.heard();
    assert_eq!(
        heard[..3],
        [
            (Answer::Declined, 1),
            (Answer::Cancelled, 2),
            (Answer::Accepted, 3)
        ]
    );
}

#[tokio::test]
async fn without_a_secret_nothing_is_sealed_and_the_link_is_answered() {
    let mut client = Client::connect(Manner::Url);
    let mut meta = modern_meta();
    meta["io.modelcontextprotocol/clientCapabilities"] = json!({"elicitation": {"url": {}}});
    let params = json!({"_meta": meta, "requestState": "anything"});
    client.send(call(1, "paid", params)).await;
    let answer = client.receive().await;
    assert_eq!(status(&answer), "payment_required", "{answer}");
    assert_eq!(client.heard(), []);
}
