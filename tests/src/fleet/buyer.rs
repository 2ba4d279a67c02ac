//! Clients that buy from a fleet: ask, pay, redeem, each at any host, again and again until they are told the end.

use std::hash::{BuildHasher, RandomState};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::future::join_all;
use serde_json::{Value, json};

use super::{Fleet, lock};
use crate::answer::Answer;
use crate::http_client::HttpClient;
use crate::pay::try_pay;

/// How long a client waits for one answer before it turns to another host.
const PATIENCE: Duration = Duration::from_millis(2_500);
/// Between two attempts.
const PAUSE: Duration = Duration::from_millis(50);

/// How a client was told that its call ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Told {
    /// The tool's answer.
    Outcome(String),
    /// The money went back.
    Refunded,
}

/// One purchase from the client's side.
#[derive(Clone, Debug)]
pub struct Sale {
    /// The tool.
    pub tool: &'static str,
    /// The payment's id.
    pub payment: String,
    /// Every answer that told its end, by whomever it was asked for.
    pub told: Vec<Told>,
}

/// The clients and what they remember.
pub struct Market {
    fleet: Arc<Fleet>,
    /// Paid purchases.
    sales: Mutex<Vec<Sale>>,
    tickets: AtomicU64,
    closed: AtomicBool,
    /// The latest answer that told no end, to be shown when none comes.
    puzzling: Mutex<String>,
}

impl Market {
    /// Opens, with no clients yet.
    pub fn open(fleet: &Arc<Fleet>) -> Arc<Self> {
        Arc::new(Self {
            fleet: Arc::clone(fleet),
            sales: Mutex::default(),
            tickets: AtomicU64::new(0),
            closed: AtomicBool::new(false),
            puzzling: Mutex::default(),
        })
    }

    /// Begins nothing new; what is paid for is followed to its end.
    pub fn close(&self) {
        self.closed.store(true, Ordering::SeqCst);
    }

    /// The paid purchases so far, those among them that have come to an end known to their client.
    pub fn sales(&self) -> Vec<Sale> {
        lock(&self.sales).clone()
    }

    /// What the last one was told who was not told an end.
    pub fn puzzling(&self) -> String {
        lock(&self.puzzling).clone()
    }

    /// A client: buys until the market closes.
    pub async fn buy(&self) {
        while !self.closed.load(Ordering::SeqCst) {
            self.buy_once().await;
        }
    }

    async fn buy_once(&self) {
        let ticket = self.tickets.fetch_add(1, Ordering::Relaxed);
        let tool = if ticket.is_multiple_of(2) {
            "tell"
        } else {
            "send"
        };
        let arguments = json!({ "ticket": ticket, "ms": ticket % 5 * 180 });
        let payment = loop {
            let answer = self.ask_anyone(tool, &arguments).await;
            if let Some(asked) = answer.and_then(|answer| answer.asked()) {
                break asked;
            }
            if self.closed.load(Ordering::SeqCst) {
                return;
            }
            tokio::time::sleep(PAUSE).await;
        };
        while !self.pay_anyone(&payment.url).await {
            tokio::time::sleep(PAUSE).await;
        }
        let at = {
            let mut sales = lock(&self.sales);
            sales.push(Sale {
                tool,
                payment: payment.id.clone(),
                told: Vec::new(),
            });
            sales.len() - 1
        };
        let redeem = || self.redeem(tool, &payment.id, None);
        let told = match ticket % 3 {
            // An impatient client, or one that lost its answer: twice at a time.
            0 => join_all([redeem(), redeem()]).await,
            _ => vec![redeem().await],
        };
        lock(&self.sales)[at].told.extend(told);
    }

    /// Redeems every purchase again, at every host. Call it once all hosts are well.
    pub async fn ask_all_again(&self) {
        for address in self.fleet.addresses() {
            for (at, sale) in self.sales().into_iter().enumerate() {
                let told = self.redeem(sale.tool, &sale.payment, Some(address)).await;
                lock(&self.sales)[at].told.push(told);
            }
        }
    }

    /// Presents a payment until the end of its call is told: at one host, or at any.
    async fn redeem(&self, tool: &str, payment: &str, at: Option<SocketAddr>) -> Told {
        let tool = format!("confirm_{tool}");
        let arguments = json!({ "payment_id": payment });
        loop {
            let answer = match at {
                Some(address) => ask(address, &tool, &arguments).await,
                None => self.ask_anyone(&tool, &arguments).await,
            };
            if let Some(answer) = answer {
                if let Some(told) = told(&answer) {
                    return told;
                }
                *lock(&self.puzzling) = format!("{payment}: {}", answer.0);
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    async fn ask_anyone(&self, tool: &str, arguments: &Value) -> Option<Answer> {
        ask(self.someone()?, tool, arguments).await
    }

    /// Pays at any host. Whether it is paid now.
    async fn pay_anyone(&self, link: &str) -> bool {
        let Some(address) = self.someone() else {
            return false;
        };
        // The link names the host that made it; its page is everywhere.
        let (_, page) = link.split_once("/pay/").expect("a link leads to a page");
        let link = format!("http://{address}/pay/{page}");
        matches!(
            tokio::time::timeout(PATIENCE, try_pay(&link)).await,
            Ok(Ok(true))
        )
    }

    fn someone(&self) -> Option<SocketAddr> {
        let addresses = self.fleet.addresses();
        let random = RandomState::new().hash_one(0) as usize;
        addresses.get(random % addresses.len().max(1)).copied()
    }
}

/// `None` when there is no answer in time.
async fn ask(address: SocketAddr, tool: &str, arguments: &Value) -> Option<Answer> {
    let client = HttpClient::modern(address);
    let params = json!({ "name": tool, "arguments": arguments });
    let answered = client.try_request("tools/call", params);
    let answer = tokio::time::timeout(PATIENCE, answered).await;
    answer.ok()?.ok().map(Answer)
}

/// The end that an answer tells, if it does.
fn told(answer: &Answer) -> Option<Told> {
    let text = answer.text();
    if answer.asked().is_some() {
        return None;
    }
    if !answer.is_error() && text.starts_with("ran at ") {
        return Some(Told::Outcome(text));
    }
    text.contains("went back to the payer")
        .then_some(Told::Refunded)
}
