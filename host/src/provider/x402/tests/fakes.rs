//! A facilitator and a node on loopback that say what a test tells them to.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{any, post};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use super::super::evm::address::hex;
use super::super::evm::typed_data::keccak;
use super::super::evm::{Transfer, Uint};
use super::NOW_S;

/// Serves until it is dropped.
pub(super) struct Served {
    pub(super) url: String,
    task: JoinHandle<()>,
}

impl Served {
    async fn new(router: Router) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let serve = async move { axum::serve(listener, router).await.unwrap() };
        let task = tokio::spawn(serve);
        Self { url, task }
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// What a facilitator does when it is asked.
#[derive(Clone, Debug)]
pub(super) enum Say {
    /// Answers with a status and JSON.
    Json(u16, Value),
    /// Answers something that is no JSON.
    Junk,
    /// Says nothing for longer than anybody waits.
    Nothing,
}

/// What a facilitator was asked: the path, its authorization, the body.
pub(super) type Asked = (String, Option<String>, Value);

/// A facilitator.
pub(super) struct FakeFacilitator {
    pub(super) served: Served,
    asked: Arc<Mutex<Vec<Asked>>>,
}

type Script = (Arc<Mutex<VecDeque<Say>>>, Arc<Mutex<Vec<Asked>>>);

impl FakeFacilitator {
    /// One that says these things, one after the other.
    pub(super) async fn saying(script: impl IntoIterator<Item = Say>) -> Self {
        let asked = Arc::default();
        let script: Script = (
            Arc::new(Mutex::new(script.into_iter().collect())),
            Arc::clone(&asked),
        );
        let router = Router::new()
            .route("/{what}", any(answer))
            .with_state(script);
        let served = Served::new(router).await;
        Self { served, asked }
    }

    /// What it was asked so far.
    pub(super) fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }
}

async fn answer(
    State((script, asked)): State<Script>,
    Path(what): Path<String>,
    headers: HeaderMap,
    body: String,
) -> Response {
    let authorization = headers
        .get("authorization")
        .map(|v| v.to_str().unwrap().to_owned());
    let body = serde_json::from_str(&body).unwrap_or_default();
    asked.lock().unwrap().push((what, authorization, body));
    let say = script
        .lock()
        .unwrap()
        .pop_front()
        .expect("asked more often than expected");
    match say {
        Say::Json(status, json) => {
            (StatusCode::from_u16(status).unwrap(), json.to_string()).into_response()
        }
        Say::Junk => "<html>".into_response(),
        Say::Nothing => {
            tokio::time::sleep(Duration::from_secs(60)).await;
            StatusCode::GATEWAY_TIMEOUT.into_response()
        }
    }
}

/// A port that takes connections and cuts them.
pub(super) async fn cutting() -> Served {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let task = tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            drop(stream);
        }
    });
    Served { url, task }
}

/// What happened to an authorization on a chain whose blocks are two seconds apart, the latest being now.
#[derive(Clone, Debug)]
pub(super) struct Ledger {
    /// The chain's id.
    pub(super) id: u64,
    /// The latest block.
    pub(super) latest: u64,
    /// The time of the latest block.
    pub(super) now_s: i64,
    /// The block in which the nonce ended, and how.
    pub(super) ended: Option<(u64, End)>,
    /// The node answers.
    pub(super) up: bool,
}

/// How a nonce ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// It paid us.
    Paid,
    /// Its payer cancelled it.
    Canceled,
    /// It paid somebody else.
    Elsewhere,
    /// The node has pruned the log.
    Pruned,
}

impl Default for Ledger {
    fn default() -> Self {
        Self {
            id: 84_532,
            latest: 1_000_000,
            now_s: NOW_S,
            ended: None,
            up: true,
        }
    }
}

/// A node.
pub(super) struct FakeNode {
    pub(super) served: Served,
    ledger: Arc<Mutex<Ledger>>,
}

/// The transaction in which a nonce ended.
pub(super) const TRANSACTION: &str =
    "0xdddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd";

type NodeState = (Arc<Mutex<Ledger>>, Transfer);

impl FakeNode {
    /// A node that knows of one authorization.
    pub(super) async fn of(transfer: Transfer, ledger: Ledger) -> Self {
        let ledger = Arc::new(Mutex::new(ledger));
        let state: NodeState = (ledger.clone(), transfer);
        let router = Router::new().route("/", post(node)).with_state(state);
        let served = Served::new(router).await;
        Self { served, ledger }
    }

