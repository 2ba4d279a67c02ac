//! Rails on which the caller brings the payment with the call: x402 and the Machine Payments Protocol.
//!
//! An account with a rail states what may be paid, checks what is presented without taking anything, and later takes what
//! was reserved by [`super::Provider::settle`]. It knows nothing of MCP or HTTP: challenges and credentials are JSON of
//! its protocol, and whoever serves carries them.

use coinop_core::Millis;
use coinop_core::digest::Digest;
use coinop_core::money::Money;
use coinop_core::payment::Payment;
use coinop_core::principal::Principal;
use futures::future::BoxFuture;
use serde_json::Value;

use super::ProviderError;

/// Longest credential that is looked at, bytes of JSON.
pub const CREDENTIAL_BYTES_MAX: usize = 64 << 10;

/// The protocols by which callers pay themselves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Protocol {
    /// x402, versions 1 and 2.
    X402,
    /// The Machine Payments Protocol.
    Mpp,
}

/// One call as it is offered: everything that a payment for it is bound to.
#[derive(Clone, Debug)]
pub struct Offer {
    /// The tool's published name.
    pub tool: String,
    /// The tool's description, for the payer.
    pub description: String,
    /// The component that will run.
    pub component: Digest,
    /// Digest of the canonical arguments.
    pub arguments: Digest,
    /// What it costs.
    pub price: Money,
    /// The account's name.
    pub account: String,
    /// Where the tool is reached: an absolute URL, for the payer's records.
    pub resource: String,
    /// The time.
    pub now: Millis,
    /// Until when it stands.
    pub expires_at: Millis,
    /// What challenges are sealed with, the latest first; those before it are still believed. Shared by the hosts of the
    /// ledger.
    pub secrets: Vec<Vec<u8>>,
}

/// What may be paid for an offer, in the words of its protocol.
#[derive(Clone, Debug, PartialEq)]
pub enum Challenge {
    /// x402.
    X402 {
        /// `PaymentRequired` of version 2.
        v2: Value,
        /// The same of version 1, where the offer can be said in it.
        v1: Option<Value>,
    },
    /// MPP: challenges with their ids, `request` as native JSON.
    Mpp(Vec<Value>),
}

/// What a caller presents as payment: decoded, bounded, and not believed yet.
#[derive(Clone, Debug, PartialEq)]
pub struct Credential {
    /// By which protocol.
    pub protocol: Protocol,
    /// An x402 `PaymentPayload`, or an MPP credential with its echoed challenge.
    pub json: Value,
}

/// A credential that holds for its offer.
#[derive(Clone, Debug, PartialEq)]
pub struct Verified {
    /// The one name of this payment at the provider: presented again, it means the same purchase. At most 255 bytes.
    pub reference: String,
    /// The wallet that signed; anonymous where the protocol names none.
    pub payer: Principal,
    /// Whether its money is here already, or reserved by the signature and taken by [`super::Provider::settle`].
    pub funds: Funds,
    /// What the provider needs to take it: kept with the call, given back as [`super::PaymentRef::credential`].
    pub keep: String,
    /// Until when it can be taken.
    pub valid_until: Millis,
}

/// Where the money of a credential is.
#[derive(Clone, Debug, PartialEq)]
pub enum Funds {
    /// Promised by a signature: to be settled.
    Reserved(Money),
    /// Received; with the provider's proof.
    Received {
        /// How much: what was asked for the call when it was paid, which is what the call costs.
        money: Money,
        /// The proof, JSON of the provider's own.
        proof: String,
    },
}

/// Why a credential buys nothing. Nothing was taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Rejected {
    /// It does not hold for this offer. Paying again, properly, is right.
    #[error("{message} ({code})")]
    Invalid {
        /// The protocol's own word, such as `invalid_exact_evm_payload_signature`.
        code: String,
        /// For people.
        message: String,
    },
    /// Whether it holds cannot be told now. Paying again would be wrong: present it again.
    #[error("the payment cannot be checked at the moment: {0}")]
    Unavailable(String),
}

/// What a payer gets as proof with the result, in the protocol's own form.
#[derive(Clone, Debug, PartialEq)]
pub struct RailReceipt {
    /// By which protocol it was paid.
    pub protocol: Protocol,
    /// An x402 settlement response, or an MPP receipt.
    pub json: Value,
}

/// An account that callers pay themselves.
pub trait Rail: Send + Sync {
    /// Its protocol.
    fn protocol(&self) -> Protocol;

    /// What may be paid for `offer`. Nothing is recorded: an offer is found again by what is sealed in its challenge.
    fn challenge<'a>(&'a self, offer: &'a Offer)
    -> BoxFuture<'a, Result<Challenge, ProviderError>>;

    /// Whether `credential` is of this account's making: an answer to one of its challenges, by method and network.
    /// Several accounts may serve one protocol.
    fn recognizes(&self, credential: &Credential) -> bool;

    /// The payment's name at the provider, read from a credential without checking it: to find what it already bought,
    /// before anything else is asked. `None` where it cannot be read.
    fn reference(&self, credential: &Credential) -> Option<String>;

    /// The name that a payer gave its purchase, which it repeats with the same payload only: another payment under it is a
    /// mistake. `None` where the protocol has none, or the payer gave none.
    fn identifier(&self, _credential: &Credential) -> Option<String> {
        None
    }

    /// Checks a credential against the offer, without taking anything.
    fn verify<'a>(
        &'a self,
        offer: &'a Offer,
        credential: &'a Credential,
    ) -> BoxFuture<'a, Result<Verified, Rejected>>;

    /// What the payer gets with the result, once `payment` is made. From what is kept of it.
    fn receipt(&self, payment: &Payment) -> Option<RailReceipt>;
}
