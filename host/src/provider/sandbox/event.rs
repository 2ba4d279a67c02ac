//! What the sandbox's webhooks tell, and the outbox they wait in: what is sent, when again, and when no more. Pure; the
//! purse keeps the outbox, and the courier carries.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use coinop_core::Millis;
use serde::Deserialize;
use serde_json::json;

use super::slip::{HoldEnd, SlipState};
use crate::provider::WebhookNotice;

/// Attempts at one event.
pub const ATTEMPTS_MAX: u32 = 8;
/// How old an event may be that is still tried, milliseconds. By then polling has found what it tells.
pub const AGE_MS_MAX: Millis = 24 * 60 * 60 * 1_000;
/// The pause after the first attempt, milliseconds: longer than one attempt may take. Each later one is twice as long.
const PAUSE_MS: Millis = 8_000;

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

/// Which events to take.
#[derive(Clone, Debug)]
pub struct TakeEvents {
    /// The time.
    pub now: Millis,
    /// The accounts whose doors can be reached from here.
    pub accounts: Vec<String>,
    /// How many at most.
    pub limit: u32,
}

/// What was taken.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TakenEvents {
    /// To be sent now.
    pub events: Vec<SlipEvent>,
    /// How many left the outbox unsent.
    pub given_up: u64,
}

/// When an event is due again that is taken at `now` for the `attempt`th time, counted from one.
pub fn next_attempt_at(now: Millis, attempt: u32) -> Millis {
    now + (PAUSE_MS << attempt.clamp(1, ATTEMPTS_MAX).saturating_sub(1))
}

/// Whether an event that is due is tried no more.
pub fn is_spent(attempts: u32, at: Millis, now: Millis) -> bool {
    attempts >= ATTEMPTS_MAX || at <= now - AGE_MS_MAX
}

/// An outbox in memory.
#[derive(Debug, Default)]
pub struct Outbox(BTreeMap<String, Waiting>);

#[derive(Debug)]
struct Waiting {
    event: SlipEvent,
    attempts: u32,
    due_at: Millis,
}

impl Outbox {
    /// Puts an event in, due at once.
    pub fn put(&mut self, event: Option<SlipEvent>) {
        let Some(event) = event else { return };
        let waiting = Waiting {
            attempts: 0,
            due_at: event.at,
            event,
        };
        self.0.insert(waiting.event.id.clone(), waiting);
    }

    /// Takes what is due, as `Purse::take_events` says.
    pub fn take(&mut self, take: &TakeEvents) -> TakenEvents {
        let before = self.0.len();
        self.0.retain(|_, waiting| {
            waiting.due_at > take.now || !is_spent(waiting.attempts, waiting.event.at, take.now)
        });
        let given_up = (before - self.0.len()) as u64;
        let mut due: Vec<&mut Waiting> = self
            .0
            .values_mut()
            .filter(|waiting| {
                waiting.due_at <= take.now && take.accounts.contains(&waiting.event.account)
            })
            .collect();
        due.sort_by_key(|waiting| waiting.due_at);
        due.truncate(take.limit as usize);
        let events = due.into_iter().map(|waiting| {
            waiting.attempts += 1;
            waiting.due_at = next_attempt_at(take.now, waiting.attempts);
            waiting.event.clone()
        });
        TakenEvents {
            events: events.collect(),
            given_up,
        }
    }

    /// Removes an event.
    pub fn sent(&mut self, id: &str) {
        self.0.remove(id);
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

    #[test]
    fn pauses_double_and_end() {
        let pauses: Vec<i64> = (1..=ATTEMPTS_MAX)
            .map(|n| next_attempt_at(0, n) / 1_000)
            .collect();
        assert_eq!(pauses, [8, 16, 32, 64, 128, 256, 512, 1_024]);
        assert!(!is_spent(ATTEMPTS_MAX - 1, 1, AGE_MS_MAX));
        assert!(is_spent(ATTEMPTS_MAX, 1, 1));
        assert!(is_spent(0, 0, AGE_MS_MAX));
    }
}
