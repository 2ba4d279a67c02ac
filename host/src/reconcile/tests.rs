//! Both sides over a real ledger and a provider whose statement is written down, two lines a page.

use std::collections::BTreeMap;

use coinop_core::arguments::Arguments;
use coinop_core::call::{Event, Remedy};
use coinop_core::ids::{LinkToken, PaymentId};
use coinop_core::money::{Amount, Money};
use coinop_core::payment::Payment;
use coinop_core::principal::Principal;
use coinop_core::quote::Quote;
use futures::FutureExt as _;
use futures::future::BoxFuture;

use super::*;
use crate::ledger::sqlite::SqliteLedger;
use crate::ledger::{Caps, Components as _, NewCall};
use crate::provider::*;

const NOW: Millis = 1_000 * HOUR_MS;
const HOUR_MS: Millis = 3_600_000;
const LINES_A_PAGE: usize = 2;

fn price() -> Money {
    Money::parse("1.00", "USD").unwrap()
}

/// A provider with a statement and nothing else.
#[derive(Default)]
struct Written {
    lines: Vec<StatementLine>,
    /// Whether the first page follows the last one.
    circles: bool,
}

fn nothing<'a, T: Send + 'a>() -> BoxFuture<'a, Result<T, ProviderError>> {
    let operation = "do anything";
    async move { Err(ProviderError::Unsupported { operation }) }.boxed()
}

impl Provider for Written {
    fn kind(&self) -> &'static str {
        "written"
    }
    fn capabilities(&self) -> Capabilities {
        Capabilities {
            authorizes: false,
            refunds: false,
            webhooks: false,
            test: true,
            pays_on_host_page: false,
            links: true,
            key_window: None,
            late_window: Duration::ZERO,
            timeout: Duration::from_secs(5),
            lifetime_max: Duration::from_secs(3_600),
        }
    }
    fn chargeable(&self, _: &Money) -> Result<(), NotChargeable> {
        Ok(())
    }
    fn create<'a>(
        &'a self,
        _: &'a CreatePayment,
    ) -> BoxFuture<'a, Result<CreatedPayment, ProviderError>> {
        nothing()
    }
    fn status<'a>(&'a self, _: &'a PaymentRef) -> BoxFuture<'a, Result<Standing, ProviderError>> {
        nothing()
    }
    fn cancel<'a>(&'a self, _: &'a PaymentRef) -> BoxFuture<'a, Result<Standing, ProviderError>> {
        nothing()
    }
    fn refund<'a>(&'a self, _: &'a Refund) -> BoxFuture<'a, Result<Refunded, ProviderError>> {
        nothing()
    }
    fn statement<'a>(
        &'a self,
        period: Period,
        cursor: Option<String>,
    ) -> BoxFuture<'a, Result<StatementPage, ProviderError>> {
        let from: usize = cursor.map_or(0, |cursor| cursor.parse().unwrap());
        let asked = self.lines.iter();
        let asked: Vec<_> = asked
            .filter(|line| (period.since..period.until).contains(&line.at))
            .skip(from)
            .cloned()
            .collect();
        let more = asked.len() > LINES_A_PAGE;
        let next = if more { from + LINES_A_PAGE } else { 0 };
        let page = StatementPage {
            lines: asked.into_iter().take(LINES_A_PAGE).collect(),
            next: (more || self.circles).then(|| next.to_string()),
        };
        async { Ok(page) }.boxed()
    }
}

struct Bench {
    ledger: SqliteLedger,
    _folder: tempfile::TempDir,
}

