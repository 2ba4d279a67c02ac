//! The pages as a browser meets them, over a cashier that records what it is asked.

use std::sync::Mutex;

use axum::body::Body;
use axum::extract::Request;
use coinop_core::Millis;
use coinop_core::call::Remedy;
use coinop_core::ids::PaymentId;
use coinop_core::money::Money;
use coinop_core::principal::Principal;
use futures::FutureExt as _;
use futures::future::BoxFuture;
use http_body_util::BodyExt as _;
use tower::ServiceExt as _;

use super::*;
use crate::gate::PageState;

const NOW: Millis = 1_795_170_725_000;
const LINK: &str = "lnk_aebagbafaydqqcikbmga2dqpca";
const LOCAL: &str = "http://127.0.0.1:7402";

/// Fourteen minutes and a bit before expiry.
fn view() -> PageView {
    PageView {
        tool: "get_forecast".into(),
        plugin: "weather".into(),
        payer: Some(Principal::api_key("ada")),
        price: Money::parse("0.003", "USD").unwrap(),
        due: Money::parse("0.003", "USD").unwrap(),
        refunded: Money::parse("0", "USD").unwrap(),
        provider: "sandbox".into(),
        provider_url: None,
        expires_at: NOW + 14 * 60_000 + 30_000,
        test: true,
        pays_here: true,
        authorizes: false,
        on_failure: Some(Remedy::Refund),
        state: PageState::Open,
    }
}

/// Knows one link.
struct Till {
    view: Mutex<PageView>,
    decided: Mutex<Vec<Decision>>,
    broken: bool,
}

impl Cashier for Till {
    fn page(&self, link: LinkToken) -> BoxFuture<'_, Result<Option<PageView>, LedgerError>> {
        async move {
            if self.broken {
                return Err(LedgerError::Unavailable("disk /secret/path is gone".into()));
            }
            let view = self.view.lock().unwrap().clone();
            Ok((link.as_str() == LINK).then_some(view))
        }
        .boxed()
    }

    fn decide(
        &self,
        link: LinkToken,
        decision: Decision,
    ) -> BoxFuture<'_, Result<Option<PageView>, LedgerError>> {
        async move {
            let Some(mut view) = self.page(link).await? else {
                return Ok(None);
            };
            self.decided.lock().unwrap().push(decision);
            view.state = match decision {
                Decision::Pay => PageState::Paid,
                Decision::Decline => PageState::Declined,
            };
            *self.view.lock().unwrap() = view.clone();
            Ok(Some(view))
        }
        .boxed()
    }
}

struct Fixed;

impl Clock for Fixed {
    fn now(&self) -> Millis {
        NOW
    }
}

struct Bench {
    till: Arc<Till>,
    router: Router,
}

struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: String,
}

fn bench(view: PageView) -> Bench {
    bench_at(LOCAL, view, false)
}

fn bench_at(base: &str, view: PageView, broken: bool) -> Bench {
    let till = Arc::new(Till {
        view: Mutex::new(view),
        decided: Mutex::default(),
        broken,
    });
    let settings = PaySettings {
        public_base: Arc::new(ArcSwap::from_pointee(base.to_owned())),
    };
    let router = router(till.clone(), Arc::new(Fixed), settings);
    Bench { till, router }
}

impl Bench {
    async fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header("host", "127.0.0.1:7402");
        for (name, value) in headers {
            let named = request.headers_mut().unwrap();
            named.insert(
                name.parse::<header::HeaderName>().unwrap(),
                value.parse().unwrap(),
            );
        }
        let request = request.body(Body::from(body.to_owned())).unwrap();
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        Answer {
            status: parts.status,
            headers: parts.headers,
            body: String::from_utf8(body.to_vec()).unwrap(),
        }
    }

    async fn get(&self, path: &str) -> Answer {
        self.send("GET", path, &[], "").await
    }

    async fn post(&self, path: &str) -> Answer {
        let ours = [("sec-fetch-site", "same-origin"), ("origin", LOCAL)];
        self.send("POST", path, &ours, "").await
    }

    fn decided(&self) -> Vec<Decision> {
        self.till.decided.lock().unwrap().clone()
    }
}

impl Answer {
    fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .unwrap_or_else(|| panic!("no {name}"))
            .to_str()
            .unwrap()
    }

    #[track_caller]
    fn says(&self, facts: &[&str]) {
        for fact in facts {
            assert!(self.body.contains(fact), "no {fact:?} in\n{}", self.body);
        }
    }

    #[track_caller]
    fn never_says(&self, words: &[&str]) {
        for word in words {
            assert!(!self.body.contains(word), "{word:?} in\n{}", self.body);
        }
    }
}

fn page() -> String {
    format!("/pay/{LINK}")
}

