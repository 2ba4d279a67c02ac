//! Acme Pay on loopback: the service behind `examples/provider-rust`. It remembers keys, pays when a test says so, and
//! fails as it is told: before or after it did what it was asked.

pub mod books;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE};
use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use coinop::clock::{Clock as _, SystemClock};
use coinop::provider::sandbox::signature;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use self::books::{Answer, Books, Payment, shown};

/// The key it takes: of pretended money.
pub const KEY: &str = "test_hunter2-of-acme";
/// What its webhooks are signed with.
pub const WEBHOOK_SECRET: &str = "whsec_hunter3-of-acme";

/// How it fails one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// With 503, and nothing is done.
    Before,
    /// With 502, once it is done.
    After,
    /// With an answer that is cut in the middle, once it is done.
    Cut,
    /// With 429 and a time to wait, and nothing is done.
    Busy,
}

#[derive(Default)]
struct Desk {
    base: String,
    books: Mutex<Books>,
    /// Whether it lists everything, whatever it is asked for.
    ignores_filters: AtomicBool,
    /// Faults to come, of requests by this method.
    faults: Mutex<Vec<(Method, Fault)>>,
    requests: Mutex<Vec<String>>,
}

type Shared = Arc<Desk>;

/// Serves until it is dropped.
pub struct Acme {
    /// Where its API is.
    pub url: String,
    desk: Shared,
    serving: JoinHandle<()>,
}

impl Acme {
    /// Starts one on a port of its own.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0")
            .await
            .expect("a port is free");
        let url = format!("http://{}", listener.local_addr().expect("it is bound"));
        let desk = Arc::new(Desk {
            base: url.clone(),
            ..Desk::default()
        });
        let router = Router::new()
            .route("/v1/payments", post(create).get(find))
            .route("/v1/payments/{id}", get(status))
            .route("/v1/payments/{id}/cancel", post(cancel))
            .route("/v1/payments/{id}/refunds", post(refund).get(refunds))
            .route("/v1/statement", get(statement))
            .with_state(desk.clone());
        let serving = tokio::spawn(async move {
            axum::serve(listener, router).await.expect("it serves");
        });
        Self { url, desk, serving }
    }

    /// What it knows.
    pub fn books(&self) -> MutexGuard<'_, Books> {
        held(&self.desk.books)
    }

    /// Fails the next request by this method.
    pub fn fail(&self, method: Method, fault: Fault) {
        held(&self.desk.faults).push((method, fault));
    }

    /// From now on its lists hold everything, whatever they are asked for.
    pub fn ignore_filters(&self) {
        self.desk.ignores_filters.store(true, Ordering::SeqCst);
    }

    /// Every request it was sent, as `POST /v1/payments`, in order.
    pub fn requests(&self) -> Vec<String> {
        held(&self.desk.requests).clone()
    }

    /// The payer pays so many minor units, if the payment is open.
    pub fn pay(&self, id: &str, amount: u64) {
        self.close(id, "paid", Some(amount));
    }

    /// An open payment comes to another end.
    pub fn end(&self, id: &str, status: &str) {
        self.close(id, status, None);
    }

    fn close(&self, id: &str, status: &str, received: Option<u64>) {
        let mut books = self.books();
        let payment = books.payment(id).expect("the payment was made");
        if payment.status == "open" {
            payment.status = status.to_owned();
            payment.received = received;
            payment.paid_at = SystemClock.now();
        }
    }

    /// The payment with this reference of the merchant's.
    pub fn payment_of(&self, reference: &str) -> Option<Payment> {
        let books = self.books();
        let found = books.payments.iter().find(|it| it.reference == reference);
        found.cloned()
    }

    /// A webhook about a payment, signed at `at_ms`: the signature header's value, and the body.
    pub fn webhook(event: &str, payment: &str, at_ms: i64) -> (String, Vec<u8>) {
        let body = json!({ "id": event, "type": "payment.paid", "payment": payment });
        let body = body.to_string().into_bytes();
        // The same scheme as the sandbox's, which is Stripe's.
        let secret = WEBHOOK_SECRET.as_bytes().to_vec();
        (signature::sign(&[secret], at_ms / 1_000, &body), body)
    }
}

