//! A chain of our own: a token at the address that official clients know, facilitators of the official packages, and
//! everything that can go wrong between them.
//!
//! ```ignore
//! let chain = Chain::start().await;
//! let facilitator = chain.facilitator(Kind::Ts).await;
//! chain.mint(&payer, 1_000_000).await;               // a dollar
//! // [accounts.x]: kind = "x402", network = "eip155:84532", facilitator = facilitator.url(), rpc = chain.rpc_url()
//! assert_eq!(chain.balance(&payee).await, 10_000);
//! ```

pub mod abi;
mod facilitator;
mod keeper;
mod proxy;
mod rpc;
mod sale;
mod shop;
mod verdict;
mod wallet;

use std::sync::atomic::{AtomicUsize, Ordering};

use coinop::provider::x402::evm::{Address, Uint, address};
use serde_json::{Value, json};
use tokio::sync::Mutex;

pub use self::facilitator::{CONFIRMATION_MS, Facilitator, Fault, Kind};
use self::keeper::Kept;
use self::proxy::Proxy;
pub use self::sale::{Said, Sale, call};
pub use self::shop::{FINAL_BLOCKS, PRICE, Shop, TOOL};
pub use self::verdict::{check_taken, story};
pub use self::wallet::Wallet;
use crate::paths;
use crate::wait::until;

/// Base Sepolia's.
pub const CHAIN_ID: u64 = 84_532;
/// One of anvil's own accounts, which sends what anybody may.
const SENDER: &str = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266";

/// A chain. It ends with its owner, and with the test process however that ends.
pub struct Chain {
    node: Kept,
    /// Before the node, for facilitators.
    proxy: Proxy,
    /// Before the node, for hosts.
    host_proxy: Proxy,
    facilitators: AtomicUsize,
    /// The node numbers a sender's transactions as they come: two at once would have one number.
    sending: Mutex<()>,
}

impl Chain {
    /// Starts a node and puts the token and Multicall3 where everybody expects them.
    pub async fn start() -> Self {
        let id = CHAIN_ID.to_string();
        let arguments = ["--host", "127.0.0.1", "--port", "0", "--chain-id", &id];
        let node = Kept::start(&paths::anvil(), &arguments).await;
        let proxy = Proxy::before(node.addr()).await;
        let host_proxy = Proxy::before(node.addr()).await;
        let chain = Self {
            node,
            proxy,
            host_proxy,
            facilitators: AtomicUsize::new(0),
            sending: Mutex::default(),
        };
        for (address, code) in [
            (abi::TOKEN, abi::TOKEN_CODE),
            (abi::MULTICALL, abi::MULTICALL_CODE),
        ] {
            let code = format!("0x{}", code.trim());
            chain.ask("anvil_setCode", json!([address, code])).await;
        }
        chain
    }

    /// The node's own URL.
    pub fn rpc_url(&self) -> String {
        self.node.url()
    }

    /// A way to the node for a host's `rpc`, which [`Chain::cut_hosts_off`] closes.
    pub fn host_rpc_url(&self) -> &str {
        self.host_proxy.url()
    }

    /// Starts a facilitator, at the node by way of the proxy. Four at most, each with an account of its own.
    pub async fn facilitator(&self, kind: Kind) -> Facilitator {
        let number = self.facilitators.fetch_add(1, Ordering::SeqCst);
        Facilitator::start(kind, self.proxy.url(), number).await
    }

    /// Loses the node's answer to the next transaction that a facilitator sends.
    pub fn lose_next_answer(&self) {
        self.proxy.lose_next_answer();
    }

    /// Cuts facilitators off from the node, or connects them again.
    pub fn cut_facilitators_off(&self, whether: bool) {
        self.proxy.cut(whether);
    }

    /// Cuts hosts off from the node, or connects them again.
    pub fn cut_hosts_off(&self, whether: bool) {
        self.host_proxy.cut(whether);
    }

    /// How much of the token somebody has, base units.
    pub async fn balance(&self, of: &Address) -> u128 {
        let word = self
            .view(&abi::call("balanceOf(address)", &[of.as_word()]))
            .await;
        word.to_string().parse().expect("a balance fits")
    }

    /// Whether an authorization's nonce is used or cancelled.
    pub async fn nonce_ended(&self, from: &Address, nonce: [u8; 32]) -> bool {
        let call = abi::call(
            "authorizationState(address,bytes32)",
            &[from.as_word(), nonce],
        );
        self.view(&call).await == Uint::from(1)
    }

    /// Makes tokens.
    pub async fn mint(&self, to: &Address, value: u128) {
        let value = *Uint::from(value).as_word();
        self.send(&abi::call("mint(address,uint256)", &[to.as_word(), value]))
            .await;
    }

