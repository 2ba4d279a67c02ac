//! A world for gate tests: a real ledger in a temporary file, a clock that stands still, a bank and a runner that do
//! what they are told.

use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicI64, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use arc_swap::ArcSwap;
use coinop_core::Millis;
use coinop_core::call::{Failure, Remedy};
use coinop_core::digest::Digest;
use coinop_core::mode;
use coinop_core::money::{Amount, Money};
use coinop_core::outcome::{Content, Outcome};
use coinop_core::peer::Dialog;
use coinop_core::price::Price;
use coinop_core::principal::Principal;
use futures::future::BoxFuture;
use serde_json::{Map, Value, json};
use tokio_util::sync::CancellationToken;

use super::till::{Till, VALID_MS};
use crate::catalog::{Entry, Listing, Snapshot};
use crate::clock::Clock;
use crate::gate::{
    Accounts, CallerCaps, Errand, Gate, Invocation, Job, Parts, Ready, Reply, Runner,
};
use crate::ledger::sqlite::SqliteLedger;
use crate::ledger::{CallKey, Components as _, Ledger, Record};
use crate::limits::Limits;
use crate::plugin::{Annotations, Contract, Effects, Manifest, ToolDecl};
use crate::provider::*;
use crate::quarantine::SetAside;

/// When every test begins.
pub(super) const START: Millis = 1_000_000;

/// How long what is paid waits for its caller.
pub(super) const CLAIM_WINDOW: Duration = Duration::from_secs(3_600);

/// A clock that stands still, or one that runs ahead whenever somebody waits for it.
#[derive(Clone)]
pub(super) struct FakeClock(Arc<AtomicI64>, Arc<std::sync::atomic::AtomicBool>);

impl FakeClock {
    fn at(now: Millis) -> Self {
        Self(Arc::new(AtomicI64::new(now)), Arc::default())
    }

    /// From now on a wait takes its time at once.
    pub(super) fn run_ahead(&self) {
        self.1.store(true, Ordering::SeqCst);
    }

    /// From now on nothing passes by itself.
    pub(super) fn stand_still(&self) {
        self.1.store(false, Ordering::SeqCst);
    }
}

impl Clock for FakeClock {
    fn now(&self) -> Millis {
        self.0.load(Ordering::SeqCst)
    }

    fn sleep(&self, time: Duration) -> BoxFuture<'static, ()> {
        if !self.1.load(Ordering::SeqCst) {
            return Box::pin(tokio::time::sleep(time));
        }
        let now = self.0.clone();
        Box::pin(async move {
            tokio::task::yield_now().await;
            now.fetch_add(time.as_millis() as i64, Ordering::SeqCst);
        })
    }
}

/// A provider whose payers and faults are scripted.
pub(super) struct Bank {
    pub(super) authorizes: bool,
    pub(super) standing: Mutex<Standing>,
    pub(super) down: std::sync::atomic::AtomicBool,
    pub(super) cannot_cancel: std::sync::atomic::AtomicBool,
    /// Says nothing to what payers decide.
    pub(super) is_silent: std::sync::atomic::AtomicBool,
    pub(super) refunds: Mutex<BTreeMap<String, i64>>,
    /// Whether refunds are made and their answers lost.
    pub(super) loses_refund_answers: std::sync::atomic::AtomicBool,
    /// What was sent back, in the currency it was ordered in.
    pub(super) sent: Mutex<Vec<Money>>,
    /// Sends back whole payments only.
    pub(super) sends_back_whole: std::sync::atomic::AtomicBool,
    /// What the next requests for a refund meet, in order; what is not scripted is made.
    pub(super) refunding: Mutex<VecDeque<Refunding>>,
    /// The keys of all that were asked for.
    pub(super) refunds_asked: Mutex<Vec<String>>,
    /// What becomes of refunds, by key, where that differs from whether they were made; `None`: it does not say.
    pub(super) refund_standings: Mutex<Option<BTreeMap<String, Refunded>>>,
    /// How often it was asked how a payment stands.
    pub(super) checks: AtomicU32,
    pub(super) settles: AtomicU32,
    /// What settling answers, `None` where it takes the price.
    pub(super) settling: Mutex<Option<Result<Standing, String>>>,
    pub(super) releases: AtomicU32,
    pub(super) online: bool,
    /// How long it remembers a key, `None` for ever.
    pub(super) key_window: Mutex<Option<Duration>>,
    /// Payments that it made when it was asked for them, by key.
    pub(super) made: Mutex<Vec<String>>,
    /// Whether payments are made and the answers lost.
    pub(super) loses_payments: std::sync::atomic::AtomicBool,
    /// Sends no money back.
    pub(super) keeps: std::sync::atomic::AtomicBool,
    /// What it was asked to make payments of.
    pub(super) asked: Mutex<Vec<Money>>,
}

