//! The ways of paying: each states its terms, checks what is presented, and takes it where it is not taken yet.

pub(super) mod evm;
pub(super) mod lightning;
pub(super) mod stripe;

use std::time::Duration;

use coinop_core::Millis;
use coinop_core::money::Money;
use futures::future::BoxFuture;
use serde_json::Value;

use super::challenge::{Echo, Terms};
use crate::provider::rail::{Offer, Rejected, Verified};
use crate::provider::{
    NotChargeable, PaymentRef, ProviderError, Refund, Refunded, Settled, Standing,
};

/// What is presented: its challenge is ours and is for this offer.
pub(super) struct Presented<'a> {
    pub(super) offer: &'a Offer,
    pub(super) echo: &'a Echo,
    pub(super) payload: &'a Value,
    /// Until when the challenge could be paid.
    pub(super) expires_at: Millis,
}

/// One way of paying.
pub(super) trait Method: Send + Sync {
    /// Its name in the protocol.
    fn name(&self) -> &'static str;

    /// Whether its money is pretended.
    fn is_test(&self) -> bool;

    /// Whether its money is reserved first and taken by [`Method::settle`].
    fn authorizes(&self) -> bool;

    /// Whether it can send money back.
    fn refunds(&self) -> bool {
        false
    }

    /// What all references of its payments begin with.
    fn owns(&self, reference: &str) -> bool;

    /// Longest wait for one answer.
    fn timeout(&self) -> Duration;

    /// How long after its time a credential is still believed, because its money may have moved in time, milliseconds.
    fn grace_ms(&self) -> Millis {
        0
    }

    /// Whether it can charge `price` exactly.
    fn chargeable(&self, price: &Money) -> Result<(), NotChargeable>;

    /// What it asks for.
    fn terms<'a>(&'a self, offer: &'a Offer) -> BoxFuture<'a, Result<Terms, ProviderError>>;

    /// The payment's one name, where the payload is at least of somebody who holds the challenge's secret or the
    /// payment's. A name that anybody can read off a chain or an invoice would let strangers fetch what others bought.
    fn reference(&self, echo: &Echo, payload: &Value) -> Option<String>;

    /// Checks what is presented, without taking anything.
    fn verify<'a>(&'a self, presented: Presented<'a>) -> BoxFuture<'a, Result<Verified, Rejected>>;

    /// How a payment stands.
    fn status<'a>(
        &'a self,
        payment: &'a PaymentRef,
    ) -> BoxFuture<'a, Result<Standing, ProviderError>>;

    /// Gives up what is reserved, where nothing was settled.
    fn release<'a>(
        &'a self,
        payment: &'a PaymentRef,
    ) -> BoxFuture<'a, Result<Standing, ProviderError>>;

    /// Takes what is reserved.
    fn settle<'a>(
        &'a self,
        payment: &'a PaymentRef,
    ) -> BoxFuture<'a, Result<Settled, ProviderError>>;

    /// Sends money back; refused where there is no way back.
    fn refund<'a>(&'a self, _refund: &'a Refund) -> BoxFuture<'a, Result<Refunded, ProviderError>> {
        let reason = format!("{} has no way to send money back", self.name());
        Box::pin(async { Err(ProviderError::Refused(reason)) })
    }

    /// What became of a refund, `None` where there is none.
    fn refund_standing<'a>(
        &'a self,
        _refund: &'a Refund,
    ) -> BoxFuture<'a, Result<Option<Refunded>, ProviderError>> {
        Box::pin(async { Ok(None) })
    }
}
