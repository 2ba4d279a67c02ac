//! A facilitator on loopback that settles whatever it is given, once, and remembers what it was asked. It looks at no
//! signature: the host does. Told to, it loses answers (what it did is done, and nobody hears of it) or takes its time.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::{OwnedRwLockWriteGuard, RwLock};
use tokio::task::JoinHandle;

/// Base Sepolia: wallets sign for its USDC without being told to.
pub const NETWORK: &str = "eip155:84532";

/// What was settled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settled {
    /// Who paid, in lower case.
    pub payer: String,
    /// How much, in the token's base units.
    pub value: String,
    /// The transaction it was told to be: the transfer's nonce, which is as long as a hash and as different from any
    /// other.
    pub transaction: String,
}

/// What a facilitator is asked of a payment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Question {
    /// Whether it holds.
    Verify,
    /// To take it.
    Settle,
}

#[derive(Default)]
struct Memory {
    settled: Vec<Settled>,
    /// Every question with the nonce it was about, in order.
    asked: Vec<(Question, String)>,
    /// Questions whose next answer is lost, one each.
    losing: Vec<Question>,
}

#[derive(Default)]
struct Desk {
    memory: Mutex<Memory>,
    /// Written by who holds answers back.
    verifying: Arc<RwLock<()>>,
    settling: Arc<RwLock<()>>,
}

type Shared = Arc<Desk>;

/// Serves until it is dropped.
pub struct Facilitator {
    /// Where it is reached.
    pub url: String,
    desk: Shared,
    serving: JoinHandle<()>,
}

impl Facilitator {
    /// Starts one on a port of its own.
    pub async fn start() -> Self {
        let desk = Shared::default();
        let router = Router::new()
            .route("/supported", get(supported))
            .route("/verify", post(verify))
            .route("/settle", post(settle))
            .with_state(desk.clone());
        let listener = TcpListener::bind("127.0.0.1:0")
            .await
            .expect("a port is free");
        let url = format!("http://{}", listener.local_addr().expect("it is bound"));
        let serving = tokio::spawn(async move {
            axum::serve(listener, router).await.expect("it serves");
        });
        Self { url, desk, serving }
    }

    /// Loses the answer to the next question of this kind.
    pub fn lose(&self, question: Question) {
        self.desk.memory().losing.push(question);
    }

    /// Holds its answers to such questions back until the guard is dropped.
    pub async fn hold(&self, question: Question) -> OwnedRwLockWriteGuard<()> {
        self.desk.hold(question).clone().write_owned().await
    }

    /// Everything that was settled, in order; a nonce settles once, however often it is asked for.
    pub fn settled(&self) -> Vec<Settled> {
        self.desk.memory().settled.clone()
    }

    /// What this payer paid.
    pub fn of(&self, payer: &str) -> Vec<Settled> {
        let payer = payer.to_lowercase();
        let settled = self.settled().into_iter();
        settled.filter(|it| it.payer == payer).collect()
    }

    /// The nonces of which it was asked this, in order, each as often as it was.
    pub fn asked(&self, question: Question) -> Vec<String> {
        let memory = self.desk.memory();
        let asked = memory.asked.iter().filter(|(kind, _)| *kind == question);
        asked.map(|(_, nonce)| nonce.clone()).collect()
    }
}

impl Drop for Facilitator {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

impl Desk {
    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn hold(&self, question: Question) -> &Arc<RwLock<()>> {
        match question {
            Question::Verify => &self.verifying,
            Question::Settle => &self.settling,
        }
    }
}

impl Memory {
    /// Notes a question; whether its answer is lost.
    fn note(&mut self, question: Question, nonce: String) -> bool {
        self.asked.push((question, nonce));
        let lost = self.losing.iter().position(|losing| *losing == question);
        lost.map(|at| self.losing.remove(at)).is_some()
    }

    fn settle(&mut self, settled: Settled) {
        let same = |other: &Settled| other.transaction == settled.transaction;
        if !self.settled.iter().any(same) {
            self.settled.push(settled);
        }
    }
}

async fn supported() -> Response {
    json_of(&json!({
        "kinds": [{ "x402Version": 2, "scheme": "exact", "network": NETWORK }],
        "extensions": [],
        "signers": {},
    }))
}

async fn verify(State(desk): State<Shared>, body: String) -> Response {
    let nonce = signed(&body, "nonce");
    let is_lost = desk.memory().note(Question::Verify, nonce);
    let _held = desk.hold(Question::Verify).read().await;
    match is_lost {
        true => lost(),
        false => json_of(&json!({ "isValid": true })),
    }
}

async fn settle(State(desk): State<Shared>, body: String) -> Response {
    let settled = Settled {
        payer: signed(&body, "from").to_lowercase(),
        value: signed(&body, "value"),
        transaction: signed(&body, "nonce"),
    };
    let answer = json!({
        "success": true,
        "transaction": settled.transaction,
        "network": NETWORK,
        "payer": signed(&body, "from"),
    });
    let is_lost = {
        let mut memory = desk.memory();
        let is_lost = memory.note(Question::Settle, settled.transaction.clone());
        memory.settle(settled);
        is_lost
    };
    let _held = desk.hold(Question::Settle).read().await;
    match is_lost {
        true => lost(),
        false => json_of(&answer),
    }
}

/// A part of the transfer that a request is about.
fn signed(body: &str, key: &str) -> String {
    let asked: Value = serde_json::from_str(body).unwrap_or_default();
    let part = &asked["paymentPayload"]["payload"]["authorization"][key];
    part.as_str().unwrap_or_default().to_owned()
}

/// As a proxy answers when what is behind it hung up.
fn lost() -> Response {
    StatusCode::BAD_GATEWAY.into_response()
}

fn json_of(value: &Value) -> Response {
    ([(CONTENT_TYPE, "application/json")], value.to_string()).into_response()
}
