//! A node of an EVM chain, asked by JSON-RPC: the few reads that tell what became of a payment.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use serde_json::{Value, json};

use crate::config::Secret;
use crate::outbound;
use crate::provider::x402::evm::address::hex;
use crate::provider::x402::evm::{Address, Uint, address};
use crate::provider::x402::http;

/// How long a node may take for one answer.
const TIMEOUT: Duration = Duration::from_secs(10);

/// A node.
pub struct Node {
    url: Secret,
    client: reqwest::Client,
    next_id: AtomicU64,
}

/// A block's number and time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Block {
    /// Its number.
    pub number: u64,
    /// Its time, seconds since the Unix epoch.
    pub at_s: i64,
}

/// An event that a contract logged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Log {
    /// The contract.
    pub address: Address,
    /// What happened, and the parts of it that can be searched.
    pub topics: Vec<[u8; 32]>,
    /// The other parts.
    pub data: Vec<u8>,
    /// Its place in its block.
    pub index: u64,
    /// The transaction.
    pub transaction: [u8; 32],
    /// The block.
    pub block: u64,
}

/// What became of a transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// It did what it was to do; otherwise it was reverted.
    pub succeeded: bool,
    /// The block.
    pub block: u64,
    /// What was logged, in order.
    pub logs: Vec<Log>,
}

/// What of the logs of `from..=to` is wanted.
#[derive(Clone, Debug)]
pub struct Filter<'a> {
    /// The first block.
    pub from: u64,
    /// The last block.
    pub to: u64,
    /// Whose logs.
    pub contract: Address,
    /// Any of these events.
    pub events: &'a [[u8; 32]],
    /// With these topics after the event.
    pub topics: [[u8; 32]; 2],
}

impl Node {
    /// The node at `url`.
    ///
    /// # Errors
    /// What keeps TLS from being set up.
    pub fn new(url: Secret) -> Result<Self, String> {
        Ok(Self {
            url,
            client: outbound::client(TIMEOUT)?,
            next_id: AtomicU64::new(1),
        })
    }

    /// The number of the chain it serves.
    ///
    /// # Errors
    /// As all that is asked of a node: why there is no answer.
    pub async fn chain_id(&self) -> Result<u64, String> {
        number(&self.ask("eth_chainId", json!([])).await?)
    }

    /// The latest block.
    pub async fn latest(&self) -> Result<Block, String> {
        self.block_of(json!("latest")).await
    }

    /// The block of a number.
    pub async fn block(&self, number: u64) -> Result<Block, String> {
        self.block_of(json!(format!("{number:#x}"))).await
    }

    async fn block_of(&self, which: Value) -> Result<Block, String> {
        let block = self
            .ask("eth_getBlockByNumber", json!([which, false]))
            .await?;
        let at_s = number(&block["timestamp"])?;
        Ok(Block {
            number: number(&block["number"])?,
            at_s: i64::try_from(at_s).map_err(|_| "a block of no time")?,
        })
    }

    /// What a contract's view answers as of a block: one word.
    pub async fn view(&self, contract: Address, call: &[u8], block: u64) -> Result<Uint, String> {
        let call = json!({ "to": contract.to_string(), "data": hex(call) });
        let at = format!("{block:#x}");
        let answer = self.ask("eth_call", json!([call, at])).await?;
        let word = answer.as_str().and_then(address::bytes);
        word.map(Uint::from_word)
            .ok_or_else(|| "the contract answers something else".to_owned())
    }

    /// Logs that match.
    pub async fn logs(&self, filter: &Filter<'_>) -> Result<Vec<Log>, String> {
        let events: Vec<String> = filter.events.iter().map(|event| hex(event)).collect();
        let [first, second] = filter.topics.map(|topic| hex(&topic));
        let wanted = json!({
            "fromBlock": format!("{:#x}", filter.from),
            "toBlock": format!("{:#x}", filter.to),
            "address": filter.contract.to_string(),
            "topics": [events, first, second],
        });
        logs(&self.ask("eth_getLogs", json!([wanted])).await?)
    }

    /// What became of a transaction; `None` while no block has it.
    pub async fn receipt(&self, transaction: &str) -> Result<Option<Receipt>, String> {
        let receipt = self
            .ask("eth_getTransactionReceipt", json!([transaction]))
            .await?;
        if receipt.is_null() {
            return Ok(None);
        }
        Ok(Some(Receipt {
            succeeded: number(&receipt["status"])? == 1,
            block: number(&receipt["blockNumber"])?,
            logs: logs(&receipt["logs"])?,
        }))
    }

    async fn ask(&self, method: &str, params: Value) -> Result<Value, String> {
        let id = self.next_id.fetch_add(1, Ordering::Relaxed);
        let body = json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params });
        let mut answer = http::post(&self.client, self.url.expose(), None, &body).await?;
        match answer.json.get_mut("result") {
            Some(result) if answer.status == 200 => Ok(result.take()),
            _ => Err(format!("the node does not answer {method}")),
        }
    }
}

fn number(json: &Value) -> Result<u64, String> {
    let digits = json.as_str().and_then(|text| text.strip_prefix("0x"));
    digits
        .and_then(|digits| u64::from_str_radix(digits, 16).ok())
        .ok_or_else(|| "the node answers no number".to_owned())
}

fn logs(json: &Value) -> Result<Vec<Log>, String> {
    let list = json.as_array().ok_or("the node answers no logs")?;
    list.iter()
        .map(|log| read_log(log).ok_or_else(|| "the node answers a log that is none".to_owned()))
        .collect()
}

fn read_log(json: &Value) -> Option<Log> {
    // Taken back by a reorganisation: it did not happen.
    if json["removed"] == true {
        return None;
    }
    let topics = json["topics"].as_array()?.iter();
    let data = json["data"].as_str()?.strip_prefix("0x")?;
    Some(Log {
        address: json["address"].as_str()?.parse().ok()?,
        topics: topics
            .map(|t| address::bytes(t.as_str()?))
            .collect::<Option<_>>()?,
        data: data_encoding::HEXLOWER_PERMISSIVE
            .decode(data.as_bytes())
            .ok()?,
        index: number(&json["logIndex"]).ok()?,
        transaction: address::bytes(json["transactionHash"].as_str()?)?,
        block: number(&json["blockNumber"]).ok()?,
    })
}
