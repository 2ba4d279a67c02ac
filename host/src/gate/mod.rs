//! The gate: performs the core's steps, persists what happened, and never lets a run start unpaid.
//!
//! It owns no policy: [`coinop_core::step::next`] decides. It knows providers, the ledger and the sandbox by their
//! traits only.

mod credential;
mod drive;
mod free;
mod limit;
mod money;
mod operate;
mod page;
mod paid;
mod ready;
mod remedy;
mod reply;
mod runs;
mod sweep;
mod task;
mod viewers;
mod watch;
mod webhook;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use coinop_core::call::Failure;
use coinop_core::digest::Digest;
use coinop_core::ids::PaymentId;
use coinop_core::mode::{Mode, Surface};
use coinop_core::money::Money;
use coinop_core::outcome::Outcome;
use coinop_core::peer::{Answer, Dialog};
use coinop_core::price::Price;
use coinop_core::principal::{Principal, PrincipalKind};
use futures::future::BoxFuture;
use serde_json::{Map, Value};
use tokio::sync::broadcast;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::catalog::{Entry, Listing, Snapshot};
use crate::clock::Clock;
use crate::ledger::{Caps, Ledger, LedgerError};
use crate::limits::Limits;
use crate::plugin::Effects;
use crate::provider::Provider;
use crate::provider::rail::Credential;
use crate::quarantine::SetAside;
use crate::random::{Random, SystemRandom, token_of};
use crate::sandbox::ProgressSink;
pub use limit::{CapScope, Capped};
pub use operate::{No, NotDone, Operated, Operator, RefundRequest, Remedial};
pub use page::{Cashier, PageState, PageView};
pub use ready::{Errand, Ready};
pub use reply::{Challenged, Refusal, Reply};
use runs::Runs;
pub use task::{Task, TaskStage, TaskWish};
pub use viewers::Turns;
use watch::Watchers;
pub use webhook::{Heard, Notified, Unheard};

/// A tool call as it came in.
pub struct Invocation {
    /// The snapshot it is answered from.
    pub snapshot: Arc<Snapshot>,
    /// What was called; from that snapshot.
    pub entry: Entry,
    /// The arguments as sent.
    pub arguments: Map<String, Value>,
    /// Who calls.
    pub principal: Principal,
    /// Hears of progress, when the caller asked for it.
    pub progress: Option<Arc<dyn ProgressSink>>,
    /// The caller's wish to stop. It stops free runs and waits; a claimed run goes on without the caller.
    pub cancel: CancellationToken,
    /// What the client declares, and the operator's manners.
    pub dialog: Dialog,
    /// The operator's choice of mode for this client: it replaces AUTO, and no other mode.
    pub mode: Option<&'static dyn Mode>,
    /// Whose list of tools an open call changes (DYNAMIC_TOOLS): a handle of the session or the principal, `None` where
    /// every caller sees the same list.
    pub viewer: Option<String>,
    /// What the user answered to an earlier request for this call's payment.
    pub resumption: Option<Resumption>,
    /// What the caller presents as payment.
    pub credential: Option<Credential>,
}

/// Where a conversation about a call's payment goes on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resumption {
    /// The payment that was asked for.
    pub payment: PaymentId,
    /// What the user answered.
    pub answer: Answer,
    /// How often the user was asked, this time included.
    pub asked: u32,
}

/// The kind of a failure to prepare a run because no place is free.
pub const BUSY: &str = "busy";

/// One run of a component, free or claimed.
pub struct Job {
    /// Which component.
    pub component: Digest,
    /// Its plugin's name, for messages.
    pub plugin: String,
    /// The tool, by the plugin's own name.
    pub tool: String,
    /// Canonical JSON.
    pub arguments: String,
    /// The call's id, the plugin's idempotency key.
    pub execution_id: String,
    /// Who called.
    pub principal: Principal,
    /// What the run may use.
    pub limits: Limits,
    /// The plugin's settings.
    pub settings: Arc<BTreeMap<String, String>>,
    /// Hears of progress.
    pub progress: Option<Arc<dyn ProgressSink>>,
    /// What was kept for it before its call was claimed; `None` for a run that nobody paid.
    pub ready: Option<Ready>,
}

/// Runs components by digest, loading their code when it is not in memory. Dropping the future stops the guest.
pub trait Runner: Send + Sync {
    /// Makes a component's code ready and takes a place for its run, so that a claim's lease is spent on running. A
    /// failure consumes nothing.
    fn prepare(&self, errand: Errand) -> BoxFuture<'_, Result<Ready, Failure>>;

    /// Whether new calls of a plugin's component are refused for the time being, because it keeps failing. What is paid
    /// already is run all the same.
    fn refuses(&self, _component: &Digest, _plugin: &str) -> Option<SetAside> {
        None
    }

    /// Runs one job. The log of the run is the runner's to keep; the error is for the caller.
    fn run(&self, job: Job) -> BoxFuture<'_, Result<Outcome, Failure>>;

    /// Whether a run of a plugin's tool may be started again, by what the plugin may reach at the moment.
    fn may_repeat(&self, _plugin: &str, effects: Effects) -> bool {
        effects != Effects::Effectful
    }
}

/// Provider accounts by name.
pub type Accounts = BTreeMap<String, Arc<dyn Provider>>;

