//! The host without a transport, in this process: gate, ledger and sandbox.

use std::sync::Arc;

use anyhow::{Context, Result, bail, ensure};
use arc_swap::ArcSwap;
use coinop::app;
use coinop::catalog::Catalog;
use coinop::catalog::library::Library;
use coinop::config::{Config, Overrides, Places};
use coinop::gate::{CallerCaps, Gate, Invocation, Parts, Reply};
use coinop::reload::{Notices, Reload, Setup};
use coinop_core::peer::Dialog;
use coinop_core::principal::Principal;
use coinop_tests::home::Home;
use serde_json::{Map, Value};
use tokio_util::sync::CancellationToken;

use crate::servers;

/// A host that is called by functions.
pub(crate) struct Shop {
    gate: Gate,
    catalog: Arc<Catalog>,
    _reload: Reload,
}

impl Shop {
    /// Opens the host of `home` and waits until its plugins are loaded.
    ///
    /// # Errors
    /// When it cannot be opened.
    pub(crate) async fn open(home: &Home) -> Result<Self> {
        let config = config(home)?;
        let ledger = app::open_ledger(&config).await?;
        let accounts = app::accounts(&config, &ledger).await?;
        let sandbox = Arc::new(app::open_sandbox(&config)?);
        let library = Arc::new(Library::new(sandbox, ledger.clone()));
        let catalog = Arc::new(Catalog::default());
        let gate = Gate::new(Parts {
            ledger: ledger.clone(),
            runner: library.clone(),
            accounts: accounts.clone(),
            clock: ledger.clock(),
            pay_base: Arc::new(ArcSwap::default()),
            quote_lifetime: config.quote_lifetime,
            claim_window: config.claim_wait,
            retention: config.outcome_retention,
            caps: CallerCaps {
                known: config.callers.known.clone(),
                ..CallerCaps::default()
            },
        });
        let reload = Reload::start(Setup {
            config,
            catalog: catalog.clone(),
            library,
            ledger,
            chargeable: app::chargeable(accounts),
            notices: Notices::Polling,
        });
        reload.settled().await;
        Ok(Self {
            gate,
            catalog,
            _reload: reload,
        })
    }

    /// A free call with that text.
    ///
    /// # Errors
    /// When it is not answered.
    pub(crate) async fn free(&self, text: &str) -> Result<()> {
        answered(self.call("echo", "text", text).await?)
    }

    /// A paid call with that text, which the sandbox account pays at once, and its confirmation.
    ///
    /// # Errors
    /// When either is not answered as it should be.
    pub(crate) async fn pair(&self, text: &str) -> Result<()> {
        let Reply::Ask { ask, .. } = self.call("echo_paid", "text", text).await? else {
            bail!("no payment is asked for");
        };
        let id = ask.payment_id.as_str();
        answered(self.call("confirm_echo_paid", "payment_id", id).await?)
    }

    async fn call(&self, tool: &str, argument: &str, value: &str) -> Result<Reply> {
        let snapshot = self.catalog.snapshot();
        let entry = snapshot.tools.get(tool).context("the tool is listed")?;
        let entry = entry.clone();
        let arguments = Map::from_iter([(argument.to_owned(), Value::from(value))]);
        let invocation = Invocation {
            snapshot,
            entry,
            arguments,
            principal: Principal::local(),
            progress: None,
            cancel: CancellationToken::new(),
            dialog: Dialog::default(),
            mode: None,
            viewer: None,
            resumption: None,
            credential: None,
        };
        Ok(self.gate.call(invocation).await)
    }
}

fn answered(reply: Reply) -> Result<()> {
    ensure!(
        matches!(reply, Reply::Outcome(_)),
        "the tool did not answer"
    );
    Ok(())
}

fn config(home: &Home) -> Result<Config> {
    let overrides = Overrides {
        config: Some(home.path("coinop.toml")),
        mode: Some(servers::MODE.to_owned()),
        ..Overrides::default()
    };
    let places = Places {
        config_file: home.path("coinop.toml"),
        plugins_dir: home.path("plugins"),
        state: home.ledger(),
        cache_dir: home.path("cache"),
    };
    let config = Config::load(overrides, places);
    config.map_err(|errors| anyhow::anyhow!("{errors:?}"))
}
