//! Listings, replies and a gate made up for tests.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::sync::Arc;

use coinop_core::digest::Digest;
use coinop_core::ids::PaymentId;
use coinop_core::mode::{self, Ask, AskStatus, Manner, Mode, Surface};
use coinop_core::money::Money;
use coinop_core::outcome::{Content, Outcome};
use coinop_core::price::Price;
use futures::future::BoxFuture;
use serde_json::{Map, Value, json};
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

use super::{Calls, Server};
use crate::catalog::{Catalog, Entry, Listing, Snapshot};
use crate::config::Clients;
use crate::gate::{Invocation, Refusal, Reply};
use crate::ledger::Delivery;
use crate::plugin::{Annotations, Contract, Effects, Manifest, ToolDecl};
use crate::provider::rail::Credential;

/// A listing named `name`, free or at a price in USD.
pub(crate) fn listing(name: &str, usd: Option<&str>) -> Listing {
    let schema = json!({"type": "object"});
    let price = usd.map_or(Price::Free, |usd| {
        Price::PerCall(Money::parse(usd, "USD").unwrap())
    });
    let tool = ToolDecl {
        name: name.to_owned(),
        title: None,
        description: String::new(),
        input_schema: schema.to_string(),
        output_schema: None,
        annotations: Annotations::default(),
        price: Some(price),
        effects: Effects::default(),
        meta: None,
    };
    Listing {
        name: name.to_owned(),
        plugin: "plugin".to_owned(),
        manifest: Arc::new(Manifest {
            digest: Digest::of(name.as_bytes()),
            contract: Contract::Plugin {
                version: "0.1.0".to_owned(),
            },
            imports: Vec::new(),
            tools: vec![tool.clone()],
        }),
        tool,
        price,
        mode: mode::by_name("two_step").unwrap(),
        surface: Surface::ConfirmTool,
        account: "sandbox".to_owned(),
        test: true,
        accepts: Vec::new(),
        upfront: false,
        limits: crate::limits::Limits::default(),
        on_failure: coinop_core::call::Remedy::Refund,
        retries: 0,
        repeatable: true,
        settings: Arc::new(BTreeMap::new()),
        payment_id_argument: "payment_id".to_owned(),
        description: format!("{name} ({price})"),
        input_schema: Arc::new(schema.as_object().cloned().unwrap_or_else(Map::new)),
        output_schema: None,
        validator: Arc::new(crate::sandbox::schema::Schema::compile(&schema.to_string()).unwrap()),
    }
}

/// A snapshot of such listings; paid ones have their confirm tools.
pub(crate) fn snapshot(revision: u64, tools: &[(&str, Option<&str>)]) -> Snapshot {
    let mut entries = BTreeMap::new();
    for (name, usd) in tools {
        let listing = Arc::new(listing(name, *usd));
        if usd.is_some() {
            entries.insert(format!("confirm_{name}"), Entry::Confirm(listing.clone()));
        }
        entries.insert((*name).to_owned(), Entry::Tool(listing));
    }
    Snapshot {
        revision,
        tools: entries,
        problems: Vec::new(),
    }
}

/// A request for payment, to be paid until 1970-01-12T13:46:40Z.
pub(crate) fn ask(tool: &str, usd: &str) -> Ask {
    let payment_id = PaymentId::from_random([7; 16]);
    Ask {
        status: AskStatus::Required,
        manner: Manner::Answer,
        payment_id,
        price: Money::parse(usd, "USD").unwrap(),
        from_balance: coinop_core::money::Amount::ZERO,
        provider: "sandbox".to_owned(),
        tool: tool.to_owned(),
        next_step: format!("Call confirm_{tool}."),
        expires_at: 1_000_000_000,
        retry_instructions: None,
    }
}

/// A gate made up for tests: what a tool does is said by its name.
///
/// `echo` answers its principal and arguments; `steps` reports progress three times; `wait` answers only after its
/// caller cancelled; `new_tool` answers the mode that the operator chose for its client; tools of [`WALLET_TOOLS`] take
/// payments that come with the call; every other tool asks for payment. `gone` is not listed, and every payment with a call
/// of it bought it. Every end of a call is told to `ended`.
pub(crate) struct FakeGate {
    ended: mpsc::UnboundedSender<String>,
}