impl Drop for Acme {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Desk {
    /// Answers, unless it was told to fail.
    fn answer(
        &self,
        asked: (Method, String, &HeaderMap),
        act: impl FnOnce(&mut Books) -> Answer,
    ) -> Response {
        let (method, path, headers) = asked;
        held(&self.requests).push(format!("{method} {path}"));
        let authorized = headers
            .get(AUTHORIZATION)
            .is_some_and(|value| value.as_bytes() == format!("Bearer {KEY}").as_bytes());
        if !authorized {
            return StatusCode::UNAUTHORIZED.into_response();
        }
        let fault = self.fault(&method);
        match fault {
            Some(Fault::Before) => return StatusCode::SERVICE_UNAVAILABLE.into_response(),
            Some(Fault::Busy) => {
                return (StatusCode::TOO_MANY_REQUESTS, [("retry-after", "2")]).into_response();
            }
            Some(Fault::After | Fault::Cut) | None => {}
        }
        let (status, body) = act(&mut held(&self.books));
        let status = StatusCode::from_u16(status).expect("a status");
        let text = body.to_string();
        match fault {
            Some(Fault::After) => StatusCode::BAD_GATEWAY.into_response(),
            Some(Fault::Cut) => (status, text[..text.len() / 2].to_owned()).into_response(),
            _ => (status, [(CONTENT_TYPE, "application/json")], text).into_response(),
        }
    }

    fn lists_all(&self) -> bool {
        self.ignores_filters.load(Ordering::SeqCst)
    }

    fn fault(&self, method: &Method) -> Option<Fault> {
        let mut faults = held(&self.faults);
        let next = faults.iter().position(|(of, _)| of == method)?;
        Some(faults.remove(next).1)
    }
}

fn key(headers: &HeaderMap) -> String {
    let key = headers
        .get("idempotency-key")
        .and_then(|it| it.to_str().ok());
    key.unwrap_or_default().to_owned()
}

fn json_of(body: &Bytes) -> Value {
    serde_json::from_slice(body).unwrap_or_default()
}

async fn create(State(desk): State<Shared>, headers: HeaderMap, body: Bytes) -> Response {
    let (request, base) = (json_of(&body), desk.base.clone());
    let asked = (Method::POST, "/v1/payments".to_owned(), &headers);
    desk.answer(asked, |books| {
        books.once(&key(&headers), &request, |books| {
            books.create(&base, &request)
        })
    })
}

type Parameters = Query<BTreeMap<String, String>>;

async fn find(
    State(desk): State<Shared>,
    Query(query): Parameters,
    headers: HeaderMap,
) -> Response {
    let base = desk.base.clone();
    desk.answer(
        (Method::GET, "/v1/payments".to_owned(), &headers),
        |books| {
            let own = |payment: &&Payment| {
                desk.lists_all() || Some(&payment.reference) == query.get("reference")
            };
            let found = books.payments.iter().filter(own);
            let found: Vec<Value> = found.map(|payment| shown(&base, payment)).collect();
            (200, json!({ "payments": found }))
        },
    )
}

async fn status(
    State(desk): State<Shared>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Response {
    let base = desk.base.clone();
    let asked = (Method::GET, format!("/v1/payments/{id}"), &headers);
    desk.answer(asked, |books| match books.payment(&id) {
        Some(payment) => (200, shown(&base, payment)),
        None => (404, json!({ "error": "no_such_payment" })),
    })
}

async fn cancel(
    State(desk): State<Shared>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Response {
    let base = desk.base.clone();
    let asked = (Method::POST, format!("/v1/payments/{id}/cancel"), &headers);
    desk.answer(asked, |books| books.cancel(&base, &id))
}

async fn refund(
    State(desk): State<Shared>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let (request, key) = (json_of(&body), key(&headers));
    let asked = (Method::POST, format!("/v1/payments/{id}/refunds"), &headers);
    desk.answer(asked, |books| {
        books.once(&key, &request, |books| books.refund(&id, &key, &request))
    })
}

async fn refunds(
    State(desk): State<Shared>,
    Path(id): Path<String>,
    Query(query): Parameters,
    headers: HeaderMap,
) -> Response {
    let asked = (Method::GET, format!("/v1/payments/{id}/refunds"), &headers);
    desk.answer(asked, |books| {
        let own =
            |refund: &&books::Refund| desk.lists_all() || Some(&refund.key) == query.get("key");
        let found = books.refunds.iter().filter(own);
        let shown = |refund: &books::Refund| json!({ "key": refund.key, "status": "done" });
        let found: Vec<Value> = found.map(shown).collect();
        (200, json!({ "refunds": found }))
    })
}

async fn statement(
    State(desk): State<Shared>,
    Query(query): Parameters,
    headers: HeaderMap,
) -> Response {
    let number = |name: &str| query.get(name).and_then(|value| value.parse::<i64>().ok());
    let (since, until) = (number("since").unwrap_or(0), number("until").unwrap_or(0));
    let after = usize::try_from(number("cursor").unwrap_or(0)).unwrap_or(0);
    let asked = (Method::GET, "/v1/statement".to_owned(), &headers);
    desk.answer(asked, |books| books.statement(since, until, after))
}