impl Bench {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let ledger = SqliteLedger::open(&folder.path().join("ledger"), 0).unwrap();
        let bytes: Arc<[u8]> = Arc::from(&b"component"[..]);
        ledger
            .keep_component(Digest::of(&bytes), bytes, 0)
            .await
            .unwrap();
        Self {
            ledger,
            _folder: folder,
        }
    }

    /// A call that was quoted at a time, and delivered where it was paid.
    async fn call(&self, seed: u8, account: &str, at: Millis, paid: bool) {
        let quote = Quote {
            principal: Principal::anonymous(),
            tool: "t".into(),
            plugin: "p".into(),
            component: Digest::of(b"component"),
            arguments: Arguments::stored("{}".into()).digest(),
            payment_id_argument: "payment_id".into(),
            confirm_tool: None,
            upfront: false,
            price: price(),
            account: account.into(),
            claim_window_ms: 1,
            on_failure: Remedy::Refund,
            retries: 0,
            late_window_ms: 0,
            expires_at: at + HOUR_MS,
        };
        let (payment, link) = (
            PaymentId::from_random([seed; 16]),
            LinkToken::from_random([seed; 16]),
        );
        let payment = Payment::creating(payment, link, "written".into());
        let id = CallId::from_random([seed; 16]);
        let call = Call::quoted(id.clone(), quote, "two_step", at, payment);
        let new = NewCall {
            call,
            arguments: "{}".into(),
            run_spec: "{}".into(),
        };
        self.ledger.open(new, Caps::default()).await.unwrap();
        let mut events: Vec<Event> = vec![
            PaymentEvent::Created {
                reference: format!("ref-{seed}"),
                url: None,
            }
            .into(),
        ];
        if paid {
            events.extend([
                PaymentEvent::Paid { received: price() }.into(),
                Event::Claimed {
                    owner: "host".into(),
                    at,
                    lease_until: at + 10,
                    rerun: false,
                },
                Event::Executed { epoch: 1 },
                Event::Concluded,
            ]);
        }
        let outcome = paid.then(Arc::default);
        let change = Change {
            call: id,
            events,
            outcome,
            at,
        };
        self.ledger.advance(change).await.unwrap();
    }

    async fn run(&self, lines: Vec<StatementLine>, fees: Fees) -> Report {
        let written = Written {
            lines,
            ..Written::default()
        };
        self.compare(written, fees).await.unwrap()
    }

    async fn compare(&self, written: Written, fees: Fees) -> Result<Report, ReconcileError> {
        let written: Arc<dyn Provider> = Arc::new(written);
        let names = ["main", "other"].map(|name| (name.to_owned(), written.clone()));
        let accounts: Accounts = BTreeMap::from(names);
        let scope = Scope {
            account: "main".into(),
            period: Period {
                since: NOW - 24 * HOUR_MS,
                until: NOW,
            },
            now: NOW,
            fees,
        };
        reconcile(&self.ledger, &accounts, &scope).await
    }

    async fn words(&self, lines: Vec<StatementLine>) -> Vec<(&'static str, String)> {
        let report = self.run(lines, Fees::Compare).await;
        let findings = report.findings.iter();
        findings
            .map(|f| (f.difference.word(), f.reference.clone()))
            .collect()
    }
}

fn line(seed: u8, at: Millis) -> StatementLine {
    StatementLine {
        reference: format!("ref-{seed}"),
        received: price(),
        refunded: Amount::ZERO,
        fee: Amount::ZERO,
        at,
    }
}

const YESTERDAY: Millis = NOW - 20 * HOUR_MS;

#[tokio::test]
async fn many_pages_that_agree_are_equal() {
    let bench = Bench::new().await;
    let mut lines = Vec::new();
    for seed in 1..=9 {
        bench.call(seed, "main", YESTERDAY, true).await;
        lines.push(line(seed, YESTERDAY + 1_000));
    }
    let report = bench.run(lines, Fees::Compare).await;
    assert!(report.is_equal(), "{report:?}");
    assert_eq!(report.compared, 9);
    let (_, ledger, provider) = report.totals.iter().next().unwrap();
    assert_eq!(ledger, provider);
    assert_eq!(ledger.received, 9 * i128::from(price().amount.nanos()));
}

#[tokio::test]
async fn what_only_one_side_has_is_found() {
    let bench = Bench::new().await;
    for seed in 1..=3 {
        bench.call(seed, "main", YESTERDAY, true).await;
    }
    bench.call(4, "main", YESTERDAY, false).await;
    let found = bench.words(vec![
        line(1, YESTERDAY),
        line(4, YESTERDAY),
        line(9, YESTERDAY),
    ]);
    let expected = [
        ("unpaid", "ref-4"),
        ("not_in_ledger", "ref-9"),
        ("not_at_provider", "ref-3"),
        ("not_at_provider", "ref-2"),
    ];
    let expected = expected.map(|(word, reference)| (word, reference.to_owned()));
    assert_eq!(found.await, expected);
}

#[tokio::test]
async fn what_runs_over_the_edges_is_matched_and_not_told() {
    let bench = Bench::new().await;
    let (since, until) = (NOW - 24 * HOUR_MS, NOW);
    // Quoted before, paid within; quoted within, paid by a provider whose clock is behind.
    bench.call(1, "main", since - HOUR_MS, true).await;
    bench.call(2, "main", since, true).await;
    // Of other periods altogether.
    bench.call(3, "main", since - 9 * HOUR_MS, true).await;
    let lines = vec![
        line(1, since),
        line(2, since - 1),
        line(8, since - 1),
        line(9, until),
    ];
    let report = bench.run(lines, Fees::Compare).await;
    assert!(report.is_equal(), "{:?}", report.findings);
    assert_eq!(report.compared, 2);
}