impl Calls for FakeGate {
    fn call(&self, call: Invocation) -> BoxFuture<'_, Reply> {
        Box::pin(async move {
            let tool = call.entry.listing().unwrap().tool.name.clone();
            let reply = match tool.as_str() {
                "wait" => {
                    call.cancel.cancelled().await;
                    Reply::Cancelled
                }
                "echo" => say(format!("{} {}", call.principal, json!(call.arguments))),
                "new_tool" => say(call.mode.map_or("", Mode::name).to_owned()),
                "steps" => {
                    for step in 1..=3 {
                        let progress = call.progress.as_ref().unwrap();
                        progress.report(f64::from(step), Some(3.0), Some("a step"));
                    }
                    say("done".to_owned())
                }
                wallet if WALLET_TOOLS.iter().any(|(name, _)| *name == wallet) => {
                    super::testing_rails::reply(wallet, &call)
                }
                "paid" if call.resumption.is_some() => redeemed(&call),
                paid => Reply::Ask {
                    ask: Box::new(ask(paid, "0.50")),
                    payment_url: "http://127.0.0.1:7402/pay/lnk".to_owned(),
                    test: true,
                },
            };
            let _ = self.ended.send(tool);
            reply
        })
    }

    fn call_unlisted_with<'a>(
        &'a self,
        name: &'a str,
        arguments: &'a Map<String, Value>,
        credential: &'a Credential,
        _: CancellationToken,
    ) -> BoxFuture<'a, Option<Reply>> {
        let settled = super::testing_rails::settled(format!("{}", json!(arguments)), credential);
        Box::pin(async move { (name == "gone").then_some(settled) })
    }
}

/// The one payment there is, made for `{"a":1}`.
fn redeemed(call: &Invocation) -> Reply {
    let known = PaymentId::from_random([7; 16]);
    let presented = call.resumption.as_ref().map(|r| r.payment.clone());
    if presented != Some(known) {
        return Reply::Refused(Refusal::UnknownPayment);
    }
    match json!(call.arguments) == json!({"a": 1}) {
        true => say("redeemed".to_owned()),
        false => Reply::Refused(Refusal::OtherArguments {
            fields: vec!["a".to_owned()],
        }),
    }
}

fn say(text: String) -> Reply {
    Reply::Outcome(Delivery::free(Outcome {
        content: vec![Content::text(text)],
        ..Outcome::default()
    }))
}

/// A server over a fake gate, and the ends a test holds.
pub(crate) struct Fixture {
    pub(crate) server: Arc<Server>,
    pub(crate) catalog: Arc<Catalog>,
    pub(crate) ready: watch::Sender<bool>,
    pub(crate) ended: mpsc::UnboundedReceiver<String>,
}

/// The tools every fixture serves at first.
pub(crate) const TOOLS: &[(&str, Option<&str>)] = &[
    ("wait", None),
    ("echo", None),
    ("steps", None),
    ("paid", Some("0.50")),
];

/// Tools that take payments with the call: by x402, by the Machine Payments Protocol, and by both.
pub(crate) const WALLET_TOOLS: &[(&str, Option<&str>)] = &[
    ("x402_only", Some("0.01")),
    ("mpp_only", Some("0.01")),
    ("x402_and_mpp", Some("0.01")),
];

impl Fixture {
    /// Serves [`WALLET_TOOLS`] too.
    pub(crate) fn publish_wallet_tools(&self) {
        let all = [TOOLS, WALLET_TOOLS].concat();
        self.catalog.publish(snapshot(0, &all), true);
    }

    pub(crate) fn new() -> Self {
        Self::with_clients(Clients::default())
    }

    /// As [`Fixture::new`], with overrides for single clients.
    pub(crate) fn with_clients(clients: Clients) -> Self {
        let catalog = Arc::new(Catalog::default());
        catalog.publish(snapshot(1, TOOLS), true);
        let (ready, is_ready) = watch::channel(true);
        let (told, ended) = mpsc::unbounded_channel();
        let calls = Arc::new(FakeGate { ended: told });
        Self {
            server: Server::new(catalog.clone(), calls, is_ready).with_clients(clients),
            catalog,
            ready,
            ended,
        }
    }

    /// Publishes a listing with one tool more.
    pub(crate) fn add_tool(&self) {
        let mut next = snapshot(0, TOOLS);
        next.tools.extend(snapshot(0, &[("new_tool", None)]).tools);
        self.catalog.publish(next, true);
    }
}