/// What a request for a refund meets.
#[derive(Clone, Copy)]
pub(super) enum Refunding {
    /// It is made, and the answer is lost.
    AnswerLost,
    /// There is no answer, and it may still arrive.
    OnItsWay,
    /// It is taken in, to be finished later.
    Pending,
    /// It was given up.
    Failed,
    /// It is refused for good.
    Refused,
}

impl Bank {
    fn make_refund(&self, refund: &Refund) {
        let mut made = self.refunds.lock().unwrap();
        let earlier = made.insert(refund.key.clone(), refund.amount.nanos());
        if earlier.is_none() {
            self.sent.lock().unwrap().push(refund.money());
        }
    }

    /// What went back all in all, 10^-9 units.
    pub(super) fn sent_back(&self) -> i64 {
        self.refunds.lock().unwrap().values().sum()
    }

    fn answer<T>(&self, value: T) -> Result<T, ProviderError> {
        if self.down.load(Ordering::SeqCst) {
            return Err(ProviderError::Unreachable("scripted".into()));
        }
        Ok(value)
    }

    fn created(&self, request: &CreatePayment) -> CreatedPayment {
        self.asked.lock().unwrap().push(request.price);
        CreatedPayment {
            reference: Digest::of(request.key.as_str().as_bytes()).short(),
            url: None,
        }
    }
}

