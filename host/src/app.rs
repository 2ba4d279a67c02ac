//! The composition root: the only place that knows every concrete type, and the order in which things start and stop.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use arc_swap::ArcSwap;
use coinop_core::call::Failure;
use coinop_core::outcome::Outcome;
use futures::future::BoxFuture;
use reqwest::Url;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::TaskTracker;

use crate::catalog::Catalog;
use crate::catalog::library::Library;
use crate::catalog::resolve::{Chargeable, Charging};
use crate::clock::{Clock, SystemClock};
use crate::config::{self, Config, State};
use crate::descriptors;
use crate::gate::{Accounts, CallerCaps, Errand, Gate, Job, Parts, Ready, Runner};
use crate::keyvalue::KeyValue;
use crate::ledger::Ledger;
use crate::ledger::postgres::{PostgresKeyValue, PostgresLedger};
use crate::ledger::sqlite::{SqliteKeyValue, SqliteLedger};
use crate::provider::component::{self, Pinning};
use crate::provider::mpp;
use crate::provider::registry::Registry;
use crate::provider::sandbox::courier::Courier;
use crate::provider::sandbox::desk::Desk;
use crate::provider::sandbox::purse::Purse;
use crate::provider::sandbox::{self, Flow};
use crate::provider::x402;
use crate::quarantine::Quarantine;
use crate::reload::{Notices, Progress, Reload, Setup};
use crate::sandbox::service::Services;
use crate::sandbox::{Capacity, Sandbox, SandboxSettings};
use crate::server::http::oauth::{self, KeySource, Place};
use crate::server::http::{self, Replies};
use crate::server::pay::{self, PaySettings};
use crate::server::{Server, doorkeeper, keys, metrics, stdio, webhooks};

/// Where everything is kept: calls, and the pretended money of the sandbox provider.
pub trait Store: Ledger + Purse {}

impl<T: Ledger + Purse> Store for T {}

/// How long claimed runs may take to be stored once the host is told to stop: the longest run and its margin.
const DRAIN: Duration = Duration::from_secs(45);
/// How long the first listing waits for components that have to be compiled: some clients list once and never again.
const FIRST_LOADS_WAIT_MAX: Duration = Duration::from_secs(20);
/// Questions to providers that are components, at a time: fewer than calls, since each is short.
const PROVIDER_CAPACITY: Capacity = Capacity {
    memories_max: 64,
    waiting_max: 1024,
};

/// A running host.
pub struct App {
    config: Config,
    clock: Arc<dyn Clock>,
    ledger: Arc<dyn Store>,
    gate: Gate,
    accounts: Accounts,
    desk: Arc<Desk>,
    webhooks: Arc<webhooks::Counts>,
    library: Arc<Library>,
    quarantine: Arc<Quarantine>,
    reload: Reload,
    catalog: Arc<Catalog>,
    server: Arc<Server>,
    pay_base: Arc<ArcSwap<String>>,
    tasks: TaskTracker,
}

