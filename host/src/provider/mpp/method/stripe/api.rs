//! Stripe's API, as far as charging shared payment tokens needs it. What its answers mean is decided here; nothing else.

use std::time::Duration;

use reqwest::StatusCode;
use serde::Deserialize;
use serde_json::Value;

use crate::config::Secret;
use crate::outbound;
use crate::provider::ProviderError;
use crate::provider::mpp::answer::{bounded_json, silence};

/// The version whose PaymentIntents take shared payment tokens; both official MPP servers send it.
const API_VERSION: &str = "2026-07-29.preview";
/// Longest wait for one answer: Stripe waits for the card's bank.
pub(super) const WAIT: Duration = Duration::from_secs(60);

/// An account at Stripe.
pub(super) struct Api {
    http: reqwest::Client,
    base: String,
    key: Secret,
}

/// A PaymentIntent, as far as it is read.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub(super) struct Intent {
    pub(super) id: String,
    pub(super) status: String,
    #[serde(default)]
    pub(super) amount_received: i64,
    #[serde(default)]
    pub(super) currency: String,
}

/// A refund, as far as it is read.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub(super) struct MadeRefund {
    #[serde(default)]
    pub(super) status: String,
    #[serde(default)]
    pub(super) metadata: Value,
}

/// A list of things.
#[derive(Debug, Deserialize)]
pub(super) struct List<T> {
    pub(super) data: Vec<T>,
}

/// What became of a request that has an effect.
#[derive(Debug, PartialEq)]
pub(super) enum Posted<T> {
    /// Stripe did it.
    Done(T),
    /// Stripe refused, and says so again if asked again: nothing happened.
    Refused(String),
}

/// How Stripe says no.
#[derive(Deserialize)]
struct Refusal {
    error: RefusalError,
}

#[derive(Deserialize)]
struct RefusalError {
    #[serde(rename = "type", default)]
    kind: String,
    #[serde(default)]
    code: Option<String>,
    #[serde(default)]
    decline_code: Option<String>,
}

impl Api {
    pub(super) fn new(base: &str, key: Secret) -> Result<Self, String> {
        Ok(Self {
            http: outbound::client(WAIT)?,
            base: base.trim_end_matches('/').to_owned(),
            key,
        })
    }

    /// Has something done once for a key.
    ///
    /// # Errors
    /// Whether it was done is unknown, or it was not done and may be asked for again.
    pub(super) async fn post<T: for<'de> Deserialize<'de>>(
        &self,
        path: &str,
        key: &str,
        form: &[(String, String)],
    ) -> Result<Posted<T>, ProviderError> {
        let request = self.request(self.http.post(self.url(path)));
        let request = request.header("idempotency-key", key).form(form);
        let answer = request.send().await.map_err(silence)?;
        let status = answer.status();
        if status.is_success() {
            return Ok(Posted::Done(bounded_json(answer).await?));
        }
        let refusal: Refusal = bounded_json(answer).await?;
        meaning(status, &refusal.error).map(Posted::Refused)
    }

    /// Reads something.
    pub(super) async fn get<T: for<'de> Deserialize<'de>>(
        &self,
        path: &str,
        query: &[(&str, &str)],
    ) -> Result<T, ProviderError> {
        let url = reqwest::Url::parse_with_params(&self.url(path), query)
            .map_err(|_| ProviderError::Refused("the address of the API is wrong".into()))?;
        let answer = self.request(self.http.get(url)).send().await;
        let answer = answer.map_err(silence)?;
        match answer.status() {
            status if status.is_success() => bounded_json(answer).await,
            status => Err(ProviderError::Unreachable(format!(
                "Stripe answered {status}"
            ))),
        }
    }

    fn request(&self, request: reqwest::RequestBuilder) -> reqwest::RequestBuilder {
        request
            .bearer_auth(self.key.expose())
            .header("stripe-version", API_VERSION)
    }

    fn url(&self, path: &str) -> String {
        format!("{}/v1/{path}", self.base)
    }
}

/// Whether a refusal is final: a card that was declined, a token that is spent. Our own mistakes (a wrong key, a clash of
/// keys) and Stripe's troubles are not: what was asked may be done yet, or have been done.
fn meaning(status: StatusCode, error: &RefusalError) -> Result<String, ProviderError> {
    let code = error.decline_code.as_ref().or(error.code.as_ref());
    let reason = code.map_or(error.kind.as_str(), String::as_str).to_owned();
    match (status.as_u16(), error.kind.as_str()) {
        (409 | 429, _) => Err(ProviderError::Busy(reason)),
        (_, "card_error") | (400 | 402 | 404, "invalid_request_error") => Ok(reason),
        _ => Err(ProviderError::Unreachable(format!(
            "Stripe answered {status}: {reason}"
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn final_no(status: u16, kind: &str) -> Option<bool> {
        let error = RefusalError {
            kind: kind.to_owned(),
            code: None,
            decline_code: None,
        };
        match meaning(StatusCode::from_u16(status).unwrap(), &error) {
            Ok(_) => Some(true),
            Err(ProviderError::Busy(_)) => None,
            Err(_) => Some(false),
        }
    }

    #[test]
    fn only_what_cannot_change_is_final() {
        assert_eq!(final_no(402, "card_error"), Some(true));
        assert_eq!(final_no(400, "invalid_request_error"), Some(true));
        assert_eq!(final_no(400, "idempotency_error"), Some(false));
        assert_eq!(final_no(401, "invalid_request_error"), Some(false));
        assert_eq!(final_no(403, "invalid_request_error"), Some(false));
        assert_eq!(final_no(500, "api_error"), Some(false));
        assert_eq!(final_no(409, "invalid_request_error"), None);
        assert_eq!(final_no(429, "rate_limit_error"), None);
    }
}
