//! What clients present: `PaymentPayload` of both versions, read and not believed.

use data_encoding::BASE64;
use serde::Deserialize;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::evm::{Address, Transfer, Uint, address};
use super::reason::Reason;

/// A version of x402.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    /// Networks have names, requirements are not echoed.
    V1,
    /// Networks by CAIP-2; the chosen requirement is echoed as `accepted`.
    V2,
}

/// The outside of a payload.
#[derive(Clone, Copy, Debug)]
pub struct Envelope<'a> {
    /// Which version it is of.
    pub version: Version,
    /// How it pays.
    pub scheme: &'a str,
    /// Where.
    pub network: &'a str,
    /// In which asset; version 1 does not say.
    pub asset: Option<&'a str>,
    /// The challenge that is echoed; version 1 has no place for it.
    pub challenge: Option<&'a str>,
    /// What is signed.
    inner: &'a Value,
}

/// What is signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Signed {
    /// EIP-3009: a transfer, and the payer's signature.
    Eip3009(Transfer, String),
    /// Permit2.
    Permit2(Permit),
    /// A Solana transaction that a facilitator completes: the digest of its message.
    Transaction([u8; 32]),
}

/// What a Permit2 payment permits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Permit {
    /// Who pays.
    pub from: Address,
    /// In which token.
    pub token: Address,
    /// How much, in base units.
    pub amount: Uint,
    /// Who may take it.
    pub spender: Address,
    /// The permit's own name, used once for each payer.
    pub nonce: Uint,
    /// Holds until then, seconds since the Unix epoch.
    pub deadline: Uint,
    /// Who is paid.
    pub to: Address,
    /// Holds from then on.
    pub valid_after: Uint,
}

impl<'a> Envelope<'a> {
    /// Takes a payload apart.
    ///
    /// # Errors
    /// [`Reason::Version`] or [`Reason::Payload`].
    pub fn read(json: &'a Value) -> Result<Self, Reason> {
        let (version, chosen) = match json["x402Version"].as_u64() {
            Some(1) => (Version::V1, json),
            Some(2) => (Version::V2, &json["accepted"]),
            _ => return Err(Reason::Version),
        };
        let text = |key: &str| chosen[key].as_str();
        let echoed = |text: Option<&'a str>| text.filter(|_| version == Version::V2);
        Ok(Self {
            version,
            scheme: text("scheme").ok_or(Reason::Payload("no scheme"))?,
            network: text("network").ok_or(Reason::Payload("no network"))?,
            asset: echoed(text("asset")),
            challenge: echoed(chosen["extra"]["challengeId"].as_str()),
            inner: &json["payload"],
        })
    }

    /// Reads what is signed.
    ///
    /// # Errors
    /// [`Reason::Payload`].
    pub fn signed(&self) -> Result<Signed, Reason> {
        let part = |key: &str| self.inner.get(key).filter(|value| !value.is_null());
        if let Some(authorization) = part("authorization") {
            let transfer = read::<RawTransfer>(authorization)?.transfer()?;
            let signature = part("signature").and_then(Value::as_str);
            let signature = signature.ok_or(Reason::Payload("no signature"))?;
            return Ok(Signed::Eip3009(transfer, signature.to_owned()));
        }
        if let Some(permit) = part("permit2Authorization") {
            return Ok(Signed::Permit2(read::<RawPermit>(permit)?.permit()?));
        }
        let transaction = part("transaction").and_then(Value::as_str);
        let transaction = transaction.ok_or(Reason::Payload("nothing signed"))?;
        message_digest(transaction)
            .map(Signed::Transaction)
            .ok_or(Reason::Payload("no Solana transaction"))
    }
}

/// The id by which a payer names its purchase, by the extension `payment-identifier`.
pub fn identifier(json: &Value) -> Option<&str> {
    let id = json["extensions"]["payment-identifier"]["info"]["id"].as_str()?;
    let known = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-');
    ((16..=128).contains(&id.len()) && id.bytes().all(known)).then_some(id)
}

fn read<'a, T: Deserialize<'a>>(value: &'a Value) -> Result<T, Reason> {
    T::deserialize(value).map_err(|_| Reason::Payload("a field is missing or not a text"))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawTransfer<'a> {
    from: &'a str,
    to: &'a str,
    value: &'a str,
    valid_after: &'a str,
    valid_before: &'a str,
    nonce: &'a str,
}

impl RawTransfer<'_> {
    fn transfer(&self) -> Result<Transfer, Reason> {
        Ok(Transfer {
            from: wallet(self.from)?,
            to: wallet(self.to)?,
            value: number(self.value)?,
            valid_after: number(self.valid_after)?,
            valid_before: number(self.valid_before)?,
            nonce: address::bytes(self.nonce).ok_or(Reason::Payload("nonce is not 32 bytes"))?,
        })
    }
}