impl App {
    /// Opens the ledger, sets up the sandbox, and starts to look at the plugins. Must be called inside a runtime.
    ///
    /// # Errors
    /// Whatever keeps the host from serving safely, with the file or setting to change.
    pub async fn start(config: Config) -> anyhow::Result<Self> {
        descriptors::make_room(config.http.connections_max);
        let ledger = open_ledger(&config).await?;
        let clock = ledger.clock();
        let desk = desk(&ledger, &clock);
        let accounts = accounts_at(&config, &desk).await?;
        let sandbox = open_sandbox(&config)?;
        let quarantine = Arc::new(Quarantine::new(config.quarantine, clock.clone()));
        let library = Library::new(Arc::new(sandbox), ledger.clone())
            .with_keyvalue(keyvalue(&config)?)
            .with_pseudonyms(ledger.clone())
            .with_quarantine(quarantine.clone());
        let library = Arc::new(library);
        let own_base = format!("http://{}", config::DEFAULT_ADDR);
        let pay_base = Arc::new(ArcSwap::from_pointee(
            config.public_url.clone().unwrap_or(own_base),
        ));
        let gate = Gate::new(Parts {
            ledger: ledger.clone(),
            runner: library.clone(),
            accounts: accounts.clone(),
            clock: clock.clone(),
            pay_base: pay_base.clone(),
            quote_lifetime: config.quote_lifetime,
            claim_window: config.claim_wait,
            retention: config.outcome_retention,
            caps: caller_caps(&config),
        });
        gate.start_sweeping();
        let catalog = Arc::new(Catalog::default());
        let (tell_ready, ready) = watch::channel(false);
        let server = Server::new(catalog.clone(), Arc::new(gate.clone()), ready)
            .with_clients(config.clients.clone())
            .with_manners(config.manners);
        let reload = Reload::start(Setup {
            config: config.clone(),
            catalog: catalog.clone(),
            library: library.clone(),
            ledger: ledger.clone(),
            chargeable: chargeable(accounts.clone()),
            notices: Notices::System,
        });
        let app = Self {
            reload,
            library,
            quarantine,
            clock: clock.clone(),
            accounts: accounts.clone(),
            desk,
            webhooks: Arc::default(),
            gate,
            server,
            pay_base,
            tasks: TaskTracker::new(),
            ledger: ledger.clone(),
            catalog: catalog.clone(),
            config: config.clone(),
        };
        app.tasks.spawn(app.server.clone().announce());
        app.tasks
            .spawn(first_listing(app.reload.progress(), tell_ready));
        Ok(app)
    }

    /// What is served.
    pub fn catalog(&self) -> &Arc<Catalog> {
        &self.catalog
    }

    /// The configuration it was started with.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// Waits until every plugin has been looked at and loaded, however long that takes.
    pub async fn settled(&self) {
        self.reload.settled().await;
    }

    /// Serves the local user on stdin and stdout until stdin ends.
    pub async fn serve_stdio(&self) -> anyhow::Result<()> {
        Ok(stdio::serve(self.server.clone()).await?)
    }

    /// Serves MCP and the payment pages on `listener` until the host stops.
    pub async fn serve_http(&self, listener: TcpListener) -> anyhow::Result<()> {
        let addr = listener.local_addr()?;
        if self.config.public_url.is_none() {
            self.pay_base
                .store(Arc::new(format!("http://{}", reachable(addr))));
        }
        let _courier = self.send_courier(addr)?;
        let settings = http::Settings {
            tokens: self.tokens(addr)?,
            ..self.http_settings(addr)
        };
        http::serve(listener, self.server.clone(), settings, self.pages()).await?;
        Ok(())
    }

    /// Serves the payment pages for a host without HTTP of its own, as soon as nobody else of this ledger does, until the
    /// host stops.
    pub async fn keep_pages(&self, addr: SocketAddr) {
        let door = doorkeeper::Door {
            addr,
            ledger_id: self.ledger.id().to_owned(),
            fixed_base: self.config.public_url.is_some(),
            pay_base: self.pay_base.clone(),
        };
        let (server, settings, pages) =
            (self.server.clone(), self.http_settings(addr), self.pages());
        let serve = async |listener: TcpListener| {
            let courier = self.send_courier(listener.local_addr()?);
            let _courier = courier.map_err(std::io::Error::other)?;
            http::serve_pages(listener, server, settings, pages).await
        };
        door.keep(self.stopping(), serve).await;
    }

    /// Has the sandbox's webhooks carried to the door at `addr` for as long as the guard lives.
    fn send_courier(&self, addr: SocketAddr) -> anyhow::Result<DropGuard> {
        let accounts = self.accounts.keys().cloned().collect();
        let courier = Courier::new(self.desk.clone(), accounts, reachable(addr))
            .map_err(anyhow::Error::msg)
            .context("the sandbox's webhooks cannot be sent")?;
        let stop = self.stopping().child_token();
        self.tasks.spawn(courier.run(stop.clone()));
        Ok(stop.drop_guard())
    }

    /// Stops: nothing new begins, what was claimed is stored, and everything is closed.
    pub async fn stop(&self) {
        self.server.drain(DRAIN).await;
        if !self.gate.drain(DRAIN).await {
            tracing::warn!(
                "some runs did not end in time; the next host finishes what they were paid for"
            );
        }
        self.reload.shutdown().await;
        self.library.shutdown().await;
        self.tasks.close();
        self.tasks.wait().await;
    }

