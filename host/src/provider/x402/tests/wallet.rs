//! A wallet that signs what it is told, and pays requirements as the official clients do.

use k256::ecdsa::SigningKey;
use serde_json::{Value, json};

use super::super::evm::address::hex;
use super::super::evm::{Address, Domain, Transfer, signature};
use super::NOW_S;

/// A wallet.
pub(super) struct Wallet(SigningKey);

impl Wallet {
    /// The wallet of a number.
    pub(super) fn of(number: u8) -> Self {
        Self(SigningKey::from_slice(&[number; 32]).unwrap())
    }

    pub(super) fn address(&self) -> Address {
        signature::address_of(self.0.verifying_key())
    }

    /// 65 bytes over a hash.
    pub(super) fn sign(&self, digest: &[u8; 32]) -> [u8; 65] {
        let (pair, id) = self.0.sign_prehash_recoverable(digest);
        let mut bytes = [0; 65];
        bytes[..64].copy_from_slice(&pair.to_bytes());
        bytes[64] = 27 + id.to_byte();
        bytes
    }

    /// A transfer of what is required, to whom it is required for.
    pub(super) fn transfer(&self, requirement: &Value, nonce: u8) -> Transfer {
        let text = |key: &str| requirement[key].as_str();
        let amount = text("amount").or(text("maxAmountRequired")).unwrap();
        let valid_s = requirement["maxTimeoutSeconds"].as_i64().unwrap();
        Transfer {
            from: self.address(),
            to: text("payTo").unwrap().parse().unwrap(),
            value: amount.parse().unwrap(),
            valid_after: 0.into(),
            valid_before: u128::try_from(NOW_S + valid_s).unwrap().into(),
            nonce: [nonce; 32],
        }
    }

    /// A payload of version 2 that pays what is required.
    pub(super) fn pay(&self, requirement: &Value, nonce: u8) -> Value {
        let transfer = self.transfer(requirement, nonce);
        self.payload(requirement, &transfer)
    }

    /// The same of version 1.
    pub(super) fn pay_v1(&self, requirement: &Value, nonce: u8) -> Value {
        let transfer = self.transfer(requirement, nonce);
        json!({
            "x402Version": 1, "scheme": "exact", "network": requirement["network"],
            "payload": self.signed(requirement, &transfer),
        })
    }

    /// A payload of version 2 with this transfer.
    pub(super) fn payload(&self, requirement: &Value, transfer: &Transfer) -> Value {
        json!({
            "x402Version": 2,
            "accepted": requirement,
            "payload": self.signed(requirement, transfer),
        })
    }

    fn signed(&self, requirement: &Value, transfer: &Transfer) -> Value {
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let domain = Domain {
            name: text(&requirement["extra"]["name"]),
            version: text(&requirement["extra"]["version"]),
            chain_id: 84_532,
            contract: requirement["asset"].as_str().unwrap().parse().unwrap(),
        };
        let signature = self.sign(&transfer.digest(&domain));
        json!({
            "signature": hex(&signature),
            "authorization": {
                "from": transfer.from.checksummed(),
                "to": transfer.to.checksummed(),
                "value": transfer.value.to_string(),
                "validAfter": transfer.valid_after.to_string(),
                "validBefore": transfer.valid_before.to_string(),
                "nonce": hex(&transfer.nonce),
            },
        })
    }
}
