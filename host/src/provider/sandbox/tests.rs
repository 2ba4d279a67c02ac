//! What the sandbox answers, over a purse in memory.

use std::sync::atomic::{AtomicI64, Ordering};

use super::purse::MemoryPurse;
use super::*;
use crate::clock::Clock;
use crate::provider::StatementLine;
use coinop_core::ids::{LinkToken, PaymentId};

struct Bench {
    provider: Sandbox,
    payment: PaymentRef,
}

fn price() -> Money {
    Money::parse("0.99", "USD").unwrap()
}

fn request(seed: u8) -> CreatePayment {
    CreatePayment {
        key: PaymentId::from_random([seed; 16]),
        link: LinkToken::from_random([seed; 16]),
        price: price(),
        description: "smart-summary".into(),
        expires_at: 0,
    }
}

fn bench(flow: Flow, pays: Pays) -> Bench {
    bench_with(
        flow,
        Settings {
            pays,
            ..Settings::default()
        },
    )
}

fn bench_with(flow: Flow, settings: Settings) -> Bench {
    let purse = Arc::new(MemoryPurse::default());
    let provider = Sandbox::new(flow, settings, purse);
    let request = request(1);
    let created = provider.create_offline(&request).unwrap();
    let payment = PaymentRef {
        key: request.key,
        reference: created.reference,
        price: price(),
        credential: None,
    };
    Bench { provider, payment }
}

impl Bench {
    async fn status(&self) -> Standing {
        self.provider.status(&self.payment).await.unwrap()
    }

    async fn decide(&self, decision: Decision) -> Standing {
        self.provider.decide(&self.payment, decision).await.unwrap()
    }

    async fn refund(&self, key: &str, amount: &str) -> Result<Refunded, ProviderError> {
        let refund = Refund {
            payment: self.payment.clone(),
            key: key.into(),
            amount: amount.parse().unwrap(),
            received: self.payment.price,
            reason: "test".into(),
        };
        self.provider.refund(&refund).await
    }
}

#[tokio::test]
async fn a_payment_is_made_without_asking_and_always_the_same() {
    let bench = bench(Flow::Pay, Pays::ByHand);
    let online = bench.provider.create(&request(1)).await.unwrap();
    assert_eq!(bench.provider.create_offline(&request(1)), Some(online));
    let other = bench.provider.create_offline(&request(2)).unwrap();
    assert_ne!(other.reference, bench.payment.reference);
}

#[test]
fn a_reference_does_not_reveal_the_id() {
    let request = request(1);
    let reference = reference(&request);
    let id = request.key.as_str();
    assert!(!reference.contains(&id["pay_".len()..]));
    assert_eq!(reference.len(), "sbx_".len() + 26, "{reference}");
}

#[tokio::test]
async fn the_first_decision_stands() {
    let cases = [
        (Decision::Pay, Decision::Decline, Standing::Paid(price())),
        (Decision::Decline, Decision::Pay, Standing::Declined),
    ];
    for (first, second, expected) in cases {
        let bench = bench(Flow::Pay, Pays::ByHand);
        assert_eq!(bench.status().await, Standing::Pending);
        assert_eq!(bench.decide(first).await, expected);
        assert_eq!(bench.decide(second).await, expected);
        assert_eq!(bench.status().await, expected);
    }
}

#[tokio::test]
async fn a_canceled_payment_takes_no_money_and_a_paid_one_is_not_canceled() {
    let open = bench(Flow::Pay, Pays::ByHand);
    let canceled = open.provider.cancel(&open.payment).await.unwrap();
    assert_eq!(canceled, Standing::Canceled);
    assert_eq!(open.decide(Decision::Pay).await, Standing::Canceled);

    let paid = bench(Flow::Pay, Pays::ByHand);
    paid.decide(Decision::Pay).await;
    let kept = paid.provider.cancel(&paid.payment).await.unwrap();
    assert_eq!(kept, Standing::Paid(price()));
}

