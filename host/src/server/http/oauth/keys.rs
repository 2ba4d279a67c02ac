//! The keys of one issuer: fetched by one task, used by every request, kept while the issuer is away.
//!
//! A request never fetches. It says that keys are wanted, and only one whose key is not there waits for them. However
//! many unknown keys are named, the issuer is asked once a minute.

use std::sync::Arc;
use std::time::Duration;

use coinop_core::Millis;
use jsonwebtoken::Algorithm;
use jsonwebtoken::jwk::Jwk;
use reqwest::Client;
use tokio::sync::{Notify, watch};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::{KeySource, Place, Refused};
use crate::clock::Clock;
use crate::jwks::KeySet;

/// Keys older than this are fetched again when one is used: how long a key that was withdrawn may still be taken.
const FRESH_MS: u64 = 10 * 60_000;
/// Keys older than this are not used any more, however long the issuer is away.
const USABLE_MS: u64 = 24 * 60 * 60_000;
/// The issuer is left alone for this long after it answered,
const PAUSE_MS: u64 = 60_000;
/// and for this long after it did not.
const PAUSE_FAILED_MS: u64 = 10_000;
/// How long fetching may take, all in all,
const FETCH_WAIT: Duration = Duration::from_secs(10);
/// and how long a request waits for a key that is not there.
const REQUEST_WAIT: Duration = Duration::from_secs(11);

/// The keys of one issuer.
pub(super) enum Keys {
    Given(KeySet),
    Fetched(Fetched),
}

/// Keys that are fetched.
pub(super) struct Fetched {
    place: Place,
    clock: Arc<dyn Clock>,
    known: watch::Sender<Known>,
    wanted: Notify,
    /// Cancelled when they are not fetched any more.
    ended: CancellationToken,
}

/// What is known of them.
#[derive(Clone, Debug, Default)]
struct Known {
    keys: Arc<KeySet>,
    /// When these keys came; `None` before the first ones did.
    fetched: Option<Millis>,
    /// The last attempt to fetch them, its end, and whether it failed.
    tried: Option<(Millis, bool)>,
}

impl Known {
    fn find(&self, id: Option<&str>, algorithm: Algorithm, now: Millis) -> Option<Jwk> {
        let usable = now.abs_diff(self.fetched?) < USABLE_MS;
        usable.then(|| self.keys.find(id, algorithm).cloned())?
    }

    fn is_fresh(&self, now: Millis) -> bool {
        self.fetched
            .is_some_and(|fetched| now.abs_diff(fetched) < FRESH_MS)
    }

    /// Whether the issuer may be asked again.
    fn may_ask(&self, now: Millis) -> bool {
        self.tried.is_none_or(|(tried, failed)| {
            let pause_ms = if failed { PAUSE_FAILED_MS } else { PAUSE_MS };
            now.abs_diff(tried) >= pause_ms
        })
    }

    /// What a missing key means: that there is none, or that nobody can say.
    fn missing(&self) -> Refused {
        match self.tried {
            Some((_, false)) => Refused::Signature,
            _ => Refused::Unavailable,
        }
    }
}

impl Keys {
    pub(super) fn new(source: KeySource, clock: Arc<dyn Clock>) -> Self {
        match source {
            KeySource::Given(keys) => Self::Given(keys),
            KeySource::At(place) => Self::Fetched(Fetched {
                place,
                clock,
                known: watch::Sender::default(),
                wanted: Notify::new(),
                ended: CancellationToken::new(),
            }),
        }
    }

    /// The key called `id`, for `algorithm`.
    pub(super) async fn find(
        &self,
        id: Option<&str>,
        algorithm: Algorithm,
    ) -> Result<Jwk, Refused> {
        match self {
            Self::Given(keys) => keys.find(id, algorithm).cloned().ok_or(Refused::Signature),
            Self::Fetched(fetched) => fetched.find(id, algorithm).await,
        }
    }

    /// Fetches the keys of the issuer called `name` whenever they are wanted, until `closing`.
    pub(super) async fn keep(&self, name: &str, http: &Client, closing: &CancellationToken) {
        if let Self::Fetched(fetched) = self {
            let keeping = fetched.keep(name, http);
            closing.run_until_cancelled(keeping).await;
            fetched.ended.cancel();
        }
    }
}

