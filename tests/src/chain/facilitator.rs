//! Facilitators built with the official packages, in their own processes.

use serde_json::{Value, json};

use super::keeper::Kept;
use super::rpc;
use crate::paths;

/// Whose facilitator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// npm `@x402/core` and `@x402/evm`.
    Ts,
    /// pip `x402`.
    Py,
}

/// What goes wrong with the next `/settle`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It does nothing and never answers.
    HangBefore,
    /// It settles and never answers.
    HangAfter,
    /// It settles and cuts the connection.
    CutAfter,
    /// It settles, and what stands before it answers 502.
    BadGatewayAfter,
}

/// How long facilitators wait for a block here, milliseconds.
pub const CONFIRMATION_MS: u32 = 1_500;

/// A facilitator.
pub struct Facilitator {
    process: Kept,
    /// The account that pays for its transactions.
    pub address: &'static str,
}

/// Keys and addresses of anvil's own accounts, which have all the gas money there is.
const ACCOUNTS: [(&str, &str); 4] = [
    (
        "0x59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d",
        "0x70997970C51812dc3A010C7d01b50e0d17dc79C8",
    ),
    (
        "0x5de4111afa1a4b94908f83103eb1f1706367c2e68ca870fc3fb9a804cdab365a",
        "0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC",
    ),
    (
        "0x7c852118294e51e653712a81e05800f419141751be58f605c371e15141b007a6",
        "0x90F79bf6EB2c4f870365E785982E1f101E93b906",
    ),
    (
        "0x47e179ec197488593b187f80a00eb0da91f1b9d0b13f8733639f19c30a34926a",
        "0x15d34AAf54267DB7D7c367839AAf71A00a2C6A65",
    ),
];

impl Facilitator {
    /// Starts one at a node, with an account of its own: the `number`th there is.
    pub(super) async fn start(kind: Kind, node: &str, number: usize) -> Self {
        let (key, address) = ACCOUNTS[number];
        let (program, script) = match kind {
            Kind::Ts => ("node".into(), paths::client_script("chain/facilitator.mjs")),
            Kind::Py => (
                paths::python_x402(),
                paths::client_script("chain/facilitator.py"),
            ),
        };
        let script = script.to_str().expect("a path in UTF-8");
        let patience = CONFIRMATION_MS.to_string();
        let process = Kept::start(&program, &[script, node, key, &patience]).await;
        Self { process, address }
    }

    /// Its base URL.
    pub fn url(&self) -> String {
        self.process.url()
    }

    /// Has a payment of version 2 settled, as anybody who has seen it may: its answer.
    pub async fn settle(&self, payment: &Value) -> Value {
        let asked = json!({
            "x402Version": 2, "paymentPayload": payment, "paymentRequirements": payment["accepted"],
        });
        let (status, answer) = rpc::post(self.process.addr(), "/settle", &asked).await;
        assert_eq!(status, 200, "{answer}");
        answer
    }

    /// Has the next `/settle` go wrong.
    pub async fn fault(&self, fault: Fault) {
        let name = match fault {
            Fault::HangBefore => "hang-before",
            Fault::HangAfter => "hang-after",
            Fault::CutAfter => "cut-after",
            Fault::BadGatewayAfter => "bad-gateway-after",
        };
        let (status, _) = rpc::post(self.process.addr(), "/fault", &json!({ "fault": name })).await;
        assert_eq!(status, 200);
    }
}
