//! Payments that clients bring with the call: signs what an answer asks for, by x402 or by `evm/charge` of the Machine
//! Payments Protocol.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use coinop::provider::x402::evm::address::hex;
use coinop::provider::x402::evm::typed_data::keccak;
use serde_json::{Value, json};

use crate::answer::Answer;
use crate::chain::Wallet;
use crate::facilitator::NETWORK;

/// Whom payments of the tests are made out to.
pub const PAYEE: &str = "0x209693Bc6afc0C5328bA36FaF03C514EF312287C";
/// A cent in the token's base units.
pub const CENT: &str = "10000";
/// How long a signature holds: longer than a host of any test is late.
const VALID: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// The protocol by which a payment is brought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rail {
    /// x402 version 2, `exact` by EIP-3009.
    X402,
    /// The Machine Payments Protocol, `evm/charge`.
    Mpp,
}

/// A signed payment.
#[derive(Clone, Debug, PartialEq)]
pub struct Credential {
    /// The call's `_meta` that presents it.
    pub meta: Value,
    /// The nonce of its transfer, as `0x` and hex.
    pub nonce: String,
}

impl Rail {
    /// The account `till` of a host that is paid so, by way of this facilitator.
    pub fn account(self, facilitator: &str) -> String {
        let evm = format!(
            "network = \"{NETWORK}\"\npay_to = \"{PAYEE}\"\nfacilitator = \"{facilitator}\"\n"
        );
        match self {
            Self::X402 => format!("[accounts.till]\nkind = \"x402\"\n{evm}"),
            Self::Mpp => format!(
                "[accounts.till]\nkind = \"mpp\"\nrealm = \"tools.example.com\"\n[accounts.till.evm]\n{evm}"
            ),
        }
    }

    /// What an answer asks to be paid by this rail, `None` when it does not.
    pub fn asked(self, answer: &Answer) -> Option<Value> {
        let (result, error) = (&answer.0["result"], &answer.0["error"]["data"]);
        let places = match self {
            Self::X402 => [
                &result["structuredContent"]["accepts"],
                &error["x402"]["accepts"],
            ],
            Self::Mpp => [
                &result["_meta"]["org.paymentauth/payment-required"]["challenges"],
                &error["challenges"],
            ],
        };
        places.into_iter().find_map(|offers| offers.get(0).cloned())
    }

    /// Signs what was asked for: the same payment for the same offer.
    pub fn sign(self, asked: &Value, wallet: &Wallet) -> Credential {
        match self {
            Self::X402 => x402(asked, wallet),
            Self::Mpp => mpp(asked, wallet),
        }
    }
}

/// Whether an answer asks for a payment that would be brought with the call.
pub fn is_asked(answer: &Answer) -> bool {
    [Rail::X402, Rail::Mpp]
        .into_iter()
        .any(|rail| rail.asked(answer).is_some())
}

fn x402(requirement: &Value, wallet: &Wallet) -> Credential {
    let nonce = keccak(requirement.to_string().as_bytes());
    let transfer = wallet.transfer(requirement, nonce, valid_before_s());
    let payment = wallet.pay(requirement, &transfer);
    Credential {
        meta: json!({ "x402/payment": payment }),
        nonce: hex(&nonce),
    }
}

/// The nonce is the challenge's, so that a challenge can be paid once only.
fn mpp(challenge: &Value, wallet: &Wallet) -> Credential {
    let text = |key: &str| challenge[key].as_str().expect("a challenge");
    let nonce = keccak(format!("{}{}", text("id"), text("realm")).as_bytes());
    let requirement = json!({
        "payTo": challenge["request"]["recipient"],
        "amount": challenge["request"]["amount"],
    });
    let transfer = wallet.transfer(&requirement, nonce, valid_before_s());
    let signed = &wallet.pay(&requirement, &transfer)["payload"];
    let mut payload = signed["authorization"].clone();
    payload["type"] = json!("authorization");
    payload["signature"] = signed["signature"].clone();
    let credential = json!({ "challenge": challenge, "payload": payload });
    Credential {
        meta: json!({ "org.paymentauth/credential": credential }),
        nonce: hex(&nonce),
    }
}

fn valid_before_s() -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    let until = now.expect("after 1970") + VALID;
    i64::try_from(until.as_secs()).expect("a time")
}
