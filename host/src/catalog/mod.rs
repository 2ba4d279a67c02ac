//! The catalogue: an immutable snapshot of what is served, swapped atomically.
//!
//! A call keeps the snapshot's listing it started with; a reload changes only what the next call sees.

mod accepts;
pub mod arguments;
mod blocklist;
#[cfg(test)]
pub(crate) mod fakes;
mod granted;
mod imitation;
pub mod library;
pub mod notes;
mod payment_id;
mod pseudonym;
mod published;
pub mod resolve;
mod sandboxed;
mod schema;
mod seller;
mod share;
pub(crate) mod source;
mod widened;
mod words;

use std::collections::BTreeMap;
use std::sync::Arc;

use arc_swap::ArcSwap;
use coinop_core::call::Remedy;
use coinop_core::mode::{CONFIRM_PAYMENT, Mode, Surface};
use coinop_core::price::Price;
use serde_json::{Map, Value};
use tokio::sync::watch;

pub use published::{SharedMoney, confirm_name};

use crate::limits::Limits;
use crate::plugin::{Manifest, ToolDecl};
use crate::sandbox::schema::Schema;

/// What is served at one moment. Names are unique and sorted.
#[derive(Default)]
pub struct Snapshot {
    /// Counts up with every snapshot in which the published listing changed.
    pub revision: u64,
    /// Every published name.
    pub tools: BTreeMap<String, Entry>,
    /// What is not served, and why: for the log, `coinop check` and `/readyz`.
    pub problems: Vec<Problem>,
}

/// What a published name stands for.
#[derive(Clone)]
pub enum Entry {
    /// A plugin's tool.
    Tool(Arc<Listing>),
    /// `confirm_<tool>` of this listing.
    Confirm(Arc<Listing>),
    /// `confirm_payment`, of every tool whose mode has it.
    ConfirmPayment,
}

impl Entry {
    /// The listing behind the name, where it stands for one.
    pub fn listing(&self) -> Option<&Arc<Listing>> {
        match self {
            Self::Tool(listing) | Self::Confirm(listing) => Some(listing),
            Self::ConfirmPayment => None,
        }
    }
}

/// A tool with its price, as published.
pub struct Listing {
    /// The published name.
    pub name: String,
    /// The plugin's name: its file's stem.
    pub plugin: String,
    /// What the plugin says of itself, its digest included.
    pub manifest: Arc<Manifest>,
    /// The tool as declared.
    pub tool: ToolDecl,
    /// What it costs.
    pub price: Price,
    /// How its payment is coordinated.
    pub mode: &'static dyn Mode,
    /// What it adds to the list when it is paid: its mode's surface, unless the operator wants one tool for all.
    pub surface: Surface,
    /// The provider account its money goes to.
    pub account: String,
    /// Whether that money is pretended.
    pub test: bool,
    /// Accounts with a rail, for callers that bring the payment with the call; the preferred one first. The account itself
    /// is among them where it has one.
    pub accepts: Vec<String>,
    /// Whether money that a caller brings is taken before the run.
    pub upfront: bool,
    /// What one run may use.
    pub limits: Limits,
    /// How a caller is made whole when a paid call does not deliver.
    pub on_failure: Remedy,
    /// How often a failed run is tried again before that.
    pub retries: u32,
    /// Whether a run that was cut short may be started again: what the tool says, as far as its plugin's grants bear it
    /// out.
    pub repeatable: bool,
    /// The plugin's settings.
    pub settings: Arc<BTreeMap<String, String>>,
    /// The argument that carries a payment's id, in modes that use one.
    pub payment_id_argument: String,
    /// The published description, price included.
    pub description: String,
    /// The published input schema (with the payment id's argument where the mode adds it).
    pub input_schema: Arc<Map<String, Value>>,
    /// The published output schema: the tool's own when free, widened by the payment object when paid.
    pub output_schema: Option<Arc<Map<String, Value>>>,
    /// Checks arguments against the tool's own input schema.
    pub validator: Arc<Schema>,
}

impl Listing {
    /// Whether it may be paid for with the call itself.
    pub fn takes_payments(&self) -> bool {
        !self.accepts.is_empty() || self.mode.surface() == Surface::Credential
    }

    /// The tool that redeems its payments, where that is not `confirm_<tool>`.
    pub fn confirm_tool(&self) -> Option<String> {
        let shared = self.surface == Surface::ConfirmPayment;
        shared.then(|| CONFIRM_PAYMENT.to_owned())
    }

    /// The tool that is listed beside it, or in its place, to redeem its payments; `None` where none is.
    pub fn listed_confirm_tool(&self) -> Option<String> {
        match self.surface {
            _ if self.price == Price::Free => None,
            Surface::ConfirmTool | Surface::TakesTurns => Some(confirm_name(&self.name)),
            Surface::ConfirmPayment => Some(CONFIRM_PAYMENT.to_owned()),
            Surface::PaymentIdArgument | Surface::Credential => None,
        }
    }

    /// Whether its place in a list depends on who reads it.
    pub fn takes_turns(&self) -> bool {
        self.surface == Surface::TakesTurns && self.price != Price::Free
    }
}

/// Something that is not served.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The file it comes from.
    pub file: String,
    /// What is wrong and what to do, for the operator.
    pub message: String,
    /// Whether an earlier version of the file is still served.
    pub keeps_last_good: bool,
}

impl Problem {
    /// The problem in one line for the operator, beginning with the file.
    pub fn line(&self) -> String {
        let file = if self.message.contains(&self.file) {
            String::new()
        } else {
            format!("{}: ", self.file)
        };
        let kept = if self.keeps_last_good {
            " (the last good version stays served)"
        } else {
            ""
        };
        format!("{file}{}{kept}", self.message)
    }
}

/// The catalogue: readers take the snapshot without waiting; one writer swaps it.
pub struct Catalog {
    current: ArcSwap<Snapshot>,
    changed: watch::Sender<u64>,
}

impl Default for Catalog {
    fn default() -> Self {
        Self {
            current: ArcSwap::default(),
            changed: watch::channel(0).0,
        }
    }
}

impl Catalog {
    /// The present snapshot.
    pub fn snapshot(&self) -> Arc<Snapshot> {
        self.current.load_full()
    }

    /// Replaces the snapshot. The revision goes up, and subscribers hear of it, only when `listing_changed`.
    pub fn publish(&self, mut next: Snapshot, listing_changed: bool) {
        let revision = self.current.load().revision + u64::from(listing_changed);
        next.revision = revision;
        self.current.store(Arc::new(next));
        if listing_changed {
            self.changed.send_replace(revision);
        }
    }

    /// The revision, now and whenever the published listing changes.
    pub fn subscribe(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }
}
