//! The courier: carries the sandbox's webhooks from the outbox to the door of the host it lives in.
//!
//! It knocks at the listener's own address and never at a public one: pretended money needs no detour through proxies and
//! certificates, and nothing of it leaves the machine. Hosts that share the outbox take events in turns.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt as _;
use reqwest::{Client, Url};
use tokio_util::sync::CancellationToken;

use super::desk::Desk;
use super::event::SlipEvent;
use super::outbox::TakeEvents;
use super::signature;
use crate::outbound;

/// Time between two looks for what other processes put into the outbox.
const LOOK: Duration = Duration::from_secs(1);
/// Time after a look that failed.
const LOOK_AFTER_FAILURE: Duration = Duration::from_secs(10);
/// Events taken at a time.
const EVENTS_MAX: u32 = 16;
/// Events carried at a time.
const AT_ONCE_MAX: usize = 4;
/// How long one attempt may take: less than the shortest pause between two.
const ATTEMPT_WAIT: Duration = Duration::from_secs(5);

/// Carries events of some accounts to one door.
pub struct Courier {
    desk: Arc<Desk>,
    accounts: Vec<String>,
    door: SocketAddr,
    client: Client,
}

/// How a round went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Round {
    /// There may be more.
    Full,
    /// Nothing more is due.
    Done,
    /// The outbox could not be read.
    Failed,
}

impl Courier {
    /// A courier to `door`, where the webhooks of `accounts` are heard.
    ///
    /// # Errors
    /// No HTTP client can be made.
    pub fn new(desk: Arc<Desk>, accounts: Vec<String>, door: SocketAddr) -> Result<Self, String> {
        let client = outbound::loopback(ATTEMPT_WAIT)?;
        Ok(Self {
            desk,
            accounts,
            door,
            client,
        })
    }

    /// Carries until `stop`. What is under way then is carried again by the next host.
    pub async fn run(self, stop: CancellationToken) {
        stop.run_until_cancelled(async {
            loop {
                let pause = match self.round().await {
                    Round::Full => continue,
                    Round::Done => LOOK,
                    Round::Failed => LOOK_AFTER_FAILURE,
                };
                // Whoever rings has just reached the outbox: no failure is waited out then.
                let _ = tokio::time::timeout(pause, self.desk.rung()).await;
            }
        })
        .await;
    }

    async fn round(&self) -> Round {
        let take = TakeEvents {
            now: self.desk.now(),
            accounts: self.accounts.clone(),
            limit: EVENTS_MAX,
        };
        let taken = match self.desk.purse().take_events(take).await {
            Ok(taken) => taken,
            Err(error) => {
                tracing::debug!(%error, "the sandbox's outbox cannot be read");
                return Round::Failed;
            }
        };
        if taken.given_up > 0 {
            let events = taken.given_up;
            tracing::warn!(
                events,
                "webhooks of the sandbox were given up: polling finds what they told"
            );
        }
        let is_full = taken.events.len() == EVENTS_MAX as usize;
        let carrying = futures::stream::iter(taken.events).map(|event| self.carry(event));
        carrying.buffer_unordered(AT_ONCE_MAX).collect::<()>().await;
        match is_full {
            true => Round::Full,
            false => Round::Done,
        }
    }

    /// Carries one event. One that does not arrive stays in the outbox, and its next attempt is set already.
    async fn carry(&self, event: SlipEvent) {
        let id = event.id.clone();
        if let Err(reason) = self.deliver(event).await {
            tracing::debug!(
                event = id,
                reason,
                "a webhook of the sandbox did not arrive"
            );
            return;
        }
        if let Err(error) = self.desk.purse().event_sent(id).await {
            // It will arrive twice, as webhooks do.
            tracing::debug!(%error, "the sandbox's outbox cannot be written");
        }
    }

    async fn deliver(&self, event: SlipEvent) -> Result<(), String> {
        let secrets = self.desk.secrets().await.map_err(|e| e.to_string())?;
        let body = event.body();
        let unix_seconds = self.desk.now().div_euclid(1_000);
        let sent = self
            .client
            .post(url(self.door, &event.account)?)
            .header(
                signature::HEADER,
                signature::sign(&secrets, unix_seconds, &body),
            )
            .header("content-type", "application/json")
            .body(body)
            .send();
        let status = sent.await.map_err(|e| e.to_string())?.status();
        match status.is_success() {
            true => Ok(()),
            false => Err(status.to_string()),
        }
    }
}

