//! The gate: performs the core's steps, persists what happened, and never lets a run start unpaid.
//!
//! It owns no policy: [`coinop_core::step::next`] decides. It knows providers, the ledger and the sandbox by their
//! traits only.

use std::collections::BTreeMap;
use std::sync::Arc;

use coinop_core::call::{Cause, Failure};
use coinop_core::digest::Digest;
use coinop_core::ids::LinkToken;
use coinop_core::mode::Ask;
use coinop_core::money::Money;
use coinop_core::outcome::Outcome;
use coinop_core::principal::Principal;
use futures::future::BoxFuture;
use serde_json::{Map, Value};
use tokio_util::sync::CancellationToken;

use crate::catalog::{Entry, Snapshot};
use crate::ledger::{LedgerError, Record};
use crate::limits::Limits;
use crate::sandbox::ProgressSink;

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
}

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
    /// What the run may use.
    pub limits: Limits,
    /// The plugin's settings.
    pub settings: Arc<BTreeMap<String, String>>,
    /// Hears of progress.
    pub progress: Option<Arc<dyn ProgressSink>>,
}

/// Runs components by digest, loading their code when it is not in memory. Dropping the future stops the guest.
pub trait Runner: Send + Sync {
    /// Runs one job. The log of the run is the runner's to keep; the error is for the caller.
    fn run(&self, job: Job) -> BoxFuture<'_, Result<Outcome, Failure>>;
}

/// The answer to a tool call.
#[derive(Debug)]
pub enum Reply {
    /// The tool's answer.
    Outcome(Arc<Outcome>),
    /// A request for payment, or word that it is awaited or running.
    Ask {
        /// What to say.
        ask: Box<Ask>,
        /// Where to pay.
        payment_url: String,
        /// Whether the money is pretended.
        test: bool,
    },
    /// No, with a reason that the caller can act on.
    Refused(Refusal),
    /// The caller cancelled.
    Cancelled,
}

/// Why a call is not answered with an outcome. Nothing was consumed unless a variant says so.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The arguments do not fit the tool's schema.
    #[error("Invalid arguments: {0}")]
    InvalidArguments(String),
    /// No payment of this caller has that id: unknown, malformed and foreign ids look the same.
    #[error(
        "Unknown payment id. Nothing was charged. Call the tool without a payment id to get a new payment link."
    )]
    UnknownPayment,
    /// The payment was made for another tool.
    #[error(
        "This payment is for the tool {paid_for}, not for this one. It was not used: present it to {paid_for}."
    )]
    OtherTool {
        /// The tool it buys.
        paid_for: String,
    },
    /// The payment was made for other arguments.
    #[error("This payment was made for other arguments: {} differ{}. It was not used: repeat the call with the arguments it was made for.", .fields.join(", "), if .fields.len() == 1 { "s" } else { "" })]
    OtherArguments {
        /// The fields that differ.
        fields: Vec<String>,
    },
    /// The payer said no.
    #[error(
        "The payment was declined. Nothing was charged. Call the tool again for a new payment link."
    )]
    Declined,
    /// Nobody paid in time.
    #[error(
        "The payment link expired before it was paid. Nothing was charged. Call the tool again for a new payment link."
    )]
    Expired,
    /// The money went back.
    #[error("{}, so {price} went back to the payer.", describe(*.cause, .failure))]
    Refunded {
        /// Why.
        cause: Cause,
        /// The tool's failure, when that was why and is still known.
        failure: Option<String>,
        /// How much.
        price: Money,
    },
    /// The money became balance.
    #[error("{}, so {price} was credited.", describe(*.cause, .failure))]
    Credited {
        /// Why.
        cause: Cause,
        /// The tool's failure, when that was why and is still known.
        failure: Option<String>,
        /// How much.
        price: Money,
    },
    /// The reservation was given back.
    #[error("The call failed, so the reserved {price} was released. Nothing was charged.")]
    Withheld {
        /// How much was reserved.
        price: Money,
    },
    /// Somebody is owed, and it is being arranged.
    #[error("{}. Your {price} is being returned.", describe(*.cause, .failure))]
    Compensating {
        /// Why.
        cause: Cause,
        /// The tool's failure, when that was why and is still known.
        failure: Option<String>,
        /// How much.
        price: Money,
    },
    /// A person must look.
    #[error(
        "The payment of {price} needs the operator's attention; it is recorded and not lost. Reference: {call}."
    )]
    Attention {
        /// How much.
        price: Money,
        /// The call's id.
        call: String,
    },
    /// The outcome's retention ended.
    #[error(
        "This call was delivered and its result is no longer stored. It is not charged again; call the tool anew for a new result."
    )]
    NoLongerStored,
    /// A free run failed.
    #[error("{message}")]
    ToolFailed {
        /// A stable word.
        kind: String,
        /// For the caller.
        message: String,
    },
    /// The operator blocked the component.
    #[error("This tool was blocked by the operator. Nothing was charged.")]
    Blocked,
    /// Something of ours is not available; the caller lost nothing.
    #[error("{message} Nothing was lost; try again in {retry_after_s} seconds.")]
    Unavailable {
        /// What.
        message: String,
        /// When to try again, seconds.
        retry_after_s: u32,
    },
}