#[tokio::test]
async fn held_money_is_taken_or_given_back_once() {
    for pays in [Pays::ByHand, Pays::AtOnce] {
        let taken = bench(Flow::Hold, pays);
        taken.decide(Decision::Pay).await;
        assert_eq!(taken.status().await, Standing::Authorized(price()));
        for _ in 0..2 {
            let settled = taken.provider.settle(&taken.payment).await.unwrap();
            assert_eq!(settled.standing, Standing::Paid(price()));
        }
        let late = taken.provider.release(&taken.payment).await.unwrap();
        assert_eq!(late, Standing::Paid(price()), "the first end stands");

        let released = bench(Flow::Hold, pays);
        released.decide(Decision::Pay).await;
        let given = released.provider.release(&released.payment).await.unwrap();
        assert_eq!(given, Standing::Released);
        let late = released.provider.settle(&released.payment).await.unwrap();
        assert_eq!(late.standing, Standing::Released);
        assert_eq!(released.status().await, Standing::Released);
    }
}

#[tokio::test]
async fn paid_at_once_means_before_everything_else() {
    let canceled = bench(Flow::Pay, Pays::AtOnce);
    assert_eq!(canceled.status().await, Standing::Paid(price()));
    let kept = canceled.provider.cancel(&canceled.payment).await.unwrap();
    assert_eq!(kept, Standing::Paid(price()));
    let kept = canceled.decide(Decision::Decline).await;
    assert_eq!(kept, Standing::Paid(price()));

    let held = bench(Flow::Hold, Pays::AtOnce);
    assert_eq!(held.status().await, Standing::Authorized(price()));
    let settled = held.provider.settle(&held.payment).await.unwrap();
    assert_eq!(settled.standing, Standing::Paid(price()));
}

#[tokio::test]
async fn refunds_are_partial_or_full_and_once_a_key() {
    for pays in [Pays::ByHand, Pays::AtOnce] {
        let bench = bench(Flow::Pay, pays);
        bench.decide(Decision::Pay).await;
        for _ in 0..2 {
            assert_eq!(bench.refund("k1", "0.40").await.unwrap(), Refunded::Done);
        }
        let too_much = bench.refund("k2", "0.60").await;
        assert!(matches!(too_much, Err(ProviderError::Refused(_))));
        assert_eq!(bench.refund("k3", "0.59").await.unwrap(), Refunded::Done);
    }
}

#[tokio::test]
async fn nothing_goes_back_of_what_was_not_taken() {
    let bench = bench(Flow::Pay, Pays::ByHand);
    let unpaid = bench.refund("k", "0.10").await;
    assert!(matches!(unpaid, Err(ProviderError::Refused(_))));
    bench.decide(Decision::Decline).await;
    let declined = bench.refund("k", "0.10").await;
    assert!(matches!(declined, Err(ProviderError::Refused(_))));
}

#[test]
fn any_currency_is_charged_from_the_smallest_unit_to_a_million() {
    let provider = bench(Flow::Pay, Pays::ByHand).provider;
    let charge = |amount, currency| provider.chargeable(&Money::parse(amount, currency).unwrap());
    for (amount, currency) in [
        ("0.000000001", "USD"),
        ("0.003", "USD"),
        ("100", "JPY"),
        ("0.5", "USDC"),
        ("1000000", "KWD"),
    ] {
        assert_eq!(charge(amount, currency), Ok(()), "{amount} {currency}");
    }
    let nothing = charge("0", "USD").unwrap_err();
    assert_eq!(
        nothing.to_string(),
        "0.00 USD is less than the smallest charge of sandbox, 0.000000001 USD"
    );
    let fortune = charge("1000000.01", "USD").unwrap_err();
    assert!(matches!(fortune, NotChargeable::TooLarge { .. }));
}

#[tokio::test]
async fn an_account_without_refunds_says_so_and_sends_nothing_back() {
    let bench = bench_with(
        Flow::Pay,
        Settings {
            refunds: false,
            ..Settings::default()
        },
    );
    assert!(!bench.provider.capabilities().refunds);
    bench.decide(Decision::Pay).await;
    let refused = bench.refund("r", "0.10").await;
    assert!(matches!(refused, Err(ProviderError::Refused(_))));
}

#[test]
fn settings_are_read_as_people_write_them() {
    let read = |text: &str| text.parse::<toml::Table>().unwrap().try_into::<Settings>();
    assert_eq!(read("").unwrap(), Settings::default());
    let said = read("refunds = false\nfee = \"0.01\"\ndisagrees = \"missing\"").unwrap();
    assert_eq!(said.fee, "0.01".parse().unwrap());
    assert_eq!(said.disagrees, Some(Disagrees::Missing));
    assert!(read("fee = 0.01").is_err() && read("fee = \"-1\"").is_err());
}

