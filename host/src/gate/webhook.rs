//! The gate as providers see it: a webhook that is verified makes us ask the provider at once, and nothing more. What
//! counts is its record, so forged, replayed, duplicated, reordered and lost webhooks all come to the same.

use futures::future::BoxFuture;

use super::Gate;
use super::drive::{Drive, Purpose};
use crate::failpoint::failpoint;
use crate::ledger::CallKey;
use crate::provider::{Provider, Webhook, WebhookError, WebhookNotice};

/// Longest id of an event and longest reference that are looked up, bytes.
const ID_BYTES_MAX: usize = 255;

/// Hears what providers tell.
pub trait Notified: Send + Sync {
    /// Whether there is an account of this name whose provider sends webhooks.
    fn expects_webhooks(&self, account: &str) -> bool;

    /// Deals with a webhook that came for `account`: its headers by lower-case name, its body byte for byte.
    ///
    /// # Errors
    /// [`Unheard`]; nothing is noted then, so that the webhook can be sent again.
    fn webhook<'a>(
        &'a self,
        account: &'a str,
        headers: &'a [(String, String)],
        body: &'a [u8],
    ) -> BoxFuture<'a, Result<Heard, Unheard>>;
}

/// What came of a webhook that need not be sent again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Heard {
    /// The provider was asked, and what it said is on record.
    Looked,
    /// It was dealt with before.
    Before,
    /// It is about a payment of somebody else: others may share the account at the provider.
    NotOurs,
    /// It is genuine, and about nothing we know.
    NotUnderstood,
}

/// Why a webhook was not dealt with.
#[derive(Debug, thiserror::Error)]
pub enum Unheard {
    /// No such account, or its provider sends none.
    #[error("no account of this name expects webhooks")]
    Unexpected,
    /// The signature does not hold, or is not of this time.
    #[error("the signature does not hold")]
    Forged,
    /// The ledger or the provider did not help: it should be sent again.
    #[error("it cannot be dealt with at the moment: {0}")]
    NotNow(String),
}

impl Notified for Gate {
    fn expects_webhooks(&self, account: &str) -> bool {
        self.sender(account).is_ok()
    }

    fn webhook<'a>(
        &'a self,
        account: &'a str,
        headers: &'a [(String, String)],
        body: &'a [u8],
    ) -> BoxFuture<'a, Result<Heard, Unheard>> {
        Box::pin(async move {
            let webhook = Webhook {
                headers,
                body,
                now: self.parts.clock.now(),
            };
            // First of all, so that a flood of forged ones costs neither the ledger nor the provider anything.
            let verified = self.sender(account)?.verify_webhook(webhook).await;
            match verified {
                Ok(notice) if is_bounded(&notice) => self.hear(account, notice).await,
                Ok(_) | Err(WebhookError::Content) => Ok(Heard::NotUnderstood),
                Err(WebhookError::Signature) => Err(Unheard::Forged),
                Err(WebhookError::Unsupported) => Err(Unheard::Unexpected),
                Err(WebhookError::Unavailable(reason)) => Err(Unheard::NotNow(reason)),
            }
        })
    }
}

impl Gate {
    fn sender(&self, account: &str) -> Result<&dyn Provider, Unheard> {
        let provider = self.account(account).map(AsRef::as_ref);
        provider
            .filter(|provider| provider.capabilities().webhooks)
            .ok_or(Unheard::Unexpected)
    }

    /// Deals with a verified webhook. It is noted last: whoever dies before is told again.
    async fn hear(&self, account: &str, notice: WebhookNotice) -> Result<Heard, Unheard> {
        let ledger = &self.parts.ledger;
        let (account, event_id) = (account.to_owned(), notice.event_id);
        let seen = ledger.webhook_seen(account.clone(), event_id.clone());
        if seen.await.map_err(not_now)? {
            return Ok(Heard::Before);
        }
        let key = CallKey::Reference {
            account: account.clone(),
            reference: notice.reference,
        };
        let heard = match ledger.find(key).await.map_err(not_now)? {
            Some(record) => {
                let drive = Drive::new(self, record, Purpose::Told);
                drive.rest().await.map_err(not_now)?;
                Heard::Looked
            }
            // Or ours, and its reference is not committed yet: then polling finds what this told.
            None => Heard::NotOurs,
        };
        failpoint("before-webhook-note");
        let at = self.parts.clock.now();
        let noted = ledger.note_webhook(account, event_id, at);
        noted.await.map_err(not_now)?;
        Ok(heard)
    }
}

fn is_bounded(notice: &WebhookNotice) -> bool {
    let bounded = |text: &str| !text.is_empty() && text.len() <= ID_BYTES_MAX;
    bounded(&notice.event_id) && bounded(&notice.reference)
}

fn not_now(error: impl std::fmt::Display) -> Unheard {
    Unheard::NotNow(error.to_string())
}