    /// Changes what it knows.
    pub(super) fn change(&self, change: impl FnOnce(&mut Ledger)) {
        change(&mut self.ledger.lock().unwrap());
    }
}

async fn node(State((ledger, transfer)): State<NodeState>, asked: String) -> Response {
    let asked: Value = serde_json::from_str(&asked).unwrap();
    let ledger = ledger.lock().unwrap().clone();
    if !ledger.up {
        return StatusCode::BAD_GATEWAY.into_response();
    }
    let result = ledger.answer(
        &transfer,
        asked["method"].as_str().unwrap(),
        &asked["params"],
    );
    json!({ "jsonrpc": "2.0", "id": asked["id"], "result": result })
        .to_string()
        .into_response()
}

fn quantity(number: u64) -> Value {
    json!(format!("{number:#x}"))
}

fn read_quantity(json: &Value) -> u64 {
    u64::from_str_radix(&json.as_str().unwrap()[2..], 16).unwrap()
}

impl Ledger {
    fn answer(&self, transfer: &Transfer, method: &str, params: &Value) -> Value {
        match method {
            "eth_chainId" => quantity(self.id),
            "eth_getBlockByNumber" => {
                let number = match params[0].as_str().unwrap() {
                    "latest" => self.latest,
                    _ => read_quantity(&params[0]),
                };
                assert!(number <= self.latest);
                let at_s = self.now_s - 2 * i64::try_from(self.latest - number).unwrap();
                json!({ "number": quantity(number), "timestamp": quantity(at_s.try_into().unwrap()) })
            }
            "eth_call" => {
                let nonce = hex(&transfer.nonce);
                assert!(params[0]["data"].as_str().unwrap().ends_with(&nonce[2..]));
                let used = self
                    .ended
                    .is_some_and(|(block, _)| block <= read_quantity(&params[1]));
                json!(hex(Uint::from(u128::from(used)).as_word()))
            }
            "eth_getLogs" => {
                let (from, to) = (
                    read_quantity(&params[0]["fromBlock"]),
                    read_quantity(&params[0]["toBlock"]),
                );
                assert!(from <= to && to - from < 1_000 && to <= self.latest);
                let logs = self.logs(transfer);
                let found = logs
                    .into_iter()
                    .take(1)
                    .filter(|log| (from..=to).contains(&read_quantity(&log["blockNumber"])));
                found
                    .filter(|_| self.ended.is_some_and(|(_, end)| end != End::Pruned))
                    .collect()
            }
            "eth_getTransactionReceipt" => match self.ended {
                Some((block, _)) if params[0] == TRANSACTION => json!({
                    "status": "0x1", "blockNumber": quantity(block), "logs": self.logs(transfer),
                }),
                _ => Value::Null,
            },
            other => panic!("nobody asks {other}"),
        }
    }

    fn logs(&self, transfer: &Transfer) -> Vec<Value> {
        let Some((block, end)) = self.ended else {
            return Vec::new();
        };
        let log = |index: u64, event: &str, topics: [&[u8]; 2], data: &[u8]| {
            json!({
                "address": "0x036CbD53842c5426634e7929541eC2318f3dCF7e",
                "topics": [hex(&keccak(event.as_bytes())), hex(topics[0]), hex(topics[1])],
                "data": hex(data), "logIndex": quantity(index), "transactionHash": TRANSACTION,
                "blockNumber": quantity(block), "removed": false,
            })
        };
        let from = transfer.from.as_word();
        let used = log(
            0,
            "AuthorizationUsed(address,bytes32)",
            [&from, &transfer.nonce],
            &[],
        );
        let moved = |to: &[u8; 32]| {
            log(
                1,
                "Transfer(address,address,uint256)",
                [&from, to],
                transfer.value.as_word(),
            )
        };
        match end {
            End::Paid | End::Pruned => vec![used, moved(&transfer.to.as_word())],
            End::Elsewhere => vec![used, moved(&from)],
            End::Canceled => {
                vec![log(
                    0,
                    "AuthorizationCanceled(address,bytes32)",
                    [&from, &transfer.nonce],
                    &[],
                )]
            }
        }
    }
}
