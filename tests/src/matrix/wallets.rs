//! Published x402 wallets: each declines a call and pays for another one, over both transports.

use serde_json::Value;
use tokio::process::Command;

use super::drive::{same, told, visits};
use super::table::minor;
use super::visit::Place;
use super::{Cell, Transport};
use crate::books::Books;
use crate::era::Era;
use crate::facilitator::{Facilitator, NETWORK};
use crate::home::Home;
use crate::host::HttpHost;
use crate::paths;

/// The price of a cent in USDC's base units.
const PRICE: &str = "10000";
const PAY_TO: &str = "0x209693Bc6afc0C5328bA36FaF03C514EF312287C";
const TOOL: &str = "echo_paid";

/// A wallet around a published client: a row of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wallet {
    /// As the table says it, with a place for the version.
    pub title: &'static str,
    /// How the Node.js driver calls it; `None` is the Python one.
    side: Option<&'static str>,
    /// The era its client is told to speak.
    pub era: Era,
}

impl Wallet {
    /// Its title with the version that its driver told.
    pub(super) fn name(self, told: Option<&str>) -> String {
        let version = told.map_or_else(String::new, minor);
        self.title.replace("{version}", &version)
    }
}

const fn node(title: &'static str, side: &'static str, era: Era) -> Wallet {
    Wallet {
        title,
        side: Some(side),
        era,
    }
}

const CORE_IN_SDK: &str =
    "npm `@x402/core` and `@x402/evm` {version} in `@modelcontextprotocol/sdk`";
const CORE_IN_CLIENT: &str =
    "npm `@x402/core` and `@x402/evm` {version} in `@modelcontextprotocol/client`";
const AGENTS_IN_SDK: &str = "npm `agents` {version} in `@modelcontextprotocol/sdk`";
const AGENTS_IN_CLIENT: &str = "npm `agents` {version} in `@modelcontextprotocol/client`";

/// The wallets, in the table's order.
pub const WALLETS: [Wallet; 7] = [
    Wallet {
        title: "pip `x402` {version} in `mcp` 1",
        side: None,
        era: Era::Legacy,
    },
    node(CORE_IN_SDK, "x402+sdk", Era::Legacy),
    node(CORE_IN_CLIENT, "x402+client", Era::Legacy),
    node(CORE_IN_CLIENT, "x402+client", Era::Modern),
    node(AGENTS_IN_SDK, "agents+sdk", Era::Legacy),
    node(AGENTS_IN_CLIENT, "agents+client", Era::Legacy),
    node(AGENTS_IN_CLIENT, "agents+client", Era::Modern),
];

/// A host whose tools are paid by wallets.
pub(super) struct Exchange {
    home: Home,
    host: HttpHost,
    facilitator: Facilitator,
}

impl Exchange {
    pub(super) async fn open() -> Self {
        let facilitator = Facilitator::start().await;
        let account = format!(
            "provider = \"wallets\"\n[accounts.wallets]\nkind = \"x402\"\nnetwork = \"{NETWORK}\"\n\
             pay_to = \"{PAY_TO}\"\nverify = \"local\"\nfacilitator = \"{}\"\n",
            facilitator.url
        );
        let home = Home::new().plugin("echo").mode("x402").config(&account);
        let host = home.http().await;
        Self {
            home,
            host,
            facilitator,
        }
    }

    /// Runs the cell: what came of it, and the wallet's package with its version.
    pub(super) async fn visit(
        &self,
        wallet: Wallet,
        transport: Transport,
    ) -> (Cell, Option<String>) {
        let text = format!("{wallet:?} {transport:?}");
        match self.drive(wallet, transport, &text).await {
            Ok(told) => (Cell::Paid, told["client"].as_str().map(str::to_owned)),
            Err(failure) => (Cell::Failed(failure), None),
        }
    }

    /// What the ledger says of all of it: calls that were declined are not in it.
    pub(super) fn books(&self) -> Books {
        Books::of(&self.home)
    }

    async fn drive(
        &self,
        wallet: Wallet,
        transport: Transport,
        text: &str,
    ) -> Result<Value, String> {
        let place = Place {
            home: &self.home,
            host: &self.host,
        };
        let told = told(driver(
            wallet,
            ["decline,pay", TOOL, text],
            transport,
            &place,
        ))
        .await?;
        match self.judge(&told, wallet, text) {
            Ok(()) => Ok(told),
            Err(failure) => Err(format!("{failure}\n  told: {told}")),
        }
    }

    fn judge(&self, told: &Value, wallet: Wallet, text: &str) -> Result<(), String> {
        same(
            "protocol",
            told["protocol"].as_str(),
            Some(wallet.era.version()),
        )?;
        let [declined, paid] = visits(told)? else {
            return Err("not every call was made".to_owned());
        };
        same(
            "the declined call is an error",
            declined["error"].as_bool(),
            Some(true),
        )?;
        same("its receipt", declined["receipt"].as_object(), None)?;
        if declined["text"]
            .as_str()
            .is_none_or(|answer| answer.contains(text))
        {
            return Err("the declined call was answered".to_owned());
        }
        same(
            "answer",
            paid["text"].as_str(),
            Some(&*format!("{text} pay")),
        )?;
        let settled = self
            .facilitator
            .of(told["payer"].as_str().unwrap_or_default());
        let [settled] = settled.as_slice() else {
            return Err(format!("settled once was promised, and it was {settled:?}"));
        };
        same("settled", Some(&*settled.value), Some(PRICE))?;
        same("receipt", paid["receipt"]["success"].as_bool(), Some(true))?;
        let transaction = paid["receipt"]["transaction"].as_str();
        same("transaction", transaction, Some(&settled.transaction))
    }
}

/// One paid call by a wallet with a private key that is said.
pub struct Purchase<'a> {
    /// Who pays.
    pub wallet: Wallet,
    /// With which key.
    pub key: &'a str,
    /// For which tool.
    pub tool: &'a str,
    /// How it is reached.
    pub transport: Transport,
    /// Where hosts are started on stdio.
    pub home: &'a Home,
    /// Which host is called over HTTP.
    pub host: &'a HttpHost,
}

impl Purchase<'_> {
    /// Makes it: what the wallet's user saw of it, with the payment as it was presented.
    ///
    /// # Errors
    /// How the driver failed.
    pub async fn make(&self) -> Result<Value, String> {
        let place = Place {
            home: self.home,
            host: self.host,
        };
        let mut driver = driver(
            self.wallet,
            ["pay", self.tool, "to"],
            self.transport,
            &place,
        );
        driver.env("WALLET_KEY", self.key);
        let mut told = told(driver).await?;
        visits(&told)?;
        Ok(told["visits"][0].take())
    }
}

/// A wallet's driver for these behaviours, tool and text, ready to run.
fn driver(wallet: Wallet, order: [&str; 3], transport: Transport, place: &Place<'_>) -> Command {
    let mut driver = program(wallet);
    driver.args(order);
    match transport {
        Transport::Http => driver.args(["http", &place.host.url()]),
        Transport::Stdio => driver.arg("stdio").args(place.home.command_line()),
    };
    driver
}

fn program(wallet: Wallet) -> Command {
    match wallet.side {
        None => {
            let mut python = Command::new(paths::python_x402());
            python.arg(paths::client_script("python/wallet.py"));
            python
        }
        Some(side) => {
            paths::node_packages();
            let mut node = Command::new("node");
            node.arg(paths::client_script("node/wallet.mjs"));
            node.args([side, wallet.era.name()]);
            node
        }
    }
}