    /// Refuses pretended money where strangers could spend it.
    ///
    /// # Errors
    /// Names the account and the ways out.
    pub fn refuse_public_test_money(&self, addr: SocketAddr) -> anyhow::Result<()> {
        if !self.is_public(addr) {
            return Ok(());
        }
        let public_url = self.config.public_url.as_deref();
        let rules = || self.config.plugins.values();
        let mapped = rules().filter_map(|rules| rules.account.as_ref());
        let accepted = rules().filter_map(|rules| rules.accept.as_ref());
        let accepted = accepted.chain([&self.config.accept]).flatten();
        for name in mapped.chain(accepted).chain([&self.config.provider]) {
            let test = self
                .accounts
                .get(name)
                .is_some_and(|a| a.capabilities().test);
            anyhow::ensure!(
                !test,
                "the account {name:?} takes pretended money, and others can reach {}: anybody could use paid tools for \
                 nothing. Configure a real provider, listen on 127.0.0.1 without a public URL, or say \
                 --allow-test-payments",
                public_url.map_or_else(|| addr.to_string(), str::to_owned)
            );
        }
        Ok(())
    }

    /// Cancelled when the host stops: for whoever serves beside it.
    pub fn stopping(&self) -> CancellationToken {
        self.server.closing().clone()
    }

    /// Whether others than this machine can reach a host on `addr`.
    fn is_public(&self, addr: SocketAddr) -> bool {
        let public_url = self.config.public_url.as_deref();
        !addr.ip().is_loopback() || public_url.is_some_and(|url| !is_loopback(url))
    }

    fn pages(&self) -> http::Pages {
        let gate = Arc::new(self.gate.clone());
        let settings = PaySettings {
            public_base: self.pay_base.clone(),
        };
        let guarded = pay::router(gate.clone(), self.clock.clone(), settings)
            .merge(metrics::router(
                self.ledger.clone(),
                self.webhooks.clone(),
                self.quarantine.clone(),
            ))
            .merge(keys::router(self.ledger.clone()));
        let open = webhooks::router(gate, self.webhooks.clone());
        http::Pages { guarded, open }
    }

    /// What takes access tokens, where the configuration says whose.
    fn tokens(&self, addr: SocketAddr) -> anyhow::Result<Option<Arc<oauth::ResourceServer>>> {
        let Some(oauth) = &self.config.http.oauth else {
            return Ok(None);
        };
        let own_base = || format!("http://{}", reachable(addr));
        let base = self.config.public_url.clone().unwrap_or_else(own_base);
        let tokens = oauth::ResourceServer::new(token_settings(oauth, base), self.clock.clone());
        let tokens = tokens.map_err(anyhow::Error::msg);
        Ok(Some(Arc::new(
            tokens.context("access tokens cannot be taken")?,
        )))
    }

    fn http_settings(&self, addr: SocketAddr) -> http::Settings {
        let http = &self.config.http;
        let public_host = self.config.public_url.as_deref().and_then(host_of);
        http::Settings {
            api_keys: http
                .keys
                .iter()
                .map(|(name, sha256)| http::ApiKey {
                    name: name.to_owned(),
                    sha256,
                })
                .collect(),
            anonymous: if http.anonymous {
                http::Anonymous::Allowed
            } else {
                http::Anonymous::Refused
            },
            allowed_hosts: http
                .allowed_hosts
                .iter()
                .cloned()
                .chain(public_host)
                .collect(),
            allowed_origins: http.allowed_origins.clone(),
            replies: match http.replies {
                config::Replies::Json => Replies::Json,
                config::Replies::EventStream => Replies::EventStream,
            },
            connections_max: http.connections_max,
            sessions_max: http.sessions_max,
            session_idle: http.session_idle,
            ledger_id: self.ledger.id().to_owned(),
            ledger: http::LedgerCheck::of(self.ledger.clone()),
            quarantine: self.quarantine.clone(),
            problems: match self.is_public(addr) {
                true => http::Problems::Counted,
                false => http::Problems::InFull,
            },
            ..http::Settings::default()
        }
    }
}