#[tokio::test]
async fn an_open_payment_shows_what_it_buys_and_how_to_decide() {
    let answer = bench(view()).get(&page()).await;
    assert_eq!(answer.status, StatusCode::OK);
    answer.says(&[
        "<title>Pay 0.003 USD for get_forecast · coinop</title>",
        "<strong>TEST</strong>",
        "<span class=\"amount\">0.003</span> USD",
        "<bdi>get_forecast</bdi>",
        "<bdi>weather</bdi>",
        "<dt>Asked by</dt><dd>API key <bdi>ada</bdi></dd>",
        "This pays a call of API key <bdi>ada</bdi> and nobody else’s.",
        "in 14 minutes",
        "<time datetime=\"2026-11-20T10:46:35Z\">20 Nov 2026, 10:46 UTC</time>",
        &format!(
            "<form method=\"post\" action=\"{LINK}/pay\"><button class=\"primary\">Pay 0.003 USD"
        ),
        &format!("<form method=\"post\" action=\"{LINK}/decline\"><button>Decline"),
        "aria-label=\"QR code of this page's address\"",
        "this computer only",
        "<meta http-equiv=\"refresh\" content=\"871\">",
        "<html lang=\"en\">",
    ]);
    answer.never_says(&["<script", "javascript:", "pay_", "onclick", " style="]);
    assert!(answer.body.len() < 64 * 1024, "{}", answer.body.len());
}

#[tokio::test]
async fn a_payer_reads_whose_call_it_is() {
    use coinop_core::principal::PrincipalKind;
    let known = |kind, issuer: &str, subject: &str| {
        let (issuer, subject) = (issuer.to_owned(), subject.to_owned());
        Some(Principal {
            kind,
            issuer,
            subject,
        })
    };
    let issuer = "https://id.example.org";
    let cases = [
        (Some(Principal::local()), "the user of this machine"),
        (
            known(PrincipalKind::Token, issuer, "u-<17>"),
            "<bdi>u-&lt;17&gt;</bdi>, known to <bdi>https://id.example.org</bdi>",
        ),
        (
            known(PrincipalKind::Wallet, "", "0xabc"),
            "wallet <bdi>0xabc</bdi>",
        ),
    ];
    for (payer, words) in cases {
        let answer = bench(PageView { payer, ..view() }).get(&page()).await;
        answer.says(&[&format!("<dt>Asked by</dt><dd>{words}</dd>")]);
        answer.says(&[&format!("This pays a call of {words} and nobody else’s.")]);
    }
    for payer in [None, Some(Principal::anonymous())] {
        let answer = bench(PageView { payer, ..view() }).get(&page()).await;
        answer.never_says(&["Asked by", "nobody else"]);
    }
}

#[tokio::test]
async fn a_head_request_is_answered_without_a_body() {
    let answer = bench(view()).send("HEAD", &page(), &[], "").await;
    assert_eq!((answer.status, answer.body.as_str()), (StatusCode::OK, ""));
    assert_eq!(answer.header("content-type"), "text/html; charset=utf-8");
}

#[tokio::test]
async fn every_answer_is_strict_with_browsers() {
    let bench = bench(view());
    let style = bench.get(&page()).await.body;
    let style = style.split("<style>").nth(1).unwrap();
    let style = style.split("</style>").next().unwrap();
    let hash = data_encoding::BASE64.encode(&<sha2::Sha256 as sha2::Digest>::digest(style));
    for answer in [
        bench.get(&page()).await,
        bench.get("/pay/nonsense").await,
        bench.send("PUT", &page(), &[], "").await,
        bench.post(&format!("/pay/{LINK}/pay")).await,
    ] {
        let policy = answer.header("content-security-policy");
        for rule in [
            "default-src 'none'",
            "form-action 'self'",
            "frame-ancestors 'none'",
            "base-uri 'none'",
            &format!("style-src 'sha256-{hash}'"),
        ] {
            assert!(policy.contains(rule), "{policy}");
        }
        assert!(
            !policy.contains("unsafe") && !policy.contains("script"),
            "{policy}"
        );
        assert_eq!(answer.header("referrer-policy"), "same-origin");
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
        assert_eq!(answer.header("cache-control"), "no-store");
        assert_eq!(answer.header("x-frame-options"), "DENY");
        assert!(answer.header("x-robots-tag").contains("noindex"));
    }
}

#[tokio::test]
async fn names_that_somebody_else_chose_stay_text() {
    let attack = "</title><script>alert(1)</script>\"'&\u{202e}";
    let mut hostile = view();
    for name in [
        &mut hostile.tool,
        &mut hostile.plugin,
        &mut hostile.provider,
    ] {
        *name = attack.into();
    }
    for state in [PageState::Open, PageState::Paid, PageState::Returned] {
        hostile.state = state;
        let answer = bench(hostile.clone()).get(&page()).await;
        answer.says(&["&lt;script&gt;alert(1)&lt;/script&gt;&quot;&#39;&amp;\u{fffd}"]);
        answer.never_says(&["<script", "\u{202e}"]);
        assert_eq!(answer.body.matches("</title>").count(), 1);
    }
}