const EVER: Period = Period {
    since: 0,
    until: i64::MAX,
};

async fn stated(settings: Settings, flow: Flow) -> Vec<StatementLine> {
    let purse = Arc::new(MemoryPurse::default());
    let provider = Sandbox::new(flow, settings, purse);
    for seed in [1, 2] {
        let request = request(seed);
        let created = provider.create_offline(&request).unwrap();
        let payment = PaymentRef {
            key: request.key,
            reference: created.reference,
            price: price(),
            credential: None,
        };
        provider.decide(&payment, Decision::Pay).await.unwrap();
        if flow == Flow::Hold && seed == 1 {
            provider.settle(&payment).await.unwrap();
        }
    }
    let page = provider.statement(EVER, None).await.unwrap();
    assert_eq!(page.next, None);
    page.lines
}

#[tokio::test]
async fn a_statement_has_what_was_taken_with_its_fee() {
    let fee = "0.01".parse().unwrap();
    let settings = Settings {
        fee,
        ..Settings::default()
    };
    let lines = stated(settings, Flow::Pay).await;
    assert_eq!(lines.len(), 2);
    assert!(
        lines.iter().all(|line| line.received == price()
            && line.fee == fee
            && line.refunded == Amount::ZERO)
    );
    let reserved = stated(settings, Flow::Hold).await;
    assert_eq!(reserved.len(), 1, "what is only reserved is not on it");
}

#[tokio::test]
async fn a_statement_disagrees_as_it_is_told() {
    let told = |disagrees| Settings {
        disagrees: Some(disagrees),
        ..Settings::default()
    };
    let amounts = |lines: &[StatementLine]| -> Vec<Money> {
        lines.iter().map(|line| line.received).collect()
    };
    let amount = stated(told(Disagrees::Amount), Flow::Pay).await;
    assert_eq!(
        amounts(&amount).iter().filter(|m| **m != price()).count(),
        1
    );
    let refund = stated(told(Disagrees::Refund), Flow::Pay).await;
    assert_eq!(refund.iter().filter(|l| !l.refunded.is_zero()).count(), 1);
    assert_eq!(stated(told(Disagrees::Missing), Flow::Pay).await.len(), 1);
    assert_eq!(stated(told(Disagrees::Unknown), Flow::Pay).await.len(), 3);
}

#[tokio::test]
async fn what_is_paid_at_once_has_no_statement_and_neither_has_a_wrong_place() {
    let at_once = bench(Flow::Pay, Pays::AtOnce).provider;
    let none = at_once.statement(EVER, None).await;
    assert!(matches!(none, Err(ProviderError::Unsupported { .. })));
    let provider = bench(Flow::Pay, Pays::ByHand).provider;
    let nowhere = provider.statement(EVER, Some("x".into())).await;
    assert!(matches!(nowhere, Err(ProviderError::Refused(_))));
}

#[tokio::test]
async fn a_refund_is_found_by_its_key() {
    let bench = bench(Flow::Pay, Pays::ByHand);
    bench.decide(Decision::Pay).await;
    bench.refund("k", "0.10").await.unwrap();
    let refund = |key: &str| Refund {
        payment: bench.payment.clone(),
        key: key.into(),
        amount: "0.10".parse().unwrap(),
        received: bench.payment.price,
        reason: String::new(),
    };
    let made = bench.provider.refund_standing(&refund("k")).await.unwrap();
    assert_eq!(made, Some(Refunded::Done));
    let other = bench.provider.refund_standing(&refund("o")).await.unwrap();
    assert_eq!(other, None);
}

/// An account that sends webhooks, and its purse.
fn telling(pays: &str) -> (Bench, Arc<MemoryPurse>) {
    let purse = Arc::new(MemoryPurse::default());
    let desk = Arc::new(Desk::new(purse.clone(), Arc::new(Steps::default())));
    let settings: toml::Table = format!("pays = {pays:?}").parse().unwrap();
    let settings = settings.try_into().unwrap();
    let provider = Sandbox::new(Flow::Hold, settings, purse.clone()).sending("tips", desk);
    let request = request(1);
    let payment = PaymentRef {
        reference: reference(&request),
        key: request.key,
        price: price(),
        credential: None,
    };
    (Bench { provider, payment }, purse)
}