/// The settings of `[http.oauth]` for an endpoint under `base`.
fn token_settings(oauth: &config::OAuth, base: String) -> oauth::Settings {
    let audiences = match oauth.audiences.is_empty() {
        true => vec![format!("{base}/mcp")],
        false => oauth.audiences.clone(),
    };
    let keys = |url: &Url| match oauth.keys.clone() {
        Some(config::OAuthKeys::Given(keys)) => KeySource::Given(keys),
        Some(config::OAuthKeys::Url(url)) => KeySource::At(Place::Url(url)),
        None => KeySource::At(Place::Metadata(url.clone())),
    };
    let issuers = oauth.issuers.iter().map(|(name, url)| oauth::Issuer {
        name: name.clone(),
        keys: keys(url),
    });
    oauth::Settings {
        base,
        issuers: issuers.collect(),
        rules: oauth::Rules {
            audiences,
            algorithms: oauth.algorithms.clone(),
            scopes: oauth.scopes.clone(),
            clock_skew_s: oauth.clock_skew_s,
        },
    }
}

/// Opens the ledger of a configuration.
///
/// # Errors
/// Names the file or the database and what to do.
pub async fn open_ledger(config: &Config) -> anyhow::Result<Arc<dyn Store>> {
    Ok(match &config.state {
        State::Sqlite(path) => Arc::new(SqliteLedger::open(path, SystemClock.now())?),
        State::Postgres(url) => Arc::new(PostgresLedger::open(url.expose()).await?),
    })
}

/// Opens the ledger of a configuration, which is never made here.
///
/// # Errors
/// As [`open_ledger`], and when there is none.
pub async fn existing_ledger(config: &Config) -> anyhow::Result<Arc<dyn Store>> {
    match &config.state {
        State::Sqlite(path) if !path.exists() => anyhow::bail!(
            "there is no ledger {}: no coinop has run with it yet; --state names another one",
            path.display()
        ),
        State::Sqlite(_) => open_ledger(config).await,
        State::Postgres(url) => Ok(Arc::new(PostgresLedger::open_existing(url.expose()).await?)),
    }
}

/// What plugins keep from call to call, beside the ledger. Nothing is opened before it is needed.
///
/// # Errors
/// The database's URL is none.
pub fn keyvalue(config: &Config) -> anyhow::Result<Arc<dyn KeyValue>> {
    Ok(match &config.state {
        State::Sqlite(path) => Arc::new(SqliteKeyValue::beside(path)),
        State::Postgres(url) => {
            let store = PostgresKeyValue::new(url.expose()).map_err(anyhow::Error::msg);
            Arc::new(store.context("the URL of --state")?)
        }
    })
}

/// Sets up the sandbox of a configuration.
///
/// # Errors
/// The engine's pool or the cache directory cannot be had.
pub fn open_sandbox(config: &Config) -> anyhow::Result<Sandbox> {
    let settings = SandboxSettings {
        capacity: config.capacity,
        ..SandboxSettings::new(&config.cache_dir)
    };
    Ok(Sandbox::new(settings)?)
}

/// A gate that shows and decides payments beside a running host. It sweeps nothing and runs nothing.
///
/// # Errors
/// An account that cannot be made.
pub async fn cashier(config: &Config, ledger: &Arc<dyn Store>) -> anyhow::Result<Gate> {
    Ok(Gate::new(Parts {
        ledger: ledger.clone(),
        runner: Arc::new(NoRunner),
        accounts: accounts(config, ledger).await?,
        clock: ledger.clock(),
        pay_base: Arc::new(ArcSwap::default()),
        quote_lifetime: config.quote_lifetime,
        claim_window: config.claim_wait,
        retention: config.outcome_retention,
        caps: caller_caps(config),
    }))
}

fn caller_caps(config: &Config) -> CallerCaps {
    let callers = config.callers.clone();
    CallerCaps {
        known: callers.known,
        anonymous: callers.anonymous,
        keys: callers.keys,
    }
}

/// Runs nothing: looking at a call never claims it.
struct NoRunner;

impl NoRunner {
    fn refusal() -> Failure {
        Failure {
            kind: "unavailable".to_owned(),
            message: "this process runs no tools".to_owned(),
        }
    }
}

