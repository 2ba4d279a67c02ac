//! A provider that misbehaves hurts its own account only: what it does not answer is never paid, never refused, and told.

use coinop::provider::component::{Component, Host, Pinning, Settings};
use coinop::provider::{Provider, ProviderError, Standing, Webhook, WebhookError};
use coinop::sandbox::service::Services;
use coinop::sandbox::{Capacity, SandboxSettings};
use coinop_core::money::Money;
use coinop_tests::acme::Acme;
use coinop_tests::paths;
use coinop_tests::provider_contract::{refund, request};
use serde_json::json;

const SECRET: &str = "hunter2-of-rogue";

fn host() -> Host {
    let capacity = Capacity {
        memories_max: 16,
        waiting_max: 64,
    };
    Host {
        services: Services::new(SandboxSettings {
            capacity,
            ..SandboxSettings::new(paths::shared_cache())
        }),
        public_base: None,
        pinning: Pinning::Optional,
    }
}

async fn open(host: &Host, behaviour: &str, url: &str) -> Result<Component, String> {
    let settings = json!({
        "component": paths::guest("rogue-provider"),
        "settings": { "behaviour": behaviour, "url": url, "key": { "secret": SECRET } },
        "grants": { "http": [url] },
    });
    let settings: Settings = serde_json::from_value(settings).unwrap();
    Component::open(host, "shop", settings).await
}

async fn rogue(host: &Host, behaviour: &str) -> Component {
    open(host, behaviour, "http://127.0.0.1:9").await.unwrap()
}

fn payment() -> coinop::provider::PaymentRef {
    let request = request(1);
    coinop::provider::PaymentRef {
        key: request.key,
        reference: "r".to_owned(),
        price: request.price,
        credential: None,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_ends_badly_is_unknown_where_money_may_have_moved() {
    let host = host();
    for (behaviour, part) in [
        ("panic", "it crashed"),
        ("exit", "it crashed"),
        ("spin", "processor time"),
        ("overflow", "it recursed too deeply"),
        ("allocate", "bytes of memory"),
    ] {
        let rogue = rogue(&host, behaviour).await;
        let created = rogue.create(&request(1)).await;
        unknown(created, part);
        unknown(rogue.refund(&refund(&payment(), "k", "0.99")).await, part);
        let stands = rogue.status(&payment()).await;
        assert!(
            matches!(&stands, Err(ProviderError::Busy(why)) if why.contains(part)),
            "{stands:?}"
        );
        let found = rogue.lookup(&request(1)).await;
        assert!(matches!(found, Err(ProviderError::Busy(_))), "{found:?}");
    }
}

fn unknown<T: std::fmt::Debug>(answer: Result<T, ProviderError>, part: &str) {
    assert!(
        matches!(&answer, Err(ProviderError::Unreachable(why)) if why.contains(part) && !why.contains(SECRET)),
        "{part:?} is not in {answer:?}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_payer_is_sent_to_a_link_that_is_none() {
    let host = host();
    for behaviour in ["bad-link", "script-link", "bad-reference"] {
        let created = rogue(&host, behaviour).await.create(&request(1)).await;
        assert!(
            matches!(created, Err(ProviderError::Refused(_))),
            "{created:?}"
        );
    }
    unknown(
        rogue(&host, "big").await.create(&request(1)).await,
        "its answer is larger",
    );
    assert!(rogue(&host, "good").await.create(&request(1)).await.is_ok());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nonsense_is_never_paid() {
    let host = host();
    let nonsense = rogue(&host, "nonsense").await.status(&payment()).await;
    assert!(nonsense.is_err(), "{nonsense:?}");
    let other = rogue(&host, "other").await.status(&payment()).await;
    assert_eq!(other.unwrap(), Standing::Pending);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_it_said_it_cannot_do_it_is_not_asked_for() {
    let host = host();
    let rogue = rogue(&host, "good").await;
    let canceled = rogue.cancel(&payment()).await;
    assert!(
        matches!(canceled, Err(ProviderError::Unsupported { .. })),
        "{canceled:?}"
    );
    let part = rogue.refund(&refund(&payment(), "k", "0.10")).await;
    assert!(matches!(part, Err(ProviderError::Refused(_))), "{part:?}");
    let window = rogue.capabilities().key_window.unwrap();
    assert!(window.as_secs() <= 30 * 24 * 60 * 60, "{window:?}");
    assert!(
        rogue
            .chargeable(&Money::parse("0.001", "USD").unwrap())
            .is_err()
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_reaches_nothing_when_it_is_asked_what_it_is_or_told_of_a_webhook() {
    let (host, acme) = (host(), Acme::start().await);
    let told = open(&host, "describe-reach", &acme.url)
        .await
        .err()
        .unwrap();
    assert!(told.contains("says: denied"), "{told}");
    let rogue = open(&host, "good", &acme.url).await.unwrap();
    let webhook = Webhook {
        headers: &[],
        body: b"{}",
        now: 0,
    };
    let verified = rogue.verify_webhook(webhook).await;
    assert_eq!(
        verified,
        Err(WebhookError::Unavailable("denied".to_owned()))
    );
    assert_eq!(acme.requests(), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn its_secrets_are_in_no_message() {
    let host = host();
    let url = "http://127.0.0.1:9";
    for (behaviour, part) in [
        ("describe-panic", "asked what it is: it crashed"),
        ("describe-name", "the host's own"),
        ("describe-leak", "[secret] is no key"),
    ] {
        let told = open(&host, behaviour, url).await.err().unwrap();
        assert!(
            told.contains(part) && told.contains("rogue-provider.wasm"),
            "{told}"
        );
        assert!(!told.contains(SECRET), "{told}");
    }
    let leaked = rogue(&host, "leak").await.create(&request(1)).await;
    unknown(leaked, "401 for [secret]");
}