#[tokio::test]
async fn every_state_says_what_happened_and_offers_nothing_more() {
    let cases = [
        (
            PageState::Paid,
            "<h1>Paid</h1>",
            "go back to your assistant",
        ),
        (
            PageState::Declined,
            "<h1>Declined</h1>",
            "Nothing was charged",
        ),
        (
            PageState::Expired,
            "<h1>Expired</h1>",
            "Nothing was charged",
        ),
        (
            PageState::Returned,
            "<h1>Returned</h1>",
            "gone back or is on its way",
        ),
        (
            PageState::Refunded,
            "<h1>Returned</h1>",
            "was delivered, and the seller sent the money back",
        ),
        (
            PageState::Credited,
            "<h1>Credited</h1>",
            "The next calls are paid from it first",
        ),
        (
            PageState::Attention,
            "<h1>Being looked into</h1>",
            "The seller has been told; nothing is lost",
        ),
    ];
    for (state, heading, text) in cases {
        let answer = bench(PageView { state, ..view() }).get(&page()).await;
        assert_eq!(answer.status, StatusCode::OK);
        answer.says(&[heading, text, "0.003 USD", "get_forecast", "TEST"]);
        answer.never_says(&["<form", "<button", "http-equiv", "class=\"qr\""]);
    }
}

#[tokio::test]
async fn what_went_back_is_told_beside_the_price() {
    let mut part = view();
    part.state = PageState::Paid;
    let answer = bench(part.clone()).get(&page()).await;
    answer.never_says(&["Sent back"]);
    part.refunded = Money::parse("0.001", "USD").unwrap();
    let answer = bench(part).get(&page()).await;
    answer.says(&["<h1>Paid</h1>", "<dt>Sent back</dt><dd>0.001 USD</dd>"]);
}

#[tokio::test]
async fn what_comes_from_the_balance_is_not_asked_for_again() {
    let mut part = view();
    part.price = Money::parse("0.005", "USD").unwrap();
    let answer = bench(part.clone()).get(&page()).await;
    answer.says(&[
        "<title>Pay 0.003 USD for get_forecast",
        "<span class=\"amount\">0.003</span> USD",
        "Pay 0.003 USD</button>",
        "<dt>Price</dt><dd>0.005 USD, 0.002 USD of it from the balance</dd>",
    ]);
    part.state = PageState::Paid;
    let answer = bench(part).get(&page()).await;
    answer.says(&["0.005 USD, 0.002 USD of it from the balance"]);
    let whole = bench(view()).get(&page()).await;
    whole.never_says(&["from the balance"]);
}

#[tokio::test]
async fn the_page_promises_only_what_will_be_done() {
    let cases = [
        (Some(Remedy::Refund), "the money goes back"),
        (Some(Remedy::Credit), "becomes a balance"),
        (None, "the seller sees to it"),
    ];
    for (on_failure, promise) in cases {
        let view = PageView {
            on_failure,
            ..view()
        };
        bench(view).get(&page()).await.says(&[promise]);
    }
}

#[tokio::test]
async fn a_reservation_is_called_one() {
    let mut held = view();
    held.authorizes = true;
    let open = bench(held.clone()).get(&page()).await;
    open.says(&["Reserve 0.003 USD</button>", "taken only once"]);
    held.state = PageState::Paid;
    let reserved = bench(held).get(&page()).await;
    reserved.says(&["<h1>Reserved</h1>"]);
}

#[tokio::test]
async fn a_provider_with_its_own_page_is_linked() {
    let mut theirs = view();
    theirs.pays_here = false;
    theirs.test = false;
    theirs.provider = "stripe".into();
    theirs.provider_url = Some("https://checkout.example.com/c/1?a=1&b='2".into());
    let answer = bench_at("https://tools.example.org", theirs.clone(), false)
        .get(&page())
        .await;
    answer.says(&[
        "href=\"https://checkout.example.com/c/1?a=1&amp;b=&#39;2\"",
        "<bdi>checkout.example.com</bdi>",
        "Scan to pay on your phone",
        "http-equiv=\"refresh\" content=\"15\"",
    ]);
    answer.never_says(&["<form", "TEST"]);

    for unsafe_url in [
        "javascript:alert(1)",
        "data:text/html,x",
        "//evil.example",
        "",
    ] {
        theirs.provider_url = Some(unsafe_url.into());
        let answer = bench(theirs.clone()).get(&page()).await;
        answer.says(&["being prepared"]);
        answer.never_says(&["class=\"button", "alert(1)", "evil.example"]);
    }
}