impl Provider for Bank {
    fn kind(&self) -> &'static str {
        "bank"
    }
    fn capabilities(&self) -> Capabilities {
        Capabilities {
            authorizes: self.authorizes,
            refunds: !self.keeps.load(Ordering::SeqCst),
            webhooks: true,
            test: true,
            pays_on_host_page: true,
            links: true,
            key_window: *self.key_window.lock().unwrap(),
            late_window: Duration::ZERO,
            timeout: Duration::from_secs(1),
            lifetime_max: Duration::from_secs(3_600),
        }
    }
    fn chargeable(&self, _: &Money) -> Result<(), NotChargeable> {
        Ok(())
    }
    fn create_offline(&self, request: &CreatePayment) -> Option<CreatedPayment> {
        (!self.online).then(|| self.created(request))
    }
    fn create<'a>(
        &'a self,
        request: &'a CreatePayment,
    ) -> BoxFuture<'a, Result<CreatedPayment, ProviderError>> {
        Box::pin(async {
            let created = self.answer(self.created(request))?;
            self.made.lock().unwrap().push(request.key.to_string());
            match self.loses_payments.load(Ordering::SeqCst) {
                true => Err(ProviderError::Unreachable("the answer was lost".into())),
                false => Ok(created),
            }
        })
    }
    fn lookup<'a>(
        &'a self,
        request: &'a CreatePayment,
    ) -> BoxFuture<'a, Result<Option<CreatedPayment>, ProviderError>> {
        Box::pin(async {
            let made = self.made.lock().unwrap();
            let made = made.iter().any(|key| key == request.key.as_str());
            self.answer(made.then(|| self.created(request)))
        })
    }
    fn status<'a>(&'a self, _: &'a PaymentRef) -> BoxFuture<'a, Result<Standing, ProviderError>> {
        self.checks.fetch_add(1, Ordering::SeqCst);
        Box::pin(async { self.answer(*self.standing.lock().unwrap()) })
    }
    fn cancel<'a>(&'a self, _: &'a PaymentRef) -> BoxFuture<'a, Result<Standing, ProviderError>> {
        Box::pin(async {
            let standing = *self.standing.lock().unwrap();
            let stays = standing != Standing::Pending || self.cannot_cancel.load(Ordering::SeqCst);
            self.answer(if stays { standing } else { Standing::Canceled })
        })
    }
    fn refund<'a>(&'a self, refund: &'a Refund) -> BoxFuture<'a, Result<Refunded, ProviderError>> {
        Box::pin(async {
            self.answer(())?;
            let mut asked = self.refunds_asked.lock().unwrap();
            asked.push(refund.key.clone());
            let is_whole = refund.amount == refund.received.amount;
            if self.sends_back_whole.load(Ordering::SeqCst) && !is_whole {
                return Err(ProviderError::Refused("whole payments only".into()));
            }
            match self.refunding.lock().unwrap().pop_front() {
                None => self.make_refund(refund),
                Some(Refunding::AnswerLost) => {
                    self.make_refund(refund);
                    return Err(ProviderError::Unreachable("the answer was lost".into()));
                }
                Some(Refunding::OnItsWay) => {
                    return Err(ProviderError::Unreachable("scripted".into()));
                }
                Some(Refunding::Pending) => return Ok(Refunded::Pending),
                Some(Refunding::Failed) => return Ok(Refunded::Failed),
                Some(Refunding::Refused) => return Err(ProviderError::Refused("no".into())),
            }
            match self.loses_refund_answers.load(Ordering::SeqCst) {
                true => Err(ProviderError::Unreachable("scripted".into())),
                false => Ok(Refunded::Done),
            }
        })
    }
    fn refund_standing<'a>(
        &'a self,
        refund: &'a Refund,
    ) -> BoxFuture<'a, Result<Option<Refunded>, ProviderError>> {
        Box::pin(async {
            self.answer(())?;
            let standings = self.refund_standings.lock().unwrap();
            let Some(standings) = standings.as_ref() else {
                let operation = "list refunds";
                return Err(ProviderError::Unsupported { operation });
            };
            let made = self.refunds.lock().unwrap().contains_key(&refund.key);
            let scripted = standings.get(&refund.key).copied();
            Ok(scripted.or(made.then_some(Refunded::Done)))
        })
    }
    fn settle<'a>(
        &'a self,
        payment: &'a PaymentRef,
    ) -> BoxFuture<'a, Result<Settled, ProviderError>> {
        Box::pin(async {
            self.answer(())?;
            self.settles.fetch_add(1, Ordering::SeqCst);
            let scripted = self.settling.lock().unwrap().clone();
            scripted
                .unwrap_or(Ok(Standing::Paid(payment.price)))
                .map(Settled::from)
                .map_err(ProviderError::Refused)
        })
    }
    fn release<'a>(&'a self, _: &'a PaymentRef) -> BoxFuture<'a, Result<Standing, ProviderError>> {
        Box::pin(async {
            self.answer(())?;
            self.releases.fetch_add(1, Ordering::SeqCst);
            Ok(Standing::Released)
        })
    }
    fn decide<'a>(
        &'a self,
        payment: &'a PaymentRef,
        decision: Decision,
    ) -> BoxFuture<'a, Result<Standing, ProviderError>> {
        Box::pin(async move {
            let standing = match decision {
                Decision::Pay => Standing::Paid(payment.price),
                Decision::Decline => Standing::Declined,
            };
            if self.is_silent.load(Ordering::SeqCst) {
                std::future::pending::<()>().await;
            }
            *self.standing.lock().unwrap() = standing;
            Ok(standing)
        })
    }
    /// Signed by a header, the body two words: the event's id and the reference.
    fn verify_webhook<'a>(
        &'a self,
        webhook: Webhook<'a>,
    ) -> BoxFuture<'a, Result<WebhookNotice, WebhookError>> {
        Box::pin(async move {
            if !webhook.headers.contains(&("signed".into(), "yes".into())) {
                return Err(WebhookError::Signature);
            }
            let body = std::str::from_utf8(webhook.body).ok();
            let words = body.and_then(|body| body.split_once(' '));
            let (event_id, reference) = words.ok_or(WebhookError::Content)?;
            Ok(WebhookNotice {
                event_id: event_id.into(),
                reference: reference.into(),
            })
        })
    }
}

/// A runner that counts and answers, or fails, or waits to be let go.
#[derive(Default)]
pub(super) struct Counter {
    pub(super) runs: AtomicU32,
    pub(super) fails: std::sync::atomic::AtomicBool,
    /// How many of the next runs fail.
    pub(super) fails_next: AtomicU32,
    pub(super) has_no_code: std::sync::atomic::AtomicBool,
    /// Whether the plugin may reach something that a run could change.
    pub(super) reaches_out: std::sync::atomic::AtomicBool,
    /// Whether the plugin keeps failing.
    pub(super) sets_aside: std::sync::atomic::AtomicBool,
    /// Whether every place is taken: whoever does not wait is told so.
    pub(super) is_full: std::sync::atomic::AtomicBool,
    pub(super) hold: Mutex<Option<Arc<tokio::sync::Notify>>>,
    /// What the code's loading waits for.
    pub(super) loading: Mutex<Option<Arc<tokio::sync::Notify>>>,
    pub(super) started: tokio::sync::Notify,
}