const NOW: i64 = 1_795_170_725_000;

/// A clock that goes on by more than secrets are kept at hand, each time somebody looks.
#[derive(Default)]
struct Steps(AtomicI64);

impl Clock for Steps {
    fn now(&self) -> i64 {
        NOW + 1_001 * self.0.fetch_add(1, Ordering::SeqCst)
    }
}

async fn outbox(purse: &MemoryPurse) -> Vec<SlipEvent> {
    let take = outbox::TakeEvents {
        now: NOW + 60_000,
        accounts: vec!["tips".into()],
        limit: 10,
    };
    purse.take_events(take).await.unwrap().events
}

#[tokio::test]
async fn what_a_payer_decides_and_what_becomes_of_it_is_told() {
    let (bench, purse) = telling("by-hand");
    bench.decide(Decision::Pay).await;
    bench.decide(Decision::Decline).await;
    bench.provider.settle(&bench.payment).await.unwrap();
    bench.refund("k", "0.10").await.unwrap();
    let told = outbox(&purse).await;
    let mut kinds: Vec<&str> = told.iter().map(|event| event.kind.as_str()).collect();
    kinds.sort_unstable();
    let expected = ["payment.paid", "payment.refunded", "payment.reserved"];
    assert_eq!(kinds, expected);
    for event in told {
        assert_eq!(event.account, "tips");
        assert_eq!(event.reference, bench.payment.reference);
        assert!(event.id.starts_with("evt_"));
    }
    let (canceled, purse) = telling("by-hand");
    canceled.provider.cancel(&canceled.payment).await.unwrap();
    assert_eq!(outbox(&purse).await, [], "the host did that itself");
}

#[tokio::test]
async fn payments_that_are_paid_at_once_tell_nothing() {
    let (bench, purse) = telling("at-once");
    bench.provider.settle(&bench.payment).await.unwrap();
    bench.refund("k", "0.10").await.unwrap();
    assert_eq!(outbox(&purse).await, []);
}

#[tokio::test]
async fn a_webhook_is_verified_with_the_secrets_that_count() {
    let (bench, purse) = telling("by-hand");
    let now = NOW;
    let body = br#"{"id":"evt_1","type":"payment.paid","reference":"sbx_1","created":1}"#;
    let verify = async |secret: &Vec<u8>, body: &[u8]| {
        let signed = signature::sign(std::slice::from_ref(secret), now / 1_000, body);
        let headers = [(signature::HEADER.to_owned(), signed)];
        let webhook = Webhook {
            headers: &headers,
            body,
            now,
        };
        bench.provider.verify_webhook(webhook).await
    };
    let first = purse.webhook_secrets(now).await.unwrap().remove(0);
    let notice = verify(&first, body).await.unwrap();
    assert_eq!(
        (notice.event_id, notice.reference),
        ("evt_1".into(), "sbx_1".into())
    );
    assert_eq!(verify(&first, b"{}").await, Err(WebhookError::Content));
    let forged = verify(&b"other".to_vec(), body).await;
    assert_eq!(forged, Err(WebhookError::Signature));

    purse.rotate_webhook_secret();
    let second = purse.webhook_secrets(now).await.unwrap().remove(0);
    assert_ne!(first, second);
    for secret in [&first, &second] {
        assert!(verify(secret, body).await.is_ok(), "both count");
    }
    purse.rotate_webhook_secret();
    assert_eq!(verify(&first, body).await, Err(WebhookError::Signature));
    assert!(verify(&second, body).await.is_ok());
}

#[tokio::test]
async fn an_account_without_a_desk_sends_no_webhooks_and_expects_none() {
    let bench = bench(Flow::Pay, Pays::ByHand);
    assert!(!bench.provider.capabilities().webhooks);
    let webhook = Webhook {
        headers: &[],
        body: b"",
        now: 0,
    };
    let refused = bench.provider.verify_webhook(webhook).await;
    assert_eq!(refused, Err(WebhookError::Unsupported));
    assert!(telling("by-hand").0.provider.capabilities().webhooks);
}