#[tokio::test]
async fn coming_back_from_a_provider_changes_words_only() {
    let mut theirs = view();
    theirs.pays_here = false;
    theirs.provider_url = Some("https://checkout.example.com/c/1".into());
    let bench = bench(theirs);
    let back = bench
        .get(&format!("/pay/{LINK}/return?status=paid&success=1"))
        .await;
    assert_eq!(back.status, StatusCode::SEE_OTHER);
    assert_eq!(back.header("location"), format!("../{LINK}?returned=1"));
    let shown = bench.get(&format!("/pay/{LINK}?returned=1&paid=1")).await;
    shown.says(&[
        "Waiting for word from sandbox",
        "http-equiv=\"refresh\" content=\"5\"",
    ]);
    assert_eq!(bench.decided(), []);
}

#[tokio::test]
async fn a_post_decides_and_shows_the_page_again() {
    for (action, decision, heading) in [
        ("pay", Decision::Pay, "<h1>Paid</h1>"),
        ("decline", Decision::Decline, "<h1>Declined</h1>"),
    ] {
        let bench = bench(view());
        let answer = bench.post(&format!("/pay/{LINK}/{action}")).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER);
        assert_eq!(answer.header("location"), format!("../{LINK}"));
        assert_eq!(bench.decided(), [decision]);
        bench.get(&page()).await.says(&[heading]);
    }
}

#[tokio::test]
async fn a_get_never_decides() {
    let bench = bench(view());
    for action in ["pay", "decline"] {
        let answer = bench.get(&format!("/pay/{LINK}/{action}")).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER);
        assert_eq!(answer.header("location"), format!("../{LINK}"));
    }
    bench.get(&format!("/pay/{LINK}?pay=1&decision=pay")).await;
    let put = bench
        .send("PUT", &format!("/pay/{LINK}/pay"), &[], "")
        .await;
    assert_eq!(put.status, StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(bench.decided(), []);
}

#[tokio::test]
async fn another_site_cannot_decide() {
    let cases: &[&[(&str, &str)]] = &[
        &[("sec-fetch-site", "cross-site")],
        &[("sec-fetch-site", "same-site")],
        &[("origin", "https://evil.example")],
        &[("origin", "null")],
    ];
    let bench = bench(view());
    for headers in cases {
        let answer = bench
            .send("POST", &format!("/pay/{LINK}/pay"), headers, "")
            .await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{headers:?}");
        answer.says(&["<h1>"]);
    }
    assert_eq!(bench.decided(), []);
}

#[tokio::test]
async fn malformed_and_unknown_links_look_the_same() {
    let bench = bench(view());
    let unknown = bench.get("/pay/lnk_aaaaaaaaaaaaaaaaaaaaaaaaaa").await;
    assert_eq!(unknown.status, StatusCode::NOT_FOUND);
    unknown.says(&["<h1>No such payment</h1>"]);
    let payment = PaymentId::from_random([1; 16]);
    for path in [
        "/pay/x",
        "/pay/%ff",
        "/pay/LNK_%00",
        &format!("/pay/{payment}"),
    ] {
        let malformed = bench.get(path).await;
        assert_eq!(malformed.status, StatusCode::NOT_FOUND, "{path}");
        assert_eq!(malformed.body, unknown.body, "{path}");
        let posted = bench.post(&format!("{path}/pay")).await;
        assert_eq!(posted.status, StatusCode::NOT_FOUND, "{path}");
        assert_eq!(posted.body, unknown.body, "{path}");
    }
    let posted = bench.post("/pay/lnk_aaaaaaaaaaaaaaaaaaaaaaaaaa/pay").await;
    assert_eq!(
        (posted.status, posted.body),
        (StatusCode::NOT_FOUND, unknown.body)
    );
}

#[tokio::test]
async fn a_ledger_that_is_away_is_said_to_be_and_no_more() {
    let bench = bench_at(LOCAL, view(), true);
    for answer in [
        bench.get(&page()).await,
        bench.post(&format!("/pay/{LINK}/pay")).await,
    ] {
        assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(answer.header("retry-after"), "5");
        answer.says(&["<h1>Not available now</h1>"]);
        answer.never_says(&["/secret/path"]);
    }
}

#[tokio::test]
async fn a_form_that_is_not_ours_is_not_read() {
    let bench = bench(view());
    let long = "x".repeat(BODY_BYTES_MAX + 1);
    let answer = bench
        .send("POST", &format!("/pay/{LINK}/pay"), &[], &long)
        .await;
    assert_eq!(answer.status, StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(bench.decided(), []);
}