impl Runner for Counter {
    fn may_repeat(&self, _: &str, _: Effects) -> bool {
        !self.reaches_out.load(Ordering::SeqCst)
    }

    fn prepare(&self, errand: Errand) -> BoxFuture<'_, Result<Ready, Failure>> {
        Box::pin(async move {
            if errand.patience.is_zero() && self.is_full.load(Ordering::SeqCst) {
                return Err(Failure {
                    kind: crate::gate::BUSY.into(),
                    message: "every place is taken".into(),
                });
            }
            let loading = self.loading.lock().unwrap().clone();
            if let Some(loading) = loading {
                self.started.notify_one();
                loading.notified().await;
            }
            match self.has_no_code.load(Ordering::SeqCst) {
                true => Err(Failure {
                    kind: "host_unavailable".into(),
                    message: "no code".into(),
                }),
                false => Ok(Ready::default()),
            }
        })
    }

    fn refuses(&self, _: &Digest, plugin: &str) -> Option<SetAside> {
        self.sets_aside.load(Ordering::SeqCst).then(|| SetAside {
            plugin: plugin.to_owned(),
            retry_after_s: 30,
        })
    }

    fn run(&self, job: Job) -> BoxFuture<'_, Result<Outcome, Failure>> {
        Box::pin(async move {
            let run = self.runs.fetch_add(1, Ordering::SeqCst) + 1;
            self.started.notify_one();
            let hold = self.hold.lock().unwrap().clone();
            if let Some(hold) = hold {
                hold.notified().await;
            }
            let less = |left: u32| left.checked_sub(1);
            let next = self
                .fails_next
                .fetch_update(Ordering::SeqCst, Ordering::SeqCst, less);
            if next.is_ok() || self.fails.load(Ordering::SeqCst) {
                return Err(Failure {
                    kind: "trap".into(),
                    message: "it trapped".into(),
                });
            }
            Ok(Outcome {
                content: vec![Content::text(format!("run {run} of {}", job.arguments))],
                ..Outcome::default()
            })
        })
    }
}

pub(super) struct World {
    pub(super) gate: Gate,
    pub(super) ledger: Arc<SqliteLedger>,
    pub(super) bank: Arc<Bank>,
    pub(super) till: Arc<Till>,
    pub(super) account: &'static str,
    pub(super) accepts: Vec<String>,
    pub(super) upfront: bool,
    pub(super) runner: Arc<Counter>,
    pub(super) clock: Arc<FakeClock>,
    pub(super) mode: &'static str,
    pub(super) effects: Effects,
    pub(super) price: Money,
    pub(super) on_failure: Remedy,
    pub(super) retries: u32,
    caps: CallerCaps,
    folder: Arc<tempfile::TempDir>,
}

impl World {
    pub(super) async fn new() -> Self {
        Self::build(false, false).await
    }

    pub(super) async fn build(authorizes: bool, online: bool) -> Self {
        let folder = Arc::new(tempfile::tempdir().unwrap());
        let bank = Arc::new(Bank {
            authorizes,
            standing: Mutex::new(Standing::Pending),
            down: false.into(),
            cannot_cancel: false.into(),
            is_silent: false.into(),
            refunds: Mutex::default(),
            loses_refund_answers: false.into(),
            sent: Mutex::default(),
            sends_back_whole: false.into(),
            refunding: Mutex::default(),
            refunds_asked: Mutex::default(),
            refund_standings: Mutex::new(Some(BTreeMap::new())),
            checks: AtomicU32::new(0),
            settles: AtomicU32::new(0),
            settling: Mutex::default(),
            releases: AtomicU32::new(0),
            online,
            key_window: Mutex::default(),
            made: Mutex::default(),
            loses_payments: false.into(),
            keeps: false.into(),
            asked: Mutex::default(),
        });
        let clock = Arc::new(FakeClock::at(START));
        let runner = Arc::new(Counter::default());
        let till = Arc::new(Till::default());
        till.valid_until.store(START + VALID_MS, Ordering::SeqCst);
        till.has_links.store(true, Ordering::SeqCst);
        Self::host(folder, (bank, till), clock, runner, CallerCaps::default()).await
    }

