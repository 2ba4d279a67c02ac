//! Against a pretended Stripe: what it is asked, and what its answers mean.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use axum::extract::{Form, Query, State};
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::routing::{get, post};
use coinop_core::ids::PaymentId;
use coinop_core::money::Money;
use serde_json::{Value, json};

use crate::provider::mpp::tests::{
    NOW, Standing as StandingClock, challenges, code, credential, offer, serve,
};
use crate::provider::mpp::{Mpp, Settings};
use crate::provider::rail::{Funds, Offer, Rail as _, Verified};
use crate::provider::{
    PaymentRef, Provider as _, ProviderError, Refund, Refunded, Settled, Standing,
};

/// What was asked with an effect: where, with which key and form.
type Asked = (String, String, BTreeMap<String, String>);

/// Answers in turn, the last one for ever; and what was asked.
#[derive(Default)]
struct Fake {
    answers: Mutex<Vec<(u16, Value)>>,
    found: Mutex<Value>,
    refunds: Mutex<Value>,
    asked: Mutex<Vec<Asked>>,
}

impl Fake {
    fn answers(&self, answers: &[(u16, Value)]) {
        *self.answers.lock().unwrap() = answers.iter().rev().cloned().collect();
    }

    fn asked(&self) -> Vec<Asked> {
        std::mem::take(&mut *self.asked.lock().unwrap())
    }
}

async fn effect(
    State(fake): State<Arc<Fake>>,
    uri: Uri,
    headers: HeaderMap,
    Form(form): Form<BTreeMap<String, String>>,
) -> (StatusCode, String) {
    assert_eq!(headers["authorization"], "Bearer sk_test_1");
    assert_eq!(headers["stripe-version"], "2026-07-29.preview");
    let key = headers["idempotency-key"].to_str().unwrap().to_owned();
    fake.asked
        .lock()
        .unwrap()
        .push((uri.path().to_owned(), key, form));
    let mut answers = fake.answers.lock().unwrap();
    let (status, body) = match answers.len() {
        1 => answers[0].clone(),
        _ => answers.pop().unwrap(),
    };
    (StatusCode::from_u16(status).unwrap(), body.to_string())
}

async fn search(
    State(fake): State<Arc<Fake>>,
    Query(query): Query<BTreeMap<String, String>>,
) -> String {
    assert!(query["query"].starts_with("metadata['coinop_reference']:'stripe:"));
    fake.found.lock().unwrap().to_string()
}

async fn refunds(State(fake): State<Arc<Fake>>) -> String {
    fake.refunds.lock().unwrap().to_string()
}

struct Shop {
    account: Mpp,
    clock: Arc<StandingClock>,
    fake: Arc<Fake>,
    offer: Offer,
    verified: Verified,
    challenge: String,
}

impl Shop {
    /// A token was presented and held.
    async fn open() -> Self {
        let fake = Arc::new(Fake::default());
        let app = axum::Router::new()
            .route("/v1/payment_intents", post(effect))
            .route("/v1/payment_intents/pi_1/cancel", post(effect))
            .route("/v1/payment_intents/search", get(search))
            .route("/v1/refunds", post(effect).get(refunds))
            .with_state(Arc::clone(&fake));
        let api = serve(app).await;
        let settings = format!(
            "realm = \"tools.example.com\"\n[stripe]\nsecret_key = \"sk_test_1\"\n\
             network_id = \"profile\"\ncurrency = \"USD\"\napi = \"{api}\"\n"
        );
        let settings: Settings = toml::from_str(&settings).unwrap();
        let clock = Arc::new(StandingClock(Mutex::new(NOW)));
        let account = Mpp::new("machines", settings, clock.clone()).unwrap();
        let offer = offer();
        let challenge = challenges(&account, &offer).await.remove(0);
        let credential = credential(&challenge, json!({ "spt": "spt_1" }));
        let verified = account.verify(&offer, &credential).await.unwrap();
        assert_eq!(
            account.reference(&credential),
            Some(verified.reference.clone())
        );
        let challenge = challenge["id"].as_str().unwrap().to_owned();
        Self {
            account,
            clock,
            fake,
            offer,
            verified,
            challenge,
        }
    }

