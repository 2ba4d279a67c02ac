//! A signed payment, presented for a call of the host's tool, and what the host says to it.

use coinop::provider::x402::evm::{Address, address};
use data_encoding::BASE64;
use serde_json::{Value, json};

use super::shop::{Shop, TOOL};
use super::wallet::Wallet;
use crate::answer::Answer;
use crate::http::{Connection, Response};
use crate::http_client::HttpClient;
use crate::wait::within;

/// A payment, and what it is for.
pub struct Sale {
    /// Who pays.
    pub wallet: Wallet,
    /// Its nonce.
    pub nonce: [u8; 32],
    /// The payment as it is presented.
    pub payment: Value,
    /// The tool that it buys a call of.
    pub tool: &'static str,
    /// The call's arguments.
    pub arguments: Value,
}

impl Sale {
    /// Who pays.
    pub fn payer(&self) -> Address {
        self.wallet.address()
    }

    /// What the ledger's reference of the payment ends in.
    pub fn name(&self) -> String {
        format!("{}:{}", self.payer(), address::hex(&self.nonce))
    }

    /// The call with the payment, as MCP's parameters.
    pub fn call(&self) -> Value {
        call(self.tool, &self.arguments, &self.payment)
    }
}

/// A call with a payment, as MCP's parameters.
pub fn call(tool: &str, arguments: &Value, payment: &Value) -> Value {
    json!({ "name": tool, "arguments": arguments, "_meta": { "x402/payment": payment } })
}

/// The host's word to a payment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Said {
    /// What was bought, and the transaction that the receipt names.
    Delivered {
        /// The tool's answer.
        text: String,
        /// Its hash.
        transaction: String,
    },
    /// It is not known yet whether the money came: present the payment again.
    Running,
    /// It buys nothing: another one is asked for, because of this.
    Challenged(String),
    /// No, in words, and no other payment is asked for.
    Refused(String),
}

impl Said {
    /// Reads an answer of MCP.
    pub fn of(answer: &Answer) -> Self {
        let result = &answer.0["result"];
        let meta = &result["_meta"];
        let asks = [&result["structuredContent"], &meta["x402/error"]];
        if let Some(asked) = asks.into_iter().find(|asked| asked["accepts"].is_array()) {
            let reason = asked["error"].as_str().unwrap_or_default();
            return Self::Challenged(reason.to_owned());
        }
        assert_eq!(answer.error_code(), None, "{}", answer.0);
        let receipt = &meta["x402/payment-response"];
        match (&receipt["success"], answer.asked()) {
            (Value::Bool(true), None) if !answer.is_error() => Self::Delivered {
                text: answer.text(),
                transaction: receipt["transaction"]
                    .as_str()
                    .unwrap_or_default()
                    .to_owned(),
            },
            (Value::Null, Some(asked)) if asked.status == "running" => Self::Running,
            (Value::Null, None) if answer.is_error() => Self::Refused(answer.text()),
            _ => panic!("it says two things: {}", answer.0),
        }
    }

    /// What was bought, and by which transaction.
    pub fn delivered(&self) -> (&str, &str) {
        match self {
            Self::Delivered { text, transaction } => (text, transaction),
            other => panic!("nothing was delivered: {other:?}"),
        }
    }
}

impl Shop {
    /// A payment by `wallet` for what the host asks for a call of [`TOOL`]; a payment for each `nonce`.
    pub async fn signed(&self, wallet: Wallet, nonce: u8) -> Sale {
        self.signed_for(TOOL, wallet, nonce).await
    }

    /// As [`Self::signed`], for a call of another tool.
    pub async fn signed_for(&self, tool: &'static str, wallet: Wallet, nonce: u8) -> Sale {
        let arguments = json!({ "for": wallet.address().to_string(), "number": nonce });
        let params = json!({ "name": tool, "arguments": arguments });
        let asked = self.client().await.request("tools/call", params).await;
        let requirement = &asked["result"]["structuredContent"]["accepts"][0];
        assert!(requirement.is_object(), "{asked}");
        let nonce = [nonce; 32];
        let transfer = wallet.transfer(requirement, nonce, self.valid_before_s());
        Sale {
            payment: wallet.pay(requirement, &transfer),
            wallet,
            nonce,
            tool,
            arguments,
        }
    }

    /// A payment by a payer who has the money for it and no more.
    pub async fn sale(&self) -> Sale {
        self.signed(self.payer(super::PRICE).await, 1).await
    }

    /// Presents it by MCP.
    pub async fn present(&self, sale: &Sale) -> Said {
        let client = self.client().await;
        Said::of(&Answer(client.request("tools/call", sale.call()).await))
    }

    /// Presents it by MCP to a host that does not live to answer.
    pub async fn present_in_vain(client: &HttpClient, sale: &Sale) {
        let answer = within(
            "the host's end",
            client.try_request("tools/call", sale.call()),
        );
        let answer = answer.await;
        assert!(answer.is_err(), "it answered {answer:?}");
    }

    /// Presents it by plain HTTP, under version 2's header.
    pub async fn present_by_http(&self, sale: &Sale) -> Response {
        let header = BASE64.encode(sale.payment.to_string().as_bytes());
        let headers = format!("Content-Type: application/json\r\nPAYMENT-SIGNATURE: {header}\r\n");
        self.post(sale.tool, &headers, &sale.arguments).await
    }

    /// Calls a tool by plain HTTP. `headers` are lines that end with `\r\n`.
    pub async fn post(&self, tool: &str, headers: &str, arguments: &Value) -> Response {
        let answer = async {
            let mut connection = Connection::open(self.host().address).await?;
            let (path, body) = (format!("/tools/{tool}"), arguments.to_string());
            connection
                .send("POST", &path, headers, body.as_bytes())
                .await
        };
        within("an answer by HTTP", answer)
            .await
            .expect("the host answers")
    }
}