    /// A world whose callers have caps.
    pub(super) async fn capped(caps: CallerCaps) -> Self {
        let world = Self::new().await;
        let (folder, bank) = (world.folder.clone(), world.bank.clone());
        Self::host(
            folder,
            (bank, world.till.clone()),
            world.clock.clone(),
            world.runner.clone(),
            caps,
        )
        .await
    }

    /// Another host on the same ledger file, bank and clock.
    pub(super) async fn another_host(&self) -> Self {
        Self::host(
            self.folder.clone(),
            (self.bank.clone(), self.till.clone()),
            self.clock.clone(),
            self.runner.clone(),
            self.caps.clone(),
        )
        .await
    }

    async fn host(
        folder: Arc<tempfile::TempDir>,
        (bank, till): (Arc<Bank>, Arc<Till>),
        clock: Arc<FakeClock>,
        runner: Arc<Counter>,
        caps: CallerCaps,
    ) -> Self {
        let path = folder.path().join("ledger.sqlite3");
        let ledger = Arc::new(SqliteLedger::open(&path, START).unwrap());
        ledger
            .keep_component(component(), Arc::from(&b"component"[..]), START)
            .await
            .unwrap();
        let mut accounts = Accounts::new();
        accounts.insert("main".into(), bank.clone());
        accounts.insert("till".into(), till.clone());
        // The same payments are presented to either.
        accounts.insert("kiosk".into(), till.clone());
        let gate = Gate::new(Parts {
            ledger: ledger.clone(),
            runner: runner.clone(),
            accounts,
            clock: clock.clone(),
            pay_base: Arc::new(ArcSwap::from_pointee("http://pay.test".into())),
            quote_lifetime: Duration::from_secs(60),
            claim_window: CLAIM_WINDOW,
            retention: Duration::from_secs(3_600),
            caps: caps.clone(),
        });
        Self {
            gate,
            ledger,
            bank,
            till,
            account: "main",
            accepts: Vec::new(),
            upfront: false,
            runner,
            clock,
            mode: "two_step",
            effects: Effects::Unspecified,
            price: price(),
            on_failure: Remedy::Refund,
            retries: 0,
            caps,
            folder,
        }
    }

    /// A gate on the same ledger, bank and clock whose offers stand for longer.
    pub(super) fn gate_with_lifetime(&self, quote_lifetime: Duration) -> Gate {
        let mut accounts = Accounts::new();
        accounts.insert("main".into(), self.bank.clone());
        Gate::new(Parts {
            ledger: self.ledger.clone(),
            runner: self.runner.clone(),
            accounts,
            clock: self.clock.clone(),
            pay_base: Arc::new(ArcSwap::from_pointee("http://pay.test".into())),
            quote_lifetime,
            claim_window: CLAIM_WINDOW,
            retention: Duration::from_secs(3_600),
            caps: self.caps.clone(),
        })
    }

    /// Does something to the ledger's file that no host would.
    pub(super) fn sql(&self, sql: &str) {
        let file = rusqlite::Connection::open(self.folder.path().join("ledger.sqlite3"));
        file.unwrap().execute_batch(sql).unwrap();
    }

    pub(super) fn pass(&self, ms: Millis) {
        self.clock.0.fetch_add(ms, Ordering::SeqCst);
    }

    pub(super) fn paid(&self) {
        *self.bank.standing.lock().unwrap() = if self.bank.authorizes {
            Standing::Authorized(price())
        } else {
            Standing::Paid(price())
        };
    }

    /// The payer pays what is asked.
    pub(super) fn paid_with(&self, money: Money) {
        *self.bank.standing.lock().unwrap() = Standing::Paid(money);
    }

    /// Nobody has paid what is asked from now on.
    pub(super) fn unpaid(&self) {
        *self.bank.standing.lock().unwrap() = Standing::Pending;
    }

    /// What `principal` holds as balance.
    pub(super) async fn balance(&self, principal: &Principal) -> Amount {
        let (account, currency) = ("main".to_owned(), self.price.currency);
        let balance = self.ledger.credit(principal.clone(), account, currency);
        balance.await.unwrap()
    }

