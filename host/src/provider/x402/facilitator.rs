//! The facilitator: who checks payments against a chain and sends them there for us. Its answers are sorted by what they
//! prove, which is little.

use std::sync::Arc;

use serde_json::Value;
use tokio::sync::OnceCell;

use super::auth::Auth;
use super::http::{self, Answer};
use super::kept::Kept;
use super::settings::Resolved;
use crate::clock::Clock;
use crate::outbound;

/// Longest reason that is passed on, characters.
const REASON_CHARS_MAX: usize = 200;

/// A facilitator.
pub struct Facilitator {
    base: String,
    auth: Auth,
    clock: Arc<dyn Clock>,
    verify: reqwest::Client,
    settle: reqwest::Client,
    /// What `/supported` said, once it did.
    supported: OnceCell<Value>,
}

/// What a facilitator says of a payment before it is taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Checked {
    /// It holds; who pays.
    Holds(Option<String>),
    /// It does not.
    Invalid(String),
    /// It did not say.
    Unknown(String),
}

/// What a facilitator says when it is to take a payment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Taken {
    /// It is taken, by this transaction.
    Success {
        /// The transaction's hash.
        transaction: String,
        /// Who paid, as far as it said.
        payer: Option<String>,
    },
    /// Anything else, silence included: no proof of anything. With the transaction that it may be in.
    Unproven {
        /// What was said, for the log.
        reason: String,
        /// A transaction that may have moved it.
        transaction: Option<String>,
    },
}

impl Facilitator {
    /// The facilitator of these settings.
    ///
    /// # Errors
    /// What keeps TLS from being set up.
    pub fn new(settings: &mut Resolved, clock: Arc<dyn Clock>) -> Result<Self, String> {
        Ok(Self {
            base: settings.facilitator.clone(),
            auth: std::mem::replace(&mut settings.auth, Auth::None),
            clock,
            verify: outbound::client(settings.verify_timeout)?,
            settle: outbound::client(settings.settle_timeout)?,
            supported: OnceCell::new(),
        })
    }

    /// Asks whether a payment holds. Nothing is taken.
    pub async fn verify(&self, kept: &Kept) -> Checked {
        checked(self.post(&self.verify, "/verify", kept).await)
    }

    /// Has a payment taken. The same facilitator is asked again when its answer was lost: it knows what it has sent.
    pub async fn settle(&self, kept: &Kept) -> Taken {
        taken(self.post(&self.settle, "/settle", kept).await, kept)
    }

    /// What it says of itself that payers of `network` must be told: who pays the network's fee.
    ///
    /// # Errors
    /// It did not say.
    pub async fn fee_payer(&self, network: &str) -> Result<String, String> {
        let supported = self.supported.get_or_try_init(|| self.supported()).await?;
        let kinds = supported["kinds"].as_array().into_iter().flatten();
        let mut fitting = kinds.filter(|kind| {
            kind["network"] == network && kind["scheme"] == "exact" && kind["x402Version"] == 2
        });
        let payer = fitting.find_map(|kind| kind["extra"]["feePayer"].as_str());
        let missing = || format!("the facilitator does not serve {network}");
        payer.map(str::to_owned).ok_or_else(missing)
    }

    async fn supported(&self) -> Result<Value, String> {
        let path = "/supported";
        let header = self.auth.header("GET", path, self.now_s());
        let answer = http::get(&self.verify, &format!("{}{path}", self.base), header).await?;
        match answer.status {
            200 => Ok(answer.json),
            status => Err(format!("the facilitator answered {status}")),
        }
    }

    async fn post(
        &self,
        client: &reqwest::Client,
        path: &str,
        kept: &Kept,
    ) -> Result<Answer, String> {
        let header = self.auth.header("POST", path, self.now_s());
        let url = format!("{}{path}", self.base);
        http::post(client, &url, header, &kept.request()).await
    }

    fn now_s(&self) -> i64 {
        self.clock.now().div_euclid(1000)
    }
}

fn checked(answer: Result<Answer, String>) -> Checked {
    let answer = match answer {
        Ok(answer) => answer,
        Err(silence) => return Checked::Unknown(silence),
    };
    match (answer.status, answer.json["isValid"].as_bool()) {
        (200, Some(true)) => Checked::Holds(answer.json["payer"].as_str().map(str::to_owned)),
        // Some say no with the status of a bad request.
        (200 | 400 | 402 | 422, Some(false)) => {
            Checked::Invalid(said(&answer.json, "invalidReason"))
        }
        (status, _) => Checked::Unknown(format!("the facilitator answered {status}")),
    }
}

fn taken(answer: Result<Answer, String>, kept: &Kept) -> Taken {
    let unproven = |reason: String, transaction: Option<String>| Taken::Unproven {
        reason,
        transaction,
    };
    let answer = match answer {
        Ok(answer) => answer,
        Err(silence) => return unproven(silence, None),
    };
    let json = &answer.json;
    let transaction = json["transaction"].as_str().filter(|hash| !hash.is_empty());
    let transaction = transaction.map(str::to_owned);
    let elsewhere = json["network"]
        .as_str()
        .is_some_and(|network| network != kept.network());
    match (answer.status, json["success"].as_bool(), transaction) {
        (200, Some(true), Some(_)) if elsewhere => {
            unproven("the facilitator names another network".to_owned(), None)
        }
        (200, Some(true), Some(transaction)) => Taken::Success {
            transaction,
            payer: json["payer"].as_str().map(str::to_owned),
        },
        (200, Some(true), None) => unproven("a success without a transaction".to_owned(), None),
        (_, Some(false), transaction) => unproven(said(json, "errorReason"), transaction),
        (status, _, _) => unproven(format!("the facilitator answered {status}"), None),
    }
}

/// A word of the facilitator's, bounded: it goes into answers and logs.
fn said(json: &Value, key: &str) -> String {
    let word = json[key].as_str().unwrap_or("no reason given");
    word.chars().take(REASON_CHARS_MAX).collect()
}
