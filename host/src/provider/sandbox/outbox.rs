//! The sandbox's outbox: which webhooks are sent, when again, and when no more. Pure; the purse keeps the outbox, and the
//! courier carries what is in it.

use std::collections::BTreeMap;

use coinop_core::Millis;

use super::event::SlipEvent;

/// Attempts at one event.
pub const ATTEMPTS_MAX: u32 = 8;
/// How old an event may be that is still tried, milliseconds. By then polling has found what it tells.
pub const AGE_MS_MAX: Millis = 24 * 60 * 60 * 1_000;
/// The pause after the first attempt, milliseconds: longer than one attempt may take. Each later one is twice as long.
const PAUSE_MS: Millis = 8_000;

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
pub(crate) mod tests {
    use coinop_core::money::Money;

    use super::*;
    use crate::provider::sandbox::event::EventKind;
    use crate::provider::sandbox::purse::{Purse, SlipRefund};
    use crate::provider::sandbox::slip::{HoldEnd, Slip, SlipState};

    /// What the outbox of every purse must do, beside payments of other names.
    pub(crate) async fn keeps_the_contract(purse: &dyn Purse) {
        let paid = Slip::new(SlipState::Paid, Money::parse("1.00", "USD").unwrap());
        tells_of_each_change_once(purse, paid).await;
        events_are_sent_or_given_up(purse, paid).await;
        secrets_are_made_once(purse).await;
    }

    fn event(id: &str, account: &str) -> Option<SlipEvent> {
        Some(SlipEvent {
            id: id.into(),
            account: account.into(),
            kind: EventKind::Paid,
            reference: "t".into(),
            at: 1_000,
        })
    }

    async fn taken(purse: &dyn Purse, now: Millis) -> Vec<String> {
        let take = TakeEvents {
            now,
            accounts: vec!["tips".into()],
            limit: 10,
        };
        let taken = purse.take_events(take).await.unwrap();
        taken.events.into_iter().map(|event| event.id).collect()
    }

    async fn tells_of_each_change_once(purse: &dyn Purse, paid: Slip) {
        let held = Slip::new(SlipState::Reserved, paid.price);
        for id in ["evt_1", "evt_none_1"] {
            purse.decide("t", paid, event(id, "tips")).await.unwrap();
        }
        purse.decide("u", held, None).await.unwrap();
        for id in ["evt_2", "evt_none_2"] {
            let ended = purse.end_hold("u", HoldEnd::Take, event(id, "tips"));
            ended.await.unwrap();
        }
        let refund = SlipRefund {
            key: "t1".into(),
            reference: "t".into(),
            amount: "0.1".parse().unwrap(),
        };
        for id in ["evt_3", "evt_none_3"] {
            let refunded = purse.refund(refund.clone(), event(id, "tips"));
            refunded.await.unwrap();
        }
        let too_much = SlipRefund {
            key: "t2".into(),
            amount: "9".parse().unwrap(),
            ..refund
        };
        let refused = purse.refund(too_much, event("evt_none_4", "tips")).await;
        assert!(refused.is_err());
        let mut told = taken(purse, 1_000).await;
        told.sort();
        assert_eq!(told, ["evt_1", "evt_2", "evt_3"]);
        for id in told {
            purse.event_sent(id).await.unwrap();
        }
        assert_eq!(
            taken(purse, Millis::from(u32::MAX)).await,
            [""; 0],
            "all was sent"
        );
    }

    async fn events_are_sent_or_given_up(purse: &dyn Purse, paid: Slip) {
        for (reference, account) in [("v", "tips"), ("w", "other")] {
            let event = event(&format!("evt_{reference}"), account);
            purse.decide(reference, paid, event).await.unwrap();
        }
        let mut now = 1_000;
        for attempt in 1..=ATTEMPTS_MAX {
            assert_eq!(taken(purse, now).await, ["evt_v"], "attempt {attempt}");
            let next = next_attempt_at(now, attempt);
            assert_eq!(taken(purse, next - 1).await, [""; 0], "not due yet");
            now = next;
        }
        let give_up = |now| {
            let accounts = vec!["tips".into()];
            purse.take_events(TakeEvents {
                now,
                accounts,
                limit: 10,
            })
        };
        let spent = give_up(now).await.unwrap();
        assert_eq!((spent.events, spent.given_up), (vec![], 1));
        // Nobody here has the other account: age ends its event all the same.
        let old = give_up(1_000 + AGE_MS_MAX).await.unwrap();
        assert_eq!((old.events, old.given_up), (vec![], 1));
    }

    async fn secrets_are_made_once(purse: &dyn Purse) {
        let secrets = purse.webhook_secrets(1_000).await.unwrap();
        assert_eq!(secrets.len(), 1);
        assert!(secrets[0].len() >= 32);
        assert_eq!(purse.webhook_secrets(2_000).await, Ok(secrets));
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