    pub(super) fn listing(&self, name: &str) -> Arc<Listing> {
        let schema = json!({"type": "object"});
        let tool = ToolDecl {
            name: name.into(),
            title: None,
            description: String::new(),
            input_schema: schema.to_string(),
            output_schema: None,
            annotations: Annotations::default(),
            price: None,
            effects: self.effects,
            meta: None,
        };
        Arc::new(Listing {
            name: name.into(),
            plugin: "weather".into(),
            manifest: Arc::new(Manifest {
                digest: component(),
                contract: Contract::Plugin {
                    version: "0.1.0".to_owned(),
                },
                imports: Vec::new(),
                tools: vec![tool.clone()],
            }),
            tool,
            price: Price::PerCall(self.price),
            mode: mode::by_name(self.mode).unwrap(),
            surface: mode::by_name(self.mode).unwrap().surface(),
            account: self.account.into(),
            test: true,
            accepts: self.accepts.clone(),
            upfront: self.upfront,
            limits: Limits::default(),
            on_failure: self.on_failure,
            retries: self.retries,
            repeatable: self.effects != Effects::Effectful,
            settings: Arc::default(),
            payment_id_argument: "payment_id".into(),
            description: String::new(),
            input_schema: Arc::new(schema.as_object().unwrap().clone()),
            output_schema: None,
            validator: Arc::new(
                crate::sandbox::schema::Schema::compile(&schema.to_string()).unwrap(),
            ),
        })
    }

    pub(super) async fn invoke(
        &self,
        entry: Entry,
        arguments: Value,
        principal: &Principal,
    ) -> Reply {
        self.gate
            .call(invocation(entry, arguments, principal))
            .await
    }

    /// Calls the paid tool as `principal`.
    pub(super) async fn ask(&self, arguments: Value, principal: &Principal) -> Reply {
        self.invoke(
            Entry::Tool(self.listing("get_forecast")),
            arguments,
            principal,
        )
        .await
    }

    /// Calls its confirm tool.
    pub(super) async fn confirm(&self, id: &str, principal: &Principal) -> Reply {
        let entry = Entry::Confirm(self.listing("get_forecast"));
        self.invoke(entry, json!({"payment_id": id}), principal)
            .await
    }

    pub(super) async fn record(&self, id: &str) -> Record {
        let key = CallKey::Payment(id.parse().unwrap());
        self.ledger.find(key).await.unwrap().unwrap()
    }

    pub(super) async fn state(&self, id: &str) -> &'static str {
        self.record(id).await.call.state.name()
    }

    pub(super) fn runs(&self) -> u32 {
        self.runner.runs.load(Ordering::SeqCst)
    }

    /// What the host leaves on disk when it ends.
    pub(super) async fn files_at_the_end(self) -> Vec<Vec<u8>> {
        let folder = self.folder.clone();
        self.gate.drain(Duration::from_secs(5)).await;
        drop(self);
        let files = std::fs::read_dir(folder.path()).unwrap();
        files
            .map(|file| std::fs::read(file.unwrap().path()).unwrap())
            .collect()
    }

    /// The ledger sums to zero, and nothing is owed.
    pub(super) async fn books_are_square(&self) {
        let balances = self.ledger.balances().await.unwrap();
        assert_eq!(
            balances.iter().map(|b| b.amount.nanos()).sum::<i64>(),
            0,
            "{balances:?}"
        );
        let owed = balances.iter().find(|b| b.book == "undelivered");
        assert_eq!(owed.map_or(0, |b| b.amount.nanos()), 0, "{balances:?}");
    }
}

pub(super) fn invocation(entry: Entry, arguments: Value, principal: &Principal) -> Invocation {
    let Value::Object(arguments) = arguments else {
        panic!("arguments are an object")
    };
    let _: &Map<String, Value> = &arguments;
    Invocation {
        snapshot: Arc::new(Snapshot::default()),
        entry,
        arguments,
        principal: principal.clone(),
        progress: None,
        cancel: CancellationToken::new(),
        dialog: Dialog::default(),
        mode: None,
        viewer: None,
        resumption: None,
        credential: None,
    }
}

pub(super) fn price() -> Money {
    Money::parse("0.003", "USD").unwrap()
}

pub(super) fn component() -> Digest {
    Digest::of(b"component")
}

/// The payment id of a request for payment with this status.
pub(super) fn asked(reply: &Reply, status: mode::AskStatus) -> String {
    match reply {
        Reply::Ask { ask, .. } if ask.status == status => ask.payment_id.to_string(),
        other => panic!("expected {status:?}, got {other:?}"),
    }
}

/// The text of an outcome.
pub(super) fn text(reply: &Reply) -> String {
    match reply {
        Reply::Outcome(delivery) => match &delivery.outcome.content[0] {
            Content::Text { text } => text.clone(),
            other => panic!("{other:?}"),
        },
        other => panic!("expected an outcome, got {other:?}"),
    }
}