/// Where an account's webhooks are heard. Names of accounts may hold anything.
fn url(door: SocketAddr, account: &str) -> Result<Url, String> {
    let mut url: Url = format!("http://{door}/webhooks")
        .parse()
        .map_err(|e| format!("{e}"))?;
    let mut path = url.path_segments_mut().map_err(|()| "no path".to_owned())?;
    path.push(account);
    drop(path);
    Ok(url)
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;
    use std::sync::atomic::{AtomicI64, Ordering};

    use axum::Router;
    use axum::body::Bytes;
    use axum::http::{HeaderMap, StatusCode};
    use axum::routing::post;
    use coinop_core::money::Money;

    use super::*;
    use crate::clock::Clock;
    use crate::provider::Webhook;
    use crate::provider::sandbox::event::EventKind;
    use crate::provider::sandbox::outbox::next_attempt_at;
    use crate::provider::sandbox::purse::{MemoryPurse, Purse as _};
    use crate::provider::sandbox::slip::{Slip, SlipState};

    const NOW: i64 = 1_795_170_725_000;

    struct Hand(AtomicI64);

    impl Clock for Hand {
        fn now(&self) -> i64 {
            self.0.load(Ordering::SeqCst)
        }
    }

    /// A door that gives these answers in turn, and what was brought to it.
    type Brought = Arc<Mutex<Vec<(HeaderMap, Bytes)>>>;

    async fn door(answers: Vec<StatusCode>) -> (SocketAddr, Brought) {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        let brought = Brought::default();
        let kept = brought.clone();
        let answer = move |headers: HeaderMap, body: Bytes| {
            let mut brought = kept.lock().unwrap();
            brought.push((headers, body));
            let answer = answers[brought.len() - 1];
            async move { answer }
        };
        let app = Router::new().route("/webhooks/tips", post(answer));
        tokio::spawn(async move { axum::serve(listener, app).await });
        (addr, brought)
    }

    struct Bench {
        purse: Arc<MemoryPurse>,
        clock: Arc<Hand>,
        courier: Courier,
    }

    fn bench(door: SocketAddr) -> Bench {
        let purse = Arc::new(MemoryPurse::default());
        let clock = Arc::new(Hand(NOW.into()));
        let desk = Arc::new(Desk::new(purse.clone(), clock.clone()));
        Bench {
            courier: Courier::new(desk, vec!["tips".into()], door).unwrap(),
            purse,
            clock,
        }
    }

    impl Bench {
        async fn happen(&self, count: u32) {
            let slip = Slip::new(SlipState::Paid, Money::parse("1", "USD").unwrap());
            for number in 0..count {
                let event = SlipEvent {
                    id: format!("evt_{number}"),
                    account: "tips".into(),
                    kind: EventKind::Paid,
                    reference: format!("sbx_{number}"),
                    at: NOW,
                };
                let reference = event.reference.clone();
                let decided = self.purse.decide(&reference, slip, Some(event));
                decided.await.unwrap();
            }
        }
    }

    #[tokio::test]
    async fn what_does_not_arrive_is_carried_again_after_a_pause_and_signed_anew() {
        let answers = vec![StatusCode::SERVICE_UNAVAILABLE, StatusCode::OK];
        let (addr, brought) = door(answers).await;
        let bench = bench(addr);
        bench.happen(1).await;
        let again_at = next_attempt_at(NOW, 1);
        for (now, expected) in [
            (NOW, 1),
            (NOW, 1),
            (again_at - 1, 1),
            (again_at, 2),
            (next_attempt_at(again_at, 2), 2),
        ] {
            bench.clock.0.store(now, Ordering::SeqCst);
            assert_eq!(bench.courier.round().await, Round::Done);
            assert_eq!(brought.lock().unwrap().len(), expected, "at {now}");
        }
        let secrets = bench.purse.webhook_secrets(NOW).await.unwrap();
        for ((headers, body), now) in brought.lock().unwrap().iter().zip([NOW, again_at]) {
            let signature = headers[signature::HEADER].to_str().unwrap().to_owned();
            assert!(signature.starts_with(&format!("t={},", now / 1_000)));
            let headers = [(signature::HEADER.to_owned(), signature)];
            let webhook = Webhook {
                headers: &headers,
                body,
                now,
            };
            assert!(signature::holds(&webhook, &secrets));
        }
    }

    #[tokio::test]
    async fn a_full_outbox_is_carried_in_rounds() {
        let (addr, brought) = door(vec![StatusCode::OK; 20]).await;
        let bench = bench(addr);
        bench.happen(20).await;
        assert_eq!(bench.courier.round().await, Round::Full);
        assert_eq!(brought.lock().unwrap().len(), 16);
        assert_eq!(bench.courier.round().await, Round::Done);
        assert_eq!(brought.lock().unwrap().len(), 20);
    }

    #[test]
    fn a_door_is_addressed_whatever_the_account_is_called() {
        let door = "[::1]:7402".parse().unwrap();
        assert_eq!(
            url(door, "tips & more/..").unwrap().as_str(),
            "http://[::1]:7402/webhooks/tips%20&%20more%2F.."
        );
    }
}
