//! Reading what others answer over HTTP: bounded, and told apart from silence.

use serde::de::DeserializeOwned;

use crate::outbound;
use crate::provider::ProviderError;

/// Largest answer that is read, bytes.
const ANSWER_BYTES_MAX: usize = 256 << 10;

/// No answer. The address may carry a key, so it is not repeated.
pub(super) fn silence(error: reqwest::Error) -> ProviderError {
    ProviderError::Unreachable(error.without_url().to_string())
}

/// The answer's JSON.
///
/// # Errors
/// Unreachable: too large, cut, or not understood. What was asked may have been done.
pub(super) async fn bounded_json<T: DeserializeOwned>(
    answer: reqwest::Response,
) -> Result<T, ProviderError> {
    let body = outbound::body(answer, ANSWER_BYTES_MAX).await;
    let body = body.map_err(|unread| ProviderError::Unreachable(unread.to_string()))?;
    serde_json::from_slice(&body)
        .map_err(|_| ProviderError::Unreachable("the answer is not understood".into()))
}