impl Runner for NoRunner {
    fn prepare(&self, _errand: Errand) -> BoxFuture<'_, Result<Ready, Failure>> {
        Box::pin(std::future::ready(Err(Self::refusal())))
    }

    fn run(&self, _job: Job) -> BoxFuture<'_, Result<Outcome, Failure>> {
        Box::pin(std::future::ready(Err(Self::refusal())))
    }
}

/// Makes every account of the configuration.
///
/// # Errors
/// An account that cannot be made.
pub async fn accounts(config: &Config, ledger: &Arc<dyn Store>) -> anyhow::Result<Accounts> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    accounts_at(config, &desk(ledger, &clock)).await
}

/// The sandbox's desk over a ledger.
fn desk(ledger: &Arc<dyn Store>, clock: &Arc<dyn Clock>) -> Arc<Desk> {
    let purse: Arc<dyn Purse> = ledger.clone();
    Arc::new(Desk::new(purse, clock.clone()))
}

/// As [`accounts`], with a desk of the caller's. A provider kind is one line here.
async fn accounts_at(config: &Config, desk: &Arc<Desk>) -> anyhow::Result<Accounts> {
    let mut kinds = Registry::default();
    for flow in [Flow::Pay, Flow::Hold] {
        kinds.add(flow.kind(), sandbox::maker(flow, desk.clone()))?;
    }
    kinds.add(mpp::KIND, mpp::maker(Arc::new(SystemClock)))?;
    kinds.add(x402::KIND, x402::maker(Arc::new(SystemClock)))?;
    kinds.add(component::KIND, component::maker(component_host(config)))?;
    let mut accounts = Accounts::new();
    for (name, account) in &config.accounts {
        let made = kinds.account(name, account.kind_name(), account.settings.clone());
        accounts.insert(name.clone(), made.await?);
    }
    Ok(accounts)
}

/// Where providers that are components run: apart from plugins, so that questions about money never wait for them.
fn component_host(config: &Config) -> Arc<component::Host> {
    Arc::new(component::Host {
        services: Services::new(SandboxSettings {
            capacity: PROVIDER_CAPACITY,
            ..SandboxSettings::new(&config.cache_dir)
        }),
        public_base: config.public_url.clone(),
        pinning: match config.trust.locked {
            true => Pinning::Required,
            false => Pinning::Optional,
        },
    })
}

/// Says that the first listing is there: everything is loaded, or has been waited for long enough.
async fn first_listing(mut progress: watch::Receiver<Progress>, ready: watch::Sender<bool>) {
    let complete = progress.wait_for(|progress| progress.scanned && progress.unlisted == 0);
    // Late or not, what is known is listed; the rest is announced when it comes.
    let _ = tokio::time::timeout(FIRST_LOADS_WAIT_MAX, complete).await;
    ready.send_replace(true);
}

/// Says whether an account can charge a price.
pub fn chargeable(accounts: Accounts) -> Arc<Chargeable> {
    Arc::new(move |account, price| {
        let provider = accounts
            .get(account)
            .ok_or_else(|| format!("there is no account {account:?}"))?;
        provider.chargeable(price).map_err(|e| e.to_string())?;
        let capabilities = provider.capabilities();
        Ok(Charging {
            test: capabilities.test,
            links: capabilities.links,
            rail: provider.rail().is_some(),
        })
    })
}

/// An address that a browser on this machine can open.
fn reachable(addr: SocketAddr) -> SocketAddr {
    if addr.ip().is_unspecified() {
        SocketAddr::new(std::net::Ipv4Addr::LOCALHOST.into(), addr.port())
    } else {
        addr
    }
}

/// The host of a URL, without its port.
fn host_of(url: &str) -> Option<String> {
    let uri: ::http::Uri = url.parse().ok()?;
    uri.host().map(str::to_owned)
}

fn is_loopback(url: &str) -> bool {
    host_of(url).is_some_and(|host| {
        host == "localhost"
            || host
                .trim_matches(['[', ']'])
                .parse::<std::net::IpAddr>()
                .is_ok_and(|ip| ip.is_loopback())
    })
}

/// Binds `addr`, or says what to change.
///
/// # Errors
/// Names the address and the flag.
pub async fn bind(addr: SocketAddr) -> anyhow::Result<TcpListener> {
    TcpListener::bind(addr)
        .await
        .with_context(|| format!("cannot listen on {addr}: choose another address with --http"))
}
