//! The operator's node: asked for invoices by LNbits' API, which other software speaks too.

use std::time::Duration;

use coinop_core::Millis;
use serde::Deserialize;
use serde_json::json;

use super::bolt11::Bolt11;
use super::unpaid::Invoice;
use super::{Network, Settings};
use crate::config::Secret;
use crate::outbound;
use crate::provider::ProviderError;
use crate::provider::mpp::answer::{bounded_json, silence};

/// Longest wait for an invoice: a caller waits for the challenge meanwhile.
pub(super) const WAIT: Duration = Duration::from_secs(5);

/// A node that makes invoices.
pub(super) struct Node {
    http: reqwest::Client,
    url: String,
    key: Secret,
    network: Network,
}

/// What LNbits answers: `bolt11` since version 1, `payment_request` before and in its likes.
#[derive(Deserialize)]
struct Made {
    #[serde(alias = "payment_request")]
    bolt11: String,
}

impl Node {
    pub(super) fn new(settings: &Settings) -> Result<Self, String> {
        let url = settings.invoices.url.trim_end_matches('/');
        Ok(Self {
            http: outbound::client(WAIT)?,
            url: format!("{url}/api/v1/payments"),
            key: settings.invoices.key.clone(),
            network: settings.network,
        })
    }

    /// Has an invoice made that can be paid until `expires_at`.
    ///
    /// # Errors
    /// The node does not answer, or makes another invoice than it was asked for.
    pub(super) async fn invoice(
        &self,
        sat: u64,
        memo: &str,
        now: Millis,
        expires_at: Millis,
    ) -> Result<Invoice, ProviderError> {
        let expiry_s = (expires_at - now).max(0) / 1000;
        let request = self
            .http
            .post(&self.url)
            .header("x-api-key", self.key.expose())
            .json(&json!({ "out": false, "amount": sat, "unit": "sat", "memo": memo, "expiry": expiry_s }));
        let answer = request.send().await.map_err(silence)?;
        if !answer.status().is_success() {
            let status = answer.status();
            return Err(ProviderError::Unreachable(format!(
                "the node makes no invoice: {status}"
            )));
        }
        let made: Made = bounded_json(answer).await?;
        let invoice = Bolt11::read(&made.bolt11).filter(|invoice| {
            self.network.currency() == invoice.currency && invoice.msat == sat.checked_mul(1000)
        });
        let invoice = invoice.ok_or_else(|| {
            let network = self.network.name();
            ProviderError::Refused(format!(
                "the node made no invoice of {sat} sat on {network}"
            ))
        })?;
        Ok(Invoice {
            text: made.bolt11,
            payment_hash: invoice.payment_hash,
            // Neither later than it was asked for nor than the invoice says.
            expires_at: invoice.expires_at.min(expires_at),
        })
    }
}
