//! The route as a provider's server meets it, over a gate that records what it is told.

use std::convert::Infallible;
use std::future::pending;

use axum::http::Method;
use futures::future::BoxFuture;
use futures::{FutureExt as _, StreamExt as _, stream};
use tokio::sync::Notify;
use tower::ServiceExt as _;

use super::*;
use crate::gate::Heard;

/// Headers and body.
type Told = (Vec<(String, String)>, Vec<u8>);

/// Answers by the word in the body, and keeps what it was told.
#[derive(Default)]
struct Ear {
    told: Mutex<Vec<Told>>,
    hold: Notify,
}

impl Notified for Ear {
    fn expects_webhooks(&self, account: &str) -> bool {
        account == "tips" || account == "fees"
    }

    fn webhook<'a>(
        &'a self,
        _account: &'a str,
        headers: &'a [(String, String)],
        body: &'a [u8],
    ) -> BoxFuture<'a, Result<Heard, Unheard>> {
        async move {
            self.told
                .lock()
                .unwrap()
                .push((headers.to_vec(), body.to_vec()));
            match body {
                b"forged" => Err(Unheard::Forged),
                b"not now" => Err(Unheard::NotNow("disk /secret/path is gone".into())),
                b"gone" => Err(Unheard::Unexpected),
                b"again" => Ok(Heard::Before),
                b"hold" => {
                    self.hold.notified().await;
                    Ok(Heard::Looked)
                }
                _ => Ok(Heard::Looked),
            }
        }
        .boxed()
    }
}

struct Bench {
    ear: Arc<Ear>,
    counts: Arc<Counts>,
    router: Router,
}

fn bench(at_once_max: usize) -> Bench {
    bench_with(at_once_max, BODY_WAIT)
}

fn bench_with(at_once_max: usize, body_wait: Duration) -> Bench {
    let (ear, counts) = (Arc::new(Ear::default()), Arc::new(Counts::default()));
    let router = routes(Hooks {
        notified: ear.clone(),
        counts: counts.clone(),
        at_once_max,
        turns: Mutex::default(),
        body_wait,
    });
    Bench {
        ear,
        counts,
        router,
    }
}

impl Bench {
    async fn send(&self, method: Method, path: &str, body: Body) -> Response {
        let request = Request::builder().method(method).uri(path);
        let request = request
            .header("Coinop-Signature", "t=1,v1=aa")
            .header("host", "any.example")
            .header("origin", "https://any.example");
        let request = request.body(body).unwrap();
        self.router.clone().oneshot(request).await.unwrap()
    }

    async fn post(&self, body: Body) -> Response {
        self.send(Method::POST, "/webhooks/tips", body).await
    }

    fn told(&self) -> usize {
        self.ear.told.lock().unwrap().len()
    }

    #[track_caller]
    fn counted(&self, result: &str, expected: u32) {
        let text = self.counts.text();
        let line = format!("coinop_webhooks_total{{result=\"{result}\"}} {expected}");
        assert!(text.lines().any(|found| found == line), "{line}\n{text}");
    }
}

async fn text(response: Response) -> String {
    let body = response.into_body().collect().await.unwrap().to_bytes();
    String::from_utf8(body.to_vec()).unwrap()
}

#[tokio::test]
async fn a_webhook_arrives_byte_for_byte_with_its_headers_in_lower_case() {
    let bench = bench(1);
    let body: &[u8] = b"{\"a\": 1}\r\n\xff\x00";
    assert_eq!(bench.post(Body::from(body)).await.status(), StatusCode::OK);
    let told = bench.ear.told.lock().unwrap().pop().unwrap();
    let signature = ("coinop-signature".to_owned(), "t=1,v1=aa".to_owned());
    assert!(told.0.contains(&signature), "{:?}", told.0);
    assert_eq!(told.1, body);
    bench.counted("looked", 1);
}