    fn payment(&self) -> PaymentRef {
        PaymentRef {
            key: PaymentId::from_random([7; 16]),
            reference: self.verified.reference.clone(),
            price: self.offer.price,
            credential: Some(self.verified.keep.as_str().into()),
        }
    }

    async fn settled(&self, answers: &[(u16, Value)]) -> Result<Settled, ProviderError> {
        self.fake.answers(answers);
        self.account.settle(&self.payment()).await
    }

    fn refund(&self) -> Refund {
        let payment = PaymentRef {
            credential: None,
            ..self.payment()
        };
        Refund {
            payment,
            key: "refund-1".into(),
            amount: self.offer.price.amount,
            received: self.offer.price,
            reason: "it did not run".into(),
        }
    }
}

fn intent(status: &str) -> Value {
    json!({ "id": "pi_1", "status": status, "amount_received": 50, "currency": "usd" })
}

fn error(kind: &str) -> Value {
    json!({ "error": { "type": kind, "code": "card_declined" } })
}

#[tokio::test]
async fn a_token_is_looked_at_without_charging_it() {
    let shop = Shop::open().await;
    assert_eq!(shop.verified.funds, Funds::Reserved(shop.offer.price));
    assert!(!shop.verified.reference.contains("spt_1") && shop.verified.reference.len() <= 255);
    assert_eq!(shop.fake.asked(), []);
    let capabilities = shop.account.capabilities();
    assert!(capabilities.authorizes && capabilities.refunds && capabilities.test);
}

#[tokio::test]
async fn what_is_no_token_pays_nothing() {
    let shop = Shop::open().await;
    let challenge = challenges(&shop.account, &shop.offer).await.remove(0);
    let long = format!("spt_{}", "a".repeat(200));
    for spt in ["", "spt", "tok_1", "spt_1 ", "spt_1\r\nx", "spt_1'", &long] {
        let credential = credential(&challenge, json!({ "spt": spt }));
        let refused = shop.account.verify(&shop.offer, &credential).await;
        assert_eq!(code(refused), "verification-failed", "{spt:?}");
    }
    let after = challenges(&shop.account, &shop.offer).await.remove(0);
    let late = Offer {
        now: NOW + 900_000,
        ..shop.offer.clone()
    };
    let credential = credential(&after, json!({ "spt": "spt_1" }));
    let refused = shop.account.verify(&late, &credential).await;
    assert_eq!(code(refused), "payment-expired");
}

#[tokio::test]
async fn a_token_is_charged_once_under_one_key() {
    let shop = Shop::open().await;
    let settled = shop.settled(&[(200, intent("succeeded"))]).await.unwrap();
    assert_eq!(settled.standing, Standing::Paid(shop.offer.price));
    let proof: Value = serde_json::from_str(&settled.proof.unwrap()).unwrap();
    assert_eq!(
        proof,
        json!({ "method": "stripe", "challengeId": shop.challenge, "reference": "pi_1", "at": NOW })
    );
    shop.account.settle(&shop.payment()).await.unwrap();
    let asked = shop.fake.asked();
    assert_eq!((asked.len(), &asked[0]), (2, &asked[1]));
    let (path, key, form) = &asked[0];
    assert_eq!(path, "/v1/payment_intents");
    assert_eq!(*key, format!("{}_spt_1", shop.challenge));
    let expected = [
        ("amount", "50"),
        ("currency", "usd"),
        ("confirm", "true"),
        ("shared_payment_granted_token", "spt_1"),
        ("metadata[coinop_reference]", &shop.verified.reference),
        ("payment_method_types[0]", "card"),
    ];
    for (name, value) in expected {
        assert_eq!(form[name], value, "{name}");
    }
}