#[derive(Deserialize)]
struct RawPermit<'a> {
    from: &'a str,
    #[serde(borrow)]
    permitted: RawPermitted<'a>,
    spender: &'a str,
    nonce: &'a str,
    deadline: &'a str,
    #[serde(borrow)]
    witness: RawWitness<'a>,
}

#[derive(Deserialize)]
struct RawPermitted<'a> {
    token: &'a str,
    amount: &'a str,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawWitness<'a> {
    to: &'a str,
    valid_after: &'a str,
}

impl RawPermit<'_> {
    fn permit(&self) -> Result<Permit, Reason> {
        Ok(Permit {
            from: wallet(self.from)?,
            token: wallet(self.permitted.token)?,
            amount: number(self.permitted.amount)?,
            spender: wallet(self.spender)?,
            nonce: number(self.nonce)?,
            deadline: number(self.deadline)?,
            to: wallet(self.witness.to)?,
            valid_after: number(self.witness.valid_after)?,
        })
    }
}

fn wallet(text: &str) -> Result<Address, Reason> {
    text.parse().map_err(|_| Reason::Payload("not an address"))
}

fn number(text: &str) -> Result<Uint, Reason> {
    text.parse()
        .map_err(|_| Reason::Payload("not a decimal number"))
}

/// The digest of a transaction's message. Its signatures come before it and one of them is still to be made, so that the
/// bytes of the whole could differ for one payment; the message cannot.
fn message_digest(base64: &str) -> Option<[u8; 32]> {
    let bytes = BASE64.decode(base64.as_bytes()).ok()?;
    let (count, rest) = bytes.split_first()?;
    let signatures = Some(usize::from(*count)).filter(|n| (1..128).contains(n))?;
    let message = rest.get(64 * signatures..).filter(|m| !m.is_empty())?;
    Some(Sha256::digest(message).into())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn digest_of(signatures: u8, message: &[u8], count: u8) -> Option<[u8; 32]> {
        let mut bytes = vec![count];
        bytes.extend([signatures].repeat(64 * usize::from(count)));
        bytes.extend(message);
        message_digest(&BASE64.encode(&bytes))
    }

    #[test]
    fn a_solana_payment_has_one_name_whatever_stands_in_its_open_signatures() {
        let name = digest_of(0, b"message", 2);
        assert!(name.is_some());
        assert_eq!(name, digest_of(9, b"message", 2));
        assert_ne!(name, digest_of(0, b"another", 2));
        assert_eq!(digest_of(0, b"", 2), None);
        assert_eq!(message_digest(""), None);
        assert_eq!(message_digest(&BASE64.encode(&[2, 0, 0])), None);
    }

    #[test]
    fn an_identifier_is_of_its_form() {
        let with = |id: Value| json!({"extensions": {"payment-identifier": {"info": {"id": id}}}});
        assert_eq!(
            identifier(&with(json!("pay_0123456789ab"))),
            Some("pay_0123456789ab")
        );
        for bad in [
            json!("short"),
            json!("x".repeat(129)),
            json!("has a space here"),
            json!(7),
        ] {
            assert_eq!(identifier(&with(bad)), None);
        }
        assert_eq!(identifier(&json!({})), None);
    }

    #[test]
    fn junk_of_every_shape_is_refused() {
        for junk in [
            json!(null),
            json!([]),
            json!("x"),
            json!({}),
            json!({"x402Version": "2"}),
            json!({"x402Version": 0}),
        ] {
            assert_eq!(Envelope::read(&junk).err(), Some(Reason::Version), "{junk}");
        }
        for junk in [
            json!({"x402Version": 2}),
            json!({"x402Version": 1, "scheme": 1}),
            json!({"x402Version": 2, "scheme": "exact", "network": "base"}),
        ] {
            assert!(
                matches!(Envelope::read(&junk), Err(Reason::Payload(_))),
                "{junk}"
            );
        }
        let with = |payload: Value| json!({"x402Version": 1, "scheme": "exact", "network": "base", "payload": payload});
        for junk in [
            json!(null),
            json!(7),
            json!([]),
            json!({"authorization": []}),
            json!({"authorization": {"from": 1}}),
            json!({"permit2Authorization": {}}),
            json!({"transaction": 1}),
        ] {
            let payload = with(junk);
            let read = Envelope::read(&payload).unwrap().signed();
            assert!(matches!(read, Err(Reason::Payload(_))), "{payload}");
        }
    }
}
