//! Receipts: signed proof of what a payment bought, attached to every delivered outcome.
//!
//! A receipt is a JSON Web Signature (RFC 7515, compact form) over Ed25519 (RFC 8037) whose payload is [`Receipt`]: any
//! JOSE library verifies it offline against the ledger's key set. Receipts of one chain name the digest of the one
//! before, so that none can be taken out or put in without its absence being seen.

mod keys;

use data_encoding::BASE64URL_NOPAD;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::Millis;
use crate::call::Call;
use crate::digest::Digest;
use crate::ids::CallId;
pub use keys::{KeySet, PublicKey, SigningKey};

/// The member of a receipt's object that holds its compact form.
pub const JWS: &str = "jws";
/// Longest receipt that is read, bytes: names and references are short.
pub const RECEIPT_BYTES_MAX: usize = 16 << 10;

/// What a receipt says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    /// The ledger whose key signs.
    pub ledger: String,
    /// The chain within the ledger: one a host.
    pub chain: String,
    /// Its number in the chain, from 1 without gaps.
    pub number: u64,
    /// The digest of the receipt before it, in its compact form; absent in the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous: Option<Digest>,
    /// The call.
    pub call: CallId,
    /// The tool's published name.
    pub tool: String,
    /// The plugin it belongs to.
    pub plugin: String,
    /// SHA-256 of the component that ran.
    pub component: Digest,
    /// SHA-256 of the arguments in canonical JSON (RFC 8785).
    pub arguments: Digest,
    /// SHA-256 of the result's `content`, `structuredContent` and `isError` in canonical JSON (RFC 8785).
    pub result: Digest,
    /// The price, a decimal.
    pub amount: String,
    /// Its currency.
    pub currency: String,
    /// The part of it that came from the caller's balance, a decimal; absent when none did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from_balance: Option<String>,
    /// The provider's kind.
    pub provider: String,
    /// The provider account that was paid.
    pub account: String,
    /// The provider's reference of the payment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// When the call was quoted, milliseconds since the Unix epoch.
    pub quoted_at: Millis,
    /// When the outcome was stored and the money final, milliseconds since the Unix epoch.
    pub issued_at: Millis,
}

/// Where a chain stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chain {
    /// Its name.
    pub id: String,
    /// Receipts in it.
    pub count: u64,
    /// The digest of the last one.
    pub head: Option<Digest>,
}

impl Chain {
    /// An empty chain.
    pub fn new(id: String) -> Self {
        Self {
            id,
            count: 0,
            head: None,
        }
    }

    /// Issues the next receipt of this chain for a call that is being delivered, and moves the chain on.
    pub fn issue(
        &mut self,
        key: &SigningKey,
        ledger: &str,
        call: &Call,
        result: Digest,
        at: Millis,
    ) -> String {
        let quote = &call.quote;
        let credit = crate::money::Money {
            amount: call.credit,
            ..quote.price
        };
        let receipt = Receipt {
            ledger: ledger.to_owned(),
            chain: self.id.clone(),
            number: self.count + 1,
            previous: self.head,
            call: call.id.clone(),
            tool: quote.tool.clone(),
            plugin: quote.plugin.clone(),
            component: quote.component,
            arguments: quote.arguments,
            result,
            amount: quote.price.decimal(),
            currency: quote.price.currency.to_string(),
            from_balance: (!call.credit.is_zero()).then(|| credit.decimal()),
            provider: call.payment.provider.clone(),
            account: quote.account.clone(),
            reference: call.payment.reference.clone(),
            quoted_at: call.created_at,
            issued_at: at,
        };
        let text = key.sign(&receipt);
        self.count = receipt.number;
        self.head = Some(Digest::of(text.as_bytes()));
        text
    }
}

/// Why a text is not a receipt of the keys at hand.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReceiptError {
    /// Not a compact JWS with a receipt in it.
    #[error("not a receipt")]
    Malformed,
    /// Signed by a key that is not at hand.
    #[error("signed by the unknown key {0:?}")]
    UnknownKey(String),
    /// The signature is not the key's.
    #[error("the signature does not hold")]
    Signature,
    /// Not an Ed25519 public key.
    #[error("not an Ed25519 public key")]
    Key,
}

/// A receipt as clients are given it: the fields that are signed, and [`JWS`], the compact form that proves them. Nothing
/// is verified; of a text that is no receipt only the text is left.
pub fn object(text: &str) -> Map<String, Value> {
    let mut object = payload(text).unwrap_or_default();
    object.insert(JWS.to_owned(), text.into());
    object
}

fn payload(text: &str) -> Option<Map<String, Value>> {
    let payload = text.split('.').nth(1)?;
    serde_json::from_slice(&decoded(payload).ok()?).ok()
}

fn decoded(part: &str) -> Result<Vec<u8>, ReceiptError> {
    BASE64URL_NOPAD
        .decode(part.as_bytes())
        .map_err(|_| ReceiptError::Malformed)
}

fn malformed(_: serde_json::Error) -> ReceiptError {
    ReceiptError::Malformed
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::call::tests::call;

    fn key(seed: u8) -> SigningKey {
        SigningKey::from_secret(&[seed; 32])
    }

    fn keys(seeds: &[u8]) -> KeySet {
        seeds.iter().map(|seed| key(*seed).public()).collect()
    }

    fn issued(chain: &mut Chain, seed: u8) -> String {
        chain.issue(&key(seed), "ledger", &call(), Digest::of(b"result"), 7)
    }

    #[test]
    fn a_receipt_says_what_was_bought_and_names_the_one_before() {
        let mut chain = Chain::new("host".into());
        let (first, second) = (issued(&mut chain, 1), issued(&mut chain, 2));
        let (one, two) = (
            keys(&[1, 2]).verify(&first).unwrap(),
            keys(&[1, 2]).verify(&second).unwrap(),
        );
        assert_eq!((one.number, one.previous), (1, None));
        assert_eq!(
            (two.number, two.previous),
            (2, Some(Digest::of(first.as_bytes())))
        );
        assert_eq!(
            (one.amount.as_str(), one.currency.as_str()),
            ("0.003", "USD")
        );
        assert_eq!(one.result, Digest::of(b"result"));
        assert_eq!(one.call, call().id);
        assert_eq!(chain.head, Some(Digest::of(second.as_bytes())));
    }

    #[test]
    fn whatever_is_changed_is_noticed() {
        let text = issued(&mut Chain::new("host".into()), 1);
        let unknown = keys(&[2]).verify(&text).unwrap_err();
        assert_eq!(unknown, ReceiptError::UnknownKey(key(1).id().into()));
        let set = keys(&[1]);
        for at in 0..text.len() {
            let mut bytes = text.clone().into_bytes();
            bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(bytes).unwrap();
            assert!(set.verify(&changed).is_err(), "byte {at}");
        }
        for short in ["", "a", "a.b", "a.b.c", "..", "a.b.c.d"] {
            assert_eq!(set.verify(short), Err(ReceiptError::Malformed), "{short:?}");
        }
    }

    /// RFC 8037, appendix A: the key and its encoding.
    #[test]
    fn keys_are_written_as_the_standard_has_it() {
        let secret = BASE64URL_NOPAD
            .decode(b"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A")
            .unwrap();
        let key = SigningKey::from_secret(&secret.try_into().unwrap()).public();
        let jwk = key.to_jwk();
        assert_eq!(jwk["x"], "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo");
        assert_eq!(PublicKey::from_jwk(&jwk), Ok(key.clone()));
        let set = KeySet::from_iter([key]).to_jwks();
        assert!(!KeySet::from_jwks(&set).unwrap().is_empty());
    }
}