#[tokio::test]
async fn a_body_in_pieces_is_one_body() {
    let bench = bench(1);
    let pieces = ["for", "", "ged"].map(Ok::<_, Infallible>);
    let response = bench.post(Body::from_stream(stream::iter(pieces))).await;
    assert_eq!(response.status(), StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn answers_tell_a_provider_whether_to_send_again_and_nobody_why() {
    for (body, expected, counter) in [
        ("good", StatusCode::OK, "looked"),
        ("again", StatusCode::OK, "seen_before"),
        ("forged", StatusCode::BAD_REQUEST, "refused"),
        ("not now", StatusCode::SERVICE_UNAVAILABLE, "failed"),
    ] {
        let bench = bench(1);
        let response = bench.post(Body::from(body)).await;
        assert_eq!(response.status(), expected, "{body}");
        let retry = response.headers().contains_key(RETRY_AFTER);
        assert_eq!(retry, expected == StatusCode::SERVICE_UNAVAILABLE, "{body}");
        assert!(!text(response).await.contains("secret"), "{body}");
        bench.counted(counter, 1);
    }
    let gone = bench(1).post(Body::from("gone")).await;
    assert_eq!(gone.status(), StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn only_posts_for_accounts_that_expect_them_are_read() {
    let bench = bench(1);
    for path in ["/webhooks/other", "/webhooks/ti%70s%2f", "/webhooks/%ff"] {
        // A body that never ends: nobody waits for it.
        let body = Body::from_stream(stream::pending::<Result<Bytes, Infallible>>());
        let response = bench.send(Method::POST, path, body).await;
        assert_eq!(response.status(), StatusCode::NOT_FOUND, "{path}");
    }
    for method in [Method::GET, Method::HEAD, Method::PUT, Method::DELETE] {
        let response = bench
            .send(method.clone(), "/webhooks/tips", Body::empty())
            .await;
        assert_eq!(
            response.status(),
            StatusCode::METHOD_NOT_ALLOWED,
            "{method}"
        );
        assert_eq!(response.headers()["allow"], "POST", "{method}");
    }
    assert_eq!(bench.told(), 0);
}

#[tokio::test]
async fn a_body_is_bounded_in_size_whether_it_is_announced_or_not() {
    let bench = bench(1);
    let most = vec![b'x'; BODY_BYTES_MAX];
    assert_eq!(
        bench.post(Body::from(most.clone())).await.status(),
        StatusCode::OK
    );
    let more = [most.clone(), vec![b'x']].concat();
    let announced = bench.post(Body::from(more)).await;
    assert_eq!(announced.status(), StatusCode::PAYLOAD_TOO_LARGE);
    let endless = stream::repeat(Ok::<_, Infallible>("x".repeat(1 << 16)));
    let streamed = bench.post(Body::from_stream(endless)).await;
    assert_eq!(streamed.status(), StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(bench.told(), 1);
}

#[tokio::test]
async fn a_body_that_does_not_come_is_not_waited_for() {
    let bench = bench_with(1, Duration::from_millis(1));
    let some = stream::once(async { Ok::<_, Infallible>("go") });
    let never = stream::once(pending());
    let response = bench.post(Body::from_stream(some.chain(never))).await;
    assert_eq!(response.status(), StatusCode::REQUEST_TIMEOUT);
    let broken = stream::once(async { Err::<Bytes, _>(std::io::Error::other("reset")) });
    let response = bench.post(Body::from_stream(broken)).await;
    assert_eq!(response.status(), StatusCode::BAD_REQUEST);
    assert_eq!(bench.told(), 0);
}

#[tokio::test]
async fn more_than_can_be_dealt_with_are_sent_again() {
    let bench = bench(1);
    let (held, ()) = tokio::join!(bench.post(Body::from("hold")), async {
        while bench.told() == 0 {
            tokio::task::yield_now().await;
        }
        let refused = bench.post(Body::from("good")).await;
        assert_eq!(refused.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert!(refused.headers().contains_key(RETRY_AFTER));
        assert_eq!(bench.told(), 1);
        let others = bench.send(Method::POST, "/webhooks/fees", Body::from("good"));
        assert_eq!(others.await.status(), StatusCode::OK, "another account");
        bench.ear.hold.notify_one();
    });
    assert_eq!(held.status(), StatusCode::OK);
    assert_eq!(
        bench.post(Body::from("good")).await.status(),
        StatusCode::OK
    );
    bench.counted("failed", 1);
}
