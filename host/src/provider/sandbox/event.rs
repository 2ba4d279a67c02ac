//! What the sandbox's webhooks tell. Pure.

use std::fmt;
use std::str::FromStr;

use coinop_core::Millis;
use serde::Deserialize;
use serde_json::json;

use super::slip::{HoldEnd, SlipState};
use crate::provider::WebhookNotice;

/// Something that happened to a payment and that a webhook tells of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SlipEvent {
    /// Its own id.
    pub id: String,
    /// The account's name in the configuration: whose door the webhook goes to.
    pub account: String,
    /// What happened.
    pub kind: EventKind,
    /// The payment.
    pub reference: String,
    /// When.
    pub at: Millis,
}

impl SlipEvent {
    /// The webhook's body.
    pub fn body(&self) -> Vec<u8> {
        json!({
            "id": self.id,
            "type": self.kind.as_str(),
            "reference": self.reference,
            "created": self.at.div_euclid(1_000),
        })
        .to_string()
        .into_bytes()
    }
}

/// What a verified body is about; `None` for one that is not as [`SlipEvent::body`] writes it. What happened is not read:
/// the provider is asked.
pub fn notice(body: &[u8]) -> Option<WebhookNotice> {
    #[derive(Deserialize)]
    struct Body {
        id: String,
        reference: String,
    }
    let body: Body = serde_json::from_slice(body).ok()?;
    Some(WebhookNotice {
        event_id: body.id,
        reference: body.reference,
    })
}

/// What can happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventKind {
    /// Money was taken.
    Paid,
    /// Money was reserved.
    Reserved,
    /// The payer said no.
    Declined,
    /// Reserved money was given back.
    Released,
    /// Money went back.
    Refunded,
}

impl EventKind {
    const ALL: [Self; 5] = [
        Self::Paid,
        Self::Reserved,
        Self::Declined,
        Self::Released,
        Self::Refunded,
    ];

    /// The type in the webhook, and the word in the store.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Paid => "payment.paid",
            Self::Reserved => "payment.reserved",
            Self::Declined => "payment.declined",
            Self::Released => "payment.released",
            Self::Refunded => "payment.refunded",
        }
    }

    /// What a payer's decision is told as. What the host did itself, it is not told.
    pub fn of_decision(state: SlipState) -> Option<Self> {
        match state {
            SlipState::Paid => Some(Self::Paid),
            SlipState::Reserved => Some(Self::Reserved),
            SlipState::Declined => Some(Self::Declined),
            SlipState::Taken | SlipState::Released | SlipState::Canceled => None,
        }
    }

    /// What the end of a reservation is told as.
    pub fn of_end(end: HoldEnd) -> Self {
        match end {
            HoldEnd::Take => Self::Paid,
            HoldEnd::Release => Self::Released,
        }
    }
}

impl fmt::Display for EventKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Not a word for what can happen.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not what a webhook of the sandbox tells")]
pub struct UnknownEventKind(String);

impl FromStr for EventKind {
    type Err = UnknownEventKind;

    fn from_str(text: &str) -> Result<Self, UnknownEventKind> {
        Self::ALL
            .into_iter()
            .find(|kind| kind.as_str() == text)
            .ok_or_else(|| UnknownEventKind(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_reads_back_from_its_word() {
        for kind in EventKind::ALL {
            assert_eq!(kind.as_str().parse(), Ok(kind));
        }
        assert!("payment.lost".parse::<EventKind>().is_err());
    }

    #[test]
    fn a_body_tells_its_own_id_and_the_payment_and_nothing_that_redeems() {
        let event = SlipEvent {
            id: "evt_1".into(),
            account: "tips".into(),
            kind: EventKind::Declined,
            reference: "sbx_1".into(),
            at: 1_795_170_725_999,
        };
        let body = event.body();
        let text =
            r#"{"created":1795170725,"id":"evt_1","reference":"sbx_1","type":"payment.declined"}"#;
        let written: serde_json::Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(
            written,
            serde_json::from_str::<serde_json::Value>(text).unwrap()
        );
        let notice = notice(&body).unwrap();
        assert_eq!(
            (notice.event_id, notice.reference),
            ("evt_1".into(), "sbx_1".into())
        );
        for other in [
            &b""[..],
            b"{}",
            b"[]",
            br#"{"id":1,"reference":"x"}"#,
            b"\xff",
        ] {
            assert_eq!(super::notice(other), None);
        }
    }
}