impl Fetched {
    async fn find(&self, id: Option<&str>, algorithm: Algorithm) -> Result<Jwk, Refused> {
        let mut news = self.known.subscribe();
        let known = news.borrow_and_update().clone();
        let now = self.clock.now();
        let found = known.find(id, algorithm, now);
        let asks = known.may_ask(now);
        if asks && (found.is_none() || !known.is_fresh(now)) {
            self.wanted.notify_one();
        }
        match found {
            Some(key) => Ok(key),
            None if !asks => Err(known.missing()),
            None => {
                let learnt = timeout(REQUEST_WAIT, news.changed());
                if self.ended.run_until_cancelled(learnt).await.is_none() {
                    return Err(Refused::Unavailable);
                }
                let known = news.borrow();
                known
                    .find(id, algorithm, self.clock.now())
                    .ok_or_else(|| known.missing())
            }
        }
    }

    async fn keep(&self, name: &str, http: &Client) {
        loop {
            let asks = self.known.borrow().may_ask(self.clock.now());
            if asks {
                let fetched = timeout(FETCH_WAIT, self.place.fetch(name, http)).await;
                let late = |_| Err("it takes too long".to_owned());
                self.learn(name, fetched.unwrap_or_else(late));
            }
            self.wanted.notified().await;
        }
    }

    fn learn(&self, name: &str, fetched: Result<KeySet, String>) {
        let now = self.clock.now();
        let failed_before = matches!(self.known.borrow().tried, Some((_, true)));
        match &fetched {
            Ok(_) if failed_before => tracing::info!(issuer = name, "the issuer's keys are back"),
            Err(error) if !failed_before => {
                tracing::warn!(issuer = name, %error, "the issuer's keys cannot be had; those known before are used for a day");
            }
            _ => {}
        }
        self.known.send_modify(|known| {
            known.tried = Some((now, fetched.is_err()));
            if let Ok(keys) = fetched {
                known.keys = Arc::new(keys);
                known.fetched = Some(now);
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::SystemClock;

    #[tokio::test]
    async fn a_host_that_closes_waits_for_no_issuer() {
        let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/keys", silent.local_addr().unwrap());
        let place = Place::Url(url.parse().unwrap());
        let keys = Keys::new(KeySource::At(place), Arc::new(SystemClock));
        let closing = CancellationToken::new();
        let http = crate::outbound::loopback(FETCH_WAIT).unwrap();
        let asking = async {
            let found = keys.find(Some("a"), Algorithm::EdDSA);
            tokio::pin!(found);
            assert!(futures::poll!(&mut found).is_pending());
            closing.cancel();
            timeout(Duration::from_secs(2), found).await.unwrap()
        };
        let ((), asked) = tokio::join!(keys.keep("issuer", &http, &closing), asking);
        assert_eq!(asked.err(), Some(Refused::Unavailable));
    }

    #[test]
    fn an_issuer_is_left_alone_between_two_questions() {
        let now = 1_000_000;
        let known = |tried| Known {
            tried,
            ..Known::default()
        };
        assert!(known(None).may_ask(now));
        for (failed, pause_ms) in [(false, 60_000), (true, 10_000)] {
            let known = known(Some((now, failed)));
            assert!(!known.may_ask(now + pause_ms - 1));
            assert!(known.may_ask(now + pause_ms));
            assert!(known.may_ask(now - pause_ms), "a clock that was set back");
        }
    }

    #[test]
    fn keys_outlive_their_issuer_for_a_day() {
        let text = br#"{"keys": [{"kty": "OKP", "crv": "Ed25519", "kid": "a", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}"#;
        let now = 1_000_000;
        let known = Known {
            keys: Arc::new(KeySet::parse(text).unwrap()),
            fetched: Some(now),
            tried: Some((now, true)),
        };
        let found = |at| known.find(Some("a"), Algorithm::EdDSA, at).is_some();
        assert!(known.is_fresh(now + 599_999) && !known.is_fresh(now + 600_000));
        assert!(found(now + 86_399_999));
        assert!(!found(now + 86_400_000));
    }
}