#[tokio::test]
async fn another_account_of_the_same_merchant_explains_a_payment() {
    let bench = Bench::new().await;
    bench.call(1, "other", YESTERDAY, true).await;
    assert_eq!(bench.words(vec![line(1, YESTERDAY)]).await, []);
}

#[tokio::test]
async fn what_is_being_noticed_is_not_a_difference_yet() {
    let bench = Bench::new().await;
    bench.call(1, "main", NOW - 60_000, false).await;
    let just_paid = bench.run(vec![line(1, NOW - 1_000)], Fees::Compare).await;
    assert!(just_paid.is_equal());
    assert_eq!(just_paid.under_way, 1);
    bench.call(2, "main", YESTERDAY, false).await;
    let found = bench.words(vec![line(2, YESTERDAY)]).await;
    assert_eq!(found, [("unpaid", "ref-2".to_owned())]);
}

#[tokio::test]
async fn fees_are_recorded_once() {
    let bench = Bench::new().await;
    bench.call(1, "main", YESTERDAY, true).await;
    let with_fee = StatementLine {
        fee: Amount::from_nanos(30_000_000),
        ..line(1, YESTERDAY)
    };
    let lines = vec![with_fee];
    assert_eq!(bench.words(lines.clone()).await[0].0, "fee");
    let recorded = bench.run(lines.clone(), Fees::Record).await;
    assert_eq!((recorded.fees_recorded, recorded.is_equal()), (1, true));
    let sums: Vec<_> = recorded.totals.iter().collect();
    assert_eq!(sums[0].1.fee, sums[0].2.fee, "the fee counts at once");
    let again = bench.run(lines, Fees::Record).await;
    assert_eq!((again.fees_recorded, again.is_equal()), (0, true));
    let balances = bench.ledger.balances().await.unwrap();
    let fees = balances.iter().find(|b| b.book == "fees").unwrap();
    assert_eq!(fees.amount, Amount::from_nanos(30_000_000));
    assert_eq!(balances.iter().map(|b| b.amount.nanos()).sum::<i64>(), 0);
}

#[tokio::test]
async fn more_calls_at_one_time_than_fit_on_a_page_are_all_seen() {
    let bench = Bench::new().await;
    for seed in 1..=7 {
        bench.call(seed, "main", YESTERDAY, true).await;
    }
    bench.call(8, "main", YESTERDAY - 1, true).await;
    let scope = Scope {
        account: "main".into(),
        period: Period {
            since: 0,
            until: NOW,
        },
        now: NOW,
        fees: Fees::Compare,
    };
    let mut pages = Pages::new(&scope);
    pages.limit = 2;
    let mut seen = Vec::new();
    while let Some(page) = pages.next(&bench.ledger).await.unwrap() {
        seen.extend(page.into_iter().map(|record| record.call.id));
    }
    let unique: HashSet<_> = seen.iter().collect();
    assert_eq!((seen.len(), unique.len()), (8, 8));
}

#[tokio::test]
async fn a_statement_that_goes_in_a_circle_is_not_followed_for_ever() {
    let bench = Bench::new().await;
    let circle = Written {
        lines: (1..=5).map(|seed| line(seed, YESTERDAY)).collect(),
        circles: true,
    };
    let told = bench.compare(circle, Fees::Compare).await.unwrap_err();
    let told = told.to_string();
    assert!(told.contains("a page of it was there before"), "{told}");
}

#[test]
fn every_statement_has_an_end() {
    /// After how many pages it is given up, and why.
    fn given_up(mut page: impl FnMut(usize) -> (String, bool)) -> (usize, String) {
        let mut course = Course::default();
        let ends = |n| {
            let (next, is_news) = page(n);
            Some((n + 1, course.goes_on(&next, is_news).err()?.to_string()))
        };
        (0..=PAGES_MAX).find_map(ends).unwrap()
    }
    let (pages, why) = given_up(|n| (["a", "b"][n % 2].to_owned(), true));
    assert!(pages == 3 && why.contains("there before"), "{pages}: {why}");
    let (pages, why) = given_up(|n| (n.to_string(), false));
    let most = IDLE_PAGES_MAX as usize + 1;
    assert!(pages == most && why.contains("no other"), "{pages}: {why}");
    let (pages, why) = given_up(|n| (n.to_string(), n % 2 == 0));
    let most = PAGES_MAX + 1;
    assert!(pages == most && why.contains("shorter"), "{pages}: {why}");
}
