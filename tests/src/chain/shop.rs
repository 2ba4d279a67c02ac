//! A host that sells for money on a chain: its folder, the host that runs there, and its payers.

use std::sync::atomic::{AtomicU8, Ordering};

use coinop::clock::{Clock as _, SystemClock};
use coinop::provider::x402::evm::Address;

use super::{Chain, Facilitator, Kind, Wallet};
use crate::era::Era;
use crate::home::Home;
use crate::host::HttpHost;
use crate::http_client::HttpClient;

/// What a call costs, base units: a cent.
pub const PRICE: u128 = 10_000;
/// What is sold. It answers with the moment of its run, so that two runs never give one answer.
pub const TOOL: &str = "send";
/// Blocks after which nothing is undone any more.
pub const FINAL_BLOCKS: u32 = 13;
/// How long payments hold, seconds.
const VALID_S: i64 = 300;
/// How long the host waits for a facilitator to settle, seconds: longer than that waits for a block.
const SETTLE_TIMEOUT_S: u32 = 3;
/// How much later than the one before each host starts, milliseconds: whatever was left undone is due then.
const LATER_MS: i64 = 180_000;
const PAYEE: &str = "0x209693Bc6afc0C5328bA36FaF03C514EF312287C";

/// A host on HTTP with an x402 account on a chain of its own. It ends and starts again on the same ledger.
pub struct Shop {
    /// Where the money is.
    pub chain: Chain,
    /// Who takes it there.
    pub facilitator: Facilitator,
    /// Where hosts run.
    pub home: Home,
    /// Who is paid.
    pub payee: Address,
    settings: String,
    host: Option<HttpHost>,
    /// How far the host's clock is ahead, milliseconds.
    shift_ms: i64,
    wallets: AtomicU8,
}

impl Shop {
    /// With a node to ask. `settings` are lines for the account beside the usual ones.
    pub async fn open(kind: Kind, settings: &str) -> Self {
        let chain = Chain::start().await;
        let settings = format!("rpc = \"{}\"\n{settings}", chain.host_rpc_url());
        Self::on(chain, kind, settings).await
    }

    /// Without a node to ask.
    pub async fn open_blind(kind: Kind) -> Self {
        Self::on(Chain::start().await, kind, String::new()).await
    }

    async fn on(chain: Chain, kind: Kind, settings: String) -> Self {
        let facilitator = chain.facilitator(kind).await;
        let mut shop = Self {
            chain,
            facilitator,
            home: Home::new().plugin("sales").mode("x402"),
            payee: PAYEE.parse().expect("an address"),
            settings,
            host: None,
            shift_ms: 0,
            wallets: AtomicU8::new(1),
        };
        shop.configure(&shop.facilitator);
        shop.host = Some(shop.home.http().await);
        shop
    }

    /// Has hosts started from now on settle by this facilitator.
    pub fn configure(&self, facilitator: &Facilitator) {
        let (url, settings) = (facilitator.url(), &self.settings);
        self.home.configure(&format!(
            "provider = \"wallets\"\n[accounts.wallets]\nkind = \"x402\"\nnetwork = \"base-sepolia\"\n\
             pay_to = \"{PAYEE}\"\nfacilitator = \"{url}\"\nmax_timeout_s = {VALID_S}\n\
             settle_timeout_s = {SETTLE_TIMEOUT_S}\n{settings}"
        ));
    }

    /// The host.
    pub fn host(&self) -> &HttpHost {
        self.host.as_ref().expect("a host runs")
    }

    /// The host, to be killed. [`Self::later`] starts the next.
    pub fn take_host(&mut self) -> HttpHost {
        self.host.take().expect("a host runs")
    }

    /// A client of the host's.
    pub async fn client(&self) -> HttpClient {
        HttpClient::open(self.host().address, Era::Legacy, None).await
    }

    /// Starts the next host, later: it sweeps at once. The one before is killed if it still runs.
    pub async fn later(&mut self) {
        self.later_by(LATER_MS, None).await;
    }

    /// As [`Self::later`], with a host that is killed at its first visit of a failpoint.
    pub async fn later_killed_at(&mut self, failpoint: &str) {
        self.later_by(LATER_MS, Some(failpoint)).await;
    }

    /// As [`Self::later`], as late as is said, milliseconds.
    pub async fn later_by(&mut self, ms: i64, failpoint: Option<&str>) {
        if let Some(host) = self.host.take() {
            host.kill().await;
        }
        self.shift_ms += ms;
        self.home.clear_env();
        self.home
            .env("COINOP_CLOCK_SHIFT_MS", &self.shift_ms.to_string());
        if let Some(failpoint) = failpoint {
            self.home.env("COINOP_FAILPOINT", failpoint);
        }
        self.host = Some(self.home.http().await);
    }

    /// Until when a payment that is signed now holds, seconds since the Unix epoch, by the host's clock.
    pub(super) fn valid_before_s(&self) -> i64 {
        (SystemClock.now() + self.shift_ms) / 1_000 + VALID_S
    }

    /// A payer that nobody has seen, with so much money.
    pub async fn payer(&self, money: u128) -> Wallet {
        let wallet = Wallet::of(self.wallets.fetch_add(1, Ordering::SeqCst));
        self.chain.mint(&wallet.address(), money).await;
        wallet
    }

    /// For how long payments that were signed so far hold at most by the chain's clock, seconds.
    pub async fn payments_hold_s(&self) -> i64 {
        self.valid_before_s() + 60 - self.chain.now_s().await
    }
}