fn describe(cause: Cause, failure: &Option<String>) -> String {
    let text = match cause {
        Cause::ToolFailed => match failure {
            Some(failure) => return format!("The tool failed ({failure})"),
            None => "The tool failed",
        },
        Cause::RunLost => "The run was interrupted and cannot be repeated safely",
        Cause::LatePaid => "The payment arrived after the call had ended",
        Cause::WrongAmount => "The amount received was not the price",
        Cause::Unclaimed => "The result was never called for",
        Cause::Blocked => "The operator blocked the tool",
    };
    text.to_owned()
}

/// What the payment page shows, and may do. Holds nothing that redeems.
#[derive(Clone, Debug)]
pub struct PageView {
    /// The tool's name.
    pub tool: String,
    /// The plugin's name.
    pub plugin: String,
    /// What it costs.
    pub price: Money,
    /// The provider's kind.
    pub provider: String,
    /// Where to pay, when that is the provider's own page.
    pub provider_url: Option<String>,
    /// Until when, milliseconds since the Unix epoch.
    pub expires_at: i64,
    /// Whether the money is pretended.
    pub test: bool,
    /// Whether the payer decides on this page.
    pub pays_here: bool,
    /// Whether the money is taken only after the run.
    pub authorizes: bool,
    /// Where the call stands.
    pub state: PageState,
}

/// Where a call stands, for the page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PageState {
    /// Can be paid.
    Open,
    /// Is paid (or reserved): go back to your client.
    Paid,
    /// The payer said no.
    Declined,
    /// Too late.
    Expired,
    /// The money went back or is about to.
    Returned,
}

/// The gate as the pages and the command line see it.
pub trait Cashier: Send + Sync {
    /// What the page behind a link shows, `None` for a link nobody has.
    fn page(&self, link: LinkToken) -> BoxFuture<'_, Result<Option<PageView>, LedgerError>>;
    /// The payer decides on the host's own page (pretended money only). Returns the page after it.
    fn decide(
        &self,
        link: LinkToken,
        decision: Decision,
    ) -> BoxFuture<'_, Result<Option<PageView>, LedgerError>>;
}

/// What a payer decides on the host's own page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Pay, or reserve.
    Pay,
    /// Decline.
    Decline,
}

/// The calls of a ledger, for the command line.
pub type Records = Vec<Record>;

/// Drives calls from quote to end.
pub struct Gate {
    _private: (),
}

impl Gate {
    /// Answers a tool call. After the claim, dropping the future only detaches the caller.
    pub async fn call(&self, _invocation: Invocation) -> Reply {
        Reply::Cancelled
    }
}