/// What a gate is made of.
pub struct Parts {
    /// Where calls are kept.
    pub ledger: Arc<dyn Ledger>,
    /// What runs components.
    pub runner: Arc<dyn Runner>,
    /// Who moves the money.
    pub accounts: Accounts,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Where the host's payment pages are, without a trailing slash, such as `http://127.0.0.1:7402`.
    pub pay_base: Arc<ArcSwap<String>>,
    /// How long a quote stands.
    pub quote_lifetime: Duration,
    /// How long a paid call waits for its caller before the money is returned.
    pub claim_window: Duration,
    /// How long outcomes are kept.
    pub retention: Duration,
    /// What one principal may have open and spend.
    pub caps: CallerCaps,
}

/// Caps by who calls.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CallerCaps {
    /// For each known principal.
    pub known: Caps,
    /// For all anonymous callers together.
    pub anonymous: Caps,
    /// For single API keys, by name.
    pub keys: BTreeMap<String, Caps>,
}

impl CallerCaps {
    fn of(&self, principal: &Principal) -> Caps {
        let caps = match principal.kind {
            PrincipalKind::Anonymous => &self.anonymous,
            PrincipalKind::ApiKey => self.keys.get(&principal.subject).unwrap_or(&self.known),
            PrincipalKind::Local | PrincipalKind::Token | PrincipalKind::Wallet => &self.known,
        };
        caps.clone()
    }
}

/// Drives calls from quote to end. Cheap to clone; clones share everything.
#[derive(Clone)]
pub struct Gate {
    parts: Arc<Parts>,
    runs: Arc<Runs>,
    watchers: Arc<Watchers>,
    /// Cancelled when no request shall wait for its payment any longer.
    waiting: CancellationToken,
    tasks: TaskTracker,
    stop: CancellationToken,
    random: Arc<dyn Random>,
    owner: Arc<str>,
    secrets: Arc<credential::Secrets>,
    viewers: broadcast::Sender<String>,
}

impl Gate {
    /// A gate. Nothing is swept until [`Gate::start_sweeping`].
    pub fn new(parts: Parts) -> Self {
        Self {
            parts: Arc::new(parts),
            runs: Arc::default(),
            watchers: Arc::default(),
            waiting: CancellationToken::new(),
            tasks: TaskTracker::new(),
            stop: CancellationToken::new(),
            random: Arc::new(SystemRandom),
            owner: crate::random::token().into(),
            secrets: Arc::default(),
            viewers: broadcast::channel(viewers::WAITING_MAX).0,
        }
    }

    /// The same gate with ids from `random`, for simulations: in a host they must come from the operating system.
    #[must_use]
    pub fn with_random(mut self, random: Arc<dyn Random>) -> Self {
        self.owner = token_of(random.bytes()).into();
        self.random = random;
        self
    }

    /// Finishes, until drained, what callers, crashes and other hosts leave. Must be called inside a runtime.
    pub fn start_sweeping(&self) {
        self.tasks
            .spawn(sweep::run(self.clone(), self.stop.clone()));
    }

    /// Answers a tool call. After the claim, dropping the future only detaches the caller.
    pub async fn call(&self, invocation: Invocation) -> Reply {
        match invocation.entry.clone() {
            Entry::Confirm(listing) => self.confirm(&listing, invocation).await,
            Entry::ConfirmPayment => self.confirm_payment(invocation).await,
            Entry::Tool(listing) => match listing.price {
                Price::Free => self.run_free(&listing, invocation).await,
                Price::PerCall(price) => self.call_paid(&listing, invocation, price).await,
            },
        }
    }

    async fn call_paid(
        &self,
        listing: &Arc<Listing>,
        mut invocation: Invocation,
        price: Money,
    ) -> Reply {
        if let Some(resumption) = invocation.resumption.take() {
            return self.resume(listing, resumption, invocation).await;
        }
        if let Some(credential) = invocation.credential.take() {
            match self.buy(listing, credential, invocation, price).await {
                Ok(reply) => return reply,
                Err(given_back) => invocation = *given_back,
            }
        }
        let redeems = listing.mode.surface() == Surface::PaymentIdArgument
            && invocation
                .arguments
                .contains_key(&listing.payment_id_argument);
        let peer = &invocation.dialog.peer;
        if !redeems && self.asks_for_credential(listing, peer, invocation.mode) {
            let arguments = &invocation.arguments;
            return self.ask_for_credential(listing, arguments, price).await;
        }
        match listing.mode.surface() {
            Surface::PaymentIdArgument => self.quote_or_redeem(listing, invocation, price).await,
            Surface::ConfirmTool
            | Surface::ConfirmPayment
            | Surface::TakesTurns
            | Surface::Credential => self.quote(listing, invocation, price).await,
        }
    }

    /// Waits for claimed runs to be stored, at most `patience`; then whatever is left is for the next host to finish.
    /// Returns whether nothing was left.
    pub async fn drain(&self, patience: Duration) -> bool {
        self.stop.cancel();
        self.tasks.close();
        tokio::time::timeout(patience, self.tasks.wait())
            .await
            .is_ok()
    }

    /// The two latest secrets of `name`, the latest first; the hosts of one ledger share them.
    pub fn secrets(&self, name: &str) -> BoxFuture<'_, Result<Vec<Vec<u8>>, LedgerError>> {
        let now = self.parts.clock.now();
        self.parts.ledger.secrets(name.to_owned(), now)
    }

    /// The time by which it goes.
    pub fn clock(&self) -> Arc<dyn Clock> {
        self.parts.clock.clone()
    }

    fn account(&self, name: &str) -> Option<&Arc<dyn Provider>> {
        self.parts.accounts.get(name)
    }
}