#[tokio::test]
async fn a_declined_card_is_final_and_trouble_is_not() {
    let shop = Shop::open().await;
    for (status, kind) in [(402, "card_error"), (400, "invalid_request_error")] {
        let settled = shop.settled(&[(status, error(kind))]).await.unwrap();
        assert_eq!(settled, Standing::Declined.into(), "{status} {kind}");
    }
    for (status, kind) in [
        (500, "api_error"),
        (401, "invalid_request_error"),
        (400, "idempotency_error"),
    ] {
        let settled = shop.settled(&[(status, error(kind))]).await;
        assert!(
            matches!(settled, Err(ProviderError::Unreachable(_))),
            "{status} {kind}"
        );
    }
    let busy = shop.settled(&[(409, error("idempotency_error"))]).await;
    assert!(matches!(busy, Err(ProviderError::Busy(_))));
    let nonsense = shop.settled(&[(200, json!({ "hello": 1 }))]).await;
    assert!(matches!(nonsense, Err(ProviderError::Unreachable(_))));
}

#[tokio::test]
async fn a_charge_that_waits_for_its_payer_is_called_off() {
    let shop = Shop::open().await;
    let waiting = (200, intent("requires_action"));
    let settled = shop
        .settled(&[waiting.clone(), (200, intent("canceled"))])
        .await;
    assert_eq!(settled.unwrap(), Standing::Declined.into());
    assert_eq!(shop.fake.asked()[1].0, "/v1/payment_intents/pi_1/cancel");
    // Paid while it was called off: asked again, it is seen.
    let settled = shop
        .settled(&[waiting, (400, error("invalid_request_error"))])
        .await;
    assert_eq!(settled.unwrap(), Standing::Pending.into());
    let settled = shop.settled(&[(200, intent("processing"))]).await;
    assert_eq!(settled.unwrap(), Standing::Pending.into());
}

#[tokio::test]
async fn after_the_keys_time_it_is_looked_up_and_never_charged_again() {
    let shop = Shop::open().await;
    *shop.clock.0.lock().unwrap() = NOW + 24 * 60 * 60 * 1000;
    *shop.fake.found.lock().unwrap() = json!({ "data": [intent("succeeded")] });
    let settled = shop.account.settle(&shop.payment()).await.unwrap();
    assert_eq!(settled.standing, Standing::Paid(shop.offer.price));
    *shop.fake.found.lock().unwrap() = json!({ "data": [] });
    let settled = shop.account.settle(&shop.payment()).await.unwrap();
    assert_eq!(settled.standing, Standing::Released);
    assert_eq!(shop.fake.asked(), []);
}

#[tokio::test]
async fn a_charge_is_sent_back_by_its_reference_alone() {
    let shop = Shop::open().await;
    *shop.fake.found.lock().unwrap() = json!({ "data": [intent("succeeded")] });
    shop.fake
        .answers(&[(200, json!({ "status": "succeeded" }))]);
    let refund = shop.refund();
    assert_eq!(shop.account.refund(&refund).await.unwrap(), Refunded::Done);
    let (path, key, form) = &shop.fake.asked()[0];
    assert_eq!((path.as_str(), key.as_str()), ("/v1/refunds", "refund-1"));
    assert_eq!(
        (form["payment_intent"].as_str(), form["amount"].as_str()),
        ("pi_1", "50")
    );

    let states = [
        ("succeeded", Refunded::Done),
        ("pending", Refunded::Pending),
        ("failed", Refunded::Failed),
    ];
    for (status, expected) in states {
        let made = json!({ "data": [
            { "status": "succeeded", "metadata": { "coinop_refund": "another" } },
            { "status": status, "metadata": { "coinop_refund": "refund-1" } },
        ] });
        *shop.fake.refunds.lock().unwrap() = made;
        let standing = shop.account.refund_standing(&refund).await.unwrap();
        assert_eq!(standing, Some(expected));
    }
    *shop.fake.refunds.lock().unwrap() = json!({ "data": [] });
    assert_eq!(shop.account.refund_standing(&refund).await.unwrap(), None);
    // A search that lags behind is no answer.
    *shop.fake.found.lock().unwrap() = json!({ "data": [] });
    let unknown = shop.account.refund_standing(&refund).await;
    assert!(matches!(unknown, Err(ProviderError::Unreachable(_))));
}

#[tokio::test]
async fn another_price_is_not_charged_for() {
    let shop = Shop::open().await;
    for (amount, currency) in [("0.49", "USD"), ("0.505", "USD"), ("0.50", "EUR")] {
        let price = Money::parse(amount, currency).unwrap();
        assert!(shop.account.chargeable(&price).is_err(), "{price}");
    }
}
