//! A payer: signs what is required, as the official clients do.

use coinop::provider::x402::evm::address::hex;
use coinop::provider::x402::evm::{Address, Domain, Transfer, Uint, signature};
use k256::ecdsa::SigningKey;
use serde_json::{Value, json};

use super::abi;

/// A wallet.
#[derive(Clone)]
pub struct Wallet(SigningKey);

impl Wallet {
    /// The wallet of a number.
    pub fn of(number: u8) -> Self {
        Self(SigningKey::from_slice(&[number; 32]).expect("a key"))
    }

    /// Its private key, as `0x` and hex: for clients in other languages.
    pub fn key(&self) -> String {
        hex(&self.0.to_bytes())
    }

    /// Its address.
    pub fn address(&self) -> Address {
        signature::address_of(self.0.verifying_key())
    }

    /// The transfer that a requirement of version 2 asks for, valid from ever until `valid_before_s`.
    pub fn transfer(&self, requirement: &Value, nonce: [u8; 32], valid_before_s: i64) -> Transfer {
        let text = |key: &str| requirement[key].as_str().expect("a requirement");
        Transfer {
            from: self.address(),
            to: text("payTo").parse().expect("an address"),
            value: text("amount").parse().expect("a number"),
            valid_after: Uint::from(0),
            valid_before: u128::try_from(valid_before_s).expect("a time").into(),
            nonce,
        }
    }

    /// A payload of version 2 that pays it.
    pub fn pay(&self, requirement: &Value, transfer: &Transfer) -> Value {
        let domain = domain();
        let signature = self.sign(&transfer.digest(&domain));
        json!({
            "x402Version": 2,
            "accepted": requirement,
            "payload": {
                "signature": hex(&signature),
                "authorization": {
                    "from": transfer.from.checksummed(),
                    "to": transfer.to.checksummed(),
                    "value": transfer.value.to_string(),
                    "validAfter": transfer.valid_after.to_string(),
                    "validBefore": transfer.valid_before.to_string(),
                    "nonce": hex(&transfer.nonce),
                },
            },
        })
    }

    /// A call that cancels a nonce.
    pub fn cancel(&self, nonce: [u8; 32]) -> Vec<u8> {
        let digest = abi::cancel_digest(&domain().separator(), self.address(), nonce);
        abi::cancel_authorization(self.address(), nonce, &self.sign(&digest))
    }

    fn sign(&self, digest: &[u8; 32]) -> [u8; 65] {
        let (pair, id) = self.0.sign_prehash_recoverable(digest);
        let mut bytes = [0; 65];
        bytes[..64].copy_from_slice(&pair.to_bytes());
        bytes[64] = 27 + id.to_byte();
        bytes
    }
}

/// What payers of the test token sign for.
fn domain() -> Domain {
    Domain {
        name: "USDC".to_owned(),
        version: "2".to_owned(),
        chain_id: super::CHAIN_ID,
        contract: abi::TOKEN.parse().expect("an address"),
    }
}