    /// Freezes or thaws an account.
    pub async fn freeze(&self, account: &Address, whether: bool) {
        let whether = *Uint::from(u128::from(whether)).as_word();
        let call = abi::call("freeze(address,bool)", &[account.as_word(), whether]);
        self.send(&call).await;
    }

    /// Sends a call to the token, as anybody may, and has it mined.
    pub async fn send(&self, data: &[u8]) {
        let _alone = self.sending.lock().await;
        let transaction = json!({ "from": SENDER, "to": abi::TOKEN, "data": address::hex(data) });
        let hash = self.ask("eth_sendTransaction", json!([transaction])).await;
        let receipt = until("a transaction to be mined", async || {
            let receipt = self.ask("eth_getTransactionReceipt", json!([hash])).await;
            Some(receipt).filter(|receipt| !receipt.is_null())
        });
        assert_eq!(receipt.await["status"], "0x1", "the token refused");
    }

    /// How often the token moved money from `from` to `to`.
    pub async fn transfers(&self, from: &Address, to: &Address) -> usize {
        let filter = json!({
            "fromBlock": "0x0", "toBlock": "latest", "address": abi::TOKEN,
            "topics": abi::transferred(from, to),
        });
        let logs = self.ask("eth_getLogs", json!([filter])).await;
        logs.as_array().expect("logs").len()
    }

    /// How much of the token a transaction moved from `from` to `to`, each time it did; nothing when there is no such
    /// transaction in a block.
    pub async fn moved_by(&self, transaction: &str, from: &Address, to: &Address) -> Vec<u128> {
        let receipt = self
            .ask("eth_getTransactionReceipt", json!([transaction]))
            .await;
        let topics = json!(abi::transferred(from, to));
        let logs = receipt["logs"].as_array().into_iter().flatten();
        let ours = logs.filter(|log| log["topics"] == topics);
        ours.map(|log| {
            let word = log["data"].as_str().and_then(address::bytes);
            let value = Uint::from_word(word.expect("a value"));
            value.to_string().parse().expect("a value fits")
        })
        .collect()
    }

    /// The time of the latest block, seconds since the Unix epoch.
    pub async fn now_s(&self) -> i64 {
        let block = self
            .ask("eth_getBlockByNumber", json!(["latest", false]))
            .await;
        let digits = block["timestamp"]
            .as_str()
            .and_then(|t| t.strip_prefix("0x"));
        i64::from_str_radix(digits.expect("a time"), 16).expect("a time")
    }

    /// Mines blocks, a second apart.
    pub async fn mine(&self, blocks: u32) {
        self.ask("anvil_mine", json!([format!("{blocks:#x}"), "0x1"]))
            .await;
    }

    /// Mines no transaction until [`Chain::resume`].
    pub async fn stall(&self) {
        self.ask("evm_setAutomine", json!([false])).await;
    }

    /// Mines again, what waits at once.
    pub async fn resume(&self) {
        self.ask("evm_setAutomine", json!([true])).await;
        self.mine(1).await;
    }

    /// Forgets a transaction that waits.
    pub async fn drop_transaction(&self, hash: &str) {
        self.ask("anvil_dropTransaction", json!([hash])).await;
    }

    /// Forgets every transaction that waits.
    pub async fn drop_transactions(&self) {
        self.ask("anvil_dropAllTransactions", json!([])).await;
    }

    /// A place to come back to.
    pub async fn snapshot(&self) -> Value {
        self.ask("evm_snapshot", json!([])).await
    }

    /// Goes back: what was mined since has never been.
    pub async fn revert(&self, snapshot: Value) {
        let done = self.ask("evm_revert", json!([snapshot])).await;
        assert_eq!(done, true);
    }

    /// Lets time pass on the chain.
    pub async fn pass_time(&self, seconds: i64) {
        self.ask("evm_increaseTime", json!([seconds])).await;
        self.mine(1).await;
    }

    /// Takes or gives a facilitator the money for gas.
    pub async fn set_gas_money(&self, account: &str, wei: u64) {
        self.ask("anvil_setBalance", json!([account, format!("{wei:#x}")]))
            .await;
    }

    async fn view(&self, data: &[u8]) -> Uint {
        let call = json!({ "to": abi::TOKEN, "data": address::hex(data) });
        let answer = self.ask("eth_call", json!([call, "latest"])).await;
        let word = answer.as_str().and_then(address::bytes);
        Uint::from_word(word.expect("the token answers a word"))
    }

    async fn ask(&self, method: &str, params: Value) -> Value {
        rpc::ask(self.node.addr(), method, params).await
    }
}
